"""A Yahoo of the test's own, served by the gateway: its answers, its refusals and its stream are what the test says."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simulator.gateway import Reply, Request, Socket

NEW_YORK = "America/New_York"


def html(text: str, status: int = 200) -> Reply:
    return Reply(status, f"<!DOCTYPE html><html><body>{text}</body></html>".encode(), content_type="text/html")


class YahooSite:
    """Crumb and cookie as Yahoo has them; the rest is set by the test."""

    hosts = frozenset(
        {
            "query1.finance.yahoo.com",
            "query2.finance.yahoo.com",
            "fc.yahoo.com",
            "guce.yahoo.com",
            "consent.yahoo.com",
            "streamer.finance.yahoo.com",
        }
    )

    def __init__(self) -> None:
        self.crumb = "first"
        self.rows: dict[str, Mapping[str, Any]] = {}
        self.charts: dict[str, Callable[[Request], Reply]] = {}
        self.said: deque[Reply] = deque()
        """Answers to the next requests about quotes, before the rows are served again."""
        self.crumb_said: deque[Reply] = deque()
        self.consent: Reply = html("nothing here", 404)
        self.requests: list[Request] = []
        self.sockets: list[Socket] = []
        self.subscriptions: list[list[str]] = []
        self.greeting: list[str] = []
        """Messages sent to whoever has subscribed."""

    async def http(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.host == "fc.yahoo.com":
            cookie = "A3=d=x; Expires=Thu, 31 Dec 2099 00:00:00 GMT; Domain=.yahoo.com; Path=/; Secure"
            return Reply(404, b"", {"Set-Cookie": cookie}, "text/html")
        if request.host.startswith(("guce", "consent")):
            return self.consent
        if request.path.endswith("/getcrumb"):
            return self.crumb_said.popleft() if self.crumb_said else Reply(200, self.crumb.encode(), {}, "text/plain")
        if request.path.endswith("/v7/finance/quote"):
            return self._quote(request)
        chart = self.charts.get(request.path.rpartition("/")[2])
        return chart(request) if chart is not None else unknown_symbol()

    def _quote(self, request: Request) -> Reply:
        if self.said:
            return self.said.popleft()
        if request.first("crumb") != self.crumb:
            error = {"code": "Unauthorized", "description": "Invalid Crumb"}
            return Reply.json({"finance": {"result": None, "error": error}}, 401)
        asked = request.first("symbols").split(",")
        return Reply.json(quote_answer([self.rows[symbol] for symbol in asked if symbol in self.rows]))

    async def socket(self, request: Request, socket: Socket) -> None:
        self.requests.append(request)
        self.sockets.append(socket)
        async for text in socket:
            self.subscriptions.append(json.loads(text)["subscribe"])
            for message in self.greeting:
                await socket.send(message)

    async def run(self) -> None:
        await asyncio.Event().wait()

    def asked(self, path: str) -> list[Request]:
        """The requests so far whose path ends with `path`."""
        return [request for request in self.requests if request.path.endswith(path)]


def quote_answer(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"quoteResponse": {"result": list(rows), "error": None}}


def unknown_symbol() -> Reply:
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    return Reply.json({"chart": {"result": None, "error": error}}, 404)


def chart_answer(
    symbol: str,
    bars: Iterable[Sequence[float | None]],
    *,
    kind: str = "ETF",
    interval: str = "1d",
    events: Mapping[str, Any] | None = None,
    zone: str = NEW_YORK,
    currency: str = "USD",
    adjusted: Sequence[float] | None = None,
) -> dict[str, Any]:
    """A v8 chart: `bars` are (epoch seconds of the open, open, high, low, close, volume), ascending."""
    rows = list(bars)
    columns = {name: [row[i] for row in rows] for i, name in enumerate(("open", "high", "low", "close", "volume"), 1)}
    days = sorted({int(row[0] or 0) // 86400 for row in rows})
    period = [{"timezone": "EST", "start": d * 86400, "end": (d + 1) * 86400, "gmtoffset": -18000} for d in days]
    meta: dict[str, Any] = {
        "currency": currency,
        "symbol": symbol,
        "instrumentType": kind,
        "exchangeTimezoneName": zone,
        "timezone": "EST",
        "gmtoffset": -18000,
        "priceHint": 2,
        "dataGranularity": interval,
        "range": "",
        "validRanges": ["1d", "5d", "max"],
        "currentTradingPeriod": {name: dict(period[-1]) for name in ("pre", "regular", "post")} if period else {},
    }
    if interval != "1d":
        meta["tradingPeriods"] = [[p] for p in period]
    result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [columns if rows else {}]}}
    if rows:
        result["timestamp"] = [row[0] for row in rows]
        if interval == "1d":
            closes = columns["close"] if adjusted is None else list(adjusted)
            result["indicators"]["adjclose"] = [{"adjclose": closes}]
    if events:
        result["events"] = events
    return {"chart": {"result": [result], "error": None}}


def pricing(**fields: Any) -> str:
    """A streamer's message with these fields of yfinance's PricingData."""
    from yfinance.pricing_pb2 import PricingData

    packed = base64.b64encode(PricingData(**fields).SerializeToString()).decode()
    return json.dumps({"type": "pricing", "message": packed})
