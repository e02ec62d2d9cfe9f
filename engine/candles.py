"""Candles of one symbol for a chart: stored or made from finer ones, holes told, and a forming bar at the end.

A bar that should be there and is not is a row without values and status `stale`, so that no line is drawn across it; a
closed market leaves no rows. The forming bar joins the stored one, finer stored bars and the live price; of what lies
between two beats it knows what those bars know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.bars import SECONDS, BarBook, times_us
from engine.grid import DAY, DailyGrid, usable
from engine.model import Status, asset_of
from engine.tables import TABLES, TIME
from engine.view import View

FINER: Final = {"5m": ("1m",), "1h": ("5m", "1m")}
"""What an interval is made from where it is not stored, first that is."""
LONGEST_HOLE: Final = 500
"""Rows that one hole may take."""
US: Final = 1_000_000
SCHEMA: Final = TABLES["bars"]
FIGURES: Final = ("open", "high", "low", "close", "volume", "mean252", "sd252", "z252")

Micros = npt.NDArray[np.int64]


def base_of(book: BarBook, symbol: str, interval: str) -> str | None:
    """The stored interval that `interval` is served from: itself, or a finer one; None where there is neither."""
    for base in (interval, *FINER.get(interval, ())):
        if book.series(symbol, base) is not None:
            return base
    return None


def intervals_of(book: BarBook, symbol: str) -> tuple[str, ...]:
    """The intervals that can be charted, coarsest first."""
    return tuple(i for i in SECONDS if base_of(book, symbol, i) is not None)


def coarser(frame: pl.DataFrame, seconds: int) -> pl.DataFrame:
    """Bars of `seconds` from finer ones, by the clock in UTC: first open, extremes, last close, volume summed."""
    return (
        frame.lazy()
        .group_by_dynamic("time", every=f"{seconds}s")
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
        )
        .collect()
    )


def stored(book: BarBook, symbol: str, interval: str) -> pl.DataFrame:
    """time, open, high, low, close, volume of a symbol at an interval; empty where nothing serves it."""
    base = base_of(book, symbol, interval) or interval
    frame = book.frame(symbol, base).select("time", "open", "high", "low", "close", "volume")
    return frame if base == interval else coarser(frame, SECONDS[interval])


def rows(symbol: str, interval: str, columns: dict[str, Any], *, simulated: bool) -> pl.DataFrame:
    """Rows of the `bars` table; columns holds `time` (microseconds) and figures, those left out are null.

    A row without a close is a hole and says `stale`.
    """
    time = pl.Series("time", columns["time"], dtype=pl.Int64).cast(TIME)
    count = len(time)
    made = [
        pl.Series("symbol", [symbol], dtype=pl.String).new_from_index(0, count),
        pl.Series("interval", [interval], dtype=pl.String).new_from_index(0, count),
        time,
    ]
    for name in FIGURES:
        values = columns.get(name)
        if values is None:
            made.append(pl.Series(name, [None], dtype=pl.Float64).new_from_index(0, count))
        else:
            series = pl.Series(name, values, dtype=pl.Float64)
            made.append(series.set(~series.is_finite(), None) if series.null_count() < count else series)
    frame = pl.DataFrame(made)
    hole = pl.col("close").is_null()
    return frame.with_columns(
        pl.when(hole).then(pl.lit(Status.STALE.value)).otherwise(pl.lit(Status.OK.value)).alias("status"),
        pl.lit(simulated).alias("simulated"),
    )


def filled(times: Micros, step: int, grid: DailyGrid | None, *, round_the_clock: bool) -> tuple[Micros, Micros]:
    """The times with those of missing bars between them, and the place of each given one among all.

    step: microseconds. Daily bars of what has sessions are held against the grid's; finer ones only within a day.
    """
    if len(times) < 2:
        return times, np.arange(len(times), dtype=np.int64)
    if step == DAY * US and not round_the_clock:
        if grid is None or not len(grid.days):
            return times, np.arange(len(times), dtype=np.int64)
        sessions = grid.days * DAY * US
        inside = sessions[(sessions > times[0]) & (sessions < times[-1])]
        every = np.union1d(times, inside)
    else:
        gaps = np.diff(times)
        missing = np.minimum(gaps // step - 1, LONGEST_HOLE)
        if not round_the_clock:
            missing = np.where(times[1:] // (DAY * US) == times[:-1] // (DAY * US), missing, 0)
        holes = np.flatnonzero(missing > 0)
        if not len(holes):
            return times, np.arange(len(times), dtype=np.int64)
        extra = [times[at] + step * np.arange(1, missing[at] + 1) for at in holes]
        every = np.union1d(times, np.concatenate(extra))
    return every, np.searchsorted(every, times).astype(np.int64)


class Forming(NamedTuple):
    """The newest bar, provisional."""

    time: int
    """Its open, microseconds."""
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class Looked(NamedTuple):
    """What one series has at one beat."""

    closed: pl.DataFrame | None
    """Its rows but the one that is under way; the same object until a bar closes."""
    row: dict[str, Any] | None
    """The one that is under way, `time` in microseconds."""
    words: dict[str, Any]
    """What `charts` says of it, times in microseconds."""


def provisional(looked: Sequence[dict[str, Any]], *, simulated: bool) -> pl.DataFrame:
    """The rows that are under way, as one frame: ten cost little more than one."""
    made = []
    for name, kind in SCHEMA.items():
        values = [simulated if name == "simulated" else row.get(name) for row in looked]
        series = pl.Series(name, values, dtype=pl.Int64 if kind == TIME else kind)
        made.append(series.cast(TIME) if kind == TIME else series)
    return pl.DataFrame(made)


class Candles:
    """One symbol's candles at one interval; `look` gives the rows of this beat."""

    kind = "candles"

    def __init__(self, symbol: str, name: str, interval: str, book: BarBook) -> None:
        """name: as it was asked for, which the rows carry; symbol: canonical."""
        self.symbol = symbol
        self.name = name
        self.interval = interval
        self._book = book
        self._step = SECONDS[interval] * US
        self._held: pl.DataFrame | None = None
        self._grid: DailyGrid | None = None
        self._rows = self._head = pl.DataFrame(schema=SCHEMA)
        """All stored rows, and all but the last."""
        self._end = -1
        """The last stored bar's open, microseconds; −1: there is none."""
        self._last: tuple[float | None, ...] = ()
        """Its open, high, low and close prices and its volume."""
        self._first: int | None = None
        self._forming: Forming | None = None

    def look(self, view: View, grid: DailyGrid | None) -> Looked:
        """The rows at this beat."""
        base = base_of(self._book, self.symbol, self.interval) or self.interval
        series = self._book.series(self.symbol, base)
        if series is None:
            return Looked(
                None, None, {"note": f"no bars of {self.symbol} have come yet", "status": Status.WARMING.value}
            )
        if series.frame is not self._held or grid is not self._grid:
            self._held, self._grid = series.frame, grid
            self._build(simulated=view.simulated)
        live = view.live(self.symbol)
        forming = self._form(live.price, live.at, live.session)
        as_of = live.at if forming is not None else (self._end + self._step) / US if self._last else None
        closed, row = self._rows, None
        if forming is not None:
            closed = self._head if forming.time == self._end else self._rows
            row = {"symbol": self.name, "interval": self.interval, "status": live.status.value, **forming._asdict()}
        words = {
            "interval": self.interval, "kind": self.kind, "source": series.source, "quote_ccy": series.quote_ccy,
            "status": live.status.value if usable(live.price) else Status.STALE.value, "first": self._first,
            "last": self._end if forming is None else forming.time, 
            "as_of": None if as_of is None else int(as_of * US),
            "note": f"made of {base} bars" if base != self.interval else None,
        }  # fmt: skip
        return Looked(closed, row, words)

    def _build(self, *, simulated: bool) -> None:
        frame = stored(self._book, self.symbol, self.interval)
        times = times_us(frame)
        crypto = asset_of(self.symbol) == "crypto"
        every, place = filled(times, self._step, self._grid, round_the_clock=crypto)
        columns: dict[str, Any] = {"time": every}
        for name in ("open", "high", "low", "close", "volume"):
            values = np.full(len(every), np.nan)
            values[place] = frame[name].to_numpy()
            columns[name] = values
        self._rows = rows(self.name, self.interval, columns, simulated=simulated)
        self._head = self._rows.head(-1)
        last = frame.tail(1).select("open", "high", "low", "close", "volume")
        self._first = int(times[0]) if len(times) else None
        self._end = int(times[-1]) if len(times) else -1
        self._last = last.row(0) if len(times) else ()
        self._forming = None

    def _form(self, price: float | None, at: float | None, session: str | None) -> Forming | None:
        """The bar that the live price belongs to; None where it belongs to none that is under way."""
        if price is None or not usable(price) or at is None or not self._last:
            return None
        start = self._bucket(at, session)
        if start is None or start < self._end:
            return None
        held = self._forming
        if held is None or held.time != start:
            held = self._begin(start, price)
        self._forming = held._replace(high=max(held.high, price), low=min(held.low, price), close=price)
        return self._forming

    def _bucket(self, at: float, session: str | None) -> int | None:
        """The open of the bar that a moment falls in, microseconds; None outside the session of what has one."""
        asset = asset_of(self.symbol)
        if asset in ("crypto", "future") or self._grid is None:
            return int(at * US) // self._step * self._step
        if session not in (None, "regular"):
            return None
        if self._step < DAY * US:
            return int(at * US) // self._step * self._step
        row = self._grid.current(crypto=False)
        if row < 0 or not self._grid.opens[row] <= at:
            return None
        return int(self._grid.days[row]) * DAY * US

    def _begin(self, start: int, price: float) -> Forming:
        """The forming bar as stored bars know it, its own and the finer ones within it."""
        opened, high, low = price, price, price
        volume: float | None = None
        same = self._end == start
        for interval in ("5m", "1m") if self._step > 300 * US else ("1m",) if self._step > 60 * US else ():
            frame = self._book.frame(self.symbol, interval)
            at = int(np.searchsorted(times_us(frame), self._opening(start)))
            if at < frame.height:
                part = frame.slice(at)
                opens, top, bottom = part["open"].drop_nulls(), part["high"].max(), part["low"].min()
                opened = float(opens[0]) if len(opens) else opened
                high = max(high, top) if isinstance(top, float) else high
                low = min(low, bottom) if isinstance(bottom, float) else low
                volume = float(part["volume"].sum())
                break
        if same:
            own = self._last
            opened = own[0] if own[0] is not None else opened
            high = max(high, own[1] if own[1] is not None else high)
            low = min(low, own[2] if own[2] is not None else low)
            volume = own[4] if own[4] is not None else volume
        return Forming(start, opened, high, low, price, volume)

    def _opening(self, start: int) -> int:
        """Where the finer bars of the bar that opens at `start` begin, microseconds."""
        if self._step == DAY * US and asset_of(self.symbol) != "crypto" and self._grid is not None:
            row = self._grid.current(crypto=False)
            if row >= 0 and int(self._grid.days[row]) * DAY * US == start:
                return int(self._grid.opens[row] * US)
        return start
