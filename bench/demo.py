"""Processor time and memory of the demo in a terminal, its gateway apart.

    uv run --group dev python -m bench.demo [--minutes 5]

Beside the whole run stands its second half, when history has been fetched and only the market moves.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.machine import machine
from bench.pty_run import Terminal

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Use(NamedTuple):
    """What a process has used so far."""

    at: float
    cpu_s: float
    resident_mb: float


def use(pid: int) -> Use:
    """Read from /proc: time of all threads, pages that are resident."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return Use(time.monotonic(), (int(fields[11]) + int(fields[12])) / TICKS, int(fields[21]) * PAGE / 1e6)


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [int(child) for child in listed]


def share(begin: Use, end: Use) -> float:
    """Per cent of one core."""
    return round(100 * (end.cpu_s - begin.cpu_s) / (end.at - begin.at), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=40)
    options = parser.parse_args()
    length = options.minutes * 60
    with tempfile.TemporaryDirectory() as home:
        folders = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), home)
        command = [sys.executable, "-m", "sizewatch", "--demo"]
        with Terminal(command, columns=options.columns, rows=options.rows, cwd=Path(home), env=folders) as terminal:
            pid = terminal.process.pid
            terminal.until(lambda text: "SIMULATED" in text and bool(children(pid)), 60)
            samples: list[tuple[Use, Use]] = []
            ends = time.monotonic() + length
            gateway = children(pid)[0]
            due = 0.0
            while (now := time.monotonic()) < ends:
                terminal.read(0.05)
                if now >= due:
                    samples.append((use(pid), use(gateway)))
                    due = now + 1.0
            screen = terminal.text()
            terminal.send("q")
            code = terminal.wait(15)
    half = len(samples) // 2
    program, simulator = [own for own, _ in samples], [other for _, other in samples]
    result = {
        "benchmark": "demo",
        "machine": machine(),
        "minutes": options.minutes,
        "terminal": f"{options.columns}x{options.rows}",
        "program": {
            "cpu_percent_of_a_core": share(program[0], program[-1]),
            "cpu_percent_second_half": share(program[half], program[-1]),
            "resident_mb_end": round(program[-1].resident_mb),
            "resident_mb_most": round(max(sample.resident_mb for sample in program)),
        },
        "gateway": {
            "cpu_percent_of_a_core": share(simulator[0], simulator[-1]),
            "resident_mb_end": round(simulator[-1].resident_mb),
        },
        "status_line": screen.splitlines()[0].strip(),
        "exit_code": code,
    }
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
