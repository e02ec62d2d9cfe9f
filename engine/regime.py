"""Evidence for a secular and for a cyclical turn of size, each item held against its number; no verdict (METRICS §7).

An item without its data has no value and holds nothing: `None` is neither for nor against. Every function looks at
closed values only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from engine.fed_funds import far_months
from engine.grid import Days, Floats
from engine.windows import MIN_SD

SMA_SLOW: Final = 756
SMA: Final = 200
HIGH_YEARS: Final = 5.0
SLOPE_BARS: Final = 21
"""Over so many rows the slow mean is said to fall or rise."""
LOW_BARS: Final = 252
QUIET_BARS: Final = 126
ROTATION_WEEKS: Final = 14
TAIL_WEEKS: Final = 8
CUTS_BP: Final = 25.0
SMALL_SHARE: Final = "small-cap share percentile"
BREADTH: Final = "small breadth50 over large"
CUTS: Final = "cuts priced over 12 months, bp"


class Evidence(NamedTuple):
    """One item of one side."""

    side: str
    """`secular` or `cyclical`."""
    item: str
    value: float | None
    threshold: float
    holds: bool | None
    """Whether the item speaks for its side; None without data."""
    whole: bool = True
    """Whether its windows are full."""


def sma(values: Floats, w: int, back: int = 0) -> float | None:
    """Mean of the last w values `back` rows ago, from w // 2 non-null ones on."""
    end = len(values) - back
    part = values[max(0, end - w) : max(0, end)]
    known = part[np.isfinite(part)]
    return float(known.mean()) if len(known) >= w // 2 and len(part) else None


def evidence(
    q: Floats,
    days: Days,
    *,
    rel_5y: float | None,
    rel_3m: float | None,
    streak_years: int | None,
    streak_leader: str | None,
    small_share_percentile: float | None,
    breadth50_small: float | None,
    breadth50_large: float | None,
    cuts_bp: float | None,
) -> tuple[Evidence, ...]:
    """Both counters' items for the log ratio q of small over large, closed rows only, days since 1970 beside it.

    Secular: 5y relative < 0 · SMA756(q) now − 21 rows ago < 0 · years since the ratio's high > 5 · streak of the large
    side ≥ 5 · small-cap share percentile < 10 %.
    An age of the high is told once it is beyond five years, or five years of history say that it is not.
    Cyclical: 3M relative > 0 · q − SMA200 > 0 · small breadth50 − large > 0 · ≥ 25 bp of cuts priced over 12 months ·
    rows since a new 252-bar low of q ≥ 126.
    """
    known = np.flatnonzero(np.isfinite(q))
    last = float(q[known[-1]]) if known.size else None
    now, before = sma(q, SMA_SLOW), sma(q, SMA_SLOW, SLOPE_BARS)
    mean = sma(q, SMA)
    since_high = None
    if known.size:
        top = int(known[np.flatnonzero(q[known] == q[known].max())[-1]])
        since_high = float(days[known[-1]] - days[top]) / 365.25
        if days[known[-1]] - days[known[0]] < HIGH_YEARS * 365.25:
            since_high = None  # a higher one may lie before the history
    led = None if streak_years is None else float(streak_years if streak_leader == "large" else 0)
    wide = None if breadth50_small is None or breadth50_large is None else breadth50_small - breadth50_large
    return (
        _below("secular", "5y relative", rel_5y, 0.0),
        _below("secular", "slope of SMA756", None if now is None or before is None else now - before, 0.0)._replace(
            whole=known.size >= SMA_SLOW + SLOPE_BARS
        ),
        _above("secular", "years since the ratio's high", since_high, HIGH_YEARS),
        _at_least("secular", "years led by large", led, 5.0),
        small_share(small_share_percentile),
        _above("cyclical", "3m relative", rel_3m, 0.0),
        _above("cyclical", "ratio over SMA200", None if last is None or mean is None else last - mean, 0.0)._replace(
            whole=known.size >= SMA
        ),
        _above("cyclical", BREADTH, wide, 0.0),
        _at_least("cyclical", CUTS, cuts_bp, CUTS_BP),
        _at_least("cyclical", "rows since a 252-bar low", rows_since_low(q), float(QUIET_BARS)),
    )


def small_share(percentile: float | None) -> Evidence:
    """The small caps' share of the assets of size funds, by its percentile over ten years."""
    return _below("secular", SMALL_SHARE, percentile, 0.10)


def rows_since_low(q: Floats, w: int = LOW_BARS) -> float | None:
    """Rows since q last was at the minimum of its w values; the whole history where it never was; None under w values.

    A row without a value is no value: it must not hide the lows of the w rows after it.
    """
    known = np.flatnonzero(np.isfinite(q))
    if known.size < w:
        return None
    values = pl.Series(q[known])
    at_low = (values <= values.rolling_min(w, min_samples=w)).fill_null(value=False).to_numpy()
    hits = known[at_low]
    return float(len(q) - 1 - hits[-1]) if hits.size else float(len(q))


class Rotation(NamedTuple):
    """Relative rotation of A against B, weekly; NaN where not yet known."""

    rs_ratio: Floats
    """RSR = 100 + z14(100·A/B)."""
    rs_momentum: Floats
    """RSM = 100 + z14(ΔRSR)."""


def rotation(weekly_ratio: Floats) -> Rotation:
    """RRG-like coordinates (JdK's own are proprietary) of weekly A/B; z over 14 weeks, ddof 1, full windows only."""
    rsr = 100.0 + _z(100.0 * weekly_ratio)
    return Rotation(rsr, 100.0 + _z(np.diff(rsr, prepend=np.nan)))


def quadrant(rs_ratio: float, rs_momentum: float) -> str:
    """Leading ≥/≥, Weakening ≥/<, Lagging </<, Improving </≥, both against 100."""
    if rs_ratio >= 100:
        return "Leading" if rs_momentum >= 100 else "Weakening"
    return "Improving" if rs_momentum >= 100 else "Lagging"


def weekly(days: Days, values: Floats) -> tuple[Days, Floats]:
    """The last value of each week (Monday to Sunday) that has one, with its day."""
    known = np.isfinite(values)
    days, values = days[known], values[known]
    weeks = (days + 3) // 7  # 1970-01-01 was a Thursday
    last = np.flatnonzero(np.diff(weeks, append=weeks[-1] + 1 if len(weeks) else 0)) if len(weeks) else weeks
    return days[last], values[last]


def breadth(closes: Sequence[Floats], w: int) -> tuple[float | None, int]:
    """Share of the members with a price above the mean of their last w closes, and how many are valid (all w there)."""
    above = [float(c[-1]) > float(c[-w:].mean()) for c in closes if len(c) >= w and np.isfinite(c[-w:]).all()]
    return (sum(above) / len(above) if above else None), len(above)


def yield_pct(value: float | None) -> float | None:
    """A Treasury yield in per cent: Yahoo has quoted ^IRX and ^TNX tenfold, so a value > 20 is ÷ 10."""
    if value is None or not math.isfinite(value):
        return None
    return value / 10.0 if value > 20 else value


class Meeting(NamedTuple):
    """What a Fed funds future says of one meeting; rates in per cent."""

    implied: float
    """r_imp = 100 − P, the month's mean rate."""
    after: float
    """r_post."""
    cut_probability: float
    """P(25 bp cut) = clip((r_pre − r_post)/.25), 0 to 1."""


def fed_meeting(price: float, rate_before: float, days_in_month: int, days_before: int) -> Meeting | None:
    """r_post = (N·r_imp − D·r_pre)/(N − D), D days of the month at the old rate; None where no day is left."""
    if days_before >= days_in_month or not math.isfinite(price) or not math.isfinite(rate_before):
        return None
    implied = 100.0 - price
    after = (days_in_month * implied - days_before * rate_before) / (days_in_month - days_before)
    return Meeting(implied, after, cut_probability(rate_before, after))


def cut_probability(before: float, after: float) -> float:
    """P(25 bp cut) of a meeting that takes the rate from `before` to `after`, both in per cent; 0 to 1."""
    return min(1.0, max(0.0, (before - after) / 0.25))


def cuts_priced_bp(prices: Mapping[date, float], today: date) -> float | None:
    """Basis points of cuts over 12 months: implied rate of this month's contract − that of the month a year on.

    Where that one is not there, of the month before it.

    prices: Fed funds futures (`ZQ` + month letter + year + `.CBT`) by the first day of their month; the front month
    alone says nothing, so None without both.
    """
    here, there = prices.get(today.replace(day=1)), next((prices[m] for m in far_months(today) if m in prices), None)
    if here is None or there is None:
        return None
    return 100.0 * ((100.0 - here) - (100.0 - there))


def _z(values: Floats) -> Floats:
    """z of each value over 14 weeks, NaN where one is missing or the window is flat."""
    out = np.full(len(values), np.nan)
    if len(values) >= ROTATION_WEEKS:
        windows = np.lib.stride_tricks.sliding_window_view(values, ROTATION_WEEKS)
        sd = windows.std(axis=1, ddof=1)
        ok = np.isfinite(sd) & (sd > MIN_SD)
        out[ROTATION_WEEKS - 1 :][ok] = ((windows[:, -1] - windows.mean(axis=1)) / np.where(ok, sd, 1.0))[ok]
    return out


def _below(side: str, item: str, value: float | None, bound: float) -> Evidence:
    return Evidence(side, item, value, bound, None if value is None else value < bound)


def _above(side: str, item: str, value: float | None, bound: float) -> Evidence:
    return Evidence(side, item, value, bound, None if value is None else value > bound)


def _at_least(side: str, item: str, value: float | None, bound: float) -> Evidence:
    return Evidence(side, item, value, bound, None if value is None else value >= bound)
