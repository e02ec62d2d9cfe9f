"""Every fault of Yahoo's, alone, over real sockets and TLS: the streamer's side by side, the poll's one after another.

The poll's are in a row because yfinance has one session a process; their world is the quicker for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.config import Config, Crypto, Equity, Refresh
from engine.engine import Engine
from feeds.limits import policy_of
from feeds.link import Context, Feed
from feeds.network import Border
from feeds.yahoo_poll import YahooPoll
from feeds.yahoo_stream import YahooStream
from simulator.authority import Authority
from simulator.faults import Fault, Faults
from simulator.gateway import Gateway, Request, Socket
from tests.engine.runtime import no_makers
from tests.faults.test_crypto import RECOVERY_S
from tests.faults.world import NO_RULES, STEP_S, MovingMarket, Seen, Watch, WorldClock, observe, price_check
from tests.feeds.live import running
from tests.feeds.yahoo_site import YahooSite, pricing
from tests.simulator.still_market import still

SYMBOLS = ("IWM", "^RUT")
POLL_S = 5.0
LIMIT_S = 3 * POLL_S
SLACK_S = 4.0
SETTINGS = Config(
    crypto=Crypto((), baskets={}, alt=()),
    equity=Equity(symbols=SYMBOLS),
    refresh=Refresh(equity_poll_s=POLL_S, equity_poll_closed_s=POLL_S),
    rules=NO_RULES,
)


class MovingYahoo(YahooSite):
    """Yahoo on a market whose prices tell their own time."""

    def __init__(self, clock: WorldClock) -> None:
        super().__init__()
        self.market = MovingMarket(clock)
        for symbol, price in (("IWM", 259.46), ("^RUT", 2624.22)):
            self.market.days[symbol] = self.market.first[symbol] = still(price, 1e6)
        self._clock = clock

    def _price(self, symbol: str) -> float:
        return round(self.market.ticker("yahoo", symbol).last, 2)

    def row(self, symbol: str) -> Mapping[str, Any]:
        return {
            "symbol": symbol,
            "currency": "USD",
            "marketState": "REGULAR",
            "regularMarketPrice": self._price(symbol),
            "regularMarketTime": int(self._clock.now()),
            "regularMarketPreviousClose": round(self.market.first[symbol].last * 0.96, 2),
            "regularMarketVolume": 1_000_000 + int(self._clock.now()) % 100_000,
        }

    async def http(self, request: Request) -> Any:
        self.rows = {symbol: self.row(symbol) for symbol in SYMBOLS}
        return await super().http(request)

    async def socket(self, request: Request, socket: Socket) -> None:
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(self._pump(socket))
            async for _ in socket:
                pass
            pump.cancel()

    async def _pump(self, socket: Socket) -> None:
        while not socket.closed:
            for symbol in SYMBOLS:
                price = self._price(symbol)
                change = price - self.market.first[symbol].last * 0.96
                stamp = int(self._clock.now() * 1000)
                await socket.send(
                    pricing(id=symbol, price=price, change=change, time=stamp, market_hours=1, price_hint=2)
                )
            await self._clock.sleep(STEP_S)


@dataclass(frozen=True)
class Promise:
    """What is owed for one fault."""

    live: bool = False
    quiet: bool = False
    """One row stays live only by its channel: it grows old, and says so."""
    says: str = ""
    seconds: float = 10.0
    value: float | None = None
    named_s: float = 0.0
    stale: bool = True
    """Rows must have turned stale (a fault that is shorter than the limit of silence may pass unseen)."""


STREAM = {
    "refuse": Promise(says="refuses this host"),
    "dns": Promise(says="refuses this host"),
    "tls-stranger": Promise(says="TLS"),
    "tls-broken": Promise(),
    "slow-accept": Promise(says="no answer in time"),
    "die": Promise(seconds=3.0),
    "reset": Promise(says="broke off"),
    "half-open": Promise(seconds=20.0),
    "close": Promise(says="maintenance, back in a moment"),
    "silent": Promise(says="no data for", seconds=20.0),
    "frozen": Promise(says="stood still", seconds=20.0),
    "past": Promise(says="stood still", seconds=20.0),
    "skew": Promise(live=True),
    "duplicate": Promise(live=True),
    "shuffle": Promise(live=True),
    "burst": Promise(live=True, seconds=6.0),
    "truncated": Promise(says="no data for", seconds=20.0),
    "wrong-types": Promise(says="no data for", seconds=20.0),
    "unknown": Promise(says="no data for", seconds=20.0),
    "renamed": Promise(live=True, quiet=True, seconds=24.0),
    "delisted": Promise(live=True, quiet=True, seconds=24.0),
    "zero": Promise(says="no data for", seconds=20.0),
    "negative": Promise(says="no data for", seconds=20.0),
    "nan": Promise(says="no data for", seconds=20.0),
    "huge": Promise(says="no data for", seconds=20.0),
    "unavailable": Promise(says="not available (HTTP 503)"),
    "limited": Promise(says="rate limit", value=12.0, named_s=12.0 * 1.1),
    "teapot": Promise(says="rate limit"),
    "forbidden": Promise(says="refuses this place"),
    "geo-block": Promise(says="geo-block"),
}
POLL = {
    "unavailable": Promise(seconds=8.0, says="not available (HTTP 503)"),
    "limited": Promise(seconds=8.0, says="rate limit", value=8.0, named_s=8.0 * 1.1),
    "geo-block": Promise(seconds=8.0, says="geo-block"),
    "consent": Promise(seconds=8.0, says="consent"),
    "crumb-loop": Promise(seconds=8.0, says="crumb"),
    "empty": Promise(seconds=8.0, says="empty"),
    "html": Promise(seconds=8.0, says="web page"),
    "gzip-bomb": Promise(seconds=8.0, says="too large", value=96.0),
    "endless": Promise(seconds=8.0, stale=False),
    "truncated": Promise(seconds=8.0),
    "wrong-types": Promise(seconds=8.0, stale=False),
    "zero": Promise(seconds=8.0, says="no price"),
    "near-zero-previous": Promise(seconds=8.0, live=True),
}


def _engine(clock: WorldClock) -> Engine:
    return Engine(SETTINGS, clock, makers=no_makers)


async def streamed(kind: str, clock: WorldClock, folder: Path, authority: Authority, watch: Watch) -> None:
    site = MovingYahoo(clock)
    gateway = Gateway([site], authority, faults=Faults(seed=len(kind)), now=clock.monotonic)
    await gateway.start()
    await _observed(kind, STREAM[kind], YahooStream(SETTINGS), _engine(clock), gateway, site, folder / kind, watch)
    await gateway.stop()


async def polled(clock: WorldClock, folder: Path, authority: Authority, watches: Mapping[str, Watch]) -> None:
    for kind, promise in POLL.items():
        site = MovingYahoo(clock)
        gateway = Gateway([site], authority, faults=Faults(seed=len(kind)), now=clock.monotonic)
        await gateway.start()
        engine = _engine(clock)
        await _observed(
            kind, promise, YahooPoll(SETTINGS), engine, gateway, site, folder / f"poll-{kind}", watches[kind]
        )
        await gateway.stop()


async def _observed(
    kind: str,
    promise: Promise,
    feed: Feed,
    engine: Engine,
    gateway: Gateway,
    site: MovingYahoo,
    cache: Path,
    watch: Watch,
) -> None:
    context = Context(SETTINGS, engine.clock, engine, Border(gateway.proxy, gateway.ca_file, 1.5), cache)
    check = price_check(
        site.market, LIMIT_S + SLACK_S, past=kind == "past", quiet=watch.quiet if promise.quiet else None
    )
    fault = Fault(kind, value=promise.value)
    async with running(feed, context, policy_of(feed.kind)):
        await observe(
            engine, gateway, fault, promise.seconds, watch, check, named_s=promise.named_s, says=promise.says,
            stale=promise.stale and not promise.live,
        )  # fmt: skip


def _hold(promise: Promise, watch: Watch) -> None:
    assert watch.wrong == []
    assert not [text for text in watch.notices if "error" in text.lower()]
    if promise.live:
        assert watch.stayed_live, watch.statuses
        assert watch.states == ["live"]
    elif promise.stale:
        assert watch.was_stale, (watch.statuses, watch.states, watch.errors)
    assert not promise.says or any(promise.says in error for error in watch.errors), watch.errors
    assert watch.recovered_s is not None, (watch.states, watch.errors)
    assert watch.recovered_s <= RECOVERY_S + SLACK_S, watch.errors
    assert watch.reconnects <= 2 + promise.seconds / 2
    assert watch.too_often == []
    assert bool(watch.quiet) == promise.quiet


@pytest.mark.parametrize("kind", sorted(STREAM))
def test_streamer(kind: str, streamer: Seen) -> None:
    _hold(STREAM[kind], streamer.watches[kind])


@pytest.mark.parametrize("kind", sorted(POLL))
def test_poll(kind: str, poll: Seen) -> None:
    _hold(POLL[kind], poll.watches[kind])
