"""Two terminals on one store: each event is told once, and when the one that tells is killed the other goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.soak_alerts import IDENTITY, ROOT, Receiver
from engine.clock import Clock
from engine.database import Database
from engine.journal import Journal
from engine.lease import EVERY_S, LASTS_S, Lease

PATIENCE_S = 60.0


class FakeClock(Clock):
    """Stands until it is set; the system's time and the intervals alike."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def leases(folder: Path, alive: bool) -> tuple[FakeClock, Lease, Lease]:
    clock = FakeClock()
    first, second = (Lease(Database(folder), "x", clock=clock, alive=lambda pid: alive) for _ in range(2))
    return clock, first, second


def test_one_of_two_holds_a_lease_and_the_other_after_it_lets_go(tmp_path: Path) -> None:
    clock, first, second = leases(tmp_path, alive=True)
    assert first.tend() and not second.tend()
    assert second.other is not None and second.other.pid == os.getpid()
    first.release()
    clock.at += EVERY_S
    assert second.tend() and not first.tend()
    assert second.before is None, "it was let go of in order"


def test_a_lease_that_is_renewed_stays_and_one_that_is_not_runs_out(tmp_path: Path) -> None:
    clock, first, second = leases(tmp_path, alive=True)
    assert first.tend()
    for _ in range(10):
        clock.at += EVERY_S
        assert first.tend() and not second.tend()
    clock.at += LASTS_S
    assert second.tend(), "a holder that hangs loses it"
    assert second.before is not None
    assert not first.tend(), "and finds out before it acts again"


def test_a_dead_holder_is_followed_at_once_and_a_clock_set_back_blocks_nobody(tmp_path: Path) -> None:
    clock, first, second = leases(tmp_path, alive=False)
    assert first.tend()
    assert second.tend()
    clock.at -= 1_000.0
    assert Lease(Database(tmp_path), "x", clock=clock, alive=lambda pid: True).tend()


@dataclass
class Storm:
    """One process with alerts of its own, on a store that it shares."""

    child: subprocess.Popen[bytes]
    out: Path

    def lines(self, kind: str) -> set[str]:
        """Ids that it told (`""`), or that it heard another tell (`heard `)."""
        rows = [line.removeprefix(kind) for line in self.out.read_text().splitlines() if line.startswith(kind)]
        return {row for row in rows if IDENTITY.fullmatch(f"[{row}]")}


def until(what: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.02)


class Stage:
    """Storms on one store, and the webhook that they deliver to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.receiver = Receiver()
        self.receiver.patient = True
        self.environment = {**os.environ, "ALERT_STORM_HOOK": self.receiver.url, "PYTHONPATH": str(ROOT)}
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            self.environment.pop(name, None)
        self.begun: list[Storm] = []

    def start(self) -> Storm:
        """Begin one more."""
        number = len(self.begun)
        out = self.folder / f"{number}.txt"
        arguments = (str(self.folder), str(number), "3600", "0.2")
        with out.open("wb") as file:
            child = subprocess.Popen(
                [sys.executable, "-m", "bench.alert_storm", *arguments], stdout=file, env=self.environment, cwd=ROOT
            )
        self.begun.append(Storm(child, out))
        return self.begun[-1]

    def end(self) -> None:
        """End all of it."""
        for storm in self.begun:
            storm.child.kill()
            storm.child.wait()
        self.receiver.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.end()


def test_each_event_is_told_once_by_one_and_the_other_takes_over_after_a_kill(stage: Stage, tmp_path: Path) -> None:
    receiver, first = stage.receiver, stage.start()
    until(lambda: first.lines(""))
    second = stage.start()
    until(lambda: len(second.lines("heard ")) > 5 and receiver.arrived)
    assert not second.lines(""), "only one works the rules"
    first.child.send_signal(signal.SIGKILL)
    first.child.wait()
    until(lambda: len(second.lines("")) > 5)
    first_told, second_told = first.lines(""), second.lines("")
    assert not first_told & second_told
    journal = Journal(Database(tmp_path))
    until(lambda: second_told <= set(receiver.arrived))
    assert set(receiver.arrived) <= {entry.event.id for entry in journal.entries(limit=100_000)}
    # a message that was under way while its sender was killed is sent again, and that is all
    twice = {event for event, count in receiver.arrived.items() if count > 1}
    assert all(receiver.arrived[event] == 2 for event in twice) and not twice & second_told
    journal.close()
