"""The `matrix` table: how everything that the pairs and baskets are made of moves with everything else.

Pearson's correlation of daily log returns on the one grid over the last 63 closed rows, each couple once, a before b in
the table's order of names. It changes at closes alone. status `warming` under 63 common rows, null under 31.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import polars as pl

from engine.config import Config
from engine.grid import DailyGrid
from engine.legs import Leg, LegError, Pair, parse_leg
from engine.model import Status
from engine.rows import table
from engine.view import View
from engine.windows import co_window

WINDOW: Final = 63
NAMES: Final = 16
"""Series compared at most, those of the pairs first: 120 couples."""


@dataclass(frozen=True)
class MatrixState:
    """Rows that only a close changes."""

    rows: tuple[dict[str, Any], ...]


def names_of(pairs: Iterable[Pair], config: Config) -> tuple[Leg, ...]:
    """The legs of every pair but mixes, then every basket, each once."""
    legs = [leg for pair in pairs for leg in (pair.a, pair.b) if leg.kind != "mix"]
    for name in config.crypto.baskets:
        try:
            legs.append(parse_leg(name, config))
        except LegError:
            continue
    return tuple(dict.fromkeys(legs))[:NAMES]


def at_close(grid: DailyGrid, legs: tuple[Leg, ...]) -> MatrixState:
    """Every couple of `legs`."""
    returns = [np.diff(np.log(grid.leg(leg).values), prepend=np.nan) for leg in legs]
    known = [np.flatnonzero(np.isfinite(values)) for values in returns]
    end = max((int(k[-1]) + 1 for k in known if k.size), default=0)
    as_of = datetime.fromtimestamp(float(grid.closes[end - 1]), UTC) if end else None
    recent = [values[max(0, end - WINDOW) : end] for values in returns]
    rows = []
    for i, one in enumerate(legs):
        for j in range(i + 1, len(legs)):
            window = co_window(recent[i], recent[j])
            corr = window.corr(WINDOW)
            full = window.n >= WINDOW - 1  # a crypto leg's newest row closes hours after the others'
            rows.append(
                {
                    "a": one.text,
                    "b": legs[j].text,
                    "window": WINDOW,
                    "corr": corr,
                    "as_of": as_of,
                    "n": window.n,
                    "status": (Status.OK if full and corr is not None else Status.WARMING).value,
                }
            )
    return MatrixState(tuple(rows))


def live(state: MatrixState, view: View) -> pl.DataFrame:
    """The `matrix` table at one beat."""
    return table("matrix", [row | {"simulated": view.simulated} for row in state.rows])
