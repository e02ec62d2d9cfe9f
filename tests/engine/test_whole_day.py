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
import talib
from scipy.stats import norm

from engine import baskets, correlations, gauges, levels, plan_table, scan_table, sessions, spreads
from engine.bars import BarBook
from engine.board import Board
from engine.config import Band, Config, Crypto, Equity, Plan, Scanner, Spreads, WhatIf
from engine.grid import DailyGrid, daily_grid
from engine.legs import parsed_pairs
from engine.makers import makers
from engine.markets import Venues
from engine.model import Bars, Status
from engine.tables import BARS
from engine.view import DictView, Live
from engine.workbench import Workbench
from tests.engine.market_data import after, bars, book_of, calendar_of, moment, ohlcv, weekdays
from tests.engine.test_ticks import Inline
from tests.realdata import DATA

CONFIG = Config(
    crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "x": ("AAA", "BBB")}, alt=("x",)),
    equity=Equity(symbols=("IWM", "SPY")),
    spreads=Spreads(("IWM/SPY", "ALT/(0.5*BTC+0.5*ETH)", "ETH/BTC")),
    scanner=Scanner(("ETH/IWM",)),
    levels={"IWM": Band((95.0,), (105.0,))},
    plans={"own": Plan("IWM", entry=90.5), "coin": Plan("ETH/USD")},
    whatifs={"turn": WhatIf(-9.1, 55.4)},
)
PAIRS = parsed_pairs(CONFIG.spreads.pairs, CONFIG)
SCANNED = parsed_pairs((*CONFIG.spreads.pairs, *CONFIG.scanner.pairs), CONFIG)
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


def after_the_day(day: int, prices: Mapping[str, float]) -> DailyGrid:
    """The grid once the bars of `day` have closed at `prices`."""
    book = book_upto(day)
    for symbol, price in prices.items():
        book.merge(bars(pd.DataFrame({"close": [price]}, index=DAYS[day : day + 1]), symbol))
    return daily_grid(book, calendar_of(DAYS[: day + 1]), after(DAYS[: day + 1]))


def closed_with(day: int, prices: Mapping[str, float]) -> Rows:
    """The tables once the bars of `day` have closed at `prices`."""
    grid = after_the_day(day, prices)
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


def fail(severity: str, text: str) -> None:
    raise AssertionError(f"{severity}: {text}")


def scans_of(grid: DailyGrid) -> tuple[tuple[scan_table.Entry, ...], scan_table.Scans, scan_table.Levels]:
    """The scan of a grid, done."""
    entries, logs = scan_table.entries(grid, SCANNED, CONFIG.scanner)
    scans = scan_table.Scans(Inline(), fail, patient=True)
    scans.want(logs)
    scans.poll(0.0)
    return entries, scans, logs


@pytest.mark.parametrize("day_of", [simulated_day, real_day], ids=["simulated", "real"])
def test_after_every_tick_the_scanners_z_is_that_of_all_residuals_at_once(
    day_of: Callable[[], list[dict[str, float]]],
) -> None:
    """The fit is the close's, so the batch is: its residuals with the live one among the last 60, and its hedge."""
    day = len(DAYS) - 1
    opened = DAYS[-1].timestamp() + 52_200
    grid = daily_grid(book_upto(day), CALENDAR, opened + 60)
    entries, scans, logs = scans_of(grid)
    for number, prices in enumerate(day_of()):
        view = view_at(opened + 60 * (number + 2), prices)
        rows = {row["pair"]: row for row in scan_table.live(entries, scans, view).to_dicts()}
        closed = after_the_day(day, prices)
        for pair in SCANNED:
            x, y = logs[pair.name]
            beta, alpha = np.polyfit(x, y, 1)
            newest = [np.log(closed.leg(leg).values[-1]) for leg in (pair.b, pair.a)]
            residuals: Any = pd.Series(np.append(y - alpha - beta * x, newest[1] - alpha - beta * newest[0]))
            z = (residuals - residuals.rolling(60).mean()) / residuals.rolling(60).std()
            assert rows[pair.name]["z"] == pytest.approx(z.iloc[-1], rel=1e-7), pair.name
            assert rows[pair.name]["beta_ols"] == pytest.approx(beta, rel=1e-7)
        eth = rows["ETH/IWM"]
        assert eth["hedge_units"] == pytest.approx(10 * prices["ETH/USD"] * eth["beta_ols"] / prices["IWM"], rel=1e-9)


@pytest.mark.parametrize("day_of", [simulated_day, real_day], ids=["simulated", "real"])
def test_after_every_tick_plans_and_rotations_are_what_their_formulas_say(
    day_of: Callable[[], list[dict[str, float]]],
) -> None:
    """ATR by TA-Lib and sigma by pandas from the bars that have closed; touches by scipy's normal distribution."""
    day = len(DAYS) - 1
    opened = DAYS[-1].timestamp() + 52_200
    grid = daily_grid(book_upto(day), CALENDAR, opened + 60)
    bench = Workbench(CONFIG, Board(CONFIG), Inline(), None, fail, patient=True)
    for number, prices in enumerate(day_of()):
        view = view_at(opened + 60 * (number + 2), prices)
        rows = plan_table.live(bench.plans, CONFIG, lambda symbol: plan_table.past(grid, symbol), view).to_dicts()
        assert [(r["plan"], r["goal"]) for r in rows] == [("own", "1"), ("own", "2"), ("coin", "1"), ("coin", "2")]
        for row in rows:
            plan_agrees(row, HISTORY[row["symbol"]].iloc[:day], prices[row["symbol"]])
        (turn,) = plan_table.whatifs(bench.plans, view).to_dicts()
        assert turn["price"] == pytest.approx(prices["IWM"] * (1 - 0.091) * (1 + 0.554), rel=1e-12)


def plan_agrees(row: Mapping[str, Any], closed: pd.DataFrame, last: float) -> None:
    high, low, close = (closed[c].to_numpy() for c in ("high", "low", "close"))
    atr = float(talib.ATR(high, low, close, timeperiod=14)[-1])
    steps: Any = np.log(closed["close"]).diff().iloc[-63:]
    sigma, years = float(steps.std() * np.sqrt(252)), 91 / 365
    entry = 90.5 if row["plan"] == "own" else last
    target, risk = entry * (1.10 if row["goal"] == "1" else 1.15), 2 * atr
    whole = 1.0 if row["plan"] == "own" else 1e8
    quantity = np.floor(min(1_000.0 / risk, 100_000.0 / entry) * whole) / whole

    def touch(barrier: float, side: float) -> float:
        if side * (barrier - last) <= 0:
            return 1.0  # it is beyond
        b, nu, width = abs(np.log(barrier / last)), -side * sigma**2 / 2, sigma * np.sqrt(years)
        tail = np.exp(2 * nu * b / sigma**2) * norm.cdf((-b - nu * years) / width)
        return float(norm.cdf((-b + nu * years) / width) + tail)

    expected = {
        "entry": entry, "stop": entry - risk, "target": target, "quantity": quantity, "atr": atr, "sigma": sigma,
        "r_multiple": (target - entry) / risk, "break_even": risk / (risk + target - entry),
        "at_risk": quantity * risk, "notional": quantity * entry,
        "distance_pct": 100 * (target - last) / last, "distance_atr": (target - last) / atr,
        "touch_probability": touch(target, 1.0), "stop_probability": touch(entry - risk, -1.0),
    }  # fmt: skip
    if row["plan"] == "own":
        expected["pnl"] = quantity * (last - entry)
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-9), (row["plan"], name)


@pytest.fixture(scope="module")
def calendars() -> None:
    sessions.warm()


@pytest.mark.usefixtures("calendars")
def test_no_table_knows_a_bar_that_has_not_closed() -> None:
    """Every maker, the scanner's and the plans' too, with and without the bars of the days to come: the same rows."""
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
    benches = [Workbench(CONFIG, Board(CONFIG), Inline(), None, fail, patient=True) for _ in range(2)]
    both = [makers(CONFIG, book, bench=bench) for book, bench in zip((whole, past), benches, strict=True)]
    for one, other in zip(*both, strict=True):
        states = [maker.at_close(now) for maker in (one, other)]
        for bench in benches:
            bench.poll(now, 0.0)
        expected = other.live(states[1], view)
        assert one.live(states[0], view).equals(expected), one.name
        names += [one.name] if expected.height else []
        if one.name == "scanner":
            assert expected["z"].null_count() == 0, "it was scanned"
    assert set(names) >= {"spreads", "levels", "gauges", "baskets", "correlations", "regime", "rotation", "claims"}
    assert set(names) >= {"scanner", "plans", "whatifs", "matrix"}
