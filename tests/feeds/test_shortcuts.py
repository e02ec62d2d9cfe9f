"""The short way says what the library says, of every ticker, whole or mangled, and leaves to it what is none."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any, cast

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given, settings

from engine.clock import Clock
from engine.model import Quote
from feeds.ccxt_tap import standing
from feeds.crypto import Relay
from feeds.link import Context, Link
from feeds.markets import Book, Books
from feeds.network import Border
from feeds.shortcuts import SHORTCUTS, UNUSUAL
from tests.feeds.fakes import FakeClock, RecordingSink
from tests.feeds.venues import config

KRAKEN = {
    "channel": "ticker",
    "type": "update",
    "data": [
        {
            "symbol": "BTC/USD", "bid": 91000.1, "bid_qty": 0.5, "ask": 91000.2, "ask_qty": 1, "last": 91000.1,
            "volume": 2158.32346723, "vwap": 90894.5, "low": 90000, "high": 92300, "change": -267.9,
            "change_pct": -0.29, "trades": 51234, "timestamp": "2026-01-09T15:30:00.123456Z",
        }
    ],
}  # fmt: skip
COINBASE = {
    "channel": "ticker",
    "client_id": "",
    "timestamp": "2026-01-09T15:30:00.167359596Z",
    "sequence_num": 7,
    "events": [
        {
            "type": "update",
            "tickers": [
                {
                    "type": "ticker", "product_id": "BTC-USD", "price": "91000.1", "volume_24_h": "16038.28770938",
                    "low_24_h": "90000.28", "high_24_h": "92300", "low_52_w": "15460", "high_52_w": "98240",
                    "price_percent_chg_24_h": "-4.15775596190603", "best_bid": "91000.09", "best_bid_quantity": "0.02",
                    "best_ask": "91000.12", "best_ask_quantity": "0.015",
                }
            ],
        }
    ],
}  # fmt: skip
BINANCE = {
    "stream": "btcusdt@ticker",
    "data": {
        "e": "24hrTicker", "E": 1767972600123, "s": "BTCUSDT", "p": "-267.90000000", "P": "-0.293",
        "w": "90894.50000000", "x": "91268.00000000", "c": "91000.10000000", "Q": "0.10400000", "b": "91000.09000000",
        "B": "4.10400000", "a": "91000.10000000", "A": "0.00100000", "o": "91268.00000000", "h": "92300.00000000",
        "l": "90000.00000000", "v": "17351.11900000", "q": "1577115600.40703994", "O": 1767886200123,
        "C": 1767972600023, "F": 1, "L": 51234, "n": 51234,
    },
}  # fmt: skip
MESSAGES: dict[str, dict[str, Any]] = {"kraken": KRAKEN, "coinbase": COINBASE, "binance": BINANCE}
IDS = {"kraken": "XBTUSD", "coinbase": "BTC-USD", "binance": "BTCUSDT"}


class _Socket:
    """What the library's handlers ask of a socket."""

    url = "wss://stream.example/stream"

    def __init__(self) -> None:
        self.subscriptions: dict[str, Any] = {}
        self.futures: dict[str, Any] = {}

    def resolve(self, result: Any, message_hash: str) -> Any:
        return result


class Reader:
    """One venue's messages to quotes, by the short way where there is one or never."""

    def __init__(self, name: str, folder: Path, *, short: bool) -> None:
        self.sink = RecordingSink()
        clock: Clock = FakeClock()
        context = Context(config(name), clock, self.sink, Border(None, None, 1.0), folder)
        relay = Relay(name, f"{name}:tickers", context, cast(Link, _Unheard()))
        if not short:
            relay.tap._on_tick = None
        self.exchange = standing(name, relay.tap)
        quote = "USDT" if name == "binance" else "USD"
        market = {"id": IDS[name], "symbol": f"BTC/{quote}", "base": "BTC", "quote": quote, "spot": True,
                  "type": "spot", "inverse": False}  # fmt: skip
        self.exchange.set_markets([self.exchange.safe_market_structure(market)])
        relay.begin(Books((Book(f"BTC/{quote}", "BTC/USD", quote),), ()), polled_open_is_24h=True)

    def read(self, message: Any) -> tuple[list[Quote], str | None]:
        """The quotes that a message makes, and the name of what it raises."""
        self.sink.quotes.clear()
        raised = None
        try:
            self.exchange.handle_message(_Socket(), copy.deepcopy(message))
        except Exception as error:  # noqa: BLE001 (any of the library's complaints: they must be the same)
            raised = type(error).__name__
        return list(self.sink.quotes), raised


class _Unheard:
    def heard(self, channel: str, event_time: float | None) -> None: ...


def assert_same(mine: list[Quote], theirs: list[Quote]) -> None:
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        for field, a, b in zip(Quote._fields, one, other, strict=True):
            if field == "quote_volume" and isinstance(a, float) and isinstance(b, float):
                assert math.isclose(a, b, rel_tol=1e-14), field  # a product: of floats here, of decimals there
            else:
                assert a == b, field


def left_to_the_library(reader: Reader, name: str, message: Any) -> bool:
    try:
        return SHORTCUTS[name](reader.exchange, message) is None
    except UNUSUAL:
        return True


@pytest.fixture(params=sorted(SHORTCUTS))
async def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_plain_ticker_takes_the_short_way_and_says_the_same(name: str, tmp_path: Path) -> None:
    short, long = Reader(name, tmp_path, short=True), Reader(name, tmp_path, short=False)
    assert not left_to_the_library(short, name, MESSAGES[name])
    mine, raised = short.read(MESSAGES[name])
    assert raised is None
    theirs, _ = long.read(MESSAGES[name])
    assert len(mine) == 1
    assert_same(mine, theirs)
    assert mine[0].event_time == pytest.approx(1767972600.1, abs=0.1)
    assert mine[0].last == 91000.1
    assert mine[0].prev is not None


ODD: tuple[Any, ...] = (
    None, "", "NaN", "inf", "-1", "0", "1e400", "12.5", "x", 0, -1, 3, 12.5, 1e308, 10**30, True, [], {}, [None],
    "update", "snapshot", "2026-01-09T15:30:00Z", "2026-01-09T15:30:00.5Z", "9999-01-09T15:30:00.500Z",
    "2026-02-30T15:30:00.500Z",
)  # fmt: skip
"""What no venue should send, and what one might."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a message."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [p for key, one in inner for p in places(one, (*path, key))]
    return [path, *found] if path else found


@st.composite
def mangled(draw: st.DrawFn, name: str) -> Any:
    message = copy.deepcopy(MESSAGES[name])
    for path in draw(st.lists(st.sampled_from(places(message)), min_size=1, max_size=3)):
        target: Any = message
        try:
            for key in path[:-1]:
                target = target[key]
            if draw(st.booleans()):
                target[path[-1]] = draw(st.sampled_from(ODD))
            else:
                del target[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    return message


async def test_a_mangled_ticker_says_the_same_by_both_ways(name: str, tmp_path: Path) -> None:
    short, long = Reader(name, tmp_path, short=True), Reader(name, tmp_path, short=False)

    @settings(max_examples=100, deadline=None)
    @given(mangled(name))
    def check(message: Any) -> None:
        mine, raised = short.read(message)
        theirs, expected = long.read(message)
        assert raised == expected
        assert_same(mine, theirs)

    check()


@pytest.mark.parametrize("text", ["null", "[]", '"pong"', "7", "{}", '{"channel":"heartbeat"}', '{"result":null}'])
async def test_what_is_no_ticker_is_left_to_the_library(name: str, text: str, tmp_path: Path) -> None:
    assert left_to_the_library(Reader(name, tmp_path, short=True), name, orjson.loads(text))
