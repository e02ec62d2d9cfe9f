"""Hayashi–Yoshida against brute force, a planted lag found and none invented, and the correlations table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import correlations
from engine.config import Config
from engine.cross import HayashiYoshida, daily_lead_lag, ewma_corr, hy_covariance, hy_lead_lag
from engine.grid import daily_grid
from engine.legs import parse_pair
from engine.model import Status
from engine.view import DictView, Live
from tests.engine.market_data import after, book_of, calendar_of, ohlcv, weekdays

Array = np.ndarray[Any, np.dtype[np.float64]]
CONFIG = Config()
PAIRS = tuple(parse_pair(p, CONFIG) for p in ("IWM/SPY", "ETH/BTC"))


def brute(t: Array, x: Array, s: Array, y: Array) -> float:
    """Σ ΔX_i·ΔY_j over all pairs whose intervals overlap, O(n·m)."""
    total: float = sum(
        (x[i] - x[i - 1]) * (y[j] - y[j - 1])
        for i in range(1, len(t))
        for j in range(1, len(s))
        if max(t[i - 1], s[j - 1]) < min(t[i], s[j])
    )
    return total


def incremental(t: Array, x: Array, s: Array, y: Array, y_first: bool = False) -> HayashiYoshida:
    made = HayashiYoshida()
    ticks = [(a, y_first, 0, b) for a, b in zip(t, x, strict=True)]
    ticks += [(a, not y_first, 1, b) for a, b in zip(s, y, strict=True)]
    for time, _, leg, value in sorted(ticks):
        (made.add_y if leg else made.add_x)(float(time), float(value))
    return made


def test_the_known_covariance_of_four_and_four_ticks_is_seven() -> None:
    t, x = np.array([0.0, 2, 5, 7]), np.array([0.0, 1, 3, 2])
    s, y = np.array([0.0, 3, 4, 7]), np.array([0.0, 2, 1, 4])
    assert brute(t, x, s, y) == 7
    assert hy_covariance(t, x, s, y) == 7
    assert incremental(t, x, s, y).cov == 7


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40), st.booleans(), st.booleans())
def test_hayashi_yoshida_equals_brute_force(seed: int, n: int, m: int, ties: bool, y_first: bool) -> None:
    rng = np.random.default_rng(seed)
    t, s = (np.sort(rng.uniform(0, 100, k)) for k in (n, m))
    if ties:
        t, s = np.unique(np.round(t / 4)), np.unique(np.round(s / 4))
    x, y = rng.normal(size=len(t)), rng.normal(size=len(s))
    expected = brute(t, x, s, y)
    assert hy_covariance(t, x, s, y) == pytest.approx(expected, abs=1e-10)
    assert incremental(t, x, s, y, y_first).cov == pytest.approx(expected, abs=1e-10)
    assert incremental(s, y, t, x, y_first).cov == pytest.approx(expected, abs=1e-10)


def ticks(lag: float, rho: float, seed: int) -> tuple[Array, Array, Array, Array]:
    """Two Poisson-sampled walks, one a second, correlated at `rho`, the second `lag` seconds behind."""
    rng = np.random.default_rng(seed)
    length = 6 * 3600
    one, other = rng.normal(0, 1e-4, (2, length + 400))
    two = rho * one + math.sqrt(1 - rho * rho) * other
    x, y = np.cumsum(one), np.cumsum(two)
    t, s = (np.unique(rng.integers(0, length, length // 5)).astype(float) for _ in range(2))
    return t, x[t.astype(int) + 350], s, y[(s + 350 - lag).astype(int)]


@pytest.mark.parametrize(("lag", "seed"), [(30.0, 1), (-45.0, 2), (120.0, 3)])
def test_a_planted_lag_is_recovered(lag: float, seed: int) -> None:
    found = hy_lead_lag(*ticks(lag, 0.7, seed))
    assert found.lag == pytest.approx(lag, abs=5)
    assert found.corr is not None and found.corr == pytest.approx(0.7, abs=0.15)


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_where_nobody_leads_none_is_told(rho: float) -> None:
    assert hy_lead_lag(*ticks(0.0, rho, 4)).lag is None
    few = tuple(v[:150] for v in ticks(0.0, 0.7, 4))
    assert hy_lead_lag(few[0], few[1], few[2], few[3]) == (None, None, None)


def test_previous_tick_sampling_hides_what_hayashi_yoshida_shows() -> None:
    """The Epps effect: on a one-second grid the correlation of .7 is nearly gone."""
    t, x, s, y = ticks(0.0, 0.7, 7)
    grid = np.arange(300.0, 6 * 3600 - 300)
    a, b = (np.diff(v[np.searchsorted(k, grid, side="right") - 1]) for k, v in ((t, x), (s, y)))
    assert np.corrcoef(a, b)[0, 1] < 0.25
    shown = hy_covariance(t, x, s, y) / math.sqrt((np.diff(x) ** 2).sum() * (np.diff(y) ** 2).sum())
    assert shown == pytest.approx(0.7, abs=0.1)
    assert incremental(t, x, s, y).corr() == pytest.approx(shown, abs=1e-10)


def test_daily_lead_lag_finds_a_lag_and_tells_none() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 0.01, 400)
    y = np.concatenate([rng.normal(0, 0.01, 2), x[:-2]]) + rng.normal(0, 0.005, 400)
    assert daily_lead_lag(x, y).lag == 2
    assert daily_lead_lag(y, x).lag == -2
    assert daily_lead_lag(x, x + rng.normal(0, 0.01, 400)).lag is None
    for count in range(8):
        assert daily_lead_lag(x[:count], y[:count]).lag is None or count > 3


def test_ewma_equals_pandas() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 0.01, (2, 500))
    x[40:60] = np.nan
    frame = pd.DataFrame({"x": x, "y": y}).dropna()

    def mean(values: Any) -> Any:
        return values.ewm(alpha=0.06, adjust=False).mean()

    expected = mean(frame["x"] * frame["y"]) / np.sqrt(mean(frame["x"] ** 2) * mean(frame["y"] ** 2))
    made = ewma_corr(x, y)
    np.testing.assert_allclose(made[np.isfinite(made)], expected.to_numpy(), atol=1e-12)
    assert np.isnan(made[40:60]).all()


@pytest.mark.parametrize("count", [30, 300, 700])
def test_the_correlations_table_lives_as_it_closes_and_equals_pandas(count: int) -> None:
    days = weekdays("2022-01-03", count)
    frames = {n: ohlcv(i, days) for i, n in enumerate(("IWM", "SPY", "ETH_USD", "BTC_USD"))}
    whole = daily_grid(book_of(**frames), calendar_of(days), after(days))
    closed = correlations.live(correlations.at_close(whole, PAIRS), DictView(whole.now)).to_dicts()
    today = days[-1].timestamp()
    quotes = {
        n.replace("_", "/"): Live(float(f["close"].iloc[-1]), Status.OK, today + 59_000) for n, f in frames.items()
    }
    part = daily_grid(book_of(**{n: f.iloc[:-1] for n, f in frames.items()}), calendar_of(days), today + 60_000)
    lived = correlations.live(correlations.at_close(part, PAIRS), DictView(part.now, quotes)).to_dicts()
    assert [(r["a"], r["b"], r["window"]) for r in closed] == [
        (a, b, w) for a, b in (("IWM", "SPY"), ("ETH", "BTC"), ("IWM/SPY", "ETH/BTC")) for w in (21, 63, 252)
    ]
    returns = {n: np.log(f["close"]).diff() for n, f in frames.items()}
    returns["IWM/SPY"], returns["ETH/BTC"] = returns["IWM"] - returns["SPY"], returns["ETH_USD"] - returns["BTC_USD"]
    names = {"ETH": "ETH_USD", "BTC": "BTC_USD"}
    for one, other in zip(lived, closed, strict=True):
        x, y = (returns[names.get(other[k], other[k])].iloc[-other["window"] :] for k in ("a", "b"))
        for name in ("corr", "beta"):
            assert one[name] == (None if other[name] is None else pytest.approx(other[name], abs=1e-9))
        assert one["n"] == other["n"] == x.count()
        if other["corr"] is not None:
            assert other["corr"] == pytest.approx(x.corr(y), abs=1e-8)
            assert other["beta"] == pytest.approx(x.cov(y) / y.var(), abs=1e-8)
        assert (other["corr"] is None) == (x.count() < max(3, other["window"] // 2))
