"""What tests of feeds that ask now and then share: a clock that tells of their pauses, and a gateway for one site."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine.clock import Clock
from engine.config import Config
from engine.model import Sink
from feeds.link import Context
from feeds.network import Border
from simulator.authority import Authority
from simulator.gateway import Gateway, Site
from tests.feeds.conftest import IN_SESSION


class Sleeps(Clock):
    """Notes how long it was told to sleep, and sleeps for ever."""

    def __init__(self, offset: float) -> None:
        super().__init__(offset)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.Event().wait()


@asynccontextmanager
async def asking(site: Site, config: Config, sink: Sink, folder: Path) -> AsyncIterator[Context]:
    """A context that leads to `site` alone, through a gateway of its own, on a clock that sleeps for ever."""
    (folder / "authority").mkdir()
    gateway = Gateway([site], Authority(folder / "authority"))
    await gateway.start()
    border = Border(proxy=gateway.proxy, ca_file=gateway.ca_file, timeout=3.0)
    try:
        yield Context(config, Sleeps(Clock.starting_at(IN_SESSION).offset), sink, border, folder / "cache")
    finally:
        await gateway.stop()
