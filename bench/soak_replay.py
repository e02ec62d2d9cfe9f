"""`python -m bench.soak_replay`: an hour of the world recorded, and played at 50×, 500× and as fast as it goes.

The recording is of real feeds over real sockets, with mixed faults, on a clock that runs faster than ours. Every replay
must end with the same tables and the same journal of alerts. Prints one JSON object; exit code 1 where two differ.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.machine import machine
from bench.soak_faults import settings
from bench.soak_world import LANES, VENUES, SoakMarket, SoakYahoo
from engine import sessions
from engine.clock import ReplayClock
from engine.config import Config
from engine.database import Database
from engine.engine import Engine
from engine.export import as_dict
from engine.model import Mode, Snapshot
from engine.player import Player
from feeds.crypto import CryptoStream
from feeds.crypto_bars import CryptoBars
from feeds.link import Context, Feed
from feeds.markets import MarketLists
from feeds.network import Border
from feeds.record import Recorder, RecordingSink, parts_of
from feeds.replay import Replay, entries
from feeds.supervisor import Supervisor
from feeds.yahoo_stream import YahooStream
from simulator.authority import Authority
from simulator.faults import Fault, Faults
from simulator.gateway import Gateway, Site
from simulator.mixture import mixture
from tests.faults.world import WorldClock

EVENTS: Final = "SELECT rule, row, kind, at, severity, message, data FROM events ORDER BY seq"
"""The journal without the events' own names."""


async def record(folder: Path, file: Path, config: Config, *, seconds: float, speed: float, coins: int) -> Snapshot:
    """Record so many seconds of the world; the live run's last snapshot."""
    clock = WorldClock(speed)
    market = SoakMarket(clock, coins)
    (folder / "authority").mkdir()
    sites: list[Site] = [*(site(market) for site in VENUES.values()), SoakYahoo(market, clock)]
    gateway = Gateway(sites, Authority(folder / "authority"), faults=Faults(seed=2), now=clock.monotonic)
    await gateway.start()
    engine = Engine(config, clock, mode=Mode.DEMO)
    recorder = Recorder(file, clock)
    border = Border(gateway.proxy, gateway.ca_file, 8.0 / speed)
    context = Context(config, clock, RecordingSink(engine, recorder.write), border, folder / "cache", recorder.write)
    lists = MarketLists()
    feeds: list[Feed] = [*(CryptoStream(name, lists) for name in VENUES), *(CryptoBars(name, lists) for name in VENUES)]
    tasks = [asyncio.create_task(Supervisor(feed, context).run()) for feed in [*feeds, YahooStream(config)]]
    tasks.append(asyncio.create_task(clock.run()))

    async def fail(fault: Fault) -> None:
        await clock.sleep(fault.at)
        gateway.faults.begin(fault)
        await clock.sleep(fault.seconds)
        gateway.faults.end(fault)

    plan = mixture(2, seconds - 30.0, [(domain,) for domain in LANES.values()], at_once=1)
    plan = tuple(replace(f, value=f.figure / speed) if f.kind == "slow-accept" else f for f in plan)
    tasks += [asyncio.create_task(fail(fault)) for fault in plan]
    while clock.monotonic() < seconds:
        engine.beat()
        await clock.sleep(1.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    last = engine.beat()
    recorder.close()
    await gateway.stop()
    engine.close()
    return last


def played(file: Path, folder: Path, config: Config, speed: float | None) -> tuple[Snapshot, list[tuple[object, ...]]]:
    """The last snapshot of a replay, and its journal of alerts without the events' own names."""
    folder.mkdir()
    player = Player(
        lambda: entries(file),
        lambda sink, config, clock: Replay(sink, config, clock, folder),
        config=config,
        clock=ReplayClock(),
        scenario=file.name,
        store=folder / "store",
        speed=speed,
    )
    player.start()
    player.finished.wait()
    last = player.latest()
    player.stop(60.0)
    if player.failure() is not None or last is None:
        raise RuntimeError(player.failure() or "nothing was played")
    return last, journal_of(folder / "store")


def journal_of(store: Path) -> list[tuple[object, ...]]:
    """What the alerts told in a run, without the events' own names."""
    database = Database(store)
    try:
        return database.rows(EVENTS)
    finally:
        database.close()


def print_of(value: object) -> str:
    """A short name for a value: the same for the same value alone."""
    return hashlib.blake2s(json.dumps(value, default=str).encode(), digest_size=8).hexdigest()


def soak(folder: Path, *, hours: float, speed: float, coins: int, speeds: tuple[float | None, ...]) -> dict[str, Any]:
    """Record, play, compare."""
    sessions.warm()
    config, _ = settings(coins)
    config = replace(config, refresh=replace(config.refresh, beat_hz=1.0))
    file = folder / "hour.recording"
    began = time.monotonic()
    live = asyncio.run(record(folder, file, config, seconds=hours * 3600, speed=speed, coins=coins))
    recorded_s = time.monotonic() - began
    runs = []
    for number, at in enumerate(speeds):
        began = time.monotonic()
        last, journal = played(file, folder / f"replay-{number}", config, at)
        runs.append(
            {
                "speed": "max" if at is None else at,
                "our_s": round(time.monotonic() - began, 1),
                "tables": print_of(as_dict(last)["tables"]),
                "journal": print_of(journal),
                "events": len(journal),
                "ticks": last.ticks,
                "beats": last.seq,
            }
        )
    same = len({(run["tables"], run["journal"], run["ticks"], run["beats"]) for run in runs}) == 1
    return {
        "bench": "soak_replay",
        "same": same and runs[0]["ticks"] == live.ticks and int(str(runs[0]["events"])) > 0,
        "world_s": hours * 3600,
        "recorded_in_s": round(recorded_s),
        "recording_mb": round(sum(part.stat().st_size for part in parts_of(file)) / 2**20, 1),
        "ticks_when_live": live.ticks,
        "replays": runs,
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser("bench.soak_replay", description="One recording, played at several speeds.")
    parser.add_argument("--hours", type=float, default=1.0, help="of the world (1)")
    parser.add_argument("--speed", type=float, default=20.0, help="of the world while it is recorded (20)")
    parser.add_argument("--coins", type=int, default=5, help="beside BTC, ETH and DOGE (5)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = soak(Path(folder), hours=given.hours, speed=given.speed, coins=given.coins, speeds=(50.0, 500.0, None))
    print(json.dumps({**told, "machine": machine()}, indent=2))
    return 0 if told["same"] else 1


if __name__ == "__main__":
    sys.exit(main())
