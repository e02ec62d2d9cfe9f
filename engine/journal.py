"""The journal of alerts: an event is on the disk before anybody is shown it or sent it.

One transaction writes the events of an evaluation, where their instances now stand, and the deliveries that are owed.
So a kill at any moment loses nothing that was shown, and a delivery that was owed is found again at the next start. It
is bounded: beyond `MAX_EVENTS` the oldest that nobody is owed go. Secrets never enter it: a channel is a name here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from engine.database import Database
from engine.lifecycle import AlertState, Instance
from engine.model import Event, Value

MAX_EVENTS: Final = 100_000
_EVENT_COLUMNS: Final = "seq, id, rule, row, kind, at, severity, notify, message, data, acknowledged_at"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the journal holds it. Times are epoch seconds."""

    seq: int
    event: Event
    acknowledged_at: float | None


class Delivery(NamedTuple):
    """One event that one channel is owed."""

    event: Event
    channel: str
    attempts: int
    next_at: float
    error: str | None


class Journal:
    """Reading and writing of events, instances and deliveries. Raises DatabaseError where the disk refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writes = 0

    def record(
        self,
        events: Sequence[Event],
        instances: Iterable[tuple[str, str, Instance]],
        channels: Mapping[str, Sequence[str]],
    ) -> list[Event]:
        """Write it all or nothing; returns the events that were not there before.

        instances: the changed ones. channels: by event id, the names of the channels that it goes to.
        """
        new: list[Event] = []
        with self._database.transaction() as connection:
            for event in events:
                cursor = connection.execute(
                    "INSERT OR IGNORE INTO events (id, rule, row, kind, at, severity, notify, message, data)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*event[:-1], orjson.dumps(dict(event.values)).decode()),
                )
                if not cursor.rowcount:
                    continue
                new.append(event)
                connection.executemany(
                    "INSERT OR IGNORE INTO deliveries (event, channel, state, attempts, next_at)"
                    " VALUES (?, ?, 'owed', 0, ?)",
                    [(event.id, channel, event.at) for channel in channels.get(event.id, ())],
                )
            for rule, row, at in instances:
                self._put_instance(rule, row, at)
            self._writes += 1
            if self._writes % 200 == 1:
                self._prune()
        return new

    def _put_instance(self, rule: str, row: str, at: Instance) -> None:
        with_state = self._database.execute
        if at.state is AlertState.INACTIVE and at.fired_at is None:
            with_state("DELETE FROM instances WHERE rule = ? AND row = ?", (rule, row))
            return
        with_state(
            "INSERT OR REPLACE INTO instances (rule, row, state, since, held, fired_at, fired_bar, acknowledged)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (rule, row, str(at.state), at.since, at.held, at.fired_at, at.fired_bar, int(at.acknowledged)),
        )

    def _prune(self) -> None:
        self._database.execute(
            "DELETE FROM events WHERE seq <= (SELECT MAX(seq) FROM events) - ?"
            " AND id NOT IN (SELECT event FROM deliveries WHERE state = 'owed')",
            (MAX_EVENTS,),
        )
        self._database.execute("DELETE FROM deliveries WHERE event NOT IN (SELECT id FROM events)", ())

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def instances(self) -> list[tuple[str, str, Instance]]:
        """Where every instance stood when it was last written."""
        rows = self._database.rows(
            "SELECT rule, row, state, since, held, fired_at, fired_bar, acknowledged FROM instances ORDER BY rule, row"
        )
        return [
            (
                str(rule),
                str(row),
                Instance(
                    state=AlertState(str(state)),
                    since=_float(since),
                    held=_float(held),
                    fired_at=_maybe(fired),
                    fired_bar=_whole(bar),
                    acknowledged=bool(seen),
                ),
            )
            for rule, row, state, since, held, fired, bar, seen in rows
        ]

    def entries(self, *, rule: str | None = None, since: float | None = None, limit: int = 500) -> list[Entry]:
        """Events, newest first."""
        rows = self._database.rows(
            f"SELECT {_EVENT_COLUMNS} FROM events WHERE (?1 IS NULL OR rule = ?1) AND (?2 IS NULL OR at >= ?2)"
            " ORDER BY seq DESC LIMIT ?3",
            (rule, since, limit),
        )
        return [Entry(int(_float(row[0])), _event(row[1:10]), _maybe(row[10])) for row in rows]

    def acknowledge(self, rule: str, row: str, at: float) -> int:
        """Mark a row's events as seen; returns how many were not before."""
        with self._database.transaction() as connection:
            return connection.execute(
                "UPDATE events SET acknowledged_at = ? WHERE rule = ? AND row = ? AND acknowledged_at IS NULL",
                (at, rule, row),
            ).rowcount

    def owed(self, now: float, channel: str | None = None, limit: int = 100) -> list[Delivery]:
        """Deliveries whose time has come, of one channel or of all, oldest event first."""
        rows = self._database.rows(
            "SELECT e.id, e.rule, e.row, e.kind, e.at, e.severity, e.notify, e.message, e.data,"
            " d.channel, d.attempts, d.next_at, d.error"
            " FROM deliveries d JOIN events e ON e.id = d.event"
            " WHERE d.state = 'owed' AND d.next_at <= ?1 AND (?2 IS NULL OR d.channel = ?2) ORDER BY e.seq LIMIT ?3",
            (now, channel, limit),
        )
        return [
            Delivery(_event(row[:9]), str(row[9]), int(_float(row[10])), _float(row[11]), _text(row[12]))
            for row in rows
        ]

    def delivered(self, deliveries: Iterable[Delivery]) -> None:
        """They arrived."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE deliveries SET state = 'done', attempts = attempts + 1, error = NULL"
                " WHERE event = ? AND channel = ?",
                [(delivery.event.id, delivery.channel) for delivery in deliveries],
            )

    def failed(self, outcomes: Iterable[tuple[Delivery, float | None]], error: str) -> None:
        """They did not arrive: each is tried again at its time, or given up where that is None."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE deliveries SET state = ?, attempts = attempts + 1, error = ?, next_at = ?"
                " WHERE event = ? AND channel = ?",
                [
                    (
                        "owed" if again is not None else "failed",
                        error[:300],
                        again if again is not None else delivery.next_at,
                        delivery.event.id,
                        delivery.channel,
                    )
                    for delivery, again in outcomes
                ],
            )

    def abandon(self, channels: Sequence[str], before: float) -> int:
        """Give up what is owed since before a time to channels that are not among these; returns how many."""
        known = ", ".join("?" * len(channels))
        with self._database.transaction() as connection:
            return connection.execute(
                "UPDATE deliveries SET state = 'failed', error = 'the channel is configured no more'"
                f" WHERE state = 'owed' AND next_at < ? AND channel NOT IN ({known})",
                (before, *channels),
            ).rowcount

    def silence(self, rule: str, row: str, until: float | None) -> None:
        """Snooze an instance (row `*`: the whole rule) until a time; None: until it is lifted."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO quiet (rule, row, until) VALUES (?, ?, ?)", (rule, row, until))

    def lift(self, rule: str, row: str) -> None:
        """End a snooze."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM quiet WHERE rule = ? AND row = ?", (rule, row))

    def silenced(self, now: float) -> set[tuple[str, str]]:
        """What is snoozed or muted now."""
        rows = self._database.rows("SELECT rule, row FROM quiet WHERE until IS NULL OR until > ?", (now,))
        return {(str(rule), str(row)) for rule, row in rows}


def _event(row: Sequence[object]) -> Event:
    identity, rule, name, kind, at, severity, notify, message, data = row
    values: Mapping[str, Value] = orjson.loads(str(data))
    return Event(
        str(identity), str(rule), str(name), str(kind), _float(at), str(severity), str(notify), str(message), values
    )


def _float(value: object) -> float:
    return float(str(value))


def _maybe(value: object) -> float | None:
    return None if value is None else _float(value)


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
