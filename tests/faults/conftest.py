"""The one run of all faults, side by side, that the tests of this folder look at."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import sessions
from simulator.authority import Authority
from tests.faults import test_crypto, test_yahoo
from tests.faults.world import Overheard, Seen, Watch, WorldClock, beside


@dataclass(frozen=True)
class Run:
    crypto: Seen
    streamer: Seen
    poll: Seen
    faults: list[str]
    """Errors that were logged, and what the loop was left with unhandled."""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run, carried out by one of the processes that share these tests; the others wait for what it saw."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return carried_out(tmp_path_factory.mktemp("world"))
    mine, seen = base.parent / "faults-begun", base.parent / "faults-seen"
    try:
        mine.mkdir()
    except FileExistsError:
        while not seen.exists():
            time.sleep(0.1)
        found = pickle.loads(seen.read_bytes())
        assert isinstance(found, Run), found
        return found
    outcome: object = "the run of all faults failed in another process"
    try:
        outcome = made = carried_out(tmp_path_factory.mktemp("world"))
    finally:
        part = seen.with_suffix(".part")
        part.write_bytes(pickle.dumps(outcome))
        part.replace(seen)
    return made


def carried_out(folder: Path) -> Run:
    sessions.warm()
    (folder / "authority").mkdir()
    authority = Authority(folder / "authority")
    crypto, streamer, poll = (
        {kind: Watch() for kind in promises} for promises in (test_crypto.PROMISES, test_yahoo.STREAM, test_yahoo.POLL)
    )
    overheard = Overheard()
    logging.getLogger().addHandler(overheard)
    clock, quick = WorldClock(3.0), WorldClock(8.0)
    work = [test_crypto.observed(kind, clock, folder, authority, watch) for kind, watch in crypto.items()]
    work += [test_yahoo.streamed(kind, clock, folder, authority, watch) for kind, watch in streamer.items()]
    work.append(test_yahoo.polled(quick, folder, authority, poll))
    try:
        unhandled = asyncio.run(beside([clock, quick], work))
    finally:
        logging.getLogger().removeHandler(overheard)
    return Run(Seen(crypto), Seen(streamer), Seen(poll), [*overheard.said, *unhandled])


@pytest.fixture
def crypto(run: Run) -> Seen:
    return run.crypto


@pytest.fixture
def streamer(run: Run) -> Seen:
    return run.streamer


@pytest.fixture
def poll(run: Run) -> Seen:
    return run.poll
