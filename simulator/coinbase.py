"""Coinbase Advanced Trade as it speaks: public REST version 3, the older currency lists, and its market data socket.

Invariant: numbers are text without trailing zeros, every message of a connection carries the next sequence number, and
the USDC product of a coin is an alias of its USD product: one book, shown twice over REST and once on the socket.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

import orjson

from simulator.fanout import Listener, dumps
from simulator.gateway import Reply, Request
from simulator.venue import Book, Prices, Ticks, VenueSite, number, trimmed

MOST_CANDLES = 350
GRANULARITY = {
    "ONE_MINUTE": 60, "FIVE_MINUTE": 300, "FIFTEEN_MINUTE": 900, "THIRTY_MINUTE": 1800, "ONE_HOUR": 3600,
    "TWO_HOUR": 7200, "FOUR_HOUR": 14400, "SIX_HOUR": 21600, "ONE_DAY": 86400,
}  # fmt: skip
BATCH_S = 5.0
"""Seconds between two messages of `ticker_batch`."""
CHANNELS = ("ticker", "ticker_batch")
PRODUCTS = "/api/v3/brokerage/market/products"
NAMES = {"USD": "US Dollar", "USDC": "USDC", "USDT": "Tether", "EUR": "Euro", "BTC": "Bitcoin", "ETH": "Ethereum"}


def stamp(at: float) -> str:
    """RFC 3339 with nanoseconds, as Coinbase writes it."""
    whole = math.floor(at)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{int((at - whole) * 1e9):09d}Z"


def refusal(kind: str, message: str, status: int) -> Reply:
    """An error answer of the brokerage service."""
    return Reply.json({"error": kind, "error_details": message, "message": message}, status)


class CoinbaseSite(VenueSite):
    """api.coinbase.com and advanced-trade-ws.coinbase.com."""

    name = "coinbase"
    hosts = frozenset({"api.coinbase.com", "advanced-trade-ws.coinbase.com"})
    cadence: ClassVar[float] = 0.25

    def __init__(self, market: Prices) -> None:
        super().__init__(market)
        self._by_id = {f"{book.base}-{book.quote}": book for book in self.books}
        self._aliases = {
            f"{b.base}-USDC": Book(b.base, "USDC", b.decimals, main=True)
            for b in self.books
            if b.main and b.active and b.quote == "USD" and b.base not in ("USDT", "USDC")
        }
        self._by_id |= self._aliases
        self._calls: dict[str, Callable[[], object]] = {
            "/v2/currencies": self._currencies,
            "/v2/currencies/crypto": lambda: {"data": [self._coin(i, code) for i, code in enumerate(self._coins())]},
            "/v2/exchange-rates": lambda: {"data": {"currency": "USD", "rates": self._rates()}},
            "/v2/time": self._old_time,
            "/api/v3/brokerage/time": self._time,
        }
        self._batch: dict[str, Book] = {}
        self._batch_due = 0.0
        self._heartbeats = 0
        self._year: dict[tuple[str, int], tuple[float, float]] = {}

    def extra_books(self) -> list[Book]:
        """Coins in euro and in BTC, a stable coin against the other, and a closed book."""
        return [
            self.book("BTC", "EUR"), self.book("ETH", "EUR"), self.book("ETH", "BTC"), self.book("BTC", "USDT"),
            self.book("DOGE", "EUR", active=False),
        ]  # fmt: skip

    # --- REST

    def answer(self, request: Request) -> Reply:
        path = request.path.rstrip("/")
        if path == PRODUCTS:
            return self._products(request)
        if path.startswith(PRODUCTS + "/"):
            return self._product_call(request, path.removeprefix(PRODUCTS + "/"))
        call = self._calls.get(path)
        return (
            Reply.json(call()) if call else Reply.json({"errors": [{"id": "not_found", "message": "Not found"}]}, 404)
        )

    @staticmethod
    def _currencies() -> dict[str, object]:
        fiat = [("USD", "United States Dollar"), ("EUR", "Euro"), ("GBP", "British Pound")]
        return {"data": [{"id": code, "name": name, "min_size": "0.01"} for code, name in fiat]}

    def _time(self) -> dict[str, object]:
        now = self.market.now()
        iso = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {"iso": iso, "epochSeconds": str(int(now)), "epochMillis": str(int(now * 1000))}

    def _old_time(self) -> dict[str, object]:
        time = self._time()
        return {"data": {"iso": time["iso"], "epoch": int(self.market.now())}}

    def _coins(self) -> list[str]:
        return list(dict.fromkeys(book.base for book in self.books if book.base != "EUR"))

    @staticmethod
    def _coin(index: int, code: str) -> dict[str, object]:
        return {
            "asset_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, code)),
            "code": code,
            "name": NAMES.get(code, code.title()),
            "color": "#0433FF",
            "sort_index": 100 + index,
            "exponent": 8,
            "type": "crypto",
            "address_regex": "^(?:0x)?[0-9a-fA-F]{40}$",
        }

    def _rates(self) -> dict[str, str]:
        rates = {"USD": "1.0", "EUR": trimmed(1 / self.market.fx("EUR"), 6)}
        for book in self.books:
            if book.quote == "USD" and book.active:
                rates[book.base] = trimmed(1 / self.ticks(book).last, 10)
        return rates

    def _products(self, request: Request) -> Reply:
        kind = request.first("product_type")
        if kind == "FUTURE":
            products = [self._future()]
        else:
            wanted = request.query.get("product_ids")
            products = [
                self._product(name, book) for name, book in self._by_id.items() if wanted is None or name in wanted
            ]
        return Reply.json({"products": products, "num_products": len(products)})

    def _product(self, name: str, book: Book) -> dict[str, object]:
        ticks = self.ticks(book)
        alias = f"{book.base}-USD" if name in self._aliases else ""
        twin = f"{book.base}-USDC"
        has_twin = book.quote == "USD" and twin in self._aliases
        increment = f"{10.0**-book.decimals:.{book.decimals}f}"
        return {
            "product_id": name,
            "price": trimmed(ticks.last, book.decimals),
            "price_percentage_change_24h": trimmed(100 * (ticks.last / ticks.open - 1), 14),
            "volume_24h": trimmed(ticks.volume, 8),
            "volume_percentage_change_24h": "4.21",
            "base_increment": "0.00000001",
            "quote_increment": increment,
            "quote_min_size": "1",
            "quote_max_size": "150000000",
            "base_min_size": "0.00000001",
            "base_max_size": "3400",
            "base_name": NAMES.get(book.base, book.base.title()),
            "quote_name": NAMES.get(book.quote, book.quote),
            "watched": False,
            "is_disabled": not book.active,
            "new": False,
            "status": "online" if book.active else "delisted",
            "cancel_only": False,
            "limit_only": False,
            "post_only": False,
            "trading_disabled": not book.active,
            "auction_mode": False,
            "product_type": "SPOT",
            "quote_currency_id": book.quote,
            "base_currency_id": book.base,
            "fcm_trading_session_details": None,
            "mid_market_price": "",
            "alias": alias,
            "alias_to": [twin] if has_twin else [],
            "base_display_symbol": book.base,
            "quote_display_symbol": "USD" if alias else book.quote,
            "view_only": not book.active,
            "price_increment": increment,
            "display_name": name,
            "product_venue": "CBE",
            "approximate_quote_24h_volume": trimmed(ticks.volume * ticks.last, 2),
            "new_at": "2023-01-01T00:00:00Z",
        }

    def _future(self) -> dict[str, object]:
        """A dated contract: a market that is no spot book."""
        price = trimmed(self.market.ticker(self.name, self._first()).last * 1.004, 0)
        return {
            "product_id": "BIT-27MAR26-CDE",
            "price": price,
            "price_percentage_change_24h": "0.4",
            "volume_24h": "48211",
            "base_increment": "1",
            "quote_increment": "5",
            "base_min_size": "1",
            "base_max_size": "10000000",
            "is_disabled": False,
            "status": "",
            "trading_disabled": False,
            "product_type": "FUTURE",
            "quote_currency_id": "USD",
            "base_currency_id": "",
            "display_name": "BTC 27 MAR 26",
            "price_increment": "5",
            "future_product_details": {
                "venue": "cde",
                "contract_code": "BIT",
                "contract_expiry": "2026-03-27T15:00:00Z",
                "contract_size": "0.01",
                "contract_root_unit": "BTC",
                "contract_expiry_type": "EXPIRING",
            },
        }

    def _first(self) -> str:
        return "BTC" if "BTC" in self._bases else next(iter(self._bases))

    def _product_call(self, request: Request, tail: str) -> Reply:
        name, _, call = tail.partition("/")
        book = self._by_id.get(name)
        if book is None:
            return refusal("NOT_FOUND", "valid product_id is required", 404)
        if call == "candles":
            return self._candles(request, book)
        if call == "ticker":
            return Reply.json(self._trade(name, book))
        return Reply.json(self._product(name, book))

    def _trade(self, name: str, book: Book) -> dict[str, object]:
        ticks = self.ticks(book)
        trade = {
            "trade_id": str(1_000_000 + ticks.trades),
            "product_id": name,
            "price": trimmed(ticks.last, book.decimals),
            "size": trimmed(min(self.sizes(ticks)) / 10, 8),
            "time": stamp(ticks.time)[:26] + "Z",
            "side": "BUY",
            "exchange": "coinbase",
        }
        best = {"best_bid": trimmed(ticks.bid, book.decimals), "best_ask": trimmed(ticks.ask, book.decimals)}
        return {"trades": [trade], **best}

    def _candles(self, request: Request, book: Book) -> Reply:
        step = GRANULARITY.get(request.first("granularity"))
        start, end = number(request, "start"), number(request, "end")
        if step is None:
            return refusal("INVALID_ARGUMENT", "granularity argument is invalid", 400)
        if start is None or end is None or end < start:
            return refusal("INVALID_ARGUMENT", "start and end argument is invalid", 400)
        if (end - start) / step > MOST_CANDLES:
            too_many = f"number of candles requested should be less than {MOST_CANDLES}"
            return refusal("INVALID_ARGUMENT", f"start and end argument is invalid - {too_many}", 400)
        limit = number(request, "limit") or MOST_CANDLES
        bars = self.candles(book, step, start, min(end, int(self.market.now())) + 1)
        rows = [
            {
                "start": str(bar.time),
                "low": trimmed(bar.low, book.decimals),
                "high": trimmed(bar.high, book.decimals),
                "open": trimmed(bar.open, book.decimals),
                "close": trimmed(bar.close, book.decimals),
                "volume": trimmed(bar.volume, 8),
            }
            for bar in reversed(bars)
        ]
        return Reply.json({"candles": rows[:limit]})

    # --- websocket

    def opened(self, request: Request, listener: Listener) -> bool:
        return request.host.startswith("advanced-trade-ws") and request.path == "/"

    def _say(self, listener: Listener, head: str, tail: str) -> None:
        listener.put(f"{head}{listener.sent}{tail}")

    def _parts(self, channel: str, events: object) -> tuple[str, str]:
        """A message with a hole for the sequence number, so that it is serialised once for all."""
        head = f'{{"channel":"{channel}","client_id":"","timestamp":"{stamp(self.market.now())}","sequence_num":'
        return head, f',"events":{dumps(events)}}}'

    def heard(self, text: str, listener: Listener) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or message.get("type") not in ("subscribe", "unsubscribe"):
            listener.put(dumps({"type": "error", "message": "failure to parse message"}))
            return
        channel, names = str(message.get("channel")), message.get("product_ids") or []
        if channel not in (*CHANNELS, "heartbeats"):
            listener.put(dumps({"type": "error", "message": f"channel {channel} is not supported"}))
            return
        books: dict[str, Book] = {}
        for name in map(str, names if channel != "heartbeats" else ()):
            book = self._by_id.get(name)
            if book is None or not book.active:
                wrong = {"type": "error", "message": "Failed to subscribe", "reason": f"{name} is not a valid product"}
                listener.put(dumps(wrong))
                return
            books[f"{book.base}-USD" if name in self._aliases else name] = book
        change = self.topics.add if message["type"] == "subscribe" else self.topics.remove
        for name in books if channel != "heartbeats" else ("",):
            change((channel, name), listener)
        if message["type"] == "subscribe" and books:
            tickers = [self._ticker(name, book) for name, book in books.items()]
            self._say(listener, *self._parts(channel, [{"type": "snapshot", "tickers": tickers}]))
        self._say(listener, *self._parts("subscriptions", [{"subscriptions": self._subscriptions(listener)}]))

    def _subscriptions(self, listener: Listener) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        for channel, name in self.topics.keys_of(listener):
            result.setdefault(channel, []).append(name or "heartbeats")
        return result

    def _ticker(self, name: str, book: Book) -> dict[str, object]:
        ticks = self.ticks(book)
        low, high = self._extremes(book, ticks)
        bid_size, ask_size = self.sizes(ticks)
        digits = book.decimals
        return {
            "type": "ticker",
            "product_id": name,
            "price": trimmed(ticks.last, digits),
            "volume_24_h": trimmed(ticks.volume, 8),
            "low_24_h": trimmed(ticks.low, digits),
            "high_24_h": trimmed(ticks.high, digits),
            "low_52_w": trimmed(low, digits),
            "high_52_w": trimmed(high, digits),
            "price_percent_chg_24_h": trimmed(100 * (ticks.last / ticks.open - 1), 14),
            "best_bid": trimmed(ticks.bid, digits),
            "best_ask": trimmed(ticks.ask, digits),
            "best_bid_quantity": trimmed(bid_size, 8),
            "best_ask_quantity": trimmed(ask_size, 8),
        }

    def _extremes(self, book: Book, ticks: Ticks) -> tuple[float, float]:
        """Low and high of 52 weeks; the daily candles are looked through once a day."""
        day = int(self.market.now()) // 86400
        key = (f"{book.base}-{book.quote}", day)
        if key not in self._year:
            self._year = {known: value for known, value in self._year.items() if known[1] == day}
            bars = self.candles(book, 86400, (day - 364) * 86400, day * 86400 + 1)
            lows, highs = [bar.low for bar in bars], [bar.high for bar in bars]
            self._year[key] = (min(lows, default=ticks.low), max(highs, default=ticks.high))
        low, high = self._year[key]
        return min(low, ticks.low), max(high, ticks.high)

    def moved(self, books: list[Book]) -> None:
        for book in books:
            name = f"{book.base}-{book.quote}"
            self._batch[name] = book
            self._tell("ticker", name, book)
        now = self.market.now()
        if now >= self._batch_due:
            self._batch_due = now + BATCH_S
            batch, self._batch = self._batch, {}
            for name, book in batch.items():
                self._tell("ticker_batch", name, book)

    def _tell(self, channel: str, name: str, book: Book) -> None:
        listeners = list(self.topics.of((channel, name)))
        if listeners:
            head, tail = self._parts(channel, [{"type": "update", "tickers": [self._ticker(name, book)]}])
            for listener in listeners:
                self._say(listener, head, tail)

    def each_second(self) -> None:
        """The heartbeat of those who asked for it."""
        listeners = list(self.topics.of(("heartbeats", "")))
        if listeners:
            self._heartbeats += 1
            now = datetime.fromtimestamp(self.market.now(), UTC)
            event = {"current_time": f"{now:%Y-%m-%d %H:%M:%S.%f} +0000 UTC", "heartbeat_counter": self._heartbeats}
            head, tail = self._parts("heartbeats", [event])
            for listener in listeners:
                self._say(listener, head, tail)
