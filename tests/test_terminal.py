"""The program in a real terminal: it paints, answers keys, survives a lost gateway, and always ends clean."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.pty_run import Terminal
from simulator.child import Child
from simulator.scenario import load
from tests.program import COMMAND, contents, surroundings

LIVE_BTC = re.compile(r"│ +BTC/USD\s+[\d,]+\.\d")
"""Bitcoin with a price and without the sign of a stale row."""
LIVE_IWM = re.compile(r"│ +IWM\s+[\d,]+\.\d")


def children(pid: int) -> list[int]:
    """Direct children of a process that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def gone(pid: int, seconds: float = 30.0) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal([*COMMAND, "--demo"], cwd=tmp_path, env=surroundings(tmp_path)) as terminal:
        yield terminal


def market_of(demo: Terminal) -> int:
    """The process of the demo's market, which starts after the first paint."""
    demo.until(lambda text: "SIMULATED" in text and bool(children(demo.process.pid)), 30)
    [child] = children(demo.process.pid)
    return child


def leave_by_key(terminal: Terminal) -> int:
    terminal.send("q")
    return terminal.wait(60)


def leave_by_interrupt(terminal: Terminal) -> int:
    terminal.send("\x03")
    return terminal.wait(60)


def leave_by_term(terminal: Terminal) -> int:
    os.kill(terminal.process.pid, signal.SIGTERM)
    return terminal.wait(60)


def leave_by_hangup(terminal: Terminal) -> int:
    """The signal alone: the terminal is still there, and must be as it was."""
    os.kill(terminal.process.pid, signal.SIGHUP)
    return terminal.wait(60)


@pytest.mark.parametrize("leave", [leave_by_key, leave_by_interrupt, leave_by_term, leave_by_hangup])
def test_it_ends_clean(demo: Terminal, leave: object, tmp_path: Path) -> None:
    before = contents(tmp_path / "tmp")
    child = market_of(demo)
    assert callable(leave)
    assert leave(demo) == 0
    assert gone(child)
    assert before == {} == contents(tmp_path / "tmp")
    written = bytes(demo.raw)
    assert written.rfind(b"\x1b[?1049l") > written.rfind(b"\x1b[?1049h")  # the shell's own screen is back
    assert written.rfind(b"\x1b[?25h") > written.rfind(b"\x1b[?25l")  # and its cursor
    assert b"Traceback" not in written


def test_a_closed_window_leaves_nothing_behind(demo: Terminal, tmp_path: Path) -> None:
    child = market_of(demo)
    demo.hang_up()
    demo.process.wait(60)
    assert gone(child)
    assert contents(tmp_path / "tmp") == {}


def test_a_kill_takes_the_child_with_it(demo: Terminal) -> None:
    child = market_of(demo)
    os.kill(demo.process.pid, signal.SIGKILL)
    demo.process.wait(60)
    assert gone(child)


def test_a_broken_configuration_is_refused_on_the_screen_and_a_right_one_applied(tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text("[appearance]\ntheme = 'dark'\n")
    command = [*COMMAND, "--demo", "--config", str(config)]
    with Terminal(command, columns=160, cwd=tmp_path, env=surroundings(tmp_path)) as terminal:
        terminal.until(lambda text: LIVE_BTC.search(text) is not None, 60)
        config.write_text("[refresh]\nbeat_hz = 300\n")
        terminal.until(lambda text: "refused" in text, 15)
        config.write_text("[refresh]\nbeat_hz = 2\n")
        terminal.until(lambda text: "in force" in text, 15)
        terminal.send("q")
        assert terminal.wait(60) == 0


def test_a_terminal_that_stops_reading_gets_the_screen_of_then_and_nothing_of_before(tmp_path: Path) -> None:
    command = [*COMMAND, "--demo"]
    with Terminal(command, columns=80, rows=24, cwd=tmp_path, env=surroundings(tmp_path)) as terminal:
        terminal.until(lambda text: "SIMULATED" in text and "─ Quotes" in text, 30)
        terminal.send("2413" * 20 + "9")  # some 300 kB, were every screen written
        with contextlib.suppress(subprocess.TimeoutExpired):
            terminal.process.wait(1.5)  # nobody reads meanwhile
        before = terminal.total
        terminal.until(lambda text: "9 SQL" in text and "│ near " in text and terminal.at() == (0, 0), 15)
        assert terminal.total - before < 40_000
        pieced = queries(terminal)
        terminal.wipe()
        terminal.send("\x0c")  # all of it anew
        terminal.until(lambda _: queries(terminal) == pieced, 10)


def test_the_shell_has_the_terminal_back_while_it_is_stopped_and_all_is_drawn_when_it_goes_on(demo: Terminal) -> None:
    demo.until(lambda text: "SIMULATED" in text, 30)
    demo.raw.clear()
    demo.send("\x1a")
    demo.until(lambda _: b"\x1b[?1049l" in demo.raw and state(demo.process.pid) == "T", 10)
    demo.wipe()
    os.kill(demo.process.pid, signal.SIGCONT)
    demo.until(lambda text: "SIMULATED" in text and "─ Crypto ─" in text and "Tab pane" in text, 10)
    demo.send("q")
    assert demo.wait(60) == 0


def state(pid: int) -> str:
    """A process's state as the system has it: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def queries(terminal: Terminal) -> list[str]:
    """The pane of the saved queries, which stands still."""
    return terminal.text().splitlines()[15:22]


def test_a_lost_gateway_is_stale_within_5_s_and_live_again_without_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    folder.mkdir()
    offset = load("january-2026").start.timestamp() - time.time()
    first = Child("january-2026", tmp_path, offset, folder=folder)
    config = tmp_path / "own.toml"
    config.write_text(
        f"""
        [network]
        proxy = "{first.ready().proxy}"
        ca_file = "{first.ready().ca_file}"
        [crypto]
        exchanges = ["kraken"]
        alt = ["large"]
        [crypto.baskets]
        large = ["SOL"]
        ai = []
        defi = []
        meme = []
        mid = []
        [equity]
        symbols = ["IWM", "SPY", "^RUT"]
        """
    )
    port = int(first.ready().proxy.rpartition(":")[2])
    at = datetime.fromtimestamp(time.time() + offset, UTC)
    command = [*COMMAND, "--config", str(config), "--at", at.isoformat()]
    try:
        with Terminal(command, columns=120, rows=40, cwd=tmp_path, env=surroundings(tmp_path)) as terminal:
            terminal.until(lambda text: LIVE_BTC.search(text) is not None and LIVE_IWM.search(text) is not None, 60)
            first.stop()
            lost = time.monotonic()
            terminal.until(lambda text: all(sign in text for sign in ("◌ BTC/USD", "◌ IWM", "reconnecting")), 15)
            assert time.monotonic() - lost < 5
            terminal.send("?")  # keys still answer
            terminal.until(lambda text: "Go to the next pane." in text, 5)
            terminal.send("\x1b")
            second = Child("january-2026", tmp_path, offset, folder=folder, port=port)
            try:
                second.ready()
                back = time.monotonic()
                terminal.until(lambda text: LIVE_BTC.search(text) is not None, 30)
                assert time.monotonic() - back < 15
            finally:
                second.stop()
            terminal.send("q")
            assert terminal.wait(60) == 0
    finally:
        first.stop()
