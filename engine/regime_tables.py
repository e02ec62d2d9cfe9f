"""The `regime` and `rotation` tables: what `engine.regime` says of the closed bars, as rows.

Both change at closes only; `as_of` is the close. An item that nothing measures has no value and `holds` is null. A
rotation's tail is its last 8 weeks, the current one last; n: weeks of history; `warming` until there is a momentum.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl

from engine import spreads
from engine.config import Config
from engine.grid import DAY, DailyGrid
from engine.legs import Pair, parse_pair
from engine.model import Status
from engine.regime import TAIL_WEEKS, cuts_priced_bp, evidence, fed_contract, quadrant, rotation, weekly
from engine.rows import table
from engine.view import View

MONTHS_AHEAD = 13
ROTATION_ROWS = 504
"""Rows of the grid behind a rotation: two years, of which 14 + 1 + 14 + 8 weeks are needed."""


@dataclass(frozen=True)
class RowsState:
    """Rows that only a close changes."""

    rows: tuple[dict[str, Any], ...]


def regime_at_close(grid: DailyGrid, pairs: tuple[Pair, ...]) -> RowsState:
    """Both counters for the leading equity pair."""
    pair = next((p for p in pairs if p.a.total_return and p.b.total_return), None)
    if pair is None:
        return RowsState(())
    closed = spreads.pair_state(grid, pair).closed
    q = spreads.log_ratio(grid, pair)
    known = np.flatnonzero(np.isfinite(q))
    end = int(known[-1]) + 1 if known.size else 0
    items = evidence(
        q[:end],
        grid.days[:end],
        rel_5y=closed.get("rel_5y"),
        rel_3m=closed.get("rel_3m"),
        streak_years=closed.get("streak_years"),
        streak_leader=closed.get("streak_leader"),
        small_share_percentile=None,
        breadth50_small=None,
        breadth50_large=None,
        cuts_bp=_cuts(grid),
    )
    return RowsState(
        tuple(
            {
                "side": e.side,
                "evidence": e.item,
                "value": e.value,
                "threshold": e.threshold,
                "holds": e.holds,
                "as_of": closed.get("as_of"),
                "status": (Status.WARMING if e.value is None else Status.OK).value,
            }
            for e in items
        )
    )


def rotation_at_close(grid: DailyGrid, pairs: tuple[Pair, ...], config: Config) -> RowsState:
    """Every configured pair, then every basket of altcoins against BTC."""
    named = [n for n, members in config.crypto.baskets.items() if "BTC" not in members]
    against = [parse_pair(f"{n}/BTC", config) for n in named] if "BTC" in config.crypto.bases else []
    return RowsState(tuple(_rotation(grid, p) for p in (*pairs, *against)))


def live(name: str, state: RowsState, view: View) -> pl.DataFrame:
    """The table `name` at one beat."""
    return table(name, [row | {"simulated": view.simulated} for row in state.rows])


def _rotation(grid: DailyGrid, pair: Pair) -> dict[str, Any]:
    q = spreads.log_ratio(grid, pair)
    days, values = weekly(grid.days[-ROTATION_ROWS:], q[-ROTATION_ROWS:])
    row: dict[str, Any] = {"item": pair.name, "n": len(values), "status": Status.WARMING.value}
    if not len(values):
        return row
    made = rotation(np.exp(values))
    at = int(np.searchsorted(grid.days, days[-1]))
    end = float((days[-1] + 1) * DAY if pair.crypto else grid.closes[at])
    row["as_of"] = datetime.fromtimestamp(end, UTC)
    if not np.isfinite([made.rs_ratio[-1], made.rs_momentum[-1]]).all():
        return row
    both = np.isfinite(made.rs_ratio) & np.isfinite(made.rs_momentum)
    ratio, momentum = float(made.rs_ratio[-1]), float(made.rs_momentum[-1])
    return row | {
        "rs_ratio": ratio,
        "rs_momentum": momentum,
        "quadrant": quadrant(ratio, momentum),
        "tail_ratio": made.rs_ratio[both][-TAIL_WEEKS:].tolist(),
        "tail_momentum": made.rs_momentum[both][-TAIL_WEEKS:].tolist(),
        "status": (Status.OK if grid.year_there(pair.a, pair.b) else Status.WARMING).value,
    }


def _cuts(grid: DailyGrid) -> float | None:
    """From Fed funds futures, where the user has them among the symbols."""
    today = datetime.fromtimestamp(grid.now, UTC).date()
    prices = {}
    for ahead in range(MONTHS_AHEAD):
        month = date(today.year + (today.month - 1 + ahead) // 12, (today.month - 1 + ahead) % 12 + 1, 1)
        frame = grid.closed(fed_contract(month))
        if frame.height:
            prices[month] = float(frame["close"][-1])
    return cuts_priced_bp(prices, today)
