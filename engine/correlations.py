"""The `correlations` table: how the two legs of each pair move together, and the two size spreads with each other.

Daily log returns on the one grid, so that a correlation of crypto with shares is of the same days (Epps, METRICS §6).
corr, beta: over 21, 63 and 252 rows, beta what a does for one of b · ewma_corr: λ = .94 · lead_lag_s: seconds by
which b lags a (negative: leads), from ±5 rows of the longest window, `lead_lag` "none" where none stands out. A live
return joins the last w − 1 closed ones in O(1); ewma and lead-lag change at closes. status `warming` under w rows.
Rows of window 0 are of ticks, where both legs are streamed (`engine.lead_lag`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import numpy as np
import polars as pl

from engine import spreads
from engine.cross import LeadLag, daily_lead_lag, ewma_last
from engine.grid import DAY, DailyGrid, Floats, worst
from engine.legs import Leg, Pair
from engine.model import Status
from engine.rows import table
from engine.view import View
from engine.windows import CoWindow, co_window

WINDOWS: Final = (21, 63, 252)
EWMA_ROWS: Final = 1_008


@dataclass(frozen=True)
class Couple:
    """Two return series between two closes."""

    a: str
    b: str
    closed: tuple[CoWindow, ...]
    """The last w closed rows of each window."""
    before: tuple[CoWindow, ...]
    """The last w − 1."""
    ewma: float | None
    lead: LeadLag
    as_of: datetime | None
    steps: Callable[[View], tuple[float, float, float, Status] | None]
    """The live log returns of both with their moment and status; None where there is no live row."""
    resting: Callable[[View], Status]
    loading: bool = False
    """Whether bars of the last year are still being fetched."""


@dataclass(frozen=True)
class CorrelationState:
    """What `live` needs."""

    couples: tuple[Couple, ...]


def at_close(grid: DailyGrid, pairs: tuple[Pair, ...], beside: tuple[Pair, ...] = ()) -> CorrelationState:
    """The legs of every pair and of those beside, and the leading equity spread with the leading crypto spread."""
    states = {p: spreads.pair_state(grid, p) for p in (*pairs, *beside)}
    couples = [_of_legs(grid, p, states[p]) for p in states]
    equity = next((p for p in pairs if p.a.total_return and p.b.total_return), None)
    crypto = next((p for p in pairs if p.crypto), None)
    if equity is not None and crypto is not None:
        couples.append(_of_spreads(grid, equity, crypto, states))
    return CorrelationState(tuple(couples))


def live(state: CorrelationState, view: View, ticks: Iterable[Mapping[str, Any]] = ()) -> pl.DataFrame:
    """The `correlations` table at one beat. ticks: the rows of window 0, as `engine.lead_lag` makes them."""
    return table("correlations", [*(row for c in state.couples for row in _rows(c, view)), *ticks])


def _rows(couple: Couple, view: View) -> list[dict[str, Any]]:
    fresh = couple.steps(view)
    rows = []
    for w, closed, before in zip(WINDOWS, couple.closed, couple.before, strict=True):
        window = closed if fresh is None else before.plus(fresh[0], fresh[1])
        status = couple.resting(view) if fresh is None else fresh[3]
        longest = w == WINDOWS[-1]
        known = longest and couple.lead.at_zero is not None
        rows.append(
            {
                "a": couple.a,
                "b": couple.b,
                "window": w,
                "corr": window.corr(w),
                "beta": window.beta(w),
                "ewma_corr": couple.ewma,
                "lead_lag_s": couple.lead.lag * DAY if longest and couple.lead.lag is not None else None,
                "lead_lag_corr": couple.lead.corr if longest and couple.lead.lag is not None else None,
                "lead_lag": None if not known else "none" if couple.lead.lag is None else f"{couple.lead.lag:+.0f} d",
                "as_of": couple.as_of if fresh is None else datetime.fromtimestamp(fresh[2], UTC),
                "n": window.n,
                "status": (status if window.n >= w and not couple.loading else worst((status, Status.WARMING))).value,
                "simulated": view.simulated,
            }
        )
    return rows


def _of_legs(grid: DailyGrid, pair: Pair, state: spreads.PairState) -> Couple:
    x, y = (grid.once("r", leg, partial(_returns, grid, leg)) for leg in (pair.a, pair.b))

    def steps(view: View) -> tuple[float, float, float, Status] | None:
        points = spreads.live_points(state, view)
        if points is None or state.live is None or "1d" not in state.live.bases:
            return None
        (a, b, newest), (base_a, base_b) = points, state.live.bases["1d"]
        if a.value is None or b.value is None:
            return None
        return math.log(a.value / base_a), math.log(b.value / base_b), newest, worst((a.status, b.status))

    def resting(_: View) -> Status:
        return Status.STALE if state.in_session else Status.CLOSED

    row = grid.current(crypto=pair.crypto)
    couple = _couple(pair.a.text, pair.b.text, x, y, row, state.as_of, steps, resting)
    return replace(couple, loading=not grid.year_there(pair.a, pair.b))


def _returns(grid: DailyGrid, leg: Leg) -> Floats:
    return np.diff(np.log(grid.leg(leg).values), prepend=np.nan)


def _of_spreads(grid: DailyGrid, equity: Pair, crypto: Pair, states: dict[Pair, spreads.PairState]) -> Couple:
    x, y = (np.diff(spreads.log_ratio(grid, p), prepend=np.nan) for p in (equity, crypto))

    def steps(view: View) -> tuple[float, float, float, Status] | None:
        one, other = (spreads.row_of(states[p], view) for p in (equity, crypto))
        if "live_row" not in one or one["live_row"] != other.get("live_row"):
            return None
        if one.get("rel_1d") is None or other.get("rel_1d") is None:
            return None
        moment = max(one["as_of"], other["as_of"]).timestamp()
        # a spread that has no year yet has its 21 and 63 rows: `_rows` says which windows are full
        status = worst(spreads.legs_status(states[p], view) for p in (equity, crypto))
        return math.log1p(one["rel_1d"]), math.log1p(other["rel_1d"]), moment, status

    def resting(_: View) -> Status:
        return Status.STALE if states[equity].in_session else Status.CLOSED

    row = grid.current(crypto=False)
    as_of = states[equity].as_of
    loading = not grid.year_there(equity.a, equity.b, crypto.a, crypto.b)
    return replace(_couple(equity.name, crypto.name, x, y, row, as_of, steps, resting), loading=loading)


def _couple(
    a: str,
    b: str,
    x: Floats,
    y: Floats,
    row: int,
    as_of: datetime | None,
    steps: Callable[[View], tuple[float, float, float, Status] | None],
    resting: Callable[[View], Status],
) -> Couple:
    both = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    end = int(both[-1]) + 1 if both.size else 0
    live_end = max(row, 0)
    # weights of .94 leave nothing of what lies four years back
    recent = slice(max(0, end - EWMA_ROWS), end)
    return Couple(
        a=a,
        b=b,
        closed=tuple(co_window(x[max(0, end - w) : end], y[max(0, end - w) : end]) for w in WINDOWS),
        before=tuple(
            co_window(x[max(0, live_end - w + 1) : live_end], y[max(0, live_end - w + 1) : live_end]) for w in WINDOWS
        ),
        ewma=ewma_last(x[recent], y[recent]),
        lead=daily_lead_lag(x[max(0, end - WINDOWS[-1]) : end], y[max(0, end - WINDOWS[-1]) : end]),
        as_of=as_of,
        steps=steps,
        resting=resting,
    )
