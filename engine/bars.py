"""The bars that the engine holds: clean, in order, each time once, and of one source a symbol at any moment.

Whatever a feed sends, a frame that leaves this book has ascending unique times, a close in every row, and no NaN,
infinity, zero or negative price: those are null (or, for a close, the row is dropped) at this one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.model import Bars, Coverage
from engine.tables import BARS

SECONDS: Final[Mapping[str, int]] = {"1d": 86_400, "1h": 3_600, "5m": 300, "1m": 60}
"""Length of a bar by interval. A bar's time is its open: it is closed at time + length (equities: at its session's)."""

LIMITS: Final[Mapping[str, int]] = {"1d": 20_000, "1h": 2_400, "5m": 20_000, "1m": 12_000}
"""Rows kept a symbol, interval and source; the oldest go first."""

LEAST: Final = 1e-15
MOST: Final = 1e15
"""No price lies beyond these; what does is a fault, and its products would overflow."""
MOST_VOLUME: Final = 1e18

RECENT: Final = 30
"""Closes in `quotes.recent`."""
RECENT_INTERVALS: Final = ("1d", "1h")
"""Where `quotes.recent` comes from, first that has bars."""

_PRICES: Final = ("open", "high", "low", "close", "adj_close")
_FRESH_BARS: Final = 5
"""A source that is this many bars behind the freshest one is not chosen."""


_NONE: Final = pl.DataFrame(schema=BARS)


class Series(NamedTuple):
    """The bars of one symbol and interval by one source."""

    source: str
    quote_ccy: str
    frame: pl.DataFrame
    """Schema `engine.tables.BARS`."""


def times_us(frame: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The bars' opens in microseconds since the epoch. (`to_physical` goes through the query engine: 0.2 ms.)"""
    return frame["time"].to_numpy().astype("datetime64[us]", copy=False).view(np.int64)


def days_of(frame: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The bars' UTC dates in days since 1970-01-01."""
    return times_us(frame) // 86_400_000_000


def clean(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` as `BARS`: bad numbers null, rows without a time or a close dropped, last of equal times kept, ascending.

    A row whose high is below its low, or whose close lies outside [low, high] by more than 0.1 %, keeps its close only.
    """
    frame = frame.select([pl.col(name).cast(kind, strict=False) for name, kind in BARS.items()])
    frame = frame.with_columns(
        [pl.when(pl.col(c).is_between(LEAST, MOST)).then(pl.col(c)).alias(c) for c in _PRICES]
        + [pl.when(pl.col("volume").is_between(0.0, MOST_VOLUME)).then(pl.col("volume")).alias("volume")]
    ).drop_nulls(["time", "close"])
    sane = (
        (pl.col("high") >= pl.col("low"))
        & (pl.col("close") <= pl.col("high") * 1.001)
        & (pl.col("close") >= pl.col("low") * 0.999)
    ).fill_null(value=True)
    frame = frame.with_columns([pl.when(sane).then(pl.col(c)).alias(c) for c in ("open", "high", "low")])
    return frame.unique("time", keep="last", maintain_order=True).sort("time")


class BarBook:
    """All bars by symbol, interval and source; the one way in is `merge`.

    preference: sources in the user's order, for ties.
    """

    def __init__(self, preference: Sequence[str] = ()) -> None:
        self._preference = tuple(preference)
        self._held: dict[tuple[str, str], dict[str, Series]] = {}
        self._loading: set[tuple[str, str, str]] = set()
        self.generation = 0
        """Grows with every change, so that a derivation knows whether it must run again."""
        self.daily = 0
        """The same of daily bars alone."""

    def merge(self, bars: Bars, /) -> bool:
        """Take in `bars`, newer rows winning over older ones of the same time. True where anything changed."""
        told = self._tell(bars)
        fresh = clean(bars.frame)
        by_source = self._held.setdefault((bars.symbol, bars.interval), {})
        old = by_source.get(bars.source)
        if old is not None and not bars.replace:
            if fresh.is_empty():
                return told
            fresh = pl.concat([old.frame, fresh]).unique("time", keep="last", maintain_order=True).sort("time")
        fresh = fresh.tail(LIMITS.get(bars.interval, 20_000))
        if old is not None and fresh.equals(old.frame):
            return told
        by_source[bars.source] = Series(bars.source, bars.quote_ccy, fresh)
        self._grew(bars.interval)
        return True

    def _grew(self, interval: str) -> None:
        self.generation += 1
        self.daily += interval == "1d"

    def _tell(self, bars: Bars) -> bool:
        """Note whether older bars are to come. True where that is news."""
        key = (bars.symbol, bars.interval, bars.source)
        if bars.older is (key in self._loading):
            return False
        (self._loading.add if bars.older else self._loading.discard)(key)
        self._grew(bars.interval)
        return True

    def loading(self, symbol: str, interval: str) -> bool:
        """Whether older bars of the source to compute with are still being fetched."""
        if not self._loading:
            return False
        series = self.series(symbol, interval)
        return series is not None and (symbol, interval, series.source) in self._loading

    def series(self, symbol: str, interval: str) -> Series | None:
        """The bars to compute with: of the sources that are up to date, the one with the longest history.

        One source at a time, never a splice; ties go by the preference, then by name.
        """
        held = [s for s in self._held.get((symbol, interval), {}).values() if not s.frame.is_empty()]
        if len(held) < 2:
            return held[0] if held else None
        lasts = {s.source: _epoch(s.frame, -1) for s in held}
        bound = max(lasts.values()) - _FRESH_BARS * SECONDS.get(interval, 86_400)
        rank = {name: i for i, name in enumerate(self._preference)}
        return min(
            (s for s in held if lasts[s.source] >= bound),
            key=lambda s: (-s.frame.height, rank.get(s.source, len(rank)), s.source),
        )

    def of(self, symbol: str, interval: str, source: str) -> Series | None:
        """The bars of one source, whichever is chosen to compute with."""
        return self._held.get((symbol, interval), {}).get(source)

    def frame(self, symbol: str, interval: str) -> pl.DataFrame:
        """`series(…).frame`, empty where there is none."""
        series = self.series(symbol, interval)
        return _NONE if series is None else series.frame

    def coverage(self, symbol: str, interval: str, source: str) -> Coverage | None:
        """First and last time held, and how many rows, of one source."""
        series = self.of(symbol, interval, source)
        if series is None or series.frame.is_empty():
            return None
        return Coverage(_epoch(series.frame, 0), _epoch(series.frame, -1), series.frame.height)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Every (symbol, interval) that has bars."""
        return iter(tuple(self._held))


def _epoch(frame: pl.DataFrame, row: int) -> float:
    """Epoch seconds of a row's time; the frame is not empty."""
    return float(frame["time"].to_physical()[row]) / 1e6


def recent_closes(book: BarBook, symbols: Iterable[str]) -> dict[str, list[float]]:
    """The last closes of each symbol, for sparklines; one without bars is left out."""
    recent: dict[str, list[float]] = {}
    for symbol in symbols:
        for interval in RECENT_INTERVALS:
            series = book.series(symbol, interval)
            if series is not None and series.frame.height > 1:
                recent[symbol] = series.frame["close"].tail(RECENT).to_list()
                break
    return recent


def closes_before(book: BarBook, symbols: Iterable[str], now: float) -> dict[str, float]:
    """Each symbol's last daily close of a day before New York's at `now`, epoch seconds, whose own bar may be forming.

    One without such a bar is left out. That day begins at 4 or 5 UTC: in that hour no daily bar is of it.
    """
    today = int((now - 5 * 3600.0) // 86_400)
    anchors: dict[str, float] = {}
    for symbol in symbols:
        frame = book.frame(symbol, "1d").tail(2)
        before = np.flatnonzero(days_of(frame) < today)
        if before.size:
            anchors[symbol] = float(frame["close"][int(before[-1])])
    return anchors
