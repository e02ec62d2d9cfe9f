"""`python -m bench.soak_faults`: mixed faults for hours of the world, and whether anything shown was ever a lie.

Three exchanges and Yahoo, each with faults of its own, several at a time, over real sockets and TLS; the real feeds,
the engine, its derived tables, its alerts and its store. At every beat each row is held against what the gateway's
sites had sent, each figure made of prices against the quotes, and each alert against what was shown and against the
market alone. The world's clock runs faster than ours, and as slow as a busy machine makes it.

Prints one JSON object, on SIGTERM that of the time so far; exit code 1 where something was wrong, old and shown live,
missed, too late or grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.growth import PLANNED, Growth
from bench.machine import machine
from bench.soak_derived import FEW, PAIRS, Derived, history
from bench.soak_owed import Owed
from bench.soak_reference import Reference, Told
from bench.soak_world import LANES, RECOVERY_S, RISE, VENUES, Lane, SoakMarket, SoakYahoo, Truth, coin
from engine import garbage, sessions
from engine.config import Config, Crypto, Equity, Refresh, Spreads
from engine.database import FILE_NAME, Database
from engine.engine import Engine
from engine.model import FeedState, Snapshot
from engine.ready_rules import READY
from feeds.crypto import CryptoStream
from feeds.limits import policy_of
from feeds.link import Context, Feed
from feeds.markets import MarketLists
from feeds.network import Border
from feeds.supervisor import Supervisor
from feeds.yahoo_poll import YahooPoll
from feeds.yahoo_stream import YahooStream
from simulator.authority import Authority
from simulator.faults import Fault, Faults
from simulator.gateway import Gateway, Site
from simulator.mixture import mixture
from tests.faults.test_yahoo import SYMBOLS
from tests.faults.world import LIVE, Overheard, WorldClock, too_often

BEAT_S: Final = 0.5
START_S: Final = 120.0
"""How long the start may take, until every row and every feed is live: the faults, and what is owed, begin after it."""
CALM_S: Final = 30.0
"""Without faults, at the end."""
SAMPLE_S: Final = 10.0
WARM: Final = 0.15
"""Part of a run after which it is warm."""
GROWTH_MB: Final = 10.0
LEVELS: Final = 124
"""Levels whose crossing is watched, for each of the bases in `CROSSED`: one a minute, and some beyond two hours."""
COOLDOWN: Final = "30s"
"""A venue that stands in may be some seconds behind the one before: a level is not told again by it."""
EARLY_END_S: Final = 120.0
"""Of a run that was told to end early, faults go on until the end: what was passed so late is owed to nobody yet."""
CROSSED: Final = ("BTC", "ETH", coin(0))
LIBRARY: Final = "Future exception was never retrieved: InvalidProxyMessage("
"""What websockets leaves unhandled by itself: a proxy's answer that was cut off after the connecting was given up."""


def settings(coins: int) -> tuple[Config, dict[str, tuple[str, float]]]:
    """What is watched, and the levels: each is crossed once while prices rise."""
    bases = ("BTC", "ETH", "DOGE", *(coin(n) for n in range(coins)))
    firsts = {"BTC": 91_000.0, "ETH": 3_100.0, coin(0): 10.0}
    levels = {
        f"{base.lower()}-{n}": (f"{base}/USD", firsts[base] * (1 + RISE * (40.37 + 120 * n)))
        for base in CROSSED
        for n in range(LEVELS)
    }
    rules: dict[str, Mapping[str, object]] = {name: {"enabled": False} for name in READY}
    rules |= {
        name: {
            "cross": {"symbol": symbol, "level": level, "direction": "up"},
            "cooldown": COOLDOWN,
            "message": "crossed",
        }
        for name, (symbol, level) in levels.items()
    }
    rules["turned-stale"] = {"on": "quotes", "when": "status = 'stale'", "cooldown": "0s", "message": "{symbol}"}
    config = Config(
        crypto=Crypto(tuple(VENUES), baskets={"all": bases, "few": FEW}, alt=()),
        equity=Equity(symbols=SYMBOLS),
        spreads=Spreads(PAIRS),
        refresh=Refresh(equity_poll_s=5.0, equity_poll_closed_s=5.0),
        rules=rules,
    )
    return config, levels


class Soak:
    """One run."""

    def __init__(self, folder: Path, *, hours: float, speed: float, coins: int, seed: int, at_once: int) -> None:
        self.seconds = hours * 3600.0
        self.speed = speed
        self._seed = seed
        self._at_once = at_once
        self.clock = WorldClock(speed)
        self.market = SoakMarket(self.clock, coins)
        self.config, levels = settings(coins)
        self.engine = Engine(self.config, self.clock, store=folder / "store")
        for bars in history(self.market):
            self.engine.ingest_bars(bars)
        self.lanes = {source: Lane() for source in LANES}
        self.truth = Truth(self.market, self.lanes)
        self.reference, self.told, self.growth = Reference(levels), Told(), Growth()
        self.owed, self.derived = Owed(self.market, levels), Derived(self.market)
        (folder / "authority").mkdir()
        sites: list[Site] = [*(site(self.market) for site in VENUES.values()), SoakYahoo(self.market, self.clock)]
        self.gateway = Gateway(
            sites, Authority(folder / "authority"), faults=Faults(seed=seed), now=self.clock.monotonic
        )
        self._folder = folder
        self.beats = self.faults = 0
        self.late: list[str] = []
        self.recoveries: list[tuple[float, str]] = []
        """(seconds of the world, which feed and when), of every feed that a fault had brought down."""
        self.live_first_s = 0.0
        """When all was live for the first time."""
        self.owed_until_s = 0.0
        """What the market has passed by then must have been told when the run ends."""
        self.not_live: list[str] = []
        """What was not live at the end, half a calm minute after the last fault."""
        self.ended = False
        """Told to end early."""
        self._down: dict[str, float] = {}
        """Since when a feed is not live though its lane's faults are over."""
        self._said: set[str] = set()
        """Feeds of those that are late, and were said to be."""

    async def run(self) -> None:
        """The world's hours, then half a calm minute."""
        await self.gateway.start()
        border = Border(self.gateway.proxy, self.gateway.ca_file, 8.0 / self.speed)
        context = Context(self.config, self.clock, self.engine, border, self._folder / "cache")
        lists = MarketLists()
        feeds: list[Feed] = [*(CryptoStream(name, lists) for name in VENUES), YahooStream(self.config)]
        feeds.append(YahooPoll(self.config))
        keepers = [Supervisor(feed, context, policy=policy_of(feed.kind)) for feed in feeds]
        tasks = [asyncio.create_task(keeper.run()) for keeper in keepers]
        tasks.append(asyncio.create_task(self.clock.run()))
        try:
            await self._start()
            garbage.keep()  # as a run does once it has settled
            tasks.append(asyncio.create_task(self._faults(), name=PLANNED))
            await self._beats(self.seconds)
            self.owed_until_s = self.clock.monotonic() - (EARLY_END_S if self.ended else 0.0)
            await self._beats(CALM_S)
            self.not_live = self._idle()
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for error in ended:
                if isinstance(error, Exception):
                    logging.getLogger("feeds").error("a keeper ended", exc_info=error)
            await self.gateway.stop()
            self.engine.close()

    def _plan(self) -> list[Fault]:
        plan = mixture(self._seed, self.seconds, [(domain,) for domain in LANES.values()], at_once=self._at_once)
        # the gateway waits in our seconds, and a pause that a server names is waited for in the world's
        return [replace(f, value=f.figure / self.speed) if f.kind == "slow-accept" else f for f in plan]

    async def _faults(self) -> None:
        """Carry out the plan, each fault from its time on."""
        began = self.clock.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in self._plan():
                await self.clock.sleep(max(0.0, began + fault.at - self.clock.monotonic()))
                group.create_task(self._carry_out(fault), name=PLANNED)

    async def _carry_out(self, fault: Fault) -> None:
        lane = next(self.lanes[source] for source, domain in LANES.items() if fault.meets(domain))
        lane.begin(fault, self.clock.monotonic())
        self.faults += 1
        self.gateway.faults.begin(fault)
        await self.clock.sleep(fault.seconds)
        self.gateway.faults.end(fault)
        lane.end(fault, self.clock.monotonic())

    async def _start(self) -> None:
        """Until every row and every feed is live. Raises RuntimeError where that takes too long."""
        while (idle := self._idle()) and not self.ended:
            if self.clock.monotonic() > START_S:
                raise RuntimeError(f"never live before the faults: {idle[:5]}")
            await self.clock.sleep(BEAT_S)
        self.live_first_s = self.clock.monotonic()
        for lane in self.lanes.values():
            lane.calm_from = self.live_first_s

    def _idle(self) -> list[str]:
        """Rows and feeds that are not live, at a beat of their own, which is looked at as every other."""
        snapshot = self._beat(self.clock.monotonic())
        rows, feeds = (snapshot.tables[name].rows(named=True) for name in ("quotes", "feeds"))
        idle = [f"{row['symbol']} is {row['status']}" for row in rows if row["status"] not in LIVE]
        return idle + [f"{row['source']}: {row['state']}" for row in feeds if row["state"] != FeedState.LIVE]

    def _beat(self, now: float) -> Snapshot:
        """One beat of the engine, held against what was sent and against the reference."""
        snapshot = self.engine.beat()
        self.beats += 1
        rows = snapshot.tables["quotes"].rows(named=True)
        for row in rows:
            self.truth.look(row, now)
        self.derived.look(snapshot, rows, now)
        self.reference.look(rows)
        self.owed.tell(self.told.look(snapshot))
        return snapshot

    async def _beats(self, seconds: float) -> None:
        ends, sampled = self.clock.monotonic() + seconds, float("-inf")
        while (now := self.clock.monotonic()) < ends and not self.ended:
            for lane in self.lanes.values():
                if lane.active:
                    lane.quiet_until = now
            self._look_at_feeds(self._beat(now), now)
            if now - sampled >= SAMPLE_S:
                sampled = now
                self.growth.sample(now)
            await self.clock.sleep(BEAT_S)

    def _look_at_feeds(self, snapshot: Snapshot, now: float) -> None:
        """A feed whose lane is calm must be live soon."""
        for row in snapshot.tables["feeds"].rows(named=True):
            source, live = row["source"], row["state"] == FeedState.LIVE
            lane = self.lanes[source.partition("-")[0]]
            calm = not lane.active and now >= lane.calm_from
            if live and calm and source in self._down:
                self.recoveries.append((now - self._down[source], f"{source} at {now:.0f} s: {row['error']}"))
            if live or not calm:
                self._down.pop(source, None)
                self._said.discard(source)
                continue
            since = self._down.setdefault(source, lane.calm_from)
            if now - since > RECOVERY_S and source not in self._said:
                self._said.add(source)
                self.late.append(f"{source} at {now:.0f} s: {row['state']} since {since:.0f} s, {row['error']}")

    def missed(self) -> list[str]:
        """Alerts that the reference knows of and nobody told, and those that were told without a reason."""
        wrong = [
            f"{row} turned stale {count} times, told {self.told.stale.get(row, 0)} times"
            for row, count in self.reference.turned_stale.items()
            if self.told.stale.get(row, 0) != count
        ]
        return wrong + [f"{rule} was crossed and not told" for rule in self.reference.crossed - self.told.crossed]

    def journalled(self) -> int:
        """Firings that the journal on disk holds."""
        database = Database(self._folder / "store")
        try:
            return int(str(database.rows("SELECT count(*) FROM events WHERE kind = 'fired'")[0][0]))
        finally:
            database.close()


def soak(folder: Path, **how: Any) -> dict[str, Any]:
    """One run, and its figures."""
    overheard = Overheard()
    logging.getLogger().addHandler(overheard)
    sessions.warm()
    garbage.seldom()  # as the program itself seeks garbage
    made = Soak(folder, **how)
    began, cpu = time.monotonic(), time.process_time()
    unhandled: list[str] = []

    def end() -> None:
        made.ended = True

    async def whole() -> None:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or no main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
        asyncio.get_running_loop().set_exception_handler(
            lambda _, told: unhandled.append(f"{told.get('message')}: {told.get('exception')!r} {_where(told)}")
        )
        await made.run()

    try:
        asyncio.run(whole())
    finally:
        logging.getLogger().removeHandler(overheard)
    gc.collect()
    took, lasted, ticks = time.monotonic() - began, made.clock.monotonic(), made.engine.board.ticks
    errors = [*overheard.said, *(text for text in unhandled if not text.startswith(LIBRARY))]
    owed = made.owed.owed(made.live_first_s, made.owed_until_s)
    owed_missed = made.owed.missed(made.live_first_s, made.owed_until_s)
    missed, journalled = made.missed(), made.journalled() if (folder / "store" / FILE_NAME).exists() else 0
    often = too_often(made.gateway.log)
    slowest = sorted(made.recoveries, reverse=True)
    warm = WARM * lasted
    memory, files, tasks = (made.growth.spread(column, warm) for column in (1, 2, 3))
    sound = not (
        made.truth.wrongs or made.truth.stales or missed or errors or made.late or often or made.not_live
        or made.derived.wrongs or owed_missed or made.owed.wrong
        or journalled != made.told.events or memory[1] - memory[0] > GROWTH_MB
        or files[1] - files[0] > 10 or tasks[1] - tasks[0] > 10
    )  # fmt: skip
    return {
        "bench": "soak_faults",
        "sound": sound,
        "ended_early": made.ended,
        "world_s": round(lasted),
        "our_s": round(took),
        "cpu_s": round(time.process_time() - cpu),
        "faults": made.faults,
        "ticks_offered": made.gateway.messages,
        "ticks": ticks,
        "ticks_offered_per_our_s": round(made.gateway.messages / took),
        "ticks_per_our_s": round(ticks / took),
        "ticks_per_world_s": round(ticks / lasted),
        "beats": made.beats,
        "rows_looked_at": made.truth.rows,
        "wrong_values": made.truth.wrongs,
        "first_wrong": made.truth.wrong,
        "stale_shown_as_live": made.truth.stales,
        "first_stale": made.truth.stale,
        "quiet_and_said_so": made.truth.quiet,
        "derived_rows_looked_at": made.derived.rows,
        "derived_rows_live": made.derived.live,
        "derived_wrong": made.derived.wrongs,
        "first_derived_wrong": made.derived.wrong,
        "alerts_told": made.told.events,
        "alerts_in_the_journal": journalled,
        "alerts_by_the_reference": sum(made.reference.turned_stale.values()) + len(made.reference.crossed),
        "alerts_missed": len(missed),
        "first_missed": missed[:5],
        "alerts_owed_by_the_market": len(owed),
        "alerts_owed_but_missed": len(owed_missed),
        "first_owed_but_missed": owed_missed[:5],
        "told_without_a_crossing": len(made.owed.wrong),
        "first_told_without_a_crossing": made.owed.wrong[:5],
        "crashes": len(errors),
        "first_errors": errors[:5],
        "recovered_late": len(made.late),
        "first_late": made.late[:5],
        "recoveries": len(slowest),
        "slowest_recovery_s": round(slowest[0][0], 1) if slowest else 0.0,
        "slowest_recoveries": [f"{took:.1f} s, {which}" for took, which in slowest[:5]],
        "all_live_first_after_s": round(made.live_first_s, 1),
        "not_live_at_the_end": made.not_live[:5],
        "beyond_the_venues_limits": often,
        "resident_mb": memory,
        "resident_mb_over_time": [round(row[1]) for row in made.growth.rows[:: max(1, len(made.growth.rows) // 24)]],
        "open_files": files,
        "tasks": tasks,
    }


def _where(told: Mapping[str, Any]) -> str:
    """The task that was left, and the innermost places of what it raised."""
    error = told.get("exception")
    trace = traceback.extract_tb(error.__traceback__)[-3:] if isinstance(error, BaseException) else []
    return f"{told.get('future') or told.get('task') or ''} " + " < ".join(f"{at.filename}:{at.lineno}" for at in trace)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser("bench.soak_faults", description="Mixed faults for hours of the world.")
    parser.add_argument("--hours", type=float, default=2.0, help="of the world (2)")
    parser.add_argument("--speed", type=float, default=4.0, help="seconds of the world in one of ours (4)")
    parser.add_argument(
        "--coins", type=int, default=360, help="beside three others; 9 ticks a second of ours each, calm (360)"
    )
    parser.add_argument("--at-once", type=int, default=2, help="faults of each source at the same time (2)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = soak(
            Path(folder),
            hours=given.hours, speed=given.speed, coins=given.coins, seed=given.seed, at_once=given.at_once,
        )  # fmt: skip
    print(json.dumps({**told, "machine": machine()}, indent=2))
    return 0 if told["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
