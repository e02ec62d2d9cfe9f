"""Several faults at once, drawn from a seed: the short form of `bench.soak_faults`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.soak_faults import soak
from bench.soak_world import RECOVERY_S, Lane, SoakMarket, Truth
from simulator.faults import Fault
from simulator.spoil import PAST
from tests.faults.world import WorldClock

SLACK_S = 5.0
"""At eight times our speed a busy machine's half a second is four."""


def test_mixed_faults_tell_no_lie_and_miss_no_alert(tmp_path: Path) -> None:
    told = soak(tmp_path, hours=70 / 3600, speed=8.0, coins=4, seed=3, at_once=2)
    assert told["faults"] >= 8
    assert told["rows_looked_at"] > 500
    assert told["alerts_told"] > 0
    found = (
        "first_wrong",
        "first_stale",
        "first_missed",
        "first_errors",
        "beyond_the_venues_limits",
        "not_live_at_the_end",
    )
    assert {name: told[name] for name in found} == {name: [] for name in found}
    assert told["slowest_recovery_s"] <= RECOVERY_S + SLACK_S, told["slowest_recoveries"]
    assert told["alerts_in_the_journal"] == told["alerts_told"]


@pytest.mark.parametrize(
    ("source", "given_at", "seen_at", "wrong"),
    [
        pytest.param("kraken", 105.0, 108.0, 0, id="while the fault lasts"),
        pytest.param("kraken", 105.0, 125.0, 0, id="until recovery is due"),
        pytest.param("kraken", 105.0, 131.0, 1, id="and no longer"),
        pytest.param("kraken", 80.0, 108.0, 1, id="a price from before the fault"),
        pytest.param("coinbase", 105.0, 108.0, 1, id="another venue's"),
    ],
)
def test_a_price_of_the_past_is_known_where_and_while_that_fault_gave_it(
    source: str, given_at: float, seen_at: float, wrong: int
) -> None:
    clock = WorldClock(1.0)
    market, lanes = SoakMarket(clock, 1), {name: Lane() for name in ("kraken", "coinbase")}
    truth = Truth(market, lanes)
    fault = Fault("past", ("kraken.com",))
    clock.jump(given_at, timers=True)
    given = market.ticker("kraken", "BTC").last * PAST
    lanes["kraken"].begin(fault, 100.0)
    if seen_at > 110.0:
        lanes["kraken"].end(fault, 110.0)
    clock.jump(seen_at - given_at, timers=True)
    truth.look({"symbol": "BTC/USD", "last": given, "status": "stale", "source": source}, seen_at)
    assert truth.wrongs == wrong
