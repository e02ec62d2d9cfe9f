"""Key to paint: from the byte typed until the screen's answer was written; idle, under load, and in the first 5 s.

    uv run --group dev python -m bench.keys [--keys 180] [--rates 2000 5000] [--symbols 200]

The real program runs in live mode on a pseudo-terminal, its one exchange led to `bench.load`, which sends ticks over
TLS at the given rates. `move` is `j`/`k` in the quote grid, until the row is drawn on the cursor's ground, and `ends`
`G`/`g` to its last row and its first; `tab` the way from pane to pane, until a frame is drawn in the colour of the
focus; `screen` the way to another of the nine, until it is named as the one in sight: all by what the terminal is sent,
whatever stands on the screen. Each screen's first opening, which makes its panes, stands apart as `screen_first`. JSON
on stdout, milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.pty_run import Terminal
from tui import catalogue, theme

SYMBOLS = 200
MAIN = "Crypto"
"""The pane that has the focus at first."""
PANES = 12
"""So many Tabs, at the most, lead back to it."""
LEAST_S, SECONDS_A_KEY = 20.0, 0.5
"""How long ticks are sent for so many keys of every kind."""
PAUSES = (0.02, 0.12)
"""Seconds between two keys, at random: they keep no step with the frame clock."""
ROOT = Path(__file__).parents[1]


def quantiles(samples: list[float]) -> dict[str, float | int]:
    """Median, 99th percentile and worst of seconds, in milliseconds."""
    ordered = sorted(1000 * s for s in samples)
    pick = {
        name: round(ordered[int(q * (len(ordered) - 1))], 1) for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
    }
    return {**pick, "max": round(ordered[-1], 1), "keys": len(ordered)}


class Load:
    """The sender of ticks, in a process of its own."""

    def __init__(self, symbols: int = SYMBOLS) -> None:
        command = [sys.executable, "-m", "bench.load", "--symbols", str(symbols)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self.event("ready")

    def event(self, name: str, seconds: float = 60.0, terminal: Terminal | None = None) -> dict[str, Any]:
        """The next event of this name; meanwhile the terminal goes on writing. Raises TimeoutError."""
        assert self._process.stdout is not None
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if not select.select([self._process.stdout], [], [], 0.0 if terminal else 0.1)[0]:
                if terminal:
                    drain(terminal, 0.1)
                continue
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("the sender has ended")
            event: dict[str, Any] = json.loads(line)
            if event["event"] == name:
                return event
        raise TimeoutError(f"the sender did not say {name!r} within {seconds:g} s")

    def send(self, rate: int, seconds: float) -> None:
        """Begin a round."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"rate": rate, "seconds": seconds, "seed": 1}) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def configuration(load: Load, folder: Path) -> Path:
    """A configuration whose one exchange is the sender, and whose store is the run's own.

    No toasts: one would cover the corner of a pane that a focus is looked for in, until it goes.
    """
    bases = [symbol.split("/")[0] for symbol in load.ready["symbols"]]
    file = folder / "load.toml"
    file.write_text(
        f"""[network]
proxy = {json.dumps(load.ready["proxy"])}
ca_file = {json.dumps(load.ready["ca_file"])}
[store]
path = {json.dumps(str(folder / "store"))}
[crypto]
exchanges = ["kraken"]
quotes = ["USD"]
alt = ["load"]
[crypto.baskets]
load = {json.dumps(bases)}
[spreads]
pairs = ["IWM/SPY"]
[notify]
toast = []
""",
        encoding="utf-8",
    )
    return file


@contextlib.contextmanager
def program(load: Load) -> Iterator[Terminal]:
    """sizewatch on a terminal of its own."""
    with tempfile.TemporaryDirectory(prefix="sizewatch-keys-") as folder:
        home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), folder)
        command = [sys.executable, str(ROOT / "sizewatch.py"), "--config", str(configuration(load, Path(folder)))]
        with Terminal(command, env=home) as terminal:
            yield terminal


def drain(terminal: Terminal, seconds: float) -> None:
    """Let it write for a while."""
    with contextlib.suppress(TimeoutError):
        terminal.until_raw(b"\0never written", seconds)


def timed(terminal: Terminal, key: str, mark: re.Pattern[bytes] | Callable[[], bool]) -> float:
    """Seconds from typing a key until `mark` has been written, or holds of the screen."""
    terminal.raw.clear()
    sent = time.monotonic()
    terminal.send(key)
    came = terminal.until_shown(mark, 10) if callable(mark) else terminal.until_raw(mark, 10)
    return came - (sent - terminal.started)


def colour(name: str) -> str:
    """A colour of the dark theme as an escape sequence holds it."""
    digits = theme.colours("dark")[name].removeprefix("#")
    return ";".join(str(int(digits[i : i + 2], 16)) for i in (0, 2, 4))


def under_cursor(terminal: Terminal, symbol: str) -> Callable[[], bool]:
    """Whether this symbol stands on the cursor's ground, in whatever state its row is."""
    ground = theme.colours("dark")["cursor"].removeprefix("#").lower()

    def there() -> bool:
        rows = (row for row in terminal.cells(14) if row[1].bg == ground)
        return any(symbol in "".join(cell.data for cell in row) for row in rows)

    return there


def focused(title: str = "") -> re.Pattern[bytes]:
    """What is written when a pane gets the focus: its upper left corner, and its title where one is asked for."""
    named = rf"(?:\x1b\[[\d;]*m)* {re.escape(title)}" if title else ""
    return re.compile(rf"38;2;{colour('accent')}(?:;[\d;]*)?m╭─{named}".encode())


def rows(terminal: Terminal, route: Iterable[tuple[str, str]]) -> list[float]:
    """Through the grid. route: each key, and the symbol that the cursor then stands on."""
    pauses = random.Random(1)
    samples: list[float] = []
    for key, symbol in route:
        samples.append(timed(terminal, key, under_cursor(terminal, symbol)))
        drain(terminal, pauses.uniform(*PAUSES))
    return samples


def moves(symbols: list[str], count: int) -> Iterator[tuple[str, str]]:
    """Down and up again, 30 rows at a time."""
    row = 0
    for i in range(count):
        step = 1 if (i // 30) % 2 == 0 else -1
        row += step
        yield "j" if step > 0 else "k", symbols[row]


def ends(symbols: list[str], count: int) -> Iterator[tuple[str, str]]:
    """To the last row and back to the first."""
    return islice(cycle((("G", symbols[-1]), ("g", symbols[0]))), count)


def tabs(terminal: Terminal, *, count: int = 0, until: float = 0.0) -> list[float]:
    """From pane to pane, a number of times or until a moment, and on to the main one."""
    pauses = random.Random(2)
    samples: list[float] = []
    while len(samples) < count or time.monotonic() < until:
        samples.append(timed(terminal, "\t", focused()))
        drain(terminal, pauses.uniform(*PAUSES))
    for _ in range(PANES):
        if focused(MAIN).search(terminal.raw):
            return samples
        timed(terminal, "\t", focused())
        drain(terminal, pauses.uniform(*PAUSES))
    raise RuntimeError(f"{PANES} Tabs do not lead to the pane {MAIN}")


def named(number: int) -> re.Pattern[bytes]:
    """What is written when a screen comes in sight: its number and name, lit up."""
    screen = catalogue.BY_NUMBER[number]
    return re.compile(rf"38;2;{colour('accent')};[\d;]*m{number}(?:\x1b\[[\d;]*m)+ {re.escape(screen.tab)}".encode())


def screens(terminal: Terminal, count: int) -> dict[str, list[float]]:
    """Through all screens in order, then among them at random; back on the first at the end."""
    pauses = random.Random(3)
    samples: dict[str, list[float]] = {"screen_first": [], "screen": []}
    numbers, here = sorted(catalogue.BY_NUMBER), 1
    route = [*numbers[1:], *(pauses.choice(numbers) for _ in range(count)), 1]
    seen = {1}
    for number in route:
        if number == here:
            continue
        samples["screen" if number in seen else "screen_first"].append(timed(terminal, str(number), named(number)))
        seen.add(number)
        here = number
        drain(terminal, pauses.uniform(0.2, 0.5))
    return samples


def measure(keys: int, rates: list[int], count: int) -> dict[str, object]:
    """All figures of one run of the program over so many symbols."""
    load = Load(count)
    try:
        symbols: list[str] = load.ready["symbols"]
        figures: dict[str, object] = {}
        with program(load) as terminal:
            terminal.until_raw(MAIN.encode(), 60)
            figures["first_5_s"] = {"tab": quantiles(tabs(terminal, until=time.monotonic() + 5.0))}
            load.event("subscribed", terminal=terminal)
            terminal.send("/load\r")  # the symbols that the sender serves, and no others
            drain(terminal, 8.0)  # by then nothing of the start is under way
            figures["idle"] = pressed(terminal, symbols, keys)
            for rate in rates:
                load.send(rate, LEAST_S + keys * SECONDS_A_KEY)
                drain(terminal, 3.0)
                changed = screens(terminal, keys // 3) if rate == rates[0] else {}
                figures[f"at_{rate}_ticks_per_s"] = pressed(terminal, symbols, keys) | {
                    name: quantiles(samples) for name, samples in changed.items()
                }
                load.event("done", LEAST_S + 2 * keys * SECONDS_A_KEY, terminal)
            terminal.send("q")
            terminal.wait(10)
        return figures
    finally:
        load.close()


def pressed(terminal: Terminal, symbols: list[str], keys: int) -> dict[str, object]:
    """Every kind of keys, so many times each, the ends a third of it; the cursor ends where it began."""
    terminal.send("g")
    drain(terminal, 0.5)
    return {
        "tab": quantiles(tabs(terminal, count=keys)),
        "move": quantiles(rows(terminal, moves(symbols, max(60, keys - keys % 60)))),
        "ends": quantiles(rows(terminal, ends(symbols, max(20, keys // 3 // 2 * 2)))),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=180)
    parser.add_argument("--rates", type=int, nargs="+", default=[2000, 5000], help="ticks a second")
    parser.add_argument("--symbols", type=int, default=SYMBOLS, help="rows of the grid")
    given = parser.parse_args()
    figures = measure(given.keys, given.rates, given.symbols)
    print(json.dumps({"machine": machine(), "symbols": given.symbols, "key_to_paint_ms": figures}, indent=2))


if __name__ == "__main__":
    main()
