"""The one table of sources, and their running: each feed under a supervisor of its own, all under one owner.

A new configuration replaces only the feeds that it concerns; a feed that fails is a status and ends no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from engine.config import Config
from engine.model import FeedState
from feeds import outside_facts
from feeds.crypto import CryptoStream
from feeds.crypto_bars import CryptoBars
from feeds.funds import FundFiles, Ssga, YahooFunds, ssga_funds
from feeds.history import YahooBars
from feeds.limits import policy_of
from feeds.link import Context, Feed
from feeds.lookout import Lookout
from feeds.markets import MarketLists
from feeds.network import Border
from feeds.public import CoinGecko
from feeds.reach import reach
from feeds.supervisor import Supervisor
from feeds.yahoo_poll import YahooPoll
from feeds.yahoo_stream import YahooStream

PRICES: Final = frozenset({"crypto-stream", "equity-stream", "equity-poll"})
UNHURRIED: Final = frozenset({"fund-days", "outside-facts"})
"""Kinds of feeds that give way to prices at the start: they bring what changes once a day, in large answers."""
LATER_S: Final = 3.0
"""The longest that they do."""
LOOK_S: Final = 0.05


class _Running(NamedTuple):
    """One feed's keeper, and the parts of the configuration that it was made from."""

    made_from: tuple[object, ...]
    supervisor: Supervisor
    task: asyncio.Task[None]


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
    if config.flows.files:
        table.append(FundFiles(config))
    if config.flows.ssga and ssga_funds(config):
        table.append(Ssga(config))
    if config.flows.yahoo and config.flows.funds:
        table.append(YahooFunds(config))
    table += outside_facts.feeds(config)
    return tuple(table)


class Feeds:
    """All feeds of one run. Made, run and reconfigured in one event loop."""

    def __init__(self, context: Context, bordered: Callable[[Config], Config] = lambda config: config) -> None:
        """bordered: gives every later configuration the network of this run."""
        self._context = context
        self._bordered = bordered
        self._running: dict[str, _Running] = {}
        """By source."""
        self._changed = asyncio.Event()
        self._lookout = Lookout(context.clock, reach)

    async def run(self) -> None:
        """Run every feed until cancelled; after `reconfigure`, those of the new configuration."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lookout.run(self._supervisors, lambda: self._context.border), name="lookout")
            while True:
                self._changed.clear()
                config = self._context.config
                wanted = {feed.source: feed for feed in feeds(config)}
                made_from = {source: _read_by(feed, config) for source, feed in wanted.items()}
                await self._end([s for s, one in self._running.items() if made_from.get(s) != one.made_from])
                for source, feed in wanted.items():
                    if source not in self._running:
                        supervisor = Supervisor(
                            feed, self._context, policy=policy_of(feed.kind), lost=self._lookout.lost
                        )
                        life = self._later(supervisor) if feed.kind in UNHURRIED else supervisor.run()
                        task = group.create_task(life, name=f"supervisor {source}")
                        self._running[source] = _Running(made_from[source], supervisor, task)
                await self._changed.wait()

    async def _later(self, supervisor: Supervisor) -> None:
        """Run a feed of what comes once a day as soon as the prices are there, and soon in any case."""
        clock, sink = self._context.clock, self._context.sink
        sink.report_feed(supervisor.report)  # it stands in its row at once
        until = clock.monotonic() + LATER_S
        try:
            while clock.monotonic() < until and not self._priced():
                await clock.sleep(LOOK_S)
        except asyncio.CancelledError:
            sink.report_feed(supervisor.report._replace(state=FeedState.CLOSED))
            raise
        await supervisor.run()

    def _priced(self) -> bool:
        """Whether every feed of prices has got through."""
        return all(s.alive for s in self._supervisors() if s.feed.kind in PRICES)

    def _supervisors(self) -> list[Supervisor]:
        return [one.supervisor for one in self._running.values()]

    async def _end(self, sources: list[str]) -> None:
        """End what a new configuration changes, before its successor speaks by the same name."""
        tasks = [self._running.pop(source).task for source in sources]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def reconfigure(self, config: Config) -> None:
        """Go on with `config`; feeds that read nothing of what changed are not disturbed."""
        config = self._bordered(config)
        self._context = replace(self._context, config=config, border=Border.of(config.network))
        self._changed.set()

    def retry(self) -> int:
        """Try again now whatever waits for its next attempt; how many feeds that were."""
        return sum([one.supervisor.wake() for one in self._running.values()])

    @property
    def states(self) -> dict[str, FeedState]:
        """The state of every feed by its source."""
        return {source: one.supervisor.report.state for source, one in self._running.items()}


async def run_feeds(context: Context) -> None:
    """Run every feed of `context.config` until cancelled."""
    await Feeds(context).run()


def _read_by(feed: Feed, config: Config) -> tuple[object, ...]:
    """The parts of a configuration that a feed depends on."""
    if feed.kind.startswith("crypto"):
        return config.network, config.refresh, config.crypto
    if feed.kind == "fund-days":
        return config.network, config.flows
    if feed.kind == "outside-facts":
        return config.network, config.facts, config.coingecko
    parts = (
        config.network,
        config.refresh,
        config.crypto,
        config.equity,
        config.coingecko,
        config.spreads,
        config.levels,
    )
    return (*parts, config.regime) if feed.kind == "equity-bars" else parts
