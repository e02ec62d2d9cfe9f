"""What the feeds' tests share: a gateway over real TLS with the test's own Yahoo, and a context that reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.clock import Clock
from engine.config import Config
from feeds.link import Context
from feeds.network import Border
from simulator.authority import Authority
from simulator.gateway import Gateway
from tests.feeds.fakes import RecordingSink
from tests.feeds.yahoo_site import YahooSite

IN_SESSION = datetime(2026, 1, 9, 15, 30, tzinfo=UTC)
"""Friday, an hour after New York's open."""


@pytest.fixture
def yahoo() -> YahooSite:
    return YahooSite()


@pytest.fixture
async def gateway(yahoo: YahooSite, tmp_path: Path) -> AsyncIterator[Gateway]:
    folder = tmp_path / "authority"
    folder.mkdir()
    made = Gateway([yahoo], Authority(folder))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
def context(gateway: Gateway, sink: RecordingSink, tmp_path: Path) -> Context:
    border = Border(proxy=gateway.proxy, ca_file=gateway.ca_file, timeout=3.0)
    return Context(Config(), Clock.starting_at(IN_SESSION), sink, border, tmp_path / "cache")
