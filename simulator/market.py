"""The simulated market as its services ask about it: quotes, tickers, bars and who moved, at the scenario's own time.

Everything is a function of the scenario and the time that is asked about; asking changes nothing. Quotes and bars of
every interval come from the same paths (`simulator.series`), so they agree. Nothing is answered about the future.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simulator.bars import BarReader, Bars
from simulator.build import Builder
from simulator.paths import generator
from simulator.scenario import Scenario, Security
from simulator.series import Series
from simulator.sessions import DAY, Grid, midnight

__all__ = ["Bars", "EquityQuote", "Market", "Ticker"]

_SLOTS = 4093
"""Length of a venue's cycle of ticks; a prime, so that it falls in step with nothing."""
_BACKLOG = 5.0
"""Seconds of ticks that `moved` looks back at the most."""
_REMEMBERED = 512
"""24-hour figures that are kept, newest first."""


class Ticker(NamedTuple):
    """24 hours of one base at one venue, in the venue's main quote currency; volume in base units."""

    last: float
    bid: float
    ask: float
    open: float
    high: float
    low: float
    volume: float
    vwap: float
    trades: int
    time: float


class EquityQuote(NamedTuple):
    """What Yahoo knows of a security at a moment; prices of the regular session, and of pre- and post-market apart."""

    price: float
    time: float
    previous: float
    open: float
    high: float
    low: float
    volume: float
    state: str
    """PRE, REGULAR, POST or CLOSED."""
    extended: float | None
    """Last price before or after the regular session, where there was one since."""
    extended_time: float | None


class _Rolling(NamedTuple):
    """24 hours up to the start of a minute, in USD, and what leaves and enters with this minute."""

    open: float
    high: float
    low: float
    volume: float
    turnover: float
    leaving: float


class Market:
    """One scenario in motion.

    now: the market's clock, epoch seconds.
    """

    def __init__(self, scenario: Scenario, now: Callable[[], float]) -> None:
        self.scenario = scenario
        self._clock = now
        self._builder = Builder(scenario)
        self.end = float(self._builder.crypto_grid.closes[-1]) - 1
        """The last moment there is; after it, time stands still."""
        self.series: Callable[[str], Series] = self._builder.series
        """The path of a security or a base."""
        self.start = scenario.start.timestamp()
        self._bases = {
            name: tuple(base for base in (*scenario.coins, "USDT", "USDC") if base not in venue.lacks)
            for name, venue in scenario.venues.items()
        }
        self._reader = BarReader(self.series)
        self._rolled: OrderedDict[tuple[str, int], _Rolling] = OrderedDict()
        self._at_start: dict[str, float] = {}
        self._cycles: dict[str, list[str]] = {}
        self._worth: dict[tuple[str, str], tuple[float, float, float]] = {}

    def now(self) -> float:
        """The market's time, epoch seconds."""
        return min(self._clock(), self.end)

    # --- crypto venues

    @property
    def venues(self) -> tuple[str, ...]:
        """Names of the venues that the scenario has."""
        return tuple(self._bases)

    def bases(self, venue: str) -> tuple[str, ...]:
        """Bases that a venue lists, canonical names; USDT and USDC are among them where they are not its quote."""
        quote = self.quote_ccy(venue)
        return tuple(base for base in self._bases[venue] if base != quote)

    def quote_ccy(self, venue: str) -> str:
        """A venue's main quote currency."""
        return self.scenario.venues[venue].quote

    def fx(self, currency: str) -> float:
        """USD of one unit of USD, USDT, USDC or EUR."""
        return 1.0 if currency == "USD" else self.scenario.fx[currency]

    def decimals(self, base: str) -> int:
        """Decimals of a base's price."""
        return self.scenario.coins[base].decimals if base in self.scenario.coins else 4

    def _terms(self, venue: str, base: str) -> tuple[float, float, float]:
        """A venue's price of one USD of a base, its part of the base's volume, and half its spread."""
        if (venue, base) not in self._worth:
            random = generator(self.scenario.seed, venue, base, "terms")
            skew = 1 + 4e-5 * float(random.standard_normal())
            part = self.scenario.venues[venue].share * float(np.exp(0.35 * random.standard_normal()))
            coin = self.scenario.coins.get(base)
            volume = coin.volume_usd * part if coin else 1e9
            half = float(np.clip(2e-4 * (1e8 / volume) ** 0.4, 6e-6, 1.2e-3)) if coin else 5e-5
            self._worth[venue, base] = (skew / self.fx(self.quote_ccy(venue)), part if coin else 0.002, half)
        return self._worth[venue, base]

    def ticker(self, venue: str, base: str, at: float | None = None) -> Ticker:
        """A venue's 24 hours of a base up to now, or to `at`."""
        at = self.now() if at is None else at
        price, part, half = self._terms(venue, base)
        series = self.series(base)
        rolled = self._rolling(base, at)
        running = series.instant(at)
        last = running.last * price
        volume = rolled.volume + running.volume - rolled.leaving * running.share
        turnover = rolled.turnover * volume / rolled.volume
        digits = self.decimals(base)
        tick = 10.0**-digits
        bid = round(last * (1 - half), digits)
        return Ticker(
            round(last, digits),
            bid,
            max(round(last * (1 + half), digits), round(bid + tick, digits)),
            rolled.open * price,
            max(rolled.high, running.high) * price,
            min(rolled.low, running.low) * price,
            volume * part,
            turnover / volume * price,
            int(turnover * part / 900) + 1,
            at,
        )

    def _rolling(self, base: str, at: float) -> _Rolling:
        key = (base, int(at) // 60)
        kept = self._rolled.get(key)
        if kept is None:
            series = self.series(base)
            index = series.grid.index(at)
            minute = int(at - series.grid.opens[index]) // 60
            before, today = series.minutes(index - 1), series.minutes(index)
            volume = np.concatenate((before.volume[minute:], today.volume[:minute]))
            high = np.concatenate((before.high[minute:], today.high[:minute]))
            low = np.concatenate((before.low[minute:], today.low[:minute]))
            middle = np.exp((high + low) / 2)
            kept = self._rolled[key] = _Rolling(
                series.price(at - DAY),
                float(np.exp(high.max())),
                float(np.exp(low.min())),
                float(volume.sum()),
                float(volume @ middle),
                float(before.volume[minute]),
            )
            if len(self._rolled) > _REMEMBERED:
                self._rolled.popitem(last=False)
        return kept

    def moved(self, venue: str, since: float, until: float) -> list[str]:
        """Bases that traded at a venue in (since, until], oldest first; one may stand there several times."""
        rate = self.scenario.venues[venue].ticks_per_s
        if venue not in self._cycles:
            self._cycles[venue] = self._cycle(venue)
        cycle = self._cycles[venue]
        first, last = int(max(since, until - _BACKLOG) * rate) + 1, int(until * rate) + 1
        return [cycle[slot % _SLOTS] for slot in range(first, last)]

    def _cycle(self, venue: str) -> list[str]:
        bases = self.bases(venue)
        coins = self.scenario.coins
        weight = np.array([coins[base].volume_usd if base in coins else 1e8 for base in bases]) ** 0.35
        random = generator(self.scenario.seed, venue, "ticks")
        return [bases[pick] for pick in random.choice(len(bases), _SLOTS, p=weight / weight.sum())]

    def candles(
        self, venue: str, base: str, interval_s: int, start: float, end: float
    ) -> list[tuple[int, float, float, float, float, float]]:
        """(open time, open, high, low, close, volume) of a venue's bars that open in [start, end), the running one
        included. interval_s: 60 to 86,400 where it divides a day, or 604,800."""
        price, part, _ = self._terms(venue, base)
        since = self.scenario.venues[venue].since
        first = int(self.series(base).grid.opens[0]) if base not in self.scenario.coins else self._listed(base)
        begin = max(start, first, midnight(since))
        bars = self.bars(base, interval_s, begin, end)
        prices = [np.round(each * price, 12).tolist() for each in (bars.open, bars.high, bars.low, bars.close)]
        return list(zip(bars.time.tolist(), *prices, (bars.volume * part).tolist(), strict=True))

    def _listed(self, base: str) -> int:
        series = self.series(base)
        return int(series.grid.opens[series.first])

    # --- whole market

    def volume_usd(self, base: str, at: float | None = None) -> float:
        """24-hour volume of a base over all markets; at the scenario's start exactly the stated one."""
        at = self.now() if at is None else at
        if base not in self._at_start:
            self._at_start[base] = self._rolling(base, self.start).turnover
        return self.scenario.coins[base].volume_usd * self._rolling(base, at).turnover / self._at_start[base]

    def capitalisation(self, base: str, at: float | None = None) -> float:
        """Price × supply, USD."""
        return self.price(base, at) * self.scenario.coins[base].supply

    def dominance_pct(self, at: float | None = None) -> float:
        """BTC's share of the whole market's capitalisation; the rest moves with the mean of the other coins."""
        coins = self.scenario.coins
        btc = self.price("BTC", at) / coins["BTC"].price
        others = [self.price(base, at) / coin.price for base, coin in coins.items() if base != "BTC"]
        rest = (100 / self.scenario.dominance_pct - 1) * (sum(others) / len(others) if others else 1.0)
        return 100 * btc / (btc + rest)

    def all_capitalisation(self, at: float | None = None) -> float:
        """Of every coin there is, USD."""
        return self.capitalisation("BTC", at) / self.dominance_pct(at) * 100

    # --- any symbol

    def price(self, symbol: str, at: float | None = None) -> float:
        """The market's price in USD now, or at `at`."""
        return self.series(symbol).price(self.now() if at is None else at)

    def bars(self, symbol: str, interval_s: int, start: float, end: float, at: float | None = None) -> Bars:
        """Bars that open in [start, end), up to the running one. interval_s: 60 to 86,400 where it divides a day, or
        604,800."""
        return self._reader.bars(symbol, interval_s, start, end, self.now() if at is None else at)

    # --- equities

    def security(self, symbol: str) -> Security | None:
        """What the scenario says of a Yahoo symbol; None where it does not exist or is not listed yet."""
        return self.scenario.securities.get(symbol)

    @property
    def sessions(self) -> Grid:
        """New York's regular sessions."""
        return self._builder.equity_grid

    def state(self, at: float) -> str:
        """PRE, REGULAR, POST or CLOSED in New York."""
        grid = self.sessions
        index = grid.index(at)
        if index >= 0 and at < grid.closes[index]:
            return "REGULAR"
        if index >= 0 and at < grid.closes[index] + 4 * 3600:
            return "POST"
        if index + 1 < len(grid.days) and at >= grid.opens[index + 1] - 5.5 * 3600:
            return "PRE"
        return "CLOSED"

    def trades(self, symbol: str, at: float) -> bool:
        """True while a security prints: funds from 4:00 to 20:00, futures almost always, indices in session only."""
        state, kind = self.state(at), self.scenario.securities[symbol].kind
        if state == "REGULAR":
            return True
        if kind == "future":
            grid = self.sessions
            index = grid.index(at)
            near = index + 1 < len(grid.days) and at >= grid.opens[index + 1] - 15.5 * 3600
            return near or (index >= 0 and at < grid.closes[index] + 3600)
        return kind != "index" and state != "CLOSED"

    def equity_quote(self, symbol: str, at: float | None = None) -> EquityQuote:
        """A security's quote now, or at `at`."""
        at = self.now() if at is None else at
        series = self.series(symbol)
        grid, days = series.grid, series.days
        index = max(grid.index(at), 0)
        state = self.state(at)
        previous = float(np.exp(days.close[max(index - 1, 0)]))
        if state == "REGULAR":
            opening, high, low, volume = self._reader.so_far(symbol, at)
            return EquityQuote(series.price(at), at, previous, opening, high, low, volume, state, None, None)
        close = float(grid.closes[index])
        whole = (float(np.exp(each[index])) for each in (days.close, days.open, days.high, days.low))
        price, opening, high, low = whole
        if self.scenario.securities[symbol].kind == "future" and self.trades(symbol, at):
            price, close = series.price(at), at
            high, low = max(high, price), min(low, price)
        extended, extended_at = None, None
        if self.scenario.securities[symbol].kind in ("etf", "share"):
            extended_at = at if state != "CLOSED" else close + 4 * 3600 - 1
            extended = series.price(extended_at)
        return EquityQuote(
            price, close, previous, opening, high, low, float(days.volume[index]), state, extended, extended_at
        )

    def dividends(self, symbol: str, start: float, end: float) -> list[tuple[int, float]]:
        """(ex-day's open, amount a share) of the dividends in [start, end)."""
        series = self.series(symbol)
        taken, close = series.days.adjustment, series.days.close
        steps = np.flatnonzero(np.diff(taken)) + 1
        opens = series.grid.opens
        return [
            (int(opens[index]), float(np.exp(close[index - 1]) * -np.expm1(taken[index] - taken[index - 1])))
            for index in steps.tolist()
            if start <= opens[index] < end
        ]
