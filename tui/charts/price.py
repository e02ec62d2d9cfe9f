"""A price's course on a plane: candles or a line, with what lies over it; labels that line up, gaps where bars miss.

`paint` is pure: a `Picture` and a size in, lines out. The newest price has a line of its own across the plane, which
tells by its glyph and its dots whether it is live, stale, closed, estimated or simulated.
"""

from __future__ import annotations

import math
import os
from typing import Final

import numpy as np

from engine.technical import pivots
from tui import format as fmt
from tui.charts import candle
from tui.charts import scale as scales
from tui.charts.binned import each_for
from tui.charts.canvas import Caption, Floats
from tui.charts.data import beginning
from tui.charts.ground import Ground
from tui.charts.picture import Drawn, Picture
from tui.charts.readout import readout
from tui.lines import Line, merged, plain

Z_BANDS: Final = ((-2, "warn"), (-1, "line"), (0, "dim"), (1, "line"), (2, "warn"))
LAST: Final = {"ok": ("●", 2), "stale": ("◌", 8), "closed": ("·", 6), "estimated": ("~", 4), "warming": ("…", 8)}
"""Glyph of the newest price by status, and one dot in how many draws its line."""
PIVOT_BARS: Final = 5


class Plot(Ground):
    """One drawing under way."""

    def draw(self) -> Drawn:
        """Everything, from the ground up."""
        if self.volume_rows:
            self._volume()
        for tick in self.ticks:
            self.canvas.level(self.scale.at(tick), "line", 8)
        self._draw_bands()
        if self._z_shown():
            self._draw_z()
        for (_, role), values in zip(self.extra_names, self.bins.extra, strict=False):
            self.canvas.course(self._padded(self.course_y(values)), role)
        if self.other is not None:
            self.canvas.course(self._padded(self.course_y(self.bins.extra[-1])), "warn")
        self._last_line()
        self._price()
        if self.picture.options.marks:
            self._marks()
        self._average_tags()
        cross = self._cross()
        self._tick_labels()
        lines = self._assembled(cross)
        return Drawn(lines, 0, self.columns, tuple(self.bins.course.time.tolist()))

    def _padded(self, y: Floats) -> Floats:
        return y

    def _volume(self) -> None:
        volume = self.bins.course.volume
        known = volume[np.isfinite(volume)]
        if not len(known) or not known.max() > 0:
            return
        heights = np.full(self.columns, np.nan)
        shares = volume / known.max()
        if self.columns < 2 * self.bins.size:  # no room between them: columns that touch
            heights = shares[((np.arange(self.columns) + 0.5) * self.bins.size / self.columns).astype(int)]
        else:
            heights[((np.arange(self.bins.size) + 0.5) * self.columns / self.bins.size).astype(int)] = shares
        self.canvas.bars(heights, self.rows, self.volume_rows, ["line"] * self.columns)
        self.axis[self.rows] = (f" {self._volume_words(float(known.max()))}", "dim")

    def _volume_words(self, most: float) -> str:
        """The greatest volume with its magnitude, without a decimal where the axis is narrow."""
        words = fmt.compact(most).strip()
        return words if len(words) < self.margin else words.split(".")[0] + words[-3:]

    def _draw_bands(self) -> None:
        """The levels that the user named as fields with their words, found ones as lines with theirs where free."""
        for band in sorted(self._bands(), key=lambda band: not band.named):
            edges = self.scale.y(self.value(np.array([band.high, band.price, band.low])))
            side = "up" if band.role == "support" else "down"
            role = self._worth(side)
            words = f"{band.role[0].upper()} {fmt.level(band.price)}"
            more = f" {band.state or ''}{f' ×{band.touches}' if band.touches else ''}".rstrip()
            if edges[0] > self.scale.dots or edges[2] < -1:
                arrow, row = ("▲", 0) if edges[2] < 0 else ("▼", self.rows - 1)
                gap = 100 * (band.price / self.newest - 1)
                self._words(row, f" {arrow} {words}  {fmt.signed(gap, 1)} %{more} ", role)
                continue
            if band.named:
                self.canvas.shade(max(0.0, edges[0]), min(self.scale.dots - 1.0, edges[2]), role)
            self.canvas.level(edges[1], role, 3 if band.named else 6)
            row = min(self.rows - 1, max(0, int(edges[1] // 4)))
            beside = row - 1 if side == "down" and row > 0 else min(self.rows - 1, row + 1)
            self._words(beside if band.named else row, f" {words}{more} ", role)

    def _worth(self, role: str) -> str:
        """The role, or the one of what is not of now: a level's state and a band follow from the newest prices."""
        return "stale" if self.picture.status == "stale" else role

    def _words(self, row: int, words: str, role: str) -> None:
        """Words at the left of a row, unless others stand there."""
        if self.canvas.free(1, row, len(words)):
            self.canvas.text(1, row, words, role)

    def _draw_z(self) -> None:
        bars = self.bins.course
        for k, known in Z_BANDS:
            role = known if known == "line" else self._worth(known)
            y = self.course_y(np.exp(bars.mean + k * bars.sd))
            columns = np.arange(0, len(y), 3 if k else 2)
            self.canvas.strokes(columns, y[columns], y[columns], role)
            finite = y[np.isfinite(y)]
            if len(finite):
                row = int(finite[-1] // 4)
                words = "mean" if k == 0 else f"{fmt.signed(float(k), 0)}σ"
                if 0 <= row < self.rows and row not in self.axis:
                    self.axis[row] = (f"  {words}", "dim" if role == "line" else role)

    def _price(self) -> None:
        bars = self.bins.course
        if not self.candles:
            role = "stale" if self.picture.status == "stale" else "accent"
            if self.bins.each > 2:
                top, bottom = (self.course_y(v) for v in (bars.high, bars.low))
                self.canvas.columns(top, bottom, role)
            self.canvas.course(self.course_y(bars.close), role)
            return
        opens = np.where(np.isfinite(bars.open), bars.open, bars.close)
        ys = [self.scale.y(self.value(v)) for v in (opens, bars.high, bars.low, bars.close)]
        pitch = self.columns / self.bins.size
        reach = 0 if pitch < 2 else 1 if pitch < 4 else 2 if pitch < 8 else 4
        cells = 2 * ((np.arange(self.bins.size) + 0.5) * pitch).astype(np.int64)
        offsets = np.arange(2) if not reach else np.arange(-reach, reach + 1)
        up = bars.close >= opens
        bare = bool(os.environ.get("NO_COLOR"))
        for rising in (False, True):
            role = "stale" if self.picture.status == "stale" else "up" if rising else "down"
            mine = np.flatnonzero(np.isfinite(bars.close) & (up == rising))
            begun, peak, pit, ended = (y[mine] for y in ys)
            shaped = candle.hollow if rising and (bare or role == "stale") else candle.full
            columns, low, high = shaped(cells[mine], offsets, (begun, peak, pit, ended))
            self.canvas.strokes(columns, np.maximum(low, 0), np.minimum(high, self.scale.dots - 1), role)

    def _marks(self) -> None:
        bars = self.bins.course
        highs = np.where(np.isfinite(self.shown.high), self.shown.high, self.shown.close)
        lows = np.where(np.isfinite(self.shown.low), self.shown.low, self.shown.close)
        filled = [np.where(np.isfinite(v), v, bad) for v, bad in ((highs, -np.inf), (-lows, -np.inf))]
        for values, signed, glyph, step in ((highs, filled[0], "▾", -1), (lows, filled[1], "▴", 1)):
            for i in pivots(signed, PIVOT_BARS).tolist():
                if not math.isfinite(values[i]):
                    continue
                x = self.cell(self.bins.group_of(int(self.shown.time[i])))
                y = int(self.place(float(values[i])) // 4) + step
                if self.canvas.free(x, y, 1) and 0 <= y < self.rows:
                    self.canvas.text(x, y, glyph, "dim")
        for mark in self.picture.marks:
            if len(bars.time) and int(self.bins.begins[0]) <= mark.time <= int(bars.time[-1]) + 86_400_000_000:
                at = int(np.searchsorted(self.bins.begins, mark.time, side="right")) - 1
                self.canvas.text(self.cell(max(0, at)), 0, "!", "alert" if mark.severity == "critical" else "warn")

    # --- the newest price, the axis and the crosshair

    def _last_line(self) -> None:
        newest = self.newest
        if newest != newest:  # noqa: PLR0124 — NaN
            return
        status = self.picture.status
        glyph, every = LAST.get(status, LAST["ok"])
        role = status if status in ("stale", "closed", "estimated") else "bright"
        y = self.place(newest)
        if self.picture.simulated and glyph == "●":
            glyph = fmt.SIMULATED
        self.canvas.level(y, "dim" if role == "bright" else role, every)
        row = min(self.rows - 1, max(0, int(y // 4)))
        meaning = "simulated" if self.picture.simulated and role == "bright" else role
        self.axis[row] = (f"{glyph} {self.last_words:>{self.label_width}}", meaning)

    def _average_tags(self) -> None:
        for (bars, role), values in zip(self.extra_names, self.bins.extra, strict=False):
            self._tag(values, str(bars), role)
        if self.other is not None:
            self._tag(self.bins.extra[-1], self.picture.options.versus or "", "warn")

    def _tag(self, values: Floats, words: str, role: str) -> None:
        known = values[np.isfinite(values)]
        if len(known):
            row = int(self.place(float(known[-1])) // 4)
            if 0 <= row < self.rows and row not in self.axis:
                self.axis[row] = (f"  {words[: self.margin - 2]}", role)

    def _cross(self) -> int | None:
        """Draw the crosshair; the group under it."""
        time = self.picture.cross
        if time is None or not self.bins.size:
            return None
        at = self.bins.group_of(time)
        self.canvas.upright(self.cell(at), "bright", 2)
        close = float(self.bins.course.close[at])
        if close == close:  # noqa: PLR0124 — NaN
            value = self.value(close)
            y = self.scale.at(value)
            self.canvas.level(y, "bright", 4)
            digits = max(self.digits, 0 if self.percent else fmt.price_digits(close))
            self.axis[min(self.rows - 1, max(0, int(y // 4)))] = (
                f"┼ {scales.label(value, digits, percent=self.percent):>{self.label_width}}", "key",
            )  # fmt: skip
        return at

    def _tick_labels(self) -> None:
        for tick, words in zip(self.ticks, self.labels, strict=True):
            row = int(self.scale.at(tick) // 4)
            if 0 <= row < self.rows and row not in self.axis:
                self.axis[row] = (f"  {words:>{self.label_width}}", "dim")

    def _assembled(self, cross: int | None) -> list[Line]:
        lines: list[Line] = []
        if self.head_rows:
            line = readout(self.picture, self.bins, cross, self.width, self.base)
            stale = cross is None and self.picture.status == "stale"  # what the crosshair stands on is history
            lines.append(((plain(line), "stale"),) if stale else line)
        room = self.width - self.columns
        for row, line in enumerate(self.canvas.lines()):
            words, role = self.axis.get(row, ("", "dim"))
            lines.append(merged((*line, (f"{words:<{room}}"[:room], role))))
        if self.foot_rows:
            lines.append(self._time_axis(cross))
        return lines

    def _time_axis(self, cross: int | None) -> Line:
        caption = Caption(self.width)
        begins = self.bins.begins
        # a line has two bars a cell at the most: marks are looked for at the cells
        each = each_for(len(begins), self.columns)
        interval = self.picture.interval
        for index, words in scales.time_marks(begins[::each].tolist(), interval, self.columns):
            x = min(self.cell(index * each), self.columns - 1)
            x = min(x, self.width - len(words))
            if caption.free(max(0, x - 2), len(words) + 2) and x >= 0:
                caption.text(x, words, "dim")
        if cross is not None:
            words = f" {scales.moment(int(self.bins.course.time[cross]), interval)} "
            x = min(max(0, self.cell(cross) - len(words) // 2), max(0, self.width - len(words)))
            caption.text(0, " " * self.width, "dim") if self.width < 40 else None
            caption.text(x, words, "key")
        note = self.picture.zone_note
        if note and caption.free(self.width - len(note) - 1, len(note) + 1):
            caption.text(self.width - len(note), note, "dim")
        return caption.line()


def paint(picture: Picture, width: int, height: int) -> Drawn:
    """The chart in `width` × `height` cells; no lines where it has no room or fewer than two bars."""
    if width < 14 or height < 2:
        return Drawn([])
    start = beginning(picture.course.time, picture.options.span)
    if int(np.isfinite(picture.course.close[start:]).sum()) < 2:
        return Drawn([])
    return Plot(picture, width, height, start).draw()
