"""What both ways to Yahoo's quotes make of its figures: whole currencies, a previous close only where it can be one.

Some markets are quoted in hundredths: pence, cents, agorot.
"""

from __future__ import annotations

from typing import Final

_HUNDREDTHS: Final = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS"}


def in_units(currency: str) -> tuple[str, float]:
    """The currency of Yahoo's code, and what to multiply its prices with."""
    whole = _HUNDREDTHS.get(currency)
    return (whole, 0.01) if whole else (currency, 1.0)


LARGEST_MOVE: Final = 0.5
"""A day's change beyond this share says that the previous close is wrong (ranaroussi/yfinance#2704: ^RUT, ^VIX)."""


def likely(previous: float | None, last: float) -> float | None:
    """A previous close, where a price can have come from it within a day; else None."""
    return previous if previous is not None and abs(last / previous - 1) <= LARGEST_MOVE else None
