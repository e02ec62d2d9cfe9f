"""What a venue writes as a number becomes one, or None: nothing that is no number goes further."""

from __future__ import annotations

import math
from typing import Final

from feeds.link import MAX_PRICE

_INF: Final = math.inf
DAY: Final = 86_400.0


def number(value: object) -> float | None:
    """A finite float, or None for whatever is none."""
    if value is None:
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -_INF < found < _INF else None


def figure(value: object) -> float | None:
    """The same of what is written as a number: a text, or yes and no, is none."""
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def stamp(value: float | None, now: float) -> float | None:
    """Epoch seconds that somebody dates a figure with, or None where they lie before 1970 or over a day after `now`.

    Milliseconds taken for seconds are such: held as the newest, the figure would keep every later one out.
    """
    return value if value is not None and 0.0 <= value <= now + DAY else None


def price(value: object) -> float | None:
    """A positive float below `MAX_PRICE`, or None."""
    if value is None:
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if 0.0 < found < MAX_PRICE else None
