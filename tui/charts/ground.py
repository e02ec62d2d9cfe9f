"""Where everything stands on a price chart: how rows and columns are shared out, its scale, and where each bar is.

The axis is as wide as its widest label; the plane has the rest. Values are prices, or per cent of the first one shown.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from engine.technical import ema, sma
from tui import format as fmt
from tui.charts import scale as scales
from tui.charts.binned import binned, each_for
from tui.charts.canvas import Canvas, Floats, Numbers
from tui.charts.data import Course
from tui.charts.picture import Band, Picture
from tui.charts.readout import AVERAGES
from tui.charts.scale import Scale
from tui.lines import Span

VOLUME_FROM = 14
"""Lines from which on volume has room."""
Values = TypeVar("Values", float, Floats)

REACH = 0.45
"""A band is made room for where it lies within this share of the price's own span beyond it."""


class Ground:
    """One chart's ground."""

    def __init__(self, picture: Picture, width: int, height: int, start: int) -> None:
        """Share out width × height cells. start: index of the first bar that is shown."""
        self.picture = picture
        options = picture.options
        self.percent = options.scale == "percent" or picture.other is not None
        whole = picture.course
        self.extra_names = AVERAGES if options.averages != "none" and picture.other is None else ()
        mean = sma if options.averages == "sma" else ema
        extra = tuple(mean(whole.close, bars)[start:] for bars, _ in self.extra_names)
        self.shown = whole.part(start)
        known = self.shown.close[np.isfinite(self.shown.close)]
        self.base, self.newest = (float(known[0]), float(known[-1])) if known.size else (math.nan, math.nan)
        self.candles = whole.candles and not options.line and picture.other is None
        self.other = self._aligned(picture.other)
        if self.other is not None:
            extra = (*extra, self.other)
        self.head_rows = 1 if height >= 5 else 0
        self.foot_rows = 1 if height >= 4 else 0
        self.volume_rows = 0
        if options.volume and height >= VOLUME_FROM and self.shown.traded:
            self.volume_rows = max(2, height // 8)
        self.rows = max(1, height - self.head_rows - self.foot_rows - self.volume_rows)
        self.width = width
        # the axis' width depends on its labels, and they on the bars that are shown: twice is enough
        self.margin, each = 9, 0
        for _ in range(2):
            self.columns = max(4, width - self.margin)
            places = self.columns if self.candles else 2 * self.columns
            if each_for(len(self.shown.time), places) == each:
                break  # the same bars: the same scale and labels
            self.bins = binned(self.shown, extra, places)
            each = self.bins.each
            self.scale = self._scale()
            self.ticks = scales.ticks(self.scale, max(3, self.rows // 4))
            self.digits = picture.digits if picture.digits is not None else scales.decimals(self.ticks)
            self.digits = max(1, self.digits) if self.percent else self.digits
            self.last_words = self._last_words()
            self.labels = [self._label(t) for t in self.ticks]
            self.label_width = max(map(len, (self.last_words, *self.labels)))
            self.margin = min(width // 2, self.label_width + 2)
        self.canvas = Canvas(self.columns, self.rows + self.volume_rows)
        self.axis: dict[int, Span] = {}

    # --- where things stand

    def value(self, values: Values) -> Values:
        """Prices in the chart's own unit: themselves, or per cent of the first one."""
        return 100.0 * (values / self.base - 1.0) if self.percent else values

    def place(self, price: float) -> float:
        """The dot row of one price."""
        return self.scale.at(self.value(price))

    def _aligned(self, other: Course | None) -> Floats | None:
        """The second series at the first one's times, rebased so that both begin at one value."""
        if other is None or not len(other.time) or not len(self.shown.time):
            return None
        at = np.searchsorted(other.time, self.shown.time, side="right") - 1
        near = np.where(at >= 0, self.shown.time - other.time[np.maximum(at, 0)] <= 4 * 86_400_000_000, False)
        values = np.where((at >= 0) & near, other.close[np.maximum(at, 0)], np.nan)
        both = np.flatnonzero(np.isfinite(values) & np.isfinite(self.shown.close))
        if not both.size:
            return np.full(len(values), np.nan)
        first = int(both[0])
        self.base = float(self.shown.close[first])
        return np.asarray(values / values[first] * self.base)

    def _scale(self) -> Scale:
        bars = self.bins.course
        parts = [bars.close, bars.high, bars.low] if self.candles or self.bins.each > 1 else [bars.close]
        if self.other is not None:
            parts.append(self.bins.extra[-1])
        if self._z_shown():
            parts += [np.exp(bars.mean + k * bars.sd) for k in (-2, 2)]
        values = self.value(np.concatenate(parts))
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        span = high - low
        for band in self._bands():
            edges = self.value(np.array([band.low, band.high]))
            if low - REACH * span <= edges[0] and edges[1] <= high + REACH * span:
                low, high = min(low, float(edges[0])), max(high, float(edges[1]))
        log = self.picture.options.scale == "log" and not self.percent
        return scales.scale_for(low, high, 4 * self.rows, log=log)

    def _bands(self) -> tuple[Band, ...]:
        return self.picture.bands if self.picture.options.bands and self.picture.other is None else ()

    def _z_shown(self) -> bool:
        return self.picture.options.z_bands and self.picture.other is None and self.bins.course.z_bands

    def cell(self, index: int) -> int:
        """The cell column of a bar."""
        return int((index + 0.5) * self.columns / self.bins.size)

    def course_y(self, values: Floats) -> Floats:
        """Dot rows of a series, one a dot column; what lies off the plane is broken off."""
        y = self.scale.y(self.value(values))
        dots = 2 * self.columns
        y[(y < -1) | (y > self.scale.dots)] = np.nan
        count = len(y)
        if count == dots:
            return y
        spread = _spread(count, dots)
        known = np.isfinite(y)
        if known.all():
            return np.interp(spread.at, spread.place, y, left=np.nan, right=np.nan)
        if not known.any():
            return np.full(dots, np.nan)
        drawn = np.interp(spread.at, spread.place[known], y[known], left=np.nan, right=np.nan)
        # nothing is drawn across a hole
        whole = known[spread.below] & known[spread.above]
        return np.where(known[spread.nearest] & (whole | spread.near), drawn, np.nan)

    def _last_words(self) -> str:
        newest = self.newest
        if self.percent:
            return f"{fmt.signed(100 * (newest / self.base - 1), max(1, self.digits))} %"
        return fmt.number(newest, max(self.digits, fmt.price_digits(newest)))

    def _label(self, tick: float) -> str:
        """A mark's words, its decimal point below that of the newest price."""
        words = scales.label(tick, self.digits, percent=self.percent)
        more = 0 if self.percent else len(self.last_words.rpartition(".")[2]) - self.digits
        return words + " " * (more + (not self.digits) if more > 0 and "." in self.last_words else 0)


class _Spread(NamedTuple):
    """Where values stand evenly over dot columns."""

    place: Floats
    """Of each value, in dot columns."""
    at: Floats
    """The middle of each dot column."""
    below: Numbers
    above: Numbers
    nearest: Numbers
    """The values on both sides of a dot column, and the one that it is of."""
    near: npt.NDArray[np.bool_]
    """Whether that one is no farther than half of what a dot column stands for."""


@lru_cache(maxsize=64)
def _spread(count: int, dots: int) -> _Spread:
    """`count` values over `dots` columns."""
    at = np.arange(dots, dtype=np.float64) + 0.5
    step = at * count / dots - 0.5
    nearest = np.minimum((at * count / dots).astype(int), count - 1)
    below, above = (np.clip(side(step).astype(int), 0, count - 1) for side in (np.floor, np.ceil))
    near = np.abs(step - nearest) < 0.5 * count / dots
    return _Spread((np.arange(count) + 0.5) * dots / count, at, below, above, nearest, near)
