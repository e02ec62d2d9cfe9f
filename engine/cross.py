"""How two series move together: on ticks without a grid, by exponential weights, and who leads whom (METRICS §6).

Sampling ticks on a fine grid makes a true correlation vanish (Epps: .7 becomes .03 at a second), so ticks are taken as
they come, by Hayashi–Yoshida. All inputs are log prices or log returns; nothing here knows of symbols or tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from engine.grid import Floats
from engine.windows import MIN_SD

LAMBDA: Final = 0.94
LEAST_INCREMENTS: Final = 200
SPAN_S: Final = 300.0
STEP_S: Final = 5.0
LEAST_RHO: Final = 0.1
OVER_ZERO: Final = 1.5
DAILY_LAGS: Final = 5


class LeadLag(NamedTuple):
    """Who leads. lag: how far the second series lags the first (negative: leads it), None where none is to be told."""

    lag: float | None
    """Seconds on ticks, rows on bars."""
    corr: float | None
    """Correlation at that lag."""
    at_zero: float | None


@dataclass
class HayashiYoshida:
    """Covariance Σ ΔX_i·ΔY_j·1{overlap} of two log-price streams, and the realised variance of each; O(1) a tick.

    Observations come in time order, one object a session. Oracle: brute force over all pairs of increments.
    """

    cov: float = 0.0
    rv_x: float = 0.0
    rv_y: float = 0.0
    n_x: int = 0
    n_y: int = 0
    _x: tuple[float, float, float] | None = None
    """Time and value of the last X, and the value that Y had then."""
    _y: tuple[float, float, float] | None = None

    def add_x(self, time: float, value: float) -> None:
        """One observation of X: epoch seconds, log price."""
        y = self._y[1] if self._y is not None else math.nan
        if self._x is not None:
            step = value - self._x[1]
            self.rv_x += step * step
            self.n_x += 1
            self.cov += step * _seen(y, self._x[2])
        self._x = (time, value, y)
        # at its own last time Y has now seen this X; and where X begins only here, nothing of it came before
        if self._y is not None and (self._y[0] == time or math.isnan(self._y[2])):
            self._y = (self._y[0], self._y[1], value)

    def add_y(self, time: float, value: float) -> None:
        """One observation of Y."""
        x = self._x[1] if self._x is not None else math.nan
        if self._y is not None:
            step = value - self._y[1]
            self.rv_y += step * step
            self.n_y += 1
            self.cov += step * _seen(x, self._y[2])
        self._y = (time, value, x)
        if self._x is not None and (self._x[0] == time or math.isnan(self._x[2])):
            self._x = (self._x[0], self._x[1], value)

    def corr(self, least: int = LEAST_INCREMENTS) -> float | None:
        """Σ ÷ √(RV_x·RV_y), clipped to ±1; None under `least` increments a leg."""
        if min(self.n_x, self.n_y) < least or self.rv_x <= 0 or self.rv_y <= 0:
            return None
        return max(-1.0, min(1.0, self.cov / math.sqrt(self.rv_x * self.rv_y)))


def hy_covariance(t: Floats, x: Floats, s: Floats, y: Floats) -> float:
    """The same covariance of two whole series. t, s: ascending times; x, y: log prices.

    An X increment meets Y from the last s at or before its start to the first at or after its end: the increments of
    Y that overlap telescope, so one look-up an end suffices.
    """
    if len(t) < 2 or len(s) < 2:
        return 0.0
    first = np.maximum(np.searchsorted(s, t[:-1], side="right") - 1, 0)
    last = np.minimum(np.searchsorted(s, t[1:], side="left"), len(s) - 1)
    return float(np.diff(x) @ np.where(last > first, y[last] - y[first], 0.0))


def hy_lead_lag(
    t: Floats,
    x: Floats,
    s: Floats,
    y: Floats,
    span: float = SPAN_S,
    step: float = STEP_S,
    least: int = LEAST_INCREMENTS,
) -> LeadLag:
    """θ̂ = argmax |HY(θ)|, Y's times shifted by −θ (θ > 0: Y lags), θ = ±span in steps (Hoffmann–Rosenbaum–Yoshida).

    None under `least` increments a leg; the lag is None unless |ρ̂| > .1 and > 1.5·|ρ(0)|.
    """
    rv = float((np.diff(x) ** 2).sum() * (np.diff(y) ** 2).sum())
    if min(len(t), len(s)) - 1 < least or rv <= 0:
        return LeadLag(None, None, None)
    count = int(span // step)
    lags = np.asarray(np.arange(-count, count + 1) * step, dtype=np.float64)
    rho = np.array([hy_covariance(t, x, s - lag, y) for lag in lags]) / math.sqrt(rv)
    return _verdict(lags, rho, count)


def daily_lead_lag(x: Floats, y: Floats, lags: int = DAILY_LAGS) -> LeadLag:
    """The same on daily returns: corr(x_t, y_{t+k}) for k = ±5 rows; k > 0: Y lags."""
    if not len(x):
        return LeadLag(None, None, None)
    ks = np.arange(-lags, lags + 1)
    # one row a lag: y moved by it against x, NaN where it has moved out
    wide = np.concatenate([np.full(lags, np.nan), y, np.full(lags, np.nan)])
    moved = np.lib.stride_tricks.sliding_window_view(wide, len(x))
    both = np.isfinite(x) & np.isfinite(moved)
    n = both.sum(axis=1)
    a, b = np.where(both, x, 0.0), np.where(both, moved, 0.0)
    least = np.maximum(n, 1)[:, None]
    a = np.where(both, a - a.sum(axis=1, keepdims=True) / least, 0.0)
    b = np.where(both, b - b.sum(axis=1, keepdims=True) / least, 0.0)
    sxx, syy, sxy = (a * a).sum(axis=1), (b * b).sum(axis=1), (a * b).sum(axis=1)
    known = (n >= 3) & (np.minimum(sxx, syy) > (n - 1) * MIN_SD**2)
    rho = np.full(len(ks), np.nan)
    rho[known] = np.clip(sxy[known] / np.sqrt(sxx[known] * syy[known]), -1.0, 1.0)
    if not known[lags]:
        return LeadLag(None, None, None)
    return _verdict(ks.astype(np.float64), rho, lags)


def _verdict(lags: Floats, rho: Floats, zero: int) -> LeadLag:
    """The lag of the largest |ρ|, or None where it does not stand out."""
    size = np.where(np.isfinite(rho), np.abs(rho), -1.0)
    best = int(np.argmax(size))
    at_zero = float(rho[zero])
    if size[best] > LEAST_RHO and size[best] > OVER_ZERO * abs(at_zero):
        return LeadLag(float(lags[best]), float(rho[best]), at_zero)
    return LeadLag(None, float(rho[best]), at_zero)


def ewma_corr(x: Floats, y: Floats, decay: float = LAMBDA) -> Floats:
    """Correlation by exponential weights, mean zero: cov_t = λ·cov_{t−1} + (1 − λ)·x_t·y_t; rows without both skipped.

    Polars: `ewm_mean(alpha=1 − λ, adjust=False)`. Oracle: pandas. NaN where a variance is zero.
    """
    both = np.isfinite(x) & np.isfinite(y)
    frame = pl.DataFrame({"xy": x[both] * y[both], "xx": x[both] ** 2, "yy": y[both] ** 2})
    means = frame.select(pl.all().ewm_mean(alpha=1.0 - decay, adjust=False))
    xy, xx, yy = (means[c].to_numpy() for c in ("xy", "xx", "yy"))
    flat = (xx <= MIN_SD**2) | (yy <= MIN_SD**2)
    out = np.full(len(x), np.nan)
    out[both] = np.where(flat, np.nan, np.clip(xy / np.sqrt(np.where(flat, 1.0, xx * yy)), -1.0, 1.0))
    return out


def ewma_last(x: Floats, y: Floats, decay: float = LAMBDA) -> float | None:
    """The newest value of `ewma_corr`, by the sums that its recursion comes to; None where it has none."""
    both = np.isfinite(x) & np.isfinite(y)
    if not both.size or not both[-1]:
        return None
    x, y = x[both], y[both]
    weights = decay ** np.arange(len(x) - 1.0, -1.0, -1.0)
    weights[1:] *= 1.0 - decay  # the recursion begins with its first product as it is
    xy, xx, yy = (float(weights @ product) for product in (x * y, x * x, y * y))
    if xx <= MIN_SD**2 or yy <= MIN_SD**2:
        return None
    return max(-1.0, min(1.0, xy / math.sqrt(xx * yy)))


def _seen(now: float, then: float) -> float:
    """Movement of the other leg since; 0 while it has not begun."""
    return 0.0 if math.isnan(now) or math.isnan(then) else now - then
