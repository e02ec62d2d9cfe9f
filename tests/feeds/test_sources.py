"""All feeds of a run: a new configuration disturbs only those that it concerns, and nothing is left at the end."""

from __future__ import annotations

import asyncio
import contextlib
import math
from dataclasses import replace
from pathlib import Path

import pytest

from engine.config import CoinGecko, Config, Crypto, Equity, Facts, Flows
from engine.config_looks import Appearance
from engine.model import FeedState
from feeds import sources
from feeds.link import Context, Feed, Link
from feeds.network import Border
from feeds.sources import Feeds, feeds
from tests.feeds.fakes import FakeClock, RecordingSink


def test_table_of_sources_follows_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    assert [(feed.source, feed.kind) for feed in feeds(Config())] == [
        ("coinbase", "crypto-stream"),
        ("kraken", "crypto-stream"),
        ("binance", "crypto-stream"),
        ("coinbase-bars", "crypto-bars"),
        ("kraken-bars", "crypto-bars"),
        ("binance-bars", "crypto-bars"),
        ("yahoo-stream", "equity-stream"),
        ("yahoo-poll", "equity-poll"),
        ("yahoo-bars", "equity-bars"),
        ("coingecko", "market-facts"),
        ("ssga", "fund-days"),
        ("yahoo-funds", "fund-days"),
        ("coingecko-categories", "outside-facts"),
        ("defillama", "outside-facts"),
        ("coinmetrics", "outside-facts"),
        ("alternative.me", "outside-facts"),
        ("nasdaqtrader", "outside-facts"),
    ]
    lean = Config(
        crypto=Crypto(("okx",)),
        equity=Equity(stream=False),
        coingecko=CoinGecko(enabled=False),
        flows=Flows(ssga=False, yahoo=False),
        facts=Facts(defillama=False, coinmetrics=False, sentiment=False, symbol_directory=False),
    )
    assert [feed.source for feed in feeds(lean)] == ["okx", "okx-bars", "yahoo-poll", "yahoo-bars"]


class Idle:
    """A feed that is live and does nothing."""

    def __init__(self, source: str, kind: str) -> None:
        self.source = source
        self.kind = kind

    async def run(self, context: Context, link: Link) -> None:
        link.up(self.source, math.inf)
        link.heard(self.source, None)
        await context.clock.sleep(math.inf)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    def table(config: Config) -> tuple[Feed, ...]:
        crypto = tuple(Idle(name, "crypto-stream") for name in config.crypto.exchanges)
        return (*crypto, Idle("yahoo-poll", "equity-poll"))

    monkeypatch.setattr(sources, "feeds", table)


@pytest.mark.usefixtures("idle")
async def test_reconfiguration_replaces_only_what_it_concerns() -> None:
    sink, clock = RecordingSink(), FakeClock()
    config = Config(crypto=Crypto(("a", "b")))
    running = Feeds(Context(config, clock, sink, Border(None, None, 5.0), Path("/nonexistent")))
    task = asyncio.create_task(running.run())
    await clock.settle()
    assert running.states == dict.fromkeys(("a", "b", "yahoo-poll"), FeedState.LIVE)
    sink.reports.clear()
    running.reconfigure(replace(config, appearance=Appearance("light")))
    await clock.settle()
    assert sink.reports == [], "a theme is nothing to a feed"
    running.reconfigure(replace(config, equity=Equity(("SPY",))))
    await clock.settle()
    assert {r.source for r in sink.reports} == {"yahoo-poll"}
    assert sink.states() == ["closed", "connecting", "live"]
    running.reconfigure(replace(config, crypto=Crypto(("b",)), equity=Equity(("SPY",))))
    await clock.settle()
    assert running.states == dict.fromkeys(("b", "yahoo-poll"), FeedState.LIVE)
    assert [r.state.value for r in sink.reports if r.source == "a"][-1] == "closed"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Mute(Idle):
    """A feed that gets through to nobody."""

    async def run(self, context: Context, link: Link) -> None:
        await context.clock.sleep(math.inf)


@pytest.mark.parametrize(("prices", "waits"), [(Idle, False), (Mute, True)])
async def test_what_comes_once_a_day_gives_way_to_prices_but_not_for_long(
    monkeypatch: pytest.MonkeyPatch, prices: type[Idle], waits: bool
) -> None:
    table = (Idle("funds", "fund-days"), prices("kraken", "crypto-stream"), Mute("kraken-bars", "crypto-bars"))
    monkeypatch.setattr(sources, "feeds", lambda config: table)
    sink, clock = RecordingSink(), FakeClock()
    running = Feeds(Context(Config(), clock, sink, Border(None, None, 5.0), Path("/nonexistent")))
    task = asyncio.create_task(running.run())
    await clock.settle()
    assert {r.source for r in sink.reports} == {"funds", "kraken", "kraken-bars"}, "every feed has its row at once"
    course = [running.states["funds"]]
    for seconds in (sources.LATER_S / 2, sources.LATER_S):
        await clock.advance(seconds)
        course.append(running.states["funds"])
    half_way = FeedState.CONNECTING if waits else FeedState.LIVE
    assert course == [FeedState.CONNECTING, half_way, FeedState.LIVE]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_feed_that_still_gives_way_is_closed_with_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    table = (Mute("kraken", "crypto-stream"), Idle("funds", "fund-days"))
    monkeypatch.setattr(sources, "feeds", lambda config: table)
    sink, clock = RecordingSink(), FakeClock()
    running = Feeds(Context(Config(), clock, sink, Border(None, None, 5.0), Path("/nonexistent")))
    task = asyncio.create_task(running.run())
    await clock.settle()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert [r.state for r in sink.reports if r.source == "funds"] == [FeedState.CONNECTING, FeedState.CLOSED]
