"""A grid of cells to draw charts on: dots in braille, letters over them, one meaning a cell; pure, and quick.

Dots have their own coordinates, two across and four down a cell, counted from the top left. What is drawn later lies
over what was drawn before; letters lie over dots, and keep their meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tui.lines import Line

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

_BITS: Final = np.array([[0, 3], [1, 4], [2, 5], [6, 7]])
"""Which of braille's bits each dot of a cell is."""
_BRAILLE: Final = 0x2800
_EMPTY: Final = ord(" ")
_BLOCK_CODES: Final = np.array([ord(block) for block in " ▁▂▃▄▅▆▇█"], dtype=np.uint32)


def _spans(words: str, begins: Sequence[tuple[int, str]]) -> Line:
    """A row in its meanings. begins: where each begins, the first at its first sign: what is blank before it is its."""
    if not begins:
        return ((words, "dim"),) if words else ()
    edges = [0, *[x for x, _ in begins[1:]], len(words)]
    return tuple([(words[a:b], role) for a, b, (_, role) in zip(edges, edges[1:], begins, strict=False)])


class Caption:
    """One row of letters: what an axis says. Of two at one place the later one stays."""

    def __init__(self, width: int) -> None:
        self.width = max(0, width)
        self._signs = [" "] * self.width
        self._roles = [""] * self.width

    def text(self, x: int, words: str, role: str) -> None:
        """Letters from cell `x` on; what lies outside is left out."""
        words = words[max(0, -x) : max(0, self.width - x)]
        at = slice(max(0, x), max(0, x) + len(words))
        self._signs[at], self._roles[at] = words, [role] * len(words)

    def free(self, x: int, length: int) -> bool:
        """Whether no letter stands in the `length` cells from `x` on, all of which are inside."""
        return x >= 0 and x + length <= self.width and not any(self._roles[x : x + length])

    def line(self) -> Line:
        """The row, neighbours of one meaning joined; blanks take that of what stands before them."""
        begins: list[tuple[int, str]] = []
        for x, (sign, role) in enumerate(zip(self._signs, self._roles, strict=True)):
            if sign != " " and (not begins or begins[-1][1] != role):
                begins.append((x, role))
        return _spans("".join(self._signs), begins)


class Canvas:
    """width × height cells. Dots are only gathered while they are drawn, and set all at once by `lines`."""

    def __init__(self, width: int, height: int) -> None:
        self.width = max(0, width)
        self.height = max(0, height)
        self._codes = np.zeros((self.height, self.width), dtype=np.uint32)
        self._roles = np.zeros((self.height, self.width), dtype=np.int16)
        """The letters, and what they mean."""
        self._names = ["dim"]
        self._over: list[int] = []
        self._under: list[int] = []
        """Meanings of the layers of dots, as drawn; a cell has that of the last one over, else of the first under."""
        self._points: list[tuple[Numbers, Numbers]] = []
        self._strokes: list[tuple[Numbers, Floats, Floats]] = []
        """Rows and columns of dots; columns, uppermost and lowest rows of vertical strokes."""
        self._point_layers: list[int] = []
        self._stroke_layers: list[int] = []
        """The layer of each of these."""

    def _role(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)

    def _layer(self, role: str, *, under: bool = False) -> int:
        """The number of a new layer: of those in a cell the greatest gives it its meaning."""
        layers = self._under if under else self._over
        layers.append(self._role(role))
        return -len(layers) if under else len(layers)

    def dots(self, rows: Numbers, columns: Numbers, role: str, *, under: bool = False) -> None:
        """Set dots; those outside are left out. A cell takes the meaning of what was drawn last.

        under: a cell that has dots of anything else has its meaning.
        """
        self._points.append((rows, columns))
        self._point_layers.append(self._layer(role, under=under))

    def strokes(self, columns: Numbers, low: Floats, high: Floats, role: str) -> None:
        """Vertical strokes in these dot columns: from dot row `low` down to `high`, both included; NaN: none there."""
        self._strokes.append((columns, low, high))
        self._stroke_layers.append(self._layer(role))

    def columns(self, low: Floats, high: Floats, role: str) -> None:
        """As `strokes`, one a dot column from the first on."""
        self.strokes(np.arange(len(low)), low, high, role)

    def course(self, y: Floats, role: str) -> None:
        """A line through the dot rows `y`, one value a dot column, NaN where it is broken."""
        y = np.round(y)
        low, high = y.copy(), y.copy()
        middle = (y[1:] + y[:-1]) / 2  # each goes half the way to its neighbours
        up, down = np.floor(middle), np.ceil(middle)
        for side in (slice(None, -1), slice(1, None)):
            np.fmax(high[side], up, out=high[side])
            np.fmin(low[side], down, out=low[side])
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
        words = words[max(0, -x) : max(0, self.width - x)]
        if words and 0 <= y < self.height:
            at = slice(max(0, x), max(0, x) + len(words))
            self._codes[y, at] = np.frombuffer(words.encode("utf-32-le"), dtype="<u4")
            self._roles[y, at] = self._role(role)

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
        """The drawing, a line a row, neighbours of one meaning joined; blanks take that of what stands before them."""
        if not self.width:
            return [()] * self.height
        dots, meanings = self._set() if self._over or self._under else (_EMPTY, 0)
        letters = self._codes > 0
        codes = np.where(letters, self._codes, dots).astype("<u4")
        roles = np.where(letters, self._roles, meanings)
        drawn = codes != _EMPTY
        last = np.maximum(np.where(drawn, np.arange(self.width), 0), drawn.argmax(axis=1)[:, None])
        roles = roles[np.arange(self.height)[:, None], np.maximum.accumulate(last, axis=1)]
        roles[~drawn.any(axis=1)] = 0
        rows, columns = np.nonzero(roles[:, 1:] != roles[:, :-1])
        names = self._names
        begins = [[(0, names[role])] for role in roles[:, 0].tolist()]
        for y, x, role in zip(rows.tolist(), columns.tolist(), roles[rows, columns + 1].tolist(), strict=True):
            begins[y].append((x + 1, names[role]))
        words = codes.tobytes().decode("utf-32-le")
        return [_spans(words[y * self.width : (y + 1) * self.width], begun) for y, begun in enumerate(begins)]

    def _set(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int16]]:
        """The cells' signs with every dot that was drawn, and their meanings."""
        rows, columns, layers = self._gathered()
        inside = (rows >= 0) & (rows < 4 * self.height) & (columns >= 0) & (columns < 2 * self.width)
        if not inside.all():
            rows, columns, layers = rows[inside], columns[inside], layers[inside]
        cells, count = (rows >> 2) * self.width + (columns >> 1), self.height * self.width
        plane = np.zeros(8 * count, dtype=np.bool_)
        plane[8 * cells + _BITS[rows & 3, columns & 1]] = True
        bits = np.packbits(plane, bitorder="little").astype(np.uint32)
        bare = -len(self._under) - 1
        top = np.full(count, bare)
        np.maximum.at(top, cells, layers)
        meanings = np.array([0, *reversed(self._under), 0, *self._over], dtype=np.int16)
        signs, shape = np.where(bits > 0, bits + _BRAILLE, _EMPTY), (self.height, self.width)
        return signs.reshape(shape), meanings[top - bare].reshape(shape)

    def _gathered(self) -> tuple[Numbers, Numbers, Numbers]:
        """Row, column and layer of every dot, those of strokes among them."""
        rows, columns = ([part[side] for part in self._points] for side in (0, 1))
        layers = [np.repeat(self._point_layers, [len(part) for part in rows])] if rows else []
        if self._strokes:
            across, low, high = (np.concatenate(parts) for parts in zip(*self._strokes, strict=True))
            numbers = np.repeat(self._stroke_layers, [len(part[0]) for part in self._strokes])
            drawn = np.flatnonzero(np.isfinite(low) & np.isfinite(high) & (high >= low - 0.5))
            first = np.minimum(np.maximum(np.round(low[drawn]), 0), 4 * self.height).astype(np.int64)
            last = np.minimum(np.maximum(np.round(high[drawn]), -1), 4 * self.height - 1).astype(np.int64)
            counts = np.maximum(0, last - first + 1)
            starts = np.cumsum(counts) - counts
            rows.append(np.arange(int(counts.sum())) - np.repeat(starts - first, counts))
            columns.append(np.repeat(across[drawn], counts))
            layers.append(np.repeat(numbers[drawn], counts))
        return np.concatenate(rows), np.concatenate(columns), np.concatenate(layers)
