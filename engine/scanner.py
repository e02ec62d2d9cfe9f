"""Relative value between two legs: hedge ratios three ways, and the gates that a pair must pass (METRICS §6).

y is the leg that is held (ETH), x the one that hedges it (RTY), both log levels at the XNYS close, futures
roll-cleaned, over 252 bars. It is *relative value*, not arbitrage. `scan` imports statsmodels' tests (1.8 s, and
milliseconds a pair): it belongs in the worker process, at bar close. Everything else is NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np

from engine.grid import Floats
from engine.windows import MIN_SD, Window, reversion, window

BARS: Final = 252
START: Final = 63
DELTA: Final = 1e-4
P_MAX: Final = 0.05
HALF_LIFE: Final = (2.0, 60.0)
Z_BARS: Final = 60
ONE_THING: Final = 1.5e-6
ENTER: Final = 2.0
LEAVE: Final = 0.5
STOP: Final = 3.5


class Fit(NamedTuple):
    """y ≈ alpha + beta·x."""

    alpha: float
    beta: float


class Signal(StrEnum):
    """What the residual says of y against its hedge."""

    FLAT = "flat"
    LONG = "long"
    SHORT = "short"
    STOPPED = "stopped"


class Scanned(NamedTuple):
    """One pair, after all pairs of the scan are known."""

    alpha: float
    """Of the least-squares fit whose residual z is of."""
    beta_ols: float
    beta_tls: float | None
    beta_kalman: float
    p_value: float
    """The larger of both directions' cointegration p-values, after Benjamini–Hochberg over the scan."""
    half_life: float | None
    z: float | None
    """Of the newest residual over 60 bars."""
    before: Window
    """The last 59 residuals: what a live one is held against, in O(1)."""
    signal: Signal
    admitted: bool


def ols(x: Floats, y: Floats) -> Fit | None:
    """Least squares of y on x; None where x is flat. Oracle: numpy.polyfit."""
    dx, dy = x - x.mean(), y - y.mean()
    sxx = float(dx @ dx)
    if sxx <= MIN_SD**2 * len(x):
        return None
    beta = float(dx @ dy) / sxx
    return Fit(float(y.mean() - beta * x.mean()), beta)


def tls_beta(x: Floats, y: Floats) -> float | None:
    """Total least squares (s_yy − s_xx + √((s_yy − s_xx)² + 4·s_xy²))/(2·s_xy); None where s_xy is 0. Oracle: SVD."""
    dx, dy = x - x.mean(), y - y.mean()
    sxx, syy, sxy = float(dx @ dx), float(dy @ dy), float(dx @ dy)
    if abs(sxy) <= MIN_SD**2 * len(x):
        return None
    return (syy - sxx + math.sqrt((syy - sxx) ** 2 + 4 * sxy * sxy)) / (2 * sxy)


def kalman(x: Floats, y: Floats, delta: float = DELTA, start: int = START) -> Floats | None:
    """[α, β] at every bar as a random walk, Q = δ/(1 − δ)·I; rows before `start` are NaN. None where it cannot start.

    Started from OLS on the first `start` bars: R = its residual variance, P₀ = its covariance. Oracle at δ = 0:
    statsmodels RecursiveLS.
    """
    fit = ols(x[:start], y[:start]) if len(x) >= start else None
    if fit is None:
        return None
    design = np.column_stack([np.ones(start), x[:start]])
    state = np.array([fit.alpha, fit.beta])
    residual = y[:start] - design @ state
    noise = float(residual @ residual) / (start - 2)
    if noise <= 0:
        noise = MIN_SD**2
    cov = noise * np.linalg.inv(design.T @ design)
    drift = delta / (1.0 - delta) * np.eye(2)
    out = np.full((len(x), 2), np.nan)
    out[start - 1] = state
    for t in range(start, len(x)):
        cov = cov + drift
        h = np.array([1.0, x[t]])
        ph = cov @ h
        gain = ph / (float(h @ ph) + noise)
        state = state + gain * (y[t] - float(h @ state))
        cov = cov - np.outer(gain, ph)
        out[t] = state
    return out


def benjamini_hochberg(p: Floats) -> Floats:
    """p-values adjusted for the false discovery rate: min over k ≥ i of p_(k)·m/k, at most 1. Oracle: statsmodels."""
    order = np.argsort(p)
    m = len(p)
    ranked = p[order] * m / np.arange(1, m + 1)
    out = np.empty(m)
    out[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return out


def residual_z(residual: Floats, w: int = Z_BARS) -> float | None:
    """z of the newest residual over 60 bars, ddof 1."""
    if not len(residual):
        return None
    return window(residual[-w:-1]).z(float(residual[-1]), w)


def signal(zs: Floats) -> Signal:
    """Where a path of residual z leaves a trader: in at |z| ≥ 2, out at ≤ .5, stopped at ≥ 3.5 until back within .5.

    Long y where the residual is low, short where it is high.
    """
    state = Signal.FLAT
    for z in zs[np.isfinite(zs)].tolist():
        size = abs(z)
        if size <= LEAVE:
            state = Signal.FLAT
        elif state in (Signal.LONG, Signal.SHORT) and size >= STOP:
            state = Signal.STOPPED
        elif state is Signal.FLAT and ENTER <= size < STOP:
            state = Signal.LONG if z < 0 else Signal.SHORT
    return state


def hedge_units(units: float, price: float, beta: float, multiplier: float, hedge_price: float) -> float | None:
    """Contracts (or shares at multiplier 1) of the hedge: units·P·β/(mult·P_hedge)."""
    notional = multiplier * hedge_price
    return units * price * beta / notional if notional > 0 and price > 0 and math.isfinite(beta) else None


def _one_thing(x: Floats, y: Floats, fit: Fit) -> bool:
    """Whether the legs are so nearly one thing (an index and its fund) that no test says anything of them."""
    return float((y - fit.alpha - fit.beta * x).var()) <= ONE_THING * float(y.var())


def scan(pairs: Mapping[str, tuple[Floats, Floats]]) -> dict[str, Scanned]:
    """Every pair's (x, y) log levels, ascending; those without 252 joint bars, flat ones and two names of
    one thing (R² above 1 − 1.5e-6) are left out.

    Gate: `statsmodels coint` both ways, p < .05 after Benjamini–Hochberg over all pairs' both directions, and a
    half-life of the OLS residual of 2–60 bars.
    """
    from statsmodels.tsa.stattools import coint

    ready: dict[str, tuple[Floats, Floats, Fit, Floats]] = {}
    p_values: list[float] = []
    for name, (x, y) in pairs.items():
        both = np.isfinite(x) & np.isfinite(y)
        a, b = x[both][-BARS:], y[both][-BARS:]
        fit, path = (ols(a, b), kalman(a, b)) if len(a) == BARS else (None, None)
        if fit is None or path is None or float(b.std()) <= MIN_SD or _one_thing(a, b, fit):
            continue
        ready[name] = (a, b, fit, path)
        p_values += [float(coint(b, a)[1]), float(coint(a, b)[1])]
    adjusted = benjamini_hochberg(np.array(p_values)) if p_values else np.zeros(0)
    made = {}
    for i, (name, (a, b, fit, path)) in enumerate(ready.items()):
        residual = b - fit.alpha - fit.beta * a
        p = float(adjusted[2 * i : 2 * i + 2].max())
        half = reversion(residual[:-1]).half_life(float(residual[-1]), BARS)
        zs = [residual_z(residual[: t + 1]) for t in range(Z_BARS, len(residual))]
        path_z = np.array([math.nan if z is None else z for z in zs])
        made[name] = Scanned(
            alpha=fit.alpha,
            beta_ols=fit.beta,
            beta_tls=tls_beta(a, b),
            beta_kalman=float(path[-1, 1]),
            p_value=p,
            half_life=half,
            z=zs[-1],
            before=window(residual[1 - Z_BARS :]),
            signal=signal(path_z),
            admitted=p < P_MAX and half is not None and HALF_LIFE[0] <= half <= HALF_LIFE[1],
        )
    return made
