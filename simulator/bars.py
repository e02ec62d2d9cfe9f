"""Bars of any symbol at any interval, cut off at a moment: the running bar ends there and nothing lies beyond it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.paths import Floats
from simulator.series import Series
from simulator.sessions import DAY, Ints

WEEK = 7 * DAY
_MONDAY = 4 * DAY
"""Epoch seconds of the first Monday."""
_REMEMBERED = 512
"""Running sessions that are kept, newest first."""


class Bars(NamedTuple):
    """Bars as arrays, oldest first; `time` is the open, epoch seconds."""

    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    adjusted: Floats
    volume: Floats


NOTHING = Bars(np.zeros(0, np.int64), *(np.zeros(0) for _ in range(6)))
"""No bars at all."""


class BarReader:
    """Reads bars off series; `series` finds one by its symbol."""

    def __init__(self, series: Callable[[str], Series]) -> None:
        self._series = series
        self._days: OrderedDict[tuple[str, int], tuple[float, float, float, float]] = OrderedDict()

    def bars(self, symbol: str, interval_s: int, start: float, end: float, at: float) -> Bars:
        """As `Market.bars` says; nothing after `at`."""
        series = self._series(symbol)
        if interval_s == WEEK:
            return grouped(self._daily(series, symbol, start - WEEK, end, at), _weeks, start)
        if interval_s == DAY:
            return self._daily(series, symbol, start, end, at)
        return self._intraday(series, symbol, interval_s, start, end, at)

    def _daily(self, series: Series, symbol: str, start: float, end: float, at: float) -> Bars:
        grid, days = series.grid, series.days
        first = max(series.first, int(np.searchsorted(grid.opens, start)))
        last = min(int(np.searchsorted(grid.opens, end)), grid.index(at) + 1)
        part = slice(first, max(first, last))
        taken = days.adjustment[part] - days.adjustment[grid.index(at)]
        bars = Bars(
            grid.opens[part],
            np.exp(days.open[part]),
            np.exp(days.high[part]),
            np.exp(days.low[part]),
            np.exp(days.close[part]),
            np.exp(days.close[part] - taken),
            days.volume[part].copy(),
        )
        if last > first and at < grid.closes[last - 1]:
            opening, high, low, volume = self.so_far(symbol, at)
            price = series.price(at)
            for each, value in zip(bars[1:], (opening, high, low, price, price, volume), strict=True):
                each[-1] = value
        return bars

    def so_far(self, symbol: str, at: float) -> tuple[float, float, float, float]:
        """Open, high, low and volume of the session that runs at a moment."""
        series = self._series(symbol)
        running = series.instant(at)
        key = (symbol, int(at) // 60)
        kept = self._days.get(key)
        if kept is None:
            index = series.grid.index(at)
            minute = int(at - series.grid.opens[index]) // 60
            bars = series.minutes(index)
            done = slice(0, minute)
            high = float(np.exp(bars.high[done].max())) if minute else 0.0
            low = float(np.exp(bars.low[done].min())) if minute else np.inf
            kept = self._days[key] = (float(np.exp(bars.open[0])), high, low, float(bars.volume[done].sum()))
            if len(self._days) > _REMEMBERED:
                self._days.popitem(last=False)
        opening, high, low, volume = kept
        return opening, max(high, running.high), min(low, running.low), volume + running.volume

    def _intraday(self, series: Series, symbol: str, interval_s: int, start: float, end: float, at: float) -> Bars:
        grid = series.grid
        first = max(series.first, grid.index(start))
        last = min(grid.index(end - 1), grid.index(at))
        pieces = [self._session(series, index, interval_s, at) for index in range(first, last + 1)]
        if not pieces:
            return NOTHING
        bars = Bars(
            np.concatenate([piece.time for piece in pieces]),
            *(np.concatenate([piece[n] for piece in pieces]) for n in range(1, 7)),
        )
        keep = (bars.time >= start) & (bars.time < end)
        return _kept(bars, keep)

    def _session(self, series: Series, index: int, interval_s: int, at: float) -> Bars:
        """A session's bars at an interval, cut off at a moment."""
        begin, end = int(series.grid.opens[index]), int(series.grid.closes[index])
        minutes = series.minutes(index)
        prices = [np.exp(each) for each in minutes[:4]]
        volume = minutes.volume
        if at < end:
            done = int(at - begin) // 60
            running = series.instant(at)
            now = (running.open, running.high, running.low, running.last)
            prices = [np.append(each[:done], value) for each, value in zip(prices, now, strict=True)]
            volume = np.append(volume[:done], running.volume)
        opening, high, low, close = prices
        edges = np.arange(0, len(volume), interval_s // 60)
        ends = np.append(edges[1:], len(volume)) - 1
        return Bars(
            begin + 60 * edges.astype(np.int64),
            opening[edges],
            np.maximum.reduceat(high, edges),
            np.minimum.reduceat(low, edges),
            close[ends],
            close[ends],
            np.add.reduceat(volume, edges),
        )


def _weeks(times: Ints) -> Ints:
    """The Monday, 00:00 UTC, of each time."""
    return np.asarray((times - _MONDAY) // WEEK * WEEK + _MONDAY, np.int64)


def grouped(bars: Bars, key: Callable[[Ints], Ints], start: float) -> Bars:
    """Bars merged where their times have the same key, which becomes their time; those from `start` on."""
    if not len(bars.time):
        return bars
    times, edges = np.unique(key(bars.time), return_index=True)
    ends = np.append(edges[1:], len(bars.time)) - 1
    merged = Bars(
        times,
        bars.open[edges],
        np.maximum.reduceat(bars.high, edges),
        np.minimum.reduceat(bars.low, edges),
        bars.close[ends],
        bars.adjusted[ends],
        np.add.reduceat(bars.volume, edges),
    )
    keep = merged.time >= start
    return _kept(merged, keep)


def _kept(bars: Bars, keep: npt.NDArray[np.bool_]) -> Bars:
    return Bars(
        bars.time[keep],
        bars.open[keep],
        bars.high[keep],
        bars.low[keep],
        bars.close[keep],
        bars.adjusted[keep],
        bars.volume[keep],
    )
