"""The day of a split, before the bars have been fetched anew: no crash that did not happen is said."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from engine import sessions
from engine.config import Band, Config, Crypto, Equity, Spreads
from engine.engine import Engine
from engine.model import Mode, Snapshot
from tests.engine.market_data import bars, ohlcv, weekdays
from tests.engine.runtime import HandClock, quote

CONFIG = Config(
    crypto=Crypto(baskets={}, alt=()),
    equity=Equity(symbols=("IWM", "SPY")),
    spreads=Spreads(("IWM/SPY",)),
    levels={"IWM": Band((95.0,), (105.0,))},
)
DAYS = weekdays("2023-06-01", 681)  # ends on 2026-01-08, the day before the clock's


@pytest.fixture(autouse=True, scope="module")
def calendars() -> None:
    sessions.warm()


def run_of(clock: HandClock, price: float, prev: float) -> tuple[Engine, Snapshot]:
    """An engine with the bars up to yesterday; IWM now at `price`, SPY where it closed."""
    run = Engine(CONFIG, clock, mode=Mode.LIVE)
    frames = {"IWM": ohlcv(1, DAYS), "SPY": ohlcv(2, DAYS)}
    for symbol, frame in frames.items():
        run.ingest_bars(bars(frame, symbol))
    spy = float(frames["SPY"]["close"].iloc[-1])
    run.ingest(quote(clock, "IWM", "yahoo-poll", price, prev=prev, volume=2e6))
    run.ingest(quote(clock, "SPY", "yahoo-poll", spy, prev=spy, volume=2e6))
    for _ in range(40):
        clock.pass_(0.25)
        snapshot = run.beat()
    return run, snapshot


def of(snapshot: Snapshot, table: str, **key: str) -> dict[str, object]:
    return next(r for r in snapshot.tables[table].to_dicts() if key.items() <= r.items())


def test_on_the_day_of_a_split_what_is_held_against_the_bars_is_the_last_close_and_stale() -> None:
    assert DAYS[-1].date() == datetime(2026, 1, 8, tzinfo=UTC).date()
    closed = float(ohlcv(1, DAYS)["close"].iloc[-1])
    clock = HandClock()
    run, snapshot = run_of(clock, closed * 1.01 / 2, closed / 2)
    assert of(snapshot, "quotes", symbol="IWM")["last"] == closed * 1.01 / 2, "the price itself is the price"
    assert of(snapshot, "quotes", symbol="IWM")["change_pct"] is None
    spread = of(snapshot, "spreads", pair="IWM/SPY")
    assert spread["status"] == "stale"
    assert abs(float(str(spread["rel_1d"]))) < 0.1, "not the half"
    level = of(snapshot, "levels", symbol="IWM")
    assert (level["last"], level["status"]) == (closed, "stale")
    # the bars come anew, in the units of today
    halved = ohlcv(1, DAYS)
    halved[["open", "high", "low", "close", "adj_close"]] /= 2
    run.ingest_bars(bars(halved, "IWM", replace=True))
    for _ in range(40):
        clock.pass_(0.25)
        snapshot = run.beat()
    spread = of(snapshot, "spreads", pair="IWM/SPY")
    assert spread["status"] == "ok"
    assert spread["rel_1d"] == pytest.approx(0.01)
    assert of(snapshot, "quotes", symbol="IWM")["change_pct"] == pytest.approx(1.0)


def test_a_crash_is_no_split() -> None:
    closed = float(ohlcv(1, DAYS)["close"].iloc[-1])
    _, snapshot = run_of(HandClock(), closed * 0.55, closed)
    spread = of(snapshot, "spreads", pair="IWM/SPY")
    assert spread["status"] == "ok"
    assert spread["rel_1d"] == pytest.approx(-0.45)
    assert snapshot.tables["levels"].filter(pl.col("symbol") == "IWM")["last"][0] == pytest.approx(closed * 0.55)
