"""What a chart shows, and what came of it: the values that the drawing takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tui.charts.data import Course
from tui.charts.options import Options
from tui.lines import Line


class Band(NamedTuple):
    """A support or resistance, in price units."""

    role: str
    price: float
    low: float
    high: float
    state: str | None
    touches: int | None
    named: bool = True
    """True where the user named it; a found one is drawn thinner, and its words give way."""


class Mark(NamedTuple):
    """Something that happened, at a time in microseconds."""

    time: int
    severity: str


@dataclass(frozen=True)
class Picture:
    """All that a chart shows."""

    options: Options
    interval: str
    course: Course
    status: str = "ok"
    simulated: bool = False
    other: Course | None = None
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    cross: int | None = None
    """Time of the bar under the crosshair, microseconds."""
    zone_note: str = ""
    digits: int | None = None


@dataclass(frozen=True)
class Drawn:
    """The lines, and where the bars stand in them."""

    lines: list[Line]
    left: int = 0
    columns: int = 0
    times: tuple[int, ...] = ()
    """Of the bars, or groups of them, that stand evenly over the columns."""

    def time_at(self, x: int) -> int | None:
        """The bar in cell column `x`; None outside."""
        if not self.times or not 0 <= x - self.left < self.columns:
            return None
        return self.times[min(len(self.times) - 1, int((x - self.left + 0.5) * len(self.times) / self.columns))]
