"""The course of a pair, basket or mix for a chart: one line, by day on the one grid, or by finer bars of its members.

Daily values are those of the `spreads` table, its z252 and the mean and deviation behind it included, so that a chart
and a table never differ. Finer ones are unadjusted closes at the times that all parts have; an index starts at 100.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import polars as pl

from engine import candles, spreads
from engine.bars import SECONDS, BarBook, times_us
from engine.candles import SCHEMA, US, Looked, Micros
from engine.grid import DAY, MIN_COVERAGE, DailyGrid, Floats, Point, chained, worst
from engine.grid import basket_anchor as of_basket
from engine.grid import mix_anchor as of_mix
from engine.grid import symbol_anchor as of_symbol
from engine.legs import Leg, Pair
from engine.model import Status
from engine.view import Live, View
from engine.windows import MIN_SD, Window, rolling_z, to_series

DEEPEST: Final = 12_000
"""Values of a finer line."""
Anchor = Callable[[Callable[[str], Live]], Point]


def intervals_of(book: BarBook, leg: Leg) -> tuple[str, ...]:
    """The intervals that enough of a leg's members have, coarsest first."""
    if leg.kind == "mix":
        every = [intervals_of(book, part) for part, _ in leg.parts]
        return tuple(i for i in SECONDS if all(i in one for one in every))
    have = [candles.intervals_of(book, s) for s in leg.symbols]
    return tuple(i for i in SECONDS if sum(i in one for one in have) >= MIN_COVERAGE * len(have))


class Daily:
    """A pair or leg by day."""

    kind = "line"
    interval = "1d"

    def __init__(self, what: Pair | Leg, name: str) -> None:
        self._what = what
        self._name = name
        self._grid: DailyGrid | None = None
        self._rows = self._head = pl.DataFrame(schema=SCHEMA)
        """All closed rows, and all but the last."""
        self._first: int | None = None
        self._last = -1
        """Day of the last."""
        self._anchor: Anchor | None = None

    def look(self, view: View, grid: DailyGrid | None) -> Looked:
        """The rows at this beat."""
        if grid is None:
            return Looked(None, None, {"note": "no daily bars have come yet", "status": Status.WARMING.value})
        if grid is not self._grid:
            self._grid = grid
            self._build(grid, simulated=view.simulated)
        day, figures, status, as_of = self._live(grid, view)
        closed, row = self._rows, None
        if day is not None:
            closed = self._head if self._last == day else self._rows
            own = {"symbol": self._name, "interval": "1d", "time": day * DAY * US, "status": status.value}
            row = own | figures
        last = day if day is not None else self._last
        words = {
            "interval": "1d", "kind": self.kind, "status": status.value, "first": self._first,
            "last": last * DAY * US if last >= 0 else None,
            "as_of": None if as_of is None else int(as_of.timestamp() * US),
        }  # fmt: skip
        if row is None and not closed.height:
            words["note"] = "no daily history has come yet"
        return Looked(closed, row, words)

    def _build(self, grid: DailyGrid, *, simulated: bool) -> None:
        columns: dict[str, Any] = {}
        if isinstance(self._what, Pair):
            q = spreads.log_ratio(grid, self._what)
            values = np.exp(q)
            least = spreads.YEAR // 2
            made = pl.DataFrame([to_series(q)]).select(
                mean252=pl.col("q").rolling_mean(spreads.YEAR, min_samples=least),
                sd252=pl.col("q").rolling_std(spreads.YEAR, min_samples=least, ddof=1),
                z252=rolling_z("q", spreads.YEAR),
            )
            columns = {name: made[name].to_numpy() for name in made.columns}
        else:
            values = grid.leg(self._what).values
        known = np.flatnonzero(np.isfinite(values))
        part = slice(int(known[0]), int(known[-1]) + 1) if known.size else slice(0, 0)
        columns = {name: column[part] for name, column in columns.items()}
        time = grid.days[part] * DAY * US
        columns |= {"time": time, "close": values[part]}
        self._rows = candles.rows(self._name, "1d", columns, simulated=simulated)
        self._head = self._rows.head(-1)
        self._first = int(time[0]) if known.size else None
        self._last = int(grid.days[part][-1]) if known.size else -1
        at = grid.current(crypto=self._what.crypto)
        self._anchor = grid.anchor(self._what, at) if isinstance(self._what, Leg) and at >= 0 else None

    def _live(self, grid: DailyGrid, view: View) -> tuple[int | None, dict[str, float | None], Status, datetime | None]:
        """Day, figures, status and moment of the row that is under way; no day where none is."""
        what = self._what
        if isinstance(what, Pair):
            state = spreads.pair_state(grid, what)
            row = spreads.row_of(state, view)
            status, as_of = Status(row["status"]), row.get("as_of")
            if "live_row" not in row or row.get("log_ratio") is None or state.live is None:
                return None, {}, status, as_of
            q = float(row["log_ratio"])
            mean, sd = _with(state.live.slow, q)
            figures = {"close": math.exp(q), "mean252": mean, "sd252": sd, "z252": row.get("z252")}
            return int(grid.days[row["live_row"]]), figures, status, as_of
        at = grid.current(crypto=what.crypto)
        point = Point(None, 0.0, Status.WARMING, None) if self._anchor is None else self._anchor(view.live)
        since = _began(grid, at, crypto=what.crypto)
        if point.value is None or point.at is None or point.at < since:
            in_session = what.crypto or (at >= 0 and grid.opens[at] <= grid.now < grid.closes[at])
            return None, {}, Status.STALE if in_session else Status.CLOSED, None
        moment = datetime.fromtimestamp(point.at, UTC)
        if self._last >= grid.days[at]:
            return None, {}, point.status, moment  # the row has closed
        return int(grid.days[at]), {"close": point.value}, point.status, moment


class Finer:
    """A pair or leg by bars finer than a day."""

    kind = "line"

    def __init__(self, what: Pair | Leg, name: str, interval: str, book: BarBook) -> None:
        self.interval = interval
        self._what = what
        self._name = name
        self._book = book
        self._legs = (what.a, what.b) if isinstance(what, Pair) else (what,)
        self._symbols = tuple(dict.fromkeys(s for leg in self._legs for s in leg.symbols))
        self._held: tuple[object, ...] = ()
        self._rows = self._head = pl.DataFrame(schema=SCHEMA)
        self._first: int | None = None
        self._last = -1
        """Time of the last row, microseconds."""
        self._anchors: tuple[Anchor, ...] = ()

    def look(self, view: View, grid: DailyGrid | None) -> Looked:
        """As `Daily.look`."""
        frames = {s: self._series(s) for s in self._symbols}
        held = (*frames.values(), grid)
        if len(held) != len(self._held) or any(a is not b for a, b in zip(held, self._held, strict=True)):
            self._held = held
            self._build(grid, simulated=view.simulated)
        points = [anchor(view.live) for anchor in self._anchors]
        status = worst(p.status for p in points) if points else Status.WARMING
        words: dict[str, Any] = {"interval": self.interval, "kind": self.kind, "status": status.value}
        if not self._rows.height:
            words |= {"note": f"no {self.interval} bars at times that all of it has", "status": Status.WARMING.value}
            return Looked(None, None, words)
        words |= {"first": self._first, "last": self._last}
        found = self._live(points, view)
        if found is None:
            return Looked(self._rows, None, words)
        time, value, at = found
        own = {"symbol": self._name, "interval": self.interval, "status": status.value}
        words |= {"as_of": int(at * US), "last": time}
        return Looked(self._head if self._last == time else self._rows, own | {"time": time, "close": value}, words)

    def _series(self, symbol: str) -> object:
        base = candles.base_of(self._book, symbol, self.interval)
        series = None if base is None else self._book.series(symbol, base)
        return None if series is None else series.frame

    def _build(self, grid: DailyGrid | None, *, simulated: bool) -> None:
        courses = [self._course(leg) for leg in self._legs]
        times, values, anchors = courses[0]
        if len(courses) > 1:
            other_times, other, more = courses[1]
            times, left, right = np.intersect1d(times, other_times, assume_unique=True, return_indices=True)
            with np.errstate(divide="ignore", invalid="ignore"):
                values = values[left] / other[right]
            anchors = anchors + more
        crypto = all(leg.crypto for leg in self._legs)
        every, place = candles.filled(times, SECONDS[self.interval] * US, grid, round_the_clock=crypto)
        column = np.full(len(every), np.nan)
        column[place] = values
        columns = {"time": every[-DEEPEST:], "close": column[-DEEPEST:]}
        self._rows = candles.rows(self._name, self.interval, columns, simulated=simulated)
        self._head = self._rows.head(-1)
        self._first, self._last = (int(every[0]), int(every[-1])) if len(every) else (None, -1)
        self._anchors = tuple(anchors)

    def _course(self, leg: Leg) -> tuple[Micros, Floats, list[Anchor]]:
        """Times, values and how to value it live."""
        if leg.kind == "symbol":
            times, close = self._closes(leg.symbols[0])
            return times, close, [of_symbol(leg.symbols[0], 1.0)]
        if leg.kind == "mix":
            return self._mix(leg)
        parts = [self._closes(s) for s in leg.symbols]
        times = np.unique(np.concatenate([t for t, _ in parts]))[-DEEPEST:]
        matrix = np.full((len(parts), len(times)), np.nan)
        for i, (own, close) in enumerate(parts):
            inside = own >= times[0] if len(times) else np.zeros(0, dtype=bool)
            matrix[i, np.searchsorted(times, own[inside])] = close[inside]
        index = chained(matrix).values
        known = np.flatnonzero(np.isfinite(index))
        if not known.size:
            return times[:0], index[:0], [lambda _: Point(None, 0.0, Status.WARMING, None)]
        at = int(known[-1])
        bases = [(s, b) for s, b in zip(leg.symbols, _last(matrix[:, : at + 1]), strict=True) if math.isfinite(b)]
        return times[known], index[known], [of_basket(float(index[at]), bases)]

    def _mix(self, leg: Leg) -> tuple[Micros, Floats, list[Anchor]]:
        parts = [self._course(part) for part, _ in leg.parts]
        times = parts[0][0]
        for own, _, _ in parts[1:]:
            times = np.intersect1d(times, own, assume_unique=True)
        if not len(times):
            return times, np.zeros(0), [lambda _: Point(None, 0.0, Status.WARMING, None)]
        matrix = np.array([values[np.searchsorted(own, times)] for own, values, _ in parts])
        weights = [w for _, w in leg.parts]
        growth = np.array(weights) @ (matrix[:, 1:] / matrix[:, :-1])
        index = 100.0 * np.concatenate([[1.0], np.cumprod(growth)])
        last = matrix[:, -1].tolist()
        anchor = of_mix(float(index[-1]), [(p[2][0], w, base) for p, w, base in zip(parts, weights, last, strict=True)])
        return times, index, [anchor]

    def _closes(self, symbol: str) -> tuple[Micros, Floats]:
        frame = candles.stored(self._book, symbol, self.interval)
        return times_us(frame), frame["close"].to_numpy()

    def _live(self, points: Sequence[Point], view: View) -> tuple[int, float, float] | None:
        """Time, value and moment of the newest bar where live prices make one; None outside the session."""
        if any(p.value is None or p.at is None for p in points):
            return None
        if any(view.live(s).session not in (None, "regular") for s in self._symbols):
            return None
        values = [p.value for p in points if p.value is not None]
        at = max(p.at for p in points if p.at is not None)
        step = SECONDS[self.interval] * US
        time = int(at * US) // step * step
        if time < self._last:
            return None
        return time, values[0] / values[1] if len(values) > 1 else values[0], at


def _with(window: Window, q: float) -> tuple[float | None, float | None]:
    """Mean and deviation of the window with q added; None where its z has none."""
    n = window.n + 1
    if n < spreads.YEAR // 2:
        return None, None
    delta = q - window.mean
    mean = window.mean + delta / n
    sd = math.sqrt(max(window.m2 + delta * (q - mean), 0.0) / (n - 1))
    return (mean, sd) if sd > MIN_SD else (mean, None)


def _began(grid: DailyGrid, row: int, *, crypto: bool) -> float:
    """Epoch seconds since which a live price belongs to a row."""
    if row < 0:
        return math.inf
    if not crypto:
        return float(grid.opens[row])
    return float((grid.days[row - 1] + 1) * DAY) if row else 0.0


def _last(matrix: Floats) -> list[float]:
    """The last finite value of each line; NaN where it has none."""
    out = []
    for line in matrix:
        known = np.flatnonzero(np.isfinite(line))
        out.append(float(line[known[-1]]) if known.size else math.nan)
    return out
