"""The `gauges` table: the six divergences of METRICS §2, each with its value, its place in its own past and its state.

D1 z252 of the leading equity pair · D2 z252 of the leading crypto pair · D3 their gap (z_eq − z_cr)/√(2 − 2ρ̂) · D4 the
break of their correlation by Fisher's test · D5 a 20-bar move of the small fund in units of σ_d·√20, alert where its
volume falls · D6 the last swing divergence of that fund, +1 bull, −1 bear. percentile: of the value among all its
closed ones and itself. Beside D2 stands the change of BTC's dominance over 30 days, which warns from ±3 points on.
D1–D3 take their state from that with five years of values, else from fixed bounds, and `detail`
says which. D4–D6 change at closes; D1–D4 are provisional in between, in O(log n). n: values behind the percentile.
recent: the newest 30 values of D1–D4, one a session, the shown one last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import polars as pl

from engine import spreads
from engine.bars import days_of
from engine.divergence import (
    BREAK_FAST,
    BREAK_SLOW,
    Past,
    PriceVolume,
    State,
    Swing,
    break_state,
    correlation_break,
    cross_gap,
    cross_gaps,
    fisher,
    pasts_of,
    price_volume,
    swings,
)
from engine.grid import DailyGrid, Floats, worst
from engine.legs import Pair
from engine.model import Status, asset_of
from engine.rows import table
from engine.view import View
from engine.windows import CoWindow, co_window, rolling_z, to_series

YEAR: Final = spreads.YEAR
DOMINANCE_PP: Final = 3.0
SWING_KNOWN: Final = 5
SWING_ACTIVE: Final = 20
"""Bars for which a swing divergence counts after it was known."""
RECENT: Final = 30
"""Newest values that `recent` holds, the shown one last."""


@dataclass(frozen=True)
class Gauge:
    """One gauge's past, with and without its newest closed value."""

    before: Past
    """Without the newest closed value: what that one is judged against."""
    after: Past
    recent: tuple[float, ...]
    """The newest closed values, oldest first."""

    @property
    def last(self) -> float | None:
        """The newest closed value."""
        return self.recent[-1] if self.recent else None


@dataclass(frozen=True)
class Joint:
    """What D3 and D4 need of both pairs."""

    row: int
    """The row of the grid that a live value of both belongs to."""
    rho_before: CoWindow
    """Last 251 closed returns of both."""
    rho: float | None
    """Over the last 252 closed."""
    fast: CoWindow
    slow: CoWindow
    breaks: Floats


@dataclass(frozen=True)
class GaugeState:
    """What `live` needs."""

    equity: spreads.PairState | None
    crypto: spreads.PairState | None
    gauges: dict[str, Gauge]
    joint: Joint | None
    symbol: str | None
    price_volume: PriceVolume
    swing: Swing | None
    swing_text: str | None
    swing_active: bool
    symbol_as_of: datetime | None
    bars: int
    loading: bool = False
    """Whether older bars of a leg are still being fetched, so that the pasts are not the whole."""


def at_close(grid: DailyGrid, pairs: tuple[Pair, ...]) -> GaugeState:
    """The gauges' pasts; the pairs are the configured ones, in order: the first of each kind leads."""
    equity = next((p for p in pairs if p.a.total_return and p.b.total_return), None)
    crypto = next((p for p in pairs if p.crypto), None)
    z, returns, gauges = {}, {}, {}
    for name, pair in (("D1", equity), ("D2", crypto)):
        if pair is not None:
            q = spreads.log_ratio(grid, pair)
            z[name] = _z(q)
            returns[name] = np.diff(q, prepend=np.nan)
            gauges[name] = _gauge(z[name])
    joint = None
    if len(z) == 2:
        gauges["D3"] = _gauge(cross_gaps(z["D1"], z["D2"], returns["D1"], returns["D2"]))
        joint = _joint(grid, returns["D1"], returns["D2"])
        gauges["D4"] = _gauge(joint.breaks)
    symbol = equity.a.symbols[0] if equity is not None and equity.a.kind == "symbol" else None
    return _with_symbol(grid, symbol, equity, crypto, gauges, joint)


def live(state: GaugeState, view: View, dominance: tuple[float, int] | None = None) -> pl.DataFrame:
    """The `gauges` table at one beat.

    dominance: change of BTC's share of all capitalisation, in points, and over how many days; None: not known yet.
    """
    rows: list[dict[str, Any]] = []
    equity = spreads.row_of(state.equity, view) if state.equity is not None else None
    crypto = spreads.row_of(state.crypto, view) if state.crypto is not None else None
    for name, text, row in (("D1", "equity size", equity), ("D2", "crypto size", crypto)):
        if row is not None:
            fresh = row.get("z252") if "live_row" in row else None
            rows.append(_judged(name, f"{text} {row['pair']}", state.gauges[name], fresh, row))
            if name == "D2":
                rows[-1] = _with_dominance(rows[-1], dominance)
    if equity is not None and crypto is not None and state.joint is not None:
        both: dict[str, Any] = {
            "as_of": max((r["as_of"] for r in (equity, crypto) if r.get("as_of") is not None), default=None),
            "status": worst((Status(equity["status"]), Status(crypto["status"]))).value,
        }
        rho, test = _joint_live(state.joint, equity, crypto)
        moved = "live_row" in equity or "live_row" in crypto
        z = (equity.get("z252"), crypto.get("z252"))
        gap = cross_gap(z[0], z[1], rho) if moved and z[0] is not None and z[1] is not None else None
        rows.append(_judged("D3", "cross-size gap", state.gauges["D3"], gap, both))
        row = _judged(
            "D4", "correlation break", state.gauges["D4"], test, both | {"status": _break_status(state, view)}
        )
        row["state"] = break_state(state.joint.breaks).value if row["value"] is not None else None
        row["detail"] = "21 against the 126 before, 2.58 at 3 closes"
        rows.append(row)
    if state.symbol is not None:
        rows += _of_symbol(state)
    for row in rows:
        row["simulated"] = view.simulated
    return table("gauges", rows)


def _judged(gauge: str, name: str, held: Gauge, fresh: float | None, row: dict[str, Any]) -> dict[str, Any]:
    """A gauge's row: the live value against all closed ones, else the newest closed one against those before it."""
    value = fresh if fresh is not None else held.last
    past = held.after if fresh is not None else held.before
    made = {"gauge": gauge, "name": name, "value": value, "as_of": row.get("as_of"), "status": row["status"]}
    if value is None:
        return made | {"n": 0, "status": Status.WARMING.value}
    percentile, state = past.judge(value)
    basis = "own history" if past.own else "fixed 1.5 / 2 / 1: under 5 years"
    recent = held.recent if fresh is None else (*held.recent, fresh)
    return made | {
        "percentile": percentile,
        "state": state.value,
        "detail": basis,
        "n": len(past.ordered) + 1,
        "recent": list(recent[-RECENT:]),
    }


def _break_status(state: GaugeState, view: View) -> str:
    """What D4 is worth: it has its 147 rows or no value at all, so that z252's year is not waited for."""
    pairs = [pair for pair in (state.equity, state.crypto) if pair is not None]
    legs = worst(spreads.legs_status(pair, view) for pair in pairs)
    return (worst((legs, Status.WARMING)) if state.loading else legs).value


def _with_dominance(row: dict[str, Any], dominance: tuple[float, int] | None) -> dict[str, Any]:
    """D2 with the change of BTC's dominance beside it, which warns by itself from ±3 points on."""
    if dominance is None:
        return row
    points, days = dominance
    said = f"{row['detail']}; BTC dominance {points:+.1f} pp in {days} d" if row.get("detail") else None
    warned = row.get("state") == State.OK.value and abs(points) >= DOMINANCE_PP
    return row | ({"detail": said} if said else {}) | ({"state": State.WARN.value} if warned else {})


def _joint_live(joint: Joint, equity: dict[str, Any], crypto: dict[str, Any]) -> tuple[float | None, float | None]:
    """ρ̂ and D4 with the live returns of both where both stand on the same row; the closed ρ̂ and no D4 otherwise."""
    same = equity.get("live_row") == crypto.get("live_row") == joint.row
    steps = [r.get("rel_1d") for r in (equity, crypto)]
    if not same or steps[0] is None or steps[1] is None:
        return joint.rho, None
    x, y = math.log1p(steps[0]), math.log1p(steps[1])
    fast = joint.fast.plus(x, y)
    test = None
    if fast.n == BREAK_FAST and joint.slow.n == BREAK_SLOW:
        test = fisher(fast.corr(BREAK_FAST), joint.slow.corr(BREAK_SLOW))
    return joint.rho_before.plus(x, y).corr(YEAR), test


def _joint(grid: DailyGrid, x: Floats, y: Floats) -> Joint:
    row = grid.current(crypto=True)
    return Joint(
        row=row,
        rho_before=co_window(x[max(0, row - YEAR + 1) : row], y[max(0, row - YEAR + 1) : row]),
        rho=co_window(x[max(0, row - YEAR) : row], y[max(0, row - YEAR) : row]).corr(YEAR),
        fast=co_window(x[max(0, row - BREAK_FAST + 1) : row], y[max(0, row - BREAK_FAST + 1) : row]),
        slow=co_window(*(v[max(0, row - BREAK_FAST - BREAK_SLOW + 1) : max(0, row - BREAK_FAST + 1)] for v in (x, y))),
        breaks=_trim(correlation_break(x, y)),
    )


def _with_symbol(
    grid: DailyGrid,
    symbol: str | None,
    equity: Pair | None,
    crypto: Pair | None,
    gauges: dict[str, Gauge],
    joint: Joint | None,
) -> GaugeState:
    """D5 and D6 of the small fund, and everything together."""
    judged, swing, text, active, as_of, bars = PriceVolume(None, None, State.OK), None, None, False, None, 0
    if symbol is not None and asset_of(symbol) == "etf":
        frame = grid.closed(symbol).tail(1_000)
        bars = frame.height
        judged = price_volume(frame["close"].to_numpy(), frame["volume"].to_numpy())
        if bars:
            as_of = datetime.fromtimestamp(grid.bar_end(symbol, int(days_of(frame)[-1])), UTC)
            swing = next(iter(reversed(swings(frame))), None)
        if swing is not None:
            days = [frame["time"][i].date().isoformat() for i in (swing.first, swing.second)]
            text = f"{swing.kind}, {days[0]} to {days[1]}"
            active = bars - 1 - (swing.second + SWING_KNOWN) < SWING_ACTIVE
    states = [spreads.pair_state(grid, p) if p is not None else None for p in (equity, crypto)]
    loading = any(grid.loading(leg) for p in (equity, crypto) if p is not None for leg in (p.a, p.b))
    return GaugeState(states[0], states[1], gauges, joint, symbol, judged, swing, text, active, as_of, bars, loading)


def _of_symbol(state: GaugeState) -> list[dict[str, Any]]:
    move, change, verdict = state.price_volume
    known = move is not None and change is not None
    swing = state.swing
    ready = Status.OK if known else Status.WARMING
    base = {"as_of": state.symbol_as_of, "n": state.bars, "status": ready.value}
    return [
        {
            "gauge": "D5",
            "name": f"price against volume {state.symbol}",
            "value": move,
            "state": verdict.value if known else None,
            "detail": f"volume {change:+.1f} % (20 against 60 sessions)" if change is not None else None,
            **base,
        },
        {
            "gauge": "D6",
            "name": f"swing divergence {state.symbol}",
            "value": None if swing is None or not state.swing_active else 1.0 if swing.kind.endswith("bull") else -1.0,
            "state": (State.WARN if state.swing_active else State.OK).value if known else None,
            "detail": state.swing_text,
            **base,
        },
    ]


def _z(q: Floats) -> Floats:
    return pl.DataFrame([to_series(q)]).select(rolling_z("q", YEAR)).to_series().to_numpy().astype(np.float64)


def _gauge(values: Floats) -> Gauge:
    known = values[np.isfinite(values)]
    return Gauge(*pasts_of(known), tuple(known[-RECENT:].tolist()))


def _trim(values: Floats) -> Floats:
    """Without the rows at the end that have not closed."""
    known = np.flatnonzero(np.isfinite(values))
    return values[: int(known[-1]) + 1] if known.size else values[:0]
