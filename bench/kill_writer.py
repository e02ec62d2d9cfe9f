"""What `bench.soak_kills` kills: writes to every store as fast as it can, and says what has returned.

`python -m bench.kill_writer` reads lines `FOLDER SEED` from standard input, forks a writer for each and prints its
process id; it imports everything once, so that a kill costs no start. A writer says on standard output, a line each and
at once, `days N` when the transaction of N has returned and `line N T` when line N was handed to the recorder at T.
"""

from __future__ import annotations

import os
import random
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from engine import flow_store
from engine.clock import Clock
from engine.database import Database
from engine.model import Bars, FundDay
from engine.store import Store
from feeds.markets import _write as write_cache
from feeds.record import Recorder
from tests.engine.runtime import bars_frame

DAYS = 20
"""Rows of one transaction: all of them are there, or none."""
ROWS = 1_500
"""Rows of one file of bars, all of the same value."""
FIRST = date(2000, 1, 1)


def fund_days(number: int) -> list[FundDay]:
    """The rows of one transaction."""
    at = FIRST + timedelta(days=number)
    return [FundDay(f"F{n}", at, 1.0 + n, float(number + 1), 10.0) for n in range(DAYS)]


def write(folder: Path, seed: int) -> None:
    """Write until killed."""
    clock, chance = Clock(), random.Random(seed)
    store, database = Store(folder, clock), Database(folder)
    held = database.rows("SELECT count(DISTINCT date) FROM fund_days")
    number = int(str(held[0][0]))
    recorder = Recorder(folder / f"run-{seed}.recording", clock)
    lines = 0
    while True:
        number += 1
        for symbol in ("IWM", "SPY", "BTC/USD"):
            store.save(Bars(symbol, "1d", "kill-bars", "USD", bars_frame([float(number)] * ROWS)))
        flow_store.save_days(database, fund_days(number), "csv")
        say(f"days {number}")
        write_cache(folder / "markets-kraken.json", {"number": number, "markets": ["x" * 50] * 2_000})
        for _ in range(chance.randrange(1, 40)):
            lines += 1
            recorder.write("kraken", "ws", {"n": lines, "filler": "y" * chance.randrange(10, 2_000)})
        say(f"line {lines} {clock.now()!r}")
        time.sleep(chance.uniform(0.0, 0.01))


def say(text: str) -> None:
    """A line at once: what is printed has happened."""
    os.write(1, f"{text}\n".encode())


def main() -> None:
    for line in sys.stdin:
        folder, seed = line.rsplit(" ", 1)
        child = os.fork()
        if child == 0:
            write(Path(folder), int(seed))
        say(f"pid {child}")
        os.waitpid(child, 0)
        say("gone")


if __name__ == "__main__":
    main()
