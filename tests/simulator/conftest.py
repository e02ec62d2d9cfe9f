"""Both scenarios, loaded once, each with a market that stands at its start."""

from __future__ import annotations

import pytest

from simulator.market import Market
from simulator.scenario import Scenario, load


def at_start(scenario: Scenario) -> Market:
    start = scenario.start.timestamp()
    return Market(scenario, lambda: start)


@pytest.fixture(scope="session")
def january() -> Market:
    return at_start(load("january-2026"))


@pytest.fixture(scope="session")
def opposite() -> Market:
    return at_start(load("small-caps-lead"))
