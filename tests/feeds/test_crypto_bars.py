"""Candles through real sockets: whole, from the best venue of each symbol, and only what the store lacks."""

from __future__ import annotations

import time
from pathlib import Path

from engine.model import Coverage, FeedState
from feeds.crypto_bars import CryptoBars
from feeds.link import Context
from feeds.markets import MarketLists
from simulator.binance import BinanceSite
from simulator.coinbase import CoinbaseSite
from simulator.gateway import Reply, Request
from simulator.kraken import KrakenSite
from tests.feeds.fakes import RecordingSink
from tests.feeds.live import context_of, running
from tests.feeds.venues import Refusing, config, gateway_with, market, quick
from tests.recorded.answers import until
from tests.simulator.still_market import DAY, NOW, StillMarket

__all__ = ["market", "quick"]


def spans(sink: RecordingSink) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """First and last open and distinct candles by symbol, interval and source."""
    times: dict[tuple[str, str, str], set[int]] = {}
    for bars in sink.bars:
        key = (bars.symbol, bars.interval, bars.source)
        times.setdefault(key, set()).update(int(t.timestamp()) for t in bars.frame["time"])
    return {key: (min(t), max(t), len(t)) for key, t in times.items() if t}


async def test_candles_come_whole_from_the_best_venue_of_each_symbol(market: StillMarket, tmp_path: Path) -> None:
    sink = RecordingSink()
    lists = MarketLists()
    wanted = config("coinbase", "binance", bases=("BTC", "DOGE"))
    async with gateway_with(tmp_path, CoinbaseSite(market), BinanceSite(market)) as gateway:
        context = context_of(gateway, sink, tmp_path, wanted, at=NOW)
        async with (
            running(CryptoBars("binance", lists), context),
            running(CryptoBars("coinbase", lists), context),
        ):
            await until(
                lambda: len(spans(sink)) >= 6 and spans(sink)[("DOGE/USD", "1m", "coinbase-bars")][2] >= 1440, 60.0
            )
    found = spans(sink)
    assert {source for _, _, source in found} == {"coinbase-bars"}
    days = [bars.older for bars in sink.bars if (bars.symbol, bars.interval) == ("DOGE/USD", "1d")]
    assert days == [True] * (len(days) - 1) + [False], "it is said until the whole past is there, and not beyond"
    assert not any(bars.older for bars in sink.bars if bars.interval != "1d")
    first, last, count = found["BTC/USD", "1d", "coinbase-bars"]
    assert (first, last) == (1_577_836_800, int(NOW // DAY) * DAY), "as far back as the venue serves"
    assert count == (last - first) // DAY + 1, "without a hole"
    for interval, step, back in (("1h", 3600, 90 * DAY), ("1m", 60, DAY)):
        first, last, count = found["DOGE/USD", interval, "coinbase-bars"]
        assert first <= NOW - back + step
        assert last == int(NOW // step) * step
        assert count == (last - first) // step + 1


async def test_only_what_the_store_lacks_is_fetched(market: StillMarket, tmp_path: Path) -> None:
    sink = RecordingSink()
    today = int(NOW // DAY) * DAY
    held = Coverage(1_577_836_800.0, today - 3.0 * DAY, 2000)
    sink.covered["BTC/USD", "1d", "kraken-bars"] = held
    async with gateway_with(tmp_path, KrakenSite(market)) as gateway:
        context = context_of(gateway, sink, tmp_path, config("kraken", bases=("BTC",)), at=NOW)
        async with running(CryptoBars("kraken", MarketLists()), context):
            await until(lambda: bool(sink.reports) and sink.last.settled)
    assert spans(sink)["BTC/USD", "1d", "kraken-bars"] == (today - 3 * DAY, today, 4)
    assert not any(bars.older for bars in sink.bars), "this venue has no more than what is held"


async def test_candles_of_a_blocked_venue_come_from_the_next(market: StillMarket, tmp_path: Path) -> None:
    sink = RecordingSink()
    lists = MarketLists()
    wanted = config("coinbase", "kraken", bases=("BTC",))
    async with gateway_with(tmp_path, Refusing(CoinbaseSite(market), Reply(451)), KrakenSite(market)) as gateway:
        context: Context = context_of(gateway, sink, tmp_path, wanted, at=NOW)
        async with (
            running(CryptoBars("coinbase", lists), context),
            running(CryptoBars("kraken", lists), context),
        ):
            await until(lambda: ("BTC/USD", "1m", "kraken-bars") in spans(sink))
    assert ("BTC/USD", "1d", "kraken-bars") in spans(sink)
    blocked = [r for r in sink.reports if r.source == "coinbase-bars" and r.state == FeedState.BLOCKED]
    assert blocked
    assert blocked[-1].settled


async def test_one_symbol_that_fails_is_named_and_keeps_nothing_back(market: StillMarket, tmp_path: Path) -> None:
    class Spiteful(KrakenSite):
        async def http(self, request: Request) -> Reply:
            if "OHLC" in request.path and request.first("pair") == "XXBTZUSD":
                return Reply.json({"error": []}, 503)
            return await super().http(request)

    sink = RecordingSink()
    async with gateway_with(tmp_path, Spiteful(market)) as gateway:
        context = context_of(gateway, sink, tmp_path, config("kraken", bases=("BTC", "ETH")), at=NOW)
        async with running(CryptoBars("kraken", MarketLists()), context):
            await until(lambda: bool(sink.reports) and "no candles of BTC" in (sink.last.note or ""), 60.0)
            assert "no candles of BTC 1d" in (sink.last.note or "")
            assert sink.last.settled
            await until(lambda: sink.last.done == 6)
    said = [(r.done, r.wanted) for r in sink.reports if r.wanted]
    assert said[0] == (0, 6)
    assert {wanted for _, wanted in said} == {6}
    assert [done for done, _ in said] == sorted(done or 0 for done, _ in said)
    assert {key[0] for key in spans(sink)} == {"ETH/USD"}
    assert {key[1] for key in spans(sink)} == {"1d", "1h", "1m"}


async def test_candles_go_on_soon_after_the_network_is_back(market: StillMarket, tmp_path: Path) -> None:
    sink = RecordingSink()
    async with gateway_with(tmp_path, KrakenSite(market)) as gateway:
        context = context_of(gateway, sink, tmp_path, config("kraken"), at=NOW)
        async with running(CryptoBars("kraken", MarketLists()), context):
            await until(lambda: len(spans(sink)) >= 2)
            await gateway.stop()
            await until(lambda: sink.last.reconnects >= 3)
            held = len(spans(sink))
            assert held < 9
            back = time.monotonic()
            await gateway.start()
            await until(lambda: len(spans(sink)) > held)
            assert time.monotonic() - back < 15.0
