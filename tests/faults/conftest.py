"""The one run of all faults, side by side, that the tests of this folder look at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from engine import sessions
from simulator.authority import Authority
from tests.faults import test_crypto, test_yahoo
from tests.faults.world import Overheard, Seen, Watch, WorldClock, beside

LIBRARIES = ("'ClientConnection' object has no attribute 'recv_messages'",)
"""What libraries leave unhandled by themselves: websockets, where a TLS handshake is cut off."""


@dataclass(frozen=True)
class Run:
    crypto: Seen
    streamer: Seen
    poll: Seen
    faults: list[str]
    """Errors that were logged, and what the loop was left with unhandled."""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    sessions.warm()
    folder = tmp_path_factory.mktemp("world")
    (folder / "authority").mkdir()
    authority = Authority(folder / "authority")
    crypto, streamer, poll = (
        {kind: Watch() for kind in promises} for promises in (test_crypto.PROMISES, test_yahoo.STREAM, test_yahoo.POLL)
    )
    overheard = Overheard()
    logging.getLogger().addHandler(overheard)
    clock, quick = WorldClock(2.0), WorldClock(8.0)
    work = [test_crypto.observed(kind, clock, folder, authority, watch) for kind, watch in crypto.items()]
    work += [test_yahoo.streamed(kind, clock, folder, authority, watch) for kind, watch in streamer.items()]
    work.append(test_yahoo.polled(quick, folder, authority, poll))
    try:
        unhandled = asyncio.run(beside([clock, quick], work))
    finally:
        logging.getLogger().removeHandler(overheard)
    faults = [text for text in (*overheard.said, *unhandled) if not any(known in text for known in LIBRARIES)]
    yield Run(Seen(crypto), Seen(streamer), Seen(poll), faults)


@pytest.fixture
def crypto(run: Run) -> Seen:
    return run.crypto


@pytest.fixture
def streamer(run: Run) -> Seen:
    return run.streamer


@pytest.fixture
def poll(run: Run) -> Seen:
    return run.poll
