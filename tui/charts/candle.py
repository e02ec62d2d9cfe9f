"""The dots of candles: a wick, and a body that is full, or an outline where no colour says that the price rose."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tui.charts.canvas import Floats

Ints = npt.NDArray[np.int64]
Strokes = tuple[Ints, Floats, Floats]
"""Columns of dots, and from which row to which, downwards, each is filled."""
DOT: Final = 0.5
"""What is further apart than this lies in different rows."""


def full(at: Ints, offsets: Ints, prices: tuple[Floats, Floats, Floats, Floats]) -> Strokes:
    """Wicks at the columns `at`, and bodies as wide as `offsets` beside them.

    prices: rows of open, high, low and close.
    """
    begun, peak, pit, ended = prices
    across = at[:, None] + offsets
    columns = np.concatenate([at, across.ravel()])
    top = np.concatenate([peak, np.repeat(np.minimum(begun, ended), len(offsets))])
    bottom = np.concatenate([pit, np.repeat(np.maximum(begun, ended), len(offsets))])
    return columns, top, bottom


def hollow(at: Ints, offsets: Ints, prices: tuple[Floats, Floats, Floats, Floats]) -> Strokes:
    """As `full`, the bodies as outlines: of a body too low for a hole the inside is left out, so that none is full."""
    begun, peak, pit, ended = prices
    top: Floats = np.rint(np.minimum(begun, ended))
    bottom: Floats = np.rint(np.maximum(begun, ended))
    narrow = len(offsets) == 2  # the wick is one of its two columns
    sides, inside = (offsets[:1], offsets[1:]) if narrow else (offsets[[0, -1]], offsets[1:-1])
    parts: list[Strokes] = []

    def add(where: Any, beside: Ints, upper: Floats, lower: Floats) -> None:
        columns = (at[where][:, None] + beside).ravel()
        parts.append((columns, np.repeat(upper[where], len(beside)), np.repeat(lower[where], len(beside))))

    always, tall = np.ones(len(at), dtype=np.bool_), bottom - top >= 2 - DOT
    add(always, sides, top, bottom)
    add(bottom - top >= 1 - DOT if narrow else tall, inside, top, top)
    add(tall, inside, bottom, bottom)
    centre = np.zeros(1, dtype=np.int64)
    add(top - peak > DOT, centre, peak, top if narrow else np.asarray(top - 1.0))
    add(pit - bottom > DOT, centre, bottom if narrow else np.asarray(bottom + 1.0), pit)
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )
