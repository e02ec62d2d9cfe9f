"""Start-up: process start → first paint, beside a hello-Textual app in the same run; → first live quote, caches warm.

    uv run --group dev python -m bench.startup [--runs 7]

Everything is measured from outside, through a pseudo-terminal: from just before the process is made until the terminal
has been sent the first text of the screen. Runs alternate between the programs, so that the machine's mood hits all.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import machine
from bench.pty_run import Terminal
from simulator.child import Child
from simulator.scenario import load

HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("hello-textual")
Hello().run()
"""
PRICE = re.compile(r"BTC/USD\s+[\d,]+\.\d")


def first_paint(command: list[str], mark: bytes, env: dict[str, str]) -> float:
    """Seconds until `mark` was drawn."""
    with Terminal(command, env=env) as terminal:
        return terminal.until_raw(mark, 30)


def first_quote(command: list[str], env: dict[str, str]) -> float:
    """Seconds until Bitcoin has a price on the screen."""
    with Terminal(command, env=env) as terminal:
        return terminal.until(lambda text: PRICE.search(text) is not None, 60)


@contextmanager
def gateway() -> Iterator[tuple[Path, float]]:
    """A simulated market of its own: a configuration that leads live mode to it, and its clock's offset."""
    folder = Path(tempfile.mkdtemp(prefix="sizewatch-bench-"))
    offset = load("january-2026").start.timestamp() - time.time()
    child = Child("january-2026", folder, offset)
    try:
        ready = child.ready()
        config = folder / "gateway.toml"
        config.write_text(f'[network]\nproxy = "{ready.proxy}"\nca_file = "{ready.ca_file}"\n')
        yield config, offset
    finally:
        child.stop()
        shutil.rmtree(folder, ignore_errors=True)


def summary(figures: list[float]) -> dict[str, object]:
    return {"median_s": round(statistics.median(figures), 3), "all_s": [round(figure, 3) for figure in figures]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    program = [sys.executable, "-m", "sizewatch"]
    with tempfile.TemporaryDirectory() as home, gateway() as (config, offset):
        # caches in a folder of their own, kept from run to run: warm, and nobody else's
        env = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), home)
        env["PYTHONDONTWRITEBYTECODE"] = ""  # as users have it: every program's bytecode is kept after its first run

        def live() -> list[str]:
            at = datetime.fromtimestamp(time.time() + offset, UTC)
            return [*program, "--config", str(config), "--at", at.isoformat()]

        measured: dict[str, Callable[[], float]] = {
            "hello_textual_first_paint": lambda: first_paint([sys.executable, "-c", HELLO], b"hello-textual", env),
            "live_first_paint": lambda: first_paint(live(), b"sizewatch", env),
            "demo_first_paint": lambda: first_paint([*program, "--demo"], b"sizewatch", env),
            "live_first_quote": lambda: first_quote(live(), env),
            "demo_first_quote": lambda: first_quote([*program, "--demo"], env),
        }
        for measure in measured.values():  # once for the disk's and the program's own caches
            measure()
        figures: dict[str, list[float]] = {name: [] for name in measured}
        for _ in range(runs):
            for name, measure in measured.items():
                figures[name].append(measure())
    hello = statistics.median(figures["hello_textual_first_paint"])
    result = {
        "benchmark": "startup",
        "machine": machine(),
        **{name: summary(each) for name, each in figures.items()},
        "live_first_paint_beyond_hello_ms": round(1000 * (statistics.median(figures["live_first_paint"]) - hello)),
        "demo_first_paint_beyond_hello_ms": round(1000 * (statistics.median(figures["demo_first_paint"]) - hello)),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
