"""What the recorded raw messages say of each ticker, read without the library that is under test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple


class Tick(NamedTuple):
    """What one recorded ticker says."""

    venue_symbol: str
    last: float
    bid: float
    ask: float
    high: float | None
    low: float | None
    volume: float | None
    event_time: float | None


def _numbers(raw: dict[str, Any], *names: str) -> tuple[float, float, float, float | None, float | None, float | None]:
    """Last, bid, ask, high, low and volume by their names in a raw message; the last three may be unnamed."""
    last, bid, ask, *more = (float(raw[name]) for name in names)
    high, low, volume = more or (None, None, None)
    return last, bid, ask, high, low, volume


def of_okx(message: dict[str, Any]) -> Iterator[Tick]:
    if message.get("arg", {}).get("channel") != "tickers":
        return
    for d in message.get("data", ()):
        if d["instType"] == "SPOT":
            yield Tick(
                d["instId"].replace("-", "/"),
                *_numbers(d, "last", "bidPx", "askPx", "high24h", "low24h", "vol24h"),
                int(d["ts"]) / 1000,
            )


def of_coinbase_exchange(message: dict[str, Any]) -> Iterator[Tick]:
    if message.get("type") == "ticker":
        yield Tick(
            message["product_id"].replace("-", "/"),
            *_numbers(message, "price", "best_bid", "best_ask", "high_24h", "low_24h", "volume_24h"),
            int(datetime.fromisoformat(message["time"]).timestamp() * 1000) / 1000,  # the library keeps milliseconds
        )


def of_kucoin(message: dict[str, Any]) -> Iterator[Tick]:
    if message.get("subject") == "trade.ticker":
        d = message["data"]
        symbol = message["topic"].partition(":")[2].replace("-", "/").replace("BCHSV", "BSV")
        yield Tick(symbol, *_numbers(d, "price", "bestBid", "bestAsk"), d["time"] / 1000)


def of_gate(message: dict[str, Any]) -> Iterator[Tick]:
    if message.get("channel") == "spot.tickers" and message.get("event") == "update":
        d = message["result"]
        yield Tick(
            d["currency_pair"].replace("_", "/"),
            *_numbers(d, "last", "highest_bid", "lowest_ask", "high_24h", "low_24h", "base_volume"),
            None,
        )
