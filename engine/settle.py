"""Waiting for a run to have all that it first had to have: what a command without a screen does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, Protocol

from engine.errors import SizewatchError
from engine.model import Intent, Snapshot, SnapshotSource

AGAIN_S: Final = 20.0
"""Seconds after which a wish is said again: what was asked for is let go of a minute after it was last asked."""


class Source(SnapshotSource, Protocol):
    """What makes snapshots, with a life of its own."""

    def start(self) -> None: ...

    def stop(self, timeout: float = 2.5) -> bool: ...

    def ready(self) -> bool:
        """Whether there is nothing more to wait for."""
        ...


def settled(source: Source, wait_s: float, wishes: Sequence[Intent] = ()) -> Snapshot:
    """The live tables as soon as every source has delivered or failed; what there is when the time is up.

    wishes: what a screen would ask for, such as bars. Of a recording: its last tables. Raises SizewatchError where
    there is nothing at all.
    """
    ends = time.monotonic() + wait_s
    source.start()
    due = time.monotonic()
    try:
        while time.monotonic() < ends and source.failure() is None and not source.ready():
            if time.monotonic() >= due:
                due += AGAIN_S
                for wish in wishes:
                    source.send(wish)
            time.sleep(0.05)
    finally:
        source.stop()
    latest = source.latest()
    if latest is None or (source.failure() is not None and not latest.settled):
        raise SizewatchError(source.failure() or f"nothing was ready within {wait_s:g} s")
    return latest
