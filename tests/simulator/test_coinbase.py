"""Coinbase Advanced Trade as an unpatched ccxt.pro meets it through the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import pytest

from simulator import coinbase as venue
from simulator.coinbase import CoinbaseSite
from tests.simulator.still_market import DAY, HOUR, MINUTE, NOW, StillMarket, client, overheard, soon, until


@pytest.fixture
def market() -> StillMarket:
    return StillMarket()


@pytest.fixture
def site(market: StillMarket, monkeypatch: pytest.MonkeyPatch) -> CoinbaseSite:
    monkeypatch.setattr(CoinbaseSite, "cadence", 0.02)
    monkeypatch.setattr(venue, "BATCH_S", 0.1)
    return CoinbaseSite(market)


@pytest.fixture
async def coinbase(site: CoinbaseSite, tmp_path: Path) -> AsyncIterator[Any]:
    async with client(site, tmp_path) as exchange:
        yield exchange


async def test_a_usdc_product_is_an_alias_of_its_usd_product(coinbase: Any) -> None:
    assert [coinbase.markets["BTC/USDC"]["info"][key] for key in ("alias", "alias_to")] == ["BTC-USD", []]
    assert [coinbase.markets["BTC/USD"]["info"][key] for key in ("alias", "alias_to")] == ["", ["BTC-USDC"]]
    assert coinbase.markets["USDT/USD"]["info"]["alias_to"] == []
    tickers = await coinbase.fetch_tickers(["BTC/USD", "BTC/USDC"])
    assert tickers["BTC/USD"]["baseVolume"] == tickers["BTC/USDC"]["baseVolume"]


async def test_odd_products_can_be_told_from_spot_ones(coinbase: Any) -> None:
    assert [s for s, market in coinbase.markets.items() if not market["spot"]] == ["BTC/USD:USD-260327"]
    assert [s for s, market in coinbase.markets.items() if not market["active"]] == ["DOGE/EUR"]


async def test_rest_tickers_equal_the_market(coinbase: Any, market: StillMarket) -> None:
    ticker = (await coinbase.fetch_tickers(["BTC/USD"]))["BTC/USD"]
    day = market.days["BTC"]
    assert [ticker["last"], ticker["baseVolume"]] == [day.last, day.volume]
    one = await coinbase.fetch_ticker("PEPE/USD")
    assert [one["last"], one["timestamp"]] == [market.days["PEPE"].last, (NOW - 0.5) * 1000]


@pytest.mark.parametrize(("timeframe", "step"), [("1d", DAY), ("1h", HOUR), ("1m", MINUTE)])
async def test_candles_come_in_pages_of_three_hundred(coinbase: Any, timeframe: str, step: int) -> None:
    newest = int(NOW // step) * step
    at = since = newest - 749 * step
    times: list[int] = []
    while at <= newest:
        page = await coinbase.fetch_ohlcv("BTC/USD", timeframe, since=at * 1000, limit=300)
        times += [bar[0] // 1000 for bar in page]
        at = times[-1] + step
    assert times == list(range(since, newest + 1, step))


async def test_more_than_350_candles_are_refused_in_coinbases_words(coinbase: Any) -> None:
    asked = {
        "product_id": "BTC-USD",
        "granularity": "ONE_DAY",
        "start": str(int(NOW) - 400 * DAY),
        "end": str(int(NOW)),
    }
    with pytest.raises(ccxt.ExchangeError, match="number of candles requested should be less than 350"):
        await coinbase.v3_public_get_brokerage_market_products_product_id_candles(asked)


async def test_an_unknown_product_is_refused_in_coinbases_words(coinbase: Any) -> None:
    with pytest.raises(ccxt.ExchangeError, match="valid product_id is required"):
        await coinbase.v3_public_get_brokerage_market_products_product_id({"product_id": "FOO-USD"})


async def test_a_snapshot_comes_first_and_batches_after(coinbase: Any, market: StillMarket) -> None:
    symbols = ["BTC/USD", "DOGE/USD", "PEPE/USD"]
    await soon(coinbase.watch_tickers(symbols))
    await until(lambda: set(symbols) <= set(coinbase.tickers))
    ticker = coinbase.tickers["PEPE/USD"]
    assert [ticker["last"], ticker["timestamp"]] == [market.days["PEPE"].last, NOW * 1000]
    assert ticker["info"]["high_52_w"] >= ticker["info"]["high_24_h"]
    market.move("DOGE", 0.155)
    market.move("BTC", 91_500.5)
    await until(
        lambda: coinbase.tickers["DOGE/USD"]["last"] == 0.155 and coinbase.tickers["BTC/USD"]["last"] == 91_500.5
    )


async def test_every_tick_comes_on_the_ticker_channel(coinbase: Any, market: StillMarket) -> None:
    assert (await soon(coinbase.watch_ticker("ETH/USD")))["last"] == market.days["ETH"].last
    for price in (3_101.25, 3_102.5):
        market.move("ETH", price)
        assert (await soon(coinbase.watch_ticker("ETH/USD")))["last"] == price


async def test_who_asks_for_the_usdc_product_hears_the_usd_product(coinbase: Any, market: StillMarket) -> None:
    assert (await soon(coinbase.watch_ticker("BTC/USDC")))["symbol"] == "BTC/USD"


async def test_messages_are_numbered_without_a_hole(site: CoinbaseSite, tmp_path: Path, market: StillMarket) -> None:
    async with client(site, tmp_path) as exchange:
        heard = overheard(exchange)
        await soon(exchange.watch_ticker("BTC/USD"))
        market.move("BTC", 91_001)
        await soon(exchange.watch_ticker("BTC/USD"))
        await exchange.subscribe_multiple("ticker_batch", False, ["ETH/USD"])
        await until(lambda: len(heard) >= 5)
    assert [message["sequence_num"] for message in heard] == list(range(len(heard)))
