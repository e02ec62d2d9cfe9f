"""What a venue writes as a number becomes one, or None: nothing that is no number goes further."""

from __future__ import annotations

import math
from typing import Final

from feeds.link import MAX_PRICE

_INF: Final = math.inf


def number(value: object) -> float | None:
    """A finite float, or None for whatever is none."""
    if value is None:
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -_INF < found < _INF else None


def price(value: object) -> float | None:
    """A positive float below `MAX_PRICE`, or None."""
    if value is None:
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if 0.0 < found < MAX_PRICE else None
