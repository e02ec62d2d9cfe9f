"""A small world that can fail: a market whose every price is known by its moment, a real feed, and an engine over both.

What is shown is compared with the market at every beat. A price says when it was true, so an old one cannot pass for a
new one; whatever is logged as an error or left unhandled in the loop is kept too.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.clock import Clock
from engine.engine import Engine
from engine.model import FeedState, Snapshot
from engine.ready_rules import READY
from feeds.limits import exceeded, limit_of
from simulator.faults import Fault
from simulator.gateway import Gateway
from tests.simulator.still_market import NOW, Still, StillMarket, still

NO_RULES: Mapping[str, Mapping[str, object]] = {name: {"enabled": False} for name in READY}
"""Alerts of a world in which nobody asks for any."""
STEP_S = 0.5
"""Seconds of the world between two prices of a symbol."""
STEPS = 4000
RISE = 0.0004
"""Part of its first price that a symbol gains with every step."""
LIVE = frozenset({"ok", "estimated"})
BEAT_S = 0.75
"""Seconds of the world between two looks."""


class WorldClock(Clock):
    """The world's time: it begins at `NOW` and runs `speed` times as fast as ours, as long as the loop keeps up.

    A busy machine slows it down: what a feed is late with because nothing ran must not look like a fault of its own.
    """

    TICK_S = 0.02

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._mono = 0.0
        self._ahead = 0.0
        """What the wall clock is further on than the timers' clock."""
        self._speed = speed
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def monotonic(self) -> float:
        return self._mono

    def now(self) -> float:
        return NOW + self._mono + self._ahead

    def jump(self, seconds: float, *, timers: bool) -> None:
        """The machine slept, or its clock was set; timers: their clock went on, too."""
        if timers:
            self._mono += seconds
        else:
            self._ahead += seconds

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._mono + seconds, self._count, woken))
        await woken

    async def run(self) -> None:
        """Let time pass until cancelled."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(self.TICK_S)
            took = time.monotonic() - began
            self.jump(min(took, 2 * self.TICK_S) * self._speed, timers=True)
            while self._sleepers and self._sleepers[0][0] <= self._mono:
                woken = heapq.heappop(self._sleepers)[2]
                if not woken.done():
                    woken.set_result(None)


class MovingMarket(StillMarket):
    """Every symbol rises by a step twice a second: a price tells its own time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.first = {base: still(day.last, day.volume) for base, day in self.days.items()}

    def now(self) -> float:
        return self._clock.now()

    def ticker(self, venue: str, base: str) -> Still:
        first = self.first[base]
        if base in {"USDT", "USDC"}:
            return replace(first, time=self.now())
        last = first.last * (1 + RISE * self.step())
        return replace(
            first,
            last=last,
            bid=last * 0.9999,
            ask=last * 1.0001,
            high=first.last * (1 + RISE * STEPS),
            low=first.last * 0.95,
            time=self.now(),
        )

    def step(self) -> int:
        return int((self.now() - NOW) / STEP_S) % STEPS

    def moved(self, venue: str, since: float, until: float) -> Sequence[str]:
        return tuple(self.first)

    def age(self, base: str, price: float) -> float:
        """How many seconds ago `price` was the market's; infinite where it never was."""
        first = self.first[base].last
        step = (price / first - 1) / RISE
        nearest = round(step)
        grid = 10.0 ** -self.decimals(base) / (first * RISE)
        if abs(step - nearest) > max(0.26, 0.6 * grid) or not -1 <= nearest <= self.step() + 1:
            return math.inf
        return max(0.0, self.now() - NOW - (nearest + 1) * STEP_S)


@dataclass
class Watch:
    """What was seen in one run."""

    wrong: list[str] = field(default_factory=list)
    statuses: list[frozenset[str]] = field(default_factory=list)
    """The rows' statuses, each time that they changed."""
    states: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Errors that were logged, and what was left unhandled."""
    recovered_s: float | None = None
    reconnects: int = 0
    too_often: list[str] = field(default_factory=list)
    """Hosts that the gateway was asked for more often than their limits allow."""
    quiet: set[str] = field(default_factory=set)
    """What stayed live with an age beyond the limit, and said that age."""

    def look(self, snapshot: Snapshot, check: Callable[[dict[str, Any]], str | None]) -> bool:
        """Take in one snapshot; True where every row is live and so is the feed."""
        rows = snapshot.tables["quotes"].rows(named=True)
        feed = snapshot.tables["feeds"].rows(named=True)
        for row in rows:
            if (why := check(row)) is not None and len(self.wrong) < 5:
                self.wrong.append(why)
        statuses = frozenset(row["status"] for row in rows)
        _note(self.statuses, statuses)
        if feed:
            _note(self.states, feed[0]["state"])
            self.reconnects = feed[0]["reconnects"]
            if feed[0]["error"]:
                _note(self.errors, feed[0]["error"])
        self.notices = [notice.text for notice in snapshot.notices]
        return statuses <= LIVE and bool(feed) and feed[0]["state"] == FeedState.LIVE

    @property
    def was_stale(self) -> bool:
        return any("stale" in seen for seen in self.statuses)

    @property
    def stayed_live(self) -> bool:
        return all(seen <= LIVE for seen in self.statuses)


def _note(seen: list[Any], what: Any) -> None:
    if not seen or seen[-1] != what:
        seen.append(what)


@dataclass(frozen=True)
class Seen:
    """What was seen of one feed, by fault."""

    watches: dict[str, Watch]


class Overheard(logging.Handler):
    """Errors of ours that are logged while it listens, by task: runs go on side by side."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("feeds", "engine", "asyncio", "simulator")):
            self.said.append(f"{record.name}: {record.getMessage()} {record.exc_info[1] if record.exc_info else ''}")


def price_check(
    market: MovingMarket, limit_s: float, *, past: bool = False, quiet: set[str] | None = None
) -> Callable[[dict[str, Any]], str | None]:
    """Says what is wrong with a row of `quotes`.

    past: a row that says it is stale may hold a price of the past. quiet: one symbol may have gone while its channel
    lives: it is put in here, and must show its age.
    """
    newest: dict[str, float] = {}

    def check(row: dict[str, Any]) -> str | None:  # noqa: PLR0911 (one a way to be wrong)
        if row["last"] is None:
            return f"{row['symbol']} is live without a price" if row["status"] in LIVE else None
        base = row["symbol"].partition("/")[0]
        age = market.age(base, row["last"])
        shown = f"{row['symbol']} {row['last']!r} {row['status']} age {age:.1f}"
        live = row["status"] in LIVE
        if math.isinf(age) and (live or not past):
            return f"never true: {shown}"
        if live and age > limit_s:
            if quiet is None or row["age_s"] is None or row["age_s"] < age - 3 * STEP_S or quiet - {base}:
                return f"stale shown as live: {shown}"
            quiet.add(base)
        born = market.now() - age
        if live and born < newest.get(base, -math.inf) - 3 * STEP_S:
            return f"gone back in time: {shown}"
        if live:
            newest[base] = max(newest.get(base, -math.inf), born)
        first = market.first[base].last
        for name in ("high_since", "low_since", "bid", "ask"):
            value = row[name]
            if value is not None and live and not 0.94 * first < value < (1.06 + RISE * STEPS) * first:
                return f"{name} {value!r} of {shown}"
        if live and row["bid"] is not None and row["ask"] is not None and row["bid"] > row["ask"]:
            return f"a crossed book: {shown}"
        change, opened = row["change_pct"], first * 0.96
        if live and change is not None and abs(change - 100 * (row["last"] / opened - 1)) > 0.5:
            return f"change_pct {change!r} of {shown}"
        return None

    return check


async def observe(
    engine: Engine,
    gateway: Gateway,
    fault: Fault,
    seconds: float,
    watch: Watch,
    check: Callable[[dict[str, Any]], str | None],
    *,
    first_live: bool = True,
    patience_s: float = 60.0,
    named_s: float = 0.0,
    says: str = "",
    stale: bool = False,
) -> None:
    """Live, then the fault for `seconds` of the world, then until all is live again; all of it seen by `watch`.

    says, stale: what must be seen of the fault; on a machine that is too busy to try in time it lasts until then.
    named_s: a pause that the server named, from the fault's begin. first_live: False where the fault is there first.
    """
    clock = engine.clock

    async def until(done: Callable[[bool], bool], limit: float) -> bool:
        ends = clock.monotonic() + limit
        while True:
            live = watch.look(engine.beat(), check)
            if done(live):
                return True
            if clock.monotonic() > ends:
                return False
            await clock.sleep(BEAT_S)

    if first_live and not await until(lambda live: live, patience_s):
        watch.wrong.append(f"never live before the fault: {watch.states} {watch.errors}")
        return
    watch.statuses.clear()
    watch.states.clear()
    watch.errors.clear()
    began, lives = clock.monotonic(), watch.reconnects
    gateway.faults.begin(fault)

    def shown(_: bool) -> bool:
        said = not says or any(says in error for error in watch.errors)
        return clock.monotonic() - began >= seconds and said and (watch.was_stale or not stale)

    await until(shown, seconds + patience_s)
    gateway.faults.end(fault)
    ended = clock.monotonic()
    if await until(lambda live: live, patience_s):
        watch.recovered_s = clock.monotonic() - max(ended, began + named_s)
        # and stays so for a while: what a fault left behind would show now
        await until(lambda live: False, 2.0)
    watch.reconnects -= lives
    watch.too_often = too_often(gateway.log, began)


BURST = 4
"""Attempts beyond a venue's even pace that a fault may cost at first: well below every venue's own allowance."""


def too_often(log: Iterable[tuple[float, str, str]], since: float = 0.0) -> list[str]:
    """Hosts that were tried beyond their limits by the gateway's log: in any window, or at a pace that would get there.

    The log's times are seconds of the world.
    """
    tried = [(at, host) for at, what, host in log if what == "connect" and at >= since]
    wrong = exceeded(tried)
    for host in {host for _, host in tried}:
        times = [at for at, other in tried if other == host]
        limit, lasted = limit_of(host), max(times) - since
        allowed = BURST + min(1.0, limit.attempts / limit.seconds) * lasted
        if len(times) > allowed:
            wrong.append(f"{host}: {len(times)} attempts in {lasted:.0f} s, {allowed:.0f} at an even pace")
    return wrong


async def beside(clocks: Sequence[WorldClock], work: Sequence[Awaitable[None]]) -> list[str]:
    """Carry out all at the same time; what the loop was left with unhandled."""
    unhandled: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, told: unhandled.append(f"{told.get('message')}: {told.get('exception')!r}"))
    time_passes = [asyncio.create_task(clock.run()) for clock in clocks]
    await asyncio.gather(*work)
    for task in time_passes:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return unhandled
