"""The dated Fed funds futures, by Yahoo's names, and which of them price what (METRICS §7).

The front month alone says nothing of a year, and nothing of a meeting that is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

MONTH_CODES: Final = "FGHJKMNQUVXZ"
SUFFIX: Final = ".CBT"
ANNOUNCED: Final = time(14, tzinfo=ZoneInfo("America/New_York"))
"""A decision is told at this time of its day."""


def far_months(today: date) -> tuple[date, date]:
    """The first days of the months a year on and, where that contract does not trade yet, one before."""
    year, month = (today.year + 1, today.month - 1) if today.month > 1 else (today.year, 12)
    return date(today.year + 1, today.month, 1), date(year, month, 1)


def fed_contract(month: date) -> str:
    """Yahoo's symbol of the Fed funds future of a month, `ZQF27.CBT`."""
    return f"ZQ{MONTH_CODES[month.month - 1]}{month.year % 100:02d}.CBT"


def fed_contracts(today: date) -> tuple[str, ...]:
    """The contracts that price a year's cuts: this month's and those of `far_months`."""
    return tuple(fed_contract(month) for month in (today.replace(day=1), *far_months(today)))


def told_at(decision: date) -> float:
    """Epoch seconds at which a decision is told."""
    return datetime.combine(decision, ANNOUNCED).timestamp()


def ahead(now: float, decisions: Sequence[date]) -> Iterator[date]:
    """The decisions that have not been told at `now`, epoch seconds, in their order."""
    return (day for day in decisions if told_at(day) > now)


def meeting_months(now: float, decisions: Sequence[date]) -> tuple[date, ...]:
    """First days of the months whose contracts price the next two meetings: theirs, and those beside without one."""
    months: dict[date, None] = {}
    for day in islice(ahead(now, decisions), 2):
        here = day.replace(day=1)
        beside = (month for month in (month_before(here), month_after(here)) if holds_none(month, decisions))
        months |= dict.fromkeys((here, *beside))
    return tuple(months)


def holds_none(month: date, decisions: Sequence[date]) -> bool:
    """Whether the list says that a month holds no meeting: it does so from its first to its last day alone."""
    held = {day.replace(day=1) for day in decisions}
    return bool(held) and min(held) <= month <= max(held) and month not in held


def month_before(month: date) -> date:
    """The first day of the month before that of a first day."""
    return (month - timedelta(days=1)).replace(day=1)


def month_after(month: date) -> date:
    """The first day of the month after it."""
    return (month + timedelta(days=31)).replace(day=1)
