"""`python -m bench.soak_kills [KILLS]`: writers of bars, flows, recordings and caches, killed at random moments (200).

After every kill each store must open whole, and hold all that had returned: of a recording all but its last second.
(Alerts and their deliveries have `bench.soak_alerts`.) Prints one JSON object; exit code 1 where something was lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.kill_writer import DAYS, ROWS
from bench.machine import machine
from engine.clock import Clock
from engine.database import FILE_NAME
from engine.store import Store
from feeds.record import FLUSH_S
from feeds.replay import entries

ROOT = Path(__file__).parent.parent
LOST_S = FLUSH_S + 0.25
"""What a recording may lose: its last second, and what was being written then."""


@dataclass
class Report:
    """What the kills did."""

    kills: int = 0
    transactions: int = 0
    lines: int = 0
    longest_loss_s: float = 0.0
    """Of a recording: from its last kept line to the last that was handed over."""
    wrong: list[str] = field(default_factory=list)


def soak(kills: int, folder: Path, seed: int = 1) -> Report:
    """Start and kill `kills` writers, each between its first word and a second later."""
    chance, report = random.Random(seed), Report()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "bench.kill_writer"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT, text=True, bufsize=1,
    ) as nursery:  # fmt: skip
        for number in range(kills):
            days, lines, said = _kill_one(nursery, folder, seed * 10_000 + number, chance)
            report.kills += 1
            report.transactions, report.lines = max(report.transactions, days), report.lines + lines
            _check(folder, seed * 10_000 + number, days, lines, said, report)
        assert nursery.stdin is not None
        nursery.stdin.close()
    return report


def _kill_one(
    nursery: subprocess.Popen[str], folder: Path, seed: int, chance: random.Random
) -> tuple[int, int, list[float]]:
    """One writer's life: the last transaction and the last line that it said, and when it spoke of lines."""
    assert nursery.stdin is not None and nursery.stdout is not None
    nursery.stdin.write(f"{folder} {seed}\n")
    days = lines = pid = 0
    said: list[float] = []
    wanted = 1 + chance.randrange(12)
    for text in nursery.stdout:
        word, *rest = text.split()
        if word == "gone":
            break
        if word == "pid":
            pid = int(rest[0])
        elif word == "days":
            days = int(rest[0])
        else:
            lines = int(rest[0])
            said.append(float(rest[1]))
        if pid and len(said) >= wanted:
            time.sleep(chance.uniform(0.0, 0.01))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            pid, wanted = 0, 1 << 60
    return days, lines, said


def _check(folder: Path, seed: int, days: int, lines: int, said: list[float], report: Report) -> None:
    wrong = report.wrong
    store = Store(folder, Clock())
    for bars in store.load():
        if bars.frame.height != ROWS or bars.frame["close"].n_unique() != 1:
            wrong.append(f"{bars.symbol}: half a file")
    wrong += [notice.text for notice in store.notices()]
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as database:
        verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
        held = database.execute("SELECT date, count(*) FROM fund_days GROUP BY date").fetchall()
    if verdict != "ok":
        wrong.append(f"database: {verdict}")
    if len(held) < days:
        wrong.append(f"transaction {days} had returned, {len(held)} are there")
    wrong += [f"{day}: {count} of {DAYS} rows of one transaction" for day, count in held if count != DAYS]
    cache = folder / "markets-kraken.json"
    if cache.exists() and len(json.loads(cache.read_bytes())["markets"]) != 2_000:
        wrong.append("half a list of markets")
    file = folder / f"run-{seed}.recording"
    kept = list(_kept(file))
    if [n for _, n in kept] != list(range(1, len(kept) + 1)):
        wrong.append(f"{file.name}: lines are missing in the middle")
    if said and len(kept) < lines:
        lost = said[-1] - (kept[-1][0] if kept else said[0])
        report.longest_loss_s = max(report.longest_loss_s, lost)
        if lost > LOST_S:
            wrong.append(f"{file.name}: {lost:.2f} s lost")
    file.unlink(missing_ok=True)


def _kept(file: Path) -> Iterator[tuple[float, int]]:
    """(time, number) of every line that is kept; none of a file that ended before its first whole member."""
    if file.exists() and file.stat().st_size:
        for at, _, kind, payload in entries(file):
            if kind == "ws":
                yield at, int(payload["n"])


def main() -> int:
    """The command."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        report = soak(kills, Path(folder))
    print(
        json.dumps(
            {
                "bench": "soak_kills",
                "kills": report.kills,
                "transactions": report.transactions,
                "lines_recorded": report.lines,
                "longest_loss_of_a_recording_s": round(report.longest_loss_s, 3),
                "wrong": len(report.wrong),
                "first_wrong": report.wrong[:5],
                "machine": machine(),
            },
            indent=2,
        )
    )
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
