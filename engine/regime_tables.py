"""The `regime` and `rotation` tables: what `engine.regime` says of the closed bars, as rows.

Both change at closes only; `as_of` is the close. An item that nothing measures has no value and `holds` is null. A
rotation's tail is its last 8 weeks, the current one last; n: weeks of history; `warming` until there is a momentum.
Where a session has closed whose bar is not there, the rows are `stale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from engine import sessions, spreads
from engine.config import Config, Regime
from engine.fed_funds import far_months, fed_contract
from engine.flow_table import FlowRow
from engine.grid import DAY, DailyGrid
from engine.legs import Pair, parse_pair
from engine.model import Status
from engine.regime import (
    BREADTH,
    CUTS,
    SMALL_SHARE,
    TAIL_WEEKS,
    Evidence,
    breadth,
    cuts_priced_bp,
    evidence,
    quadrant,
    rotation,
    small_share,
    weekly,
)
from engine.rows import table
from engine.view import View

BREADTH_BARS: Final = 50
SLOW_BARS: Final = 200
ROTATION_ROWS = 504
"""Rows of the grid behind a rotation: two years, of which 14 + 1 + 14 + 8 weeks are needed."""


@dataclass(frozen=True)
class RowsState:
    """Rows that only a close changes."""

    rows: tuple[dict[str, Any], ...]


def regime_at_close(grid: DailyGrid, pairs: tuple[Pair, ...], wanted: Regime = Regime()) -> RowsState:  # noqa: B008
    """Both counters for the leading equity pair; what funds' flows say of them comes in `regime_live`."""
    pair = next((p for p in pairs if p.a.total_return and p.b.total_return), None)
    if pair is None:
        return RowsState(())
    closed = spreads.pair_state(grid, pair).closed
    q = spreads.log_ratio(grid, pair)
    known = np.flatnonzero(np.isfinite(q))
    end = int(known[-1]) + 1 if known.size else 0
    small, large, cuts = _breadth(grid, wanted.small_funds), _breadth(grid, wanted.large_funds), _cuts(grid)
    items = evidence(
        q[:end],
        grid.days[:end],
        rel_5y=closed.get("rel_5y"),
        rel_3m=closed.get("rel_3m"),
        streak_years=closed.get("streak_years"),
        streak_leader=closed.get("streak_leader"),
        small_share_percentile=None,
        breadth50_small=small.value,
        breadth50_large=large.value,
        cuts_bp=cuts.value,
    )
    notes = {BREADTH: f"{small.note} against {large.note}", CUTS: cuts.note}
    absent = {BREADTH: small.absent or large.absent, CUTS: cuts.absent}
    made = tuple(_row(e, closed.get("as_of"), notes.get(e.item), absent=absent.get(e.item, False)) for e in items)
    return RowsState(_late(made) if known.size and grid.missed(end - 1) else made)


def regime_live(state: RowsState, flows: Sequence[FlowRow], view: View) -> pl.DataFrame:
    """The `regime` table at one beat, with the small caps' share that the newest flows say."""
    share = next((row for row in flows if row.cells.get("fund") == "small"), None)
    rows = []
    for row in state.rows:
        if row["evidence"] == SMALL_SHARE:
            item = small_share(None if share is None else share.cells.get("percentile"))
            history = None if share is None else share.cells.get("history")
            note = "no history of funds' flows: sizewatch flows import" if share is None else str(history)
            if share is not None and item.value is None:
                note += ": a percentile needs nine years"
            as_of = None if share is None else sessions.close_of(share.day)
            row = _row(item, as_of, note, absent=share is None)  # noqa: PLW2901
        rows.append(row | {"simulated": view.simulated})
    return table("regime", rows)


def _row(item: Evidence, as_of: datetime | None, note: str | None, *, absent: bool) -> dict[str, Any]:
    """absent: there is no source for it, so that waiting does not help."""
    missing = Status.STALE if absent else Status.WARMING
    return {
        "side": item.side,
        "evidence": item.item,
        "value": item.value,
        "threshold": item.threshold,
        "holds": item.holds,
        "note": note,
        "as_of": as_of,
        "status": (missing if item.value is None else Status.OK if item.whole else Status.WARMING).value,
    }


def _late(rows: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """Closed days stand until the next should be there: then what they say is old."""
    return tuple(row | {"status": Status.STALE.value} for row in rows)


class Measured(NamedTuple):
    """One input of the evidence, and what is to be said of it."""

    value: float | None
    note: str
    absent: bool
    """Nothing of it is there."""


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
    status = Status.OK if grid.year_there(pair.a, pair.b) else Status.WARMING
    status = Status.STALE if grid.missed(at) else status
    return row | {
        "rs_ratio": ratio,
        "rs_momentum": momentum,
        "quadrant": quadrant(ratio, momentum),
        "tail_ratio": made.rs_ratio[both][-TAIL_WEEKS:].tolist(),
        "tail_momentum": made.rs_momentum[both][-TAIL_WEEKS:].tolist(),
        "status": status.value,
    }


def _breadth(grid: DailyGrid, funds: Sequence[str]) -> Measured:
    """Share of `funds` above their mean of 50 closed sessions; in words that of 200 as well."""
    closes = [grid.closed(fund)["close"].to_numpy() for fund in funds]
    value, valid = breadth(closes, BREADTH_BARS)
    said = f"{_of(value, valid)} ({' '.join(funds)}), SMA200 {_of(*breadth(closes, SLOW_BARS))}"
    return Measured(value, said, not any(len(c) for c in closes))


def _of(value: float | None, valid: int) -> str:
    return "–" if value is None else f"{round(value * valid)} of {valid}"


def _cuts(grid: DailyGrid) -> Measured:
    """From the closes of dated Fed funds futures."""
    today = datetime.fromtimestamp(grid.now, UTC).date()
    prices, said = {}, []
    for month in (today.replace(day=1), *far_months(today)):
        frame = grid.closed(fed_contract(month))
        if frame.height:
            prices[month] = float(frame["close"][-1])
            said.append(f"{fed_contract(month)} {100.0 - prices[month]:.2f} %")
    value = cuts_priced_bp(prices, today)
    note = ", ".join(said[:2]) if value is not None else "no Fed funds futures of this month and of a year on"
    return Measured(value, note, not prices)
