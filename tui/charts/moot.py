"""Why a switch of a chart changes nothing here, in words: a key that does nothing is else taken for a broken one."""

from __future__ import annotations

from typing import Final

from tui.charts.data import Course
from tui.charts.ground import VOLUME_FROM
from tui.charts.options import Options

WHAT: Final = {
    "line": "candles", "volume": "volume", "bands": "bands", "z_bands": "z-bands", "marks": "marks",
    "averages": "averages", "scale": "scale",
}  # fmt: skip
"""What is switched, by the name of its option."""
SINGLE: Final = ("line", "bands", "z_bands", "averages", "scale")
"""Options that a second series takes away."""


def moot(what: str, options: Options, course: Course, height: int, *, bands: bool) -> str | None:
    """One sentence, or None where the switch shows.

    what: the option; course: all bars of what is charted; height: lines of the chart; bands: whether it has any.
    """
    name = options.symbol
    if what not in WHAT:
        return None
    if options.returns:
        return f"{WHAT[what]}: not of the distribution of returns, but of its course"
    if options.versus is not None and what in SINGLE:
        return f"{WHAT[what]}: of one series; two are lines, in per cent of their first common bar"
    no_volume = (
        "too few lines here for volume below the price" if course.traded else f"{name} has no volume in these bars"
    )
    missing = {
        "line": (not course.candles, f"{name} has closes alone: it is a line"),
        "volume": (not course.traded or height < VOLUME_FROM, no_volume),
        "bands": (not bands, f"{name} has no support or resistance"),
        "z_bands": (not course.z_bands, f"{name} has no z-bands in these bars: a pair's daily ones have"),
    }
    absent, why = missing.get(what, (False, ""))
    return why if absent else None
