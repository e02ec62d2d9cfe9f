"""Sources of levels: known answers, scipy and pandas as oracles, and how what agrees becomes one band."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.signal import argrelextrema
from scipy.stats import gaussian_kde

from engine import levels
from engine.config import Band
from engine.grid import daily_grid
from engine.level_sources import (
    Candidate,
    Merged,
    anchored_vwap,
    donchian,
    floor_pivots,
    from_pivots,
    merge,
    pivot_density,
    prior_week,
    profile,
    value_area,
)
from engine.levels import TickMemory
from engine.technical import atr
from engine.view import DictView
from tests.engine.market_data import after, bars, book_of, calendar_of, ohlcv, weekdays


def frame_of(seed: int, count: int = 600) -> tuple[pd.DataFrame, pl.DataFrame]:
    frame = ohlcv(seed, weekdays("2022-01-03", count), sd=0.02)
    return frame, bars(frame, "IWM").frame


def test_floor_pivots_of_2300_2100_2200() -> None:
    assert floor_pivots(2300.0, 2100.0, 2200.0) == {
        "P": 2200.0, "R1": 2300.0, "R2": 2400.0, "R3": 2500.0, "S1": 2100.0, "S2": 2000.0, "S3": 1900.0,
    }  # fmt: skip


def test_the_value_area_of_eight_rows() -> None:
    """§10, rows counted from 1: POC 4, VAL 2, VAH 6."""
    area = value_area(np.array([5, 10, 30, 50, 40, 20, 10, 5], dtype=float))
    assert area is not None
    assert (area.poc + 1, area.low + 1, area.high + 1) == (4, 2, 6)
    assert value_area(np.zeros(5)) is None
    tied = value_area(np.array([20.0, 20.0, 50.0, 20.0, 20.0]), 0.6)
    assert tied is not None and (tied.low, tied.high) == (2, 4), "a tie goes up"


@pytest.mark.parametrize("seed", range(4))
def test_the_pivots_density_equals_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prices, weights = rng.normal(200, 12, 60), 2.0 ** (-rng.uniform(0, 504, 60) / 126)
    h, at = 1.7, np.linspace(150, 250, 300)
    even = np.ones(60)
    plain = gaussian_kde(prices, bw_method=h / prices.std(ddof=1))
    np.testing.assert_allclose(pivot_density(at, prices, even, h), plain(at), rtol=1e-10, atol=1e-15)
    spread = float(np.sqrt(np.cov(prices, aweights=weights)))
    weighted = gaussian_kde(prices, bw_method=h / spread, weights=weights)
    np.testing.assert_allclose(pivot_density(at, prices, weights, h), weighted(at), rtol=1e-9, atol=1e-15)


def test_two_turns_at_a_price_make_a_level_and_one_alone_does_not() -> None:
    path = [100.0 + abs((i % 40) - 20) for i in range(200)]
    days = weekdays("2024-01-01", 200)
    both = pd.DataFrame({"open": path, "high": path, "low": path, "close": path, "volume": 1.0}, index=days)
    found = [c.price for c in from_pivots(bars(both, "X").frame, 2.0)]
    assert [round(p) for p in found] == [100, 120]
    once = pd.DataFrame({"close": [100.0 + (20 - abs(i - 20)) for i in range(41)]}, index=weekdays("2024-01-01", 41))
    assert from_pivots(bars(once, "X").frame, 2.0) == []


def test_the_prior_week_and_donchian_equal_pandas() -> None:
    frame, made = frame_of(1)
    today = date(2024, 3, 13)
    seen: Any = frame.loc[: pd.Timestamp("2024-03-12")]
    week = seen.loc["2024-03-04":"2024-03-08"]
    cut = made.filter(pl.col("time").dt.date() < today)
    assert prior_week(cut, today) == (week["high"].max(), week["low"].min(), week["close"].iloc[-1])
    for n in (20, 55):
        high: Any = frame["high"].rolling(n).max().shift(1)
        low: Any = frame["low"].rolling(n).min().shift(1)
        assert donchian(made.head(400), n) == (high.iloc[400], low.iloc[400])
    assert donchian(made.head(19), 20) is None


def test_anchored_vwap_equals_pandas() -> None:
    frame, made = frame_of(2)
    part: Any = frame.iloc[123:]
    typical = (part["high"] + part["low"] + part["close"]) / 3
    expected = (typical * part["volume"]).sum() / part["volume"].sum()
    assert anchored_vwap(made, frame["volume"].to_numpy(), 123) == pytest.approx(expected, rel=1e-12)
    assert anchored_vwap(made, np.full(600, np.nan), 0) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 5.0))
def test_a_profile_keeps_all_volume(seed: int, size: float) -> None:
    frame, made = frame_of(seed, 40)
    start, rows = profile(made, size)
    assert rows.sum() == pytest.approx(frame["volume"].sum(), rel=1e-9)
    assert start <= frame["low"].min() < start + size * (1 + 1e-9)


def test_a_bar_without_a_range_stands_in_one_row() -> None:
    one = pd.DataFrame(
        {"high": [10.2], "low": [10.2], "close": [10.2], "volume": [7.0]}, index=weekdays("2024-01-01", 1)
    )
    start, rows = profile(bars(one, "X").frame, 0.5)
    assert (start, rows.tolist()) == (10.0, [7.0])


def test_what_lies_within_half_an_atr_becomes_one() -> None:
    candidates = [
        Candidate(2097.0, "pivots"), Candidate(2103.0, "floor"), Candidate(2103.0, "floor"),
        Candidate(2200.0, "vwap"), Candidate(2204.0, "donchian"), Candidate(2230.0, "profile"),
        Candidate(float("nan"), "vwap"), Candidate(-5.0, "floor"),
    ]  # fmt: skip
    assert merge((2100.0, 2300.0), candidates, 10.0) == [
        Merged(2100.0, ("config", "pivots", "floor")),
        Merged(2202.0, ("vwap", "donchian")),
        Merged(2230.0, ("profile",)),
        Merged(2300.0, ("config",)),
    ]


def test_configured_levels_stand_first_and_others_lie_within_eight_atr() -> None:
    days = weekdays("2022-01-03", 700)
    index, fund = ohlcv(5, days, start=2200.0), ohlcv(6, days, start=220.0)
    grid = daily_grid(book_of(**{"^RUT": index, "IWM": fund}), calendar_of(days), after(days))
    table = levels.live(levels.at_close(grid, {"^RUT": Band((2100.0,), (2300.0,))}), DictView(grid.now), TickMemory())
    assert table["price"].to_list()[:2] == [2100.0, 2300.0]
    auto = table.slice(2)
    assert 3 <= auto.height <= 12
    assert not auto["out_of_play"].any()
    assert auto["price"].is_sorted()
    assert {m for s in auto["sources"] for m in s.split(", ")} <= {"pivots", "floor", "donchian", "profile", "vwap"}
    assert table["sources"].str.starts_with("config").to_list() == [True, True] + [False] * auto.height


@pytest.mark.parametrize("cut", [300, 451])
def test_levels_do_not_know_the_future(cut: int) -> None:
    days = weekdays("2022-01-03", 600)
    frame = ohlcv(9, days)
    some = pd.DatetimeIndex(days[:cut])
    tables = []
    for known in (frame, frame.loc[some]):
        grid = daily_grid(book_of(IWM=known), calendar_of(days), after(some))
        tables.append(levels.live(levels.at_close(grid, {"IWM": Band((90.0,))}), DictView(grid.now), TickMemory()))
    assert tables[0].equals(tables[1])


def test_a_coins_prior_week_is_a_whole_one_on_a_weekend_too() -> None:
    """Saturday: the session to come is Monday's, and the week that still runs is not prior yet."""
    days = pd.DatetimeIndex(pd.date_range("2024-01-01", "2025-06-14", freq="D"))  # ends on a Saturday
    frame = ohlcv(3, days)
    now = float(days[-1].timestamp()) + 43_200
    calendar = calendar_of(weekdays("2024-01-01", 400))
    grid = daily_grid(book_of(ETH_USD=frame), calendar, now)
    week = frame["2025-06-02":"2025-06-08"]
    wanted = floor_pivots(week["high"].max(), week["low"].min(), week["close"].iloc[-1]).values()
    table = levels.live(levels.at_close(grid, {"ETH/USD": Band()}), DictView(now), TickMemory())
    pure = [p for p, sources in zip(table["price"], table["sources"], strict=True) if sources == "floor"]
    assert pure
    assert all(any(p == pytest.approx(w) for w in wanted) for p in pure)


@pytest.mark.parametrize("seed", range(4))
def test_found_pivots_stand_at_the_peaks_themselves_and_not_beside_them(seed: int) -> None:
    frame, made = frame_of(seed)
    span = float(atr(made)[-1])
    tail = frame.iloc[-504:]
    high, low = (np.asarray(v, dtype=float) for v in (tail["high"], tail["low"]))
    tops, bottoms = argrelextrema(high, np.greater, order=5)[0], argrelextrema(low, np.less, order=5)[0]
    at = np.concatenate([tops, bottoms])
    inner = (at >= 5) & (at < 504 - 5)
    prices = np.concatenate([high[tops], low[bottoms]])[inner]
    kde = gaussian_kde(prices, weights=2.0 ** (-(503 - at[inner]) / 126))
    kde.set_bandwidth(0.5 * span / np.sqrt(np.cov(prices, aweights=kde.weights)))
    found = [c.price for c in from_pivots(made, span)]
    assert len(found) > 2
    for price in found:
        best = minimize_scalar(
            lambda x: -kde(x)[0], bounds=(price - 0.1 * span, price + 0.1 * span), options={"xatol": 1e-10}
        )
        assert price == pytest.approx(best.x, abs=1e-6 * span)
