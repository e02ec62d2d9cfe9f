"""What charts ask for: the right bars, the interval that is served named, holes told, and nothing kept for nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from engine import matrix, sessions
from engine.bars import BarBook
from engine.bars_desk import LEASE_S, REQUESTS, Desk
from engine.config import Config, Crypto, Equity, Spreads
from engine.makers import Shared, SpreadsMaker, charts, pairs_of
from engine.model import Bars, Intent, MarketFact, Status
from engine.tables import BARS, TABLES
from engine.view import DictView, Live
from tests.engine import runtime
from tests.engine.market_data import bars, moment, ohlcv

CONFIG = Config(
    crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "x": ("AAA", "BBB")}, alt=("x",)),
    equity=Equity(symbols=("IWM", "SPY", "^RUT")),
    spreads=Spreads(("IWM/SPY", "ALT/BTC")),
)
NOON = moment("2025-12-10T17:00:00")
DAYS = pd.bdate_range("2023-01-02", "2025-12-09")


@pytest.fixture(autouse=True, scope="module")
def calendars() -> None:
    sessions.warm()


def fine(symbol: str, interval: str, start: datetime, closes: list[float], step_s: int) -> Bars:
    """Bars finer than a day, each with a range of ±1 around its close."""
    times = [start + timedelta(seconds=step_s * i) for i in range(len(closes))]
    frame = pl.DataFrame(
        {
            "time": times,
            "open": closes,
            "high": [c + 1 for c in closes],
            "low": [c - 1 for c in closes],
            "close": closes,
            "adj_close": closes,
            "volume": [10.0] * len(closes),
        },
        schema=BARS,
    )
    return Bars(symbol, interval, "test", "USD", frame)


@cache
def history() -> tuple[Bars, ...]:
    """Three years of days of every symbol."""
    every = pd.DatetimeIndex(pd.date_range("2023-01-01", "2025-12-09", freq="D"))
    return tuple(bars(ohlcv(i, every if "/" in s else DAYS), s) for i, s in enumerate(CONFIG.symbols))


class World:
    """A book with three years of days, a desk, and the two tables over them."""

    def __init__(self) -> None:
        self.clock = runtime.HandClock()
        self.book = BarBook()
        for one in history():
            self.book.merge(one)
        self.prices = {s: Live(self.last(s), Status.OK, NOON, 1e6) for s in CONFIG.symbols}
        self.desk = Desk(self.clock)
        self.shared = Shared(self.book)
        self.bars, self.charts = charts(self.shared, CONFIG, self.desk)
        self.state = self.bars.at_close(NOON)

    def last(self, symbol: str) -> float:
        return float(self.book.frame(symbol, "1d")["close"][-1])

    def view(self) -> DictView:
        return DictView(NOON, self.prices, simulated=True)

    def ask(self, symbol: str, interval: str = "1d") -> tuple[pl.DataFrame, dict[str, Any]]:
        assert self.desk.ask({"symbol": symbol, "interval": interval}) is None
        return self.tables(symbol, interval)

    def tables(self, symbol: str, interval: str) -> tuple[pl.DataFrame, dict[str, Any]]:
        table = self.bars.live(self.state, self.view())
        said = self.charts.live(None, self.view())
        assert table.schema == TABLES["bars"] and said.schema == TABLES["charts"]
        found = said.filter((pl.col("symbol") == symbol) & (pl.col("asked") == interval))
        return table.filter(pl.col("symbol") == symbol), found.row(0, named=True) if found.height else {}


def test_a_daily_pair_is_the_spreads_tables_own_course() -> None:
    world = World()
    frame, said = world.ask("IWM/SPY")
    maker = SpreadsMaker(world.shared, CONFIG)
    row = maker.live(maker.at_close(NOON), world.view()).row(0, named=True)
    newest = frame.row(-1, named=True)
    assert newest["close"] == pytest.approx(row["ratio"], rel=1e-12)
    assert newest["z252"] == pytest.approx(row["z252"], rel=1e-9)
    assert (np.log(newest["close"]) - newest["mean252"]) / newest["sd252"] == pytest.approx(row["z252"], rel=1e-9)
    closed = frame.filter(pl.col("time") < newest["time"]).drop_nulls("z252").row(-1, named=True)
    assert (np.log(closed["close"]) - closed["mean252"]) / closed["sd252"] == pytest.approx(closed["z252"], rel=1e-9)
    assert (said["interval"], said["kind"], said["rows"], said["note"]) == ("1d", "line", frame.height, None)
    assert set(frame["simulated"]) == {True}


def test_the_forming_candle_joins_finer_bars_and_the_live_price_and_the_stored_ones_stay() -> None:
    world = World()
    opening = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)
    world.book.merge(fine("IWM", "5m", opening, [200.0, 204.0, 198.0], 300))
    world.prices["IWM"] = Live(201.5, Status.OK, NOON, session="regular")
    frame, _ = world.ask("IWM")
    newest = frame.row(-1, named=True)
    assert newest["time"] == datetime(2025, 12, 10, tzinfo=UTC)
    figures = tuple(newest[c] for c in ("open", "high", "low", "close", "volume"))
    assert figures == (200.0, 205.0, 197.0, 201.5, 30.0)
    world.prices["IWM"] = Live(206.0, Status.STALE, NOON + 60, session="regular")
    newest = world.tables("IWM", "1d")[0].row(-1, named=True)
    assert (newest["high"], newest["close"], newest["status"]) == (206.0, 206.0, "stale")
    world.prices["IWM"] = Live(150.0, Status.CLOSED, NOON + 120, session="post")
    frame, said = world.tables("IWM", "1d")
    assert frame["time"].max() == datetime(2025, 12, 9, tzinfo=UTC)
    assert said["status"] == "closed"


def test_an_interval_is_made_from_finer_bars_or_refused_with_those_that_there_are() -> None:
    world = World()
    start = datetime(2025, 12, 9, 14, 30, tzinfo=UTC)
    world.book.merge(fine("IWM", "5m", start, [100.0 + i for i in range(12)], 300))
    frame, said = world.ask("IWM", "1h")
    assert said["note"] == "made of 5m bars"
    assert frame.head(2)["close"].to_list() == [105.0, 111.0]
    assert frame.row(0, named=True)["volume"] == 60.0
    frame, said = world.ask("IWM", "1m")
    assert frame.filter(pl.col("interval") == "1m").is_empty()
    assert said["interval"] is None and said["status"] == "stale"
    assert said["note"] == "no 1m bars of IWM are stored: there are 1d, 1h, 5m"
    assert world.ask("IWM", "1m,5m")[1]["interval"] == "5m"


def test_a_missing_bar_is_a_row_without_values_and_a_closed_market_is_none() -> None:
    world = World()
    frame = world.book.frame("SPY", "1d")
    gone = datetime(2025, 11, 12, tzinfo=UTC)
    world.book.merge(Bars("SPY", "1d", "test", "USD", frame.filter(pl.col("time") != gone), replace=True))
    world.state = world.bars.at_close(NOON)
    found, _ = world.ask("SPY")
    hole = found.filter(pl.col("time") == gone).row(0, named=True)
    assert hole["close"] is None and hole["status"] == "stale"
    assert found.filter(pl.col("close").is_null() & (pl.col("time") > datetime(2025, 9, 1, tzinfo=UTC))).height == 1
    assert not found.filter(pl.col("time").dt.weekday() > 5).height


def test_a_pair_by_the_hour_has_the_times_that_both_have() -> None:
    world = World()
    start = datetime(2025, 12, 9, 0, 0, tzinfo=UTC)
    world.book.merge(fine("BTC/USD", "1h", start, [100.0, 110.0, 120.0, 130.0], 3600))
    world.book.merge(fine("ETH/USD", "1h", start + timedelta(hours=1), [11.0, 12.0, 13.0], 3600))
    world.prices["BTC/USD"], world.prices["ETH/USD"] = Live(200.0, Status.OK, NOON), Live(30.0, Status.OK, NOON)
    frame, said = world.ask("ETH/BTC", "1h")
    assert frame["close"].to_list() == pytest.approx([0.1, 0.1, 0.1, 0.15])
    assert frame["time"][-1] == datetime(2025, 12, 10, 17, tzinfo=UTC)
    assert said["kind"] == "line" and said["intervals"] == "1d 1h"


def test_baskets_and_mixes_are_lines_and_nonsense_is_answered_in_words() -> None:
    world = World()
    for name in ("x", "ALT", "(0.5*BTC+0.5*ETH)", "ALT/(0.5*BTC+0.5*ETH)"):
        frame, said = world.ask(name)
        assert said["kind"] == "line" and frame["open"].null_count() == frame.height > 500, name
    assert world.ask("BTC")[1]["kind"] == "candles"
    frame, said = world.ask("^RUT/SPY")
    assert frame.is_empty() and "price index without dividends" in said["note"]
    assert "did you mean" in world.ask("IWMM")[1]["note"]
    assert world.desk.ask({"symbol": "IWM", "interval": "7m"}) == "'7m' is no interval: they are 1m, 5m, 1h, 1d"
    assert world.desk.ask({}) is not None


def test_dominance_is_the_days_that_were_kept_and_todays_value() -> None:
    class Kept:
        @property
        def dominance(self) -> dict[date, float]:
            return days

    days = {date(2025, 12, 6): 58.0, date(2025, 12, 7): 58.4, date(2025, 12, 9): 59.0}

    world = World()
    maker = charts(world.shared, CONFIG, world.desk, Kept())[0]
    world.desk.ask({"symbol": "BTC.D", "interval": "1d"})
    fact = MarketFact("BTC", "coingecko", NOON, None, None, 59.3)
    table = maker.live(maker.at_close(NOON), DictView(NOON, world.prices, all_facts={"BTC": fact}))
    assert table["close"].to_list() == [58.0, 58.4, None, 59.0, 59.3]
    assert table["status"].to_list() == ["ok", "ok", "stale", "ok", "ok"]
    assert table["time"][-1] == datetime(2025, 12, 10, tzinfo=UTC)
    late = DictView(NOON + 90_000, world.prices, all_facts={"BTC": fact})
    assert maker.live(maker.at_close(NOON), late)["close"].to_list() == [58.0, 58.4, None, 59.0]


def test_the_matrix_holds_each_couple_once_and_agrees_with_pandas() -> None:
    world = World()
    legs = matrix.names_of(pairs_of(CONFIG), CONFIG)
    grid = world.shared.grid(NOON)
    table = matrix.live(matrix.at_close(grid, legs), world.view())
    assert table.schema == TABLES["matrix"]
    assert [leg.text for leg in legs] == ["IWM", "SPY", "ALT", "BTC", "majors", "x"]
    assert table.height == 15 and set(table["status"]) == {"ok"}
    frame = pd.DataFrame({leg.text: np.log(grid.leg(leg).values) for leg in legs}).diff().dropna(how="all").tail(63)
    expected = frame.corr(min_periods=31)
    for row in table.iter_rows(named=True):
        assert row["corr"] == pytest.approx(expected.loc[row["a"], row["b"]], abs=1e-9), (row["a"], row["b"])


def test_a_request_ends_with_its_lease_and_there_are_never_too_many() -> None:
    world = World()
    world.ask("IWM")
    same = world.bars.live(world.state, world.view())
    assert world.bars.live(world.state, world.view()) is same
    world.clock.pass_(LEASE_S - 1)
    world.ask("SPY")
    world.clock.pass_(2)
    assert set(world.bars.live(world.state, world.view())["symbol"]) == {"SPY"}
    for i in range(REQUESTS + 5):
        world.desk.ask({"symbol": f"S{i}", "interval": "1d"})
    assert len(world.desk.standing()) == REQUESTS
    assert world.desk.taken() and not world.desk.taken()


def test_an_intent_brings_bars_into_the_next_snapshot() -> None:
    clock = runtime.HandClock()
    engine = runtime.engine(clock, makers=None)
    engine.ingest_bars(Bars("BTC/USD", "1d", "test", "USD", runtime.bars_frame([1.0, 2.0, 3.0])))
    for _ in range(20):
        clock.pass_(1.0)
        engine.beat()
    intent = Intent("bars", {"symbol": "BTC", "interval": "1d"})
    assert engine.desk.ask(intent.arguments) is None
    clock.pass_(0.25)
    tables = engine.beat().tables
    assert tables["bars"]["close"].drop_nulls().to_list()[:3] == [1.0, 2.0, 3.0]
    assert tables["charts"].row(0, named=True)["symbol"] == "BTC"
