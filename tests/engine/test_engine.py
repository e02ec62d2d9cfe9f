"""The engine at a beat: what stays the same object, what a fault may take with it, and when a run has settled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl
import pytest

from engine import derived
from engine.bars import BarBook
from engine.config import Config
from engine.derived import Maker
from engine.engine import AGES_S, NOTICES, Engine
from engine.model import Bars, FeedState, MarketFact, Mode
from engine.tables import TABLES, empty
from engine.view import View
from tests.engine.runtime import HandClock, bars_frame, channel, config, engine, quote, report, row


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


class Fake:
    """A maker of one `volumes` row that follows BTC's price; `broken` and `wrong` make it fail."""

    def __init__(self, name: str = "levels") -> None:
        self.name = name
        self.closes: list[float] = []
        self.lives = 0
        self.broken = False
        self.wrong = False

    def at_close(self, now: float) -> float:
        self.closes.append(now)
        return now

    def live(self, state: float, view: View) -> pl.DataFrame:
        self.lives += 1
        if self.broken:
            raise ZeroDivisionError("a fault")
        if self.wrong:
            return pl.DataFrame({"x": [1]})
        price = view.live("BTC/USD").price
        fill: dict[str, Any] = {"symbol": "X", "last": price, "status": "ok", "simulated": view.simulated}
        return pl.DataFrame([{n: fill.get(n) for n in TABLES[self.name]}], schema=TABLES[self.name])


def with_makers(clock: HandClock, *makers: Maker, **more: Any) -> Engine:
    def make(_: Config, __: BarBook) -> Iterable[Maker]:
        return makers

    return engine(clock, makers=make, **more)


def settle(run: Engine, clock: HandClock) -> None:
    """Let closes run."""
    for _ in range(3):
        clock.pass_(derived.QUIET_S)
        run.beat()


def test_every_table_has_its_schema_from_the_first_beat_on(clock: HandClock) -> None:
    run = Engine(config(), clock)
    for _ in range(3):
        for name, table in run.beat().tables.items():
            assert table.schema == TABLES[name], name
        run.ingest(quote(clock))
        run.report_feed(report())
        clock.pass_(1)
    assert set(run.beat().tables) == set(TABLES)


def test_what_did_not_change_is_the_same_object(clock: HandClock) -> None:
    run = with_makers(clock, Fake())
    run.ingest(quote(clock))
    run.report_feed(report())
    settle(run, clock)
    first = run.beat()
    clock.pass_(0.1)
    second = run.beat()
    assert second is not first
    assert all(second.tables[name] is first.tables[name] for name in TABLES)


def test_a_tick_that_says_the_same_leaves_the_derived_tables_alone(clock: HandClock) -> None:
    run = with_makers(clock, Fake())
    run.ingest(quote(clock))
    settle(run, clock)
    first = run.beat()
    clock.pass_(0.25)
    run.ingest(quote(clock))
    second = run.beat()
    assert second.tables["levels"] is first.tables["levels"]
    assert second.tables["quotes"] is not first.tables["quotes"]


def test_time_alone_changes_ages_once_a_second(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock))
    first = run.beat()
    clock.pass_(AGES_S + 0.1)
    second = run.beat()
    assert (row(first)["age_s"], row(second)["age_s"]) == (0.0, pytest.approx(AGES_S + 0.1))
    assert second.tables["feeds"] is first.tables["feeds"]


def test_a_published_snapshot_is_never_changed(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock))
    first = run.beat()
    before = first.tables["quotes"].clone()
    run.ingest(quote(clock, last=500.0))
    run.beat()
    assert first.tables["quotes"].equals(before)


def test_a_broken_table_goes_stale_alone_and_is_told_once(clock: HandClock) -> None:
    good, bad = Fake("levels"), Fake("volumes")
    run = with_makers(clock, good, bad)
    run.ingest(quote(clock))
    settle(run, clock)
    assert run.beat().tables["volumes"]["status"].to_list() == ["ok"]
    bad.broken = True
    for n in range(8):
        clock.pass_(1)
        run.ingest(quote(clock, last=200.0 + n))
        snapshot = run.beat()
    assert snapshot.tables["volumes"]["status"].to_list() == ["stale"]
    assert snapshot.tables["levels"]["last"].to_list() == [207.0]
    assert [n.text.count("volumes") for n in snapshot.notices] == [1]
    bad.broken = False
    clock.pass_(1)
    run.ingest(quote(clock, last=300.0))
    assert run.beat().tables["volumes"]["status"].to_list() == ["ok"]


def test_a_table_whose_close_broke_is_stale_until_a_close_succeeds_whatever_prices_come(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Fake("volumes")
    run = with_makers(clock, bad)
    run.ingest(quote(clock))
    settle(run, clock)

    def fail(_: float) -> float:
        raise ZeroDivisionError("a fault")

    with monkeypatch.context() as patched:
        patched.setattr(bad, "at_close", fail)
        run.ingest_bars(Bars("BTC/USD", "1d", "kraken-bars", "USD", bars_frame((1.0, 2.0))))
        settle(run, clock)
        for n in range(3):
            clock.pass_(1)
            run.ingest(quote(clock, last=200.0 + n))
            assert run.beat().tables["volumes"]["status"].to_list() == ["stale"]
    run.ingest_bars(Bars("BTC/USD", "1d", "kraken-bars", "USD", bars_frame((1.0, 2.0, 3.0))))
    settle(run, clock)
    assert run.beat().tables["volumes"]["status"].to_list() == ["ok"]


@pytest.mark.parametrize(("name", "part"), [("quotes", "_make_quotes"), ("feeds", "_make_feeds"), ("alerts", "_alert")])
def test_a_fault_in_a_table_of_the_engines_own_leaves_the_others_alive(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch, name: str, part: str
) -> None:
    run = with_makers(clock, Fake())
    run.ingest(quote(clock))
    run.report_feed(report())
    settle(run, clock)

    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    with monkeypatch.context() as patched:
        patched.setattr(run, part, fail)
        for n in range(3):
            clock.pass_(1)
            run.ingest(quote(clock, last=200.0 + n))
            snapshot = run.beat()
    assert set(snapshot.tables[name]["status"].to_list()) <= {"stale"}
    assert snapshot.tables["levels"]["status"].to_list() == ["ok"]
    assert [n.text.count(f"table {name} cannot be made") for n in snapshot.notices] == [1]
    clock.pass_(1)
    run.ingest(quote(clock, last=300.0))
    run.report_feed(report(rate=1.0))
    snapshot = run.beat()
    assert "stale" not in snapshot.tables[name].filter(pl.col("status") != "warming")["status"].to_list()[:1]


def test_a_table_of_other_columns_is_refused_by_name(clock: HandClock) -> None:
    bad = Fake()
    bad.wrong = True
    run = with_makers(clock, bad)
    settle(run, clock)
    snapshot = run.beat()
    assert snapshot.tables["levels"].equals(empty("levels"))
    assert "differ" in snapshot.notices[0].text


def test_closes_wait_for_a_lull_in_the_bars_but_not_for_ever(clock: HandClock) -> None:
    maker = Fake()
    run = with_makers(clock, maker)
    settle(run, clock)
    before = len(maker.closes)
    for n in range(40):
        clock.pass_(0.25)
        run.ingest_bars(Bars("IWM", "1d", "yahoo-bars", "USD", bars_frame(range(1, n + 3))))
        run.beat()
    # ten seconds of bars without a lull: a close about every three
    assert 2 <= len(maker.closes) - before <= 5
    assert not run.settled
    settle(run, clock)
    assert len(maker.closes) - before <= 6


def test_bars_that_say_nothing_new_cause_no_close(clock: HandClock) -> None:
    maker = Fake()
    run = with_makers(clock, maker)
    bars = Bars("IWM", "1d", "yahoo-bars", "USD", bars_frame([1.0, 2.0]))
    run.ingest_bars(bars)
    settle(run, clock)
    before = len(maker.closes)
    run.ingest_bars(bars)
    settle(run, clock)
    assert len(maker.closes) == before


@pytest.mark.parametrize(("interval", "closes"), [("1d", True), ("5m", True), ("1h", False), ("1m", False)])
def test_only_bars_that_a_table_reads_cause_a_close(clock: HandClock, interval: str, closes: bool) -> None:
    maker = Fake()
    run = with_makers(clock, maker)
    settle(run, clock)
    before = len(maker.closes)
    run.ingest_bars(Bars("BTC/USD", interval, "kraken-bars", "USD", bars_frame([1.0, 2.0])))
    settle(run, clock)
    assert (len(maker.closes) > before) is closes


def test_a_frame_that_is_no_bars_is_told_and_nothing_else(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest_bars(Bars("IWM", "1d", "yahoo-bars", "USD", pl.DataFrame({"x": [1]})))
    assert "IWM" in run.beat().notices[0].text


def test_a_session_that_turns_is_a_close(clock: HandClock) -> None:
    maker = Fake()
    run = with_makers(clock, maker)
    settle(run, clock)
    before = len(maker.closes)
    clock.pass_(6 * 3600)  # 16:30 in New York
    run.beat()
    settle(run, clock)
    assert len(maker.closes) > before


def test_rows_of_a_run_that_is_not_live_are_simulated(clock: HandClock) -> None:
    run = engine(clock, mode=Mode.DEMO, scenario="x")
    run.ingest(quote(clock))
    run.report_feed(report())
    snapshot = run.beat()
    assert snapshot.mode is Mode.DEMO
    for name in ("quotes", "feeds"):
        assert snapshot.tables[name]["simulated"].all()


def test_recent_closes_and_the_bound_of_a_change_come_from_bars(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest_bars(Bars("^RUT", "1d", "yahoo-bars", "USD", bars_frame([2600.0 + n for n in range(40)])))
    run.ingest(quote(clock, "^RUT", "yahoo-poll", 2624.22, prev=280.0))
    got = row(run.beat(), "^RUT")
    assert len(got["recent"]) == 30
    assert got["recent"][-1] == 2639.0
    assert got["change_pct"] is None  # 280 is within ten times, but not what the daily bars say


def test_an_index_has_no_money_volume_and_a_fund_has(clock: HandClock) -> None:
    run = engine(clock)
    for symbol in ("^RUT", "IWM", "RTY=F"):
        run.ingest(quote(clock, symbol, "yahoo-poll", 200.0, volume=1000.0))
    snapshot = run.beat()
    assert [row(snapshot, s)["volume_usd"] for s in ("^RUT", "IWM", "RTY=F")] == [None, 200_000.0, None]


def test_it_has_settled_when_every_feed_has_and_the_tables_have_seen_it(clock: HandClock) -> None:
    run = with_makers(clock, Fake())
    assert not run.beat().settled
    run.report_feed(report("kraken"))
    run.report_feed(report("coinbase", settled=False))
    settle(run, clock)
    assert not run.beat().settled
    run.ingest_bars(Bars("IWM", "1d", "yahoo-bars", "USD", bars_frame([1.0, 2.0])))
    run.report_feed(report("coinbase", FeedState.BLOCKED, error="not from here"))
    assert not run.beat().settled
    settle(run, clock)
    assert run.beat().settled


def test_a_symbol_nobody_has_served_by_then_is_stale(clock: HandClock) -> None:
    run = engine(clock)
    assert row(run.beat(), "FET/USD")["status"] == "warming"
    run.report_feed(report())
    settle(run, clock)
    assert row(run.beat(), "FET/USD")["status"] == "stale"


def test_feeds_say_what_their_data_is_worth(clock: HandClock) -> None:
    run = engine(clock)
    worth = {}
    for state in FeedState:
        run.report_feed(report("kraken", state))
        (worth[state],) = run.beat().tables["feeds"]["status"].to_list()
    good = {FeedState.LIVE: "ok", FeedState.CONNECTING: "warming", FeedState.CLOSED: "closed"}
    assert worth == {state: good.get(state, "stale") for state in FeedState}


def test_a_feed_that_a_new_configuration_ends_leaves_the_table(clock: HandClock) -> None:
    run = engine(clock)
    for source in ("kraken", "binance"):
        run.report_feed(report(source))
    run.reconfigure(config(exchanges=("kraken",)))
    run.report_feed(report("binance", FeedState.CLOSED))
    assert run.beat().tables["feeds"]["source"].to_list() == ["kraken"]


def test_a_lost_connection_does_not_wait_for_the_next_beat(clock: HandClock) -> None:
    run = engine(clock)
    nudges: list[int] = []
    run.urgent = lambda: nudges.append(1)
    run.report_channel(channel("kraken", up=True))
    assert not nudges
    run.report_channel(channel("kraken", up=False))
    assert nudges


def test_notices_are_bounded_and_a_repeated_one_stands_once(clock: HandClock) -> None:
    run = engine(clock)
    for n in range(100):
        run.notice("info", f"{n // 2}")
    got = run.beat().notices
    assert [n.text for n in got] == [str(n) for n in range(50 - NOTICES, 50)]


def test_an_older_fact_does_not_replace_a_newer_one(clock: HandClock) -> None:
    seen: list[float | None] = []

    class Facts(Fake):
        def live(self, state: float, view: View) -> pl.DataFrame:
            seen.append(view.facts()["BTC"].all_markets_usd)
            return empty("levels")

    run = with_makers(clock, Facts())
    run.ingest_fact(MarketFact("BTC", "coingecko", 100.0, 30e9))
    run.ingest_fact(MarketFact("BTC", "coingecko", 90.0, 1.0))
    settle(run, clock)
    assert seen
    assert set(seen) == {30e9}


def test_until_the_calendars_are_there_nothing_is_said_of_sessions(clock: HandClock) -> None:
    run = engine(clock)
    run.calendars_ready = lambda: False
    run.ingest(quote(clock, "IWM", "yahoo-stream", 219.0))
    run.ingest(quote(clock))
    snapshot = run.beat()
    assert snapshot.nyse.next_change is None
    assert row(snapshot, "IWM")["status"] == "warming"
    assert row(snapshot, "BTC/USD")["status"] == "ok"
    run.calendars_ready = lambda: True
    assert row(run.beat(), "IWM")["status"] == "ok"


def test_ticks_a_second_follow_what_comes(clock: HandClock) -> None:
    run = engine(clock)
    for _ in range(40):
        for _ in range(50):
            run.ingest(quote(clock))
        run.beat()
        clock.pass_(0.25)
    assert run.beat().ticks_per_s == pytest.approx(200.0, rel=0.06)
    assert run.beat().ticks == 2000
