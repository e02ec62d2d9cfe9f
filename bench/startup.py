"""Start-up: process start → first paint, beside a hello-Textual app in the same run; → first live quote, caches warm.

    uv run --group dev python -m bench.startup [--runs 7]

Everything is measured from outside, through a pseudo-terminal: from just before the process is made until the terminal
has been sent the first text of the screen, until the first row of the grids has a price and no sign against it, and
until Bitcoin has one. Runs alternate between the programs, so that the machine's mood hits all. The processor time
until the first paint stands beside its wall time: on a machine that others load too, it is the truer figure.
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
from collections import defaultdict
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
PRICE = re.compile(r"│  (?:[A-Z0-9^]+(?:=F)?|[A-Z0-9]+/USD) +[\d,]+\.\d")
"""A row of a grid whose first cell, which is kept for its status, is empty."""
BITCOIN = re.compile(r"│  BTC/USD +[\d,]+\.\d")


def first_paint(command: list[str], mark: bytes, env: dict[str, str]) -> tuple[float, float]:
    """Seconds until `mark` was drawn, and the processor time of all threads by then."""
    with Terminal(command, env=env) as terminal:
        took = terminal.until_raw(mark, 30)
        threads = Path(f"/proc/{terminal.process.pid}/task").glob("*/schedstat")
        return took, sum(int(thread.read_text(encoding="utf-8").split()[0]) for thread in threads) / 1e9


def first_quotes(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Seconds until any row is live on the screen, and until Bitcoin is."""
    with Terminal(command, env=env) as terminal:
        first = terminal.until(lambda text: PRICE.search(text) is not None, 60)
        return first, terminal.until(lambda text: BITCOIN.search(text) is not None, 60)


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

        painted: dict[str, Callable[[], tuple[float, float]]] = {
            "hello_textual_first_paint": lambda: first_paint([sys.executable, "-c", HELLO], b"hello-textual", env),
            "live_first_paint": lambda: first_paint(live(), b"sizewatch", env),
            "demo_first_paint": lambda: first_paint([*program, "--demo"], b"sizewatch", env),
        }
        quoted: dict[str, Callable[[], tuple[float, float]]] = {
            "live": lambda: first_quotes(live(), env),
            "demo": lambda: first_quotes([*program, "--demo"], env),
        }
        for measure in (*painted.values(), *quoted.values()):  # once for the disk's and the program's own caches
            measure()
        figures: dict[str, list[float]] = defaultdict(list)
        for _ in range(runs):
            for name, paint in painted.items():
                took, cpu = paint()
                figures[name].append(took)
                figures[f"{name}_cpu"].append(cpu)
            for name, quote in quoted.items():
                first, bitcoin = quote()
                figures[f"{name}_first_quote"].append(first)
                figures[f"{name}_first_bitcoin_quote"].append(bitcoin)
    middle = {name: 1000 * statistics.median(each) for name, each in figures.items()}
    result = {
        "benchmark": "startup",
        "machine": machine(),
        **{name: summary(each) for name, each in figures.items()},
        **{
            f"{name}_beyond_hello_ms": round(middle[name] - middle[f"hello_textual_first_paint{kind}"])
            for kind in ("", "_cpu")
            for name in (f"live_first_paint{kind}", f"demo_first_paint{kind}")
        },
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
