"""The `scanner` table: relative value of every configured pair and of those of [scanner], not arbitrage (METRICS §6).

a is held, b hedges it; log levels on the one grid, 252 rows in which both are there, futures roll-cleaned.
beta_ols, beta_tls, beta_kalman: hedge ratios · p_value: the larger of both directions' cointegration p, after
Benjamini–Hochberg over all pairs · half_life: rows, of the OLS residual · z: of that residual over 60 rows; live, the
newest prices join the last 59 in O(1) · signal: in at |z| 2, out at .5, stopped at 3.5, as of the last close
admitted: p < .05 and a half-life of 2–60 · hedge_units: units·P_a·β_ols/(multiplier·P_b), what of `hedge` to sell
against `units` of a; null where a leg is no single symbol.
The figures of a close come from the worker a moment later; until they have, the row says `warming`. Two legs that are
one thing under two names have none. Where a future's index is not watched its rolls are in it: `estimated`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import polars as pl

from engine import spreads
from engine.config import Scanner
from engine.errors import SizewatchError
from engine.futures import INDEX_OF, multiplier
from engine.grid import DailyGrid, Floats, usable, worst
from engine.legs import Leg, Pair
from engine.model import Status, asset_of
from engine.rows import table
from engine.scanner import BARS, Z_BARS, Scanned, hedge_units, scan
from engine.view import View
from engine.worker import Worker

REACH: Final = 400
"""Rows of each leg that are sent: 252 in which both are there, and room for those in which one is not."""
TIMEOUT_S: Final = 180.0
AGAIN_S: Final = 60.0
"""After a failure the same scan is tried again so much later."""
QUIET_S: Final = 1.0
"""A scan waits until its inputs have stood still for so long: at the start they come in batches."""

Levels = Mapping[str, tuple[Floats, Floats]]


@dataclass(frozen=True)
class Entry:
    """One pair between two closes."""

    pair: Pair
    state: spreads.PairState
    n: int
    """Rows in which both legs have a value, at most 252."""
    units: float
    uncleaned: bool
    """A future whose index is not known is in it."""


@dataclass
class Scans:
    """Has pairs scanned by the worker, one scan at a time, and keeps what the last one found.

    tell: takes a severity and a sentence for the user. patient: wait for each scan, so that a replay's tables depend on
    the recording alone.
    """

    worker: Worker
    tell: Callable[[str, str], None]
    patient: bool = False
    found: Mapping[str, Scanned] = field(default_factory=dict)
    failed: bool = False
    """Whether the last scan was not done: what was found belongs to an older close."""
    known: frozenset[str] = frozenset()
    """The pairs that the last scan had enough of: where it found nothing of one, there is nothing to be found."""
    _wanted: Levels | None = None
    _since: float = -math.inf
    """Monotonic time since when the wanted scan is wanted; -inf: not looked at yet."""
    _running: Future[dict[str, Scanned]] | None = None
    _asked: Levels = field(default_factory=dict)
    _again: float = math.inf

    @property
    def pending(self) -> bool:
        """Whether a scan runs or is still to be asked for, one that failed excepted."""
        return self._running is not None or self._wanted is not None

    def want(self, levels: Levels) -> None:
        """These are the levels now; pairs with too few are left out, and with none there is nothing to do."""
        levels = {name: legs for name, legs in levels.items() if len(legs[0]) >= BARS}
        if not levels:
            self._wanted = None
        elif not _same(levels, self._asked if self._wanted is None else self._wanted):
            self._wanted, self._since = levels, -math.inf

    def poll(self, mono: float) -> bool:
        """One beat. True where something new is known."""
        news = self._take(mono)
        if self._running is None and self._wanted is None and mono >= self._again:
            self._wanted, self._since = self._asked, mono
        if self._wanted is not None and self._running is None:
            if self._since == -math.inf:
                self._since = mono
            if self.patient or mono - self._since >= QUIET_S:
                self._asked, self._wanted, self._again = self._wanted, None, math.inf
                self._running = self.worker.submit(scan, dict(self._asked), timeout_s=TIMEOUT_S)
                news = self._take(mono) or news
        return news

    def _take(self, mono: float) -> bool:
        running = self._running
        if running is None or not (running.done() or self.patient):
            return False
        self._running = None
        try:
            self.found, self.failed = running.result(), False
            self.known = frozenset(self._asked)
        except SizewatchError as error:
            self.failed, self._again = True, mono + AGAIN_S
            self.tell("error", f"the pairs were not scanned: {error}")
        return True


def _same(one: Levels, other: Levels) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(a, b, equal_nan=True) for k in one for a, b in zip(one[k], other[k], strict=True)
    )


def entries(grid: DailyGrid, pairs: tuple[Pair, ...], settings: Scanner) -> tuple[tuple[Entry, ...], Levels]:
    """Every pair at this close, and the log levels (x of b, y of a) that are to be scanned."""
    made, levels = [], {}
    for pair in pairs:
        x, y = (np.log(grid.leg(leg).values[-REACH:]) for leg in (pair.b, pair.a))
        both = np.flatnonzero(np.isfinite(x) & np.isfinite(y))[-BARS:]
        levels[pair.name] = (x[both], y[both])
        made.append(
            Entry(
                pair,
                spreads.pair_state(grid, pair),
                int(both.size),
                settings.units.get(pair.a.text, _lot(pair.a)),
                any(s in INDEX_OF and not np.isfinite(grid.symbol(INDEX_OF[s]).values).any() for s in pair.symbols),
            )
        )
    return tuple(made), levels


def live(made: tuple[Entry, ...], scans: Scans, view: View) -> pl.DataFrame:
    """The `scanner` table at one beat."""
    return table("scanner", [_row(entry, scans, view) for entry in made])


def _row(entry: Entry, scans: Scans, view: View) -> dict[str, Any]:
    pair, points = entry.pair, spreads.live_points(entry.state, view)
    found, failed = scans.found.get(pair.name), scans.failed
    row: dict[str, Any] = {
        "pair": pair.name,
        "a": pair.a.text,
        "b": pair.b.text,
        "n": entry.n,
        "as_of": entry.state.as_of,
        "simulated": view.simulated,
    }
    status = Status.STALE if entry.state.in_session else Status.CLOSED
    if points is not None:
        row["as_of"] = datetime.fromtimestamp(points[2], UTC)
        status = worst((points[0].status, points[1].status))
    if entry.uncleaned:
        status = worst((status, Status.ESTIMATED))
    if found is None:
        if entry.n < BARS or (pair.name not in scans.known and not failed):
            status = Status.WARMING
        return row | {"status": (Status.STALE if failed and entry.n >= BARS else status).value}
    z = found.z
    if points is not None and points[0].value is not None and points[1].value is not None:
        y, x = math.log(points[0].value), math.log(points[1].value)
        z = found.before.z(y - found.alpha - found.beta_ols * x, Z_BARS)
    return row | {
        "beta_ols": found.beta_ols,
        "beta_tls": found.beta_tls,
        "beta_kalman": found.beta_kalman,
        "p_value": found.p_value,
        "half_life": found.half_life,
        "z": z,
        "signal": found.signal.value,
        "admitted": found.admitted,
        **_hedge(entry, found.beta_ols, view),
        "status": (Status.STALE if failed else status).value,
    }


def _hedge(entry: Entry, beta: float, view: View) -> dict[str, Any]:
    a, b = entry.pair.a, entry.pair.b
    if a.kind != "symbol" or b.kind != "symbol" or "index" in (asset_of(b.symbols[0]), asset_of(a.symbols[0])):
        return {}  # an index is held by nobody
    price, against = view.live(a.symbols[0]).price, view.live(b.symbols[0]).price
    held = {"units": entry.units, "hedge": b.symbols[0]}
    if price is None or against is None or not usable(price) or not usable(against):
        return held
    worth = entry.units * multiplier(a.symbols[0])
    return held | {"hedge_units": hedge_units(worth, price, beta, multiplier(b.symbols[0]), against)}


def _lot(leg: Leg) -> float:
    return 100.0 if leg.kind == "symbol" and asset_of(leg.symbols[0]) == "etf" else 1.0
