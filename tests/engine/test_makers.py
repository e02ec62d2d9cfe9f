"""Every derived table, whatever comes in: its schema, no NaN, no exception; and bars that are clean once held."""

from __future__ import annotations

import gc
import math
import random
import weakref
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine import sessions
from engine.bars import BarBook
from engine.config import Band, Config, Crypto, Equity, Spreads
from engine.grid import DailyGrid, daily_grid
from engine.makers import makers
from engine.model import Bars, MarketFact, Status
from engine.tables import BARS, TABLES
from engine.technical import relative_volume
from engine.view import Book24, Calendar, DictView, Live, Rate
from tests.engine.market_data import bars, moment, ohlcv, weekdays

CONFIG = Config(
    crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "x": ("AAA", "BBB")}, alt=("x",)),
    equity=Equity(symbols=("IWM", "SPY", "^RUT", "^GSPC")),
    spreads=Spreads(("IWM/SPY", "^RUT/^GSPC", "ALT/BTC", "ETH/BTC")),
    levels={"^RUT": Band((90.0,), (110.0,)), "ETH/USD": Band((50.0,))},
)
NOON = moment("2025-12-10T17:00:00")
numbers = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-300, 1e300]), st.floats(80, 120), st.none()
)


@pytest.fixture(autouse=True, scope="module")
def calendars() -> None:
    sessions.warm()


def check(book: BarBook, view: DictView) -> dict[str, pl.DataFrame]:
    made = {}
    for maker in makers(CONFIG, book):
        table = maker.live(maker.at_close(view.now), view)
        assert table.schema == TABLES[maker.name], maker.name
        for name, kind in table.schema.items():
            if kind == pl.Float64:
                assert not table[name].is_nan().any(), (maker.name, name)
                assert name == "half_life" or not table[name].is_infinite().any(), (maker.name, name)
        assert table["status"].null_count() == table["simulated"].null_count() == 0
        made[maker.name] = table
    return made


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=0, max_size=60), numbers, st.integers(0, 999))
def test_no_input_makes_a_table_fail_or_hold_nan(
    rows: list[tuple[float | None, ...]], price: float | None, seed: int
) -> None:
    book = BarBook()
    stamps = [int(d.timestamp() * 1e6) for d in weekdays("2025-09-01", 73)]
    shuffled = random.Random(seed).choices(stamps, k=len(rows))
    columns = {n: [r[i] for r in rows] for i, n in enumerate(("open", "high", "low", "close"))}
    frame = pl.DataFrame(
        {"time": shuffled, **columns, "adj_close": columns["close"], "volume": columns["open"]},
        schema=BARS,
        strict=False,
    )
    for symbol in CONFIG.symbols:
        book.merge(Bars(symbol, "1d", "test", "USD", frame))
        book.merge(Bars(symbol, "5m", "test", "USD", frame))
    live = Live(price, Status.OK, NOON, price)
    book24 = Book24("coinbase", "BTC", "BTC/USD", "USD", price, price, price, price, price, price, NOON)
    facts = {"BTC": MarketFact("BTC", "coingecko", NOON, price, price, price)}
    check(book, DictView(NOON, dict.fromkeys(CONFIG.symbols, live), (book24,), {"USD": Rate(price)}, facts))


def whole() -> tuple[BarBook, DictView]:
    book = BarBook()
    every = pd.DatetimeIndex(pd.date_range("2014-01-01", "2025-12-09", freq="D"))
    days = pd.bdate_range("2014-01-01", "2025-12-09")
    for i, symbol in enumerate(CONFIG.symbols):
        book.merge(bars(ohlcv(i, every if "/" in symbol else days), symbol))
    prices = {s: Live(float(book.frame(s, "1d")["close"][-1]), Status.OK, NOON, 1e6) for s in CONFIG.symbols}
    return book, DictView(NOON, prices)


def test_with_history_enough_nothing_that_is_measured_is_warming() -> None:
    tables = check(*whole())
    for name in ("spreads", "levels", "gauges", "correlations", "rotation", "volumes", "baskets"):
        assert "warming" not in tables[name]["status"].to_list(), name
    assert tables["gauges"]["value"].null_count() <= 1, "only the swing may have none"
    assert tables["spreads"]["percentile"].null_count() == 0


def test_the_grid_of_a_close_goes_with_the_next_one_and_waits_for_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    grids: list[weakref.ref[DailyGrid]] = []

    def watched(book: BarBook, calendar: Calendar, now: float) -> DailyGrid:
        made = daily_grid(book, calendar, now)
        grids.append(weakref.ref(made))
        return made

    monkeypatch.setattr("engine.makers.daily_grid", watched)
    book, view = whole()
    made = makers(CONFIG, book)
    gc.disable()
    try:
        for days in range(3):
            later = view.now + 86_400.0 * days
            states = [maker.at_close(later) for maker in made]
            tables = [maker.live(state, view) for maker, state in zip(made, states, strict=True)]
            assert all(table.width for table in tables)
        assert [grid() is not None for grid in grids] == [False, False, True]
    finally:
        gc.enable()


def test_bars_are_ascending_unique_and_clean_and_the_newest_word_wins() -> None:
    day = 86_400_000_000
    times = [3 * day, day, 3 * day, 2 * day, 4 * day]
    close = [30.0, 10.0, 31.0, math.nan, 40.0]
    frame = pl.DataFrame({"time": times, "close": close}).with_columns(
        [pl.lit(None, dtype=pl.Float64).alias(c) for c in ("open", "adj_close", "volume")],
        high=pl.Series([50.0, 50.0, 50.0, 50.0, 39.0]),
        low=pl.Series([5.0, 5.0, 5.0, 5.0, 38.0]),
    )
    book = BarBook()
    assert book.merge(Bars("X", "1d", "a", "USD", frame))
    held = book.frame("X", "1d")
    assert held["close"].to_list() == [10.0, 31.0, 40.0]
    assert held["high"].to_list() == [50.0, 50.0, None], "a close outside its own range keeps the close alone"
    assert not book.merge(Bars("X", "1d", "a", "USD", frame)), "the same again changes nothing"
    late = frame.head(1).with_columns(time=pl.lit(2 * day), close=pl.lit(20.0))
    assert book.merge(Bars("X", "1d", "a", "USD", late))
    assert book.frame("X", "1d")["close"].to_list() == [10.0, 20.0, 31.0, 40.0]
    assert book.merge(Bars("X", "1d", "a", "USD", late, replace=True))
    assert book.frame("X", "1d")["close"].to_list() == [20.0], "a split or dividend drops what was held"


def test_the_longest_history_that_is_up_to_date_is_taken_and_never_spliced() -> None:
    book = BarBook(("kraken", "coinbase"))
    days = pd.DatetimeIndex(pd.date_range("2025-01-01", periods=200, freq="D"))
    frame = ohlcv(1, days)
    book.merge(bars(frame.iloc[100:], "X", "kraken"))
    book.merge(bars(frame.iloc[50:], "X", "coinbase"))
    book.merge(bars(frame.iloc[:150], "X", "binance"))
    series = book.series("X", "1d")
    assert series is not None and (series.source, series.frame.height) == ("coinbase", 150)
    book.merge(bars(frame.iloc[50:], "X", "kraken"))
    series = book.series("X", "1d")
    assert series is not None and series.source == "kraken", "a tie goes by the user's order"


def test_relative_volume_equals_pandas() -> None:
    volume = np.random.default_rng(1).lognormal(15, 0.4, 300)
    volume[[40, 41, 90]] = np.nan
    volume[120] = 0.0
    known: Any = pd.Series(np.where(volume > 0, volume, np.nan))
    expected = known / known.rolling(20, min_periods=10).mean().shift(1)
    np.testing.assert_allclose(relative_volume(volume), expected, rtol=1e-10)
