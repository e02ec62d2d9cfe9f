"""The plane of relative rotation: strength across, momentum up, 100 in the middle of both, each item with its tail.

The scale is the same on both sides of the middle and wide enough for every item and tail. A tail is a line of braille
through the last weeks; its item is a letter in the colour of the quadrant that it stands in.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from tui import format as fmt
from tui.charts import scale as scales
from tui.charts.canvas import Canvas, Caption
from tui.lines import Line, merged
from tui.panes.rotation import QUADRANTS, letter

LEAST: Final = (40, 9)
"""Cells across and down that the plane needs to be worth drawing."""


CROWD: Final = 6
"""Items from which on the tails of those that are not chosen are cut short: whole ones would cover each other."""
SHORT: Final = 3
"""Weeks that are left of such a tail."""


def paint_plane(records: Sequence[Mapping[str, Any]], width: int, height: int, chosen: str | None = None) -> list[Line]:
    """The plane in `width` × `height` cells with its scale at the left and below; no lines without room or items.

    chosen: the item whose tail is drawn bright, with its name beside it.
    """
    placed = [(i, r) for i, r in enumerate(records) if r["rs_ratio"] is not None and r["rs_momentum"] is not None]
    if not placed or width < LEAST[0] or height < LEAST[1]:
        return []
    reach = [
        max(0.5, *(abs(v - 100) for _, r in placed for v in (r[f"rs_{axis}"], *(r[f"tail_{axis}"] or ()))))
        * 1.08 for axis in ("ratio", "momentum")
    ]  # fmt: skip
    up = scales.Scale(100 - reach[1], 100 + reach[1], 4 * (height - 1))
    marks = scales.ticks(up, max(4, height // 4))
    digits = scales.decimals(marks)
    margin = max(len(fmt.number(m, digits)) for m in marks) + 1
    canvas = Canvas(width - margin, height - 1)

    def spot(ratio: float, momentum: float) -> tuple[float, float]:
        x = (ratio - 100 + reach[0]) / (2 * reach[0]) * (2 * canvas.width - 1)
        return x, up.at(momentum)

    for mark in marks:
        canvas.level(up.at(mark), "line", 8)
    canvas.level(up.at(100.0), "dim", 2)
    canvas.upright(canvas.width // 2, "dim", 2)
    for name, (x, y) in {
        "Improving": (1, 0), "Leading": (canvas.width - 10, 0), "Lagging": (1, height - 2),
        "Weakening": (canvas.width - 12, height - 2),
    }.items():  # fmt: skip
        arrow, role = QUADRANTS[name]
        canvas.text(x, y, f"{arrow} {name}", role)
    order = sorted(placed, key=lambda one: one[1]["item"] == chosen)
    tails = []
    for _, record in order:
        points = [spot(r, m) for r, m in zip(record["tail_ratio"] or (), record["tail_momentum"] or (), strict=False)]
        bright = record["item"] == chosen
        role = "bright" if bright else "stale" if record["status"] == "stale" else "flat"
        tails.append((points if bright or len(placed) <= CROWD else points[-SHORT:], role))
    _draw_tails(canvas, tails)
    for index, record in order:
        x, y = (int(v) for v in spot(record["rs_ratio"], record["rs_momentum"]))
        role = "stale" if record["status"] == "stale" else QUADRANTS.get(record["quadrant"] or "", ("", "text"))[1]
        cell = (min(canvas.width - 1, max(0, x // 2)), min(height - 2, max(0, y // 4)))
        canvas.text(*cell, letter(index), role)
        name = record["item"]
        if canvas.free(cell[0] + 1, cell[1], len(name) + 1) and (record["item"] == chosen or width >= 90):
            canvas.text(cell[0] + 2, cell[1], name, role if record["item"] == chosen else "dim")
    labels = {int(up.at(m) // 4): fmt.number(m, digits) for m in marks}
    lines = [
        merged(((f"{labels.get(y, ''):>{margin - 1}} ", "dim"), *line)) for y, line in enumerate(canvas.lines())
    ]  # fmt: skip
    return [*lines, _below(reach[0], canvas.width, margin)]


def _draw_tails(canvas: Canvas, tails: Sequence[tuple[Sequence[tuple[float, float]], str]]) -> None:
    """A thin line through the points of each tail, oldest first, in its meaning."""
    pairs = [(index, a, b) for index, (points, _) in enumerate(tails) for a, b in itertools.pairwise(points)]
    if not pairs:
        return
    of, begins, ends = (np.array(side) for side in zip(*pairs, strict=True))
    ways = ends - begins
    steps = np.maximum(1, np.ceil(np.abs(ways).max(axis=1))).astype(np.int64)
    done = np.arange(int((steps + 1).sum())) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    share = (done / np.repeat(steps, steps + 1))[:, None]
    spots = np.repeat(begins, steps + 1, axis=0) + share * np.repeat(ways, steps + 1, axis=0)
    columns, rows = np.round(spots).astype(np.int64).T
    tail = np.repeat(of, steps + 1)
    for index, (_, role) in enumerate(tails):
        here = slice(*np.searchsorted(tail, (index, index + 1)))
        canvas.dots(rows[here], columns[here], role)


def _below(reach: float, columns: int, margin: int) -> Line:
    caption = Caption(columns + margin)
    across = scales.Scale(100 - reach, 100 + reach, 2 * columns)
    marks = scales.ticks(across, max(3, columns // 12))
    digits = scales.decimals(marks)
    for mark in marks:
        words = fmt.number(mark, digits)
        x = margin + round((mark - 100 + reach) / (2 * reach) * (columns - 1)) - len(words) // 2
        if caption.free(x - 1, len(words) + 2):
            caption.text(x, words, "dim")
    words = "strength"
    if caption.free(columns + margin - len(words) - 1, len(words) + 1):
        caption.text(columns + margin - len(words), words, "dim")
    return caption.line()
