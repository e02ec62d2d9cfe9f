"""Where supports and resistances come from besides the configuration, and how what agrees becomes one (METRICS §4).

Every source is a pure function of closed bars and says prices; `merge` joins those that lie within 0.5 ATR. Nothing
here knows of states or touches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from engine.bars import days_of
from engine.grid import EPOCH, Floats
from engine.technical import high_low_close, pivots

K: Final = 5
BARS_BACK: Final = 504
HALF_LIFE_BARS: Final = 126
BANDWIDTH_ATR: Final = 0.5
NEAR_ATR: Final = 0.5
BIN_ATR: Final = 0.25
VALUE_AREA: Final = 0.70
YEAR_BARS: Final = 252
DONCHIAN: Final = (20, 55)
PER_BANDWIDTH: Final = 8
"""Grid points of the density a bandwidth."""
NEWTON: Final = 6
"""Steps of Newton's method from a grid point to the peak beside it: each doubles the digits."""
BINS: Final = 2_000
"""Rows of a volume profile at the most."""


class Candidate(NamedTuple):
    """A price that one method names."""

    price: float
    method: str
    """`pivots`, `floor`, `donchian`, `profile`, `vwap`."""


class Merged(NamedTuple):
    """A price on which one or more methods agree."""

    price: float
    methods: tuple[str, ...]


class ValueArea(NamedTuple):
    """Rows of a volume profile: point of control, value area low and high."""

    poc: int
    low: int
    high: int


def pivot_density(at: Floats, prices: Floats, weights: Floats, bandwidth: float) -> Floats:
    """Gaussian kernel density Σ w·φ((x − p)/h)/(h·Σ w) at each x. Oracle: `scipy.stats.gaussian_kde`."""
    u = (at[:, None] - prices[None, :]) / bandwidth
    kernel = np.exp(-0.5 * u * u) / (bandwidth * math.sqrt(2.0 * math.pi))
    return np.asarray(kernel @ weights / weights.sum(), dtype=np.float64)


def from_pivots(frame: pl.DataFrame, atr: float) -> list[Candidate]:
    """(b) Peaks of the density of the pivots (k = 5) of highs and lows over 504 bars, bandwidth 0.5 ATR.

    A pivot weighs 2^{−age/126}; a peak needs ≥ 2 pivots within a bandwidth.
    """
    tail = frame.tail(BARS_BACK)
    last = tail.height - 1
    found = []
    high, low, _ = high_low_close(tail)
    for values, sign in ((high, 1.0), (low, -1.0)):
        found += [(values[i], 2.0 ** (-(last - i) / HALF_LIFE_BARS)) for i in pivots(sign * values, K).tolist()]
    if len(found) < 2 or not atr > 0:
        return []
    prices, weights = (np.array(v) for v in zip(*found, strict=True))
    h = BANDWIDTH_ATR * atr
    count = min(20_000, int((prices.max() - prices.min() + 2 * h) / h * PER_BANDWIDTH) + 3)
    at = np.linspace(prices.min() - h, prices.max() + h, count)
    density = pivot_density(at, prices, weights, h)
    peaks = np.flatnonzero((density[1:-1] > density[:-2]) & (density[1:-1] >= density[2:])) + 1
    tops = (_summit(float(at[i]), float(at[1] - at[0]), prices, weights, h) for i in peaks)
    return [Candidate(top, "pivots") for top in tops if (np.abs(prices - top) <= h).sum() >= 2]


def _summit(near: float, step: float, prices: Floats, weights: Floats, bandwidth: float) -> float:
    """Where the density has its peak, from its highest grid point on by Newton's method, within one step of that."""
    x = near
    for _ in range(NEWTON):
        gap = (prices - x) / bandwidth
        mass = weights * np.exp(-0.5 * gap * gap)
        curve = float(mass @ (gap * gap - 1.0))
        if curve >= 0.0:
            return near
        x -= bandwidth * float(mass @ gap) / curve
    return x if abs(x - near) <= step else near


def floor_pivots(high: float, low: float, close: float) -> dict[str, float]:
    """(c) P = (H + L + C)/3, R1 = 2P − L, S1 = 2P − H, R2/S2 = P ± (H − L), R3 = H + 2(P − L), S3 = L − 2(H − P)."""
    p = (high + low + close) / 3.0
    return {
        "S3": low - 2 * (high - p), "S2": p - (high - low), "S1": 2 * p - high, "P": p,
        "R1": 2 * p - low, "R2": p + (high - low), "R3": high + 2 * (p - low),
    }  # fmt: skip


def prior_week(frame: pl.DataFrame, today: date) -> tuple[float, float, float] | None:
    """High, low and close of the week (Monday to Sunday) before that of `today`; None where no bar falls in it."""
    monday = today - timedelta(days=today.weekday())
    end = (monday - EPOCH).days
    days = days_of(frame)
    first, upto = (int(i) for i in np.searchsorted(days, (end - 7, end)))
    if first == upto:
        return None
    high, low, close = high_low_close(frame.slice(first, upto - first))
    return float(high.max()), float(low.min()), float(close[-1])


def donchian(frame: pl.DataFrame, bars: int) -> tuple[float, float] | None:
    """(d) Highest high and lowest low of the last closed bars: `rolling_max(n).shift(1)` as the next bar sees it."""
    if frame.height < bars:
        return None
    high, low, _ = high_low_close(frame.tail(bars))
    return float(high.max()), float(low.min())


def profile(frame: pl.DataFrame, size: float) -> tuple[float, Floats]:
    """Volume by price rows of `size`, each bar's spread evenly over its [low, high]: lowest edge, and the rows."""
    known = frame.drop_nulls(["high", "low", "volume"])
    low, high = known["low"].to_numpy(), known["high"].to_numpy()
    if not known.height or not size > 0 or (high.max() - low.min()) / size > BINS:
        return 0.0, np.zeros(0)
    start = math.floor(low.min() / size) * size
    rows = np.zeros(int((high.max() - start) // size) + 1)
    volume = known["volume"].to_numpy()
    first = np.minimum(((low - start) // size).astype(int), len(rows) - 1)
    last = np.minimum(((high - start) // size).astype(int), len(rows) - 1)
    span = high - low
    for row in range(len(rows)):
        bottom = start + row * size
        overlap = np.clip(np.minimum(high, bottom + size) - np.maximum(low, bottom), 0.0, None)
        inside = (first <= row) & (row <= last)
        share = np.divide(overlap, span, out=np.where(first == row, 1.0, 0.0), where=span > 0)
        rows[row] = float((share * volume)[inside].sum())
    return start, rows


def value_area(rows: Floats, share: float = VALUE_AREA) -> ValueArea | None:
    """From the fullest row on, the larger adjacent **pair** of rows is added until `share` of all is in; ties go up.

    0-based rows; None for an empty profile.
    """
    if not len(rows) or not rows.sum() > 0:
        return None
    poc = int(np.argmax(rows))
    low = high = poc
    inside, wanted = float(rows[poc]), share * float(rows.sum())
    while inside < wanted and (low > 0 or high < len(rows) - 1):
        above, below = float(rows[high + 1 : high + 3].sum()), float(rows[max(0, low - 2) : low].sum())
        if high < len(rows) - 1 and (above >= below or low == 0):
            high, inside = min(high + 2, len(rows) - 1), inside + above
        else:
            low, inside = max(low - 2, 0), inside + below
    return ValueArea(poc, low, high)


def from_profile(intraday: pl.DataFrame, ratio: float, atr: float) -> list[Candidate]:
    """(e) Middle of the fullest row and the value area's edges of 5-minute bars, times `ratio` (an index ÷ its fund).

    atr is in the index's units; the bin is 0.25 ATR.
    """
    start, rows = profile(intraday, BIN_ATR * atr / ratio)
    area = value_area(rows)
    if area is None:
        return []
    size = BIN_ATR * atr / ratio
    prices = (start + (area.poc + 0.5) * size, start + area.low * size, start + (area.high + 1) * size)
    return [Candidate(p * ratio, "profile") for p in prices]


def anchored_vwap(frame: pl.DataFrame, volume: Floats, start: int) -> float | None:
    """(f) Σ TP·V ÷ Σ V from bar `start` on, TP = (H + L + C)/3; None without a volume."""
    high, low, close = high_low_close(frame)
    typical = (high + low + close) / 3.0
    part, weight = typical[start:], volume[start:]
    known = np.isfinite(weight) & (weight > 0)
    total = float(weight[known].sum())
    return float(part[known] @ weight[known]) / total if total > 0 else None


def from_vwap(frame: pl.DataFrame, volume: Floats, today: date) -> list[Candidate]:
    """(f) VWAP anchored at the year's first bar and at the bars of the 252-bar high and low."""
    if frame.is_empty():
        return []
    first = int(np.searchsorted(days_of(frame), (date(today.year, 1, 1) - EPOCH).days))
    back = max(0, frame.height - YEAR_BARS)
    high, low, _ = high_low_close(frame)
    starts = (first, back + int(np.argmax(high[back:])), back + int(np.argmin(low[back:])))
    found = (anchored_vwap(frame, volume, s) for s in starts if s < frame.height)
    return [Candidate(p, "vwap") for p in found if p is not None]


def merge(configured: Iterable[float], candidates: Iterable[Candidate], atr: float) -> list[Merged]:
    """One price for what lies within 0.5 ATR: a configured price keeps its own, the others take their mean.

    Greedy from the lowest price up, so that a cluster spans at most 0.5 ATR; prices ≤ 0 are left out.
    """
    near = NEAR_ATR * atr
    fixed = {price: ["config"] for price in configured}
    loose: list[Candidate] = []
    for candidate in candidates:
        if not candidate.price > 0 or not math.isfinite(candidate.price):
            continue
        home = min(fixed, key=lambda p: abs(p - candidate.price), default=None)
        if home is not None and abs(home - candidate.price) <= near:
            fixed[home].append(candidate.method)
        else:
            loose.append(candidate)
    made = [Merged(p, tuple(dict.fromkeys(m))) for p, m in fixed.items()]
    cluster: list[Candidate] = []
    for candidate in [*sorted(loose), Candidate(math.inf, "")]:
        if cluster and candidate.price - cluster[0].price > near:
            mean = sum(c.price for c in cluster) / len(cluster)
            made.append(Merged(mean, tuple(dict.fromkeys(c.method for c in cluster))))
            cluster = []
        cluster.append(candidate)
    return sorted(made)
