"""A supervised feed is retried for ever, never spins, and says at once and in words what is wrong."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from engine.config import Config
from engine.errors import BlockedError, FatalError, RateLimitedError, TransientError
from engine.model import FeedState
from feeds.limits import policy_of
from feeds.link import Context, Link
from feeds.network import Border
from feeds.supervisor import Policy, Supervisor
from tests.feeds.fakes import FakeClock, RecordingSink

Life = Callable[[Link, FakeClock], Awaitable[None]]


class ScriptedFeed:
    """Lives its lives in order; the last one again and again."""

    source = "venue"
    kind = "crypto-stream"

    def __init__(self, *lives: Life) -> None:
        self._lives = lives
        self.begun: list[float] = []

    async def run(self, context: Context, link: Link) -> None:
        assert isinstance(context.clock, FakeClock)
        self.begun.append(context.clock.monotonic())
        await self._lives[min(len(self.begun), len(self._lives)) - 1](link, context.clock)


@asynccontextmanager
async def supervised(
    feed: ScriptedFeed, policy: Policy | None = None
) -> AsyncIterator[tuple[Supervisor, FakeClock, RecordingSink]]:
    clock, sink = FakeClock(), RecordingSink()
    context = Context(Config(), clock, sink, Border(None, None, 10.0), Path("/nonexistent"))
    supervisor = Supervisor(feed, context, policy=policy, rng=random.Random(1))
    task = asyncio.create_task(supervisor.run())
    await clock.settle()
    try:
        yield supervisor, clock, sink
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def fails(error: Exception) -> Life:
    async def life(link: Link, clock: FakeClock) -> None:
        raise error

    return life


def ticks(every: float = 1.0, count: float = math.inf, frozen_from: float = math.inf) -> Life:
    """Subscribed, then a message every so often, whose venue time stands still from `frozen_from` seconds on."""

    async def life(link: Link, clock: FakeClock) -> None:
        link.up("venue:tickers", 15.0)
        began = clock.now()
        n = 0
        while n < count:
            n += 1
            link.heard("venue:tickers", min(clock.now(), began + frozen_from))
            await clock.sleep(every)
        await clock.sleep(math.inf)

    return life


async def test_channel_is_up_with_its_first_message_and_not_with_the_subscription() -> None:
    async def subscribed(link: Link, clock: FakeClock) -> None:
        link.up("venue:tickers", 15.0)
        await clock.sleep(3.0)
        link.heard("venue:tickers", clock.now())
        await clock.sleep(math.inf)

    async with supervised(ScriptedFeed(subscribed)) as (_, clock, sink):
        await clock.advance(2.9)
        assert (sink.states(), sink.channels) == (["connecting"], [])
        await clock.advance(0.2)
        assert sink.states() == ["connecting", "live"]
        assert [(c.channel, c.up, c.silence_limit_s) for c in sink.channels] == [("venue:tickers", True, 15.0)]


async def test_lost_connection_takes_its_channels_down_at_once_and_names_cause_and_retry() -> None:
    async def drops(link: Link, clock: FakeClock) -> None:
        link.up("venue:tickers", 15.0)
        link.heard("venue:tickers", clock.now())
        await clock.sleep(5.0)
        raise ConnectionResetError("reset")

    async with supervised(ScriptedFeed(drops, ticks())) as (_, clock, sink):
        await clock.advance(5.0)
        assert sink.channels[-1].up is False
        assert sink.state() == FeedState.RECONNECTING
        assert sink.last.error == "the connection was closed by the other side"
        assert sink.last.retry_at is not None
        assert 1.0 <= sink.last.retry_at - clock.now() <= 1.25
        await clock.advance(1.3)
        assert sink.state() == FeedState.LIVE
        assert sink.last.error is not None, "kept until the feed has been healthy for a while"
        assert sink.last.reconnects == 1
        await clock.advance(31.0)
        assert sink.last.error is None


async def test_silence_ends_the_connection() -> None:
    async with supervised(ScriptedFeed(ticks(count=3), ticks())) as (_, clock, sink):
        await clock.advance(17.0)
        assert sink.state() == FeedState.LIVE
        await clock.advance(1.0)
        assert "stale" in sink.states()
        assert sink.channels[-1].up is False
        assert sink.last.error is not None
        assert sink.last.error.startswith("no data for 15 s")
        await clock.advance(2.0)
        assert sink.state() == FeedState.LIVE


async def test_venue_times_that_stand_still_are_silence_and_stay_so_over_a_reconnect() -> None:
    frozen_at = 1_768_000_005.0

    async def still_frozen(link: Link, clock: FakeClock) -> None:
        link.up("venue:tickers", 15.0)
        while True:
            link.heard("venue:tickers", frozen_at)
            await clock.sleep(1.0)

    async with supervised(ScriptedFeed(ticks(frozen_from=5.0), still_frozen, ticks())) as (_, clock, sink):
        await clock.advance(21.5)
        assert sink.channels[-1].up is False
        assert sink.last.error == "the venue's times have stood still for 15 s"
        await clock.advance(10.0)
        assert sink.state() == FeedState.RECONNECTING, "the same old times do not make it live again"
        await clock.advance(12.0)
        assert sink.state() == FeedState.LIVE


async def test_quiet_channel_without_limit_is_never_silent() -> None:
    async def closed_market(link: Link, clock: FakeClock) -> None:
        link.up("venue:tickers", math.inf)
        link.heard("venue:tickers", None)
        await clock.sleep(math.inf)

    async with supervised(ScriptedFeed(closed_market)) as (_, clock, sink):
        await clock.advance(1800.0)
        assert sink.state() == FeedState.LIVE


async def test_back_off_grows_to_its_ceiling_never_spins_and_never_gives_up() -> None:
    feed = ScriptedFeed(fails(ConnectionRefusedError("refused")))
    async with supervised(feed) as (_, clock, sink):
        await clock.advance(900.0)
        gaps = [b - a for a, b in zip(feed.begun, feed.begun[1:], strict=False)]
        assert min(gaps) >= 1.0
        assert max(gaps) <= 8.25
        assert len(gaps) > 100
        assert gaps[4:] != sorted(gaps[4:]), "jitter"
        assert sink.last.error == "connection refused"


async def test_accept_and_drop_does_not_reset_the_back_off() -> None:
    async def accepts_and_drops(link: Link, clock: FakeClock) -> None:
        link.up("venue:tickers", 15.0)
        link.heard("venue:tickers", clock.now())
        raise ConnectionResetError

    feed = ScriptedFeed(accepts_and_drops)
    async with supervised(feed) as (_, clock, _sink):
        await clock.advance(600.0)
        assert len(feed.begun) < 110


async def test_slow_failures_count_as_part_of_the_pause() -> None:
    async def times_out(link: Link, clock: FakeClock) -> None:
        await clock.sleep(10.0)
        raise TimeoutError

    feed = ScriptedFeed(times_out)
    async with supervised(feed) as (_, clock, _sink):
        await clock.advance(120.0)
        gaps = [b - a for a, b in zip(feed.begun, feed.begun[1:], strict=False)]
        assert max(gaps) <= 11.3, "a network that is back is used within 15 s"


async def test_the_time_in_which_a_socket_was_found_to_be_dead_is_pause_enough() -> None:
    async def delivers_and_dies(link: Link, clock: FakeClock) -> None:
        link.up("venue:tickers", 15.0)
        link.heard("venue:tickers", clock.now())
        await clock.sleep(9.0)
        raise TransientError("the connection is dead")

    feed = ScriptedFeed(*(fails(ConnectionRefusedError("refused")) for _ in range(5)), delivers_and_dies)
    async with supervised(feed) as (_, clock, _sink):
        await clock.advance(180.0)
        gaps = [b - a for a, b in zip(feed.begun, feed.begun[1:], strict=False)]
        assert len(gaps) > 12
        assert max(gaps) <= 9.0 + 1.25 + 0.1, "not another eight seconds on top of it"


async def test_retry_after_is_honoured() -> None:
    feed = ScriptedFeed(fails(RateLimitedError("slow down", 40.0)), ticks())
    async with supervised(feed) as (_, clock, sink):
        assert sink.state() == FeedState.RATE_LIMITED
        assert sink.last.retry_at is not None
        assert sink.last.retry_at >= clock.now() + 40.0
        await clock.advance(39.9)
        assert len(feed.begun) == 1
        await clock.advance(4.2)
        assert sink.state() == FeedState.LIVE


async def test_a_refusal_that_is_over_is_noticed_within_a_quarter_of_a_minute() -> None:
    feed = ScriptedFeed(*[fails(BlockedError("geo-block"))] * 40, ticks())
    async with supervised(feed) as (_, clock, sink):
        assert sink.state() == FeedState.BLOCKED
        await clock.advance(600.0)
        pauses = [b - a for a, b in pairwise(feed.begun)]
        assert max(pauses) <= 11.25
        assert min(pauses) >= 5.0
        assert sink.state() == FeedState.LIVE


async def test_history_that_is_refused_is_asked_for_rarely() -> None:
    assert policy_of("crypto-stream").blocked_ceiling < 15.0
    feed = ScriptedFeed(fails(BlockedError("geo-block")), ticks())
    async with supervised(feed, policy_of("crypto-bars")) as (_, clock, sink):
        await clock.advance(59.0)
        assert len(feed.begun) == 1
        await clock.advance(8.0)
        assert sink.state() == FeedState.LIVE


async def test_an_error_is_reported_without_the_secret_that_it_names() -> None:
    feed = ScriptedFeed(fails(TransientError("GET https://example.org/?api_key=0123456789abcdef failed")), ticks())
    async with supervised(feed) as (supervisor, _, sink):
        assert "0123456789" not in str(supervisor.report.error)
        assert "failed" in str(supervisor.report.error)
        assert all("0123456789" not in str(report.error) for report in sink.reports)


async def test_what_no_retry_can_help_is_tried_again_when_woken_or_much_later() -> None:
    feed = ScriptedFeed(fails(FatalError("no such venue")), ticks())
    async with supervised(feed) as (supervisor, clock, sink):
        assert sink.state() == FeedState.FAILED
        await clock.advance(600.0)
        assert len(feed.begun) == 1
        assert supervisor.wake()
        await clock.settle()
        assert sink.state() == FeedState.LIVE
        assert not supervisor.wake(), "nothing waits any more"


@pytest.mark.parametrize("seconds", [3 * 3600.0, -600.0])
async def test_a_machine_that_slept_or_was_set_has_lost_its_connections(seconds: float) -> None:
    feed = ScriptedFeed(ticks())
    async with supervised(feed) as (_, clock, sink):
        await clock.advance(5.0)
        assert sink.state() == FeedState.LIVE
        clock.jump(seconds)
        await clock.advance(0.6)
        assert sink.channels[-1].up is False
        assert sink.last.error == f"the clock jumped by {seconds + 0.5:+,.0f} s: the machine slept, or it was set"
        await clock.advance(2.0)
        assert sink.state() == FeedState.LIVE
        assert len(feed.begun) == 2


async def test_feed_that_never_subscribes_is_ended() -> None:
    async def hangs(link: Link, clock: FakeClock) -> None:
        await clock.sleep(math.inf)

    async with supervised(ScriptedFeed(hangs, ticks())) as (_, clock, sink):
        await clock.advance(63.0)
        assert sink.state() == FeedState.LIVE
        assert sink.last.error == "no answer while connecting for 60 s"


async def test_bug_in_a_feed_is_said_and_healed(caplog: pytest.LogCaptureFixture) -> None:
    async with supervised(ScriptedFeed(fails(KeyError("px")), ticks())) as (_, clock, sink):
        assert sink.state() == FeedState.RECONNECTING
        assert sink.last.error == "unexpected KeyError: 'px'"
        await clock.advance(2.0)
        assert sink.state() == FeedState.LIVE
    assert "failed unexpectedly" in caplog.text


async def test_rate_is_published_about_once_a_second() -> None:
    async with supervised(ScriptedFeed(ticks(every=0.1))) as (_, clock, sink):
        await clock.advance(20.0)
        assert sink.last.rate == pytest.approx(10.0, rel=0.1)
        assert len(sink.reports) < 25


async def test_cancelled_supervisor_ends_at_once_and_says_closed() -> None:
    async with supervised(ScriptedFeed(ticks())) as (_, clock, sink):
        await clock.advance(1.0)
    assert sink.state() == FeedState.CLOSED
    assert sink.channels[-1].up is False


async def test_one_channel_lost_leaves_the_others_live() -> None:
    async def half(link: Link, clock: FakeClock) -> None:
        link.up("a", math.inf)
        link.up("b", math.inf)
        link.heard("a", None)
        link.heard("b", None)
        await clock.sleep(1.0)
        link.down("b", "the venue dropped it")
        await clock.sleep(math.inf)

    async with supervised(ScriptedFeed(half)) as (_, clock, sink):
        await clock.advance(3.0)
        assert (sink.channels[-1].channel, sink.channels[-1].up) == ("b", False)
        assert sink.state() == FeedState.LIVE
        assert sink.last.error == "b: the venue dropped it"


async def test_one_time_far_ahead_does_not_silence_a_channel() -> None:
    async def poisoned(link: Link, clock: FakeClock) -> None:
        link.up("venue:tickers", 15.0)
        link.heard("venue:tickers", clock.now() + 1e9)
        while True:
            link.heard("venue:tickers", clock.now())
            await clock.sleep(1.0)

    async with supervised(ScriptedFeed(poisoned)) as (_, clock, sink):
        await clock.advance(60.0)
        assert sink.states() == ["connecting", "live"]


async def test_transient_error_keeps_its_words() -> None:
    async with supervised(ScriptedFeed(fails(TransientError("the crumb was refused")))) as (_, _clock, sink):
        assert sink.last.error == "the crumb was refused"
