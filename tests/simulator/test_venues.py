"""All three venues on the real market model: every book that ccxt.pro reads says what the model says."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp
import pytest

from simulator.binance import BinanceSite
from simulator.coinbase import CoinbaseSite
from simulator.fanout import Listener
from simulator.kraken import KrakenSite
from simulator.market import Market
from simulator.scenario import load
from simulator.venue import VenueSite
from tests.simulator.still_market import StillMarket, client, gateway, soon, unloaded, until

SITES: list[type[VenueSite]] = [BinanceSite, CoinbaseSite, KrakenSite]


@pytest.fixture(scope="module")
def market() -> Market:
    """The default scenario, ten minutes after it opened, standing still."""
    scenario = load("january-2026")
    at = scenario.start.timestamp() + 600
    return Market(scenario, lambda: at)


def digits(made: type[VenueSite], market: Market, base: str) -> int:
    """Decimals of a base's price at a venue: the model's, where the venue's grid is as fine."""
    return min(market.decimals(base), made.at_most_decimals)


@pytest.mark.parametrize("made", SITES)
async def test_rest_says_what_the_model_says(made: type[VenueSite], market: Market, tmp_path: Path) -> None:
    async with client(made(market), tmp_path) as exchange:
        tickers = await exchange.fetch_tickers()
    quote = market.quote_ccy(made.name)
    for base in market.bases(made.name):
        ticker, day = tickers[f"{base}/{quote}"], market.ticker(made.name, base)
        last = round(day.last, digits(made, market, base))
        assert [ticker["last"], ticker["baseVolume"]] == [last, pytest.approx(day.volume, abs=1e-7)]


@pytest.mark.parametrize("made", SITES)
async def test_the_socket_says_what_the_model_says(made: type[VenueSite], market: Market, tmp_path: Path) -> None:
    quote = market.quote_ccy(made.name)
    symbols = [f"{base}/{quote}" for base in market.bases(made.name)]
    async with client(made(market), tmp_path) as exchange:
        await soon(exchange.watch_tickers(symbols, {"name": "ticker"} if made is BinanceSite else {}))
        await until(lambda: set(symbols) <= set(exchange.tickers))
        for base, symbol in zip(market.bases(made.name), symbols, strict=True):
            ticker, day = exchange.tickers[symbol], market.ticker(made.name, base)
            to = digits(made, market, base)
            said = {key: ticker[key] for key in ("last", "bid", "high", "low")}
            assert said == {key: round(getattr(day, key), to) for key in said}
            assert ticker["ask"] == max(round(day.ask, to), round(ticker["bid"] + 10**-to, to))


@pytest.mark.parametrize("made", SITES)
async def test_the_running_daily_candle_ends_at_the_last_price(
    made: type[VenueSite], market: Market, tmp_path: Path
) -> None:
    symbol = f"BTC/{market.quote_ccy(made.name)}"
    async with client(made(market), tmp_path) as exchange:
        bars = await exchange.fetch_ohlcv(symbol, "1d", since=int((market.now() - 5 * 86_400) * 1000), limit=300)
    assert len(bars) == 5
    assert bars[-1][4] == market.ticker(made.name, "BTC").last


def test_venues_differ_by_a_plausible_basis(market: Market) -> None:
    prices = [market.ticker(made.name, "BTC").last * market.fx(market.quote_ccy(made.name)) for made in SITES]
    assert len(set(prices)) == len(SITES)
    assert max(prices) / min(prices) - 1 < 0.002


async def test_a_client_that_does_not_read_is_cut_off_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listener, "LIMIT", 64)
    monkeypatch.setattr(KrakenSite, "cadence", 0.005)
    still = StillMarket()
    site = KrakenSite(still)
    async with gateway(site, tmp_path) as made, unloaded("kraken", made) as reader:
        trust = ssl.create_default_context(cafile=made.ca_file)
        async with aiohttp.ClientSession() as session:
            deaf = await session.ws_connect("https://ws.kraken.com/v2", proxy=made.proxy, ssl=trust)
            await deaf.send_json({"method": "subscribe", "params": {"channel": "ticker", "symbol": ["BTC/USD"]}})
            await until(lambda: len(site.listeners) == 1)
            (slow,) = site.listeners
            await reader.load_markets()
            await soon(reader.watch_ticker("BTC/USD"))
            assert len(site.listeners) == 2
            for _ in range(Listener.LIMIT + 1):
                slow.put("{}")
            await until(lambda: slow not in site.listeners)
            assert len(site.listeners) == 1
            still.move("BTC", 91_234.5)
            await until(lambda: reader.tickers["BTC/USD"]["last"] == 91_234.5)
            await deaf.close()
