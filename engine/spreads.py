"""The `spreads` table: how far the small side of each pair is behind or ahead of the large side (METRICS §1).

q = ln(A/B) on the daily grid; ETFs by adjusted close, indices by close. Every value of a row belongs to one moment, its
`as_of`: a live price where the pair's own session is under way and its bar has not come, else the last closed bar; both
take the same path, so a bar that closes at the live price changes nothing.

ratio A/B · log_ratio q · rel_H e^{q_t − q_{t−H}} − 1 · pp_H 100·(R_A − R_B): H = 1d, 5d by rows; 1m 3m 1y 5y by
calendar offset to the last row at or before it (at most 10 days older); ytd from the last row of the prior year
z63, z252: (q − mean)/sd, ddof 1 · percentile: (average rank − 0.5)/n over 2,520 rows
drawdown: e^{q − max q} − 1 over all history · half_life: of 252 rows · low_label: q ≤ the minimum of the last 2,520
streak: over complete calendar years · n: rows of q in all, the newest included
coverage: the lesser of the share of the last 252 rows that have a q and the share of a basket's members behind it
status: `warming` until z252 has 252 values, and while older bars of a leg are still being fetched: then what looks at
all history is null.
Windows w have a value from w // 2 rows on. Oracles: pandas, scipy, statsmodels, quantstats.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import polars as pl

from engine.grid import DAY, EPOCH, DailyGrid, Days, Floats, Point, worst
from engine.legs import Pair
from engine.model import Status
from engine.rows import table
from engine.tables import HORIZONS
from engine.view import View
from engine.windows import Ranks, Reversion, Window, ranks, reversion, rolling_percentile, rolling_z, to_series, window

FAST: Final = 63
YEAR: Final = 252
DECADE: Final = 2_520
DECADE_LEAST: Final = 2_268
RECENT: Final = 63
ASOF_DAYS: Final = 10
MONTHS: Final = {"1m": 1, "3m": 3, "1y": 12, "5y": 60}
ROWS: Final = {"1d": 1, "5d": 5}
OF_ALL: Final = ("rel_5y", "pp_5y", "percentile", "drawdown", "low_label", "streak_leader", "streak_years",
                 "streak_from", "streak_to")  # fmt: skip
"""Columns that say something else for every year of history that is added."""
LEVELS: Final = ("ratio", "log_ratio")
"""Of a chained index, whose 100 stands at the end of the year before."""
LAST_DAYS: Final = 12
"""A year's last close must fall in so many last days of December, else the year has no return."""


@dataclass(frozen=True)
class Streak:
    """Run of years led by one side, over complete calendar years."""

    leader: str | None = None
    years: int | None = None
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Anchors:
    """Everything closed that a row's newest value is held against."""

    pair: Pair
    row: int
    bases: dict[str, tuple[float, float]]
    """Horizon → the legs' values there."""
    fast: Window
    slow: Window
    ordered: Ranks
    reverting: Reversion
    top: float
    bottom: float
    known: int
    known_year: int
    width: int
    """Rows before this one inside the 252-row window, at most 251."""
    streak: Streak
    recent: tuple[float, ...]
    loading: bool = False
    """Older bars are still to come: what looks at all history is null."""
    baseless: bool = False
    """A leg is a chained index, and the day at which it is 100 is among the bars that are to come."""

    def values(self, a: Point, b: Point) -> dict[str, Any]:
        """The row's columns for the legs' values at this row; O(log n). Every metric null where a leg has none."""
        row: dict[str, Any] = {"pair": self.pair.name, "a": self.pair.a.text, "b": self.pair.b.text}
        row |= {
            "streak_leader": self.streak.leader,
            "streak_years": self.streak.years,
            "streak_from": self.streak.first,
            "streak_to": self.streak.last,
            "n": self.known,
            "recent": list(self.recent),
            "status": Status.WARMING.value,
        }
        if a.value is None or b.value is None or not (a.value > 0 and b.value > 0):
            return row | {"coverage": min(a.coverage, b.coverage)}
        ratio = a.value / b.value
        q = math.log(ratio)
        for horizon, (base_a, base_b) in self.bases.items():
            grown_a, grown_b = a.value / base_a, b.value / base_b
            row[f"rel_{horizon}"] = grown_a / grown_b - 1
            row[f"pp_{horizon}"] = 100 * (grown_a - grown_b)
        ytd = row.get("pp_ytd")
        whole = row | {
            "ratio": ratio,
            "log_ratio": q,
            "z63": self.fast.z(q, FAST),
            "z252": self.slow.z(q, YEAR),
            "percentile": self.ordered.percentile(q, DECADE),
            "drawdown": math.exp(q - max(q, self.top)) - 1,
            "half_life": self.reverting.half_life(q, YEAR),
            "low_label": self._low(q),
            "ytd_leader": leader(ytd) if ytd is not None else None,
            "n": self.known + 1,
            "coverage": min((self.known_year + 1) / (self.width + 1), a.coverage, b.coverage),
            "recent": [*self.recent, ratio],
            "status": (Status.OK if self.slow.n + 1 >= YEAR else Status.WARMING).value,
        }
        if not self.loading:
            return whole
        return whole | dict.fromkeys((*OF_ALL, *(LEVELS if self.baseless else ()))) | {"status": Status.WARMING.value}

    def _low(self, q: float) -> str | None:
        """`decade low` or, with under 2,268 bars, `N-year low`; None where q is not at its low."""
        if q > self.bottom:
            return None
        n = len(self.ordered.ordered) + 1
        if n >= DECADE_LEAST:
            return "decade low"
        return f"{n // YEAR}-year low" if n >= YEAR else None


@dataclass(frozen=True)
class PairState:
    """One pair between two closes."""

    pair: Pair
    as_of: datetime | None
    """When the last closed bar closed."""
    close: Callable[[], dict[str, Any]]
    """Makes `closed`."""
    live: Anchors | None
    """What a live price is held against; None where the current row has closed."""
    point_a: Callable[..., Point]
    point_b: Callable[..., Point]
    opened: float
    """Epoch seconds since when a live price belongs to the current row."""
    in_session: bool

    @cached_property
    def closed(self) -> dict[str, Any]:
        """The row of the last closed bar, with `as_of`; made once it is asked for: a pair that is live needs none."""
        return self.close()


@dataclass(frozen=True)
class SpreadState:
    """What `live` needs of the closed bars; good until `valid_until` or until a bar changes."""

    pairs: tuple[PairState, ...]
    valid_until: float


def history(q: Floats) -> pl.DataFrame:
    """Every closed value of a pair's q, z63, z252, percentile and drawdown, one row a session, in Polars."""
    frame = pl.DataFrame([to_series(q)])
    return frame.with_columns(
        z63=rolling_z("q", FAST),
        z252=rolling_z("q", YEAR),
        percentile=rolling_percentile("q", DECADE),
        drawdown=(pl.col("q") - pl.col("q").cum_max()).exp() - 1,
    )


def log_ratio(grid: DailyGrid, pair: Pair) -> Floats:
    """q on the grid, NaN where a leg has no value. Not to be written to."""
    return grid.once("q", pair, lambda: np.asarray(np.log(grid.leg(pair.a).values / grid.leg(pair.b).values)))


def at_close(grid: DailyGrid, pairs: tuple[Pair, ...]) -> SpreadState:
    """The state of every pair at the grid's moment."""
    return SpreadState(tuple(pair_state(grid, p) for p in pairs), grid.valid_until)


def live(state: SpreadState, view: View) -> pl.DataFrame:
    """The `spreads` table at one beat."""
    return table("spreads", [row_of(s, view) for s in state.pairs])


def row_of(state: PairState, view: View) -> dict[str, Any]:
    """One pair's row at one beat; `live_row` is its row of the grid where it is live."""
    points = live_points(state, view)
    if state.live is not None and points is not None:
        a, b, newest = points
        row = state.live.values(a, b)
        row["as_of"] = _time(newest)
        row["live_row"] = state.live.row
        status = worst((Status(row["status"]), a.status, b.status))
    else:
        row = dict(state.closed)
        status = Status(row["status"])
        if row["status"] != Status.WARMING.value or row.get("ratio") is not None:
            status = worst((status, legs_status(state, view)))
    row["status"] = status.value
    row["simulated"] = view.simulated
    return row


def live_points(state: PairState, view: View) -> tuple[Point, Point, float] | None:
    """Both legs' live values and the newer one's time, where both belong to the row that is under way; else None."""
    if state.live is None:
        return None
    a, b = state.point_a(view.live), state.point_b(view.live)
    if a.value is None or b.value is None or a.at is None or b.at is None or min(a.at, b.at) < state.opened:
        return None
    return a, b, max(a.at, b.at)


def legs_status(state: PairState, view: View) -> Status:
    """What the prices behind a pair's row are worth, whatever windows its history fills."""
    points = live_points(state, view)
    if points is not None:
        return worst((points[0].status, points[1].status))
    # out of hours the last close is the value there is; in hours it stands in for a price that did not come
    return Status.STALE if state.in_session else Status.CLOSED


def pair_state(grid: DailyGrid, pair: Pair) -> PairState:
    """One pair's state at the grid's moment."""
    return grid.once("pair", pair, lambda: _pair_state(grid, pair))


def _pair_state(grid: DailyGrid, pair: Pair) -> PairState:
    a, b = grid.leg(pair.a), grid.leg(pair.b)
    q = log_ratio(grid, pair)
    row = grid.current(crypto=pair.crypto)
    known = np.flatnonzero(np.isfinite(q[: row + 1]))
    last = int(known[-1]) if known.size else -1
    as_of = None
    if last >= 0:
        as_of = _time(float((grid.days[last] + 1) * DAY if pair.crypto else grid.closes[last]))
    current = None
    if row > last:
        current = _anchors(pair, grid.apart, a.values, b.values, q, row)
    opened = 0.0
    if row >= 0:
        # a crypto row that holds a weekend begins with the day after the last session
        opened = float((grid.days[row - 1] + 1) * DAY if row else 0) if pair.crypto else float(grid.opens[row])
    in_session = pair.crypto or (row >= 0 and grid.opens[row] <= grid.now < grid.closes[row])
    point_a, point_b = grid.anchor(pair.a, max(row, 0)), grid.anchor(pair.b, max(row, 0))
    close = partial(_closed_row, pair, grid.apart, q, last, as_of)
    return PairState(pair, as_of, close, current, point_a, point_b, opened, in_session)


def _closed_row(pair: Pair, grid: DailyGrid, q: Floats, last: int, as_of: datetime | None) -> dict[str, Any]:
    """The row of the grid's row `last`, held against those before it; −1: there is none."""
    if last < 0:
        none = {"pair": pair.name, "a": pair.a.text, "b": pair.b.text, "n": 0, "coverage": 0.0, "recent": []}
        return none | {"status": Status.WARMING.value}
    a, b = grid.leg(pair.a), grid.leg(pair.b)
    closed = _anchors(pair, grid, a.values, b.values, q, last).values(
        Point(float(a.values[last]), float(a.coverage[last]), Status.OK, None),
        Point(float(b.values[last]), float(b.coverage[last]), Status.OK, None),
    )
    return closed | {"as_of": as_of}


def _anchors(pair: Pair, grid: DailyGrid, a: Floats, b: Floats, q: Floats, row: int) -> Anchors:
    """Everything before `row`, for a value at `row`."""
    past = q[:row]
    decade = past[max(0, row - DECADE + 1) :]
    year = past[max(0, row - YEAR + 1) :]
    ordered = ranks(decade)
    finite = np.flatnonzero(np.isfinite(past))
    bases = {}
    days = grid.days[finite]
    for horizon in HORIZONS:
        at = base_row(grid, past, finite, row, horizon, days)
        if at is not None:
            bases[horizon] = (float(a[at]), float(b[at]))
    slow, year_of = window(year), grid.date_of(row).year
    return Anchors(
        pair=pair,
        row=row,
        bases=bases,
        fast=window(past[max(0, row - FAST + 1) :]),
        slow=slow,
        ordered=ordered,
        reverting=reversion(year),
        top=float(past[finite].max()) if finite.size else -math.inf,
        bottom=ordered.ordered[0] if ordered.ordered else math.inf,
        known=int(finite.size),
        known_year=slow.n,
        width=int(year.size),
        # a year that is over has the same rows for every row of the one that is not
        streak=grid.once("streak", (pair, year_of), lambda: streak(grid, a, b, past, year_of)),
        recent=tuple(np.exp(past[finite[-(RECENT - 1) :]]).tolist()),
        loading=grid.loading(pair.a) or grid.loading(pair.b),
        baseless=any(leg.kind != "symbol" and not grid.year_there(leg) for leg in (pair.a, pair.b)),
    )


def base_row(
    grid: DailyGrid, past: Floats, finite: np.ndarray[Any, Any], row: int, horizon: str, days: Days | None = None
) -> int | None:
    """Row that a horizon of `row` is measured from, None where there is no value (near enough).

    days: those of the rows `finite`, where the caller has them.
    """
    if horizon in ROWS:
        at = row - ROWS[horizon]
        return at if at >= 0 and np.isfinite(past[at]) else None
    number = grid.once("target", (row, horizon), lambda: _target(grid.date_of(row), horizon))
    days = grid.days[finite] if days is None else days
    upto = int(np.searchsorted(days, number, side="right")) - 1
    if upto < 0 or number - days[upto] > ASOF_DAYS:
        return None
    return int(finite[upto])


def _target(day: date, horizon: str) -> int:
    """The day number that a horizon by the calendar reaches back to from `day`."""
    target = date(day.year - 1, 12, 31) if horizon == "ytd" else months_back(day, MONTHS[horizon])
    return (target - EPOCH).days


def months_back(day: date, months: int) -> date:
    """The same day so many months earlier, the month's last day where it has no such day (as pandas' DateOffset)."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def streak(grid: DailyGrid, a: Floats, b: Floats, past: Floats, this_year: int) -> Streak:
    """Run of sign(TR_a − TR_b) over the complete calendar years before `this_year`; a year without a return ends it."""
    finite = np.flatnonzero(np.isfinite(past))
    ends: dict[int, int] = {}
    years = grid.years[finite]
    for at in finite[np.flatnonzero(np.diff(years, append=np.iinfo(np.int64).max))].tolist():
        end = grid.date_of(at)
        if end.year < this_year and end.month == 12 and end.day > 31 - LAST_DAYS:
            ends[end.year] = at
    leading, first, year = None, None, this_year - 1
    while year in ends and year - 1 in ends:
        now, before = ends[year], ends[year - 1]
        side = leader(float(a[now] / a[before] - b[now] / b[before]))
        if side is None or (leading is not None and side != leading):
            break
        leading, first = side, year
        year -= 1
    if leading is None or first is None:
        return Streak()
    return Streak(leading, this_year - first, first, this_year - 1)


def leader(spread: float) -> str | None:
    """Which side a return spread speaks for; None where neither leads."""
    if spread == 0 or not math.isfinite(spread):
        return None
    return "small" if spread > 0 else "large"


def _time(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
