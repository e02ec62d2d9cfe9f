"""The program over a slow link: bytes a second it writes, and how late a key is answered, at 20 kB/s and unthrottled.

    uv run --group dev python -m bench.link [--seconds 60] [--rates 0 20000] [--sizes 80x24 120x40] [--colours 16]

The demo runs on a pseudo-terminal that is read at so many bytes a second and no faster, 0: as fast as it comes. `row`
is `j` and `k` until the row's ground is drawn elsewhere, `screen` is `2` and `1` until the lowest pane of the other
screen stands whole. Latencies are given for the first half and for the second: they must not grow. What the system
holds between the two ends of a pseudo-terminal (some 12 kB) is part of them. `stopped` is a terminal that takes
nothing for so long, and reads on: kilobytes that the program grew by, and seconds until the newest time stood there.
JSON on stdout; milliseconds, bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle, product
from pathlib import Path

from bench.keys import quantiles
from bench.machine import machine
from bench.pty_run import Terminal

COLOURS: Mapping[str, Mapping[str, str]] = {
    "16": {"TERM": "xterm-16color", "COLORTERM": ""},
    "256": {"TERM": "xterm-256color", "COLORTERM": ""},
    "true": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
}
SLICE_S = 0.01
"""How often the throttled end reads."""
LATEST_S = 30.0
"""An answer that is later than this is none."""
SETTLED_S = 10.0
"""How long the demo's first prices and histories are let come in before anything is measured."""
QUIET_S = 20.0
"""How long the bytes of an untouched screen are counted."""
PAUSES = (0.2, 0.8)
"""Seconds between two keys, at random."""
ONLY = {"1": re.compile("─ (Quotes|Crypto) "), "2": re.compile("─ (IWM/SPY 1Y|Gauges) ")}
"""Screen → the title of a pane that the other has not."""
CLOCK = re.compile(r"\d\d:\d\d:\d\d")
ROOT = Path(__file__).parents[1]


class Link(Terminal):
    """A terminal at the end of a link of so many bytes a second; 0: as many as come."""

    rate = 0
    came = 0
    """Bytes that came over it."""

    def read_on(self, seconds: float, done: Callable[[], bool] = lambda: False) -> float | None:
        """Take what comes for so long, or until `done`: the seconds that it took, None where it was not done."""
        begun = last = time.monotonic()
        credit = 0.0
        while (now := time.monotonic()) - begun < seconds:
            credit = min(self.rate * 0.05, credit + (now - last) * self.rate)
            last = now
            most = int(credit) if self.rate else 65536
            before = self.total
            if most:
                self.read(SLICE_S, most)
            took = self.total - before
            self.came += took
            credit -= took
            if self.rate:
                time.sleep(SLICE_S)
            if took and done():
                return time.monotonic() - begun
        return None

    def cursor_row(self) -> int:
        """The line of a pane that has another ground than the most of them; -1 where there is none."""
        grounds = {y: row[1].bg for y, row in enumerate(self.cells(2)) if row[0].data == "│"}
        common = Counter(grounds.values()).most_common(1)
        return next((y for y, ground in grounds.items() if ground != common[0][0]), -1)

    def stands(self, key: str) -> bool:
        """True where the screen of this key stands, and the frame that brought it is over."""
        return bool(ONLY[key].search(self.text())) and self.at() == (0, 0)


def quick(samples: list[float]) -> dict[str, object]:
    """Quantiles of the first and of the second half."""
    half = len(samples) // 2
    return {"first_half": quantiles(samples[:half]), "second_half": quantiles(samples[half:])}


def pressed(link: Link, seconds: float) -> dict[str, object]:
    """Rows and screens in turn for so long."""
    pauses = random.Random(1)
    late: dict[str, list[float]] = {"row": [], "screen": []}
    ends = time.monotonic() + seconds
    for key in cycle("j21k"):
        link.read_on(pauses.uniform(*PAUSES))
        if time.monotonic() > ends:
            break
        was = link.cursor_row()
        link.send(key)
        if key in ONLY:
            took = link.read_on(LATEST_S, partial(link.stands, key))
        else:
            took = link.read_on(LATEST_S, lambda was=was: link.cursor_row() not in (-1, was))  # type: ignore[misc]
        if took is None:
            raise TimeoutError(f"{key!r} was not answered within {LATEST_S:g} s:\n{link.text()}")
        late["screen" if key in ONLY else "row"].append(took)
    return {kind: quick(samples) for kind, samples in late.items()}


def stopped(link: Link, seconds: float) -> dict[str, object]:
    """Read nothing for so long, then on: what the program grew by, and when the newest time stood there."""
    before, clock = memory_kb(link.process.pid), CLOCK.search(link.text())
    time.sleep(seconds)
    grown = memory_kb(link.process.pid) - before
    came = link.came
    newest = f"{datetime.strptime(clock[0], '%H:%M:%S') + timedelta(seconds=seconds):%H:%M:%S}" if clock else ""
    took = link.read_on(LATEST_S, lambda: (CLOCK.search(link.text()) or [""])[0] >= newest)
    return {
        "seconds": seconds,
        "grown_kb": grown,
        "newest_after_ms": None if took is None else round(1000 * took),
        "bytes_until_then": link.came - came,
    }


def memory_kb(pid: int) -> int:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]


def measure(columns: int, rows: int, colours: str, rate: int, seconds: float, stop: float) -> dict[str, object]:
    """One run of the demo."""
    with tempfile.TemporaryDirectory(prefix="sizewatch-link-") as folder:
        home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), folder)
        command = [sys.executable, str(ROOT / "sizewatch.py"), "--demo"]
        with Link(command, columns=columns, rows=rows, cwd=ROOT, env={**home, **COLOURS[colours]}) as link:
            link.rate = rate
            link.read_on(SETTLED_S)
            link.came = 0
            link.read_on(QUIET_S)
            figures: dict[str, object] = {
                "size": f"{columns}x{rows}",
                "colours": colours,
                "rate": rate or None,
                "bytes_per_s": round(link.came / QUIET_S),
            }
            link.came = 0
            figures["key_to_paint_ms"] = pressed(link, seconds)
            figures["bytes_per_s_while_keys_are_pressed"] = round(link.came / seconds)
            figures["stopped"] = stopped(link, stop) if stop else None
            link.send("q")
            link.read_on(2.0)
            return figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of keys")
    parser.add_argument("--stop", type=float, default=30.0, help="seconds for which nothing is read; 0: not tried")
    parser.add_argument("--rates", type=int, nargs="+", default=[0, 20_000], help="bytes a second; 0: all that come")
    parser.add_argument("--sizes", nargs="+", default=["80x24", "120x40"])
    parser.add_argument("--colours", nargs="+", choices=COLOURS, default=["16"])
    options = parser.parse_args()
    runs = []
    for size, colours, rate in product(options.sizes, options.colours, options.rates):
        columns, _, rows = size.partition("x")
        runs.append(measure(int(columns), int(rows), colours, rate, options.seconds, options.stop if rate else 0))
    print(json.dumps({"machine": machine(), "runs": runs}, indent=2))


if __name__ == "__main__":
    main()
