"""A feed under its supervisor, against a gateway: what the tests with real sockets share."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine.clock import Clock
from engine.config import Config
from engine.model import Sink
from feeds.link import Context, Feed
from feeds.network import Border
from feeds.supervisor import Policy, Supervisor
from simulator.gateway import Gateway


def context_of(
    gateway: Gateway, sink: Sink, folder: Path, config: Config | None = None, *, at: float | None = None
) -> Context:
    """A context whose border is `gateway`; at: what the run's clock reads now, epoch seconds."""
    clock = Clock(0.0 if at is None else at - time.time())
    return Context(config or Config(), clock, sink, Border(gateway.proxy, gateway.ca_file, 5.0), folder / "cache")


@asynccontextmanager
async def running(feed: Feed, context: Context, policy: Policy | None = None) -> AsyncIterator[Supervisor]:
    """The feed under its supervisor; ended, with all its tasks, on the way out."""
    supervisor = Supervisor(feed, context, policy=policy)
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
