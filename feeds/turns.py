"""Heavy imports one after the other, the most urgent first.

They share one interpreter: four at once end together, at the end; one by one the first is done in a quarter of the
time, and its feed delivers while the others still wait.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Final

STREAM: Final = 0
"""What Yahoo's streamer needs: little, and prices come of it at once."""
VENUES: Final = 1
FACTS: Final = 2
YFINANCE: Final = 3
"""yfinance with pandas, the heaviest."""
GRACE_S: Final = 0.02
"""How long whoever is not the first lets others come."""

_CHANGED: Final = threading.Condition()
_WAITING: Final[list[tuple[int, int]]] = []
_TICKETS: Final = itertools.count()
_BUSY: Final = threading.Event()


@contextmanager
def turn(rank: int) -> Iterator[None]:
    """Waits, in a thread that may, until nobody has the turn and nobody of a lower rank waits for it."""
    if rank:
        time.sleep(GRACE_S)
    with _CHANGED:
        ticket = (rank, next(_TICKETS))
        heapq.heappush(_WAITING, ticket)
        _CHANGED.wait_for(lambda: not _BUSY.is_set() and _WAITING[0] == ticket)
        heapq.heappop(_WAITING)
        _BUSY.set()
    try:
        yield
    finally:
        with _CHANGED:
            _BUSY.clear()
            _CHANGED.notify_all()


def imported(rank: int, name: str) -> None:
    """Import a module in turn."""
    with turn(rank):
        import_module(name)
