"""A source that asks now and then is known to be lost when the network is, not at its next request."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.config import Config
from engine.errors import TransientError
from feeds import sources
from feeds.link import Context, Feed, Link
from feeds.lookout import FIRST_PAUSE_S, LONGEST_PAUSE_S, Lookout
from feeds.network import Border
from feeds.reach import reach
from feeds.sources import Feeds
from simulator.authority import Authority
from simulator.gateway import Gateway
from tests.feeds.fakes import FakeClock, RecordingSink
from tests.feeds.yahoo_site import YahooSite

NOWHERE = Border(None, None, 5.0)


class Stream:
    """A standing connection that breaks when it is told to."""

    source = "venue"
    kind = "crypto-stream"

    def __init__(self) -> None:
        self.broken = asyncio.Event()

    async def run(self, context: Context, link: Link) -> None:
        link.up("venue:tickers", math.inf)
        if self.broken.is_set():
            raise TransientError("connection refused")
        link.heard("venue:tickers", None)
        await self.broken.wait()
        raise TransientError("closed by the other side")


class Asking:
    """Asks once in an hour."""

    source = "asked"
    kind = "market-facts"
    hosts = ("api.example.com",)

    def __init__(self, network: Network) -> None:
        self.network = network
        self.asked = 0

    async def run(self, context: Context, link: Link) -> None:
        while True:
            link.up("asked:facts", math.inf)
            if self.network.gone:
                raise TransientError("connection refused")
            self.asked += 1
            link.heard("asked:facts", None)
            link.rests(3600.0)
            await context.clock.sleep(3600.0)


class Network:
    """What can be reached, and how often somebody looked."""

    def __init__(self) -> None:
        self.gone = False
        self.looks = 0

    async def reach(self, border: Border, host: str) -> None:
        self.looks += 1
        if self.gone:
            raise TransientError(f"{host} cannot be reached")


@asynccontextmanager
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Network, Stream, Asking, FakeClock]]:
    network, stream, clock = Network(), Stream(), FakeClock()
    asking = Asking(network)

    def table(config: Config) -> tuple[Feed, ...]:
        return stream, asking

    monkeypatch.setattr(sources, "feeds", table)
    monkeypatch.setattr(sources, "reach", network.reach)
    sink = RecordingSink()
    running = Feeds(Context(Config(), clock, sink, NOWHERE, Path("/nonexistent")))
    task = asyncio.create_task(running.run())
    await clock.settle()
    try:
        yield network, stream, asking, clock
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_when_a_stream_breaks_and_the_network_is_gone_what_asks_is_lost_too_and_asks_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as (network, stream, asking, clock):
        await clock.advance(100.0)
        assert (asking.asked, network.looks) == (1, 0)
        network.gone = True
        stream.broken.set()
        await clock.advance(1.0)
        assert network.looks == 1
        network.gone = False
        await clock.advance(15.0)
        assert asking.asked == 2, "it did not wait for the hour to end"


async def test_a_stream_that_breaks_alone_disturbs_nobody_and_looks_grow_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(monkeypatch) as (network, stream, asking, clock):
        for _ in range(600):  # a venue that accepts and then drops, for ten minutes
            stream.broken.set()
            await clock.settle()
            stream.broken.clear()
            await clock.advance(1.0)
        assert asking.asked == 1
        assert network.looks < 600 / LONGEST_PAUSE_S + 2 + math.log2(LONGEST_PAUSE_S / FIRST_PAUSE_S)


async def test_a_resting_feed_says_when_it_asks_next(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, clock = RecordingSink(), FakeClock()
    asking = Asking(Network())
    monkeypatch.setattr(sources, "feeds", lambda config: (asking,))
    task = asyncio.create_task(Feeds(Context(Config(), clock, sink, NOWHERE, Path("/nonexistent"))).run())
    await clock.settle()
    assert sink.last.next_at == clock.now() + 3600.0
    asking.network.gone = True
    await clock.advance(3601.0)
    assert sink.reports[-1].next_at is None
    assert sink.reports[-1].retry_at is not None
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_nobody_is_looked_for_before_something_is_lost() -> None:
    clock, network = FakeClock(), Network()
    task = asyncio.create_task(Lookout(clock, network.reach).run(list, lambda: NOWHERE))
    await clock.advance(3600.0)
    assert network.looks == 0
    task.cancel()


async def test_reach_makes_a_handshake_and_not_one_request(tmp_path: Path) -> None:
    site = YahooSite()
    gateway = Gateway([site], Authority(tmp_path))
    await gateway.start()
    border = Border(gateway.proxy, gateway.ca_file, 5.0)
    try:
        await reach(border, "query1.finance.yahoo.com")
        assert not site.requests
        with pytest.raises(TransientError):
            await reach(border, "no-such-site.example.com")
    finally:
        await gateway.stop()
    with pytest.raises(TransientError, match="proxy cannot be reached"):
        await reach(border, "query1.finance.yahoo.com")
    with pytest.raises(TransientError, match="refused"):
        await reach(Border(None, None, 5.0), border.proxy.rpartition("/")[2] if border.proxy else "")
