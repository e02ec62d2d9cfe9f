"""Kraken as an unpatched ccxt.pro meets it through the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import pytest

from simulator.kraken import KrakenSite
from tests.simulator.still_market import DAY, HOUR, MINUTE, NOW, StillMarket, client, overheard, soon, until


@pytest.fixture
def market() -> StillMarket:
    return StillMarket()


@pytest.fixture
def site(market: StillMarket, monkeypatch: pytest.MonkeyPatch) -> KrakenSite:
    monkeypatch.setattr(KrakenSite, "cadence", 0.02)
    return KrakenSite(market)


@pytest.fixture
async def kraken(site: KrakenSite, tmp_path: Path) -> AsyncIterator[Any]:
    async with client(site, tmp_path) as exchange:
        yield exchange


async def test_old_names_become_canonical_symbols(kraken: Any) -> None:
    assert {"BTC/USD", "DOGE/USD", "USDT/USD", "USDC/USD", "EUR/USD", "BTC/EUR"} <= set(kraken.symbols)
    assert [kraken.markets[s]["id"] for s in ("BTC/USD", "DOGE/USD", "PEPE/USD", "USDT/USD", "ETH/BTC")] == [
        "XXBTZUSD", "XDGUSD", "PEPEUSD", "USDTZUSD", "XETHXXBT",
    ]  # fmt: skip


async def test_a_book_that_only_cancels_is_listed_and_not_active(kraken: Any) -> None:
    assert [symbol for symbol, market in kraken.markets.items() if not market["active"]] == ["ETH/USDC"]


async def test_rest_tickers_equal_the_market(kraken: Any, market: StillMarket) -> None:
    tickers = await kraken.fetch_tickers(["BTC/USD", "PEPE/USD"])
    day = market.days["BTC"]
    assert tickers["BTC/USD"]["last"] == day.last
    assert tickers["BTC/USD"]["high"] == pytest.approx(day.high)
    assert tickers["BTC/USD"]["baseVolume"] == day.volume
    assert tickers["BTC/USD"]["quoteVolume"] == pytest.approx(day.volume * day.vwap)
    assert tickers["PEPE/USD"]["last"] == market.days["PEPE"].last
    assert (await kraken.fetch_ticker("ETH/USD"))["bid"] == pytest.approx(market.days["ETH"].bid)


@pytest.mark.parametrize(("timeframe", "step"), [("1d", DAY), ("1h", HOUR), ("1m", MINUTE)])
async def test_only_the_newest_720_candles_exist(kraken: Any, timeframe: str, step: int) -> None:
    newest = int(NOW // step) * step * 1000
    bars = await kraken.fetch_ohlcv("BTC/USD", timeframe)
    assert [len(bars), bars[0][0], bars[-1][0]] == [720, newest - 719 * step * 1000, newest]
    assert await kraken.fetch_ohlcv("BTC/USD", timeframe, since=int((NOW - 5000 * step) * 1000)) == bars
    assert [bar[0] for bar in await kraken.fetch_ohlcv("BTC/USD", timeframe, since=newest - 2 * step * 1000)] == [
        newest - 2 * step * 1000, newest - step * 1000, newest,
    ]  # fmt: skip


async def test_an_unknown_pair_is_refused_in_krakens_words(kraken: Any) -> None:
    with pytest.raises(ccxt.ExchangeError, match="EQuery:Unknown asset pair"):
        await kraken.public_get_ohlc({"pair": "FOOUSD"})


async def test_a_snapshot_comes_first_and_then_what_moves(kraken: Any, market: StillMarket) -> None:
    symbols = ["BTC/USD", "DOGE/USD", "USDT/USD"]
    await soon(kraken.watch_tickers(symbols))
    await until(lambda: set(symbols) <= set(kraken.tickers))
    assert kraken.tickers["DOGE/USD"]["last"] == market.days["DOGE"].last
    assert kraken.tickers["BTC/USD"]["percentage"] == pytest.approx(100 / 0.96 - 100, abs=0.01)
    market.move("DOGE", 0.151)
    assert (await soon(kraken.watch_tickers(symbols)))["DOGE/USD"]["last"] == 0.151
    assert kraken.tickers["DOGE/USD"]["info"]["timestamp"] == "2026-01-09T15:30:00.500000Z"


async def test_an_unknown_symbol_is_refused_and_the_others_are_served(site: KrakenSite, kraken: Any) -> None:
    kraken.markets["FOO/USD"] = {**kraken.markets["BTC/USD"], "symbol": "FOO/USD", "id": "FOOUSD"}
    assert set(await soon(kraken.watch_tickers(["FOO/USD", "BTC/USD"]))) == {"BTC/USD"}
    assert {name for _, name in site.topics.keys()} == {"BTC/USD"}  # noqa: SIM118 (Topics is no mapping)


async def test_a_quiet_connection_beats_its_heart_and_answers_pings(tmp_path: Path, site: KrakenSite) -> None:
    async with client(site, tmp_path) as exchange:
        exchange.streaming["keepAlive"] = 50
        heard = overheard(exchange)
        await soon(exchange.watch_ticker("BTC/USD"))
        await until(lambda: {"channel": "heartbeat"} in heard and any(m.get("method") == "pong" for m in heard))
    assert heard[0]["channel"] == "status"


async def test_nothing_is_left_behind_when_a_client_goes(tmp_path: Path, site: KrakenSite) -> None:
    async with client(site, tmp_path) as exchange:
        await soon(exchange.watch_ticker("BTC/USD"))
        assert len(site.listeners) == 1
        await exchange.close()
        await until(lambda: not site.listeners and not site.topics.any())
