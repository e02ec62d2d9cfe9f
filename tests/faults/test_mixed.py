"""Several faults at once, drawn from a seed: the short form of `bench.soak_faults`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from bench.soak_derived import Derived, history
from bench.soak_faults import settings, soak
from bench.soak_owed import Owed
from bench.soak_world import RECOVERY_S, RISE, Lane, SoakMarket, Truth
from engine import sessions
from engine.engine import Engine
from engine.model import Event, Snapshot
from simulator.faults import Fault
from simulator.spoil import PAST
from tests.engine.runtime import channel, quote
from tests.faults.world import WorldClock
from tests.simulator.still_market import NOW

SLACK_S = 5.0
"""At eight times our speed a busy machine's half a second is four."""


def test_mixed_faults_tell_no_lie_and_miss_no_alert(tmp_path: Path) -> None:
    told = soak(tmp_path, hours=70 / 3600, speed=8.0, coins=4, seed=3, at_once=2)
    assert told["faults"] >= 8
    assert told["rows_looked_at"] > 500
    assert told["alerts_told"] > 0
    assert told["alerts_owed_by_the_market"] > 0
    assert told["derived_rows_live"] > 500
    found = (
        "first_derived_wrong",
        "first_owed_but_missed",
        "first_told_without_a_crossing",
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


@pytest.fixture(scope="module")
def derived_snapshot() -> tuple[SoakMarket, Snapshot]:
    """A snapshot of the soak's engine in which every symbol is live, by one venue."""
    market, _, engine, made = live_engine()
    engine.close()
    return market, made


def live_engine() -> tuple[SoakMarket, WorldClock, Engine, Snapshot]:
    """The soak's engine in which every symbol is live, by one venue, and its newest snapshot."""
    sessions.warm()
    clock = WorldClock(1.0)
    market, (config, _) = SoakMarket(clock, 1), settings(1)
    engine = Engine(config, clock)
    for bars in history(market):
        engine.ingest_bars(bars)
    for _ in range(10):
        clock.jump(1.0, timers=True)
        for symbol in config.symbols:
            base = symbol.partition("/")[0]
            now, source = market.ticker("kraken", base), "kraken" if "/" in symbol else "yahoo-stream"
            engine.report_channel(channel(source, up=True))
            engine.ingest(
                quote(
                    clock,
                    symbol,
                    source,
                    now.last,
                    volume=now.volume,
                    vwap=now.vwap,
                    quote_volume=now.volume * now.vwap,
                )
            )
        made = engine.beat()
    return market, clock, engine, made


def crossed(market: SoakMarket, rule: str, at: float, level: float, price: float | None = None) -> Event:
    """What a rule tells of a level that the price has passed, at second `at` of the world."""
    beyond = level * (1 + 2 * RISE) if price is None else price
    values = {"price": beyond, "previous": level * (1 - RISE)}
    return Event(f"{rule} {at}", rule, "BTC/USD", "fired", NOW + at, "warning", "on", "crossed", values)


def test_a_level_is_owed_by_the_market_whatever_the_engine_has_seen() -> None:
    market = SoakMarket(WorldClock(1.0), 1)
    first = market.first["BTC"].last
    # passed 10, 20, 30 and 40 s after the start
    levels = {
        name: ("BTC/USD", first * (1 + RISE * steps)) for name, steps in zip("abcd", (20, 40, 60, 80), strict=True)
    }
    owed = Owed(market, levels)
    assert owed.owed(15.0, 35.0) == ["b", "c"]
    owed.tell([crossed(market, "b", 21.0, levels["b"][1]), crossed(market, "a", 11.0, levels["a"][1])])
    assert owed.missed(15.0, 35.0) == ["c: BTC/USD passed 91,273 and nobody told"]
    assert not owed.wrong
    owed.tell([crossed(market, "c", 300.0, levels["c"][1])])  # long after, as over a gap
    assert not owed.missed(15.0, 35.0)
    assert not owed.wrong


@pytest.mark.parametrize(
    ("at", "price", "said"),
    [
        pytest.param([15.0], None, "the market was there at", id="before the market was there"),
        pytest.param([21.0, 60.0], None, "and before at 21.0 s", id="a second time"),
        pytest.param([21.0], 91_100.0, "and then 91100.0", id="by a price below the level"),
        pytest.param([21.0], 95_000.0, "by a price of later", id="by a price that the market has not had"),
    ],
)
def test_what_is_told_without_a_crossing_is_known(at: list[float], price: float | None, said: str) -> None:
    market = SoakMarket(WorldClock(1.0), 1)
    level = market.first["BTC"].last * (1 + RISE * 40)
    owed = Owed(market, {"b": ("BTC/USD", level)})
    owed.tell(crossed(market, "b", moment, level, price) for moment in at)
    assert len(owed.wrong) == 1
    assert said in owed.wrong[0]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        pytest.param("spreads", "ratio", 0.5, id="a ratio of other prices"),
        pytest.param("spreads", "z252", 0.0, id="a z of another window"),
        pytest.param("spreads", "status", "ok", id="a stale leg passes for live"),
        pytest.param("gauges", "value", 0.0, id="a gauge"),
        pytest.param("levels", "distance_pct", 1.0, id="a distance"),
        pytest.param("baskets", "return_1d_pct", 1.0, id="a basket's return"),
        pytest.param("baskets", "volume_usd", 1.0, id="a basket's volume"),
        pytest.param("markets", "venues_usd", 1.0, id="the venues' volume"),
        pytest.param("claims", "measured", 1.0, id="a claim"),
    ],
)
def test_a_figure_that_its_quotes_do_not_make_is_known(
    derived_snapshot: tuple[SoakMarket, Snapshot], table: str, column: str, value: object
) -> None:
    market, snapshot = derived_snapshot
    quotes = snapshot.tables["quotes"].rows(named=True)
    derived = Derived(market)
    for now in (0.0, 10.0):
        derived.look(snapshot, quotes, now)
    assert derived.rows > 30
    assert derived.wrong == []
    spoilt = snapshot.tables[table].with_columns(pl.lit(value).alias(column))
    if column == "status":
        quotes = [row | {"status": "stale"} for row in quotes]
    for now in (11.0, 21.0):
        derived.look(replace(snapshot, tables={**snapshot.tables, table: spoilt}), quotes, now)
    assert any(text.startswith(table) for text in derived.wrong)


def test_a_stale_equity_at_half_its_price_and_close_may_have_its_last_close_stand_in() -> None:
    """So the `past` fault has it, and so has the day of a split; any other figure is still known."""
    market, clock, engine, _ = live_engine()
    for up in (False, True):  # in one and the same life, what is older than the newest is not taken
        engine.report_channel(channel("yahoo-stream", up=up))
        clock.jump(1.0, timers=True)
    for symbol in ("IWM", "^RUT"):
        half = market.ticker("yahoo", symbol).last * PAST
        engine.ingest(quote(clock, symbol, "yahoo-stream", half, prev=half, age=4000.0))
    clock.jump(1.0, timers=True)
    snapshot = engine.beat()
    engine.close()
    quotes = snapshot.tables["quotes"].rows(named=True)
    shown = {row["symbol"]: row for row in quotes}
    level = snapshot.tables["levels"].filter(symbol="^RUT").row(0, named=True)
    assert shown["^RUT"]["status"] == "stale"
    assert level["last"] > 1.3 * shown["^RUT"]["price"], "the close stands in"
    derived = Derived(market)
    derived.look(snapshot, quotes, 0.0)
    assert derived.wrong == []
    levels = snapshot.tables["levels"].with_columns(pl.col("last") * 1.01)
    derived.look(replace(snapshot, tables={**snapshot.tables, "levels": levels}), quotes, 1.0)
    assert any(text.startswith("levels ^RUT") for text in derived.wrong)
