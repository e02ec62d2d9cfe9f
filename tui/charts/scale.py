"""Where a value stands on a chart, and what its axes say: round numbers at even steps, labels that line up.

A scale is linear, logarithmic, or per cent of the first value (which is linear on rebased values).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from tui import format as fmt
from tui.charts.canvas import Floats

SCALES: Final = ("linear", "log", "percent")
NEW_YORK: Final = ZoneInfo("America/New_York")
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` over `dots` dot rows, the greatest at the top."""

    low: float
    high: float
    dots: int
    log: bool = False

    def y(self, values: Floats) -> Floats:
        """Dot rows, fractional; NaN for what has none, which on a log scale is all that is not above zero."""
        low, high = self.low, self.high
        if self.log:
            values, low, high = np.log(np.where(values > 0, values, np.nan)), math.log(low), math.log(high)
        span = high - low
        place = (values - low) / span if span > 0 else np.where(np.isfinite(values), 0.5, np.nan)
        return (self.dots - 1) * (1 - place)

    def at(self, value: float) -> float:
        """The dot row of one value."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log(value) if value > 0 else math.nan, math.log(low), math.log(high)
        span = high - low
        place = (value - low) / span if span > 0 else 0.5 if math.isfinite(value) else math.nan
        return (self.dots - 1) * (1 - place)


def scale_for(low: float, high: float, dots: int, *, log: bool = False, room: float = 0.04) -> Scale:
    """A scale that holds low to high with `room` of its span free above and below; a flat range is widened."""
    log = log and low > 0
    if not high > low:
        width = abs(low) * 0.01 or 1.0
        low, high = (low * 0.99, high * 1.01) if log else (low - width, high + width)
    if log:
        margin = (high / low) ** room
        return Scale(low / margin, high * margin, dots, True)
    margin = (high - low) * room
    return Scale(low - margin, high + margin, dots)


def step_for(span: float, count: int) -> float:
    """The round step that puts at most `count` marks on `span`."""
    rough = span / max(1, count)
    if not rough > 0 or not math.isfinite(rough):
        return 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    return next(size * s for s in _STEPS if size * s >= rough * 0.999)


def ticks(scale: Scale, count: int) -> list[float]:
    """Round values inside the scale, at most about `count`; 1-2-5 by decades where a log scale spans several."""
    low, high = scale.low, scale.high
    if scale.log and high / low >= 8:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        digits = (1.0, 2.0, 5.0) if len(decades) * 3 <= max(4, count) * 1.5 else (1.0,)
        found = [d * 10.0**e for e in decades for d in digits if low <= d * 10.0**e <= high]
        if len(found) >= 2:
            return found[:: max(1, math.ceil(len(found) / max(2, count)))]
    step = step_for(high - low, count)
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1)]


def decimals(values: Sequence[float]) -> int:
    """Decimals that tell the marks of an axis apart."""
    steps = [abs(b - a) for a, b in itertools.pairwise(values) if b != a]
    least = min(steps, default=abs(values[0]) / 100 if values else 1.0)
    if not least > 0:
        return 2
    digits = max(0, -math.floor(math.log10(least) + 1e-9))
    return digits + (1 if digits < 8 and abs(round(least, digits) - least) > least * 1e-6 else 0)


def label(value: float, digits: int, *, percent: bool) -> str:
    """A mark of the value axis."""
    return f"{fmt.signed(value, digits)} %" if percent else fmt.number(value, digits)


def zone_of(interval: str) -> tzinfo:
    """Daily bars are named by their date, finer ones by New York's time, as in the header."""
    return UTC if interval == "1d" else NEW_YORK


def moment(micros: int, interval: str) -> str:
    """A bar's time in words: `Fri 09 Jan 2026`, `Fri 09 Jan 10:35`."""
    at = datetime.fromtimestamp(micros / US, zone_of(interval))
    return at.strftime("%a %d %b %Y" if interval == "1d" else "%a %d %b %H:%M")


def time_marks(times: Sequence[int], interval: str, width: int) -> list[tuple[int, str]]:
    """As `_time_marks`, which is asked again only when a bar begins."""
    return _time_marks(tuple(times), interval, width)


@lru_cache(maxsize=64)
def _time_marks(times: tuple[int, ...], interval: str, width: int) -> list[tuple[int, str]]:
    """(index, words) where a new hour, day, month or year begins, the finest of them that has room.

    times: microseconds of the bars, which stand evenly over `width` cells.
    """
    if len(times) < 2 or width < 12:
        return []
    zone = zone_of(interval)
    at = [datetime.fromtimestamp(t / US, zone) for t in times]
    daily = interval == "1d"
    several = len({t.date() for t in at}) > 2  # days say more than hours do
    for kind in _KINDS[3:] if daily or several else _KINDS:
        key, words = kind
        keys = [key(t) for t in at]
        turns = [i for i in range(1, len(at)) if keys[i] != keys[i - 1]]
        if not turns:
            continue
        room = max(len(words(at[i])) for i in turns) + 3
        apart = width / len(at)
        gaps = [(b - a) * apart for a, b in itertools.pairwise(turns)]
        if not gaps or sorted(gaps)[len(gaps) // 4] >= room:
            return [(i, words(at[i])) for i in turns]
    return _sparse(at, width)


def _sparse(at: list[datetime], width: int) -> list[tuple[int, str]]:
    """Years, only every second, fifth, tenth one."""
    years = [i for i in range(1, len(at)) if at[i].year != at[i - 1].year]
    for every in (2, 5, 10, 20):
        chosen = [i for i in years if at[i].year % every == 0]
        if len(chosen) * 8 <= width:
            return [(i, str(at[i].year)) for i in chosen]
    return []


def _month(at: datetime) -> str:
    return str(at.year) if at.month == 1 else at.strftime("%b")


_KINDS: Final = (
    (lambda t: (t.date(), t.hour), lambda t: f"{t:%H:%M}"),
    (lambda t: (t.date(), t.hour // 2), lambda t: f"{t:%H:%M}"),
    (lambda t: (t.date(), t.hour // 6), lambda t: f"{t:%d %b}" if t.hour < 6 else f"{t:%H:%M}"),
    (lambda t: t.date(), lambda t: f"{t:%a %d}"),
    (lambda t: t.date().isocalendar()[:2], lambda t: f"{t:%d %b}"),
    (lambda t: (t.year, t.month), _month),
    (lambda t: (t.year, (t.month - 1) // 3), _month),
    (lambda t: t.year, lambda t: str(t.year)),
)
"""From fine to coarse: what a mark stands for, and its words."""
