"""One daily grid for every spread, gauge and correlation: the XNYS sessions, so that 252 means a year for everything.

Crypto enters with the UTC-day candle of the session's date, which closes hours after the session; a weekend falls
inside Monday. A row counts as closed for a leg only once its own bar is: the session's close for what has sessions,
the end of the UTC day for crypto (METRICS §0, Calendars). Total-return symbols enter with the adjusted close, indices,
futures and crypto with the close. A missing bar is NaN here and null in every table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.bars import LEAST, MOST, BarBook, days_of, times_us
from engine.futures import INDEX_OF, roll_clean
from engine.legs import Leg
from engine.model import Status, asset_of
from engine.view import Calendar, Live

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]
T = TypeVar("T")

DAY = 86_400
EPOCH = date(1970, 1, 1)
DUE_S = 6 * 3600.0
"""Daily bars are there so long after their session's close."""
YEAR_DAYS = 380
"""Calendar days that hold 252 sessions, with some to spare."""
MIN_COVERAGE = 0.8
"""An index of members needs this share of those that have joined."""

_SEVERITY = {s: i for i, s in enumerate(Status)}


def worst(statuses: Iterable[Status]) -> Status:
    """The least trustworthy of `statuses`; ok for none."""
    return max(statuses, key=_SEVERITY.__getitem__, default=Status.OK)


def usable(price: float | None) -> bool:
    """Whether a live price or volume can be computed with: there, above zero, and no absurdity."""
    return price is not None and LEAST <= price <= MOST


class Point(NamedTuple):
    """A leg's value at one moment."""

    value: float | None
    coverage: float
    """Share of the members with a price; 1 for a symbol that has one."""
    status: Status
    at: float | None
    """Epoch seconds of the newest observation in it."""


@dataclass(frozen=True)
class Column:
    """One leg on the grid."""

    values: Floats
    """One value a session, NaN where there is none."""
    coverage: Floats
    """Share of the joined members behind each value."""
    factor: float = 1.0
    """A symbol's adjusted over unadjusted price at its newest bar: what a live price is multiplied by."""


@dataclass(frozen=True)
class DailyGrid:
    """The sessions up to the current one, and the closes of what was asked for, one column a leg."""

    days: Days
    """Days since 1970-01-01 of every session that has opened, or whose date has come in UTC."""
    opens: Floats
    closes: Floats
    """Epoch seconds."""
    now: float
    valid_until: float
    """Epoch seconds from which on the grid must be built again though no bar changed: a session or a UTC day turns."""
    _book: BarBook
    _symbols: dict[str, Column] = field(default_factory=dict)
    _legs: dict[Leg, Column] = field(default_factory=dict)
    _closed: dict[str, pl.DataFrame] = field(default_factory=dict)
    _made: dict[tuple[str, object], object] = field(default_factory=dict)

    def date_of(self, row: int) -> date:
        """The date of a row."""
        return EPOCH + timedelta(days=int(self.days[row]))

    def current(self, *, crypto: bool) -> int:
        """Row that a live price belongs to now: the newest opened session, or for crypto the one its UTC day falls in.

        -1 where there is none.
        """
        if crypto:
            return len(self.days) - 1
        return int(np.searchsorted(self.opens, self.now, side="right")) - 1

    def symbol(self, symbol: str) -> Column:
        """A symbol's closes on the grid; NaN from the first bar on that has not closed."""
        if symbol not in self._symbols:
            self._symbols[symbol] = self._fill(symbol)
        return self._symbols[symbol]

    def leg(self, leg: Leg) -> Column:
        """A leg's values on the grid: a symbol's closes, or the chained index of a basket or mix.

        Such an index is 100 at the last close of the year before (of its first, where it is younger): its level does
        not depend on how far back the history goes.
        """
        if leg not in self._legs:
            if leg.kind == "symbol":
                column = self.symbol(leg.symbols[0])
            elif leg.kind == "basket":
                column = self._based(chained(np.array([self.symbol(s).values for s in leg.symbols])))
            else:
                column = self._based(_mixed([self.leg(part) for part, _ in leg.parts], [w for _, w in leg.parts]))
            self._legs[leg] = column
        return self._legs[leg]

    def _based(self, index: Column) -> Column:
        row = len(self.days) - 1
        known = np.flatnonzero(np.isfinite(index.values))
        if not known.size:
            return index
        past = known[self.years[known] < self.years[row]]
        base = index.values[past[-1] if past.size else known[0]]
        return Column(index.values * (100.0 / base), index.coverage)

    def anchor(self, leg: Leg, row: int) -> Callable[[Callable[[str], Live]], Point]:
        """A function from live prices to the leg's provisional value at `row`, O(members) a call."""
        if leg.kind == "symbol":
            return symbol_anchor(leg.symbols[0], self.symbol(leg.symbols[0]).factor)
        before = self.leg(leg).values[:row]
        known = np.flatnonzero(np.isfinite(before))
        base = int(known[-1]) if known.size else -1
        if base < 0:
            return lambda _: Point(None, 0.0, Status.WARMING, None)
        level = float(before[base])
        if leg.kind == "basket":
            columns = [(s, self.symbol(s)) for s in leg.symbols]
            bases = [(s, last_valid(c.values[: base + 1]), c.factor) for s, c in columns]
            return basket_anchor(level, [(s, b / f) for s, b, f in bases if b is not None])
        parts = [
            (self.anchor(part, row), w, last_valid(self.leg(part).values[: base + 1]) or float("nan"))
            for part, w in leg.parts
        ]
        return mix_anchor(level, parts)

    def loading(self, leg: Leg) -> bool:
        """Whether older daily bars of the leg are still being fetched, so that its past is not the whole."""
        return any(self._book.loading(symbol, "1d") for symbol in leg.symbols)

    def reaches(self, symbol: str, day: int) -> bool:
        """Whether the daily bars go back to `day` (days since 1970), or are all that there are."""
        if not self._book.loading(symbol, "1d"):
            return True
        days = days_of(self._book.frame(symbol, "1d").head(1))
        return len(days) > 0 and int(days[0]) <= day

    def missed(self, row: int) -> bool:
        """Whether a session after `row` has closed so long ago that its bar should be here."""
        return int(np.searchsorted(self.closes, self.now - DUE_S, side="right")) - 1 > row

    def year_there(self, *legs: Leg) -> bool:
        """Whether the legs' daily bars go back far enough for windows of a year."""
        day = int(self.now // DAY) - YEAR_DAYS
        return all(self.reaches(symbol, day) for leg in legs for symbol in leg.symbols)

    def once(self, kind: str, key: object, make: Callable[[], T]) -> T:
        """What `make` gives, made by the first table of this close that asks for this kind and key."""
        if (kind, key) not in self._made:
            self._made[kind, key] = make()
        return cast(T, self._made[kind, key])

    @cached_property
    def apart(self) -> DailyGrid:
        """The same columns, with a memory of its own: for what is kept by `once` here and holds on to its grid.

        It would else be a circle, and megabytes in a few objects wait long for a search that counts objects.
        """
        return replace(self, _made={})

    def closed(self, symbol: str) -> pl.DataFrame:
        """A symbol's own daily bars that have closed; its session's close decides, else the end of the UTC day."""
        if symbol not in self._closed:
            frame = self._book.frame(symbol, "1d")
            days, count = days_of(frame), frame.height
            while count and self.bar_end(symbol, int(days[count - 1])) > self.now:
                count -= 1
            self._closed[symbol] = frame.head(count)
        return self._closed[symbol]

    def intraday(self, symbol: str, sessions: int) -> pl.DataFrame:
        """A symbol's 5-minute bars of the last `sessions` sessions."""
        opened = self.opens[self.opens <= self.now]
        frame = self._book.frame(symbol, "5m")
        if not len(opened) or frame.is_empty():
            return frame.head(0)
        at = int(np.searchsorted(times_us(frame), opened[-min(sessions, len(opened))] * 1e6))
        return frame.slice(at)

    def bar_end(self, symbol: str, day: int) -> float:
        """Epoch seconds at which the daily bar of a day closes."""
        if asset_of(symbol) != "crypto" and len(self.days):
            row = int(np.searchsorted(self.days, day))
            if row < len(self.days) and self.days[row] == day:
                return float(self.closes[row])
        return (day + 1.0) * DAY

    @cached_property
    def years(self) -> Days:
        """The calendar year of each row."""
        return self.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970

    def _fill(self, symbol: str) -> Column:
        values = np.full(len(self.days), np.nan)
        frame = self._book.frame(symbol, "1d")
        if frame.is_empty() or not len(self.days):
            return Column(values, np.zeros(len(self.days)))
        asset = asset_of(symbol)
        days = days_of(frame)
        close = frame["close"].to_numpy()
        used = frame["adj_close"].to_numpy() if asset == "etf" else close
        rows = np.searchsorted(self.days, days)
        rows[rows == len(self.days)] = 0
        end = (self.days + 1) * DAY if asset == "crypto" else self.closes
        hit = (self.days[rows] == days) & (end[rows] <= self.now)
        values[rows[hit]] = used[hit]
        if symbol in INDEX_OF:
            values = roll_clean(self.days, values, self.symbol(INDEX_OF[symbol]).values)
        # the adjustment of the newest bar, forming or not: a dividend of today is already in the older bars' factors
        ratio = float(used[-1] / close[-1]) if used.size else 1.0
        factor = ratio if np.isfinite(ratio) and ratio > 0 else 1.0
        return Column(values, np.isfinite(values).astype(np.float64), factor)


def daily_grid(book: BarBook, calendar: Calendar, now: float) -> DailyGrid:
    """The grid at `now`, epoch seconds, from the first session that any daily bar falls on."""
    sessions = np.array([(s.day, s.open, s.close) for s in calendar.sessions], dtype=np.float64).reshape(-1, 3)
    daily = (book.frame(symbol, interval) for symbol, interval in book if interval == "1d")
    first = min((float(days_of(f)[0]) * DAY for f in daily if not f.is_empty()), default=now)
    today = now // DAY
    # a weekend's crypto belongs to the session after it, so that one is part of the grid as well
    coming = sessions[:, 0] >= today
    last_day = sessions[coming, 0][0] if coming.any() else today
    keep = (sessions[:, 0] >= first // DAY) & (sessions[:, 0] <= last_day)
    kept = sessions[keep]
    turns = [float(t) for t in (*sessions[:, 1], *sessions[:, 2], (today + 1) * DAY) if t > now]
    return DailyGrid(kept[:, 0].astype(np.int64), kept[:, 1], kept[:, 2], now, min(turns, default=float("inf")), book)


def chained(prices: Floats) -> Column:
    """Equal-weight chained index I_t = I_s·(1 + mean R_i), s the last valid row, first value 100 (METRICS §1, ALT).

    prices: members × sessions, NaN where missing. A member counts from the row after its first price (its join date);
    R_i runs from its last price at or before s. A row where under 80 % of the joined members have a price is NaN, and
    the next valid one bridges it. coverage: members with a price ÷ members joined.
    """
    members, rows = prices.shape
    values, coverage = np.full(rows, np.nan), np.zeros(rows)
    if not members or not rows:
        return Column(values, coverage)
    there = np.isfinite(prices)
    used = int(np.max(np.flatnonzero(there.any(axis=0)), initial=-1)) + 1
    if used < rows:  # the newest rows have not closed yet
        short = chained(prices[:, :used])
        values[:used], coverage[:used] = short.values, short.coverage
        return Column(values, coverage)
    seen = np.maximum.accumulate(np.where(there, np.arange(rows), -1), axis=1)
    filled = np.where(seen >= 0, np.take_along_axis(prices, np.maximum(seen, 0), axis=1), np.nan)
    joined = seen >= 0
    start = int(np.argmax(joined.any(axis=0))) if joined.any() else rows
    if start == rows:
        return Column(values, coverage)
    values[start], coverage[start] = 100.0, 1.0
    # where no row is skipped s is t − 1, and all rows go at once
    count = joined[:, start:-1].sum(axis=0)
    both = joined[:, start:-1] & there[:, start + 1 :]
    share = both.sum(axis=0) / np.maximum(count, 1)
    if (share >= MIN_COVERAGE).all():
        growth = np.where(both, prices[:, start + 1 :] / filled[:, start:-1], 0.0).sum(axis=0) / both.sum(axis=0)
        values[start + 1 :] = 100.0 * np.cumprod(growth)
        coverage[start + 1 :] = share
        return Column(values, coverage)
    base = start
    for row in range(start + 1, rows):
        able = joined[:, base]
        have = able & there[:, row]
        coverage[row] = have.sum() / able.sum()
        if coverage[row] >= MIN_COVERAGE:
            values[row] = values[base] * (prices[have, row] / filled[have, base]).mean()
            base = row
    return Column(values, coverage)


def _mixed(legs: list[Column], weights: list[float]) -> Column:
    """I_t = I_s·Σ w_i·(P_i,t / P_i,s), s the last row where every leg has a value; NaN where one has none."""
    prices = np.array([c.values for c in legs])
    coverage = np.min([c.coverage for c in legs], axis=0)
    values = np.full(prices.shape[1], np.nan)
    rows = np.flatnonzero(np.isfinite(prices).all(axis=0))
    if rows.size:
        growth = np.array(weights) @ (prices[:, rows[1:]] / prices[:, rows[:-1]])
        values[rows] = 100.0 * np.concatenate([[1.0], np.cumprod(growth)])
    return Column(values, coverage)


def last_valid(values: Floats) -> float | None:
    """The last finite value, None where there is none."""
    known = np.flatnonzero(np.isfinite(values))
    return float(values[known[-1]]) if known.size else None


def symbol_anchor(symbol: str, factor: float) -> Callable[[Callable[[str], Live]], Point]:
    """A function from live prices to a symbol's value: its price times `factor`."""

    def point(live: Callable[[str], Live]) -> Point:
        quote = live(symbol)
        if not usable(quote.price) or quote.price is None:
            return Point(None, 0.0, quote.status, quote.at)
        return Point(quote.price * factor, 1.0, quote.status, quote.at)

    return point


def basket_anchor(level: float, bases: list[tuple[str, float]]) -> Callable[[Callable[[str], Live]], Point]:
    """A function from live prices to an index's value: its last `level` times the members' mean growth from `bases`."""

    def point(live: Callable[[str], Live]) -> Point:
        total, count, statuses, newest = 0.0, 0, [], None
        for symbol, base in bases:
            quote = live(symbol)
            if usable(quote.price) and quote.price is not None:
                total += quote.price / base
                count += 1
                statuses.append(quote.status)
                if quote.at is not None and (newest is None or quote.at > newest):
                    newest = quote.at
        coverage = count / len(bases) if bases else 0.0
        # one stale member of many does not make an index stale: it is stale where too few members are fresh
        fresh = sum(s is not Status.STALE for s in statuses)
        status = worst(s for s in statuses if s is not Status.STALE)
        if not bases or fresh / len(bases) < MIN_COVERAGE:
            status = Status.STALE
        if coverage < MIN_COVERAGE:
            return Point(None, coverage, status, newest)
        return Point(level * total / count, coverage, status, newest)

    return point


def mix_anchor(
    level: float, parts: list[tuple[Callable[[Callable[[str], Live]], Point], float, float]]
) -> Callable[[Callable[[str], Live]], Point]:
    """A function from live prices to a mix's value; parts: each leg's own such function, its weight and its base."""

    def point(live: Callable[[str], Live]) -> Point:
        growth, points = 0.0, []
        for anchor, weight, base in parts:
            one = anchor(live)
            points.append(one)
            growth += weight * one.value / base if one.value is not None else float("nan")
        at = max((p.at for p in points if p.at is not None), default=None)
        value = level * growth if growth == growth else None  # noqa: PLR0124 — NaN is the one that differs from itself
        return Point(value, min(p.coverage for p in points), worst(p.status for p in points), at)

    return point
