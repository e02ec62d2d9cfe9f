"""What a frame of the quote grid costs, all cells in sight moving: ours, beside Textual's DataTable done the plain way.

    uv run --group dev python -m bench.frame [--frames 60]

Each case runs in a process of its own on a real pseudo-terminal, so that turning styles into escape codes and writing
them counts. A sample is the CPU time of the whole process from just before the new snapshot is drawn until the screen
stands; the idle cost of the same wait, measured without a new snapshot, is taken off. Every quote moves, as a market
can; in `…_every_figure` everything in every table does, as none can: the worst there is. JSON on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine import machine
from bench.pty_run import Terminal

if TYPE_CHECKING:
    from engine.model import Snapshot

SETTLE_S = 0.06
"""Textual paints at most every 1/60 s: by then a frame stands."""
CASES: dict[str, tuple[str, int, tuple[int, int]]] = {
    "grid_200_rows": ("grid", 200, (120, 50)),
    "grid_2000_rows": ("grid", 2000, (120, 50)),
    "dashboard_200x60_200_rows": ("dashboard", 200, (200, 60)),
    **{f"screen_{n}_200x60": (f"screen {n}", 200, (200, 60)) for n in range(2, 10)},
    "dashboard_200x60_every_figure": ("dashboard!", 200, (200, 60)),
    **{f"screen_{n}_200x60_every_figure": (f"screen {n}!", 200, (200, 60)) for n in range(2, 10)},
    "datatable_200_rows": ("datatable", 200, (120, 50)),
    "datatable_2000_rows": ("datatable", 2000, (120, 50)),
}


async def sample(frames: int, step: Callable[[], None]) -> dict[str, float]:
    """CPU milliseconds a frame: median and 95th percentile, the idle cost of waiting taken off."""

    async def cost(act: Callable[[], None]) -> float:
        before = time.process_time()
        act()
        await asyncio.sleep(SETTLE_S)
        return 1000 * (time.process_time() - before)

    for _ in range(5):
        await cost(step)
    idle = statistics.median([await cost(lambda: None) for _ in range(frames // 2)])
    costs = sorted([await cost(step) - idle for _ in range(frames)])
    return {
        "median_ms": round(statistics.median(costs), 2),
        "p95_ms": round(costs[int(0.95 * (len(costs) - 1))], 2),
        "idle_ms": round(idle, 2),
    }


def stirred(start: Snapshot, by: float) -> Snapshot:
    """All that a beat can move, moved at once: every figure of every table, but of closed bars nothing."""
    import polars as pl
    from polars import selectors

    from tests.tui import fakes

    tables = {name: frame.with_columns(selectors.float() * (1 + by)) for name, frame in start.tables.items()}
    newest = pl.col("time") == pl.col("time").max().over("symbol", "interval")
    figures = [pl.col(name) for name in ("high", "low", "close")]
    tables["bars"] = start.tables["bars"].with_columns(pl.when(newest).then(c * (1 + by)).otherwise(c) for c in figures)
    moved = fakes.moved(start, by)
    return replace(moved, tables={**tables, "quotes": moved.tables["quotes"]})


def ours(kind: str, rows: int, frames: int, out: Path) -> None:
    """Run the terminal over fake snapshots in which every price moves."""
    from engine import garbage
    from engine.config import Config, Refresh
    from engine.model import Mode
    from tests.tui import fakes
    from tui.app import SizewatchApp

    start = fakes.snapshot(n=rows)
    source = fakes.FakeSource(start)
    clock = fakes.FixedClock()
    config = Config(refresh=Refresh(frame_hz=0.001))  # frames are made by hand

    class Bench(SizewatchApp):
        async def on_ready(self) -> None:
            self.run_worker(self.measure(), group="bench")

        async def measure(self) -> None:
            self.frame()
            await asyncio.sleep(0.5)
            if kind == "grid":
                await self.screen.run_action("zoom")
                self.frame()
                await asyncio.sleep(0.5)
            if kind.startswith("screen "):
                await self.action_screen(int(kind.removesuffix("!")[-1]))
                await asyncio.sleep(0.5)

            ahead = [
                (stirred if kind.endswith("!") else fakes.moved)(start, 0.001 * (1 + i % 3) * (-1) ** i)
                for i in range(frames + 5)
            ]
            queue = iter(ahead)
            garbage.seldom()  # as the program does
            garbage.keep()

            def next_frame() -> None:
                source.snapshot = next(queue)
                clock.at += 0.1  # ages and flashes move; the engine's heartbeat is not what is measured
                self.frame()

            finish(out, await sample(frames, next_frame))
            self.exit()

    Bench(source, config, Mode.DEMO, "january-2026", clock).run()


def plain(rows: int, frames: int, out: Path) -> None:
    """The tutorial's way: a DataTable, one `update_cell` for each of four cells of each row."""
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable

    class Plain(App[None]):
        def compose(self) -> ComposeResult:
            yield DataTable()

        def on_ready(self) -> None:
            table = self.query_one(DataTable)
            for name in ("symbol", "last", "bid", "ask", "change", "volume", "age"):
                table.add_column(name, key=name, width=14)
            for i in range(rows):
                table.add_row(f"C{i:04d}/USD", "", "", "", "", "1.2 mn", "0 s", key=str(i))
            self.run_worker(self.measure(), group="bench")

        async def measure(self) -> None:
            await asyncio.sleep(0.5)
            table = self.query_one(DataTable)
            turn = 0

            def step() -> None:
                nonlocal turn
                turn += 1
                for i in range(rows):
                    price = (10.0 + i) * (1 + 0.001 * (turn % 7))
                    for name, value in (("last", price), ("bid", price * 0.9999), ("ask", price * 1.0001)):
                        table.update_cell(str(i), name, f"{value:,.2f}")
                    table.update_cell(str(i), "change", f"{turn % 7:+.2f}")

            finish(out, await sample(frames, step))
            self.exit()

    Plain().run()


def finish(out: Path, figures: dict[str, float]) -> None:
    """Hand the figures to the parent."""
    out.write_text(json.dumps(figures), encoding="utf-8")


def run_case(name: str, frames: int) -> dict[str, object]:
    """One case in a process and a terminal of its own."""
    kind, rows, size = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "bench.frame", "--child", name, "--frames", str(frames), "--out", str(out)]
        with Terminal(command, columns=size[0], rows=size[1]) as terminal:
            terminal.wait(300)
        figures: dict[str, object] = json.loads(out.read_text(encoding="utf-8"))
    return {"rows": rows, "columns": size[0], "lines": size[1], "kind": kind, **figures}


def main() -> None:
    """Print the figures of every case."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=60)
    arguments.add_argument("--child", choices=list(CASES))
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    if options.child:
        kind, rows, _ = CASES[options.child]
        if kind == "datatable":
            plain(rows, options.frames, options.out)
        else:
            ours(kind, rows, options.frames, options.out)
        return
    print(json.dumps({"machine": machine(), "frames": {n: run_case(n, options.frames) for n in CASES}}, indent=2))


if __name__ == "__main__":
    main()
