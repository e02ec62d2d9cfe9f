"""Levels: the known answers, ATR and pivots against their oracles, and a life told bar by bar."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import argrelextrema

from engine import levels
from engine.config import Band
from engine.grid import daily_grid
from engine.level_states import Bar, LevelState, Life, half_width, on_tick, start, step
from engine.levels import Level, TickMemory
from engine.model import Status
from engine.technical import atr, pivots, rsi
from engine.view import DictView, Live
from tests.engine.market_data import after, book_of, calendar_of, ohlcv, real, weekdays

S = LevelState
ATR = 10.0


def told(closes: list[float], rvols: dict[int, float] | None = None, price: float = 100.0) -> list[tuple[str, str]]:
    """State and role after each close; each bar spans its close ± 1, half-width 2.5, ATR 10."""
    life = start(price, closes[0], 1)
    out = []
    for i, close in enumerate(closes):
        life = step(life, Bar(i, close + 1, close - 1, close, ATR, (rvols or {}).get(i)), 2.5)
        out.append((life.state.value, life.role))
    return out


def states(closes: list[float], rvols: dict[int, float] | None = None) -> list[str]:
    return [s for s, _ in told(closes, rvols)]


def test_the_band_of_2100_to_2300_has_its_known_answers() -> None:
    assert levels.position(2200.0, 2100.0, 2300.0) == 0.5
    assert levels.position(2624.22, 2100.0, 2300.0) == pytest.approx(2.621, abs=5e-4)
    days = weekdays("2023-01-02", 40)
    frame = ohlcv(1, days, sd=0.001, start=2200.0)
    grid = daily_grid(book_of(**{"^RUT": frame}), calendar_of(days), after(days))
    state = levels.at_close(grid, {"^RUT": Band((2100.0,), (2300.0,))})

    def rows(price: float) -> list[dict[str, Any]]:
        view = DictView(grid.now, {"^RUT": Live(price, Status.OK, grid.now)})
        table = levels.live(state, view, TickMemory())
        return table.filter(pl.col("sources").str.starts_with("config")).to_dicts()

    low, high = rows(2200.0)
    assert (low["role"], high["role"], low["price"], high["price"]) == ("support", "resistance", 2100.0, 2300.0)
    assert low["distance_pct"] == pytest.approx(-4.5454545, abs=1e-6)
    assert high["distance_pct"] == pytest.approx(4.5454545, abs=1e-6)
    assert low["position"] == high["position"] == 0.5
    assert low["status"] == "ok" and low["state"] == "CLEAR"
    _, high = rows(2624.22)
    assert high["distance_pct"] == pytest.approx(-12.35, abs=5e-3)
    assert high["out_of_play"] is True


@pytest.mark.parametrize("seed", range(4))
def test_atr_and_rsi_equal_ta_lib(seed: int) -> None:
    frame = ohlcv(seed, weekdays("2020-01-01", 300))
    made = pl.DataFrame({c: frame[c].to_numpy() for c in frame.columns})
    high, low, close = (frame[c].to_numpy() for c in ("high", "low", "close"))
    np.testing.assert_allclose(atr(made), talib.ATR(high, low, close, 14), rtol=1e-10)
    np.testing.assert_allclose(rsi(close), talib.RSI(close, 14), rtol=1e-10)


def test_atr_equals_ta_lib_on_real_iwm() -> None:
    frame = real("iwm")
    made = pl.DataFrame({c: frame[c].to_numpy() for c in ("high", "low", "close")})
    high, low, close = (frame[c].to_numpy() for c in ("high", "low", "close"))
    np.testing.assert_allclose(atr(made), talib.ATR(high, low, close, 14), rtol=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_pivots_equal_argrelextrema_with_each_plateau_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for values in (rng.normal(size=400), rng.integers(0, 12, 400).astype(float)):
        found = argrelextrema(values, np.greater_equal, order=5, mode="clip")[0]
        inner = [i for i in found if 5 <= i < len(values) - 5]
        firsts = [
            i for j, i in enumerate(inner) if not (j and i - inner[j - 1] <= 5 and values[i] == values[inner[j - 1]])
        ]
        assert pivots(values, 5).tolist() == firsts


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        ([90, 90, 96, 90], ["CLEAR", "CLEAR", "CLEAR", "CLEAR"]),
        ([90, 98, 96, 92], ["CLEAR", "TESTING", "TESTING", "CLEAR"]),
        ([90, 98, 104, 105], ["CLEAR", "TESTING", "BREAK_PENDING", "BROKEN"]),
        ([90, 104, 101, 96], ["CLEAR", "BREAK_PENDING", "BREAK_PENDING", "FALSE_BREAK"]),
        ([90, 104, 105, 96], ["CLEAR", "BREAK_PENDING", "BROKEN", "FALSE_BREAK"]),
        ([90, 104, 105, 102, 108], ["CLEAR", "BREAK_PENDING", "BROKEN", "RETEST", "HELD"]),
        ([90, 104, 101, 101, 101, 101, 101], ["CLEAR"] + ["BREAK_PENDING"] * 5 + ["TESTING"]),
        ([90, 104, 105, *[120] * 11], ["CLEAR", "BREAK_PENDING", *["BROKEN"] * 11, "CLEAR"]),
    ],
)
def test_a_life_goes_through_its_states(closes: list[float], expected: list[str]) -> None:
    assert states(closes) == expected
    mirrored = [200.0 - c for c in closes]
    assert states(mirrored) == expected, "a support lives as its mirror image does"


def test_one_strong_close_breaks_only_with_volume() -> None:
    assert states([90, 108], {1: 1.2}) == ["CLEAR", "BROKEN"]
    assert states([90, 108], {1: 1.1}) == ["CLEAR", "BREAK_PENDING"]
    assert states([90, 108]) == ["CLEAR", "BREAK_PENDING"]


def test_the_role_flips_when_broken_and_back_on_a_false_break() -> None:
    assert [r for _, r in told([90, 104, 105, 96])] == ["resistance", "resistance", "support", "resistance"]


def test_a_touch_counts_again_only_after_leaving_by_one_atr() -> None:
    life = start(100.0, 90.0, 1)
    for i, close in enumerate([90, 98, 95, 98, 87, 98]):
        life = step(life, Bar(i, close + 1, close - 1, close, ATR, 3.0), 2.5)
    assert [at for at, _ in life.touches] == [1, 5]
    assert levels.strength(life, 5, 2) == pytest.approx(100 * (1 - math.exp(-(2 * 2 ** (-4 / 126) + 2 + 2) / 3)))


def test_ticks_only_raise_testing_and_rearm_half_an_atr_away() -> None:
    life = Life(100.0, 1)
    shown, raised = on_tick(life, False, 95.0, ATR, 2.5)
    assert (shown, raised) == (S.CLEAR, False)
    shown, raised = on_tick(life, raised, 98.0, ATR, 2.5)
    assert (shown, raised) == (S.TESTING, True)
    shown, raised = on_tick(life, raised, 94.0, ATR, 2.5)
    assert (shown, raised) == (S.TESTING, True)
    shown, raised = on_tick(life, raised, 92.0, ATR, 2.5)
    assert (shown, raised) == (S.CLEAR, False)
    assert on_tick(Life(100.0, 1, S.BROKEN), False, 100.0, ATR, 2.5)[0] is S.BROKEN


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(80, 120), min_size=30, max_size=80), st.integers(1, 29))
def test_cutting_off_the_future_leaves_a_life_as_it_was(closes: list[float], cut: int) -> None:
    assert told(closes)[:cut] == told(closes[:cut])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(80, 120), min_size=5, max_size=60), st.sampled_from([2.0**-7, 4.0, 1024.0]))
def test_a_life_does_not_depend_on_the_unit(closes: list[float], unit: float) -> None:
    def lives(scale: float) -> list[tuple[LevelState, str, int]]:
        life, out = start(100.0 * scale, closes[0] * scale, 1), []
        for i, close in enumerate(closes):
            c = close * scale
            life = step(life, Bar(i, c * 1.01, c * 0.99, c, 4 * scale), half_width(100 * scale, 4 * scale))
            out.append((life.state, life.role, len(life.touches)))
        return out

    assert lives(1.0) == lives(unit)


def test_a_symbol_without_history_or_price_is_a_row_of_nulls() -> None:
    days = weekdays("2023-01-02", 40)
    grid = daily_grid(book_of(SPY=ohlcv(1, days)), calendar_of(days), after(days))
    state = levels.at_close(grid, {"^RUT": Band((2100.0,), (2300.0,))})
    for prices in ({}, {"^RUT": Live(float("nan"), Status.OK, grid.now)}, {"^RUT": Live(-1.0)}):
        table = levels.live(state, DictView(grid.now, prices), TickMemory())
        assert table["last"].null_count() == table["state"].null_count() == table["distance_pct"].null_count() == 2
    live_only = levels.live(state, DictView(grid.now, {"^RUT": Live(2200.0, Status.OK, grid.now)}), TickMemory())
    assert live_only["status"].to_list() == ["warming", "warming"]
    assert live_only["position"].to_list() == [0.5, 0.5]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(80, 120), min_size=1, max_size=120), st.floats(85, 115))
def test_skipping_quiet_bars_changes_nothing(closes: list[float], price: float) -> None:
    bars = [Bar(i, c + 1, c - 1, c, ATR / 3, 1.3) for i, c in enumerate(closes)]
    life = start(price, closes[0], 1)
    for bar in bars:
        life = step(life, bar, half_width(price, bar.atr))
    assert levels.lives_of((Level(price, 1),), bars)[0][1] == life


def test_every_life_on_real_iwm_is_one_step_a_bar() -> None:
    frame = real("iwm")
    days = pd.DatetimeIndex(frame.index)
    grid = daily_grid(book_of(IWM=frame), calendar_of(days), after(days))
    bars, _ = levels.bars_of(grid, "IWM")
    assert [b.number for b in bars] == list(range(len(days) - 504, len(days)))
    ((_, life),) = levels.lives_of((Level(170.0, 1),), bars)
    assert life.role == "support", "IWM went through 170 in late 2020 and ended above 220"
    assert life.state is S.CLEAR
    assert all(a < b for (a, _), (b, _) in pairwise(life.touches))
