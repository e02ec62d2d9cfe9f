"""New York's trading sessions by rule: holidays, early closes, and their times in UTC.

Plain rules instead of a calendar library keep the simulator's start under a second; they equal the exchange's published
calendar from 2004 on, which is further back than any scenario reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

DAY = 86_400
_ONE_OFF = frozenset(
    date.fromisoformat(day)
    for day in ("2004-06-11", "2007-01-02", "2012-10-29", "2012-10-30", "2018-12-05", "2025-01-09")
)
"""Days of mourning and the hurricane of 2012."""


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th `weekday` (Monday is 0) of a month; n = −1 is the last."""
    if n < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(1)
        return last - timedelta((last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus's rule)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


@cache
def closed_days(year: int) -> frozenset[date]:
    """Weekdays of a year on which New York does not trade."""
    fixed = [date(year, 7, 4), date(year, 12, 25)]
    if year >= 2022:
        fixed.append(date(year, 6, 19))
    days = [
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        _easter(year) - timedelta(2),
        _nth(year, 5, 0, -1),
        _nth(year, 9, 0, 1),
        _nth(year, 11, 3, 4),
        *(day + timedelta({5: -1, 6: 1}.get(day.weekday(), 0)) for day in fixed),
        # New Year's Day on a Saturday is not moved into the old year
        date(year, 1, 2) if date(year, 1, 1).weekday() == 6 else date(year, 1, 1),
    ]
    return frozenset(day for day in days if day.weekday() < 5) | {day for day in _ONE_OFF if day.year == year}


@cache
def early_days(year: int) -> frozenset[date]:
    """Trading days of a year that close at 13:00."""
    days = [_nth(year, 11, 3, 4) + timedelta(1), date(year, 12, 24), date(year, 7, 3)]
    shut = closed_days(year)
    return frozenset(day for day in days if day.weekday() < 5 and day not in shut)


@cache
def _summer(year: int) -> tuple[date, date]:
    """First and last day on which New York's clocks show summer time at the open."""
    return _nth(year, 3, 6, 2), _nth(year, 11, 6, 1) - timedelta(1)


def utc_offset(day: date) -> int:
    """Seconds from UTC to New York's clocks at the open of a day: −14,400 or −18,000."""
    first, last = _summer(day.year)
    return -4 * 3600 if first <= day <= last else -5 * 3600


def midnight(day: date) -> int:
    """Epoch seconds of 00:00 UTC of a day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def local(day: date, hour: int, minute: int = 0) -> int:
    """Epoch seconds of a time of day in New York."""
    return midnight(day) + hour * 3600 + minute * 60 - utc_offset(day)


@dataclass(frozen=True, slots=True)
class Grid:
    """A calendar as arrays, one entry a session: its date, and its first and last second in epoch seconds."""

    days: tuple[date, ...]
    opens: Ints
    closes: Ints

    def index(self, at: float) -> int:
        """The session that is open at a moment, else the last one that was; −1 before the first."""
        return int(np.searchsorted(self.opens, at, side="right")) - 1

    def index_of(self, day: date) -> int:
        """The session of a day, else the last one before it; −1 before the first."""
        return int(np.searchsorted(self.opens, midnight(day) + DAY - 1, side="right")) - 1

    def is_open(self, at: float) -> bool:
        index = self.index(at)
        return index >= 0 and at < self.closes[index]


@cache
def new_york(first: date, last: date) -> Grid:
    """Regular sessions of New York from `first` to `last`, both included."""
    days = []
    day = first
    while day <= last:
        if day.weekday() < 5 and day not in closed_days(day.year):
            days.append(day)
        day += timedelta(1)
    opens = [local(day, 9, 30) for day in days]
    closes = [local(day, 13 if day in early_days(day.year) else 16) for day in days]
    return Grid(tuple(days), np.array(opens, np.int64), np.array(closes, np.int64))


@cache
def around_the_clock(first: date, last: date) -> Grid:
    """UTC days from `first` to `last`, both included."""
    start, count = midnight(first), (last - first).days + 1
    opens = start + DAY * np.arange(count, dtype=np.int64)
    return Grid(tuple(first + timedelta(n) for n in range(count)), opens, opens + DAY)
