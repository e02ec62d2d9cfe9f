"""The pair scanner: three hedge ratios against their oracles, gates that let a planted pair through and no other."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.regression.recursive_ls import RecursiveLS
from statsmodels.stats.multitest import multipletests

from engine.futures import expiry_week, roll_clean
from engine.grid import EPOCH
from engine.scanner import (
    Signal,
    benjamini_hochberg,
    hedge_units,
    kalman,
    ols,
    residual_z,
    scan,
    signal,
    tls_beta,
)
from tests.engine.market_data import weekdays

Array = np.ndarray[Any, np.dtype[np.float64]]


def cointegrated(seed: int, count: int = 300, beta: float = 0.55, phi: float = 0.85) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(0, 0.012, count)) + 7
    e = np.zeros(count)
    for t in range(1, count):
        e[t] = phi * e[t - 1] + rng.normal(0, 0.01)
    return x, 1.2 + beta * x + e


@pytest.mark.parametrize("seed", range(4))
def test_ols_and_tls_equal_their_oracles(seed: int) -> None:
    x, y = cointegrated(seed)
    slope, intercept = np.polyfit(x, y, 1)
    fit = ols(x, y)
    assert fit == pytest.approx((intercept, slope), rel=1e-9)
    _, _, v = np.linalg.svd(np.column_stack([x - x.mean(), y - y.mean()]), full_matrices=False)
    assert tls_beta(x, y) == pytest.approx(v[0, 1] / v[0, 0], rel=1e-10)
    assert ols(np.full(50, 2.0), y[:50]) is None
    assert tls_beta(np.full(50, 2.0), y[:50]) is None


@pytest.mark.parametrize("seed", range(3))
def test_the_kalman_filter_without_drift_equals_recursive_least_squares(seed: int) -> None:
    x, y = cointegrated(seed)
    made = kalman(x, y, delta=0.0)
    assert made is not None
    regressors = sm.add_constant(x)
    exact = [np.linalg.lstsq(regressors[: n + 1], y[: n + 1], rcond=None)[0] for n in range(63, len(x))]
    np.testing.assert_allclose(made[63:], exact, rtol=1e-8)
    # it starts from a large variance in place of an infinite one: its own distance from least squares is up to 1.2e-6
    recursive: Any = RecursiveLS(y, regressors).fit().recursive_coefficients.filtered
    np.testing.assert_allclose(made[63:], recursive.T[63:], rtol=5e-6)
    assert np.isnan(made[:62]).all()
    assert kalman(x[:40], y[:40]) is None


def test_the_kalman_filter_follows_a_hedge_ratio_that_changes() -> None:
    rng = np.random.default_rng(3)
    x = np.cumsum(rng.normal(0, 0.02, 600))
    beta = np.where(np.arange(600) < 300, 0.5, 1.5)
    y = beta * x + rng.normal(0, 0.002, 600)
    made = kalman(x, y)
    assert made is not None
    assert made[290, 1] == pytest.approx(0.5, abs=0.1)
    assert made[-1, 1] == pytest.approx(1.5, abs=0.2)


def test_benjamini_hochberg_equals_statsmodels() -> None:
    p = np.random.default_rng(1).uniform(0, 0.2, 25)
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12)


def test_ten_eth_are_hedged_by_1_30_micro_contracts() -> None:
    """§10: 10 ETH at 3100, β .55, M2K at 2624.22: 1.30 contracts."""
    assert hedge_units(10, 3100.0, 0.55, 5.0, 2624.22) == pytest.approx(1.30, abs=5e-3)
    assert hedge_units(10, 3100.0, 0.55, 5.0, 0.0) is None


def test_a_planted_pair_passes_the_gates_and_random_walks_do_not() -> None:
    rng = np.random.default_rng(8)
    pairs = {f"noise{i}": tuple(np.cumsum(rng.normal(0, 0.01, (2, 300)), axis=1)) for i in range(6)}
    planted = cointegrated(11, phi=0.88)
    holed = planted[0].copy()
    holed[100:110] = np.nan
    made = scan({"ETH/RTY=F": planted, "holed": (holed, planted[1]), "short": (planted[0][:200], planted[1][:200]),
                 **{k: (v[0], v[1]) for k, v in pairs.items()}})  # fmt: skip
    assert "short" not in made
    assert made["ETH/RTY=F"].admitted and made["holed"].admitted
    assert made["ETH/RTY=F"].beta_ols == pytest.approx(0.55, abs=0.1)
    assert made["ETH/RTY=F"].half_life == pytest.approx(-math.log(2) / math.log(0.88), abs=3)
    assert not any(made[k].admitted for k in pairs)
    assert scan({}) == {}


def test_the_residuals_z_is_over_sixty_bars_and_leads_in_and_out() -> None:
    e = np.random.default_rng(2).normal(size=200)
    assert residual_z(e) == pytest.approx((e[-1] - e[-60:].mean()) / e[-60:].std(ddof=1), rel=1e-12)
    path = [0.0, -1.9, -2.1, -1.0, -0.6, -0.4, 2.2, 3.6, 2.5, 0.4, 4.0, 2.1]
    expected = ["flat", "flat", "long", "long", "long", "flat", "short", "stopped", "stopped", "flat", "flat", "short"]
    assert [signal(np.array(path[: i + 1])).value for i in range(len(path))] == expected
    assert signal(np.array([math.nan])) is Signal.FLAT


def test_a_roll_is_cleaned_in_its_week_only_and_the_newest_level_stays() -> None:
    days = weekdays("2024-01-01", 300).to_numpy().astype("datetime64[D]").astype(np.int64)
    rng = np.random.default_rng(4)
    index = 2000 * np.exp(np.cumsum(rng.normal(0, 0.01, 300)))
    future = index * np.exp(rng.normal(0, 2e-4, 300))
    roll = next(i for i, d in enumerate(days) if d > days[100] and expiry_week(int(d)))
    spliced = future.copy()
    spliced[roll:] *= 1.01
    cleaned = roll_clean(days, spliced, index)
    assert cleaned[-1] == spliced[-1]
    step = math.log(cleaned[roll] / cleaned[roll - 1])
    assert step == pytest.approx(math.log(index[roll] / index[roll - 1]), abs=1e-12)
    outside = roll + 10
    moved = future.copy()
    moved[outside:] *= 1.01
    assert np.diff(np.log(roll_clean(days, moved, index)))[outside - 1] == pytest.approx(
        math.log(moved[outside] / moved[outside - 1])
    )
    assert expiry_week((date(2025, 3, 17) - EPOCH).days) and expiry_week((date(2025, 3, 21) - EPOCH).days)
    assert not expiry_week((date(2025, 3, 14) - EPOCH).days) and not expiry_week((date(2025, 4, 18) - EPOCH).days)
