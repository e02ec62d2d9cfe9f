"""Yahoo Finance as a site: cookie and crumb, quotes, charts and the streamer, with the refusals that the real one has.

A quote without the cookie and its crumb is refused, a range that Yahoo would not serve is refused in its words, and the
streamer speaks only of what a client subscribed to, when it moves.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import orjson

from simulator.funds import fund_days
from simulator.gateway import Reply, Request, Socket
from simulator.market import Market
from simulator.paths import generator
from simulator.sessions import DAY, local
from simulator.yahoo_wire import INTERVALS, chart, pricing, quote_row

_CRUMB: Final = "siMuLateD.9z"
_COOKIE: Final = "d=AQABBSimulated&S=AQAAAnot-a-real-cookie"
_COOKIE_ENDS: Final = 4_102_444_800
"""In the year 2100: good whatever the clock says."""
_LIMITS: Final = {60: 30, 120: 60, 300: 60, 900: 60, 1800: 60, 5400: 60, 3600: 730}
"""Interval in seconds → days back that Yahoo keeps it."""
_MINUTES_AT_ONCE: Final = 8
"""Days of 1-minute bars in one request."""
_SPAN: Final = re.compile(r"(\d+)(d|wk|mo|y)")
_SPAN_DAYS: Final = {"d": 1, "wk": 7, "mo": 31, "y": 366}
_SYMBOLS_A_SOCKET: Final = 100
"""What a client asks beyond this is dropped in silence, as Yahoo does."""
_TICKS_PER_S: Final = 12.0
_BEAT_S: Final = 0.25
_SLOTS: Final = 1021
_PATIENCE_S: Final = 2.0


class YahooSite:
    """Yahoo's hosts on the simulated market."""

    hosts = frozenset(
        {
            "query1.finance.yahoo.com",
            "query2.finance.yahoo.com",
            "fc.yahoo.com",
            "finance.yahoo.com",
            "streamer.finance.yahoo.com",
        }
    )

    def __init__(self, market: Market) -> None:
        self._market = market
        self._listeners: dict[Socket, tuple[dict[str, None], bool]] = {}
        """Symbols of each open socket, and whether it wants the JSON envelope."""
        self._cycle = self._ticks()

    def _ticks(self) -> list[str]:
        securities = self._market.scenario.securities
        if not securities:
            return []
        weight = np.array([max(each.volume * each.price, 2e8) for each in securities.values()]) ** 0.3
        random = generator(self._market.scenario.seed, "yahoo", "ticks")
        names = list(securities)
        return [names[pick] for pick in random.choice(len(names), _SLOTS, p=weight / weight.sum())]

    # --- HTTP

    async def http(self, request: Request) -> Reply:
        path = request.path
        if request.host == "fc.yahoo.com":
            return _cookie()
        if path == "/v1/test/getcrumb":
            return Reply(body=_CRUMB.encode(), content_type="text/plain") if _known(request) else _stranger("Cookie")
        if path.startswith("/v8/finance/chart/"):
            return self._chart(request, path.rpartition("/")[2])
        return self._with_crumb(request) if _known(request) and request.first("crumb") == _CRUMB else _stranger("Crumb")

    def _with_crumb(self, request: Request) -> Reply:
        """What Yahoo answers only to those who bear its cookie and the crumb that goes with it."""
        if request.path == "/v7/finance/quote":
            return self._quote(request)
        if request.path.startswith("/v10/finance/quoteSummary/"):
            return self._summary(request, request.path.rpartition("/")[2])
        if request.path == "/v1/finance/search":
            return self._search(request)
        error = _error("Not Found", f"No such path: {request.path}")
        return Reply.json({"finance": {"result": None, "error": error}}, 404)

    def _quote(self, request: Request) -> Reply:
        now = self._market.now()
        wanted = dict.fromkeys(symbol for text in request.query.get("symbols", ()) for symbol in text.split(","))
        known = [found for symbol in wanted if (found := self._market.security(symbol)) is not None]
        rows = [quote_row(self._market, security, now) for security in known]
        return Reply.json({"quoteResponse": {"result": rows, "error": None}})

    def _summary(self, request: Request, symbol: str) -> Reply:
        security = self._market.security(symbol)
        if security is None:
            error = _error("Not Found", f"Quote not found for symbol: {symbol}")
            return Reply.json({"quoteSummary": {"result": None, "error": error}}, 404)
        row = quote_row(self._market, security, self._market.now())
        modules = request.first("modules").split(",")
        shown = {"maxAge": 1, "symbol": symbol, **{name: row[name] for name in ("quoteType", "exchange", "shortName")}}
        shown |= {"timeZoneFullName": "America/New_York", "previousClose": row["regularMarketPreviousClose"]}
        detail = shown | _assets(self._market, symbol)
        parts = {"price": {**row, **shown}, "summaryDetail": detail}
        result = [{module: parts.get(module, shown) for module in modules if module}]
        return Reply.json({"quoteSummary": {"result": result, "error": None}})

    def _search(self, request: Request) -> Reply:
        text = request.first("q").lower()
        found = [
            {
                "symbol": each.symbol,
                "shortname": each.name,
                "longname": each.name,
                "exchange": each.exchange,
                "quoteType": each.kind.upper(),
                "isYahooFinance": True,
            }
            for each in self._market.scenario.securities.values()
            if text and (text in each.symbol.lower() or text in each.name.lower())
        ]
        return Reply.json({"count": len(found), "quotes": found[:8], "news": []})

    def _chart(self, request: Request, symbol: str) -> Reply:
        security, now = self._market.security(symbol), self._market.now()
        if security is None:
            return _refused("Not Found", "No data found, symbol may be delisted", 404)
        interval = request.first("interval", "1d")
        if interval not in INTERVALS:
            known = ", ".join(INTERVALS)
            return _refused(
                "Bad Request", f"Invalid input - interval={interval} is not supported. Valid: [{known}]", 422
            )
        span = request.first("range")
        start, end = self._between(request, span, now)
        if start is None:
            return _refused("Bad Request", f"Invalid input - range={span} is not supported", 422)
        if (reason := _beyond(interval, start, end, now)) is not None:
            return _refused("Unprocessable Entity", reason, 422)
        result = chart(self._market, security, interval, start, end, span, now)
        return Reply.json({"chart": {"result": [result], "error": None}})

    def _between(self, request: Request, span: str, now: float) -> tuple[float | None, float]:
        """First and last moment that a request asks for; None where its range is nonsense."""
        first, last = request.first("period1"), request.first("period2")
        if first or last:
            return float(first or 0), float(last or now + 1)
        grid = self._market.sessions
        if span == "max":
            return 0.0, now + 1
        if span == "ytd":
            return float(local(datetime.fromtimestamp(now, UTC).date().replace(month=1, day=1), 0)), now + 1
        match = _SPAN.fullmatch(span or "1mo")
        if match is None:
            return None, now
        count, unit = int(match[1]), match[2]
        if unit == "d":
            return float(grid.opens[max(grid.index(now) - count + 1, 0)]), now + 1
        return now - count * _SPAN_DAYS[unit] * DAY, now + 1

    # --- streamer

    async def socket(self, request: Request, socket: Socket) -> None:
        wanted: dict[str, None] = {}
        envelope = request.first("version") == "2"
        self._listeners[socket] = (wanted, envelope)
        try:
            async for text in socket:
                message = _subscription(text)
                if message is None:
                    return
                asked = [symbol for symbol in message.get("subscribe", ()) if symbol not in wanted]
                for symbol in asked[: _SYMBOLS_A_SOCKET - len(wanted)]:
                    wanted[symbol] = None
                    await self._tell(socket, symbol, envelope)
                for symbol in message.get("unsubscribe", ()):
                    wanted.pop(symbol, None)
        finally:
            del self._listeners[socket]

    async def _tell(self, socket: Socket, symbol: str, envelope: bool) -> None:
        security = self._market.security(symbol)
        if security is not None:
            await socket.send(_wrapped(pricing(security, self._market.equity_quote(symbol)), envelope))

    async def run(self) -> None:
        """Tell each listener of the symbols that moved since the last look."""
        seen = self._market.now()
        while True:
            await asyncio.sleep(_BEAT_S)
            now = self._market.now()
            moved = self._moved(seen, now) if self._listeners else {}
            seen = now
            for symbol in moved:
                listeners = [(each, sort) for each, (wanted, sort) in self._listeners.items() if symbol in wanted]
                security = self._market.security(symbol)
                if not listeners or security is None or not self._market.trades(symbol, now):
                    continue
                message = pricing(security, self._market.equity_quote(symbol, now))
                await asyncio.gather(*(_send(each, _wrapped(message, sort)) for each, sort in listeners))

    def _moved(self, since: float, until: float) -> dict[str, None]:
        first, last = int(max(since, until - 5) * _TICKS_PER_S) + 1, int(until * _TICKS_PER_S) + 1
        return {self._cycle[slot % _SLOTS]: None for slot in range(first, last)} if self._cycle else {}


def _assets(market: Market, symbol: str) -> dict[str, Any]:
    """What Yahoo says of a fund's assets: they stand still for a week at a time while NAV moves on."""
    days = fund_days(market, symbol)
    if not days:
        return {}
    frozen = days[max(0, len(days) - 1 - len(days) % 5)]
    return {"totalAssets": int(frozen.aum), "navPrice": days[-1].nav}


def _known(request: Request) -> bool:
    return f"A3={_COOKIE}" in request.headers.get("cookie", "")


def _error(code: str, description: str) -> dict[str, str]:
    return {"code": code, "description": description}


def _cookie() -> Reply:
    """Where every visit to Yahoo begins: an error page that sets the cookie."""
    expires = datetime.fromtimestamp(_COOKIE_ENDS, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    cookie = f"A3={_COOKIE}; Expires={expires}; Domain=.yahoo.com; Path=/; SameSite=None; Secure; HttpOnly"
    return Reply(404, b"", {"Set-Cookie": cookie}, "text/html")


def _stranger(what: str) -> Reply:
    return Reply.json({"finance": {"result": None, "error": _error("Unauthorized", f"Invalid {what}")}}, 401)


def _refused(code: str, description: str, status: int) -> Reply:
    return Reply.json({"chart": {"result": None, "error": _error(code, description)}}, status)


def _beyond(interval: str, start: float, end: float, now: float) -> str | None:
    """Why Yahoo does not keep this, in its words; None where it does."""
    days = _LIMITS.get(INTERVALS[interval])
    if days is None:
        return None
    where = f"{interval} data not available for startTime={int(start)} and endTime={int(end)}."
    if interval == "1m" and end - start > _MINUTES_AT_ONCE * DAY + 3600:
        return (
            f"{where} Only {_MINUTES_AT_ONCE} days worth of 1m granularity data are allowed to be fetched per request."
        )
    if start < now - days * DAY - 3600:
        return f"{where} The requested range must be within the last {days} days."
    return None


async def _send(socket: Socket, message: str) -> None:
    """Send, but never wait for a client that does not read: it is closed instead."""
    try:
        await asyncio.wait_for(socket.send(message), _PATIENCE_S)
    except TimeoutError:
        await socket.close(1008, "too slow")


def _subscription(text: str) -> dict[str, Any] | None:
    """A client's message; None where it is none, upon which Yahoo hangs up."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    lists = isinstance(message, dict) and all(isinstance(value, list) for value in message.values())
    return message if lists else None


def _wrapped(message: str, envelope: bool) -> str:
    return orjson.dumps({"type": "pricing", "message": message}).decode() if envelope else message
