"""The one percentage change: every view, alert and export takes it from here, and none of them can divide by a fault.

A previous price that cannot be one (Yahoo's near-zero previous close of ^RUT, ranaroussi/yfinance#2704) gives null,
never a number: it is held against the last daily close where one is known, else against the price itself.
"""

from __future__ import annotations

import math
from typing import Final

ANCHOR_FACTOR: Final = 1.5
"""A previous close may differ from the last daily close by this factor at most."""
SPLIT_FACTOR: Final = 1.3
"""No split is smaller (4 for 3 is the least that occurs), and few days are as large."""
_HUGE: Final = 1e300
PRICE_FACTOR: Final = 10.0
"""Without a daily close: a price may differ from its previous price by this factor at most."""


def other_units(price: float | None, prev: float | None, anchor: float | None) -> bool:
    """Whether a price and its previous close agree with each other and not with the last daily close, `anchor`.

    So it is on the day of a split, until the daily bars have been fetched anew: 110 and 109 beside 218. A previous
    close that is a fault does not agree with its price, and a price that has moved does not agree with its own.
    """
    if price is None or prev is None or anchor is None or not (0.0 < prev < _HUGE and 0.0 < anchor < _HUGE):
        return False
    near = 1 / SPLIT_FACTOR < price / prev < SPLIT_FACTOR
    return near and not any(1 / SPLIT_FACTOR < one / anchor < SPLIT_FACTOR for one in (price, prev))


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
    change = 100.0 * (price / prev - 1.0)
    return change if math.isfinite(change) else None
