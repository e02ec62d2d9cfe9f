"""Divergences: known answers, pandas and TA-Lib as oracles, states by their own past, and nothing from the future."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import percentileofscore
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tools import add_constant

from engine import correlations, gauges
from engine.config import Config
from engine.divergence import (
    OWN_HISTORY,
    State,
    break_state,
    correlation_break,
    cross_gap,
    cross_gaps,
    fisher,
    fixed_state,
    past_of,
    percentile_state,
    price_volume,
    swings,
)
from engine.grid import DailyGrid, daily_grid
from engine.legs import parse_pair
from engine.model import Status
from engine.view import DictView, Live
from engine.windows import co_window, rolling_corr
from tests.engine.market_data import after, bars, book_of, calendar_of, ohlcv, real, weekdays

CONFIG = Config()
PAIRS = (parse_pair("IWM/SPY", CONFIG), parse_pair("ETH/BTC", CONFIG))


def returns(seed: int, count: int, gaps: bool = False) -> np.ndarray[Any, np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.01, count)
    if gaps:
        values[rng.integers(0, count, count // 20)] = np.nan
    return values


def test_fishers_test_of_a_tenth_against_six_tenths_is_minus_2_35() -> None:
    assert fisher(0.1, 0.6) == pytest.approx(-2.35, abs=5e-3)
    assert fisher(1.0, 0.5) is fisher(None, 0.5) is None


@pytest.mark.parametrize("seed", range(3))
def test_rolling_correlation_and_beta_equal_pandas_and_rolling_ols(seed: int) -> None:
    x, y = returns(seed, 700, gaps=True), returns(seed + 10, 700, gaps=True)
    both: Any = pd.DataFrame({"x": x, "y": y})
    both.loc[both.isna().any(axis=1)] = np.nan
    expected = both["x"].rolling(252, min_periods=126).corr(both["y"]).to_numpy()
    np.testing.assert_allclose(rolling_corr(x, y, 252), expected, atol=1e-8)
    for end in (300, 500, 700):
        window = co_window(x[end - 252 : end - 1], y[end - 252 : end - 1])
        if np.isfinite(x[end - 1] + y[end - 1]):
            window = window.plus(float(x[end - 1]), float(y[end - 1]))
        assert window.corr(252) == pytest.approx(expected[end - 1], abs=1e-10)
    a, b = returns(seed, 400), returns(seed + 10, 400)
    fitted: Any = RollingOLS(a, add_constant(b), window=252).fit()
    assert co_window(a[-252:], b[-252:]).beta(252) == pytest.approx(fitted.params[-1][1], rel=1e-9)


def test_a_flat_column_has_no_correlation_nor_beta() -> None:
    flat, x = np.full(300, 0.01), returns(1, 300)
    assert np.isnan(rolling_corr(flat, x, 252)).all()
    assert co_window(flat, x).corr(252) is None
    assert co_window(x, flat).beta(252) is None


@pytest.mark.parametrize("seed", range(3))
def test_the_correlation_break_equals_pandas_on_disjoint_windows(seed: int) -> None:
    x, y = returns(seed, 400), returns(seed + 5, 400)
    y[-60:] += x[-60:]
    a, b = pd.Series(x), pd.Series(y)
    fast: Any = a.rolling(21).corr(b)
    slow: Any = a.rolling(126).corr(b).shift(21)
    expected = (np.arctanh(fast) - np.arctanh(slow)) / math.sqrt(1 / 18 + 1 / 123)
    np.testing.assert_allclose(correlation_break(x, y), expected, atol=1e-8)
    assert break_state(np.array([3.0, -2.6, 2.58])) is State.ALERT
    assert break_state(np.array([3.0, 1.0, 2.6])) is State.WARN
    assert break_state(np.array([3.0, 3.0, 2.5])) is State.OK


def test_the_gap_is_held_against_a_clipped_correlation() -> None:
    assert cross_gap(1.0, -1.0, 0.0) == pytest.approx(2 / math.sqrt(2))
    assert cross_gap(1.0, -1.0, 0.999) == pytest.approx(2 / math.sqrt(0.1))
    assert cross_gap(1.0, -1.0, None) is None
    x, y, z = returns(1, 600), returns(2, 600), returns(3, 600)
    corr: Any = pd.Series(x).rolling(252, min_periods=126).corr(pd.Series(y)).clip(-0.95, 0.95)
    np.testing.assert_allclose(cross_gaps(z, -z, x, y), 2 * z / np.sqrt(2 - 2 * corr), atol=1e-10)


def test_states_have_hysteresis_by_percentile_and_by_fixed_bounds() -> None:
    path = [0.5, 0.96, 0.9, 0.995, 0.96, 0.85, 0.8, 0.04, 0.009, 0.2]
    state, seen = State.OK, []
    for p in path:
        state = percentile_state(state, p)
        seen.append(state.value)
    assert seen == ["ok", "warn", "warn", "alert", "warn", "warn", "ok", "warn", "alert", "ok"]
    state, seen = State.OK, []
    for z in (1.6, 1.2, -2.1, -1.2, 1.0):
        state = fixed_state(state, z)
        seen.append(state.value)
    assert seen == ["warn", "warn", "alert", "alert", "ok"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 1600))
def test_a_gauge_judged_live_is_judged_the_same_when_it_closes(seed: int, count: int) -> None:
    values = np.random.default_rng(seed).normal(0, 1.3, count)
    percentile, state = past_of(values[:-1]).judge(float(values[-1]))
    assert percentile == pytest.approx(percentileofscore(values, values[-1], kind="mean") / 100)
    assert state is past_of(values).state
    assert past_of(values[:-1]).own == (count >= OWN_HISTORY)


def test_a_random_walk_exceeds_two_far_more_often_than_a_normal_variate() -> None:
    """z252 of a random walk has sd 1.41 and exceeds 2 in size 15 % of the time: so gauges are judged by their past."""
    z = np.concatenate([gauges._z(np.cumsum(returns(s, 3000)))[300:] for s in range(60)])
    assert np.nanstd(z) == pytest.approx(1.41, abs=0.05)
    assert np.mean(np.abs(z) > 2) == pytest.approx(0.15, abs=0.03)


def test_a_rise_on_falling_volume_alerts_and_one_on_rising_volume_does_not() -> None:
    close = 100 * np.exp(np.concatenate([np.cumsum(returns(1, 80)), np.cumsum(np.full(20, 0.01)) + 0.0]))
    falling = np.concatenate([np.full(80, 100.0), np.full(20, 60.0)])
    made = price_volume(close, falling)
    steps = np.diff(np.log(close[-64:]))
    assert made.move == pytest.approx(np.log(close[-1] / close[-21]) / (steps.std(ddof=1) * math.sqrt(20)))
    assert made.volume_pct == pytest.approx(100 * (60 / ((40 * 100 + 20 * 60) / 60) - 1))
    assert made.state is State.ALERT
    assert price_volume(close, falling[::-1].copy()).state is State.OK
    assert price_volume(close[:10], falling[:10]).move is None


def swing_frame(seed: int, count: int = 500) -> pl.DataFrame:
    return bars(ohlcv(seed, weekdays("2020-01-01", count), sd=0.02), "IWM").frame


@pytest.mark.parametrize("seed", range(5))
def test_swing_divergences_are_what_their_definition_says(seed: int) -> None:
    frame = swing_frame(seed)
    high, low, close = (frame[c].to_numpy() for c in ("high", "low", "close"))
    strength, ranges = talib.RSI(close, 14), talib.ATR(high, low, close, 14)
    found = swings(frame)
    assert found
    for kind, first, second in found:
        top = kind in ("regular bear", "hidden bear")
        price = high if top else low
        assert 5 <= second - first <= 60
        assert abs(price[second] - price[first]) >= 0.25 * ranges[second]
        higher, stronger = price[second] > price[first], strength[second] > strength[first]
        expected = {
            "regular bear": (True, False), "hidden bear": (False, True),
            "regular bull": (False, True), "hidden bull": (True, False),
        }[kind]  # fmt: skip
        assert (higher, stronger) == expected
        around = price[second - 5 : second + 6]
        assert price[second] == (around.max() if top else around.min())


@pytest.mark.parametrize("cut", [120, 333, 477])
def test_a_swing_is_known_five_bars_after_it_and_then_stays(cut: int) -> None:
    frame = swing_frame(3)
    assert swings(frame.head(cut)) == [s for s in swings(frame) if s.second + 5 < cut]


def grid_of(count: int, drop: int) -> tuple[DailyGrid, dict[str, Live]]:
    days = weekdays("2018-01-01", count)
    frames = {n: ohlcv(i, days) for i, n in enumerate(("IWM", "SPY", "ETH_USD", "BTC_USD"))}
    today = days[-1].timestamp()
    quotes = {
        n.replace("_", "/"): Live(float(f["close"].iloc[-1]), Status.OK, today + 59_000) for n, f in frames.items()
    }
    kept = {n: f.iloc[: len(f) - drop] for n, f in frames.items()}
    return daily_grid(book_of(**kept), calendar_of(days), today + 60_000 if drop else after(days)), quotes


@pytest.mark.parametrize("count", [200, 700, 1800])
def test_live_gauges_equal_those_of_the_closed_bar(count: int) -> None:
    grid, quotes = grid_of(count, 1)
    live = gauges.live(gauges.at_close(grid, PAIRS), DictView(grid.now, quotes)).to_dicts()
    whole, _ = grid_of(count, 0)
    closed = gauges.live(gauges.at_close(whole, PAIRS), DictView(whole.now)).to_dicts()
    assert [r["gauge"] for r in live] == ["D1", "D2", "D3", "D4", "D5", "D6"]
    for one, other in zip(live[:4], closed[:4], strict=True):
        for name in ("value", "percentile"):
            assert one[name] == (None if other[name] is None else pytest.approx(other[name], abs=1e-9)), one["gauge"]
        assert one["n"] == other["n"]
        assert one["recent"] == pytest.approx(other["recent"], abs=1e-9), "what is live counts as the newest close"
        if one["gauge"] != "D4":
            assert one["state"] == other["state"]
    assert (live[0]["detail"] == "own history") == (count - 125 >= OWN_HISTORY)


def test_gauges_of_real_iwm_and_spy_stand_where_scipy_puts_them() -> None:
    a, b = real("iwm"), real("spy")
    days = pd.DatetimeIndex(a.index.intersection(b.index))
    grid = daily_grid(book_of(IWM=a.loc[days], SPY=b.loc[days]), calendar_of(days), after(days))
    row = gauges.live(gauges.at_close(grid, PAIRS[:1]), DictView(grid.now)).row(0, named=True)
    q: Any = np.log(a.loc[days, "adj_close"] / b.loc[days, "adj_close"])
    z = ((q - q.rolling(252, min_periods=126).mean()) / q.rolling(252, min_periods=126).std()).dropna()
    assert row["value"] == pytest.approx(z.iloc[-1], abs=1e-8)
    assert row["percentile"] == pytest.approx(percentileofscore(z, z.iloc[-1], kind="mean") / 100, abs=1e-12)
    assert row["recent"] == pytest.approx(z.iloc[-30:].tolist(), abs=1e-8)


def test_gauges_without_any_history_are_warming() -> None:
    days = weekdays("2020-01-01", 4)
    grid = daily_grid(book_of(), calendar_of(days), after(days))
    table = gauges.live(gauges.at_close(grid, PAIRS), DictView(grid.now))
    assert set(table["status"]) == {"warming"}
    assert table["value"].null_count() == table.height


def test_dominance_stands_beside_d2_and_warns_from_three_points_on() -> None:
    row = {"gauge": "D2", "detail": "own history", "state": "ok", "value": 0.1}
    assert gauges._with_dominance(row, None) == row
    mild = gauges._with_dominance(row, (1.14, 29))
    assert (mild["detail"], mild["state"]) == ("own history; BTC dominance +1.1 pp in 29 d", "ok")
    assert gauges._with_dominance(row, (-3.0, 30))["state"] == "warn"
    assert gauges._with_dominance({**row, "state": "alert"}, (4.0, 30))["state"] == "alert"
    assert gauges._with_dominance({"gauge": "D2", "value": None}, (4.0, 30)).get("state") is None


def test_a_break_and_short_correlations_do_not_wait_for_the_year_that_z252_needs() -> None:
    days = weekdays("2025-01-02", 200)
    frames = {s: ohlcv(seed, days) for seed, s in enumerate(("IWM", "SPY", "ETH_USD", "BTC_USD"))}
    grid = daily_grid(book_of(**frames), calendar_of(days), after(days))
    view = DictView(grid.now)
    rows = {row["gauge"]: row for row in gauges.live(gauges.at_close(grid, PAIRS), view).to_dicts()}
    assert rows["D4"]["value"] is not None
    prices = {s.replace("_", "/"): Live(float(f["close"].iloc[-1]), Status.OK, grid.now - 5) for s, f in frames.items()}
    noon = float(days[-1].timestamp()) + 60_000
    book = book_of(**{s: f.iloc[:-1] for s, f in frames.items()})
    live_view = DictView(noon, {s: p._replace(at=noon - 5) for s, p in prices.items()})
    live_grid = daily_grid(book, calendar_of(days), noon)
    worth = {r["gauge"]: r["status"] for r in gauges.live(gauges.at_close(live_grid, PAIRS), live_view).to_dicts()}
    assert (worth["D1"], worth["D2"], worth["D3"], worth["D4"]) == ("warming", "warming", "warming", "ok")
    table = correlations.live(correlations.at_close(live_grid, PAIRS), live_view)
    of_spreads = {r["window"]: r["status"] for r in table.to_dicts() if r["a"] == "IWM/SPY"}
    assert of_spreads == {21: "ok", 63: "ok", 252: "warming"}
