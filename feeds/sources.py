"""The one table of sources, and their running: each feed under a supervisor of its own, all under one owner.

A new configuration replaces only the feeds that it concerns; a feed that fails is a status and ends no other.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.config import Config
from engine.model import FeedState
from feeds.crypto import CryptoStream
from feeds.crypto_bars import CryptoBars
from feeds.history import YahooBars
from feeds.link import Context, Feed
from feeds.markets import MarketLists
from feeds.network import Border
from feeds.public import CoinGecko
from feeds.supervisor import Supervisor
from feeds.yahoo_poll import YahooPoll
from feeds.yahoo_stream import YahooStream


def feeds(config: Config) -> tuple[Feed, ...]:
    """Every feed that a configuration asks for."""
    lists = MarketLists()
    table: list[Feed] = []
    if config.crypto.bases:
        table += [CryptoStream(name, lists) for name in config.crypto.exchanges]
        table += [CryptoBars(name, lists) for name in config.crypto.exchanges]
    if config.equity.symbols:
        poll = YahooPoll(config)
        if config.equity.stream:
            table.append(YahooStream(config, lost=poll.ask_now))
        table += [poll, YahooBars(config)]
    if config.coingecko.enabled:
        table.append(CoinGecko(config))
    return tuple(table)


class Feeds:
    """All feeds of one run. Made, run and reconfigured in one event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._supervisors: tuple[Supervisor, ...] = ()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Run every feed until cancelled; after `reconfigure`, those of the new configuration."""
        while True:
            self._changed.clear()
            self._supervisors = tuple(Supervisor(feed, self._context) for feed in feeds(self._context.config))
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(one.run(), name=f"supervisor {one.feed.source}") for one in self._supervisors
                ]
                await self._changed.wait()
                for task in tasks:
                    task.cancel()

    def reconfigure(self, config: Config) -> None:
        """Go on with `config`, where it differs in anything that a feed reads."""
        old = self._context.config
        self._context = replace(self._context, config=config, border=Border.of(config.network))
        if _read_by_feeds(old) != _read_by_feeds(config):
            self._changed.set()

    def retry(self) -> None:
        """Try again now whatever waits for its next attempt."""
        for one in self._supervisors:
            one.wake()

    @property
    def states(self) -> dict[str, FeedState]:
        """The state of every feed by its source."""
        return {one.feed.source: one.report.state for one in self._supervisors}


async def run_feeds(context: Context) -> None:
    """Run every feed of `context.config` until cancelled."""
    await Feeds(context).run()


def _read_by_feeds(config: Config) -> tuple[object, ...]:
    return (config.network, config.refresh, config.crypto, config.equity, config.coingecko)
