"""Key to paint: from the byte typed until the screen's answer was written; idle, under load, and in the first 5 s.

    uv run --group dev python -m bench.keys [--keys 180] [--rate 2000]

The real program runs in live mode on a pseudo-terminal, its one exchange led to `bench.load`, which sends ticks over
TLS at the given rate. `move` is `j`/`k` in the quote grid, `tab` the way from pane to pane. JSON on stdout,
milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.pty_run import Terminal
from tui import theme

SYMBOLS = 200
TITLES = ("Equities", "Sources", "Size spread", "Russell 2000", "Gauges", "Baskets", "Crypto")
"""The panes in the order of Tab, from the one that has the focus at the start."""
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

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.load", "--symbols", str(SYMBOLS)]
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
    """A configuration whose one exchange is the sender, and whose store is the run's own."""
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


def timed(terminal: Terminal, key: str, mark: bytes) -> float:
    """Seconds from typing a key until `mark` has been written."""
    terminal.raw.clear()
    sent = time.monotonic()
    terminal.send(key)
    return terminal.until_raw(mark, 10) - (sent - terminal.started)


def under_cursor(symbol: str) -> bytes:
    """What is written when the cursor's row is drawn."""
    colour = theme.colours("dark")["cursor"].removeprefix("#")
    red, green, blue = (int(colour[i : i + 2], 16) for i in (0, 2, 4))
    return f"48;2;{red};{green};{blue}m {symbol}".encode()


def moves(terminal: Terminal, symbols: list[str], count: int, *, quiet: bool = False) -> list[float]:
    """Down and up again through the grid, with pauses that keep no step with the frame clock.

    quiet: nothing else writes a row's symbol (and rows are stale, in another colour).
    """
    pauses, row = random.Random(1), 0
    samples: list[float] = []
    for i in range(count):
        step = 1 if (i // 30) % 2 == 0 else -1
        row += step
        mark = f" {symbols[row]}".encode() if quiet else under_cursor(symbols[row])
        samples.append(timed(terminal, "j" if step > 0 else "k", mark))
        drain(terminal, pauses.uniform(0.02, 0.12))
    return samples


def tabs(terminal: Terminal, *, count: int = 0, until: float = 0.0) -> list[float]:
    """Round the panes, a number of times or until a moment."""
    pauses, at = random.Random(2), 0
    samples: list[float] = []
    while (len(samples) < count) if count else (time.monotonic() < until or at % len(TITLES)):
        samples.append(timed(terminal, "\t", TITLES[at % len(TITLES)].encode()))
        at += 1
        drain(terminal, pauses.uniform(0.02, 0.12))
    return samples


def measure(keys: int, rate: int) -> dict[str, object]:
    """All figures of one run of the program."""
    load = Load()
    try:
        symbols: list[str] = load.ready["symbols"]
        figures: dict[str, object] = {}
        with program(load) as terminal:
            terminal.until_raw(b"Crypto", 30)
            first = tabs(terminal, until=time.monotonic() + 5.0)
            load.event("subscribed", terminal=terminal)
            terminal.send("/load\r")  # the symbols that the sender serves, and no others
            drain(terminal, 5.0)
            rounds = -(-keys // len(TITLES)) * len(TITLES)
            figures["idle"] = {
                "tab": quantiles(tabs(terminal, count=rounds)),
                "move": quantiles(moves(terminal, symbols, 60, quiet=True)),
            }
            terminal.send("g")
            load.send(rate, 600.0)
            drain(terminal, 3.0)
            load_tab, load_move = tabs(terminal, count=rounds), moves(terminal, symbols, keys - keys % 60 or 60)
            figures[f"at_{rate}_ticks_per_s"] = {"tab": quantiles(load_tab), "move": quantiles(load_move)}
            figures["first_5_s"] = {"tab": quantiles(first)}
            terminal.send("q")
            terminal.wait(10)
        return figures
    finally:
        load.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=180)
    parser.add_argument("--rate", type=int, default=2000)
    options = parser.parse_args()
    print(json.dumps({"machine": machine(), "key_to_paint_ms": measure(options.keys, options.rate)}, indent=2))


if __name__ == "__main__":
    main()
