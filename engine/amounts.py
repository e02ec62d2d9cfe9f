"""Magnitudes of large amounts, the same on the screen and in messages."""

from __future__ import annotations

from typing import Final

_MAGNITUDES: Final = ((999.95e9, 1e12, "tn"), (999.95e6, 1e9, "bn"), (999.95e3, 1e6, "mn"), (999.5, 1e3, "k"))
"""From which size on, divided by what, called what: so that what is shown never rounds up to a thousand of its unit."""


def scaled(value: float) -> tuple[float, str]:
    """An amount in its magnitude, to be shown with one decimal, and its name; empty below a thousand, shown whole."""
    for least, unit, name in _MAGNITUDES:
        if abs(value) >= least:
            return value / unit, name
    return value, ""
