"""Relative rotation: each pair and basket in its quadrant, and, where there is room, on the plane of all four."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, merged, row, stale
from tui.view import View
from tui.widgets.linepane import LinePane

QUADRANTS: Final[Mapping[str, tuple[str, str]]] = {
    "Leading": ("↗", "up"), "Weakening": ("↘", "warn"), "Lagging": ("↙", "down"), "Improving": ("↖", "accent"),
}  # fmt: skip
COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("letter", "", 1, rank=6, gap=1),
    Column("item", "item", 10, "<", rank=0, gap=1),
    Column("quadrant", "quadrant", 11, "<", rank=1, gap=1),
    Column("rs_ratio", "ratio", 6, rank=2, gap=1),
    Column("rs_momentum", "moment", 6, rank=3, gap=1),
    Column("tail", "8 weeks", 8, "<", rank=4, gap=2),
    Column("n", "weeks", 5, rank=5, gap=1),
)
PLANE_MIN: Final = 9
"""Lines that the plane needs to be worth drawing."""


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
    return stale(line) if stuck or status == "stale" else line


def plane(records: Sequence[Mapping[str, Any]], width: int, height: int) -> list[Line]:
    """All items by ratio (right) and momentum (up), 100 in the middle of both, each with its tail as dots.

    The scale is the same on both sides of the middle and wide enough for every item; it is written at the edges.
    """
    placed = [(i, r) for i, r in enumerate(records) if r["rs_ratio"] is not None and r["rs_momentum"] is not None]
    if not placed or height < PLANE_MIN or width < 40:
        return []
    reach = [
        max(1.0, *(abs(v - 100) for _, r in placed for v in (r[f"rs_{axis}"], *(r[f"tail_{axis}"] or ()))))
        for axis in ("ratio", "momentum")
    ]
    columns, rows = width - 2, height - 1
    grid: list[list[Span]] = [[(" ", "dim")] * columns for _ in range(rows)]
    middle = (columns // 2, rows // 2)
    for x in range(columns):
        grid[middle[1]][x] = ("─", "line")
    for line in grid:
        line[middle[0]] = ("│", "line")
    grid[middle[1]][middle[0]] = ("┼", "line")

    def spot(ratio: float, momentum: float) -> tuple[int, int]:
        x = round(middle[0] + (ratio - 100) / reach[0] * (columns - 1 - middle[0]) * 0.98)
        y = round(middle[1] - (momentum - 100) / reach[1] * middle[1] * 0.98)
        return min(columns - 1, max(0, x)), min(rows - 1, max(0, y))

    for _, record in placed:
        for ratio, momentum in zip(record["tail_ratio"] or (), record["tail_momentum"] or (), strict=False):
            x, y = spot(ratio, momentum)
            grid[y][x] = ("·", "dim")
    corners = {"Improving": (0, 0), "Leading": (columns - 9, 0), "Lagging": (0, rows - 1)}
    for name, (x, y) in (corners | {"Weakening": (columns - 11, rows - 1)}).items():
        arrow, role = QUADRANTS[name]
        for offset, cell in enumerate(f"{arrow} {name}"):
            grid[y][x + offset] = (cell, role)
    for index, record in placed:
        x, y = spot(record["rs_ratio"], record["rs_momentum"])
        grid[y][x] = (letter(index), QUADRANTS[record["quadrant"]][1] if record["quadrant"] in QUADRANTS else "text")
    scale = f" ratio 100 ± {reach[0]:.1f} across, momentum 100 ± {reach[1]:.1f} up; · the last 8 weeks"
    return [*(merged(((" ", "dim"), *line)) for line in grid), ((fmt.shorten(scale, width), "dim"),)]


class RotationPane(LinePane):
    """The table of items, over the plane."""

    heading = "Rotation"
    reads = ("rotation",)

    def prepare(self, view: View, width: int) -> None:
        frame = view.table("rotation")
        self._records = list(frame.iter_rows(named=True)) if frame is not None else []
        self.rows = [r["item"] for r in self._records]
        self._columns = choose(COLUMNS, width)
        self.head = (heading(self._columns),) if self.rows else ()
        self.foot = tuple(plane(self._records, width, self.size.height - len(self.rows) - len(self.head)))

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        shown = enumerate(self._records[start:stop], start)
        return [rotation_row(i, r, self._columns, stuck) for i, r in shown]

    def waiting(self, view: View) -> str:
        return "waiting for half a year of weekly history of the pairs"
