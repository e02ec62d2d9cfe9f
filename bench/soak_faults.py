"""`python -m bench.soak_faults`: mixed faults for hours of the world, and whether anything shown was ever a lie.

Three exchanges and Yahoo, each with faults of its own, several at a time, over real sockets and TLS; the real feeds,
the engine, its alerts and its store. At every beat each row is held against what the gateway's sites had sent, and each
alert against a reference. The world's clock runs faster than ours, and as slow as a busy machine makes it.

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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bench.growth import PLANNED, Growth
from bench.machine import machine
from bench.soak_world import LANES, RISE, VENUES, Lane, SoakMarket, SoakYahoo, Truth, coin
from engine import garbage, sessions
from engine.config import Config, Crypto, Equity, Refresh
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
from tests.engine.runtime import no_makers
from tests.faults.test_yahoo import SYMBOLS
from tests.faults.world import LIVE, Overheard, WorldClock, too_often

BEAT_S: Final = 0.5
RECOVERY_S: Final = 15.0
SLACK_S: Final = 5.0
"""A beat, a poll, and a busy machine."""
SAMPLE_S: Final = 10.0
WARM: Final = 0.15
"""Part of a run after which it is warm."""
GROWTH_MB: Final = 10.0
LEVELS: Final = 60
"""Levels whose crossing is watched, for each of the bases in `CROSSED`."""
CROSSED: Final = ("BTC", "ETH", coin(0))
LIBRARIES: Final = (
    "'ClientConnection' object has no attribute 'recv_messages'",
    "InvalidProxyMessage(",
    "Cannot write to closing transport",
)
"""What a library leaves unhandled by itself: websockets, where a TLS handshake or a proxy's answer is cut off; ccxt,
where a ping comes with the end of its connection: nobody waits for the task that answers it."""
STALLED_S: Final = 1.0
"""A machine that stood still for so long while a feed came back says nothing of the feed: time-outs are in our time."""


@dataclass
class Reference:
    """What the rules must have told, from what was shown alone."""

    levels: Mapping[str, tuple[str, float]]
    """Rule → symbol and level."""
    turned_stale: dict[str, int] = field(default_factory=dict)
    crossed: set[str] = field(default_factory=set)
    _status: dict[str, str] = field(default_factory=dict)
    _below: set[str] = field(default_factory=set)

    def look(self, rows: list[dict[str, Any]]) -> None:
        prices = {row["symbol"]: row["last"] for row in rows if row["status"] in LIVE}
        for row in rows:
            if row["status"] == "stale" and self._status.get(row["symbol"]) != "stale":
                self.turned_stale[row["symbol"]] = self.turned_stale.get(row["symbol"], 0) + 1
            self._status[row["symbol"]] = row["status"]
        for rule, (symbol, level) in self.levels.items():
            price = prices.get(symbol)
            if price is None:
                continue
            if price <= level:
                self._below.add(rule)
            elif rule in self._below:
                self.crossed.add(rule)


@dataclass
class Told:
    """What the rules did tell."""

    stale: dict[str, int] = field(default_factory=dict)
    crossed: set[str] = field(default_factory=set)
    events: int = 0
    _last: str = ""

    def look(self, snapshot: Snapshot) -> None:
        fresh = []
        for event in reversed(snapshot.events):
            if event.id == self._last:
                break
            fresh.append(event)
        for event in reversed(fresh):
            self._last = event.id
            if event.kind != "fired":
                continue
            self.events += 1
            if event.rule == "turned-stale":
                self.stale[event.row] = self.stale.get(event.row, 0) + 1
            else:
                self.crossed.add(event.rule)


def settings(coins: int) -> tuple[Config, dict[str, tuple[str, float]]]:
    """What is watched, and the levels: each is crossed once while prices rise."""
    bases = ("BTC", "ETH", "DOGE", *(coin(n) for n in range(coins)))
    firsts = {"BTC": 91_000.0, "ETH": 3_100.0, coin(0): 10.0}
    levels = {
        f"{base.lower()}-{n}": (f"{base}/USD", firsts[base] * (1 + RISE * (40.37 + 240 * n)))
        for base in CROSSED
        for n in range(LEVELS)
    }
    rules: dict[str, Mapping[str, object]] = {name: {"enabled": False} for name in READY}
    rules |= {
        name: {"cross": {"symbol": symbol, "level": level, "direction": "up"}, "cooldown": "0s", "message": "crossed"}
        for name, (symbol, level) in levels.items()
    }
    rules["turned-stale"] = {"on": "quotes", "when": "status = 'stale'", "cooldown": "0s", "message": "{symbol}"}
    config = Config(
        crypto=Crypto(tuple(VENUES), baskets={"all": bases}, alt=()),
        equity=Equity(symbols=SYMBOLS),
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
        self.engine = Engine(self.config, self.clock, makers=no_makers, store=folder / "store")
        self.lanes = {source: Lane() for source in LANES}
        self.truth = Truth(self.market, self.lanes)
        self.reference, self.told, self.growth = Reference(levels), Told(), Growth()
        (folder / "authority").mkdir()
        sites: list[Site] = [*(site(self.market) for site in VENUES.values()), SoakYahoo(self.market, self.clock)]
        self.gateway = Gateway(
            sites, Authority(folder / "authority"), faults=Faults(seed=seed), now=self.clock.monotonic
        )
        self._folder = folder
        self.beats = self.faults = 0
        self.late: list[str] = []
        self.slowest_s = 0.0
        self.ended = False
        """Told to end early."""
        self._down: dict[str, tuple[float, float]] = {}
        """Since when a feed is not live though its lane's faults are over, and what the clock had lost by then."""
        self.excused = 0

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
            await self._beats(60.0, until_live=True)
            garbage.keep()  # as a run does once it has settled
            tasks += [asyncio.create_task(self._carry_out(fault), name=PLANNED) for fault in self._plan()]
            await self._beats(self.seconds)
            await self._beats(30.0)
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

    async def _carry_out(self, fault: Fault) -> None:
        lane = next(self.lanes[source] for source, domain in LANES.items() if fault.meets(domain))
        await self.clock.sleep(fault.at)
        lane.active.append(fault)
        self.faults += 1
        self.gateway.faults.begin(fault)
        await self.clock.sleep(fault.seconds)
        self.gateway.faults.end(fault)
        lane.active.remove(fault)
        now = self.clock.monotonic()
        named = 1.1 * fault.figure if fault.kind == "limited" else 0.0
        lane.calm_from = max(lane.calm_from, now + named)
        lane.quiet_until = max(lane.quiet_until, now)

    async def _beats(self, seconds: float, *, until_live: bool = False) -> None:
        ends, sampled = self.clock.monotonic() + seconds, float("-inf")
        while (now := self.clock.monotonic()) < ends and not self.ended:
            snapshot = self.engine.beat()
            self.beats += 1
            rows = snapshot.tables["quotes"].rows(named=True)
            for lane in self.lanes.values():
                if lane.active:
                    lane.quiet_until = now
            for row in rows:
                self.truth.look(row, now)
            self.reference.look(rows)
            self.told.look(snapshot)
            self._look_at_feeds(snapshot, now)
            if now - sampled >= SAMPLE_S:
                sampled = now
                self.growth.sample(now)
            if until_live and all(row["status"] in LIVE for row in rows):
                return
            await self.clock.sleep(BEAT_S)
        if until_live and not self.ended:
            raise RuntimeError("never live before the faults")

    def _look_at_feeds(self, snapshot: Snapshot, now: float) -> None:
        """A feed whose lane is calm must be live soon."""
        for row in snapshot.tables["feeds"].rows(named=True):
            lane = self.lanes[row["source"].partition("-")[0]]
            source, live = row["source"], row["state"] == FeedState.LIVE
            if live or lane.active or now < lane.calm_from:
                if source in self._down and live and not lane.active:
                    self.slowest_s = max(self.slowest_s, now - self._down[source][0])
                self._down.pop(source, None)
                continue
            since, stalled = self._down.setdefault(source, (lane.calm_from, self.clock.stalled_s))
            if now - since > RECOVERY_S + SLACK_S:
                self._down[source] = (float("inf"), stalled)  # said once
                if self.clock.stalled_s - stalled > STALLED_S:
                    self.excused += 1
                else:
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
    errors = [text for text in (*overheard.said, *unhandled) if not any(known in text for known in LIBRARIES)]
    missed, journalled = made.missed(), made.journalled() if (folder / "store" / FILE_NAME).exists() else 0
    often = too_often(made.gateway.log)
    warm = WARM * lasted
    memory, files, tasks = (made.growth.spread(column, warm) for column in (1, 2, 3))
    sound = not (
        made.truth.wrongs or made.truth.stales or missed or errors or made.late or often
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
        "alerts_told": made.told.events,
        "alerts_in_the_journal": journalled,
        "alerts_by_the_reference": sum(made.reference.turned_stale.values()) + len(made.reference.crossed),
        "alerts_missed": len(missed),
        "first_missed": missed[:5],
        "crashes": len(errors),
        "first_errors": errors[:5],
        "recovered_late": len(made.late),
        "first_late": made.late[:5],
        "late_while_the_machine_stood_still": made.excused,
        "slowest_recovery_s": round(made.slowest_s, 1),
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
    parser.add_argument("--speed", type=float, default=3.2, help="seconds of the world in one of ours (3.2)")
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
