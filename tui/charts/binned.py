"""Bars brought to a chart's width: where there are more of them than columns, several share one, extremes kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tui.charts.canvas import Floats
from tui.charts.data import Course, Micros


class Binned(NamedTuple):
    """Bars, or groups of `each` bars counted from the last one back."""

    each: int
    course: Course
    """Open of the first, extremes, close and the rest of the last bar of each group; volume summed."""
    begins: Micros
    """Time of the first bar of each group; `course.time` is the last one's."""
    extra: tuple[Floats, ...]
    """Further columns, the last value of each group."""

    @property
    def size(self) -> int:
        """Groups."""
        return len(self.begins)

    def group_of(self, time: int) -> int:
        """The group that a time falls in, the nearest where it falls in none."""
        return min(max(0, int(np.searchsorted(self.course.time, time))), self.size - 1)


def each_for(count: int, columns: int) -> int:
    """How many bars share a column, so that `count` of them take at most so many."""
    return max(1, -(-count // max(1, columns)))


def binned(course: Course, extra: tuple[Floats, ...], columns: int) -> Binned:
    """At most `columns` groups of equal size."""
    count = len(course.time)
    each = each_for(count, columns)
    if each == 1:
        return Binned(1, course, course.time, extra)
    groups = -(-count // each)
    pad = groups * each - count

    def shaped(values: Floats) -> Floats:
        return np.concatenate([np.full(pad, np.nan), values]).reshape(groups, each)

    opens, highs, lows, closes = (shaped(v) for v in (course.open, course.high, course.low, course.close))
    # a bar of one price alone, such as a ratio's, has that for its extremes
    highs, lows = np.where(np.isnan(highs), closes, highs), np.where(np.isnan(lows), closes, lows)
    empty = np.isnan(closes).all(axis=1)
    volume = shaped(course.volume)
    known = np.isfinite(volume).any(axis=1)
    ends = np.arange(groups) * each + each - 1 - pad
    begins = np.maximum(0, ends - each + 1)
    folded = Course(
        course.time[ends],
        _first(opens),
        np.where(empty, np.nan, np.fmax.reduce(highs, axis=1)),
        np.where(empty, np.nan, np.fmin.reduce(lows, axis=1)),
        _first(closes[:, ::-1]),
        np.where(known, np.nansum(volume, axis=1), np.nan),
        *(values[ends] for values in course[6:]),
    )
    return Binned(each, folded, course.time[begins], tuple(values[ends] for values in extra))


def _first(values: Floats) -> Floats:
    """The first finite value of each line; NaN where there is none."""
    finite = np.isfinite(values)
    return np.where(finite.any(axis=1), values[np.arange(len(values)), finite.argmax(axis=1)], np.nan)
