"""Relative rotation: each pair and basket in its quadrant, and, where there is room, on the plane of all four.

The table names each item's letter; the plane stands below it, or beside it where the pane is wide. The item under the
cursor has its tail drawn bright.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, marked, merged, row, width_of
from tui.view import View
from tui.widgets.linepane import LinePane

QUADRANTS: Final[Mapping[str, tuple[str, str]]] = {
    "Leading": ("↗", "up"), "Weakening": ("↘", "warn"), "Lagging": ("↙", "down"), "Improving": ("↖", "accent"),
}  # fmt: skip
TABLE_WIDTHS: Final = ((112, 52), (78, 34))
"""Columns from which on the plane stands beside the table, and what the table then takes."""
PLANE_LINES: Final = 9
"""Lines that the plane needs."""
COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("letter", "", 1, rank=1, gap=1),
    Column("item", "item", 10, "<", rank=0, gap=1),
    Column("quadrant", "quadrant", 11, "<", rank=1, gap=1),
    Column("rs_ratio", "ratio", 6, rank=2, gap=1),
    Column("rs_momentum", "momentum", 8, rank=3, gap=1),
    Column("tail", "8 weeks", 8, "<", rank=4, gap=2),
    Column("n", "weeks", 5, rank=5, gap=1),
)


def letter(index: int) -> str:
    """The mark of the item with this place in the table."""
    return "abcdefghijklmnopqrstuvwxyz"[index % 26]


def rotation_row(index: int, record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One item as a line."""
    status, quadrant = record["status"], record["quadrant"]
    arrow, role = QUADRANTS.get(quadrant or "", ("", "missing"))
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "letter": (letter(index), role),
        "item": (fmt.shorten(record["item"], 10), "text"),
        "quadrant": (f"{arrow} {quadrant}" if quadrant else fmt.absent(status), role),
        "rs_ratio": (fmt.number(record["rs_ratio"], 2, status), "text"),
        "rs_momentum": (fmt.number(record["rs_momentum"], 2, status), "text"),
        "tail": (fmt.sparkline(record["tail_ratio"], 8), "dim"),
        "n": (fmt.number(record["n"], 0), "dim"),
    }
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


class RotationPane(LinePane):
    """The table of items, over the plane."""

    heading = "Rotation"
    reads = ("rotation",)
    _chosen: tuple[bool, str | None] = (False, None)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("rotation")
        self.rows = [r["item"] for r in self._records]
        self._table = next((table for least, table in TABLE_WIDTHS if width >= least), 0)
        beside = self._table > 0 and self.size.height >= PLANE_LINES
        self._columns = choose(COLUMNS, self._table if beside else width)
        self.head = (heading(self._columns),) if self.rows else ()
        self.foot = ()
        self._plane: tuple[Line, ...] = ()
        room = self.size.height - (0 if beside else len(self.rows) + len(self.head) + 1)
        if not self.rows or room < PLANE_LINES:
            return
        from tui.charts.plane import paint_plane  # NumPy comes with it, which the first paint must not wait for

        chosen = self.rows[self.index()] if self.has_focus else None
        across = width - self._table - 2 if beside else width
        lines = paint_plane(self._records, across, room, chosen)
        if beside:
            self._plane = tuple(lines)
            rest = max(0, len(lines) - len(self.head) - len(self.rows))
            self.head = tuple(self._joined(line, i) for i, line in enumerate(self.head))
            at = len(self.head) + len(self.rows)
            self.foot = tuple(self._joined((), at + i) for i in range(rest))
        elif lines:
            self.foot = ((), *lines)

    def _joined(self, line: Line, at: int) -> Line:
        """A line of the table with its part of the plane beside it."""
        if at >= len(self._plane):
            return line
        return (*line, (" " * (self._table + 2 - width_of(line)), "dim"), *self._plane[at])

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        shown = enumerate(self._records[start:stop], start)
        lines = [rotation_row(i, r, self._columns, stuck) for i, r in shown]
        return [self._joined(line, start + i + len(self.head)) for i, line in enumerate(lines)]

    def wants_repaint(self, view: View) -> bool:
        """True where another item stands under the cursor, whose tail is the bright one."""
        chosen, self._chosen = self._chosen, (self.has_focus, self.cursor)
        return chosen != self._chosen

    def waiting(self, view: View) -> str:
        return "waiting for half a year of weekly history of the pairs"
