"""The whole program under load: what socket, feed, engine and screen take together, and whether anything was lost.

    uv run --group dev python -m bench.program [--seconds 30] [--rounds 3]

The real program in live mode on a pseudo-terminal of 120×40, its one exchange led to `bench.load`. Two loads: 1,000
symbols at 5,000 ticks a second (bound: 75 % of a core, nothing lost) and 200 symbols at 500 (20 %). `lost` is by the
engine's own count; `missing` counts symbols whose last, highest or lowest price is not the one that was sent. JSON on
stdout, medians over rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.demo import share, use
from bench.ingest import held, proof
from bench.keys import Load, configuration, drain
from bench.machine import machine
from bench.pty_run import Terminal

if TYPE_CHECKING:
    from types import FrameType

LOADS: Final = ((1_000, 5_000), (200, 500))
"""Symbols, ticks a second."""
SETTLED_S: Final = 12.0
"""After so long nothing of the start is under way."""
ROOT: Final = Path(__file__).parents[1]


def child(config: str, told: Path) -> int:
    """The program as it is; on SIGUSR1 and at its end it writes down what the board holds."""
    import sizewatch
    from engine.engine import Engine

    made: list[Engine] = []
    load = Engine.load

    def kept(engine: Engine) -> None:
        made.append(engine)
        load(engine)

    def tell(_: int, __: FrameType | None) -> None:
        board = made[0].board
        fresh = told.with_suffix(".new")
        fresh.write_text(json.dumps({"ticks": board.ticks, "held": held(board)}), encoding="utf-8")
        fresh.rename(told)

    Engine.load = kept  # type: ignore[method-assign, assignment]
    signal.signal(signal.SIGUSR1, tell)
    return sizewatch.main(["--config", config])


def asked(terminal: Terminal, told: Path) -> dict[str, Any]:
    """What the board holds now."""
    told.unlink(missing_ok=True)
    os.kill(terminal.process.pid, signal.SIGUSR1)
    ends = time.monotonic() + 10
    while not told.exists():
        if time.monotonic() > ends:
            raise TimeoutError("the program does not say what it holds")
        drain(terminal, 0.05)
    found: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    return found


def measured(symbols: int, rate: int, seconds: float) -> dict[str, Any]:
    """One round."""
    load = Load(symbols)
    try:
        with tempfile.TemporaryDirectory(prefix="sizewatch-program-") as folder:
            home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), folder)
            told = Path(folder) / "held.json"
            here = [sys.executable, "-m", "bench.program", "--child", str(configuration(load, Path(folder))), str(told)]
            with Terminal(here, env=home, cwd=ROOT) as terminal:
                load.event("subscribed", terminal=terminal)
                drain(terminal, SETTLED_S)
                before = asked(terminal, told)
                began = use(terminal.process.pid)
                load.send(rate, seconds)
                done = load.event("done", 3 * seconds + 30, terminal)
                ended = use(terminal.process.pid)
                drain(terminal, 2.0)
                after = asked(terminal, told)
                terminal.send("q")
                code = terminal.wait(15)
    finally:
        load.close()
    return {
        "sent": done["sent"],
        "rate_sent": round(done["rate"]),
        "lost": done["sent"] - (after["ticks"] - before["ticks"]),
        "missing": proof(after["held"], done),
        "cpu_percent_of_a_core": share(began, ended),
        "resident_mb": round(ended.resident_mb),
        "exit_code": code,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        sys.exit(child(given.child[0], Path(given.child[1])))
    figures = {}
    for symbols, rate in LOADS:
        rounds = [measured(symbols, rate, given.seconds) for _ in range(given.rounds)]
        middle = statistics.median(r["cpu_percent_of_a_core"] for r in rounds)
        figures[f"{symbols}_symbols_at_{rate}_a_second"] = {"cpu_percent_of_a_core": middle, "rounds": rounds}
    print(json.dumps({"benchmark": "program", "machine": machine(), **figures}, indent=2))


if __name__ == "__main__":
    main()
