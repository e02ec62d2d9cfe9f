"""Live crypto prices of any ccxt.pro exchange: by a stream of all, else a stream a symbol, else by polling.

Every tick that arrives is handed on, once, in the venue's own currency and under its canonical name. One life of the
feed is one exchange object: whatever ends it, its sockets are closed before the next begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from engine.errors import BadDataError, FatalError
from engine.model import Quote
from feeds.ccxt_tap import Tap, closed, tapped
from feeds.link import Context, Link
from feeds.listening import listen
from feeds.markets import Book, Books, MarketLists
from feeds.numbers import figure, number
from feeds.quirks import quirks_of
from feeds.shortcuts import Tick
from feeds.translate import seconds_of

STREAM_SILENCE_S: Final = 15.0
POLL_SILENCE_S: Final = 60.0
POLL_EVERY_S: Final = 5.0
TOUCH_EVERY_S: Final = 1.0
"""How often the library is asked for tickers, which keeps the subscription alive and surfaces its errors."""
SETTLE_S: Final = 3.0
_TIME_FIELDS: Final = ("timestamp", "time", "ts", "E")
_EARLIEST: Final = 1_230_768_000.0  # 2009: no crypto market is older


class CryptoStream:
    """One venue's prices."""

    kind = "crypto-stream"

    def __init__(self, name: str, lists: MarketLists) -> None:
        self.source = name
        self._lists = lists
        self._channel = f"{name}:tickers"

    async def run(self, context: Context, link: Link) -> None:
        """One connection's life."""
        relay = Relay(self.source, self._channel, context, link)
        quirks = quirks_of(self.source)
        exchange = await tapped(self.source, context.border, quirks, relay.tap)
        try:
            books = await self._lists.books(exchange, context)
            link.note(books.note())
            if not books.books:
                raise FatalError("none of the configured symbols is traded here")
            relay.begin(books, quirks.polled_open_is_24h)
            await self._watch(exchange, books, relay, context, link)
        except Exception as error:
            explain(exchange, error)
            self._lists.doubt(self.source, error, context)
            raise
        finally:
            await closed(exchange)

    async def _watch(self, exchange: Any, books: Books, relay: Relay, context: Context, link: Link) -> None:
        symbols = [book.venue_symbol for book in books.books]
        quirks = quirks_of(self.source)
        watch = dict(quirks.watch)
        if exchange.has.get("watchTickers"):
            size = quirks.symbols_per_call or len(symbols)
            groups = [symbols[i : i + size] for i in range(0, len(symbols), size)]
            link.up(self._channel, STREAM_SILENCE_S)
            if quirks.every_tick:
                calls = [
                    _touch(lambda group=group: exchange.subscribe_multiple(quirks.every_tick, False, group), context)
                    for group in groups
                ]
            else:
                calls = [
                    _touch(lambda group=group: exchange.watch_tickers(group, dict(watch)), context) for group in groups
                ]
        elif exchange.has.get("watchTicker"):
            link.up(self._channel, STREAM_SILENCE_S)
            calls = [
                _touch(lambda symbol=symbol: exchange.watch_ticker(symbol, dict(watch)), context) for symbol in symbols
            ]
        elif exchange.has.get("fetchTickers") or exchange.has.get("fetchTicker"):
            link.up(self._channel, POLL_SILENCE_S)
            calls = [self._poll(exchange, symbols, relay, context)]
        else:
            raise FatalError("this venue offers no tickers")
        async with asyncio.TaskGroup() as group:
            group.create_task(_lost(relay.tap), name=f"{self.source} lost")
            group.create_task(listen(context.clock, relay.tap.lines), name=f"{self.source} listens")
            group.create_task(relay.settle(link, context), name=f"{self.source} settle")
            for call in calls:
                group.create_task(call, name=f"{self.source} watch")

    async def _poll(self, exchange: Any, symbols: list[str], relay: Relay, context: Context) -> None:
        """Ask for all tickers again and again; the library keeps to the venue's rate limit."""
        while True:
            if exchange.has.get("fetchTickers"):
                tickers = await exchange.fetch_tickers(symbols)
                for symbol in symbols:
                    if isinstance(ticker := tickers.get(symbol), dict):
                        relay.polled(symbol, ticker)
            else:
                for symbol in symbols:
                    relay.polled(symbol, await exchange.fetch_ticker(symbol))
            await context.clock.sleep(POLL_EVERY_S)


def explain(exchange: Any, error: Exception) -> None:
    """Add to a library's error what only its exchange object knows: the pause that the venue's last answer named."""
    import ccxt

    for one in error.exceptions if isinstance(error, ExceptionGroup) else (error,):
        if isinstance(one, ccxt.NetworkError) and not hasattr(one, "retry_after"):
            headers: Mapping[str, str] = getattr(exchange, "last_response_headers", None) or {}
            pause = seconds_of(headers.get("Retry-After") or headers.get("retry-after"))
            if pause is not None:
                one.retry_after = pause


async def _touch(watch: Any, context: Context) -> None:
    """Keep a subscription alive, and let its errors surface."""
    while True:
        await watch()
        await context.clock.sleep(TOUCH_EVERY_S)


async def _lost(tap: Tap) -> None:
    """Raise as soon as a socket is lost."""
    await asyncio.shield(tap.lost)
    raise BadDataError("the stream ended")


_Value = float | None
_Values = tuple[str, _Value, _Value, _Value, _Value, _Value, _Value, _Value, _Value, _Value, _Value]
"""The fields of a `Tick`."""


class Relay:
    """From the library's tickers to quotes: one call a tick, so it does little."""

    def __init__(self, source: str, channel: str, context: Context, link: Link) -> None:
        record = context.record
        heard = None if record is None else lambda url, message: record(source, "ws", [url, message])
        self.tap = Tap(self._relay, heard, self._tick)
        self._record = record
        self._source = source
        self._channel = channel
        self._ingest = context.sink.ingest
        self._heard = link.heard
        self._now = context.clock.now
        self._monotonic = context.clock.monotonic
        self._books: dict[str, Book] = {}
        self._waiting: set[str] = set()
        self._wanted = 0
        self._polled_open = True

    def begin(self, books: Books, polled_open_is_24h: bool) -> None:
        """Hand on what comes from these books."""
        self._books = {book.venue_symbol: book for book in books.books}
        self._waiting = {book.symbol for book in books.books}
        self._wanted = len(self._waiting)
        self._polled_open = polled_open_is_24h

    async def settle(self, link: Link, context: Context) -> None:
        """Say so once every symbol has come, or a while after the first: some books are quiet for hours."""
        while len(self._waiting) == self._wanted:
            await context.clock.sleep(0.1)
        until = context.clock.monotonic() + SETTLE_S
        while self._waiting and context.clock.monotonic() < until:
            await context.clock.sleep(0.1)
        link.settled()

    def polled(self, symbol: str, ticker: dict[str, Any]) -> None:
        """A ticker that REST answered."""
        if self._record is not None:
            self._record(self._source, "polled", [symbol, ticker])
        self._relay(symbol, ticker if self._polled_open else {**ticker, "open": None})

    def _relay(self, symbol: str, ticker: Mapping[str, Any]) -> None:
        """A ticker as the library made it."""
        if symbol not in self._books:
            return
        get = ticker.get
        stamp = get("timestamp")
        named = number(stamp) if isinstance(stamp, int | float) else None
        self._tick(
            (
                symbol,
                figure(get("last")),
                figure(get("bid")),
                figure(get("ask")),
                figure(get("open")),
                figure(get("high")),
                figure(get("low")),
                figure(get("baseVolume")),
                figure(get("quoteVolume")),
                figure(get("vwap")),
                named / 1000.0 if named else time_in(get("info")),
            )
        )

    def _tick(self, tick: Tick | _Values) -> None:
        symbol, last, bid, ask, opened, high, low, volume, quote_volume, vwap, event_time = tick
        book = self._books.get(symbol)
        if book is None:
            return
        name, quote_ccy = book.symbol, book.quote_ccy
        if self._waiting:
            self._waiting.discard(name)
        if last is None and bid is None and ask is None:
            return  # a ticker without a price is no data: a venue that sends nothing else is silent
        self._heard(self._channel, event_time)
        self._ingest(
            Quote(
                name,
                self._source,
                self._channel,
                symbol,
                quote_ccy,
                last,
                bid,
                ask,
                opened,
                high,
                low,
                volume,
                quote_volume,
                vwap,
                event_time,
                self._now(),
                self._monotonic(),
            )
        )


def time_in(info: object) -> float | None:
    """The venue's own time in a raw message, epoch seconds: an ISO text or a number of s, ms, µs or ns; else None."""
    if not isinstance(info, dict):
        return None
    for field in _TIME_FIELDS:
        value = info.get(field)
        if not value or isinstance(value, bool):
            continue
        seconds = _iso(value) if isinstance(value, str) and "T" in value else number(value)
        if seconds is None:
            continue
        while seconds > 1e11:
            seconds /= 1000.0
        if seconds > _EARLIEST:
            return seconds
    return None


def _iso(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
