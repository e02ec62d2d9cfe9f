"""What befalls a symbol, a name or the machine itself while a feed runs: held by the rows of docs/reliability.md."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.config import Config, Crypto, Equity
from engine.engine import Engine
from engine.model import Snapshot
from feeds.crypto import CryptoStream
from feeds.link import Context
from feeds.markets import MarketLists
from feeds.network import Border
from feeds.supervisor import Supervisor
from simulator.authority import Authority
from simulator.gateway import Gateway
from tests.engine.runtime import no_makers
from tests.faults.test_crypto import SITES
from tests.faults.world import LIVE, NO_RULES, MovingMarket, WorldClock

Look = Callable[[Snapshot], bool]


class Changing(MovingMarket):
    """A market that may take a coin off its list."""

    gone: str | None = None

    def bases(self, venue: str) -> tuple[str, ...]:
        return tuple(base for base in super().bases(venue) if base != self.gone)


def settings(venue: str) -> Config:
    crypto = Crypto((venue,), baskets={"majors": ("BTC", "ETH", "DOGE")})
    return Config(crypto=crypto, equity=Equity(symbols=()), rules=NO_RULES)


def status_of(snapshot: Snapshot) -> dict[str, str]:
    return {row["symbol"]: row["status"] for row in snapshot.tables["quotes"].rows(named=True)}


def feed_of(snapshot: Snapshot) -> dict[str, Any]:
    """The only feed's row; empty where there is none yet."""
    return next(iter(snapshot.tables["feeds"].rows(named=True)), {})


class World:
    """One venue's stream under its supervisor, an engine, and time that passes."""

    def __init__(self, venue: str, folder: Path, clock: WorldClock) -> None:
        self.clock = clock
        self.market = Changing(clock)
        (folder / "authority").mkdir()
        self._authority = Authority(folder / "authority")
        self._venue = venue
        self._folder = folder
        self.gateway = Gateway([SITES[venue](self.market)], self._authority)
        self.engine = Engine(settings(venue), clock, makers=no_makers)
        self.engine.calendars_ready = lambda: False

    async def run(self, work: Callable[[World], Awaitable[None]], proxy: str | None = None) -> None:
        await self.gateway.start()
        border = Border(proxy or self.gateway.proxy, self.gateway.ca_file, 2.0)
        context = Context(self.engine.config, self.clock, self.engine, border, self._folder / "cache")
        feed = Supervisor(CryptoStream(self._venue, MarketLists()), context)
        tasks = [asyncio.create_task(feed.run()), asyncio.create_task(self.clock.run())]
        try:
            await work(self)
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await self.gateway.stop()
            self.engine.close()

    async def restarted(self) -> None:
        """The venue is back after a pause, with another list."""
        port = self.gateway.port
        await self.gateway.stop()
        self.gateway = Gateway([SITES[self._venue](self.market)], self._authority, port=port)
        await self.gateway.start()

    async def until(self, look: Look, seconds: float = 90.0) -> Snapshot:
        ends = self.clock.monotonic() + seconds
        while not look(snapshot := self.engine.beat()):
            assert self.clock.monotonic() < ends, (status_of(snapshot), snapshot.tables["feeds"].rows(named=True))
            await self.clock.sleep(0.25)
        return snapshot


def all_live(snapshot: Snapshot) -> bool:
    return (
        set(status_of(snapshot).values()) <= {"ok", "estimated"} and snapshot.tables["feeds"]["state"].eq("live").all()
    )


@pytest.mark.parametrize("venue", sorted(SITES))
async def test_denied(venue: str, tmp_path: Path) -> None:
    """A coin that the venue denies when it is asked again takes nobody with it, though the kept list still has it."""

    async def work(world: World) -> None:
        await world.until(all_live)
        world.market.gone = "DOGE"
        await world.restarted()
        await world.until(lambda s: "stale" in status_of(s).values())
        snapshot = await world.until(lambda s: status_of(s)["BTC/USD"] in LIVE and feed_of(s)["state"] == "live")
        assert status_of(snapshot)["DOGE/USD"] == "stale"
        if venue == "coinbase":  # the others take a name that they do not know, and say no word of it
            assert "DOGE" in feed_of(snapshot)["note"]

    await World(venue, tmp_path, WorldClock(4.0)).run(work)


async def test_no_dns(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        snapshot = await world.until(
            lambda s: s.tables["feeds"].height > 0 and s.tables["feeds"]["error"][0] is not None
        )
        assert "cannot be resolved" in snapshot.tables["feeds"]["error"][0]
        assert set(status_of(snapshot).values()) == {"warming"}

    await World("kraken", tmp_path, WorldClock(4.0)).run(work, "http://gateway.invalid:3128")


@pytest.mark.parametrize(("seconds", "timers"), [(8 * 3600.0, False), (8 * 3600.0, True), (-300.0, False)])
async def test_sleep(seconds: float, timers: bool, tmp_path: Path) -> None:
    """The machine slept: the wall clock is hours on, with the timers' clock or without it, and the sockets are dead."""

    async def work(world: World) -> None:
        await world.until(all_live)
        was = world.clock.monotonic()
        world.gateway.muted.update({"ws.kraken.com"})  # half-open: nobody told us that the other side is gone
        world.clock.jump(seconds, timers=timers)
        snapshot = await world.until(lambda s: "stale" in status_of(s).values())
        asleep = seconds if timers else 0.0
        assert world.clock.monotonic() - was - asleep <= 2.0
        assert set(status_of(snapshot).values()) == {"stale"}
        world.gateway.muted.clear()
        await world.until(all_live)
        assert world.clock.monotonic() - was - asleep <= 15.0

    await World("kraken", tmp_path, WorldClock(4.0)).run(work)
