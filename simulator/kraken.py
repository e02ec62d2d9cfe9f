"""Kraken as it speaks: REST version 0 and websocket version 2, with its own names for old assets.

Invariant: numbers are JSON numbers on the socket and text over REST, every ticker message carries one symbol, and only
the newest 720 candles exist, whatever is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from simulator.fanout import Listener, dumps
from simulator.gateway import Reply, Request
from simulator.venue import Book, Prices, Ticks, VenueSite, number

CANDLES = 720
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
LEGACY = {
    "BTC": ("XXBT", "XBT"), "ETH": ("XETH", "ETH"), "DOGE": ("XXDG", "XDG"), "XRP": ("XXRP", "XRP"),
    "LTC": ("XLTC", "LTC"), "ETC": ("XETC", "ETC"), "XLM": ("XXLM", "XLM"), "XMR": ("XXMR", "XMR"),
    "ZEC": ("XZEC", "ZEC"), "USD": ("ZUSD", "USD"), "EUR": ("ZEUR", "EUR"),
}  # fmt: skip
"""Assets that keep the id and short name of Kraken's first years; all others are called what they are called."""


def asset(code: str) -> tuple[str, str]:
    """Kraken's id and short name of an asset: `BTC` → `XXBT`, `XBT`."""
    return LEGACY.get(code, (code, code))


def pair_id(book: Book) -> str:
    """The pair's key over REST: old assets against old money keep their prefixes, but for Dogecoin."""
    base_id, base = asset(book.base)
    quote_id, quote = asset(book.quote)
    if book.base == "DOGE" or base_id == base or quote_id == quote:
        keeps = book.base in ("USDT",) and quote_id != quote
        return base + (quote_id if keeps else quote)
    return base_id + quote_id


def stamp(at: float) -> str:
    """RFC 3339 with microseconds, as Kraken writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class KrakenSite(VenueSite):
    """api.kraken.com and ws.kraken.com."""

    name = "kraken"
    hosts = frozenset({"api.kraken.com", "ws.kraken.com"})

    def __init__(self, market: Prices) -> None:
        super().__init__(market)
        self._by_pair = {pair_id(book): book for book in self.books}
        self._by_any = {asset(b.base)[1] + asset(b.quote)[1]: key for key, b in self._by_pair.items()}
        self._by_any |= {key: key for key in self._by_pair}
        self._by_any |= {f"{asset(b.base)[1]}/{asset(b.quote)[1]}": key for key, b in self._by_pair.items()}
        self._by_symbol = {f"{book.base}/{book.quote}": book for book in self.books}
        self._calls: dict[str, Callable[[Request], Reply]] = {
            "AssetPairs": lambda _: self._result({key: self._pair(book) for key, book in self._by_pair.items()}),
            "Assets": lambda _: self._result(self._assets()),
            "Time": self._time,
            "SystemStatus": self._status,
            "Ticker": self._tickers,
            "OHLC": self._candles,
        }
        self._connections = 0

    def extra_books(self) -> list[Book]:
        """Stable coins in dollars, the euro, a few books in other money, and one that only lets orders be cancelled."""
        return [
            self.book("USDT", "USD"), self.book("USDC", "USD"), self.book("EUR", "USD"),
            self.book("BTC", "EUR"), self.book("ETH", "EUR"), self.book("ETH", "BTC"), self.book("BTC", "USDT"),
            self.book("ETH", "USDC", active=False),
        ]  # fmt: skip

    # --- REST

    def answer(self, request: Request) -> Reply:
        call = self._calls.get(request.path.removeprefix("/0/public/"))
        return call(request) if call else Reply.json({"error": ["EGeneral:Unknown method"]}, 404)

    def _time(self, _: Request) -> Reply:
        now = self.market.now()
        rfc = f"{datetime.fromtimestamp(now, UTC):%a, %d %b %y %H:%M:%S} +0000"
        return self._result({"unixtime": int(now), "rfc1123": rfc})

    def _status(self, _: Request) -> Reply:
        return self._result({"status": "online", "timestamp": stamp(self.market.now())[:19] + "Z"})

    @staticmethod
    def _result(value: object) -> Reply:
        return Reply.json({"error": [], "result": value})

    def _assets(self) -> dict[str, object]:
        codes = {code: None for book in self.books for code in (book.base, book.quote)}
        return {
            asset(code)[0]: {
                "aclass": "currency",
                "altname": asset(code)[1],
                "decimals": 4 if code in ("USD", "EUR") else 10,
                "display_decimals": 2 if code in ("USD", "EUR") else 5,
                "status": "enabled",
            }
            for code in codes
        }

    def _pair(self, book: Book) -> dict[str, object]:
        (base_id, base), (quote_id, quote) = asset(book.base), asset(book.quote)
        return {
            "altname": base + quote,
            "wsname": f"{base}/{quote}",
            "aclass_base": "currency",
            "base": base_id,
            "aclass_quote": "currency",
            "quote": quote_id,
            "lot": "unit",
            "cost_decimals": 5,
            "pair_decimals": book.decimals,
            "lot_decimals": 8,
            "lot_multiplier": 1,
            "leverage_buy": [2, 3, 4, 5] if book.base in ("BTC", "ETH") else [],
            "leverage_sell": [2, 3, 4, 5] if book.base in ("BTC", "ETH") else [],
            "fees": [[0, 0.4], [10000, 0.35], [50000, 0.24]],
            "fees_maker": [[0, 0.25], [10000, 0.2], [50000, 0.14]],
            "fee_volume_currency": "ZUSD",
            "margin_call": 80,
            "margin_stop": 40,
            "ordermin": "0.00005" if book.base == "BTC" else "1",
            "costmin": "0.5",
            "tick_size": f"{10.0**-book.decimals:.{book.decimals}f}",
            "status": "online" if book.active else "cancel_only",
        }

    def _tickers(self, request: Request) -> Reply:
        wanted = request.first("pair")
        result: dict[str, object] = {}
        for name in wanted.split(",") if wanted else self._by_pair:
            key = self._by_any.get(name)
            if key is None:
                return Reply.json({"error": ["EQuery:Unknown asset pair"]})
            result[key] = self._ticker(self._by_pair[key])
        return self._result(result)

    def _ticker(self, book: Book) -> dict[str, object]:
        ticks = self.ticks(book)
        digits = max(5, book.decimals)
        price = {
            name: f"{getattr(ticks, name):.{digits}f}" for name in ("ask", "bid", "last", "low", "high", "vwap", "open")
        }
        bid_size, ask_size = self.sizes(ticks)
        volume = f"{ticks.volume:.8f}"
        return {
            "a": [price["ask"], str(int(ask_size)), f"{ask_size:.3f}"],
            "b": [price["bid"], str(int(bid_size)), f"{bid_size:.3f}"],
            "c": [price["last"], f"{min(bid_size, ask_size) / 10:.8f}"],
            "v": [volume, volume],
            "p": [price["vwap"], price["vwap"]],
            "t": [ticks.trades, ticks.trades],
            "l": [price["low"], price["low"]],
            "h": [price["high"], price["high"]],
            "o": price["open"],
        }

    def _candles(self, request: Request) -> Reply:
        key = self._by_any.get(request.first("pair"))
        if key is None:
            return Reply.json({"error": ["EQuery:Unknown asset pair"]})
        minutes = number(request, "interval") or 1
        if minutes not in INTERVALS:
            return Reply.json({"error": ["EGeneral:Invalid arguments"]})
        book = self._by_pair[key]
        step = minutes * 60
        now = self.market.now()
        first = int(now // step) * step - (CANDLES - 1) * step
        candles = self.candles(book, step, max(first, (number(request, "since") or 0) + 1), int(now) + 1)
        digits = max(5, book.decimals)
        rows = [
            [
                bar.time,
                *(f"{value:.{digits}f}" for value in (bar.open, bar.high, bar.low, bar.close)),
                f"{(bar.high + bar.low + bar.close) / 3 if bar.trades else 0:.{digits}f}",
                f"{bar.volume:.8f}",
                bar.trades,
            ]
            for bar in candles
        ]
        return self._result({key: rows, "last": candles[-2].time if len(candles) > 1 else 0})

    # --- websocket

    def opened(self, request: Request, listener: Listener) -> bool:
        if not request.path.startswith("/v2"):
            return False
        self._connections += 1
        status = {
            "version": "2.0.10",
            "system": "online",
            "api_version": "v2",
            "connection_id": 8_423_536_080_466_635_000 + self._connections,
        }
        listener.put(dumps({"channel": "status", "type": "update", "data": [status]}))
        return True

    def heard(self, text: str, listener: Listener) -> None:
        arrived = stamp(self.market.now())
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            answer = {"error": "Malformed request", "method": "error", "success": False}
            self._answer(listener, answer, arrived, None)
            return
        asked = message.get("req_id")
        match message.get("method"):
            case "ping":
                self._answer(listener, {"method": "pong"}, arrived, asked)
            case "subscribe" | "unsubscribe" as method:
                params = message.get("params") or {}
                for symbol in params.get("symbol") or []:
                    self._subscribe(listener, method, params, str(symbol), arrived, asked)
            case method:
                answer = {"error": "Unsupported method", "method": str(method), "success": False}
                self._answer(listener, answer, arrived, asked)

    def _answer(self, listener: Listener, answer: dict[str, object], arrived: str, asked: object) -> None:
        if asked is not None:
            answer["req_id"] = asked
        answer |= {"time_in": arrived, "time_out": stamp(self.market.now())}
        listener.put(dumps(answer))
        listener.seen += 1  # an answer is no update: the heart beats all the same

    def _subscribe(
        self, listener: Listener, method: str, params: dict[str, object], symbol: str, arrived: str, asked: object
    ) -> None:
        channel = str(params.get("channel"))
        book = self._by_symbol.get(symbol)
        error = None
        if channel != "ticker":
            error = f"Subscription name invalid {channel}"
        elif book is None:
            error = f"Currency pair not supported {symbol}"
        elif method == "subscribe" and not self.topics.add(("ticker", symbol), listener):
            error = "Already subscribed"
        elif method == "unsubscribe" and not self.topics.remove(("ticker", symbol), listener):
            error = "Subscription Not Found"
        if error is not None or book is None:
            refusal: dict[str, object] = {"error": error, "method": method, "success": False, "symbol": symbol}
            self._answer(listener, refusal, arrived, asked)
            return
        result: dict[str, object] = {"channel": "ticker", "symbol": symbol}
        if method == "subscribe":
            result |= {"event_trigger": params.get("event_trigger", "trades"), "snapshot": params.get("snapshot", True)}
        self._answer(listener, {"method": method, "result": result, "success": True}, arrived, asked)
        if method == "subscribe" and params.get("snapshot", True):
            listener.put(self._message(book, "snapshot"))

    def _message(self, book: Book, kind: str) -> str:
        ticks = self.ticks(book)
        return dumps({"channel": "ticker", "type": kind, "data": [self._data(book, ticks)]})

    def _data(self, book: Book, ticks: Ticks) -> dict[str, object]:
        bid_size, ask_size = self.sizes(ticks)
        digits = book.decimals
        last, opened = round(ticks.last, digits), round(ticks.open, digits)
        return {
            "symbol": f"{book.base}/{book.quote}",
            "bid": round(ticks.bid, digits),
            "bid_qty": round(bid_size, 8),
            "ask": round(ticks.ask, digits),
            "ask_qty": round(ask_size, 8),
            "last": last,
            "volume": round(ticks.volume, 8),
            "vwap": round(ticks.vwap, digits),
            "low": round(ticks.low, digits),
            "high": round(ticks.high, digits),
            "change": round(last - opened, digits),
            "change_pct": round(100 * (last - opened) / opened, 2),
            "trades": ticks.trades,
            "timestamp": stamp(ticks.time),
        }

    def moved(self, books: list[Book]) -> None:
        for book in books:
            listeners = self.topics.of(("ticker", f"{book.base}/{book.quote}"))
            if listeners:
                text = self._message(book, "update")
                for listener in list(listeners):
                    listener.put(text)

    def each_second(self) -> None:
        """A heartbeat to every subscriber that heard nothing else for a second."""
        for listener in self.listeners:
            if listener.sent == listener.seen and self.topics.keys_of(listener):
                listener.put('{"channel":"heartbeat"}')
            listener.seen = listener.sent
