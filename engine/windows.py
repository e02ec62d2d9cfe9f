"""Rolling statistics whose live value is provisional and whose closed value never drifts.

At close everything is computed afresh from the bars. A live value joins the last w − 1 closed ones by Welford's update
in O(1), without changing them, so the same beat can be asked a thousand times. Oracle: pandas on the series with the
live value appended; the two agree to 1e-9 (METRICS §0, §12).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from engine.grid import Floats

MIN_SD: Final = 1e-12
"""A window flatter than this has no z and no correlation."""

DF_T_10: Final = -2.5670516741342992
"""Dickey–Fuller t of p = .10 with a constant (MacKinnon's asymptotic surface, as in statsmodels `mackinnonp`)."""


class Window(NamedTuple):
    """n, mean and sum of squared deviations M2 of a window's closed values; nulls are skipped."""

    n: int
    mean: float
    m2: float

    def z(self, x: float, w: int) -> float | None:
        """(x − mean_w)/sd_w, ddof 1, of the window with x added; None under w // 2 samples or where sd ≤ 1e-12."""
        n = self.n + 1
        delta = x - self.mean
        mean = self.mean + delta / n
        m2 = self.m2 + delta * (x - mean)
        if n < max(2, w // 2):
            return None
        sd = math.sqrt(max(m2, 0.0) / (n - 1))
        return (x - mean) / sd if sd > MIN_SD else None


def window(values: Floats) -> Window:
    """The Welford state of the finite ones of `values`."""
    known = values[np.isfinite(values)]
    if not known.size:
        return Window(0, 0.0, 0.0)
    mean = float(np.add.reduce(known)) / known.size
    return Window(int(known.size), mean, float(((known - mean) ** 2).sum()))


class Ranks(NamedTuple):
    """The sorted closed values of a window, for percentiles in O(log n)."""

    ordered: tuple[float, ...]

    def percentile(self, x: float, w: int) -> float | None:
        """(average rank − 0.5)/n of x among the window with x added, a fraction; None under w // 2 samples.

        Oracle: `scipy.stats.percentileofscore(kind="mean")` ÷ 100.
        """
        n = len(self.ordered) + 1
        if n < w // 2:
            return None
        below, upto = bisect_left(self.ordered, x), bisect_right(self.ordered, x)
        return (below + (upto - below + 1) / 2) / n


def ranks(values: Floats) -> Ranks:
    """The sorted finite ones of `values`."""
    return Ranks(tuple(np.sort(values[np.isfinite(values)]).tolist()))


class Reversion(NamedTuple):
    """Centred sums of (x = q₋₁, y = Δq) over a window's closed bars, and the last closed q."""

    n: int
    mx: float
    my: float
    sxx: float
    sxy: float
    syy: float
    last: float | None
    values: int

    def half_life(self, q: float, w: int) -> float | None:
        """−ln 2 / ln(1 + b) bars from Δq = a + b·q₋₁ over w bars, q the newest; None under w // 2 bars.

        ∞ unless −1 < b < 0 and the Dickey–Fuller t (no lags, constant) has p < .10. Oracle: OLS and
        `adfuller(maxlag=0, autolag=None)`.
        """
        if self.values + 1 < w // 2:
            return None
        n, mx, sxx, sxy, syy = self.n, self.mx, self.sxx, self.sxy, self.syy
        if self.last is not None:
            x, y = self.last, q - self.last
            n += 1
            dx, dy = x - mx, y - self.my
            sxx += dx * dx * (n - 1) / n
            sxy += dx * dy * (n - 1) / n
            syy += dy * dy * (n - 1) / n
        if n < 4 or sxx <= MIN_SD * MIN_SD * n:
            return None
        b = sxy / sxx
        residual = max(syy - b * sxy, 0.0) / (n - 2)
        if not -1 < b < 0:
            return math.inf
        if residual > 0 and b / math.sqrt(residual / sxx) >= DF_T_10:
            return math.inf
        return -math.log(2) / math.log1p(b)


def reversion(q: Floats) -> Reversion:
    """The state of the closed values `q`; steps over a missing bar are left out."""
    known = int(np.isfinite(q).sum())
    last = float(q[-1]) if q.size and np.isfinite(q[-1]) else None
    x, y = q[:-1], np.diff(q)
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if not x.size:
        return Reversion(0, 0.0, 0.0, 0.0, 0.0, 0.0, last, known)
    mx, my = float(np.add.reduce(x)) / x.size, float(np.add.reduce(y)) / y.size
    dx, dy = x - mx, y - my
    return Reversion(int(x.size), mx, my, float(dx @ dx), float(dx @ dy), float(dy @ dy), last, known)


def rolling_z(name: str, w: int) -> pl.Expr:
    """z of column `name` over w rows, nulls skipped, null under w // 2 samples or where the window is flat."""
    least = max(2, w // 2)
    sd = pl.col(name).rolling_std(w, min_samples=least, ddof=1)
    mean = pl.col(name).rolling_mean(w, min_samples=least)
    return pl.when(sd > MIN_SD).then((pl.col(name) - mean) / sd)


def rolling_percentile(name: str, w: int) -> pl.Expr:
    """(average rank − 0.5)/n of each value of column `name` among the last w rows, null under w // 2 samples."""
    least = max(1, w // 2)
    n = pl.col(name).is_not_null().cast(pl.Float64).rolling_sum(w, min_samples=1)
    return (pl.col(name).rolling_rank(w, method="average", min_samples=least) - 0.5) / n


def to_series(values: Floats, name: str = "q") -> pl.Series:
    """`values` as a Polars series, everything that is not finite null."""
    series = pl.Series(name, values)
    return series.set(~series.is_finite(), None)


class CoWindow(NamedTuple):
    """n, means and centred sums of two columns' closed values where both are there; returns only, never levels."""

    n: int
    mx: float
    my: float
    sxx: float
    syy: float
    sxy: float

    def plus(self, x: float, y: float) -> CoWindow:
        """With one more pair, by Welford; O(1)."""
        n = self.n + 1
        dx, dy, share = x - self.mx, y - self.my, self.n / n
        return CoWindow(
            n,
            self.mx + dx / n,
            self.my + dy / n,
            self.sxx + share * dx * dx,
            self.syy + share * dy * dy,
            self.sxy + share * dx * dy,
        )

    def corr(self, w: int) -> float | None:
        """Pearson's correlation; None under w // 2 samples or where a column is flat. Oracle: pandas."""
        if self.n < max(3, w // 2) or min(self.sxx, self.syy) <= (self.n - 1) * MIN_SD**2:
            return None
        return max(-1.0, min(1.0, self.sxy / math.sqrt(self.sxx * self.syy)))

    def beta(self, w: int) -> float | None:
        """cov(x, y)/var(y): what x does for one of y. None as for `corr`. Oracle: statsmodels RollingOLS."""
        if self.n < max(3, w // 2) or self.syy <= (self.n - 1) * MIN_SD**2:
            return None
        return self.sxy / self.syy


def co_window(x: Floats, y: Floats) -> CoWindow:
    """The state of two columns of returns."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if not x.size:
        return CoWindow(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    mx, my = float(np.add.reduce(x)) / x.size, float(np.add.reduce(y)) / y.size
    dx, dy = x - mx, y - my
    return CoWindow(int(x.size), mx, my, float(dx @ dx), float(dy @ dy), float(dx @ dy))


def rolling_corr(x: Floats, y: Floats, w: int) -> Floats:
    """Correlation of two columns of returns over w rows, from w // 2 on; NaN where there is none. Polars."""
    least = max(3, w // 2)
    both = np.isfinite(x) & np.isfinite(y)
    frame = pl.DataFrame({"x": np.where(both, x, np.nan), "y": np.where(both, y, np.nan)}).fill_nan(None)
    made = frame.select(
        r=pl.when(
            (pl.col("x").rolling_std(w, min_samples=least) > MIN_SD)
            & (pl.col("y").rolling_std(w, min_samples=least) > MIN_SD)
        ).then(pl.rolling_corr("x", "y", window_size=w, min_samples=least))
    )
    return made["r"].clip(-1.0, 1.0).to_numpy().astype(np.float64)
