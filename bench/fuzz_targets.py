"""Every decoder and importer of foreign data, each with samples that it reads and the only errors that it may raise.

A target takes one mangled input and returns, or raises one of its own errors: anything else is a finding.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from bench.fuzz_files import more
from bench.fuzz_history import of_history
from bench.fuzz_outside import of_outside
from bench.fuzz_replay import of_replay
from bench.fuzz_samples import Target, mangled_bytes, string, text_of
from engine.board import Board
from engine.conditions import ConditionError, compile_condition
from engine.config import Config
from engine.config_file import parse
from engine.errors import BadDataError, ConfigError, SizewatchError
from engine.model import Quote
from engine.store import Partition
from engine.tables import TABLES
from feeds import public
from feeds.crypto import time_in
from feeds.crypto_bars import frame_of
from feeds.flow_files import read_flow_bytes
from feeds.markets import choose
from feeds.replay import RecordingError, entries
from feeds.translate import error_of_status, seconds_of, translate, words
from feeds.yahoo_poll import quote_of
from feeds.yahoo_stream import QuoteReader, pricing_class


def _packed(value: bytes, chance: random.Random) -> str:
    packed = base64.b64encode(mangled_bytes(value, chance)).decode()
    return text_of({"type": "pricing", "message": packed}, chance)


def _fund_file(blob: bytes) -> None:
    try:
        read_flow_bytes("x.csv", blob, "IWM")
    except SizewatchError as error:
        assert "\n" not in str(error)
        raise


CONFIG: Final = Config()
KRAKEN: Final = {
    "channel": "ticker",
    "type": "update",
    "data": [
        {
            "symbol": "BTC/USD", "bid": 90999.9, "bid_qty": 1.5, "ask": 91000.1, "ask_qty": 2.0, "last": 91000.0,
            "volume": 1200.5, "vwap": 90500.0, "low": 89000.0, "high": 92000.0, "change": 120.0, "change_pct": 0.13,
            "timestamp": "2026-01-09T15:30:00.123456Z",
        }
    ],
}  # fmt: skip
BINANCE: Final = {
    "stream": "btcusdt@ticker",
    "data": {
        "e": "24hrTicker", "E": 1767972600000, "s": "BTCUSDT", "p": "120.0", "P": "0.13", "w": "90500", "x": "90880",
        "c": "91000.00", "Q": "0.1", "b": "90999.9", "B": "1", "a": "91000.1", "A": "2", "o": "90880", "h": "92000",
        "l": "89000", "v": "1200", "q": "109200000", "O": 1767886200000, "C": 1767972600000, "F": 1, "L": 2, "n": 2,
    },
}  # fmt: skip
COINBASE: Final = {
    "channel": "ticker",
    "timestamp": "2026-01-09T15:30:00.123456Z",
    "sequence_num": 5,
    "events": [
        {
            "type": "update",
            "tickers": [
                {
                    "type": "ticker", "product_id": "BTC-USD", "price": "91000", "volume_24_h": "1200",
                    "low_24_h": "89000", "high_24_h": "92000", "price_percent_chg_24_h": "0.13",
                    "best_bid": "90999.9", "best_ask": "91000.1", "best_bid_quantity": "1", "best_ask_quantity": "2",
                }
            ],
        }
    ],
}  # fmt: skip
ROW: Final = {
    "symbol": "IWM", "currency": "USD", "marketState": "REGULAR", "regularMarketPrice": 259.46,
    "regularMarketTime": 1767972598, "regularMarketPreviousClose": 257.1, "regularMarketDayHigh": 260.0,
    "regularMarketDayLow": 256.5, "regularMarketVolume": 12345678, "bid": 259.45, "ask": 0, "exchangeDataDelayedBy": 0,
    "preMarketPrice": 258.0, "preMarketTime": 1767960000, "quoteSourceName": "Nasdaq Real Time Price",
}  # fmt: skip
GLOBAL: Final = {
    "data": {
        "total_market_cap": {"usd": 3.1e12}, "total_volume": {"usd": 1.2e11},
        "market_cap_percentage": {"btc": 58.1, "eth": 12.0}, "updated_at": 1767972600,
    }
}  # fmt: skip
COINS: Final = [
    {"id": "bitcoin", "last_updated": "2026-01-09T15:29:00.000Z", "total_volume": 3.0e10, "market_cap": 1.8e12}
]
MARKETS: Final = {
    "BTC/USD": {"symbol": "BTC/USD", "spot": True, "active": True, "info": {"alias": ""}},
    "BTC/USDT": {"symbol": "BTC/USDT", "spot": True, "active": None, "info": {}},
}
FUND_FILES: Final = (
    b"date,fund,nav,shares,aum\n2026-01-08,IWM,257.1,250000000,64275000000\n2026-01-09,IWM,259.4,251000000,\n",
    b"Date,Name,Ticker,NAV,Shares Outstanding (000),Assets Under Management\n05/12/2025,A,SSO,87.462,62950,5505732900\n"
    b"05/13/2025,A,SSO,88.1,62950,5545895000\n",
    b"sep=;\r\nDate;Ticker;NAV;Shares\r\n04.02.2025;IWM;226,51;296.350.000\r\n",
    "Date\tTicker\tNAV\tShares\n2/14/2025\tIWM\t226.51\t296350000\n".encode("utf-16"),
    b",IBIT,GBTC\n11 Jan 2024,111.7,(95.1)\n12 Jan 2024,386.0,-\nTotal,1,2\n",
    b'<?xml version="1.0"?><ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
    b'<ss:Worksheet ss:Name="Historical"><ss:Table><ss:Row><ss:Cell><ss:Data>As Of</ss:Data></ss:Cell>'
    b"<ss:Cell><ss:Data>NAV per Share</ss:Data></ss:Cell>"
    b"<ss:Cell><ss:Data>Shares Outstanding</ss:Data></ss:Cell></ss:Row>"
    b"<ss:Row>"
    b"<ss:Cell><ss:Data>Feb 04, 2025</ss:Data></ss:Cell><ss:Cell><ss:Data>226.5</ss:Data></ss:Cell>"
    b'<ss:Cell ss:Index="3"><ss:Data>296,350,000</ss:Data></ss:Cell></ss:Row></ss:Table></ss:Worksheet></ss:Workbook>',
)
CONDITIONS: Final = (
    "change_pct < -5 AND asset = 'crypto'",
    "abs(change_pct) > 3 OR status = 'stale'",
    "last BETWEEN 1 AND 2",
)


SETTINGS: Final = b"""
[network]
proxy = "http://127.0.0.1:3128"
timeout = 10.0
[crypto]
exchanges = ["coinbase", "kraken"]
[crypto.baskets]
ai = ["FET", "RENDER"]
[levels."^RUT"]
support = [2100.0]
resistance = [2300.0]
"""


@cache
def _venue(name: str) -> Any:
    """An exchange object that decodes and is connected to nothing."""
    from feeds.ccxt_tap import Tap, standing

    tap = Tap.__new__(Tap)
    tap.__dict__.update(
        _on_ticker=lambda symbol, ticker: None,
        _on_message=None,
        _on_tick=lambda tick: None,
        unreadable=0,
        lost=_Never(),
    )
    exchange = standing(name, tap)
    ids = {"kraken": "XBTUSD", "binance": "BTCUSDT", "coinbase": "BTC-USD"}
    quote = "USDT" if name == "binance" else "USD"
    market = {"id": ids[name], "symbol": f"BTC/{quote}", "base": "BTC", "quote": quote, "spot": True, "type": "spot"}
    exchange.set_markets([exchange.safe_market_structure(market)])
    return exchange


class _Never:
    """A future that nobody waits for."""

    def done(self) -> bool:
        return False

    def set_exception(self, error: BaseException) -> None:
        """Only our own errors of a lost connection come here."""


class _Client:
    """What ccxt's handlers ask of a socket."""

    url = "wss://stream.example/stream"

    def __init__(self) -> None:
        self.subscriptions: dict[str, Any] = {}
        self.futures: dict[str, Any] = {}
        self.lastPong = 0

    def resolve(self, result: Any, message_hash: str) -> Any:
        return result

    def reject(self, result: Any, message_hash: str | None = None) -> Any:
        return result


def _hears(name: str) -> Callable[[Any], object]:
    """As a socket's messages go: a decoder's own complaint is counted, what it made goes through the relay's fields."""

    def read(message: Any) -> None:
        from ccxt import BaseError

        exchange = _venue(name)
        try:
            exchange.handle_message(_Client(), message)
        except (BaseError, *_BROKEN):
            return
        for ticker in list(exchange.tickers.values()):
            time_in(ticker.get("info"))

    return read


_BROKEN: Final = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError)
"""What ccxt's parsers raise on rubbish: caught one message at a time, by the tap."""


def _ingest(values: Any) -> None:
    board = Board(CONFIG)
    for _ in range(2):
        board.ingest(Quote(*values))
    board.settle(10.0, {})
    for book in board.books.values():
        board.status(book)
    for book24 in board.books24():
        assert all(value is None or not isinstance(value, float) or math.isfinite(value) for value in book24)


def _floats(value: list[Any], chance: random.Random) -> list[Any]:
    numbers = (None, 0.0, -1.0, 1e308, -1e308, math.nan, math.inf, 5e-324, 91000.0, 90999.0, 1e12, 1e-12)
    return [chance.choice(numbers) if i in range(5, 15) and chance.random() < 0.4 else v for i, v in enumerate(value)]


def _recording(blob: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(blob)
        file.flush()
        for _ in entries(Path(file.name)):
            pass


def _raised(text: str) -> None:
    error = RuntimeError(text)
    error.__cause__ = OSError(text)
    translate(error)
    error_of_status(len(text) % 700, None, text)
    seconds_of(text)
    shown = words(text)
    assert len(shown) <= 120 and shown.isprintable(), shown


def targets() -> tuple[Target, ...]:
    """All of them."""
    pricing = pricing_class()
    reader = QuoteReader(("IWM",), pricing, "c")
    tick = pricing(
        id="IWM", price=259.46, time=1767972598000, market_hours=1, change=2.3, day_volume=5
    ).SerializeToString()
    ids = {"bitcoin": "BTC"}
    begin = json.dumps([1.0, "", "begin", {"format": "sizewatch recording", "version": 1}])
    line = json.dumps([2.0, "kraken", "ws", ["wss://x", KRAKEN]])
    quote = ["BTC/USD", "kraken", "kraken:tickers", "BTC/USD", "USD", 91000.0, 90999.0, 91001.0, 90000.0, 92000.0,
             89000.0, 1200.0, 1e8, 90500.0, 1767972600.0, 1767972600.5, 5.0]  # fmt: skip
    recording = gzip.compress(f"{begin}\n{line}\n".encode())
    said = ("HTTP 503 \x1b[2Jgone", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", "12.5")
    streamed = json.dumps({"type": "pricing", "message": base64.b64encode(tick).decode()})

    def coins(listed: Any) -> object:
        return list(public.facts(listed if isinstance(listed, list) else [], ids, {}, 1.0))

    return (
        Target("kraken", (KRAKEN,), _hears("kraken")),
        Target("binance", (BINANCE,), _hears("binance")),
        Target("coinbase", (COINBASE,), _hears("coinbase")),
        Target("streamer", (tick,), lambda text: reader.read(text, 1.0, 1.0), (BadDataError,), _packed),
        Target("poll", (ROW,), lambda row: quote_of("IWM", row if isinstance(row, dict) else {}, 1.0, 1.0)),
        Target("global", (GLOBAL,), lambda answer: public.whole_market(answer, 1.0), (BadDataError,)),
        Target("coins", (COINS,), coins),
        Target("candles", ([[1767972600000, 1.0, 2.0, 0.5, 1.5, 10.0]] * 3,), _candles),
        Target("markets", (MARKETS,), lambda markets: choose(_tables(markets), CONFIG.crypto)),
        Target("fund-file", FUND_FILES, _fund_file, (SizewatchError,), mangled_bytes),
        Target("recording", (recording,), _recording, (RecordingError,), mangled_bytes),
        Target("configuration", (SETTINGS,), _configured, (ConfigError,), mangled_bytes),
        Target("condition", CONDITIONS, _condition, (ConditionError,), string),
        Target("board", (quote,), _ingest, (), _floats),
        Target("error", said, _raised, (), string),
        Target("stored-name", ("kraken-bars/BTC%2FUSD.1d.parquet",), _named, (), string),
        *of_outside(),
        *of_history(),
        *of_replay(KRAKEN, ROW, streamed),
        *more(),
    )


def _named(text: str) -> None:
    partition = Partition.of(Path(text))
    assert partition is None or ".." not in partition.file.parts


def _tables(markets: Any) -> dict[str, Any]:
    return (
        {str(name): market for name, market in markets.items() if isinstance(market, dict)}
        if isinstance(markets, dict)
        else {}
    )


def _candles(rows: Any) -> None:
    frame_of([row for row in rows if isinstance(row, list)] if isinstance(rows, list) else [])


def _configured(blob: bytes) -> None:
    parse(blob, Path("config.toml"), {})


def _condition(text: str) -> None:
    compile_condition(text, "quotes", TABLES["quotes"])
