"""A chart's bars as arrays, and the part of them that a span shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tui.charts.canvas import Floats

if TYPE_CHECKING:
    import polars as pl

Micros = npt.NDArray[np.int64]
DAY_US: Final = 86_400_000_000
_MONTHS: Final = {"1M": 1, "3M": 3, "1Y": 12, "5Y": 60}
_DAYS: Final = {"1D": 1, "5D": 5}
NIGHT_US: Final = 4 * 3_600_000_000
"""A pause as long as this ends a session."""
CLOSED_US: Final = 4 * DAY_US
"""The longest time that an exchange stays closed."""


class Course(NamedTuple):
    """Bars as arrays of one length; what is missing is NaN."""

    time: Micros
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    mean: Floats
    sd: Floats
    z: Floats

    def part(self, start: int, stop: int | None = None) -> Course:
        """The bars from `start` on."""
        time, *figures = self
        return Course(time[start:stop], *(values[start:stop] for values in figures))

    @property
    def candles(self) -> bool:
        """Whether there is more than closes."""
        return bool(np.isfinite(self.open).any())

    @property
    def traded(self) -> bool:
        """Whether anything changed hands; an index has no tape: its zero is no volume."""
        return bool((self.volume > 0).any())

    @property
    def z_bands(self) -> bool:
        """Whether there is a deviation to draw bands of."""
        return bool(np.isfinite(self.sd).any())


def course_of(bars: pl.DataFrame, symbol: str, interval: str) -> Course:
    """The rows of the `bars` table that belong to a symbol and interval, in order of time."""
    # rows of one kind stand together: a slice costs nothing, where a query would be a good part of a frame
    wanted = (bars.get_column("symbol") == symbol) & (bars.get_column("interval") == interval)
    rows = np.flatnonzero(wanted.to_numpy())
    first, count = (int(rows[0]), len(rows)) if len(rows) else (0, 0)
    mine = bars.slice(first, count) if not count or rows[-1] == first + count - 1 else bars[rows]
    time = mine.get_column("time").to_numpy().astype("datetime64[us]", copy=False).view(np.int64)
    figures = ("open", "high", "low", "close", "volume", "mean252", "sd252", "z252")
    return Course(time, *(mine.get_column(name).to_numpy().astype(np.float64, copy=False) for name in figures))


def same(a: Course | None, b: Course) -> bool:
    """Whether two courses hold the same numbers."""
    return a is not None and all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


def beginning(time: Micros, span: str) -> int:
    """Index of the first bar that a span shows, counted back from the last one.

    Days are sessions, for what has them; a year to date begins with the last bar of the year before.
    """
    if not len(time) or span == "MAX":
        return 0
    if span in _DAYS:
        return _sessions_back(time, _DAYS[span])
    first = int(np.searchsorted(time, _asked_from(int(time[-1]), span)))
    return max(0, first - 1) if span == "YTD" else first


def late(time: Micros, span: str) -> int | None:
    """Time of the first bar where the span asks for earlier ones; None where bars reach back as far as it does.

    Four closed days may stand before the first bar. One day is never late: its hours are its session's.
    """
    if not len(time) or span in ("1D", "MAX") or beginning(time, span):
        return None
    first, last = int(time[0]), int(time[-1])
    if span not in _DAYS:
        return first if first - _asked_from(last, span) > CLOSED_US else None
    if _daily(time):
        return first if len(time) <= _DAYS[span] else None
    if len(pauses := _pauses(time)):
        return first if len(pauses) + 1 < _DAYS[span] else None
    return first if last - first < 0.9 * _DAYS[span] * DAY_US else None


def _asked_from(last: int, span: str) -> int:
    """Where a span of months, or a year to date, begins that ends with `last`."""
    at = datetime.fromtimestamp(last / 1e6, UTC)
    if span == "YTD":
        return _us(datetime(at.year, 1, 1, tzinfo=UTC))
    months = at.year * 12 + at.month - 1 - _MONTHS[span]
    year, month = divmod(months, 12)
    day = min(at.day, 28 if month == 1 else 30 if month in (3, 5, 8, 10) else 31)
    return _us(at.replace(year=year, month=month + 1, day=day))


def _us(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _daily(time: Micros) -> bool:
    return len(time) > 1 and int(np.median(np.diff(time[-50:]))) >= DAY_US


def _pauses(time: Micros) -> npt.NDArray[np.intp]:
    """Indices of the bars that begin a session, but for the first one."""
    return np.flatnonzero(np.diff(time) >= NIGHT_US) + 1


def _sessions_back(time: Micros, count: int) -> int:
    if _daily(time):
        return max(0, len(time) - 1 - count)
    last, pauses = int(time[-1]), _pauses(time)
    recent = pauses[time[pauses] > last - 10 * DAY_US]
    if not len(recent):  # it never closes
        return int(np.searchsorted(time, last - count * DAY_US, side="right"))
    if len(recent) >= count:
        return int(recent[-count])
    return int(recent[0]) if time[0] <= last - 10 * DAY_US else 0
