"""The recent course of the ratio under the spreads' cursor, in braille, with its scale written beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui import format as fmt
from tui.lines import Line
from tui.panes.gauges import mark_for, size_pairs
from tui.view import View
from tui.widgets.linepane import LinePane

if TYPE_CHECKING:
    from tui.panes.spreads import SpreadsPane

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell: four rows of two dots."""


def braille(values: Sequence[float | None], width: int, height: int) -> list[str]:
    """A line through the values, oldest first, stretched over `width` × `height` cells; gaps where they are missing."""
    grid = [[0] * width for _ in range(height)]
    known = [v for v in values if v is not None and math.isfinite(v)]
    if width > 0 and height > 0 and len(known) > 1:
        low, span = min(known), max(known) - min(known)
        dots, rows = 2 * width, 4 * height
        before: int | None = None
        for x in range(dots):
            place = x * (len(values) - 1) / (dots - 1)
            left, right = values[math.floor(place)], values[math.ceil(place)]
            if left is None or right is None or not math.isfinite(left + right):
                before = None
                continue
            value = left + (right - left) * (place - math.floor(place))
            y = rows - 1 - (round((value - low) / span * (rows - 1)) if span > 0 else rows // 2)
            ends = (y, y) if before is None else (min(y, before), max(y, before))
            for dot in range(ends[0], ends[1] + 1):
                grid[dot // 4][x // 2] |= _DOTS[dot % 4][x % 2]
            before = y
    return ["".join(chr(0x2800 + cell) for cell in line) for line in grid]


def paint_chart(values: Sequence[float | None], width: int, height: int) -> list[Line]:
    """The line with its greatest, middle and least value at the right, and what it has done over its length below."""
    known = [v for v in values if v is not None and math.isfinite(v)]
    if len(known) < 2 or height < 2 or width < 16:
        return []
    low, high = min(known), max(known)
    digits = 2 if high >= 10 else 4 if high >= 0.1 else 5
    labels = [fmt.number(v, digits) for v in (high, (high + low) / 2, low)]
    margin = max(map(len, labels)) + 2
    rows = braille(values, width - margin, height - 1)
    marks = {0: labels[0], len(rows) - 1: labels[2]}
    if len(rows) >= 5:
        marks[(len(rows) - 1) // 2] = labels[1]
    lines: list[Line] = [((text, "accent"), (marks.get(y, "").rjust(margin), "dim")) for y, text in enumerate(rows)]
    change = 100 * (known[-1] / known[0] - 1) if known[0] else None
    lines.append(((f" last {len(values)} values  ", "dim"), (f"{fmt.signed(change)} %", fmt.direction(change))))
    return lines


class ChartPane(LinePane):
    """The chart of a spread's ratio: the one under the spreads' cursor, or always the crypto one."""

    heading = "Ratio"
    reads = ("spreads",)

    def __init__(self, spreads: SpreadsPane | None, id: str) -> None:
        """Draw what `spreads` points at; None: the ALT index against BTC."""
        super().__init__(id=id)
        self._spreads = spreads
        self.can_focus = False

    def wants_repaint(self, view: View) -> bool:
        return self._spreads is not None and self._spreads.pair() != self.cursor

    def _record(self, view: View) -> dict[str, object] | None:
        if self._spreads is not None:
            return self._spreads.record()
        return next((dict(r) for name, r in size_pairs(view) if name == "crypto size"), None)

    def prepare(self, view: View, width: int) -> None:
        record = self._record(view)
        self.cursor = str(record["pair"]) if record else None
        values = record["recent"] if record else None
        lines = paint_chart(values if isinstance(values, list) else (), width, self.size.height)
        self.head, self.rows, self.foot = (), (), tuple(lines)

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return ()

    def title(self, view: View) -> str:
        record = self._record(view)
        mark = mark_for(str(record["status"]), view.stuck).strip() if record else ""
        return f"Ratio {self.cursor} {mark}".rstrip() if self.cursor else self.heading

    def waiting(self, view: View) -> str:
        return "waiting for the ratio's history"
