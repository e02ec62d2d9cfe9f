"""Yahoo's streamer: a quote a message, and a connection's end is this feed's end, whichever way it comes.

A clean close, an abort and silence all leave `run` by an error, so that nothing here can spin or wait for ever; the
supervisor decides when to come back. What Yahoo last said before we subscribed may be days old: it is passed on with
its own time, never as news.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import math
import ssl
import struct
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import orjson

from engine.config import Config
from engine.errors import BadDataError, FatalError, TransientError
from engine.model import Quote, SessionState
from feeds.aside import aside
from feeds.link import MAX_PRICE, Context, Link
from feeds.listening import Line, listen
from feeds.translate import translate, words
from feeds.turns import STREAM, turn
from feeds.yahoo_units import in_units, likely

if TYPE_CHECKING:
    from engine.sessions import Hours

URI: Final = "wss://streamer.finance.yahoo.com/?version=2"
SYMBOLS_A_CONNECTION: Final = 100
"""Yahoo silently serves no more on one connection."""
HEARTBEAT_S: Final = 15.0
"""The subscription is said again so often, as Yahoo's own page does."""
LATEST_MS: Final = 4_102_444_800_000
"""The year 2100: a time beyond it is none."""
NEW_YORK: Final = ZoneInfo("America/New_York")

_SESSIONS: Final = {1: "regular", 2: "post", 4: "overnight"}


class YahooStream:
    """The streamer as a feed: one channel a connection."""

    source = "yahoo-stream"
    kind = "equity-stream"

    def __init__(self, config: Config, lost: Callable[[], None] = lambda: None) -> None:
        """lost: called when a stream that had been subscribed ends, so that the back-up can step in."""
        self._symbols = config.equity.symbols
        self._lost = lost
        self._poll_s = config.refresh.equity_poll_s

    async def run(self, context: Context, link: Link) -> None:
        """Stream until the connections end; see the module's docstring."""
        if not self._symbols:
            raise FatalError("no equity symbols are configured")
        pricing, trust = await aside(_prepare, context)
        parts = list(_chunks(self._symbols, SYMBOLS_A_CONNECTION))
        connections: list[_Connection] = []
        try:
            async with asyncio.TaskGroup() as group:
                for number, symbols in enumerate(parts, start=1):
                    channel = f"{self.source}:quotes" + (f"-{number}" if number > 1 else "")
                    connection = _Connection(context, link, channel, symbols, pricing, self._poll_s)
                    connections.append(connection)
                    group.create_task(connection.run(trust), name=channel)
        except BaseExceptionGroup as ended:
            if any(connection.subscribed for connection in connections):
                self._lost()
            raise _first(ended) from None


class _Connection:
    """One socket and its subscription."""

    def __init__(
        self,
        context: Context,
        link: Link,
        channel: str,
        symbols: tuple[str, ...],
        pricing: Any,
        poll_s: float,
    ) -> None:
        self._context = context
        self._clock = context.clock
        self._link = link
        self._channel = channel
        self._subscription = orjson.dumps({"subscribe": list(symbols)}).decode()
        self._reader = QuoteReader(symbols, pricing, channel)
        self._poll_s = poll_s
        self._unreadable = 0
        self.subscribed = False

    async def run(self, trust: ssl.SSLContext) -> None:
        """Connect, subscribe, and read until the end, which is always an error."""
        from websockets.exceptions import ConnectionClosed

        from feeds.yahoo_socket import opened

        try:
            async with opened(URI, self._context.border, trust) as socket:
                await socket.send(self._subscription)
                self.subscribed = True
                self._link.up(self._channel, math.inf)
                self._link.settled()  # a stream owes nothing at first: what there is to begin with, the polls bring
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._keep(socket), name=f"{self._channel} heartbeat")
                    group.create_task(self._read(socket, line := _line(socket)), name=f"{self._channel} reader")
                    group.create_task(listen(self._clock, (line,)), name=f"{self._channel} listens")
        except* ConnectionClosed as closed:
            raise _ended(_first(closed)) from None

    async def _keep(self, socket: Any) -> None:
        """Say the subscription again, and what silence means at this hour."""
        hours = await aside(_calendar)  # takes a second at the first start: the first quotes need not wait for it
        while True:
            self._link.up(self._channel, self._limit(hours))
            await self._clock.sleep(HEARTBEAT_S)
            await socket.send(self._subscription)

    async def _read(self, socket: Any, line: Line) -> None:
        sink, link, clock, reader = self._context.sink, self._link, self._clock, self._reader
        record = self._context.record
        async for message in socket:
            line.frames += 1
            if record is not None:
                record(YahooStream.source, "stream", [self._channel, message])
            try:
                quote = reader.read(message, clock.now(), clock.monotonic())
            except BadDataError:
                self._unreadable += 1
                link.note(f"{self._unreadable} messages could not be read")
                continue
            if quote is not None:
                sink.ingest(quote)
                link.heard(self._channel, quote.event_time)
        raise _closed(socket.close_code, socket.close_reason)  # a clean close ends the loop without an error

    def _limit(self, hours: Hours) -> float:
        """Seconds of silence that mean trouble now: three polls in session, far more around it, none when closed."""
        state = hours.clock(self._clock.now()).state
        if state is SessionState.OPEN:
            return 3 * self._poll_s
        return 20 * self._poll_s if state in {SessionState.PRE, SessionState.POST} else math.inf


class QuoteReader:
    """Turns the streamer's messages into quotes of the symbols that were asked for."""

    def __init__(self, symbols: tuple[str, ...], pricing: Any, channel: str) -> None:
        self._wanted = frozenset(symbols)
        self._pricing = pricing
        self._channel = channel
        self._currency: dict[str, str] = {}

    def read(self, message: str | bytes, now: float, mono: float) -> Quote | None:
        """The quote in `message`, or None where it holds none of ours. Raises BadDataError where it cannot be read."""
        from google.protobuf.message import DecodeError

        data = self._pricing()
        try:
            body = orjson.loads(message)
            if isinstance(body, dict) and "message" not in body:
                return None
            data.ParseFromString(base64.b64decode(body["message"], validate=True))
        except (ValueError, TypeError, DecodeError) as broken:
            raise BadDataError("a message of Yahoo's streamer that cannot be read") from broken
        symbol = data.id
        if symbol not in self._wanted or not _positive(data.price):
            return None
        if data.currency:
            self._currency[symbol] = data.currency
        currency, unit = in_units(self._currency.get(symbol, "USD"))
        event_time = data.time / 1000 if 0 < data.time < LATEST_MS else None

        def money(value: float) -> float | None:
            return shortest(value) * unit if _positive(value) else None

        previous = likely(_previous(data), shortest(data.price))
        return Quote(
            symbol=symbol,
            source=YahooStream.source,
            channel=self._channel,
            venue_symbol=symbol,
            quote_ccy=currency,
            last=money(data.price),
            bid=money(data.bid),
            ask=money(data.ask),
            prev=None if previous is None else previous * unit,
            high=money(data.day_high),
            low=money(data.day_low),
            volume=float(data.day_volume) if data.day_volume > 0 else None,
            quote_volume=None,
            vwap=None,
            event_time=event_time,
            received=now,
            received_mono=mono,
            session=_session(data.market_hours, event_time),
        )


def _previous(data: Any) -> float | None:
    """The price that Yahoo's change is measured from, cleared of float32's noise; None where no change is said.

    Zero cannot be told from absent, so an unchanged price has no previous one here; the poll knows it.
    """
    if _positive(data.previous_close):
        return shortest(data.previous_close)
    if not data.change or not math.isfinite(data.change):
        return None
    previous = shortest(data.price) - shortest(data.change)
    if previous <= 0:
        return None
    digits = 6 - math.floor(math.log10(max(data.price, previous)))  # float32 holds seven
    told = max(data.price_hint, _decimals(shortest(data.price)))
    return round(previous, min(told, digits) if data.price_hint else digits)


def _session(market_hours: int, event_time: float | None) -> str | None:
    """The session's label. 0 is pre-market and cannot be told from absent, so there the clock has to agree."""
    if market_hours == 0 and event_time is not None:
        at = datetime.fromtimestamp(event_time, NEW_YORK)
        minutes = at.hour * 60 + at.minute
        return "pre" if at.weekday() < 5 and 4 * 60 <= minutes < 9 * 60 + 30 else None
    return _SESSIONS.get(market_hours)


def _decimals(value: float) -> int:
    """How many digits stand after the point, at most nine."""
    return len(f"{value:.9f}".rstrip("0").partition(".")[2])


def _positive(value: float) -> bool:
    return 0.0 < value < MAX_PRICE


def shortest(value: float) -> float:
    """The number with the fewest digits that is the same float32: 232.35000610351562 → 232.35."""
    for digits in (6, 7, 8):
        candidate = float(f"{value:.{digits}g}")
        if struct.unpack("f", struct.pack("f", candidate))[0] == value:
            return candidate
    return float(f"{value:.9g}")


def _line(socket: Any) -> Line:
    """What tells whether the other end of `socket` is there; its pongs count as frames."""
    asking: set[asyncio.Task[None]] = set()

    async def ask() -> None:
        from websockets.exceptions import ConnectionClosed

        with contextlib.suppress(ConnectionClosed):  # the reader says so
            await (await socket.ping())
            line.frames += 1

    def begin() -> None:
        task = asyncio.ensure_future(ask())
        asking.add(task)
        task.add_done_callback(asking.discard)

    line = Line(begin)
    return line


def _chunks(symbols: tuple[str, ...], size: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(symbols), size):
        yield symbols[start : start + size]


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error inside groups of groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _ended(closed: BaseException) -> TransientError:
    """The end of a connection in words: how it ended, and the reason that Yahoo gave."""
    received = getattr(closed, "rcvd", None)
    if received is None:
        known = translate(closed.__cause__) if closed.__cause__ is not None else None
        return TransientError(f"the stream broke off: {known}" if known else "the stream broke off")
    return _closed(received.code, received.reason)


def _closed(code: int | None, reason: str | None) -> TransientError:
    said = f", “{words(reason, 60)}”" if reason else ""
    return TransientError(f"Yahoo closed the stream (code {code}{said})")


def _prepare(context: Context) -> tuple[Any, ssl.SSLContext]:
    """The message's class and the authorities, and the client's import: too slow for the event loop."""
    with turn(STREAM):
        importlib.import_module("feeds.yahoo_socket")
        return pricing_class(), context.border.ssl_context()


def _calendar() -> Hours:
    from engine.sessions import xnys

    return xnys()


def pricing_class() -> Any:
    """The class of the streamer's messages."""
    return _pricing_module().PricingData


def _pricing_module() -> ModuleType:
    """yfinance's message definition without the rest of yfinance, which takes a second to import."""
    package = importlib.util.find_spec("yfinance")
    if package is None or not package.submodule_search_locations:
        raise FatalError("yfinance is not installed")
    file = Path(package.submodule_search_locations[0]) / "pricing_pb2.py"
    spec = importlib.util.spec_from_file_location("feeds._yahoo_pricing", file)
    if spec is None or spec.loader is None:
        raise FatalError("this yfinance has no definition of the streamer's messages")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
