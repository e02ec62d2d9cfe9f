"""The one percentage change: every view, alert and export takes it from here, and none of them can divide by a fault.

A previous price that cannot be one (Yahoo's near-zero previous close of ^RUT, ranaroussi/yfinance#2704) gives null,
never a number: it is held against the last daily close where one is known, else against the price itself.
"""

from __future__ import annotations

from typing import Final

ANCHOR_FACTOR: Final = 1.5
"""A previous close may differ from the last daily close by this factor at most."""
_HUGE: Final = 1e300
PRICE_FACTOR: Final = 10.0
"""Without a daily close: a price may differ from its previous price by this factor at most."""


def change_pct(price: float | None, prev: float | None, anchor: float | None = None) -> float | None:
    """Per cent from `prev` to `price`; None where either is missing or `prev` cannot be one.

    anchor: the last daily close before the price's own session, where one is known.
    """
    if price is None or prev is None or not (0.0 < prev < _HUGE and 0.0 < price < _HUGE):
        return None
    if anchor is not None and 0.0 < anchor < _HUGE:
        if not anchor / ANCHOR_FACTOR <= prev <= anchor * ANCHOR_FACTOR:
            return None
    elif not prev / PRICE_FACTOR <= price <= prev * PRICE_FACTOR:
        return None
    return 100.0 * (price / prev - 1.0)
