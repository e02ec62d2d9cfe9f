"""Which panes stand where: layouts as text, and the boxes that they make of a terminal's size.

A layout is a list of rows from top to bottom. A row is `HEIGHT  PANE | PANE WIDTH | …`: sizes are cells (`11`) or
shares of what is left (`*`, `2*`); panes with `/` between them stand below each other in one column, each with
its own share (`equities:3* / feeds:2* 84`). A pane may take an argument: `chart(IWM/SPY 1Y)`. A screen has one layout
for each smallest size (`100x30`: from 100 columns and 30 lines); the widest, then highest, that fits is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

LEAST: Final = 3
"""Lines and columns below which a pane shows nothing: its border and one line."""


class LayoutError(ValueError):
    """A layout that cannot be read; one line that says where and what would be right."""


class Extent(NamedTuple):
    """A size: so many cells, or, with `cells` 0, so many shares of what is left."""

    cells: int
    shares: int

    def __str__(self) -> str:
        return str(self.cells) if self.cells else "*" if self.shares == 1 else f"{self.shares}*"


class Cell(NamedTuple):
    """One pane in its column."""

    pane: str
    height: Extent


class Column(NamedTuple):
    """Panes below each other."""

    cells: tuple[Cell, ...]
    width: Extent


class Row(NamedTuple):
    """Columns beside each other."""

    height: Extent
    columns: tuple[Column, ...]

    @property
    def panes(self) -> tuple[str, ...]:
        """The names of its panes."""
        return tuple(cell.pane for column in self.columns for cell in column.cells)


class Box(NamedTuple):
    """Where a pane stands, in cells."""

    x: int
    y: int
    width: int
    height: int


Rows = tuple[Row, ...]
Layout = Mapping[tuple[int, int], Rows]
"""Smallest columns and lines → rows."""

ONE: Final = Extent(0, 1)
_SIZE = r"\d{0,3}\*|\d{1,3}"
_PANE = r"@?[a-z][a-z0-9_-]*(?:\([^()|]*\))?"
_ROW = re.compile(rf"\s*({_SIZE})\s+(\S.*)")
_COLUMN = re.compile(rf"\s*({_PANE}(?::(?:{_SIZE}))?(?:\s*/\s*{_PANE}(?::(?:{_SIZE}))?)*)(?:\s+({_SIZE}))?\s*")
_CELL = re.compile(rf"({_PANE})(?::({_SIZE}))?")
_WINDOW = re.compile(r"(\d{1,3})x(\d{1,3})")


def _extent(text: str | None) -> Extent:
    if not text:
        return ONE
    return Extent(0, int(text[:-1] or 1)) if text.endswith("*") else Extent(int(text), 0)


def row(text: str) -> Row:
    """One row read from its text. Raises LayoutError."""
    found = _ROW.fullmatch(text)
    if found is None:
        raise LayoutError(f"“{text}” must be HEIGHT PANE | PANE WIDTH, such as “11 spreads | band 39”")
    columns = []
    for part in found[2].split("|"):
        column = _COLUMN.fullmatch(part)
        if column is None:
            raise LayoutError(f"“{part.strip()}” in “{text}” must be PANE or PANE WIDTH, panes below each other with /")
        cells = tuple(Cell(name, _extent(size)) for name, size in _CELL.findall(column[1]))
        columns.append(Column(cells, _extent(column[2])))
    return Row(_extent(found[1]), tuple(columns))


def row_text(line: Row) -> str:
    """The text that `row` reads."""
    columns = []
    for column in line.columns:
        cells = " / ".join(c.pane if c.height == ONE else f"{c.pane}:{c.height}" for c in column.cells)
        columns.append(cells if column.width == ONE else f"{cells} {column.width}")
    return f"{line.height} {' | '.join(columns)}"


def window(text: str) -> tuple[int, int]:
    """`100x30` as columns and lines. Raises LayoutError."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise LayoutError(f"“{text}” must be COLUMNSxLINES, such as 100x30")
    return int(found[1]), int(found[2])


def read(layouts: Mapping[str, Sequence[str]]) -> Layout:
    """A screen's layouts read from text: smallest size → rows. Raises LayoutError."""
    made = {window(size): tuple(row(text) for text in rows) for size, rows in layouts.items()}
    for rows in made.values():
        names = [name for line in rows for name in line.panes]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise LayoutError(f"{twice} stands twice in one layout")
    return made


def text(layout: Layout) -> dict[str, tuple[str, ...]]:
    """What `read` reads."""
    return {f"{w}x{h}": tuple(row_text(line) for line in rows) for (w, h), rows in layout.items()}


def choose(layout: Layout, width: int, height: int) -> tuple[int, int]:
    """The smallest size whose layout is used in a terminal of this size."""
    return max((k for k in layout if k[0] <= width and k[1] <= height), default=min(layout))


def _least(extent: Extent) -> int:
    """The least that a row can do with: a line of fixed height needs that, others a pane's least."""
    return min(extent.cells, LEAST) if extent.cells else LEAST


def share(total: int, wanted: Sequence[Extent]) -> list[int]:
    """`total` cells among what is wanted; too little for the fixed ones shortens them from the last on."""
    given = [extent.cells for extent in wanted]
    shares = sum(extent.shares for extent in wanted if not extent.cells)
    spare = LEAST * sum(not extent.cells for extent in wanted)
    over = sum(given) + spare - total
    for at in reversed(range(len(given))):
        if over > 0 and given[at]:
            cut = min(over, max(0, given[at] - _least(wanted[at])))
            given[at] -= cut
            over -= cut
    left = max(0, total - sum(given))
    done = passed = 0
    for at, extent in enumerate(wanted):
        if not extent.cells:
            passed += extent.shares
            end = left * passed // shares
            given[at], done = end - done, end
    return given


def place(rows: Rows, width: int, height: int) -> dict[str, Box]:
    """Pane → its box. Rows without room for their least give way, the last of fixed height first."""
    kept = list(rows)
    while len(kept) > 1 and sum(_least(line.height) for line in kept) > height:
        fixed = [line for line in kept if line.height.cells]
        kept.remove(fixed[-1] if fixed else kept[-1])
    boxes: dict[str, Box] = {}
    y = 0
    for line, tall in zip(kept, share(height, [line.height for line in kept]), strict=True):
        x = 0
        for column, wide in zip(line.columns, share(width, [c.width for c in line.columns]), strict=True):
            top = y
            for cell, part in zip(column.cells, share(tall, [c.height for c in column.cells]), strict=True):
                if wide > 0 and part > 0:
                    boxes[cell.pane] = Box(x, top, min(wide, width - x), min(part, height - top))
                top += part
            x += wide
        y += tall
    return boxes


# --- changes made from inside


def grown(wanted: Sequence[Extent], sizes: Sequence[int], at: int, by: int) -> tuple[Extent, ...]:
    """The extents after one of them has become larger by so many cells, at the cost of the next that has them.

    What is too small for a pane (a single line, or what there is no room for) neither gives nor takes; where nobody
    can, everything stays.
    """
    made = list(wanted)
    around = (*range(at + 1, len(made)), *reversed(range(at)))
    beside = next((k for k in around if sizes[k] >= LEAST and sizes[k] - by >= LEAST), None)
    if beside is None or sizes[at] < LEAST or sizes[at] + by < LEAST:
        return tuple(made)
    elastic = [k for k, extent in enumerate(made) if not extent.cells]
    if made[at].cells:
        made[at] = Extent(sizes[at] + by, 0)
        if not elastic:
            made[beside] = Extent(sizes[beside] - by, 0)
    elif made[beside].cells:
        made[beside] = Extent(sizes[beside] - by, 0)
    else:
        for k in elastic:
            made[k] = Extent(0, max(1, sizes[k]))
        made[at], made[beside] = Extent(0, sizes[at] + by), Extent(0, sizes[beside] - by)
    return tuple(made)


def resized(rows: Rows, pane: str, wider: int, taller: int, width: int, height: int) -> Rows:
    """The rows after a pane has become wider and taller by so many cells in a body of this size."""
    boxes = place(rows, width, height)
    made = list(rows)
    for r, line in enumerate(rows):
        for c, column in enumerate(line.columns):
            names = [cell.pane for cell in column.cells]
            if pane not in names:
                continue
            columns = list(line.columns)
            if wider:
                sizes = [boxes[k.cells[0].pane].width if k.cells[0].pane in boxes else 1 for k in columns]
                widths = grown([k.width for k in columns], sizes, c, wider)
                columns = [k._replace(width=w) for k, w in zip(columns, widths, strict=True)]
            if taller and len(names) > 1:
                sizes = [boxes[name].height if name in boxes else 1 for name in names]
                heights = grown([cell.height for cell in column.cells], sizes, names.index(pane), taller)
                cells = tuple(k._replace(height=h) for k, h in zip(column.cells, heights, strict=True))
                columns[c] = columns[c]._replace(cells=cells)
            made[r] = line._replace(columns=tuple(columns))
            if taller and len(names) == 1:
                sizes = [max((boxes[n].height for n in k.panes if n in boxes), default=1) for k in rows]
                heights = grown([k.height for k in made], sizes, r, taller)
                made = [k._replace(height=h) for k, h in zip(made, heights, strict=True)]
    return tuple(made)


def without(rows: Rows, pane: str) -> Rows:
    """The rows without a pane; a column or a row that held nothing else goes with it."""
    made = []
    for line in rows:
        columns = []
        for column in line.columns:
            cells = tuple(cell for cell in column.cells if cell.pane != pane)
            if cells:
                columns.append(column._replace(cells=cells))
        if columns:
            made.append(line._replace(columns=tuple(columns)))
    if made and all(line.height.cells for line in made):
        made[-1] = made[-1]._replace(height=ONE)
    return tuple(
        line if any(not k.width.cells for k in line.columns)
        else line._replace(columns=(*line.columns[:-1], line.columns[-1]._replace(width=ONE)))
        for line in made
    )  # fmt: skip


def beside(rows: Rows, pane: str, neighbour: str) -> Rows:
    """The rows with one more pane, on the right of a neighbour, which gives it half of its own width."""
    made = []
    for line in rows:
        columns: list[Column] = []
        for column in line.columns:
            if neighbour in [cell.pane for cell in column.cells]:
                half = Extent(max(LEAST, column.width.cells // 2), 0) if column.width.cells else column.width
                columns += [column._replace(width=half), Column((Cell(pane, ONE),), half)]
            else:
                columns.append(column)
        made.append(line._replace(columns=tuple(columns)))
    return tuple(made)
