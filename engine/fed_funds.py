"""The dated Fed funds futures, by Yahoo's names; the front month alone says nothing of a year (METRICS §7)."""

from __future__ import annotations

from datetime import date
from typing import Final

MONTH_CODES: Final = "FGHJKMNQUVXZ"
SUFFIX: Final = ".CBT"


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
