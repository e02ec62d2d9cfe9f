"""A feed's keeper: whatever its library does, the feed is retried for ever, never in a spin, and never in silence.

It alone decides about retries. A life of the feed ends by its own error, by its own return, or because a channel went
silent; each is said in words, the channels are reported down at once, and the next life starts after a back-off that is
reset only by healthy uptime: a venue that accepts and then drops does not earn a quick retry.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from engine import garbage
from engine.errors import BlockedError, FatalError, FeedError, RateLimitedError, TransientError
from engine.logs import redacted
from engine.model import FeedReport, FeedState
from feeds.health import Health
from feeds.link import Asks, Context, Feed
from feeds.translate import let_go, translate, words

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient a supervisor is; all in seconds."""

    floor: float = 1.0
    """Never less between two lives, whatever went before."""
    ceiling: float = 8.0
    """Most between the *starts* of two lives while the failures are transient: a network that is back is used soon."""
    limited_first: float = 5.0
    """First pause after a rate limit that names no time; doubles."""
    limited_ceiling: float = 10.0
    """Six requests a minute are within every venue's limit, and a limit that is over is soon noticed."""
    blocked_first: float = 5.0
    """First pause after a geo-block or a refusal; doubles."""
    blocked_ceiling: float = 10.0
    """As for a limit: who was let in again, or changed the proxy, is live within a quarter of a minute."""
    fatal: float = 900.0
    """Pause after an error that no retry can help; a changed configuration wakes it."""
    longest: float = 21_600.0
    """Most that a source's own Retry-After is believed."""
    healthy: float = 30.0
    """Live for so long resets the back-off and forgets the last error."""
    connect: float = 60.0
    """A life that has not subscribed, delivered or settled anything by then is ended."""
    tick: float = 0.5
    """How often the watchdog looks."""
    jump: float = 10.0
    """A look that finds the wall clock further on than this, or further back, finds a machine that slept."""
    leave: float = 5.0
    """How long a feed may take to end once it is told to."""


class Supervisor:
    """Runs one feed for ever under one policy; see the module's docstring."""

    def __init__(
        self,
        feed: Feed,
        context: Context,
        *,
        policy: Policy | None = None,
        rng: random.Random | None = None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        """lost: called when a life ends badly that had been live."""
        self.feed = feed
        self._lost = lost
        self._doubt: asyncio.Future[None] | None = None
        self._context = context
        self._clock = context.clock
        self._policy = policy or Policy()
        self._random = rng or random.Random()
        self._failures = 0
        self._lives = 0
        self._state = FeedState.CONNECTING
        self._error: str | None = None
        self._retry_at: float | None = None
        self._wake = asyncio.Event()
        self._leaving: set[asyncio.Task[None]] = set()
        self._health = Health(feed.source, context.sink, context.clock, self._changed)
        self.report = self._make_report()
        """The newest report that the sink was given."""

    @property
    def alive(self) -> bool:
        """Whether any channel of the feed is up."""
        return self._health.alive

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that the feed asks now and then; none where a standing connection shows itself that it is lost."""
        return self.feed.hosts if isinstance(self.feed, Asks) else ()

    def doubt(self, error: FeedError) -> None:
        """End this life: somebody found out that the source cannot be reached. Call it from the feed's own loop."""
        if self._doubt is not None and not self._doubt.done():
            self._doubt.set_exception(error)

    def wake(self) -> bool:
        """Try again now if a retry is being waited for, and say whether it is. Call it from the feed's own loop."""
        self._wake.set()
        return self._retry_at is not None

    async def run(self) -> None:
        """Keep the feed alive until cancelled."""
        try:
            while True:
                started = self._clock.monotonic()
                self._enter(FeedState.RECONNECTING if self._lives else FeedState.CONNECTING)
                error = await self._live_once()
                garbage.sweep()
                self._lives += 1
                await self._rest(error, self._clock.monotonic() - started)
        finally:
            self._health.lost()
            self._retry_at = None
            self._enter(FeedState.CLOSED)

    async def _live_once(self) -> FeedError:
        """One life of the feed; returns why it ended."""
        self._health.start()
        task = asyncio.create_task(self.feed.run(self._context, self._health), name=f"feed {self.feed.source}")
        watch = asyncio.create_task(self._watch(), name=f"watchdog {self.feed.source}")
        self._doubt = doubt = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait({task, watch, doubt}, return_when=asyncio.FIRST_COMPLETED)
            if self._health.healthy_since is not None:
                self._lost()
            if doubt.done() and isinstance(told := doubt.exception(), FeedError):
                return told
            if task.done():
                return self._reason(task)
            error = watch.exception()
            if not isinstance(error, FeedError):  # the watchdog itself broke: never leave a feed unwatched
                log.error("the watchdog of %s failed", self.feed.source, exc_info=error)
                error = TransientError(f"watchdog failed: {error}")
            return error
        finally:
            doubt.cancel()
            self._health.lost()
            await self._end(task, watch)

    def _reason(self, task: asyncio.Task[None]) -> FeedError:
        if task.cancelled():
            return TransientError("the connection was cancelled")
        raised = task.exception()
        if raised is None:
            return TransientError("the connection ended")
        try:
            return self._said(raised)
        finally:
            let_go(raised)

    def _said(self, raised: BaseException) -> FeedError:
        error = translate(raised)
        if error is None:
            log.error("%s failed unexpectedly", self.feed.source, exc_info=raised)
            while isinstance(raised, BaseExceptionGroup):
                raised = raised.exceptions[0]
            return TransientError(f"unexpected {type(raised).__name__}: {words(str(raised))}")
        log.info("%s: %s", self.feed.source, error)
        return error

    async def _end(self, *tasks: asyncio.Task[None]) -> None:
        """Cancel tasks and wait for them, but not for ever; what lingers stays owned until it is gone."""
        for task in tasks:
            task.cancel()
        self._leaving.update(tasks)
        for task in tasks:
            task.add_done_callback(self._left)
        _, late = await asyncio.wait(tasks, timeout=self._policy.leave)
        for task in late:
            log.warning("%s does not end", task.get_name())

    def _left(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio has nothing to complain of

    async def _watch(self) -> None:
        """Look at the channels, publish the rate once a second, and raise when the feed is silent."""
        policy, health = self._policy, self._health
        reported, wall = self._clock.monotonic(), self._clock.now()
        while True:
            await self._clock.sleep(policy.tick)
            now = self._clock.monotonic()
            slept, wall = self._clock.now() - wall, self._clock.now()
            if abs(slept) > policy.jump:  # whatever came before is as old as that, and its sockets are dead
                raise TransientError(f"the clock jumped by {slept:+,.0f} s: the machine slept, or it was set")
            if silent := health.silent(now):
                self._error = silent
                health.lost()
                self._enter(FeedState.STALE)
                raise TransientError(silent)
            if not health.contact and now - health.started > policy.connect:
                raise TransientError(f"no answer while connecting for {policy.connect:.0f} s")
            if health.healthy_since is not None and now - health.healthy_since >= policy.healthy:
                self._failures = 0
                if not health.trouble:
                    self._error = None
            if now - reported >= 1.0:
                reported = now
                health.measure(now)
                self._publish()

    async def _rest(self, error: FeedError, lasted: float) -> None:
        """Say why the life ended, and pause until the next may begin or somebody wakes us."""
        self._failures += 1
        delay = self._delay(error, lasted)
        self._error = redacted(str(error))
        self._retry_at = self._clock.now() + delay
        self._wake.clear()
        if isinstance(error, BlockedError):
            self._enter(FeedState.BLOCKED)
        elif isinstance(error, RateLimitedError):
            self._enter(FeedState.RATE_LIMITED)
        elif isinstance(error, FatalError):
            self._enter(FeedState.FAILED)
        else:
            self._enter(FeedState.RECONNECTING)
        pause = asyncio.ensure_future(self._clock.sleep(delay))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({pause, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            woken.cancel()
        self._retry_at = None

    def _delay(self, error: FeedError, lasted: float) -> float:
        """Seconds to wait, with jitter; what a source asked for is only ever lengthened by it."""
        policy, doublings = self._policy, min(self._failures - 1, 16)
        grown = float(2**doublings)
        if isinstance(error, RateLimitedError):
            pause = min(policy.limited_first * grown, policy.limited_ceiling)
            if error.retry_after is not None:
                pause = min(max(error.retry_after, policy.floor), policy.longest)
            return pause * self._random.uniform(1.0, 1.1)
        if isinstance(error, BlockedError):
            return min(policy.blocked_first * grown, policy.blocked_ceiling) * self._random.uniform(1.0, 1.1)
        if isinstance(error, FatalError):
            return policy.fatal
        pause = min(policy.floor * grown, policy.ceiling) * self._random.uniform(0.75, 1.0)
        # measured from the start of the life that ended: ten seconds in a time-out, or until a socket was known to be
        # dead, were pause enough
        return max(pause - lasted, policy.floor) + self._random.uniform(0.0, policy.floor / 4)

    def _changed(self) -> None:
        """The feed said something of its health."""
        if self._health.alive:
            self._enter(FeedState.LIVE)
        else:
            self._publish()

    def _enter(self, state: FeedState) -> None:
        self._state = state
        self._publish()

    def _make_report(self) -> FeedReport:
        health = self._health
        return FeedReport(
            source=self.feed.source,
            kind=self.feed.kind,
            state=self._state,
            last_message=health.last_message,
            rate=health.rate,
            reconnects=self._lives,
            error=self._error or health.trouble,
            retry_at=self._retry_at,
            settled=health.settled_once or self._lives > 0,
            note=health.noted,
            next_at=health.rests_until if self._state is FeedState.LIVE else None,
            done=health.done,
            wanted=health.wanted,
        )

    def _publish(self) -> None:
        report = self._make_report()
        if report != self.report or self._lives == 0:
            self.report = report
            self._context.sink.report_feed(report)
