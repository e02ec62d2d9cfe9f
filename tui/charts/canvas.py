"""A grid of cells to draw charts on: dots in braille, letters over them, one meaning a cell; pure, and quick.

Dots have their own coordinates, two across and four down a cell, counted from the top left. What is drawn later lies
over what was drawn before; letters lie over dots, and keep their meaning.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tui.lines import Line

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

_BITS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.float64)
_BRAILLE: Final = 0x2800
_EMPTY: Final = " "
_BLOCK_CODES: Final = np.array([ord(block) for block in " ▁▂▃▄▅▆▇█"], dtype=np.uint32)


class Canvas:
    """width × height cells."""

    def __init__(self, width: int, height: int) -> None:
        self.width = max(0, width)
        self.height = max(0, height)
        self._bits = np.zeros((self.height, self.width), dtype=np.uint8)
        self._codes = np.zeros((self.height, self.width), dtype=np.uint32)
        self._roles = np.zeros((self.height, self.width), dtype=np.int16)
        self._names = ["dim"]

    def _role(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)

    def dots(self, rows: Numbers, columns: Numbers, role: str, *, under: bool = False) -> None:
        """Set dots, none of them twice; those outside are left out. A cell takes the meaning of what was drawn last.

        under: a cell that has dots already keeps its meaning.
        """
        inside = (rows >= 0) & (rows < 4 * self.height) & (columns >= 0) & (columns < 2 * self.width)
        rows, columns = rows[inside], columns[inside]
        if not len(rows):
            return
        cells = (rows >> 2) * self.width + (columns >> 1)
        sums = np.bincount(cells, _BITS[rows & 3, columns & 1], self.height * self.width)
        bits = sums.astype(np.uint8).reshape(self.height, self.width)
        takes = (bits > 0) & (self._codes == 0)
        self._roles[takes & (self._bits == 0) if under else takes] = self._role(role)
        self._bits |= bits

    def columns(self, low: Floats, high: Floats, role: str) -> None:
        """Vertical strokes, one a dot column: from dot row `low` down to `high`, both included; NaN: none there."""
        drawn = np.flatnonzero(np.isfinite(low) & np.isfinite(high) & (high >= low - 0.5))
        first = np.clip(np.round(low[drawn]), 0, 4 * self.height).astype(np.int64)
        last = np.clip(np.round(high[drawn]), -1, 4 * self.height - 1).astype(np.int64)
        counts = np.maximum(0, last - first + 1)
        starts = np.cumsum(counts) - counts
        rows = np.arange(int(counts.sum())) - np.repeat(starts - first, counts)
        self.dots(rows, np.repeat(drawn, counts), role)

    def course(self, y: Floats, role: str) -> None:
        """A line through the dot rows `y`, one value a dot column, NaN where it is broken."""
        y = np.round(y)
        low, high = y.copy(), y.copy()
        with np.errstate(invalid="ignore"):
            middle = (y[1:] + y[:-1]) / 2  # each goes half the way to its neighbours, so that no dot is set twice
            up, down = np.floor(middle), np.ceil(middle)
            for here, there, one, other in ((y[:-1], y[1:], low[:-1], high[:-1]), (y[1:], y[:-1], low[1:], high[1:])):
                np.copyto(other, np.fmax(other, up), where=there > here)
                np.copyto(one, np.fmin(one, down), where=there < here)
        self.columns(low, high, role)

    def level(self, y: float, role: str, every: int = 2) -> None:
        """A horizontal line of dots in dot row `y`, one in `every`, under what is there."""
        columns = np.arange(0, 2 * self.width, max(1, every))
        self.dots(np.full(len(columns), round(y)), columns, role, under=True)

    def upright(self, x: int, role: str, every: int = 2) -> None:
        """A vertical line of dots through the middle of cell column `x`, one in `every`."""
        rows = np.arange(0, 4 * self.height, max(1, every))
        self.dots(rows, np.full(len(rows), 2 * x), role)

    def shade(self, top: float, bottom: float, role: str) -> None:
        """A faint field between two dot rows: one dot in eight, as rain."""
        every = np.arange(max(0, round(top)), min(4 * self.height - 1, round(bottom)) + 1)
        every = every[every % 2 == 0]
        across = np.arange(0, 2 * self.width, 4)
        rows = np.repeat(every, len(across))
        self.dots(rows, np.tile(across, len(every)) + np.where(rows % 4, 2, 0), role)

    def text(self, x: int, y: int, words: str, role: str) -> None:
        """Letters from cell (x, y) on; what lies outside is left out."""
        if not 0 <= y < self.height:
            return
        at = self._role(role)
        for offset, letter in enumerate(words):
            if 0 <= x + offset < self.width:
                self._codes[y, x + offset] = ord(letter)
                self._roles[y, x + offset] = at

    def bars(self, heights: Floats, top: int, rows: int, roles: list[str]) -> None:
        """Columns of blocks that stand on the lower edge of `rows` lines from line `top` on.

        heights: one fraction a cell column, NaN: none; roles: the meaning of each.
        """
        known = np.isfinite(heights)
        eighths = np.where(known, np.maximum(1, np.round(np.clip(heights, 0.0, 1.0) * rows * 8)), 0).astype(np.int64)
        meanings = np.array([self._role(role) for role in roles], dtype=np.int16)
        for up in range(rows):
            y = top + rows - 1 - up
            part = np.clip(eighths - 8 * up, 0, 8)
            drawn = part > 0
            if 0 <= y < self.height and drawn.any():
                self._codes[y, : len(part)][drawn] = _BLOCK_CODES[part[drawn]]
                self._roles[y, : len(part)][drawn] = meanings[drawn]

    def free(self, x: int, y: int, length: int) -> bool:
        """Whether no letter stands in the `length` cells from (x, y) on, all of which are inside."""
        inside = 0 <= y < self.height and x >= 0 and x + length <= self.width
        return inside and not self._codes[y, x : x + length].any()

    def lines(self) -> list[Line]:
        """The drawing, a line a row, neighbours of one meaning joined."""
        codes = np.where(
            self._codes > 0, self._codes, np.where(self._bits > 0, _BRAILLE + self._bits.astype(np.uint32), ord(_EMPTY))
        )
        blank = codes == ord(_EMPTY)
        codes = codes.astype("<u4")
        out: list[Line] = []
        for y in range(self.height):
            words = codes[y].tobytes().decode("utf-32-le")
            out.append(_joined(words, self._roles[y], blank[y], self._names))
        return out


def _joined(words: str, roles: npt.NDArray[np.int16], blank: npt.NDArray[np.bool_], names: list[str]) -> Line:
    """One row's spans; blanks take the meaning of what stands before them."""
    drawn = np.flatnonzero(~blank)
    if not len(drawn):
        return ((words, "dim"),) if words else ()
    turns = drawn[np.flatnonzero(np.diff(roles[drawn])) + 1]
    edges = [0, *turns.tolist(), len(words)]
    first = int(roles[drawn[0]])
    kinds = [first, *roles[turns].tolist()]
    return tuple((words[a:b], names[kind]) for a, b, kind in zip(edges, edges[1:], kinds, strict=False))
