"""The short way of the messages that nearly all of the load is made of: tickers of the venues that most users watch.

A shortcut reads what the library would, without decimal arithmetic and dispatch tables, and says the same to the last
bit but for products, which are of floats. It takes a message whole or not at all: whatever looks in the least
unusual (a snapshot, an error, an unknown book, a missing time) goes the library's way, and so does every other venue's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from feeds.numbers import number, price


class Tick(NamedTuple):
    """What a quote needs of a ticker; prices and volumes in the venue's units, None where there is none."""

    symbol: str
    """The library's name of the book, `BTC/USDT`."""
    last: float | None
    bid: float | None
    ask: float | None
    open: float | None
    high: float | None
    low: float | None
    volume: float | None
    quote_volume: float | None
    vwap: float | None
    event_time: float | None
    """Epoch seconds."""


Shortcut = Callable[[Any, Any], list[Tick] | None]
"""Takes the exchange and a decoded message; its tickers, or None where the library must read it."""

_KRAKEN_KEYS: Final = 3
_BINANCE_ODD: Final = frozenset({"error", "status", "id", "event", "data", "stream"})


class _Seconds:
    """Epoch seconds of a moment's text; the newest second is remembered, since its messages come together."""

    def __init__(self) -> None:
        self._text = ""
        self._epoch = 0

    def parts(self, text: str) -> tuple[int, str]:
        """Whole seconds and the digits of the fraction of `2026-01-09T15:30:00.123456Z`. Raises ValueError."""
        second, fraction = text[:19], text[20:-1]
        if text[19] != "." or text[-1] != "Z" or len(fraction) < 3 or not (fraction.isascii() and fraction.isdigit()):
            raise ValueError(text)
        if second != self._text:
            moment = datetime.strptime(second, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
            if not 2009 < moment.year < 2100:
                raise ValueError(text)
            self._epoch = int(moment.timestamp())
            self._text = second
        return self._epoch, fraction


_seconds: Final = _Seconds()


def kraken(exchange: Any, message: Any) -> list[Tick] | None:
    """Version 2's `ticker`, updates only; its numbers are JSON numbers."""
    if message.get("channel") != "ticker" or message.get("type") != "update" or len(message) != _KRAKEN_KEYS:
        return None
    (d,) = message["data"]
    last, change, vwap, volume = d["last"], d["change"], d["vwap"], d["volume"]
    for value in (last, change, vwap, volume):
        if type(value) is not float and type(value) is not int:
            return None
    epoch, fraction = _seconds.parts(d["timestamp"])
    if type(d["symbol"]) is not str or not d["symbol"] or len(fraction) > 6:
        return None
    last = price(last)
    return [
        Tick(
            d["symbol"],
            last,
            _plain(d["bid"]),
            _plain(d["ask"]),
            None if last is None else price(last - change),
            _plain(d["high"]),
            _plain(d["low"]),
            number(volume),
            number(float(volume) * float(vwap)),
            number(vwap),
            (epoch * 1_000_000 + int(fraction.ljust(6, "0"))) / 1e6,
        )
    ]


def coinbase(exchange: Any, message: Any) -> list[Tick] | None:
    """Advanced Trade's `ticker`, updates only; its numbers are texts, and its time is kept to the millisecond."""
    if message.get("channel") != "ticker" or "type" in message:
        return None
    epoch, fraction = _seconds.parts(message["timestamp"])
    event_time = (epoch * 1000 + int(fraction[:3])) / 1000.0
    known = exchange.markets_by_id
    ticks = []
    for event in message["events"]:
        if event["type"] != "update":
            return None
        for d in event["tickers"]:
            (market,) = known[d["product_id"]]
            last, percentage = _text_price(d["price"]), _text_number(d["price_percent_chg_24_h"])
            if last is None or percentage is None or percentage <= -100.0:
                return None
            ticks.append(
                Tick(
                    market["symbol"],
                    last,
                    _text_price(d["best_bid"]),
                    _text_price(d["best_ask"]),
                    last / (1.0 + percentage / 100.0),
                    _text_price(d["high_24_h"]),
                    _text_price(d["low_24_h"]),
                    _text_number(d["volume_24_h"]),
                    None,
                    None,
                    event_time,
                )
            )
    return ticks


def binance(exchange: Any, message: Any) -> list[Tick] | None:
    """Spot's `24hrTicker` of one symbol, alone or in the envelope of a combined stream; its numbers are texts."""
    d = message["data"] if "stream" in message else message
    if d.get("e") != "24hrTicker" or not _BINANCE_ODD.isdisjoint(d):
        return None
    (market,) = exchange.markets_by_id[d["s"]]
    closed_at, last = d["C"], _text_price(d["c"])
    if market["spot"] is not True or type(closed_at) is not int or closed_at <= 0 or last is None:
        return None
    opened = _text_price(d["o"])
    if opened is None:
        return None
    return [
        Tick(
            market["symbol"],
            last,
            _text_price(d["b"]),
            _text_price(d["a"]),
            opened,
            _text_price(d["h"]),
            _text_price(d["l"]),
            _text_number(d["v"]),
            _text_number(d["q"]),
            _text_number(d["w"]),
            closed_at / 1000.0,
        )
    ]


def _plain(value: Any) -> float | None:
    """A price that must have come as a number or as nothing. Raises TypeError."""
    if value is not None and type(value) is not float and type(value) is not int:
        raise TypeError(value)
    return price(value)


def _text_price(value: Any) -> float | None:
    """A price that must have come as a text. Raises TypeError."""
    if type(value) is not str:
        raise TypeError(value)
    return price(value)


def _text_number(value: Any) -> float | None:
    """As `_text_price`, of any number."""
    if type(value) is not str:
        raise TypeError(value)
    return number(value)


SHORTCUTS: Final[Mapping[str, Shortcut]] = {"kraken": kraken, "coinbase": coinbase, "binance": binance}
"""By the library's name of the venue."""
UNUSUAL: Final = (AttributeError, ArithmeticError, IndexError, KeyError, TypeError, ValueError)
"""What a shortcut raises on a message that is not as it expects: the library must read it."""
