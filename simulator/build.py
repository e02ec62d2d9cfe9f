"""Turns a scenario's figures into paths: each symbol's days are drawn with its market's common noise, then bent so that
every figure that the scenario states holds exactly.

What is exact: the price at the start, the change before it, the total return of every stated calendar year and of the
year so far, mean volumes and their change on the year. What is drawn: everything between.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache, lru_cache

import numpy as np

from simulator.paths import Floats, blend, clustered, extremes, generator, steered
from simulator.scenario import Coin, Scenario, Security
from simulator.series import Days, Multiple, Path, Series, Shape, Still, Window
from simulator.sessions import Grid, around_the_clock, early_days, new_york

AHEAD = timedelta(60)
"""How long the market goes on after the start; then it stands still."""
SESSIONS = 252
WINDOW = 63
"""Full sessions over which an equity's mean volume is stated."""
MONTH = 30
"""Days over which a coin's mean volume is stated."""
_ECHO = 45
"""Days before the start from which a coin's volume repeats that of a year before, times its change: so the change on
the year is the stated one whatever the window, and stays so while the demo runs."""
_GROWTH = 0.3
"""How fast a coin's volume in USD grew before the last year, a year (logarithm)."""
_GAP = 0.3
"""Part of an equity's daily variance that happens between a close and the next open."""
_EX_MONTHS = (3, 6, 9, 12)


@cache
def _equity_movement(count: int) -> Floats:
    x = np.linspace(-1, 1, count)
    weight = 0.7 + 0.6 * x**2 + 1.8 * np.exp(-np.arange(count) / 18)
    return np.asarray(weight / weight.sum(), np.float64)


@cache
def _equity_volume(count: int) -> Floats:
    x = np.linspace(-1, 1, count)
    weight = 0.5 + 1.1 * x**4 + 2.2 * np.exp(-np.arange(count) / 12) + 3.5 * np.exp(-np.arange(count)[::-1] / 6)
    return np.asarray(weight / weight.sum(), np.float64)


@cache
def _crypto_shape(count: int) -> Floats:
    hours = np.arange(count) / 60
    weight = 1 + 0.35 * np.cos((hours - 15) / 12 * np.pi) + 0.12 * np.cos((hours - 1) / 6 * np.pi)
    return np.asarray(weight / weight.sum(), np.float64)


EQUITY_SHAPE = Shape(_equity_movement, _equity_volume)
CRYPTO_SHAPE = Shape(_crypto_shape, _crypto_shape)


def year_before(day: date) -> date:
    """The same date a year earlier; 28 February for the 29th."""
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def stretched(grid: Grid, annual_pct: Mapping[int, float], drift_pct: float, first: int, year: int) -> dict[int, float]:
    """Levels (log) at the year ends before `year`, counted back from 0 at the last one; the first session too."""
    ends: dict[int, int] = {}
    for index in range(first, len(grid.days)):
        ends[grid.days[index].year] = index
    levels: dict[int, float] = {}
    level = 0.0
    for past in range(year - 1, grid.days[first].year - 1, -1):
        levels[ends[past]] = level
        step = float(np.log1p(annual_pct.get(past, drift_pct) / 100))
        begin = ends.get(past - 1, first)
        # a year that the symbol saw only a part of returns that part
        part = 1.0 if past - 1 in ends else (grid.days[ends[past]] - grid.days[first]).days / 365
        level -= step * part
        if begin < ends[past]:
            levels[begin] = level
    return levels


class Builder:
    """Makes the series of a scenario's symbols, each when first asked for."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.start = scenario.start.timestamp()
        first, last = scenario.history_from, scenario.start.date() + AHEAD
        self.equity_grid = new_york(first, last)
        self.crypto_grid = around_the_clock(first, last)
        self.equity_now = self.equity_grid.index(self.start)
        self.crypto_now = self.crypto_grid.index(self.start)
        self.equity_open = self.equity_grid.is_open(self.start)
        self.last_full = self.equity_now - 1 if self.equity_open else self.equity_now
        """The last session that was complete at the start."""
        self.series = cache(self._series)
        """`series(symbol)`: a security by its symbol or a coin by its base."""
        self._equity_minutes = lru_cache(64)(self._equity_minute_noise)
        self._crypto_minutes = lru_cache(64)(self._crypto_minute_noise)
        self._group_noise = cache(self._group_days)
        seed, size = scenario.seed, len(self.equity_grid.days)
        self._equity_market = generator(seed, "equity", "market").standard_normal(size)
        self._equity_storm = np.exp(0.32 * clustered(generator(seed, "equity", "storm").standard_normal(size), 0.97))
        size = len(self.crypto_grid.days)
        own = generator(seed, "crypto", "market").standard_normal(size)
        self._crypto_market = blend(self._on_crypto_days(self._equity_market), own, scenario.equity_correlation)
        self._crypto_storm = np.exp(0.35 * clustered(generator(seed, "crypto", "storm").standard_normal(size), 0.96))

    def _on_crypto_days(self, equity: Floats) -> Floats:
        """A session's value on its date; noise of its own on days without a session."""
        days = generator(self.scenario.seed, "crypto", "weekend").standard_normal(len(self.crypto_grid.days))
        dates = np.array([(day - self.crypto_grid.days[0]).days for day in self.equity_grid.days])
        days[dates] = equity
        return days

    def _equity_minute_noise(self, index: int) -> Floats:
        return generator(self.scenario.seed, "equity", "minutes", index).standard_normal(390)

    def _crypto_minute_noise(self, index: int) -> Floats:
        noise = generator(self.scenario.seed, "crypto", "minutes", index).standard_normal(1440)
        grid = self.equity_grid
        session = grid.index_of(self.crypto_grid.days[index])
        if session >= 0 and grid.days[session] == self.crypto_grid.days[index]:
            begin = int(grid.opens[session] - self.crypto_grid.opens[index]) // 60
            count = int(grid.closes[session] - grid.opens[session]) // 60
            part = slice(begin, begin + count)
            noise[part] = blend(self._equity_minutes(session)[:count], noise[part], 0.35)
        return noise

    def _group_days(self, market: str, name: str) -> Floats:
        equity = market == "equity"
        group = (self.scenario.equity_groups if equity else self.scenario.crypto_groups)[name]
        common = self._equity_market if equity else self._crypto_market
        own = generator(self.scenario.seed, market, "group", name).standard_normal(len(common))
        return blend(common, own, group.market)

    def _series(self, symbol: str) -> Series:
        scenario = self.scenario
        if symbol in scenario.coins:
            return self._coin(scenario.coins[symbol])
        if symbol in scenario.fx:
            return self._stable(symbol)
        security = scenario.securities[symbol]
        if security.follows in scenario.coins:
            return self._window(security)
        if security.follows:
            return self._multiple(security)
        return self._security(security)

    # --- equities

    def _security(self, security: Security) -> Path:
        grid, now, seed = self.equity_grid, self.equity_now, self.scenario.seed
        first = max(0, grid.index_of(security.listed - timedelta(1)) + 1)
        random = generator(seed, security.symbol, "days")
        size = len(grid.days)
        noise = blend(self._group_noise("equity", security.group), random.standard_normal(size), security.tracking)
        daily = security.volatility_pct / 100 / np.sqrt(SESSIONS) * self._equity_storm
        year = self.scenario.start.year
        levels = stretched(grid, security.annual_pct, security.drift_pct, first, year)
        # level 0 is the last close of the year before; the close before the start, and the start, follow from it
        at_start, before = self._levels_at_start(security.ytd_pct, security.change_pct)
        previous = now - 1
        if previous in levels:
            at_start, before = float(np.log1p(security.change_pct / 100)), 0.0
        levels[previous] = before
        steps = daily * noise
        steps[now] *= 0.7
        levels[now] = at_start + (float(steps[now]) if self.equity_open else 0.0)
        total = steered(steps, sorted(levels.items()))
        taken = self._dividends(security, size)
        close = total + taken + (np.log(security.price) - at_start - taken[now])
        close = self._within_band(security.symbol, close, now)
        previous_close = np.concatenate((close[:1], close[:-1]))
        gap = _GAP * (close - previous_close) + np.sqrt(_GAP * (1 - _GAP)) * daily * random.standard_normal(size)
        opening = np.clip(previous_close + gap, *self._reach(security.symbol, close, previous_close, now))
        inside = daily * np.sqrt(1 - _GAP)
        high, low = extremes(opening, close, inside, 1 - random.random((2, size)))
        bottom, top = self._limits(security.symbol)
        high[now + 1 :], low[now + 1 :] = np.minimum(high[now + 1 :], top), np.maximum(low[now + 1 :], bottom)
        volume = self._equity_volumes(security, random, noise)
        pins = {}
        if self.equity_open:
            pins[now] = ((int(self.start - grid.opens[now]) // 60, float(np.log(security.price))),)
        days = Days(opening, high, low, close, volume, taken)
        return Path(
            security.symbol, seed, grid, first, days, inside, EQUITY_SHAPE, self._equity_minutes,
            0.9 * security.tracking, pins,
        )  # fmt: skip

    def _levels_at_start(self, ytd_pct: float, change_pct: float) -> tuple[float, float]:
        at_start = float(np.log1p(ytd_pct / 100))
        return at_start, at_start - float(np.log1p(change_pct / 100))

    def _dividends(self, security: Security, size: int) -> Floats:
        """Cumulated logarithm of what quarterly dividends take; ex-days are the third Fridays or the session after."""
        taken = np.zeros(size)
        if security.dividend_yield_pct > 0:
            share = float(np.log1p(-security.dividend_yield_pct / 400))
            grid = self.equity_grid
            for year in range(grid.days[0].year, grid.days[-1].year + 1):
                for month in _EX_MONTHS:
                    index = grid.index_of(date(year, month, 15) + timedelta((4 - date(year, month, 15).weekday()) % 7))
                    if 0 < index < size and grid.days[index].year == year:
                        taken[index] = share
        return np.cumsum(taken)

    def _band(self, symbol: str) -> tuple[float, float] | None:
        """Log limits of a symbol's own path: its band, or that of an index that follows it."""
        for name, band in self.scenario.bands.items():
            leader, factor = name, 1.0
            while self.scenario.securities[leader].follows in self.scenario.securities:
                leader = self.scenario.securities[leader].follows
            if leader == symbol:
                factor = self.scenario.securities[symbol].price / self.scenario.securities[name].price
                return float(np.log(band.low * factor * 1.002)), float(np.log(band.high * factor * 0.998))
        return None

    def _limits(self, symbol: str) -> tuple[float, float]:
        return self._band(symbol) or (-np.inf, np.inf)

    def _within_band(self, symbol: str, close: Floats, now: int) -> Floats:
        """From the start on, a path that would leave its band is reflected at its edge."""
        low, high = self._limits(symbol)
        if np.isfinite(low):
            width = high - low
            folded = np.mod(close[now:] - low, 2 * width)
            close[now:] = low + np.where(folded > width, 2 * width - folded, folded)
        return close

    def _reach(self, symbol: str, close: Floats, previous: Floats, now: int) -> tuple[Floats, Floats]:
        """Where opens may lie: anywhere, but within the band from the start on."""
        low, high = self._limits(symbol)
        lows, highs = np.full(len(close), -np.inf), np.full(len(close), np.inf)
        lows[now:], highs[now:] = low, high
        return lows, highs

    def _equity_volumes(self, security: Security, random: np.random.Generator, noise: Floats) -> Floats:
        """Shares a session: the mean of the last 63 full ones is the stated one, and so is its change on the year."""
        grid, size = self.equity_grid, len(self.equity_grid.days)
        wobble = 0.18 * clustered(random.standard_normal(size), 0.75) + 0.12 * random.standard_normal(size)
        volume = np.exp(wobble + 0.16 * np.abs(noise))
        volume *= np.array([0.55 if day in early_days(day.year) else 1.0 for day in grid.days])
        last = self.last_full
        then = grid.index_of(year_before(grid.days[last]))
        recent, past = slice(last - WINDOW + 1, last + 1), slice(max(0, then - WINDOW + 1), then + 1)
        ratio = 1 + security.volume_yoy_pct / 100
        here = np.log(security.volume / volume[recent].mean()) if security.volume > 0 else -np.inf
        if not np.isfinite(here):
            return np.zeros(size)
        there = np.log(security.volume / ratio / volume[past].mean())
        level = np.interp(np.arange(size), (then, last - WINDOW + 1), (there, here))
        return np.asarray(np.rint(volume * np.exp(level)), np.float64)

    def _multiple(self, security: Security) -> Multiple:
        leader = self.series(security.follows)
        size = len(self.equity_grid.days)
        random = generator(self.scenario.seed, security.symbol, "days")
        wobble = (1.5e-4 if security.kind == "future" else 3e-5) * random.standard_normal(size)
        wobble[self.equity_now] = 0.0
        if security.symbol in self.scenario.bands:
            wobble[self.equity_now :] = 0.0
        factor = float(np.log(security.price / self._price_of(security.follows)))
        volume = self._equity_volumes(security, random, random.standard_normal(size))
        first = max(leader.first, self.equity_grid.index_of(security.listed - timedelta(1)) + 1)
        return Multiple(leader, wobble + factor, volume, first, EQUITY_SHAPE)

    def _price_of(self, symbol: str) -> float:
        coins = self.scenario.coins
        return coins[symbol].price if symbol in coins else self.scenario.securities[symbol].price

    def _window(self, security: Security) -> Window:
        leader = self.series(security.follows)
        grid = self.equity_grid
        random = generator(self.scenario.seed, security.symbol, "days")
        volume = self._equity_volumes(security, random, random.standard_normal(len(grid.days)))
        listed = max(security.listed, leader.grid.days[leader.first])
        first = max(0, grid.index_of(listed - timedelta(1)) + 1)
        factor = float(np.log(security.price / self._price_of(security.follows)))
        return Window(leader, grid, first, len(grid.days) - 1, factor, volume)

    # --- crypto

    def _coin(self, coin: Coin) -> Path:
        grid, now, seed = self.crypto_grid, self.crypto_now, self.scenario.seed
        first = max(0, grid.index_of(coin.listed))
        random = generator(seed, coin.base, "days")
        size = len(grid.days)
        noise = blend(self._group_noise("crypto", coin.group), random.standard_normal(size), coin.tracking)
        daily = coin.volatility_pct / 100 / np.sqrt(365) * self._crypto_storm
        levels = stretched(grid, coin.annual_pct, coin.drift_pct, first, self.scenario.start.year)
        at_start, day_before = self._levels_at_start(coin.ytd_pct, coin.change_pct)
        minute = int(self.start - grid.opens[now]) // 60
        steps = daily * noise
        # the close before the start lies between the price a day before the start and the start's own
        share = 1 - minute / 1440
        between = day_before + (at_start - day_before) * share
        if now - 1 in levels:
            between = 0.0
        levels[now - 1] = between + (0.0 if now - 1 in levels else 0.3 * float(steps[now - 1]))
        levels[now] = at_start + float(steps[now]) * float(np.sqrt(share))
        close = steered(steps, sorted(levels.items())) + (np.log(coin.price) - at_start)
        opening = np.concatenate((close[:1], close[:-1]))
        high, low = extremes(opening, close, daily, 1 - random.random((2, size)))
        price = float(np.log(coin.price))
        pins = {now: ((minute, price),), now - 1: ((minute, price - at_start + day_before),)}
        volume = self._coin_volumes(coin, random, noise) / np.exp(close)
        days = Days(opening, high, low, close, volume, np.zeros(size))
        return Path(
            coin.base, seed, grid, first, days, daily, CRYPTO_SHAPE, self._crypto_minutes, 0.9 * coin.tracking, pins
        )

    def _coin_volumes(self, coin: Coin, random: np.random.Generator, noise: Floats) -> Floats:
        """USD a day over all markets: the mean of the 30 days before the start is the stated volume, and each recent
        day is its year-earlier self times the stated change."""
        now, size = self.crypto_now, len(self.crypto_grid.days)
        wobble = 0.28 * clustered(random.standard_normal(size), 0.8) + 0.15 * random.standard_normal(size)
        volume = np.exp(wobble + 0.22 * np.abs(noise))
        ratio = 1 + coin.volume_yoy_pct / 100
        year = (self.crypto_grid.days[now] - year_before(self.crypto_grid.days[now])).days
        echo = np.arange(max(now - _ECHO, year), size)
        age = np.maximum(now - year - np.arange(size), 0) / 365
        volume *= np.exp(np.interp(np.arange(size), (now - year, now - _ECHO), (0.0, np.log(ratio))) - _GROWTH * age)
        volume[echo] = volume[echo - year] * ratio
        return np.asarray(volume * (coin.volume_usd / volume[now - MONTH : now].mean()), np.float64)

    def _stable(self, name: str) -> Still:
        price = self.scenario.fx[name]
        volume = np.full(len(self.crypto_grid.days), 6e10 if name == "USDT" else 9e9)
        return Still(self.crypto_grid, price, volume, CRYPTO_SHAPE)
