"""What is new in a snapshot since the one before: each alert's event once, however often it is looked at.

A snapshot carries its newest events, those of earlier runs among them; only what happened since `began` is news.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from engine.model import Event, FeedState, Notice, Snapshot


class News:
    """Reads snapshots in order. began: epoch seconds of the run's clock."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._events: tuple[Event, ...] = ()
        self._seen: set[str] = set()
        self._notices: tuple[Notice, ...] = ()
        self._feeds: object = None
        self._states: dict[tuple[str, str], tuple[str, str | None]] = {}

    def events(self, snapshot: Snapshot) -> list[Event]:
        """Events that no earlier call has returned, oldest first."""
        if snapshot.events == self._events:
            return []
        self._events = snapshot.events
        fresh = [event for event in snapshot.events if event.id not in self._seen and event.at >= self._began]
        self._seen = {event.id for event in snapshot.events}
        return fresh

    def lines(self, snapshot: Snapshot) -> Iterator[dict[str, Any]]:
        """Everything new, ready for JSON: notices, changes of the feeds' states, events."""
        for notice in snapshot.notices:
            if notice not in self._notices:
                yield {"type": "notice", "at": _iso(notice.at), "severity": notice.severity, "text": notice.text}
        self._notices = snapshot.notices
        yield from self._feed_changes(snapshot)
        for event in self.events(snapshot):
            yield {
                "type": "event",
                "at": _iso(event.at),
                **{name: value for name, value in event._asdict().items() if name not in ("at", "values")},
                "values": dict(event.values),
                "simulated": snapshot.mode.value != "live",
            }

    def _feed_changes(self, snapshot: Snapshot) -> Iterator[dict[str, Any]]:
        table = snapshot.tables.get("feeds")
        if table is None or table is self._feeds:
            return
        self._feeds = table
        states: dict[tuple[str, str], tuple[str, str | None]] = {}
        for source, kind, state, error in table.select("source", "kind", "state", "error").iter_rows():
            states[source, kind] = (state, error)
            if self._states.get((source, kind)) != (state, error):
                yield _feed(snapshot, source, kind, state, error)
        for source, kind in self._states.keys() - states.keys():
            yield _feed(snapshot, source, kind, FeedState.CLOSED.value, None)
        self._states = states


def _feed(snapshot: Snapshot, source: str, kind: str, state: str, error: str | None) -> dict[str, Any]:
    at = _iso(snapshot.as_of)
    return {"type": "feed", "at": at, "source": source, "kind": kind, "state": state, "error": error}


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
