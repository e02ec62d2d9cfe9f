"""One message to many listeners: serialised once, queued for each, and never waited for.

Invariant: a listener that does not read holds up nobody. Its queue is bounded by `Listener.LIMIT`, and when that is
full, its connection is cut, as the venues do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

import orjson


def dumps(value: object) -> str:
    """JSON as the venues write it: no spaces."""
    return orjson.dumps(value).decode()


class Listener:
    """One connection's queue of outgoing text."""

    LIMIT = 4096

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue(self.LIMIT)
        self.full = asyncio.Event()
        """Set once it has fallen too far behind: nothing more is queued, and its connection is cut."""
        self.sent = 0
        """Messages queued so far: Coinbase numbers them, Kraken beats its heart where none went out."""
        self.seen = 0
        """What `sent` was at the last heartbeat."""

    def put(self, text: str) -> None:
        """Queue a message; to one that is too far behind nothing more goes."""
        with contextlib.suppress(asyncio.QueueFull):
            self.queue.put_nowait(text)
            self.sent += 1
            return
        self.full.set()


Topic = tuple[str, str]
"""A channel and a book's id in it."""


class Topics:
    """Who hears what: listeners by topic, and topics by listener."""

    def __init__(self) -> None:
        self._by_key: dict[Topic, set[Listener]] = {}

    def add(self, key: Topic, listener: Listener) -> bool:
        """False where it was there already."""
        listeners = self._by_key.setdefault(key, set())
        if listener in listeners:
            return False
        listeners.add(listener)
        return True

    def remove(self, key: Topic, listener: Listener) -> bool:
        listeners = self._by_key.get(key)
        if not listeners or listener not in listeners:
            return False
        listeners.discard(listener)
        if not listeners:
            del self._by_key[key]
        return True

    def forget(self, listener: Listener) -> None:
        for key in [key for key, listeners in self._by_key.items() if listener in listeners]:
            self.remove(key, listener)

    def of(self, key: Topic) -> Iterable[Listener]:
        return self._by_key.get(key, ())

    def keys(self) -> Iterable[Topic]:
        return self._by_key.keys()

    def any(self) -> bool:
        """True while anyone hears anything."""
        return bool(self._by_key)

    def keys_of(self, listener: Listener) -> list[Topic]:
        return [key for key, listeners in self._by_key.items() if listener in listeners]
