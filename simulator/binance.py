"""Binance as it speaks: REST version 3 and the spot streams, priced in USDT.

Invariant: numbers are text with eight decimals, times are milliseconds, tickers go out once a second and only for what
moved, and a stream of an unknown symbol is accepted and stays silent, as at the venue.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import ClassVar

import orjson

from simulator.fanout import Listener, dumps
from simulator.gateway import Reply, Request, Socket
from simulator.venue import Book, Prices, Ticks, VenueSite, number

MOST_CANDLES = 1000
MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480,
           "12h": 720, "1d": 1440, "1w": 10080}  # fmt: skip
DAY_MS = 86_400_000
Form = Callable[[Book, Ticks], dict[str, object]]
KINDS = ("ticker", "miniTicker", "bookTicker")
ALL = {"!ticker@arr": "ticker", "!miniTicker@arr": "miniTicker"}
RESTRICTED = (
    "Service unavailable from a restricted location according to 'b. Eligibility' in "
    "https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in "
    "error."
)
"""What Binance tells a client in a country that it does not serve."""


def text(value: float) -> str:
    """A price or a quantity as Binance writes it."""
    return f"{value:.8f}"


def refusal(code: int, message: str, status: int = 400) -> Reply:
    """An error answer."""
    return Reply.json({"code": code, "msg": message}, status)


class BinanceSite(VenueSite):
    """api.binance.com and stream.binance.com; the futures hosts only list their contracts.

    restricted: every REST answer is the refusal that a client in an unserved country gets (HTTP 451).
    """

    name = "binance"
    hosts = frozenset({"api.binance.com", "stream.binance.com", "fapi.binance.com", "dapi.binance.com"})
    cadence: ClassVar[float] = 1.0
    at_most_decimals: ClassVar[int] = 8
    ping_s: ClassVar[float] = 20.0
    """Seconds between the venue's ping frames."""

    def __init__(self, market: Prices, *, restricted: bool = False) -> None:
        super().__init__(market)
        self.restricted = restricted
        self._by_id = {book.base + book.quote: book for book in self.books}
        self._calls: dict[str, Callable[[Request], Reply]] = {
            "ping": lambda _: Reply.json({}),
            "time": lambda _: Reply.json({"serverTime": self._ms()}),
            "exchangeInfo": lambda _: Reply.json(self._exchange([self._symbol(book) for book in self.books])),
            "ticker/24hr": lambda request: self._each(request, self._day),
            "ticker/price": lambda request: self._each(request, self._price),
            "ticker/bookTicker": lambda request: self._each(request, self._top),
            "klines": self._klines,
        }
        self._combined: set[Listener] = set()
        self._fresh: list[tuple[str, Listener]] = []

    def extra_books(self) -> list[Book]:
        """The same coins against USDC, the euro and BTC, and books in a break."""
        return [
            self.book("BTC", "USDC"), self.book("ETH", "USDC"), self.book("BTC", "EUR"), self.book("ETH", "BTC"),
            self.book("DOGE", "EUR", active=False), self.book("SHIB", "USDC", active=False),
        ]  # fmt: skip

    # --- REST

    def answer(self, request: Request) -> Reply:
        if self.restricted:
            return refusal(0, RESTRICTED, 451)
        if request.host in ("fapi.binance.com", "dapi.binance.com"):
            return self._contracts(request)
        call = self._calls.get(request.path.removeprefix("/api/v3/"))
        if call is None:
            return Reply(404, b"<html><body><h2>404 Not found</h2></body></html>", content_type="text/html")
        return call(request)

    def _ms(self) -> int:
        return int(self.market.now() * 1000)

    def _exchange(self, symbols: list[dict[str, object]]) -> dict[str, object]:
        limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}
        return {
            "timezone": "UTC",
            "serverTime": self._ms(),
            "rateLimits": [limit],
            "exchangeFilters": [],
            "symbols": symbols,
        }

    @staticmethod
    def _filters(book: Book) -> list[dict[str, object]]:
        return [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": text(10.0**-book.decimals),
                "maxPrice": "1000000.00000000",
                "tickSize": text(10.0**-book.decimals),
            },
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "avgPriceMins": 5},
        ]

    def _symbol(self, book: Book) -> dict[str, object]:
        return {
            "symbol": book.base + book.quote,
            "status": "TRADING" if book.active else "BREAK",
            "baseAsset": book.base,
            "baseAssetPrecision": 8,
            "quoteAsset": book.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
            "icebergAllowed": True,
            "ocoAllowed": True,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": book.main,
            "filters": self._filters(book),
            "permissions": [],
            "permissionSets": [["SPOT", "MARGIN"] if book.main else ["SPOT"]],
        }

    def _contracts(self, request: Request) -> Reply:
        """Two perpetual contracts and a dated one: markets that are no spot books."""
        if not request.path.endswith("/v1/exchangeInfo"):
            return refusal(-5000, f"Path {request.path}, Method GET is invalid", 404)
        linear = request.host.startswith("fapi")
        never, later = 4_133_404_800_000, self._ms() // DAY_MS * DAY_MS + 77 * DAY_MS
        symbols = []
        for name, kind, delivery in (("BTC", "PERPETUAL", never), ("BTC", "CURRENT_QUARTER", later)):
            quote = "USDT" if linear else "USD"
            tail = "" if kind == "PERPETUAL" and linear else ("_PERP" if kind == "PERPETUAL" else "_260327")
            symbols.append(
                {
                    "symbol": name + quote + tail,
                    "pair": name + quote,
                    "contractType": kind,
                    "deliveryDate": delivery,
                    "onboardDate": 1_569_398_400_000,
                    ("status" if linear else "contractStatus"): "TRADING",
                    "baseAsset": name,
                    "quoteAsset": quote,
                    "marginAsset": "USDT" if linear else name,
                    "pricePrecision": 2,
                    "quantityPrecision": 3,
                    "baseAssetPrecision": 8,
                    "quotePrecision": 8,
                    "underlyingType": "COIN",
                    **({} if linear else {"contractSize": 100}),
                    "filters": [
                        {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10"},
                        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
                    ],
                }
            )
        return Reply.json(self._exchange(symbols))

    def _each(self, request: Request, form: Form) -> Reply:
        """One symbol's object, or a list: of `symbols`, or of all there are."""
        if one := request.first("symbol"):
            book = self._by_id.get(one)
            return Reply.json(form(book, self.ticks(book))) if book else refusal(-1121, "Invalid symbol.")
        names: list[str] = list(self._by_id)
        if asked := request.first("symbols"):
            try:
                names = [str(name) for name in orjson.loads(asked)]
            except (orjson.JSONDecodeError, TypeError):
                return refusal(-1100, "Illegal characters found in parameter 'symbols'.")
        if not all(name in self._by_id for name in names):
            return refusal(-1121, "Invalid symbol.")
        return Reply.json([form(book, self.ticks(book)) for book in map(self._by_id.__getitem__, names)])

    def _day(self, book: Book, ticks: Ticks) -> dict[str, object]:
        bid_size, ask_size = self.sizes(ticks)
        close = int(ticks.time * 1000)
        return {
            "symbol": book.base + book.quote,
            "priceChange": text(ticks.last - ticks.open),
            "priceChangePercent": f"{100 * (ticks.last / ticks.open - 1):.3f}",
            "weightedAvgPrice": text(ticks.vwap),
            "prevClosePrice": text(ticks.open),
            "lastPrice": text(ticks.last),
            "lastQty": text(min(bid_size, ask_size) / 10),
            "bidPrice": text(ticks.bid),
            "bidQty": text(bid_size),
            "askPrice": text(ticks.ask),
            "askQty": text(ask_size),
            "openPrice": text(ticks.open),
            "highPrice": text(ticks.high),
            "lowPrice": text(ticks.low),
            "volume": text(ticks.volume),
            "quoteVolume": text(ticks.volume * ticks.vwap),
            "openTime": close - DAY_MS,
            "closeTime": close,
            "firstId": 1_000_000,
            "lastId": 1_000_000 + ticks.trades,
            "count": ticks.trades,
        }

    @staticmethod
    def _price(book: Book, ticks: Ticks) -> dict[str, object]:
        return {"symbol": book.base + book.quote, "price": text(ticks.last)}

    def _top(self, book: Book, ticks: Ticks) -> dict[str, object]:
        bid_size, ask_size = self.sizes(ticks)
        return {
            "symbol": book.base + book.quote,
            "bidPrice": text(ticks.bid),
            "bidQty": text(bid_size),
            "askPrice": text(ticks.ask),
            "askQty": text(ask_size),
        }

    def _klines(self, request: Request) -> Reply:
        book = self._by_id.get(request.first("symbol"))
        if book is None:
            return refusal(-1121, "Invalid symbol.")
        minutes = MINUTES.get(request.first("interval"))
        if minutes is None:
            return refusal(-1120, "Invalid interval.")
        step = minutes * 60
        limit = max(1, min(number(request, "limit") or 500, MOST_CANDLES))
        start, end = number(request, "startTime"), number(request, "endTime")
        last = min(end if end is not None else self._ms(), self._ms()) // 1000 + 1
        if start is None:
            bars = self.candles(book, step, last // step * step - (limit - 1) * step, last)[-limit:]
        else:
            first = -(-start // 1000)
            bars = self.candles(book, step, first, min(last, first + (limit + 1) * step))[:limit]
        rows = [
            [
                bar.time * 1000,
                *(text(value) for value in (bar.open, bar.high, bar.low, bar.close, bar.volume)),
                (bar.time + step) * 1000 - 1,
                text(bar.volume * bar.close),
                bar.trades,
                text(bar.volume / 2),
                text(bar.volume * bar.close / 2),
                "0",
            ]
            for bar in bars
        ]
        return Reply.json(rows)

    # --- streams

    def opened(self, request: Request, listener: Listener) -> bool:
        if request.path.startswith("/stream"):
            self._combined.add(listener)
            names = request.first("streams").split("/")
        elif request.path.startswith("/ws"):
            names = request.path.split("/")[2:]
        else:
            return False
        for name in names:
            if "@" in name:
                self._listen(name, listener)
        return True

    def left(self, listener: Listener) -> None:
        self._combined.discard(listener)

    def _listen(self, stream: str, listener: Listener) -> None:
        if self.topics.add((stream, ""), listener):
            self._fresh.append((stream, listener))

    def heard(self, said: str, listener: Listener) -> None:
        try:
            message = orjson.loads(said)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            error = {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}
            listener.put(dumps({"error": error}))
            return
        asked, streams = message.get("id"), message.get("params") or []
        result: list[str] | None = None
        match message.get("method"):
            case "SUBSCRIBE":
                for stream in streams:
                    self._listen(str(stream), listener)
            case "UNSUBSCRIBE":
                for stream in streams:
                    self.topics.remove((str(stream), ""), listener)
            case "LIST_SUBSCRIPTIONS":
                result = [stream for stream, _ in self.topics.keys_of(listener)]
            case method:
                known = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
                wrong = f"Invalid request: unknown variant `{method}`, expected one of {known}"
                listener.put(dumps({"error": {"code": 2, "msg": wrong}, "id": asked}))
                return
        listener.put(dumps({"result": result, "id": asked}))

    def _event(self, kind: str, book: Book, ticks: Ticks, now: int) -> dict[str, object]:
        name = book.base + book.quote
        bid_size, ask_size = self.sizes(ticks)
        top: dict[str, object] = {
            "b": text(ticks.bid), "B": text(bid_size), "a": text(ticks.ask), "A": text(ask_size),
        }  # fmt: skip
        day: dict[str, object] = {
            "o": text(ticks.open), "h": text(ticks.high), "l": text(ticks.low),
            "v": text(ticks.volume), "q": text(ticks.volume * ticks.vwap),
        }  # fmt: skip
        if kind == "bookTicker":
            return {"u": now, "s": name, **top}
        if kind == "miniTicker":
            return {"e": "24hrMiniTicker", "E": now, "s": name, "c": text(ticks.last), **day}
        close = int(ticks.time * 1000)
        return {
            "e": "24hrTicker",
            "E": now,
            "s": name,
            "p": text(ticks.last - ticks.open),
            "P": f"{100 * (ticks.last / ticks.open - 1):.3f}",
            "w": text(ticks.vwap),
            "x": text(ticks.open),
            "c": text(ticks.last),
            "Q": text(min(bid_size, ask_size) / 10),
            **top,
            **day,
            "O": close - DAY_MS,
            "C": close,
            "F": 1_000_000,
            "L": 1_000_000 + ticks.trades,
            "n": ticks.trades,
        }

    def _tell(self, stream: str, event: object, listeners: list[Listener]) -> None:
        plain = dumps(event)
        for listener in listeners:
            listener.put(f'{{"stream":"{stream}","data":{plain}}}' if listener in self._combined else plain)

    def moved(self, books: list[Book]) -> None:
        now = self._ms()
        for stream, kind in ALL.items():
            if listeners := list(self.topics.of((stream, ""))):
                self._tell(stream, [self._event(kind, book, self.ticks(book), now) for book in books], listeners)
        for book in books:
            low = (book.base + book.quote).lower()
            for kind in KINDS:
                if listeners := list(self.topics.of((f"{low}@{kind}", ""))):
                    self._tell(f"{low}@{kind}", self._event(kind, book, self.ticks(book), now), listeners)
        self._fresh = [(stream, one) for stream, one in self._fresh if stream not in self._streams_of(books)]

    @staticmethod
    def _streams_of(books: list[Book]) -> set[str]:
        return {f"{(book.base + book.quote).lower()}@{kind}" for book in books for kind in KINDS}

    def each_second(self) -> None:
        """The first state of what was newly subscribed: a rolling window of 24 h moves every second, trade or none."""
        fresh, self._fresh = self._fresh, []
        now = self._ms()
        for stream, listener in fresh:
            name, _, kind = stream.partition("@")
            book = self._by_id.get(name.upper())
            if book is not None and book.active and kind in KINDS and listener in self.topics.of((stream, "")):
                self._tell(stream, self._event(kind, book, self.ticks(book), now), [listener])

    async def each_ping(self, socket: Socket) -> None:
        with contextlib.suppress(ConnectionError):
            while not socket.closed:
                await asyncio.sleep(self.ping_s)
                await socket.ping(str(self._ms()).encode())
