"""Yahoo quotes some markets in hundredths: pence, cents, agorot. Here they become the currency itself."""

from __future__ import annotations

from typing import Final

_HUNDREDTHS: Final = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS"}


def in_units(currency: str) -> tuple[str, float]:
    """The currency of Yahoo's code, and what to multiply its prices with."""
    whole = _HUNDREDTHS.get(currency)
    return (whole, 0.01) if whole else (currency, 1.0)
