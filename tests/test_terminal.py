"""The program in a real terminal: it paints, answers keys, survives a lost gateway, and always ends clean."""

from __future__ import annotations

import os
import re
import signal
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


def leave_by_key(terminal: Terminal) -> int:
    terminal.send("q")
    return terminal.wait(10)


def leave_by_interrupt(terminal: Terminal) -> int:
    terminal.send("\x03")
    return terminal.wait(10)


def leave_by_term(terminal: Terminal) -> int:
    os.kill(terminal.process.pid, signal.SIGTERM)
    return terminal.wait(10)


def leave_by_hangup(terminal: Terminal) -> int:
    """The signal alone: the terminal is still there, and must be as it was."""
    os.kill(terminal.process.pid, signal.SIGHUP)
    return terminal.wait(10)


@pytest.mark.parametrize("leave", [leave_by_key, leave_by_interrupt, leave_by_term, leave_by_hangup])
def test_it_ends_clean(demo: Terminal, leave: object, tmp_path: Path) -> None:
    before = contents(tmp_path / "tmp")
    demo.until(lambda text: "SIMULATED" in text, 30)
    [child] = children(demo.process.pid)
    assert callable(leave)
    assert leave(demo) == 0
    assert gone(child)
    assert before == {} == contents(tmp_path / "tmp")
    written = bytes(demo.raw)
    assert written.rfind(b"\x1b[?1049l") > written.rfind(b"\x1b[?1049h")  # the shell's own screen is back
    assert written.rfind(b"\x1b[?25h") > written.rfind(b"\x1b[?25l")  # and its cursor
    assert b"Traceback" not in written


def test_a_closed_window_leaves_nothing_behind(demo: Terminal, tmp_path: Path) -> None:
    demo.until(lambda text: "SIMULATED" in text, 30)
    [child] = children(demo.process.pid)
    demo.hang_up()
    demo.process.wait(10)
    assert gone(child)
    assert contents(tmp_path / "tmp") == {}


def test_it_stops_at_ctrl_z_and_paints_all_of_the_screen_when_it_goes_on(demo: Terminal) -> None:
    demo.until(lambda text: "SIMULATED" in text, 30)
    demo.send("\x1a")
    stat = Path(f"/proc/{demo.process.pid}/stat")
    demo.until(lambda _: stat.read_text().rpartition(")")[2].split()[0] == "T", 15)
    demo.wipe()
    written = bytes(demo.raw)
    assert written.rfind(b"\x1b[?1049l") > written.rfind(b"\x1b[?1049h")  # the shell has its own screen, and its cursor
    assert written.rfind(b"\x1b[?25h") > written.rfind(b"\x1b[?25l")
    os.kill(demo.process.pid, signal.SIGCONT)
    # what stands still between two ticks is there again as well
    still = ("1 Dashboard", "Size spread", "Russell 2000", "Gauges")
    demo.until(lambda text: all(words in text for words in still), 15)
    assert leave_by_key(demo) == 0


def test_a_kill_takes_the_child_with_it(demo: Terminal) -> None:
    demo.until(lambda text: "SIMULATED" in text, 30)
    [child] = children(demo.process.pid)
    os.kill(demo.process.pid, signal.SIGKILL)
    demo.process.wait(5)
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
        assert terminal.wait(10) == 0


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
            terminal.until(lambda text: "Welcome to sizewatch" in text, 60)  # a first start greets
            terminal.send("\x1b")
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
            assert terminal.wait(10) == 0
    finally:
        first.stop()
