"""A day tick by tick, and some weeks bar by bar: what every table says live is what the bars say once they have closed.

The day is made from a seed, so that it is the same everywhere; where the real minutes of a session are beside the
checkout, they are another. Last, no table of any kind knows a bar that has not closed.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from engine import baskets, correlations, gauges, levels, sessions, spreads
from engine.bars import BarBook
from engine.config import Band, Config, Crypto, Equity, Spreads
from engine.grid import DailyGrid, daily_grid
from engine.legs import parsed_pairs
from engine.makers import makers
from engine.markets import Venues
from engine.model import Bars, Status
from engine.tables import BARS
from engine.view import DictView, Live
from tests.engine.market_data import after, bars, book_of, calendar_of, moment, ohlcv, weekdays
from tests.realdata import DATA

CONFIG = Config(
    crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "x": ("AAA", "BBB")}, alt=("x",)),
    equity=Equity(symbols=("IWM", "SPY")),
    spreads=Spreads(("IWM/SPY", "ALT/(0.5*BTC+0.5*ETH)", "ETH/BTC")),
    levels={"IWM": Band((95.0,), (105.0,))},
)
PAIRS = parsed_pairs(CONFIG.spreads.pairs, CONFIG)
SYMBOLS = ("IWM", "SPY", "BTC/USD", "ETH/USD", "AAA/USD", "BBB/USD")
DAYS = weekdays("2023-01-02", 420)
HISTORY = {symbol: ohlcv(seed, DAYS) for seed, symbol in enumerate(SYMBOLS)}
CALENDAR = calendar_of(DAYS)
EXACT: Mapping[str, tuple[str, ...]] = {
    "spreads": (
        *(f"{kind}_{h}" for kind in ("rel", "pp") for h in ("1d", "5d", "1m", "3m", "ytd", "1y")),
        *("ratio", "log_ratio", "z63", "z252", "percentile", "drawdown", "half_life", "n", "coverage"),
    ),
    "gauges": ("value", "percentile", "n"),
    "correlations": ("corr", "beta", "n"),
}  # fmt: skip
"""What must be the same to 1e-9, live and once the bar has closed."""
Rows = dict[str, list[dict[str, Any]]]


def book_upto(day: int) -> BarBook:
    return book_of(**{symbol.replace("/", "_"): frame.iloc[:day] for symbol, frame in HISTORY.items()})


def tables(grid: DailyGrid, view: DictView) -> Rows:
    made = {
        "spreads": spreads.live(spreads.at_close(grid, PAIRS), view),
        "gauges": gauges.live(gauges.at_close(grid, PAIRS), view),
        "correlations": correlations.live(correlations.at_close(grid, PAIRS), view),
    }
    return {name: table.to_dicts() for name, table in made.items()}


def view_at(now: float, prices: Mapping[str, float]) -> DictView:
    return DictView(now, {symbol: Live(price, Status.OK, now) for symbol, price in prices.items()})


def closed_with(day: int, prices: Mapping[str, float]) -> Rows:
    """The tables once the bars of `day` have closed at `prices`."""
    book = book_upto(day)
    for symbol, price in prices.items():
        book.merge(bars(pd.DataFrame({"close": [price]}, index=DAYS[day : day + 1]), symbol))
    grid = daily_grid(book, calendar_of(DAYS[: day + 1]), after(DAYS[: day + 1]))
    return tables(grid, DictView(grid.now))


def assert_same(live: Rows, closed: Rows) -> None:
    for name, columns in EXACT.items():
        assert len(live[name]) == len(closed[name]) > 0
        for one, other in zip(live[name], closed[name], strict=True):
            if one.get("gauge") in {"D5", "D6"}:  # of closed bars alone
                continue
            for column in columns:
                expected = other[column]
                if isinstance(expected, float):
                    expected = pytest.approx(expected, rel=1e-9, abs=1e-9)
                assert one[column] == expected, (name, column)


def simulated_day() -> list[dict[str, float]]:
    """A price of each symbol every quarter of an hour; one of them moves at a time."""
    rng, day = np.random.default_rng(5), len(DAYS) - 1
    prices = {symbol: float(frame["close"].iloc[day - 1]) for symbol, frame in HISTORY.items()}
    ticks = []
    for number in range(24):
        symbol = SYMBOLS[number % len(SYMBOLS)]
        prices = prices | {symbol: prices[symbol] * float(np.exp(rng.normal(0, 0.01)))}
        ticks.append(prices)
    return ticks


def real_day() -> list[dict[str, float]]:
    """IWM's minutes of a real session, one in half an hour; the others stand."""
    folder = DATA / "equities_intraday" / "2019_dec_1m"
    files = sorted(folder.glob("*IWM*")) if folder.exists() else []
    if not files:
        pytest.skip(f"no real minutes: {folder} is not there")
    with files[0].open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("Close") or row.get("close")]
    closes = [float(row.get("Close") or row["close"]) for row in rows][:400:33]
    prices = {symbol: float(frame["close"].iloc[-2]) for symbol, frame in HISTORY.items()}
    return [prices | {"IWM": prices["IWM"] * close / closes[0]} for close in closes]


@pytest.mark.parametrize("day_of", [simulated_day, real_day], ids=["simulated", "real"])
def test_after_every_tick_of_a_day_live_equals_the_bar_that_closes_there(
    day_of: Callable[[], list[dict[str, float]]],
) -> None:
    day = len(DAYS) - 1
    opened = DAYS[-1].timestamp() + 52_200
    grid = daily_grid(book_upto(day), CALENDAR, opened + 60)
    states = (spreads.at_close(grid, PAIRS), gauges.at_close(grid, PAIRS), correlations.at_close(grid, PAIRS))
    band = levels.at_close(grid, CONFIG.levels)
    groups = baskets.at_close(grid, CONFIG.crypto.baskets)
    memory = levels.TickMemory()
    for number, prices in enumerate(day_of()):
        view = view_at(opened + 60 * (number + 2), prices)
        made = (spreads.live(states[0], view), gauges.live(states[1], view), correlations.live(states[2], view))
        live = {name: table.to_dicts() for name, table in zip(EXACT, made, strict=True)}
        assert_same(live, closed_with(day, prices))
        for row in levels.live(band, view, memory).to_dicts():
            assert row["last"] == prices["IWM"]
            assert row["distance_pct"] == pytest.approx(100 * (row["price"] / prices["IWM"] - 1), rel=1e-12)
            assert row["position"] == pytest.approx((prices["IWM"] - 95.0) / 10.0, rel=1e-12)
        for row in baskets.live(groups, {"BTC": Venues(5.0, 1, None, Status.OK)}, view).to_dicts():
            members = {"majors": ("BTC/USD", "ETH/USD"), "x": ("AAA/USD", "BBB/USD")}[row["basket"]]
            grown = [prices[m] / HISTORY[m]["close"].iloc[day - 1] for m in members]
            # weekdays alone have candles here, so the day before is the last candle only where that is yesterday
            if (DAYS[day] - DAYS[day - 1]).days == 1:
                assert row["return_1d_pct"] == pytest.approx(100 * (np.mean(grown) - 1), rel=1e-9)


def test_after_every_bar_of_some_weeks_live_equals_closed() -> None:
    for day in range(len(DAYS) - 12, len(DAYS)):
        prices = {symbol: float(frame["close"].iloc[day]) for symbol, frame in HISTORY.items()}
        now = DAYS[day].timestamp() + 60_000
        grid = daily_grid(book_upto(day), calendar_of(DAYS[: day + 1]), now)
        assert_same(tables(grid, view_at(now, prices)), closed_with(day, prices))


@pytest.fixture(scope="module")
def calendars() -> None:
    sessions.warm()


@pytest.mark.usefixtures("calendars")
def test_no_table_knows_a_bar_that_has_not_closed() -> None:
    """Every maker, with and without the bars of the days to come: the same rows."""
    now = moment("2025-06-11T15:00:00")
    days = weekdays("2023-01-02", 700)  # far beyond `now`
    whole, past = BarBook(), BarBook()
    five = pd.date_range("2025-05-01 13:30", "2025-07-10", freq="5min")
    for seed, symbol in enumerate(("IWM", "SPY", "BTC/USD", "ETH/USD", "AAA/USD", "BBB/USD")):
        daily = bars(ohlcv(seed, days), symbol)
        whole.merge(daily)
        past.merge(daily._replace(frame=daily.frame.filter(pl.col("time") < datetime(2025, 6, 11, tzinfo=UTC))))
        fine = bars(ohlcv(seed + 10, five), symbol)._replace(interval="5m")
        whole.merge(Bars(symbol, "5m", "test", "USD", fine.frame.cast(BARS)))
        past.merge(fine._replace(frame=fine.frame.filter(pl.col("time") < datetime(2025, 6, 11, 15, tzinfo=UTC))))
    view = view_at(now - 5, {"IWM": 99.0, "SPY": 101.0, "BTC/USD": 88.0, "ETH/USD": 77.0, "AAA/USD": 66.0})
    names = []
    for one, other in zip(makers(CONFIG, whole), makers(CONFIG, past), strict=True):
        expected = other.live(other.at_close(now), view)
        assert one.live(one.at_close(now), view).equals(expected), one.name
        names += [one.name] if expected.height else []
    assert set(names) >= {"spreads", "levels", "gauges", "baskets", "correlations", "regime", "rotation", "claims"}
