"""What the simulated exchanges share: books on the market model's prices, and a loop that tells listeners what moved.

Invariant: whatever a venue says of a book, over REST or on a socket, is one `ticks` or `candles` of the same model.
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from simulator.fanout import Listener, Topics
from simulator.gateway import Reply, Request, Socket

QUIET_SHARE = 0.04
"""Part of the main book's volume that a base's other books trade."""


class Day(Protocol):
    """24 hours of one base at one venue, in the venue's main money; volume in base units, time in epoch seconds."""

    @property
    def last(self) -> float: ...
    @property
    def bid(self) -> float: ...
    @property
    def ask(self) -> float: ...
    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def vwap(self) -> float: ...
    @property
    def volume(self) -> float: ...
    @property
    def trades(self) -> int: ...
    @property
    def time(self) -> float: ...


class Prices(Protocol):
    """What an exchange must know of the market model; `simulator.market.Market` is one."""

    def now(self) -> float:
        """Epoch seconds on the market's clock."""
        ...

    def bases(self, venue: str) -> Sequence[str]:
        """What the venue lists."""
        ...

    def quote_ccy(self, venue: str) -> str:
        """The venue's main money."""
        ...

    def fx(self, ccy: str) -> float:
        """USD of one USD, USDT, USDC or EUR."""
        ...

    def decimals(self, base: str) -> int:
        """Decimals of a base's price in a venue's main money."""
        ...

    def ticker(self, venue: str, base: str) -> Day:
        """The last 24 hours, now."""
        ...

    def moved(self, venue: str, since: float, until: float) -> Sequence[str]:
        """Bases that traded in (since, until]; may repeat."""
        ...

    def candles(
        self, venue: str, base: str, interval_s: int, start: float, end: float
    ) -> Sequence[tuple[float, float, float, float, float, float]]:
        """(open time, open, high, low, close, volume) of bars whose open is in [start, end), the running one too."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """One order book of a venue.

    main: its volume is the model's own; other books of the same base carry `QUIET_SHARE` of it.
    active: False for a book that is listed and does not trade.
    """

    base: str
    quote: str
    decimals: int
    main: bool = True
    active: bool = True


class Ticks(NamedTuple):
    """24 hours of one book in its own quote currency; volume in base units, time in epoch seconds."""

    last: float
    bid: float
    ask: float
    open: float
    high: float
    low: float
    vwap: float
    volume: float
    trades: int
    time: float


class Candle(NamedTuple):
    """One bar of a book in its quote currency; `time` is its open in epoch seconds."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int


def decimals_of(price: float, at_most: int = 8) -> int:
    """How many decimals a venue quotes a price of this size with: about five figures, two decimals at least."""
    return max(2, min(at_most, 4 - math.floor(math.log10(price))))


def trimmed(value: float, decimals: int) -> str:
    """`63,250.10` as `63250.1`: decimals without trailing zeros."""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(request: Request, name: str) -> int | None:
    """An integer query parameter; None where it is absent or no number."""
    text = request.first(name)
    return int(text) if text.removeprefix("-").isdigit() else None


class VenueSite(ABC):
    """A `Site` of the gateway that is an exchange: its books, its listeners, one loop that tells them what moved."""

    name: ClassVar[str]
    hosts: frozenset[str]
    cadence: ClassVar[float] = 0.25
    """Seconds between two looks at what moved."""
    at_most_decimals: ClassVar[int] = 10
    """What the venue's price grid is no finer than."""

    def __init__(self, market: Prices) -> None:
        self.market = market
        self.quote = market.quote_ccy(self.name)
        self._bases = frozenset(market.bases(self.name))
        self.books = [self.book(base, quote) for base, quote in self.main_books()]
        listed = {(book.base, book.quote) for book in self.books}
        self.books += [b for b in self.extra_books() if self._known(b) and (b.base, b.quote) not in listed]
        self.topics = Topics()
        self.listeners: set[Listener] = set()
        self._books_of: dict[str, list[Book]] = {}
        for book in self.books:
            if book.active:
                self._books_of.setdefault(book.base, []).append(book)

    # --- what a venue adds

    @abstractmethod
    def extra_books(self) -> list[Book]:
        """Books beside the main ones: other money, other coins, closed ones."""

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """One REST answer."""

    @abstractmethod
    def opened(self, request: Request, listener: Listener) -> bool:
        """A websocket was opened; False where there is none at that address."""

    @abstractmethod
    def heard(self, text: str, listener: Listener) -> None:
        """A listener said something."""

    @abstractmethod
    def moved(self, books: list[Book]) -> None:
        """These books traded since the last look: tell who listens."""

    def left(self, listener: Listener) -> None:
        """A listener's connection is over."""
        return

    def each_second(self) -> None:
        """Called about once a second while anyone is connected."""
        return

    async def each_ping(self, socket: Socket) -> None:
        """What the venue does by itself to see whether a client lives; returns never or when it is over."""
        return

    # --- books

    def main_books(self) -> list[tuple[str, str]]:
        """Every base of the market in the venue's own money."""
        return [(base, self.quote) for base in self.market.bases(self.name)]

    def book(self, base: str, quote: str, *, active: bool = True) -> Book:
        """A book with the decimals that its price asks for."""
        main = base in self._bases and quote == self.quote
        if main:
            return Book(base, quote, min(self.market.decimals(base), self.at_most_decimals), active=active)
        price = self._usd(base) / self._usd(quote)
        return Book(base, quote, decimals_of(price, self.at_most_decimals), main=False, active=active)

    def _known(self, book: Book) -> bool:
        known = self._bases | {"USD", "USDT", "USDC", "EUR", self.quote}
        return {book.base, book.quote} <= known

    def _usd(self, code: str) -> float:
        if code in self._bases:
            return self.market.ticker(self.name, code).last * self.market.fx(self.quote)
        return self.market.fx(code) if code in ("USD", "USDT", "USDC", "EUR") else 1.0

    def ticks(self, book: Book) -> Ticks:
        """24 hours of a book, now, on its price grid; bid and ask of a book that trades are a tick apart at least."""
        t, to = self._ticks(book), book.decimals
        bid, ask = round(t.bid, to), round(t.ask, to)
        return t._replace(
            last=round(t.last, to),
            bid=bid,
            ask=max(ask, round(bid + 10.0**-to, to)) if book.active else ask,
            open=round(t.open, to),
            high=round(t.high, to),
            low=round(t.low, to),
            vwap=round(t.vwap, to),
        )

    def _ticks(self, book: Book) -> Ticks:
        """The same before rounding. A closed book stands where it stood, below the market, and trades nothing."""
        if book.base not in self._bases:
            price = self.market.fx(book.base) / self.market.fx(book.quote)
            tick = 10.0**-book.decimals
            flat = (price, price - tick, price + tick, price, price + tick, price - tick, price)
            return Ticks(*flat, volume=2.5e7, trades=40_000, time=math.floor(self.market.now()))
        own = self.market.ticker(self.name, book.base)
        if book.main and book.active:
            return Ticks(
                own.last, own.bid, own.ask, own.open, own.high, own.low, own.vwap, own.volume, int(own.trades), own.time
            )
        scale = self.market.fx(self.quote) / self._usd(book.quote)
        if not book.active:
            price = own.open * scale * 0.8
            return Ticks(price, price, price, price, price, price, price, 0.0, 0, own.time - 90 * 86400)
        last, opened = own.last * scale, own.open * scale
        if book.quote in self._bases and book.quote not in ("USDT", "USDC"):
            other = self.market.ticker(self.name, book.quote)
            opened = own.open / other.open
        high, low = max(own.high * scale, opened), min(own.low * scale, opened)
        volume = own.volume * QUIET_SHARE
        trades = int(own.trades * QUIET_SHARE)
        return Ticks(
            last, own.bid * scale, own.ask * scale, opened, high, low, own.vwap * scale, volume, trades, own.time
        )

    @staticmethod
    def sizes(ticks: Ticks) -> tuple[float, float]:
        """Plausible sizes at the best bid and ask: a few trades' worth, changing with every tick."""
        typical = ticks.volume / max(ticks.trades, 1)
        phase = (ticks.time * 7.919 + ticks.last) % 1.0
        return typical * (0.5 + 3 * phase), typical * (3.5 - 3 * phase)

    def candles(self, book: Book, step: int, start: int, end: int) -> list[Candle]:
        """Bars of `step` seconds whose open is in [start, end), the running one included."""
        if not book.active or book.base not in self._bases or end <= start:
            return []
        bars = self.market.candles(self.name, book.base, step, start, end)
        if book.main:
            scales = [1.0] * len(bars)
        elif book.quote in self._bases and book.quote not in ("USDT", "USDC"):
            others = {bar[0]: bar[4] for bar in self.market.candles(self.name, book.quote, step, start, end)}
            bars = [bar for bar in bars if bar[0] in others]
            scales = [1 / others[bar[0]] for bar in bars]
        else:
            scales = [self.market.fx(self.quote) / self._usd(book.quote)] * len(bars)
        part, to = 1.0 if book.main else QUIET_SHARE, book.decimals
        return [
            Candle(
                int(at),
                round(opened * scale, to),
                round(high * scale, to),
                round(low * scale, to),
                round(close * scale, to),
                volume * part,
                1 + int(volume * part * close / 4000) if volume > 0 else 0,
            )
            for (at, opened, high, low, close, volume), scale in zip(bars, scales, strict=True)
        ]

    # --- Site

    async def http(self, request: Request) -> Reply:
        return self.answer(request)

    async def socket(self, request: Request, socket: Socket) -> None:
        listener = Listener()
        if not self.opened(request, listener):
            await socket.close(1008, "no such stream")
            return
        self.listeners.add(listener)
        work = (
            self._hear(listener, socket),
            self._write(listener, socket),
            self.each_ping(socket),
            listener.full.wait(),
        )
        hears, writes, _, full = tasks = [asyncio.ensure_future(one) for one in work]
        try:
            await asyncio.wait({hears, writes, full}, return_when=asyncio.FIRST_COMPLETED)
            if full.done():
                raise ConnectionError("the client does not read")
        finally:
            self.listeners.discard(listener)
            self.topics.forget(listener)
            self.left(listener)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in (hears, writes):
            if not task.cancelled():
                task.result()

    async def _hear(self, listener: Listener, socket: Socket) -> None:
        async for text in socket:
            self.heard(text, listener)

    @staticmethod
    async def _write(listener: Listener, socket: Socket) -> None:
        while True:
            await socket.send(await listener.queue.get())

    async def run(self) -> None:
        until, second = self.market.now(), 0.0
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.cadence)
            since, until = until, self.market.now()
            if not self.listeners:
                continue
            if self.topics.any():
                bases = dict.fromkeys(self.market.moved(self.name, since, until))
                books = [book for base in bases for book in self._books_of.get(base, ())]
                if books:
                    self.moved(books)
            if loop.time() - second >= 1.0:
                second = loop.time()
                self.each_second()
