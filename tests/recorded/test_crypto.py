"""What exchanges really sent reaches the sink whole: every recorded ticker, with the values of the recording.

The expected values are read from the raw messages here, by the field names of each venue's own documentation, and not
by the library under test. Everything passes the gateway over TLS: nothing in `feeds` knows that this is no live venue.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.clock import Clock
from engine.config import Config, Crypto, Equity
from engine.engine import Engine
from feeds.crypto import CryptoStream
from feeds.link import Context
from feeds.markets import MarketLists
from feeds.network import Border
from tests.feeds.fakes import RecordingSink
from tests.feeds.live import context_of, running
from tests.realdata import DATA, needs_real_data
from tests.recorded.answers import Answers, gateway_of, http_of, messages_of, until
from tests.recorded.tickers import Tick, of_coinbase_exchange, of_gate, of_kucoin, of_okx

pytestmark = needs_real_data

FRAMES = DATA / "frames"


class Recording(NamedTuple):
    """One venue's recording, and how it is to be read."""

    exchange: str
    hosts: tuple[str, ...]
    http: Callable[[], dict[str, bytes]]
    messages: str
    ticks: Callable[[dict[str, Any]], Iterator[Tick]]
    keep: Callable[[str], bool]
    """The messages that a client gets who subscribed to tickers alone."""
    bases: tuple[str, ...]
    quotes: tuple[str, ...]
    total: int
    """Spot tickers in the recording."""


def _only(file: str) -> bytes:
    return next(iter(http_of(FRAMES / file).values()))


_BULLET = {
    "code": "200000",
    "data": {
        "token": "TOKEN",
        "instanceServers": [
            {
                "endpoint": "wss://push-private.kucoin.com/endpoint",
                "encrypt": True,
                "protocol": "websocket",
                "pingInterval": 18000,
                "pingTimeout": 10000,
            }
        ],
    },
}
"""The one answer that the recorder did not keep: where KuCoin's websocket is. Its address is the recorded one."""

RECORDINGS = (
    Recording(
        "okx",
        ("www.okx.com", "ws.okx.com"),
        lambda: {
            "/api/v5/public/instruments": http_of(FRAMES / "OKX.0")[
                "https://www.okx.com/api/v5/public/instruments?instType=SPOT"
            ]
        },
        "OKX.ws.1.0",
        of_okx,
        lambda m: '"channel":"tickers"' in m,
        ("BTC",),
        ("USDT",),
        25,
    ),
    Recording(
        "coinbaseexchange",
        ("api.exchange.coinbase.com", "ws-feed.exchange.coinbase.com"),
        lambda: {"/products": _only("COINBASE.0")},
        "COINBASE.ws.28.0",
        of_coinbase_exchange,
        lambda m: '"type":"ticker"' in m or '"type":"subscriptions"' in m,
        ("SKL", "BAND", "NMR", "YFI", "DASH", "NU", "CRV"),
        ("USD", "EUR", "GBP", "BTC"),
        107,
    ),
    Recording(
        "kucoin",
        ("api.kucoin.com", "push-private.kucoin.com"),
        lambda: {"/api/v2/symbols": _only("KUCOIN.0"), "/api/v1/bullet-public": json.dumps(_BULLET).encode()},
        "KUCOIN.ws.1.0",
        of_kucoin,
        lambda m: "/market/ticker:" in m or '"type":"welcome"' in m or '"type":"ack"' in m,
        ("ANKR", "NRG", "BSV", "CAPP", "FET", "SNX", "DAPPT", "COV", "EQZ", "LTX"),
        ("USDT", "BTC"),
        830,
    ),
    Recording(
        "gate",
        ("api.gateio.ws",),
        lambda: {"/api/v4/spot/currency_pairs": _only("GATEIO.0"), "/api/v4/margin/currency_pairs": b"[]"},
        "GATEIO.ws.1.0",
        of_gate,
        lambda m: '"channel":"spot.tickers"' in m,
        ("INK", "NEO", "OMG", "QTUM3S", "HAI", "DIS", "FAST", "BTC", "NANO", "ZKS"),
        ("USDT", "USDC", "BTC", "ETH"),
        22,
    ),
)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda r: r.exchange)
async def test_recorded_tickers_reach_the_sink_one_by_one(recording: Recording, tmp_path: Path) -> None:
    stamped = messages_of(FRAMES / recording.messages)
    expected = [tick for _, text in stamped for tick in recording.ticks(json.loads(text))]
    assert len(expected) == recording.total
    site = Answers(recording.hosts, recording.http(), [text for _, text in stamped], wanted=recording.keep)
    crypto = Crypto((recording.exchange,), recording.quotes, baskets={"majors": recording.bases})
    sink = RecordingSink()
    async with gateway_of(tmp_path, site) as gateway:
        context = context_of(gateway, sink, tmp_path, Config(crypto=crypto), at=stamped[-1][0])
        async with running(CryptoStream(recording.exchange, MarketLists()), context):
            await until(lambda: len(sink.quotes) >= recording.total)
    got = [Tick(q.venue_symbol, q.last or 0, q.bid or 0, q.ask or 0, *q[9:12], q.event_time) for q in sink.quotes]
    assert got == expected
    assert {q.source for q in sink.quotes} == {recording.exchange}
    assert all(q.symbol == f"{q.venue_symbol.partition('/')[0]}/USD" for q in sink.quotes)
    assert all(q.quote_ccy == q.venue_symbol.partition("/")[2] for q in sink.quotes)
    assert "live" in sink.states()
    assert site.unanswered == []


class Current(NamedTuple):
    """One of today's protocols, as recorded in `ccxt_expected.json`."""

    exchange: str
    host: str
    http: dict[str, bytes]
    quote: str
    times: tuple[float, ...]
    """The venue's own times of the recorded tickers."""
    last: float
    bid: float | None
    prev: float
    volume: float


_KRAKEN_PAIRS = {
    "error": [],
    "result": {
        "XXBTZUSD": {
            "altname": "XBTUSD",
            "wsname": "XBT/USD",
            "aclass_base": "currency",
            "base": "XXBT",
            "aclass_quote": "currency",
            "quote": "ZUSD",
            "lot": "unit",
            "cost_decimals": 5,
            "pair_decimals": 1,
            "lot_decimals": 8,
            "lot_multiplier": 1,
            "leverage_buy": [],
            "leverage_sell": [],
            "fees": [[0, 0.4]],
            "fees_maker": [[0, 0.25]],
            "fee_volume_currency": "ZUSD",
            "margin_call": 80,
            "margin_stop": 40,
            "ordermin": "0.00005",
            "costmin": "0.5",
            "tick_size": "0.1",
            "status": "online",
        }
    },
}
_COINBASE_PRODUCTS = {
    "products": [
        {
            "product_id": "BTC-USD",
            "price": "63320.73",
            "base_increment": "0.00000001",
            "quote_increment": "0.01",
            "quote_min_size": "1",
            "quote_max_size": "150000000",
            "base_min_size": "0.00000001",
            "base_max_size": "3400",
            "status": "online",
            "product_type": "SPOT",
            "quote_currency_id": "USD",
            "base_currency_id": "BTC",
            "trading_disabled": False,
            "alias": "",
            "price_increment": "0.01",
            "display_name": "BTC-USD",
        }
    ],
    "num_products": "1",
}
_BYBIT_INSTRUMENTS = {
    "retCode": 0,
    "retMsg": "OK",
    "result": {
        "category": "spot",
        "list": [
            {
                "symbol": "BTCUSDT",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "innovation": "0",
                "status": "Trading",
                "marginTrading": "both",
                "lotSizeFilter": {
                    "basePrecision": "0.000001",
                    "quotePrecision": "0.00000001",
                    "minOrderQty": "0.000048",
                    "maxOrderQty": "71.73956243",
                    "minOrderAmt": "1",
                    "maxOrderAmt": "4000000",
                },
                "priceFilter": {"tickSize": "0.01"},
            }
        ],
    },
    "time": 1672712468011,
}


def _iso(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


CURRENT = (
    Current(
        "kraken",
        "ws.kraken.com",
        {"/0/public/AssetPairs": json.dumps(_KRAKEN_PAIRS).encode()},
        "USD",
        (_iso("2026-08-12T19:29:00.921195Z"), _iso("2026-08-12T19:29:02.066592Z")),
        63297.8,
        63297.7,
        63297.1,
        1020.88391276,
    ),
    Current(
        "coinbase",
        "advanced-trade-ws.coinbase.com",
        {
            "/api/v3/brokerage/market/products": json.dumps(_COINBASE_PRODUCTS).encode(),
            "/api/v3/brokerage/market/products?product_type=FUTURE": b'{"products": []}',
        },
        "USD",
        (_iso("2026-08-12T19:27:33.489674Z"), _iso("2026-08-12T19:27:33.829058Z")),
        63320.73,
        None,
        0.0,
        6629.927726,
    ),
    Current(
        "bybit",
        "stream.bybit.com",
        {"/v5/market/instruments-info": json.dumps(_BYBIT_INSTRUMENTS).encode()},
        "USDT",
        (1786538729.776, 1786538730.026),
        64057.7,
        None,
        64326.9,
        7218.04828,
    ),
)
_REST = {"kraken": "api.kraken.com", "coinbase": "api.coinbase.com", "bybit": "api.bybit.com"}


@pytest.mark.parametrize("current", CURRENT, ids=lambda c: c.exchange)
async def test_todays_protocols(current: Current, tmp_path: Path) -> None:
    held = json.loads((FRAMES / "ccxt_expected.json").read_text(encoding="utf-8"))
    entry = next(e for e in held if e["exchange"] == current.exchange and e["method"] == "watchTicker")
    texts = [json.dumps(m) for m in entry["messages"]]
    site = Answers((_REST[current.exchange], current.host), current.http, texts)
    crypto = Crypto((current.exchange,), (current.quote,), baskets={"majors": ("BTC",)})
    sink = RecordingSink()
    async with gateway_of(tmp_path, site) as gateway:
        context = context_of(gateway, sink, tmp_path, Config(crypto=crypto), at=current.times[-1] + 0.1)
        async with running(CryptoStream(current.exchange, MarketLists()), context):
            await until(lambda: len(sink.quotes) >= len(current.times))
    assert [q.event_time for q in sink.quotes] == pytest.approx(current.times, abs=1e-3)
    newest = sink.quotes[-1]
    assert (newest.symbol, newest.venue_symbol, newest.quote_ccy) == (
        "BTC/USD",
        f"BTC/{current.quote}",
        current.quote,
    )
    assert (newest.last, newest.volume) == (current.last, current.volume)
    if current.bid is not None:
        assert newest.bid == current.bid
    if current.prev:
        assert newest.prev == pytest.approx(current.prev)
    sent = entry["sentMessages"][0]
    said = json.loads(site.heard[0])
    assert set(sent) <= set(said) | {"req_id"}


async def test_recorded_prices_stand_in_the_quotes_table(tmp_path: Path) -> None:
    """Several venues at once, one of which is refused: its place is taken in plain sight, and the reason is said."""
    chosen = {r.exchange: r for r in RECORDINGS if r.exchange in {"okx", "gate"}}
    sites = []
    for r in chosen.values():
        stamped = messages_of(FRAMES / r.messages)
        sites.append(Answers(r.hosts, r.http(), [text for _, text in stamped], wanted=r.keep))
    at = messages_of(FRAMES / "OKX.ws.1.0")[-1][0]
    bases = (*chosen["gate"].bases, "ETH", "SOL")
    crypto = Crypto(("kraken", "okx", "gate"), ("USDT", "USDC", "BTC", "ETH"), baskets={"majors": bases})
    config = Config(crypto=crypto, equity=Equity(symbols=()))
    engine = Engine(config, Clock(at - time.time()))
    async with gateway_of(tmp_path, *sites) as gateway:
        context = Context(config, engine.clock, engine, Border(gateway.proxy, gateway.ca_file, 5.0), tmp_path / "cache")
        lists = MarketLists()
        async with (
            running(CryptoStream("kraken", lists), context),
            running(CryptoStream("okx", lists), context),
            running(CryptoStream("gate", lists), context),
        ):
            await until(lambda: engine.board.ticks >= 25 + 22)
            await until(lambda: any(r["error"] for r in engine.beat().tables["feeds"].to_dicts()))
            snapshot = engine.beat()
    quotes = {row["symbol"]: row for row in snapshot.tables["quotes"].to_dicts()}
    ticks = [t for _, text in messages_of(FRAMES / "OKX.ws.1.0") for t in of_okx(json.loads(text))]
    bitcoin = quotes["BTC/USD"]
    assert (bitcoin["source"], bitcoin["venue_symbol"], bitcoin["quote_ccy"]) == ("okx", "BTC/USDT", "USDT")
    assert bitcoin["last"] == ticks[-1].last
    assert bitcoin["high_since"] >= max(t.last for t in ticks)
    assert bitcoin["low_since"] <= min(t.last for t in ticks)
    assert bitcoin["status"] == "estimated", "no live rate of USDT was recorded, so it is taken as 1.0 and said so"
    assert quotes["NEO/USD"]["source"] == "gate"
    assert quotes["SOL/USD"]["last"] is None
    states = {row["source"]: row for row in snapshot.tables["feeds"].to_dicts()}
    assert states["okx"]["state"] == states["gate"]["state"] == "live"
    assert states["kraken"]["error"] == "the proxy refuses this host (HTTP 502)"
