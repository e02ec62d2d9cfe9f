"""Binance as an unpatched ccxt.pro meets it through the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import pytest

from simulator.binance import BinanceSite
from simulator.gateway import Socket
from tests.simulator.still_market import (
    DAY,
    FIRST,
    HOUR,
    MINUTE,
    NOW,
    StillMarket,
    client,
    gateway,
    soon,
    unloaded,
    until,
)


@pytest.fixture
def market() -> StillMarket:
    return StillMarket()


@pytest.fixture
def site(market: StillMarket, monkeypatch: pytest.MonkeyPatch) -> BinanceSite:
    monkeypatch.setattr(BinanceSite, "cadence", 0.02)
    return BinanceSite(market)


@pytest.fixture
async def binance(site: BinanceSite, tmp_path: Path) -> AsyncIterator[Any]:
    async with client(site, tmp_path) as exchange:
        yield exchange


async def test_books_are_in_tether_and_contracts_are_no_spot(binance: Any) -> None:
    assert {"BTC/USDT", "PEPE/USDT", "USDC/USDT", "BTC/USDC", "ETH/BTC"} <= set(binance.symbols)
    kinds = {symbol: market["type"] for symbol, market in binance.markets.items() if not market["spot"]}
    assert sorted(kinds.values()) == ["future", "future", "swap", "swap"]
    assert [s for s, market in binance.markets.items() if not market["active"]] == ["DOGE/EUR"]


async def test_rest_tickers_equal_the_market(binance: Any, market: StillMarket) -> None:
    day = market.days["BTC"]
    ticker = (await binance.fetch_tickers(["BTC/USDT", "DOGE/USDT"]))["BTC/USDT"]
    assert [ticker["last"], ticker["bid"], ticker["baseVolume"]] == [day.last, pytest.approx(day.bid), day.volume]
    assert ticker["quoteVolume"] == pytest.approx(day.volume * day.vwap)
    assert ticker["timestamp"] == day.time * 1000
    assert (await binance.fetch_ticker("PEPE/USDT"))["last"] == market.days["PEPE"].last
    assert len(await binance.fetch_tickers()) == sum(market["spot"] for market in binance.markets.values())


@pytest.mark.parametrize(("timeframe", "step"), [("1d", DAY), ("1h", HOUR), ("1m", MINUTE)])
async def test_candles_come_in_pages_of_a_thousand_from_since_on(binance: Any, timeframe: str, step: int) -> None:
    newest = int(NOW // step) * step
    since = newest - 1499 * step
    first = await binance.fetch_ohlcv("BTC/USDT", timeframe, since=since * 1000, limit=5000)
    second = await binance.fetch_ohlcv("BTC/USDT", timeframe, since=first[-1][0] + 1, limit=1000)
    assert [bar[0] for bar in first + second] == [at * 1000 for at in range(since, newest + 1, step)]
    assert len(first) == 1000
    latest = await binance.fetch_ohlcv("BTC/USDT", timeframe, limit=3)
    assert [bar[0] for bar in latest] == [(newest - back * step) * 1000 for back in (2, 1, 0)]


async def test_candles_start_where_the_market_began(binance: Any) -> None:
    assert (await binance.fetch_ohlcv("BTC/USDT", "1d", since=0, limit=1000)) == []
    assert (await binance.fetch_ohlcv("BTC/USDT", "1d", since=FIRST * 1000, limit=1))[0][0] == FIRST * 1000


async def test_an_unknown_symbol_is_refused_in_binances_words(binance: Any) -> None:
    with pytest.raises(ccxt.BadSymbol, match=r'"code":-1121,"msg":"Invalid symbol\."'):
        await binance.public_get_klines({"symbol": "FOOUSDT", "interval": "1d"})
    with pytest.raises(ccxt.ExchangeError, match=r'"code":-1120,"msg":"Invalid interval\."'):
        await binance.public_get_klines({"symbol": "BTCUSDT", "interval": "7m"})


@pytest.mark.parametrize("kind", ["miniTicker", "ticker"])
async def test_streams_say_at_once_where_they_stand_and_then_what_moves(
    binance: Any, market: StillMarket, kind: str
) -> None:
    symbols = ["BTC/USDT", "PEPE/USDT"]
    await soon(binance.watch_tickers(symbols, {"name": kind}))
    await until(lambda: set(symbols) <= set(binance.tickers))
    assert binance.tickers["BTC/USDT"]["last"] == market.days["BTC"].last
    market.move("PEPE", 0.0000071)
    ticker = (await soon(binance.watch_tickers(symbols, {"name": kind})))["PEPE/USDT"]
    assert [ticker["last"], ticker["timestamp"]] == [0.0000071, (NOW + 0.5) * 1000]
    assert (ticker["bid"] is not None) == (kind == "ticker")


async def test_the_stream_of_an_unknown_symbol_is_accepted_and_silent(site: BinanceSite, binance: Any) -> None:
    foo = {**binance.markets["BTC/USDT"], "symbol": "FOO/USDT", "id": "FOOUSDT", "lowercaseId": "foousdt"}
    binance.markets["FOO/USDT"] = foo
    assert set(await soon(binance.watch_tickers(["FOO/USDT", "BTC/USDT"]))) == {"BTC/USDT"}
    assert ("foousdt@miniTicker", "") in site.topics.keys()  # noqa: SIM118 (Topics is no mapping)


async def test_a_client_in_an_unserved_country_is_told_so(market: StillMarket, tmp_path: Path) -> None:
    site = BinanceSite(market, restricted=True)
    async with gateway(site, tmp_path) as made, unloaded("binance", made) as exchange:
        with pytest.raises(ccxt.ExchangeNotAvailable, match=r"451 .*restricted location"):
            await exchange.load_markets()


async def test_the_venue_pings_by_itself(site: BinanceSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BinanceSite, "ping_s", 0.05)
    pinged: list[bytes] = []
    ping = Socket.ping

    async def counted(socket: Socket, data: bytes = b"") -> None:
        await ping(socket, data)
        pinged.append(data)

    monkeypatch.setattr(Socket, "ping", counted)
    async with client(site, tmp_path) as exchange:
        await soon(exchange.watch_ticker("BTC/USDT"))
        await until(lambda: len(pinged) >= 3)
        assert len(site.listeners) == 1
    assert pinged[0] == str(int(NOW * 1000)).encode()
