"""What a frame costs in the real demo at 200×60: every screen, feeds and engine at work beside it.

    uv run --group dev python -m bench.real_frames [--seconds 12] [--settle 60]

A sample is the CPU time of the terminal's thread from one frame's beginning to the next one's: drawing, writing and all
that Textual does meanwhile. Those that show a new beat of the engine, in which something moved, stand apart: they are
what `bench.frame` makes by hand. JSON on stdout, milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.machine import machine
from bench.pty_run import Terminal
from tui import catalogue

CHILD = "--child"
ROOT = Path(__file__).parents[1]
PAUSE_S = 4.0
"""After a change of screen, whose panes are made only then."""


def child(out: str) -> None:
    """The demo, which notes when its frames begin: monotonic time, the thread's CPU time, the beat that is shown."""
    from textual.app import ReturnType

    import sizewatch
    from tui.app import SizewatchApp

    noted: list[tuple[float, float, int | None]] = []
    frame, leave = SizewatchApp.frame, SizewatchApp.exit

    def timed(app: SizewatchApp) -> None:
        snapshot = app.eye.look().snapshot
        noted.append((time.monotonic(), time.thread_time(), None if snapshot is None else snapshot.seq))
        frame(app)

    def ended(app: SizewatchApp, result: ReturnType | None = None, *rest: object) -> None:
        Path(out).write_text(json.dumps(noted), encoding="utf-8")
        leave(app)

    SizewatchApp.frame = timed  # type: ignore[method-assign, assignment]
    SizewatchApp.exit = ended  # type: ignore[method-assign, assignment]
    sys.argv = ["sizewatch", "--demo"]
    sys.exit(sizewatch.main())


def figures(noted: Sequence[tuple[float, float, int | None]], begin: float, end: float) -> dict[str, object]:
    """Of the frames between two moments, each with what the thread used until the next one began."""
    costs: list[tuple[float, bool]] = []
    for (_, _, before), (at, cpu, shown), (_, later, _) in zip(noted, noted[1:], noted[2:], strict=False):
        if begin < at < end:
            costs.append((1000 * (later - cpu), shown != before))
    beats = sorted(cost for cost, moved in costs if moved)
    return {
        "frames": len(costs),
        "median_ms": round(statistics.median(cost for cost, _ in costs), 1),
        "beats": len(beats),
        "beat_median_ms": round(statistics.median(beats), 1),
        "beat_p95_ms": round(beats[int(0.95 * (len(beats) - 1))], 1),
        "beat_max_ms": round(beats[-1], 1),
    }


def measure(settle: float, seconds: float) -> dict[str, object]:
    """Every screen in turn, in one run."""
    spans: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as home:
        out = Path(home) / "frames.json"
        folders = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), home)
        command = [sys.executable, "-m", "bench.real_frames", CHILD, str(out)]
        env = folders | {"PYTHONPATH": str(ROOT)}
        with Terminal(command, columns=200, rows=60, cwd=ROOT, env=env) as terminal:

            def watch(for_s: float) -> None:
                with contextlib.suppress(TimeoutError):
                    terminal.until_raw(b"\0never written", for_s)

            watch(settle)
            for place in catalogue.SCREENS:
                terminal.send(str(place.number))
                watch(PAUSE_S)
                begin = time.monotonic()
                watch(seconds)
                spans[f"screen_{place.number}"] = begin, time.monotonic()
            terminal.send("q")
            terminal.wait(15)
        noted = json.loads(out.read_text(encoding="utf-8"))
    return {name: figures(noted, *span) for name, span in spans.items()}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settle", type=float, default=60.0, help="seconds before the first screen is measured (60)")
    parser.add_argument("--seconds", type=float, default=12.0, help="for each screen (12)")
    options = parser.parse_args()
    told = {"bench": "real_frames", "machine": machine(), "frames": measure(options.settle, options.seconds)}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        child(sys.argv[2])
    main()
