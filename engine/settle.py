"""Waiting for a run to have all that it first had to have: what a command without a screen does."""

from __future__ import annotations

import time
from typing import Protocol

from engine.errors import SizewatchError
from engine.model import Snapshot, SnapshotSource


class Source(SnapshotSource, Protocol):
    """What makes snapshots, with a life of its own."""

    def start(self) -> None: ...

    def stop(self, timeout: float = 2.5) -> bool: ...

    def ready(self) -> bool:
        """Whether there is nothing more to wait for."""
        ...


def settled(source: Source, wait_s: float) -> Snapshot:
    """The live tables as soon as every source has delivered or failed; what there is when the time is up.

    Of a recording: its last tables. Raises SizewatchError where there is nothing at all.
    """
    ends = time.monotonic() + wait_s
    source.start()
    try:
        while time.monotonic() < ends and source.failure() is None and not source.ready():
            time.sleep(0.05)
    finally:
        source.stop()
    latest = source.latest()
    if latest is None or (source.failure() is not None and not latest.settled):
        raise SizewatchError(source.failure() or f"nothing was ready within {wait_s:g} s")
    return latest
