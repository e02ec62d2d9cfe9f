"""`python -m bench.soak_day`: a day of the world through the whole program, and whether anything of it grows.

The demo's market behind its gateway in a process of its own, every feed over real sockets and TLS, the collector with
its store, alerts and worker, and the terminal without a screen, in which somebody presses keys. The day holds an open
and a close of New York and a change of day; its clock runs faster than ours, and slower where the machine is busy.

Prints one JSON object, on SIGTERM that of the time so far; exit code 1 where something grew, broke or never happened.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import random
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from bench.day_site import DaySite, Moment
from bench.growth import Growth
from bench.machine import machine
from engine import garbage, sessions
from engine.clock import Clock
from engine.collector import Collector
from engine.config import Config, Refresh
from engine.model import Intent, Mode, Sink, Snapshot
from feeds.link import Context
from feeds.network import Border
from feeds.sources import Feeds
from sizewatch import STARTED_S
from tests.faults.world import Overheard, WorldClock
from tests.simulator.still_market import NOW
from tui.app import SizewatchApp

SCENARIO: Final = "january-2026"
BEGINS: Final = datetime(2026, 1, 12, 13, 0, tzinfo=UTC)
"""Monday, 8:00 in New York: the day's open, its close and midnight in UTC are still to come."""
WARM: Final = 0.15
"""Part of a run after which it is warm."""
GROWTH_MB: Final = 10.0
SAMPLE_S: Final = 300.0
"""Of the world, between two samples of what the process holds."""
PAUSE_S: Final = 0.25
"""Of ours, between two keys."""
KEYS: Final = (
    *"123456789", "j", "k", "G", "g", "tab", "s", "S", "b", "z", "n", "w", "plus", "ctrl+d", "enter", "escape",
)  # fmt: skip
CHARTED: Final = (("BTC/USD", "5m"), ("BTC/USD", "1d"), ("IWM", "5m"), ("IWM", "1d"))
SIZES: Final = ((80, 24), (120, 40), (200, 60))
TOUR: Final = tuple((key, size) for size in SIZES for key in "123456789")
"""How the walk begins, while the run warms up: what a screen makes once, and a size of it, is made then."""
LIBRARIES: Final = ("InvalidProxyMessage(",)
"""What a library leaves unhandled by itself, where a handshake is cut off: a busy machine may do that."""


class SharedClock(WorldClock):
    """The world's clock, which its market reads in a process of its own."""

    def __init__(self, speed: float, moment: Moment) -> None:
        super().__init__(speed)
        self._moment = moment

    def jump(self, seconds: float, *, timers: bool) -> None:
        super().jump(seconds, timers=timers)
        self._moment.write(self.now())


class World:
    """The gateway, the feeds and the clock, as the collector's one runner of feeds."""

    def __init__(self, day: Day, sink: Sink, config: Config, clock: Clock) -> None:
        self._day, self._sink, self._config, self._clock = day, sink, config, clock
        self._feeds: Feeds | None = None

    async def run(self) -> None:
        """Until cancelled."""
        day, loop = self._day, asyncio.get_running_loop()
        proxy, ca_file = await asyncio.to_thread(day.site.start)
        network = replace(self._config.network, proxy=proxy, ca_file=ca_file)
        border = Border(proxy, ca_file, network.timeout)
        context = Context(replace(self._config, network=network), self._clock, self._sink, border, day.folder / "cache")
        self._feeds = Feeds(context, lambda config: replace(config, network=network))
        passing = loop.create_task(day.clock.run())
        samples = loop.create_task(day.sample())
        try:
            await self._feeds.run()
        finally:
            for task in (passing, samples):
                task.cancel()
            await asyncio.gather(passing, samples, return_exceptions=True)
            await asyncio.to_thread(day.site.stop)

    def reconfigure(self, config: Config) -> None:
        if self._feeds is not None:
            self._feeds.reconfigure(config)

    def retry(self) -> int:
        return 0 if self._feeds is None else self._feeds.retry()


@dataclass
class Day:
    """One run, and what was seen of it."""

    folder: Path
    seconds: float
    speed: float
    seed: int
    growth: Growth = field(default_factory=Growth)
    states: list[str] = field(default_factory=list)
    """Of the exchange in New York, in their order."""
    bars: dict[str, set[datetime]] = field(default_factory=dict)
    """`SYMBOL INTERVAL` → the opens of those of its bars that were the newest once."""
    keys: int = 0
    ended: bool = False
    """Told to end early."""
    screen_tasks: int = 0
    """Of the terminal's own loop."""

    def __post_init__(self) -> None:
        self.site = DaySite(SCENARIO, self.folder / "site")
        self.clock = SharedClock(self.speed, self.site.moment)
        self.clock.jump(BEGINS.timestamp() - NOW, timers=False)
        self.config = replace(Config(), refresh=Refresh(beat_hz=1.0))
        self.collector = Collector(
            lambda sink, config, clock: World(self, sink, config, clock),
            config=self.config,
            mode=Mode.DEMO,
            scenario=SCENARIO,
            clock=self.clock,
            store=self.folder / "store",
        )

    async def sample(self) -> None:
        """What the process holds, every few minutes of the world. Runs in the collector's loop."""
        while True:
            self.growth.sample(self.clock.monotonic(), self.screen_tasks + threading.active_count())
            await self.clock.sleep(SAMPLE_S)

    async def watch(self) -> None:
        """The terminal, in which keys are pressed, until the day is over."""
        chance = random.Random(self.seed)

        def painted() -> None:
            self.collector.start()
            app.set_timer(STARTED_S, garbage.resume, name="garbage")  # as the program itself does

        app = SizewatchApp(self.collector, self.config, Mode.DEMO, SCENARIO, self.clock, painted)
        async with app.run_test(size=SIZES[-1]) as pilot:
            while self.clock.monotonic() < self.seconds and not self.ended and self.collector.failure() is None:
                key, size = TOUR[self.keys] if self.keys < len(TOUR) else (chance.choice(KEYS), None)
                if size is None and self.keys % 200 == 199:
                    size = chance.choice(SIZES)
                if size is not None and size != tuple(app.size):
                    await pilot.resize_terminal(*size)
                await pilot.press(key)
                self.keys += 1
                self.screen_tasks = len(asyncio.all_tasks())
                for asked in CHARTED:
                    self.collector.send(Intent("bars", dict(zip(("symbol", "interval"), asked, strict=True))))
                if (latest := self.collector.latest()) is not None:
                    self._look(latest)
                await asyncio.sleep(PAUSE_S)

    def _look(self, latest: Snapshot) -> None:
        state = latest.nyse.state.value
        if latest.nyse.next_change is not None and state not in self.states[-1:]:
            self.states.append(state)
        newest = latest.tables["bars"].group_by("symbol", "interval").agg(pl.col("time").max())
        for symbol, interval, opened in newest.iter_rows():
            if (symbol, interval) in CHARTED and opened is not None:
                self.bars.setdefault(f"{symbol} {interval}", set()).add(opened)


def soak(folder: Path, *, hours: float, speed: float, seed: int) -> dict[str, Any]:
    """One run, and its figures."""
    overheard = Overheard()
    logging.getLogger().addHandler(overheard)
    sessions.warm()
    day = Day(folder, hours * 3600.0, speed, seed)
    began, cpu = time.monotonic(), time.process_time()

    def end() -> None:
        day.ended = True

    async def whole() -> None:
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
        await day.watch()

    try:
        sys.setswitchinterval(0.001)  # as the program itself does
        garbage.hold()
        asyncio.run(whole())
    finally:
        day.collector.stop(30.0)
        logging.getLogger().removeHandler(overheard)
    took, lasted = time.monotonic() - began, day.clock.monotonic()
    latest = day.collector.latest()
    assert latest is not None
    errors = [text for text in overheard.said if not any(known in text for known in LIBRARIES)]
    if (failure := day.collector.failure()) is not None:
        errors.append(failure)
    warm = WARM * lasted
    memory, files, tasks = (day.growth.spread(column, warm) for column in (1, 2, 3))
    return {
        "bench": "soak_day",
        "sound": not (
            errors or day.ended or memory[1] - memory[0] > GROWTH_MB or files[1] - files[0] > 10
            or tasks[1] - tasks[0] > 10
        ),
        "ended_early": day.ended,
        "world_h": round(lasted / 3600, 2),
        "our_s": round(took),
        "cpu_s": round(time.process_time() - cpu),
        "ticks": latest.ticks,
        "ticks_per_our_s": round(latest.ticks / took),
        "beats": latest.seq,
        "keys": day.keys,
        "states_of_new_york": day.states,
        "bars_seen": {name: len(times) for name, times in day.bars.items()},
        "events": len(latest.events),
        "errors": len(errors),
        "first_errors": errors[:5],
        "notices": [notice.text for notice in latest.notices][-5:],
        "feeds": {row["source"]: row["state"] for row in latest.tables["feeds"].rows(named=True)},
        "reconnects": int(latest.tables["feeds"]["reconnects"].sum()),
        "resident_mb": memory,
        "resident_mb_over_time": [round(row[1]) for row in day.growth.rows[:: max(1, len(day.growth.rows) // 24)]],
        "open_files": files,
        "tasks_and_threads": tasks,
    }  # fmt: skip


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser("bench.soak_day", description="A day of the world through the whole program.")
    parser.add_argument("--hours", type=float, default=24.0, help="of the world (24)")
    parser.add_argument("--speed", type=float, default=60.0, help="seconds of the world in one of ours (60)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = soak(Path(folder), hours=given.hours, speed=given.speed, seed=given.seed)
    print(json.dumps({**told, "machine": machine()}, indent=2))
    return 0 if told["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
