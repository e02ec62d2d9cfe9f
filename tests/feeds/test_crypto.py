"""Crypto feeds against simulated venues over TLS, unpatched: what arrives, what is lost and said, how it comes back."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine import garbage
from engine.config import Crypto
from engine.model import FeedState
from feeds.ccxt_tap import Tap, closed, lean_ticker, tapped
from feeds.crypto import CryptoStream, time_in
from feeds.markets import MarketLists, choose
from feeds.network import Border
from feeds.quirks import Quirks, quirks_of
from simulator.binance import BinanceSite
from simulator.coinbase import CoinbaseSite
from simulator.gateway import Reply, Request
from simulator.kraken import KrakenSite
from tests.feeds.fakes import RecordingSink
from tests.feeds.live import context_of, running
from tests.feeds.venues import QUOTE, SITES, Refusing, config, gateway_with, market, quick
from tests.recorded.answers import Answers, until
from tests.simulator.still_market import DAY, NOW, StillMarket

__all__ = ["market", "quick"]


def last_of(sink: RecordingSink, symbol: str) -> float | None:
    return next((q.last for q in reversed(sink.quotes) if q.symbol == symbol), None)


@pytest.mark.parametrize("name", sorted(SITES))
async def test_prices_arrive_under_canonical_names(name: str, market: StillMarket, tmp_path: Path) -> None:
    sink = RecordingSink()
    async with gateway_with(tmp_path, SITES[name](market)) as gateway:
        context = context_of(gateway, sink, tmp_path, config(name, bases=("BTC", "DOGE", "NOPE")), at=NOW)
        async with running(CryptoStream(name, MarketLists()), context):
            await until(lambda: {"BTC/USD", "DOGE/USD"} <= {q.symbol for q in sink.quotes} and sink.last.settled)
            assert sink.state() == FeedState.LIVE
            assert sink.last.note is not None
            assert "NOPE" in sink.last.note
            market.move("DOGE", 0.151)
            await until(lambda: last_of(sink, "DOGE/USD") == 0.151)
    btc = next(q for q in sink.quotes if q.symbol == "BTC/USD" and q.quote_ccy == QUOTE[name])
    day = market.days["BTC"]
    assert (btc.source, btc.channel, btc.venue_symbol) == (name, f"{name}:tickers", f"BTC/{QUOTE[name]}")
    assert btc.last == pytest.approx(day.last)
    assert btc.bid == pytest.approx(day.bid)
    assert btc.ask == pytest.approx(day.ask)
    assert btc.high == pytest.approx(day.high)
    assert btc.volume == pytest.approx(day.volume)
    assert btc.prev == pytest.approx(day.open, rel=1e-3)
    assert btc.event_time == pytest.approx(NOW, abs=2.0)
    assert btc.received == pytest.approx(NOW, abs=30.0)
    assert last_of(sink, "DOGE/USD") == 0.151


async def test_every_tick_is_seen_however_fast_they_come(market: StillMarket, tmp_path: Path) -> None:
    sink = RecordingSink()
    site = KrakenSite(market)
    async with gateway_with(tmp_path, site) as gateway:
        context = context_of(gateway, sink, tmp_path, config("kraken", quotes=("USD",)), at=NOW)
        async with running(CryptoStream("kraken", MarketLists()), context):
            await until(lambda: sink.state() == FeedState.LIVE and len(sink.quotes) >= 3)
            sent = [round(0.2 + n / 10_000, 4) for n in range(300)]
            for price in sent:
                market.move("DOGE", price)
                await until(lambda price=price: not market._moved)  # type: ignore[misc]
            await until(lambda: last_of(sink, "DOGE/USD") == sent[-1])
    assert [q.last for q in sink.quotes if q.symbol == "DOGE/USD"][-300:] == sent


async def test_killed_gateway_is_said_at_once_and_its_return_is_used_soon(market: StillMarket, tmp_path: Path) -> None:
    sink = RecordingSink()
    async with gateway_with(tmp_path, KrakenSite(market)) as gateway:
        context = context_of(gateway, sink, tmp_path, config("kraken"), at=NOW)
        async with running(CryptoStream("kraken", MarketLists()), context):
            await until(lambda: sink.state() == FeedState.LIVE)
            killed = time.monotonic()
            await gateway.stop()
            await until(lambda: not sink.channels[-1].up)
            assert time.monotonic() - killed < 2.0
            await until(lambda: sink.last.error == "the proxy cannot be reached")
            assert sink.last.error == "the proxy cannot be reached"
            assert sink.last.retry_at is not None
            await asyncio.sleep(3.0)
            back = time.monotonic()
            await gateway.start()
            await until(lambda: sink.state() == FeedState.LIVE)
            assert time.monotonic() - back < 15.0
            assert sink.channels[-1].up
            assert sink.last.reconnects >= 1


@pytest.mark.parametrize("end", ["abort", "close"])
async def test_lost_socket_is_not_renewed_in_silence(end: str, market: StillMarket, tmp_path: Path) -> None:
    sink = RecordingSink()
    async with gateway_with(tmp_path, CoinbaseSite(market)) as gateway:
        context = context_of(gateway, sink, tmp_path, config("coinbase"), at=NOW)
        async with running(CryptoStream("coinbase", MarketLists()), context):
            await until(lambda: sink.state() == FeedState.LIVE)
            if end == "abort":
                gateway.drop_all()
            else:
                await gateway.close_sockets(1000)
            await until(lambda: sink.states()[-1] == "live" and "reconnecting" in sink.states())
    assert [c.up for c in sink.channels[:3]] == [True, False, True]
    assert sink.states() == ["connecting", "live", "reconnecting", "live", "closed"]


async def test_silence_on_an_open_socket_is_noticed(
    market: StillMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.crypto.STREAM_SILENCE_S", 1.0)
    sink = RecordingSink()
    async with gateway_with(tmp_path, KrakenSite(market)) as gateway:
        context = context_of(gateway, sink, tmp_path, config("kraken"), at=NOW)
        async with running(CryptoStream("kraken", MarketLists()), context):
            await until(lambda: sink.state() == FeedState.LIVE)
            gateway.muted |= {"ws.kraken.com"}
            await until(lambda: "stale" in sink.states())
            assert not sink.channels[-1].up
            assert "no data for" in (sink.last.error or "")
            gateway.muted.clear()
            await until(lambda: sink.state() == FeedState.LIVE)


async def test_geo_block_is_said_as_such_and_not_hammered(market: StillMarket, tmp_path: Path) -> None:
    text = "Service unavailable from a restricted location according to 'b. Eligibility' in our terms."
    site = Refusing(BinanceSite(market), Reply.json({"code": 0, "msg": text}, 451))
    sink = RecordingSink()
    async with gateway_with(tmp_path, site) as gateway:
        context = context_of(gateway, sink, tmp_path, config("binance"), at=NOW)
        async with running(CryptoStream("binance", MarketLists()), context) as supervisor:
            await until(lambda: sink.state() == FeedState.BLOCKED)
            assert "geo-block" in (sink.last.error or "")
            assert sink.last.retry_at is not None
            assert sink.last.retry_at - context.clock.now() > 4.0
            assert sink.last.settled
            asked = len(site.asked)
            await asyncio.sleep(2.0)
            assert len(site.asked) == asked
            site.reply = None
            supervisor.wake()
            await until(lambda: sink.state() == FeedState.LIVE)


async def test_retry_after_of_a_429_is_honoured(market: StillMarket, tmp_path: Path) -> None:
    site = Refusing(BinanceSite(market), Reply(429, b'{"code": -1003}', {"Retry-After": "3"}))
    sink = RecordingSink()
    async with gateway_with(tmp_path, site) as gateway:
        context = context_of(gateway, sink, tmp_path, config("binance"), at=NOW)
        async with running(CryptoStream("binance", MarketLists()), context):
            await until(lambda: sink.state() == FeedState.RATE_LIMITED)
            asked, refused = len(site.asked), time.monotonic()
            site.reply = None
            await until(lambda: sink.state() == FeedState.LIVE)
            assert time.monotonic() - refused >= 2.9
            assert len(site.asked) == asked


async def test_venue_without_streams_is_polled(market: StillMarket, tmp_path: Path) -> None:
    # Bitstamp's documented answers: ccxt.pro has no ticker stream of it
    pairs = [
        {
            "name": "BTC/USD", "url_symbol": "btcusd", "base_decimals": 8, "counter_decimals": 0,
            "minimum_order": "10.0 USD",
            "trading": "Enabled", "instant_order_counter_decimals": 2, "description": "Bitcoin / U.S. dollar",
            "market_symbol": "btcusd", "base_currency": "BTC", "counter_currency": "USD", "market_type": "SPOT",
            "minimum_order_value": "10",
        }
    ]  # fmt: skip
    ticker = {
        "timestamp": str(int(NOW)), "open": "90000", "high": "92000", "low": "89000", "last": "91000",
        "volume": "1234.5",
        "vwap": "90500", "bid": "90990", "ask": "91010", "side": "0", "open_24": "90100", "percent_change_24": "1.00",
        "pair": "BTC/USD", "market": "BTC/USD",
    }  # fmt: skip
    site = Answers(
        ("www.bitstamp.net",),
        {
            "/api/v2/trading-pairs-info/": orjson.dumps(pairs),
            "/api/v2/markets/": orjson.dumps(pairs),
            "/api/v2/ticker/": orjson.dumps([ticker]),
        },
    )
    sink = RecordingSink()
    async with gateway_with(tmp_path, site) as gateway:
        context = context_of(gateway, sink, tmp_path, config("bitstamp", bases=("BTC",)), at=NOW)
        async with running(CryptoStream("bitstamp", MarketLists()), context):
            await until(lambda: bool(sink.quotes))
            assert (sink.last.error, site.unanswered) == (None, [])
    quote = sink.quotes[0]
    assert (quote.symbol, quote.last, quote.volume, quote.event_time) == ("BTC/USD", 91000.0, 1234.5, NOW)
    assert sink.channels[0].silence_limit_s == 60.0


# market lists


async def test_market_list_is_kept_for_a_day_and_a_damaged_one_is_fetched_anew(
    market: StillMarket, tmp_path: Path
) -> None:
    class Counting(KrakenSite):
        lists = 0

        async def http(self, request: Request) -> Reply:
            Counting.lists += "AssetPairs" in request.path
            return await super().http(request)

    async def once(at: float) -> None:
        sink = RecordingSink()
        async with gateway_with(tmp_path, Counting(market)) as gateway:
            context = context_of(gateway, sink, tmp_path, config("kraken"), at=at)
            async with running(CryptoStream("kraken", MarketLists()), context):
                await until(lambda: bool(sink.quotes))
                assert sink.quotes

    file = tmp_path / "cache" / "markets-kraken.json"
    await once(NOW)
    await once(NOW + 3600)
    assert Counting.lists == 1
    await once(NOW + 2 * DAY)
    assert Counting.lists == 2
    file.write_bytes(file.read_bytes()[:1000])
    await once(NOW + 2 * DAY)
    assert Counting.lists == 3
    file.write_bytes(b'{"fetched_at": 1e12, "markets": "none"}')
    await once(NOW + 2 * DAY)
    assert Counting.lists == 4


def listed(symbol: str, *, active: bool = True, alias: str = "") -> dict[str, object]:
    return {"symbol": symbol, "spot": True, "active": active, "info": {"alias": alias}}


def test_books_are_chosen_by_the_configs_order_of_quotes_aliases_included() -> None:
    crypto = Crypto(("x",), ("USD", "USDT"), {"RNDR": "RENDER"}, {"ai": ("RENDER", "FET", "TAO")}, ())
    markets = {
        m["symbol"]: m
        for m in (
            listed("RNDR/USDT"), listed("FET/USDT"), listed("FET/USD"), listed("TAO/USD", active=False),
            listed("FET/USDC", alias="FET-USD"), listed("USDT/USD"),
        )
    }  # fmt: skip
    chosen = choose({str(k): v for k, v in markets.items()}, crypto)
    assert [(b.venue_symbol, b.symbol, b.quote_ccy) for b in chosen.books] == [
        ("RNDR/USDT", "RENDER/USD", "USDT"),
        ("FET/USD", "FET/USD", "USD"),
        ("FET/USDT", "FET/USD", "USDT"),
        ("USDT/USD", "USDT/USD", "USD"),
    ]
    assert chosen.missing == ("TAO/USD",)


def test_mirrored_product_is_no_second_book() -> None:
    crypto = Crypto(("x",), ("USD", "USDC"), {}, {"ai": ("FET",)}, ())
    chosen = choose({"FET/USD": listed("FET/USD"), "FET/USDC": listed("FET/USDC", alias="FET-USD")}, crypto)
    assert [b.venue_symbol for b in chosen.books] == ["FET/USD"]


# values


def test_lean_ticker_makes_numbers_of_what_is_there_and_nothing_of_what_is_not() -> None:
    ticker = lean_ticker(
        {"last": "0.5", "bid": "0", "ask": "NaN", "high": "1e400", "low": -1, "percentage": "25", "baseVolume": "x"}
    )
    assert (ticker["last"], ticker["close"], ticker["open"]) == (0.5, 0.5, 0.4)
    assert [ticker[k] for k in ("bid", "ask", "high", "low", "baseVolume", "vwap")] == [None] * 6
    assert lean_ticker({"last": 10, "change": -2.5})["open"] == 12.5
    assert lean_ticker({"last": None, "percentage": 3})["open"] is None
    assert lean_ticker({"last": [1], "bid": {}})["last"] is None


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"timestamp": "2026-01-09T15:30:00.5Z"}, NOW + 0.5),
        ({"timestamp": "2026-01-09T15:30:00.500000000Z"}, NOW + 0.5),
        ({"time": NOW}, NOW),
        ({"ts": str(int(NOW * 1000))}, NOW),
        ({"E": int(NOW * 1e6)}, NOW),
        ({"time": "soon"}, None),
        ({"time": float("inf")}, None),
        ({"time": True}, None),
        ([], None),
        (None, None),
    ],
)
def test_time_in_a_raw_message(info: object, expected: float | None) -> None:
    assert time_in(info) == expected


# candles


@pytest.mark.parametrize("name", ["kraken", "coinbase", "binance"])
async def test_a_closed_exchange_is_let_go_of_without_a_search_for_garbage(name: str) -> None:
    exchange = await tapped(name, Border(None, None, 1.0), quirks_of(name), Tap(lambda symbol, ticker: None))
    gone = weakref.ref(exchange)
    gc.collect()
    gc.disable()
    try:
        await closed(exchange)
        del exchange
        await until(lambda: gone() is None)
        assert gone() is None
    finally:
        gc.enable()


async def test_a_lost_connections_exchange_and_tap_go_without_a_search_for_garbage(
    market: StillMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[object]] = []

    async def noted(name: str, border: Border, quirks: Quirks, tap: Tap) -> Any:
        exchange = await tapped(name, border, quirks, tap)
        made.extend((weakref.ref(exchange), weakref.ref(tap)))
        return exchange

    monkeypatch.setattr("feeds.crypto.tapped", noted)
    monkeypatch.setattr(garbage, "sweep", lambda: None)
    sink = RecordingSink()
    async with gateway_with(tmp_path, KrakenSite(market)) as gateway:
        context = context_of(gateway, sink, tmp_path, config("kraken"), at=NOW)
        async with running(CryptoStream("kraken", MarketLists()), context):
            await until(lambda: sink.state() == FeedState.LIVE)
            gc.collect()
            gc.disable()
            try:
                gateway.drop_all()
                await until(lambda: sink.states()[-1] == "live" and "reconnecting" in sink.states())
                await until(lambda: made[0]() is made[1]() is None)
                assert [made[0](), made[1]()] == [None, None]
            finally:
                gc.enable()
