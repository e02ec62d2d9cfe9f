"""A ccxt.pro exchange whose every ticker is seen, cheaply, and whose connection cannot be lost or renewed in silence.

`watch_tickers` returns only the newest of what arrived between two calls, and opens a new socket by itself where the
old one died. So every ticker is taken where the library stores it (`exchange.tickers[symbol] = …`), or before that
where a shortcut can read the message (`feeds.shortcuts`), and the first sign of a lost socket ends `lost`, which the
feed waits for. No venue's name stands here: what differs is in `feeds.quirks`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from engine.errors import BadDataError, FatalError
from feeds.aside import aside
from feeds.ccxt_import import ccxt_pro
from feeds.listening import Line
from feeds.network import Border, goodbye_s
from feeds.numbers import number, price
from feeds.quirks import Quirks, quirks_of
from feeds.shortcuts import SHORTCUTS, UNUSUAL, Shortcut, Tick
from feeds.turns import VENUES, turn

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger(__name__)

OnTicker = Callable[[str, Mapping[str, Any]], None]
OnTick = Callable[[Tick], None]
OnMessage = Callable[[str, Any], None]
"""Takes the address of a socket and a message as the library decoded it from JSON."""

LARGEST = 64 * 2**20
"""Bytes of the largest answer that is read, unpacked; the longest list of markets takes about 20 MB."""


def lean_ticker(ticker: dict[str, Any]) -> dict[str, Any]:
    """What the library's own `safe_ticker` makes, in floats, of the fields that a quote needs; the rest as it came.

    `info` stays: some venues' own code builds the next ticker from it.
    """
    get = ticker.get
    last = price(get("last"))
    if last is None:
        last = price(get("close"))
    opened = price(get("open"))
    if opened is None and last is not None:
        if (change := number(get("change"))) is not None:
            opened = price(last - change)
        elif (percentage := number(get("percentage"))) is not None and percentage > -100.0:
            opened = last / (1.0 + percentage / 100.0)
    ticker["last"] = ticker["close"] = last
    ticker["open"] = opened
    ticker["bid"] = price(get("bid"))
    ticker["ask"] = price(get("ask"))
    ticker["high"] = price(get("high"))
    ticker["low"] = price(get("low"))
    ticker["vwap"] = number(get("vwap"))
    ticker["baseVolume"] = number(get("baseVolume"))
    ticker["quoteVolume"] = number(get("quoteVolume"))
    return ticker


class _Emitting(dict[str, Any]):
    """The exchange's store of tickers, which tells of every one that is put in."""

    __slots__ = ("_emit",)

    def __init__(self, known: Mapping[str, Any], emit: OnTicker) -> None:
        super().__init__(known)
        self._emit = emit

    def __setitem__(self, symbol: str, ticker: Any) -> None:
        super().__setitem__(symbol, ticker)
        self._emit(symbol, ticker)


class Tap:
    """What one tapped exchange tells: every ticker, and the loss of its connection."""

    _on_tick: OnTick | None = None

    def __init__(self, on_ticker: OnTicker, on_message: OnMessage | None = None, on_tick: OnTick | None = None) -> None:
        """on_tick: takes what a shortcut read; without it every message goes the library's way."""
        self._on_ticker = on_ticker
        self._on_message = on_message
        self._on_tick = on_tick
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends with the error of the first socket that was lost."""
        self.lost.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.unreadable = 0
        """Messages that the library could make nothing of."""
        self.lines: list[Line] = []
        """The sockets, to be listened to."""
        self.clients: list[Any] = []
        """Those of the library that own these sockets."""
        self._speaking: set[asyncio.Task[None]] = set()

    def ticker(self, symbol: str, ticker: Mapping[str, Any]) -> None:
        """A ticker was stored. A fault of ours ends the feed, never the library's reading loop."""
        try:
            self._on_ticker(symbol, ticker)
        except Exception as error:  # noqa: BLE001 (handed on to whoever waits for `lost`)
            self.fail(error)

    def ticks(self, shortcut: Shortcut, exchange: Any, message: Any) -> bool:
        """Whether `shortcut` read the message; then its ticks were handed on."""
        if self._on_tick is None:
            return False
        try:
            ticks = shortcut(exchange, message)
        except UNUSUAL:
            return False
        if ticks is None:
            return False
        try:
            for tick in ticks:
                self._on_tick(tick)
        except Exception as error:  # noqa: BLE001 (as for `ticker`)
            self.fail(error)
        return True

    def fail(self, error: BaseException) -> None:
        """The connection is of no more use."""
        if not self.lost.done():
            self.lost.set_exception(error)

    def guard(self, client: Any) -> Any:
        """Keep one unreadable message from ending the socket's reading loop."""
        if "handle_message" not in vars(client):
            from aiohttp import WSMsgType

            handle, asks = client.handle_message, WSMsgType.PING
            line = Line(lambda: self._speak(client.connection.ping()), lambda: not client.closed())
            self.lines.append(line)
            self.clients.append(client)

            def guarded(message: Any) -> None:
                line.frames += 1
                if message.type is asks:
                    self._speak(client.connection.pong(message.data))
                    return
                try:
                    handle(message)
                except Exception as error:  # noqa: BLE001 (any of a hundred venues' parsers, on any bytes)
                    self._unreadable(error)

            client.handle_message = guarded
            if self._on_message is not None:
                client.on_message_callback = self._overheard(client.on_message_callback)
        return client

    def _overheard(self, handle: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def hear(client: Any, message: Any) -> None:
            if self._on_message is not None:  # of what is told to nobody, a recording must not tell
                self._on_message(client.url, message)
            handle(client, message)

        return hear

    def silence(self) -> None:
        """Nothing is told any more."""
        self._on_ticker, self._on_tick, self._on_message = _nothing, None, None

    def end(self) -> None:
        """Nothing is told any more, and nothing held."""
        self.silence()
        for client in self.clients:
            _let_go(client)
        self.clients.clear()
        self.lines.clear()

    def _speak(self, words: Coroutine[Any, Any, None]) -> None:
        """Send a ping or a pong. The library leaves to nobody the pong that meets the end of its connection."""

        async def speak() -> None:
            try:
                await words
            except ConnectionError as error:
                self.fail(error)

        task = asyncio.ensure_future(speak())
        self._speaking.add(task)
        task.add_done_callback(self._speaking.discard)

    def _unreadable(self, error: Exception) -> None:
        from ccxt import BaseError

        if isinstance(error, BaseError):
            self.fail(error)
            return
        self.unreadable += 1
        if self.unreadable == 1:
            log.warning("a message could not be read: %s: %s", type(error).__name__, str(error)[:200])


async def tapped(name: str, border: Border, quirks: Quirks, tap: Tap | None) -> Any:
    """The exchange `name` of ccxt.pro behind the border; with a `tap`, streaming through it."""
    base = await aside(_class_of, name)
    if base is None:
        raise FatalError(f"ccxt.pro knows no exchange called {name}")
    settings = {
        "enableRateLimit": True,
        "timeout": int(border.timeout * 1000),
        "cafile": border.ca_file,
        **({"httpsProxy": border.proxy, "wssProxy": border.proxy} if border.proxy else {}),
        "options": {"defaultType": "spot", **quirks.options},
    }
    exchange = base(settings) if tap is None else _tapped_class(base)(tap, settings)
    if border.ca_file is None:
        exchange.ssl_context = border.ssl_context()
    exchange.streaming = {**exchange.streaming, "connectionTimeout": int(max(border.timeout, 1.0) * 1000)}
    listing = exchange.options.get("fetchMarkets")
    if isinstance(listing, dict) and "types" in listing:
        listing["types"] = ["spot"]
    exchange.timeout_on_exit = 10  # milliseconds; the connector waits for its transports by itself
    exchange.has = {**exchange.has, "fetchCurrencies": False}  # a second list that names nothing we need
    exchange.open()  # some venues' code wants its loop before the first request, which a cached market list spares us
    _bound_answers(exchange)
    return exchange


def _class_of(name: str) -> Any:
    """ccxt.pro's class of an exchange, which is imported here; None where there is none."""
    with turn(VENUES):
        return getattr(ccxt_pro(), name, None)


def standing(name: str, tap: Tap) -> Any:
    """The exchange `name` as it decodes, connected to nothing: what a replay hands its messages to."""
    base = _class_of(name)
    if base is None:
        raise FatalError(f"ccxt.pro knows no exchange called {name}")
    options = {"defaultType": "spot", **quirks_of(name).options}
    return _tapped_class(base)(tap, {"options": options, "enableRateLimit": False})


def _bound_answers(exchange: Any) -> None:
    """Give `exchange` a session that reads no answer beyond `LARGEST`, however small it came packed."""
    import aiohttp

    first = exchange.session
    exchange.session = aiohttp.ClientSession(
        connector=exchange.tcp_connector, trust_env=exchange.aiohttp_trust_env, response_class=_bounded()
    )
    first.detach()  # the connector goes on with the new one


@cache
def _bounded() -> type[aiohttp.ClientResponse]:
    """The class of an answer that ends where it grows too large."""
    import aiohttp

    class Bounded(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            if self._body is None:
                body = bytearray()
                async for part in self.content.iter_any():
                    body += part
                    if len(body) > LARGEST:
                        self.close()
                        raise BadDataError(f"an answer of more than {LARGEST // 2**20} MB")
                self._body = bytes(body)
            return await super().read()

    return Bounded


_CLOSING: Final[set[asyncio.Task[None]]] = set()
"""Those under way: the loop itself keeps no task alive."""


async def closed(exchange: Any) -> None:
    """Close every socket of `exchange`: politely for a moment, then whatever the far side does. It is of no use then.

    Whoever is cancelled meanwhile goes, and the closing goes on: a life that was lost as its watchdog gave it up would
    leave a session open for good.
    """
    closing = asyncio.ensure_future(_close(exchange))
    _CLOSING.add(closing)
    closing.add_done_callback(_CLOSING.discard)
    await asyncio.shield(closing)


async def _close(exchange: Any) -> None:
    """An exchange object refers to itself in dozens of ways and holds megabytes: what a search for garbage would find
    at some time is let go of at once, so that a thousand reconnects take no more room than one.
    """
    held = vars(exchange)
    tap: Tap | None = held.get("_tap")
    if tap is not None:
        tap.silence()  # the next life may have begun
    try:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(goodbye_s(exchange.timeout / 1000)):
                await exchange.close_ws_clients()
    finally:  # when the program ends, too
        held["clients"] = {}  # who has not said goodbye by now is not waited for again
        for value in list(held.values()):
            if isinstance(value, asyncio.Future):
                value.cancel()  # the loading of the markets would go on asking
        with contextlib.suppress(Exception):
            await exchange.close()
        if tap is not None:
            tap.end()
        _empty(held)


def _empty(held: dict[str, Any]) -> None:
    for name, value in list(held.items()):
        if isinstance(value, dict):
            held[name] = {}
        elif isinstance(value, list):
            held[name] = []
        elif isinstance(value, asyncio.Future):
            held[name] = None  # it holds what it loaded
        elif callable(value):
            del held[name]


def _let_go(client: Any) -> None:
    """Take from a client of the library's what leads back to its exchange."""
    held = vars(client)
    for name, value in list(held.items()):
        if isinstance(value, dict):
            held[name] = {}
        elif isinstance(value, asyncio.Task | BaseException):  # each holds frames
            held[name] = None
        elif callable(value):
            del held[name]
    for name in ("on_message_callback", "on_error_callback", "on_close_callback", "on_connected_callback"):
        held[name] = _nothing


def _nothing(*_: Any) -> None:
    """A callback of a client that nobody listens to any more."""


@cache
def _tapped_class(base: Any) -> Any:
    """The class `base` as it streams through a tap, which each exchange is given. It keeps the base's name, which some
    venues' code reads. Made once a venue: a class refers to itself, and would stay until somebody seeks garbage.
    """

    def init(self: Any, tap: Tap, settings: Mapping[str, Any]) -> None:
        self._tap = tap
        base.__init__(self, settings)

    def get_tickers(self: Any) -> Any:
        return self.__dict__.get("_tapped_tickers")

    def set_tickers(self: Any, value: Mapping[str, Any] | None) -> None:
        self.__dict__["_tapped_tickers"] = None if value is None else _Emitting(value, self._tap.ticker)

    def safe_ticker(self: Any, ticker: dict[str, Any], market: Any = None) -> dict[str, Any]:
        return lean_ticker(ticker)

    def client(self: Any, url: str) -> Any:
        return self._tap.guard(base.client(self, url))

    def on_error(self: Any, client: Any, error: BaseException) -> None:
        base.on_error(self, client, error)
        self._tap.fail(error)

    def on_close(self: Any, client: Any, code: Any) -> None:
        import ccxt

        base.on_close(self, client, code)
        self._tap.fail(client.error or ccxt.NetworkError(f"closed by the other side, code {code}"))

    members: dict[str, Any] = {
        "__init__": init,
        "tickers": property(get_tickers, set_tickers),
        "safe_ticker": safe_ticker,
        "client": client,
        "on_error": on_error,
        "on_close": on_close,
    }
    if shortcut := SHORTCUTS.get(base.__name__):

        def handle_message(self: Any, client: Any, message: Any) -> None:
            if not self._tap.ticks(shortcut, self, message):
                base.handle_message(self, client, message)

        members["handle_message"] = handle_message
    return type(base.__name__, (base,), members)
