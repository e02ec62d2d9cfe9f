"""One symbol's path at every resolution: days, minutes within a day, half seconds within a minute.

Each level is made from the one above and fits it exactly: a day's minutes open, close, peak and trough where the day
does and share out its volume, and a minute's half seconds do the same by the minute. So every interval that is ever
served, and every quote, tells of the same path. Days are arrays made at once; the rest is made when asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from simulator.paths import Floats, blend, bridge, extremes, generator, squeeze, touching
from simulator.sessions import Grid

STEPS = 120
"""Points of a path within a minute."""
_KEPT_DAYS = 4
"""Days whose minutes a series remembers."""


class Days(NamedTuple):
    """Daily bars as arrays over a grid; prices are logarithms."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    adjustment: Floats
    """Logarithm of what dividends have taken from the price up to and including a day: 0 or less, falling."""


class Minutes(NamedTuple):
    """One session's minute bars; prices are logarithms, volumes in units."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class Instant(NamedTuple):
    """The running minute up to a moment; prices are plain."""

    last: float
    open: float
    high: float
    low: float
    volume: float
    share: float
    """Part of the minute that has passed."""


class Series(Protocol):
    """What the market needs of any path."""

    grid: Grid
    first: int
    """Index of the first session in which the symbol was listed."""
    days: Days

    def minutes(self, index: int) -> Minutes:
        """The minute bars of a session."""
        ...

    def price(self, at: float) -> float:
        """The price at a moment, in or out of session."""
        ...

    def instant(self, at: float) -> Instant:
        """The minute that runs at a moment of a session."""
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """How a session's movement and volume are spread over its minutes."""

    movement: Callable[[int], Floats]
    """Number of minutes → each minute's part of the variance, summing to 1."""
    volume: Callable[[int], Floats]
    """Number of minutes → each minute's expected part of the volume, summing to 1."""


class Path:
    """A series with a path of its own.

    days: closes and volumes are given; opens, highs and lows too, except on pinned days, where they follow from the
    minutes. pins: session → points (minute, log price) that its minutes must pass.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        grid: Grid,
        first: int,
        days: Days,
        deviation: Floats,
        shape: Shape,
        common: Callable[[int], Floats],
        likeness: float,
        pins: Mapping[int, tuple[tuple[int, float], ...]],
    ) -> None:
        """deviation: each session's standard deviation, open to close. common: session → noise that its minutes share
        with other series of the market, to the correlation `likeness`."""
        self.name, self.seed, self.grid, self.first = name, seed, grid, first
        self.days = days
        self._deviation = deviation
        self._shape = shape
        self._common = common
        self._likeness = likeness
        self._pins = pins
        self._opens = grid.opens.tolist()
        self._closes = grid.closes.tolist()
        self._kept: OrderedDict[int, Minutes] = OrderedDict()
        self._running: tuple[int, list[float], float, list[float], list[float]] | None = None
        self._night: tuple[int, Floats] | None = None
        for index in pins:
            made = self._make(index)
            days.high[index], days.low[index] = made.high.max(), made.low.min()

    def minutes(self, index: int) -> Minutes:
        kept = self._kept.get(index)
        if kept is None:
            kept = self._kept[index] = self._make(index)
            if len(self._kept) > _KEPT_DAYS:
                self._kept.popitem(last=False)
        return kept

    def _make(self, index: int) -> Minutes:
        count = (self._closes[index] - self._opens[index]) // 60
        random = generator(self.seed, self.name, "minutes", index)
        noise = blend(self._common(index)[:count], random.standard_normal(count), self._likeness)
        deviation = self._deviation[index] * np.sqrt(self._shape.movement(count))
        days = self.days
        start, end = float(days.open[index]), float(days.close[index])
        pins = ((0, start), *(pin for pin in self._pins.get(index, ()) if 0 < pin[0] < count), (count, end))
        path = bridge(noise, deviation, pins)
        opens, closes = path[:-1], path[1:]
        high, low = extremes(opens, closes, deviation, 1 - random.random((2, count)))
        if index not in self._pins:
            top, bottom = max(start, end), min(start, end)
            to = (top, float(days.high[index]), float(high.max()), bottom, float(days.low[index]), float(low.min()))
            opens, closes, high, low = (squeeze(each, *to) for each in (opens, closes, high, low))
        weight = self._shape.volume(count) * np.exp(0.5 * random.standard_normal(count))
        volume = weight * (days.volume[index] / weight.sum())
        return Minutes(opens, high, low, closes, volume)

    def price(self, at: float) -> float:
        index = bisect_right(self._opens, at) - 1
        if index < 0:
            return float(np.exp(self.days.open[0]))
        if at < self._closes[index]:
            return self._points(index, at)[1][self._step(index, at)]
        if index + 1 >= len(self._opens):
            return float(np.exp(self.days.close[index]))
        return self._between(index, at)

    def instant(self, at: float) -> Instant:
        index = bisect_right(self._opens, at) - 1
        _, points, volume, highs, lows = self._points(index, at)
        step = self._step(index, at)
        share = step / STEPS
        return Instant(points[step], points[0], highs[step], lows[step], volume * share, share)

    def _step(self, index: int, at: float) -> int:
        return int((at - self._opens[index]) % 60 * (STEPS / 60))

    def _points(self, index: int, at: float) -> tuple[int, list[float], float, list[float], list[float]]:
        """The running minute: its number, its points, its volume, and the extremes up to each point."""
        minute = int(at - self._opens[index]) // 60
        key = index * 10_000 + minute
        if self._running is None or self._running[0] != key:
            bars = self.minutes(index)
            noise = generator(self.seed, self.name, "points", key).standard_normal(STEPS)
            ends = ((0, float(bars.open[minute])), (STEPS, float(bars.close[minute])))
            scale = max(float(bars.high[minute] - bars.low[minute]), 1e-9) / 2
            path = bridge(noise, np.full(STEPS, scale / np.sqrt(STEPS)), ends)
            points = np.exp(touching(path, float(bars.high[minute]), float(bars.low[minute])))
            highs, lows = np.maximum.accumulate(points), np.minimum.accumulate(points)
            self._running = (key, points.tolist(), float(bars.volume[minute]), highs.tolist(), lows.tolist())
        return self._running

    def _between(self, index: int, at: float) -> float:
        """Between a close and the next open: a path on a grid of minutes, within the next day's reach."""
        start, end = self._closes[index], self._opens[index + 1]
        if self._night is None or self._night[0] != index:
            days, count = self.days, (end - start) // 60
            close, opening = float(days.close[index]), float(days.open[index + 1])
            noise = generator(self.seed, self.name, "night", index).standard_normal(count)
            spread = self._deviation[index + 1] * 0.5 / np.sqrt(count)
            path = bridge(noise, np.full(count, spread), ((0, close), (count, opening)))
            low, high = min(close, days.low[index + 1]), max(close, days.high[index + 1])
            self._night = (index, np.exp(np.clip(path, low, high)))
        return float(self._night[1][int(at - start) // 60])


class Multiple:
    """A series that follows another on the same grid: its path times a constant that wobbles a little by day."""

    def __init__(self, leader: Series, factor: Floats, volume: Floats, first: int, shape: Shape) -> None:
        """factor: logarithm of the multiple on each day. shape: of its volume, where the leader has none."""
        self._leader, self._factor, self._shape = leader, factor, shape
        self.grid, self.first = leader.grid, first
        days = leader.days
        self.days = Days(
            days.open + factor,
            days.high + factor,
            days.low + factor,
            days.close + factor,
            volume,
            np.zeros_like(factor),
        )

    def minutes(self, index: int) -> Minutes:
        bars = self._leader.minutes(index)
        factor, whole = self._factor[index], bars.volume.sum()
        parts = bars.volume / whole if whole > 0 else self._shape.volume(len(bars.volume))
        volume = parts * self.days.volume[index]
        return Minutes(bars.open + factor, bars.high + factor, bars.low + factor, bars.close + factor, volume)

    def _multiple(self, at: float) -> float:
        grid = self.grid
        index = min(grid.index(at), len(self._factor) - 1)
        here = self._factor[index]
        if index + 1 < len(self._factor) and at >= grid.closes[index]:
            passed = (at - grid.closes[index]) / (grid.opens[index + 1] - grid.closes[index])
            here += (self._factor[index + 1] - here) * passed
        return float(np.exp(here))

    def price(self, at: float) -> float:
        return self._leader.price(at) * self._multiple(at)

    def instant(self, at: float) -> Instant:
        now, multiple = self._leader.instant(at), self._multiple(at)
        index = self.grid.index(at)
        minute = int(at - self.grid.opens[index]) // 60
        volume = float(self.minutes(index).volume[minute]) * now.share
        return Instant(
            now.last * multiple, now.open * multiple, now.high * multiple, now.low * multiple, volume, now.share
        )


class Window:
    """A series that follows another of a finer calendar: what a coin's path does while New York is open.

    Its days are made from the coin's minutes, up to `last`; later ones repeat the last close.
    """

    def __init__(self, leader: Series, grid: Grid, first: int, last: int, factor: float, volume: Floats) -> None:
        """factor: logarithm of the multiple."""
        self._leader, self._factor = leader, factor
        self.grid, self.first = grid, first
        size = len(grid.days)
        nothing = np.zeros(size)
        self.days = Days(nothing.copy(), nothing.copy(), nothing.copy(), nothing.copy(), volume, nothing)
        for index in range(first, last + 1):
            bars = self._bars(index)
            self.days.open[index], self.days.close[index] = bars.open[0], bars.close[-1]
            self.days.high[index], self.days.low[index] = bars.high.max(), bars.low.min()
        for each in self.days[:4]:
            each[:first], each[last + 1 :] = self.days.open[first], self.days.close[last]

    def _bars(self, index: int) -> Minutes:
        """The leader's minutes while the session runs, at the multiple; its volume is still the leader's."""
        start, end = self.grid.opens[index], self.grid.closes[index]
        day = self._leader.grid.index(float(start))
        begin = int(start - self._leader.grid.opens[day]) // 60
        bars, part = self._leader.minutes(day), slice(begin, begin + int(end - start) // 60)
        factor = self._factor
        return Minutes(
            bars.open[part] + factor,
            bars.high[part] + factor,
            bars.low[part] + factor,
            bars.close[part] + factor,
            bars.volume[part],
        )

    def minutes(self, index: int) -> Minutes:
        bars = self._bars(index)
        return bars._replace(volume=bars.volume * (self.days.volume[index] / bars.volume.sum()))

    def price(self, at: float) -> float:
        return self._leader.price(at) * float(np.exp(self._factor))

    def instant(self, at: float) -> Instant:
        now, multiple = self._leader.instant(at), float(np.exp(self._factor))
        index = self.grid.index(at)
        minute = int(at - self.grid.opens[index]) // 60
        volume = float(self.minutes(index).volume[minute]) * now.share
        return Instant(
            now.last * multiple, now.open * multiple, now.high * multiple, now.low * multiple, volume, now.share
        )


class Still:
    """A price that does not move: the stable coins' own books."""

    def __init__(self, grid: Grid, price: float, volume: Floats, shape: Shape) -> None:
        self.grid, self.first = grid, 0
        self._price, self._shape = price, shape
        level = np.full(len(grid.days), np.log(price))
        self.days = Days(level, level, level, level, volume, np.zeros_like(level))

    def minutes(self, index: int) -> Minutes:
        count = int(self.grid.closes[index] - self.grid.opens[index]) // 60
        level = np.full(count, np.log(self._price))
        return Minutes(level, level, level, level, self._shape.volume(count) * self.days.volume[index])

    def price(self, at: float) -> float:
        return self._price

    def instant(self, at: float) -> Instant:
        share = int(at % 60 * (STEPS / 60)) / STEPS
        index = self.grid.index(at)
        minute = int(at - self.grid.opens[index]) // 60
        volume = float(self.minutes(index).volume[minute]) * share
        return Instant(self._price, self._price, self._price, self._price, volume, share)
