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

MAX_RULES: Final = 1_000
"""Rules that a store keeps beside those of the configuration."""
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


class Sent(NamedTuple):
    """How one event's delivery to one channel stands."""

    channel: str
    state: str
    """owed, done or failed."""
    attempts: int
    error: str | None


class Journal:
    """Reading and writing of events, instances and deliveries. Raises DatabaseError where the disk refuses."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writes = 0
        self._version = -1
        self._read: dict[str, Event] = {}
        """The events that were read last, by id: read again, an event is the same object, however many hold it."""

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
        with self.database.transaction() as connection:
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
        with_state = self.database.execute
        if at.state is AlertState.INACTIVE and at.fired_at is None:
            with_state("DELETE FROM instances WHERE rule = ? AND row = ?", (rule, row))
            return
        with_state(
            "INSERT OR REPLACE INTO instances (rule, row, state, since, held, fired_at, fired_bar, acknowledged)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (rule, row, str(at.state), at.since, at.held, at.fired_at, at.fired_bar, int(at.acknowledged)),
        )

    def _prune(self) -> None:
        self.database.execute(
            "DELETE FROM events WHERE seq <= (SELECT MAX(seq) FROM events) - ?"
            " AND id NOT IN (SELECT event FROM deliveries WHERE state = 'owed')",
            (MAX_EVENTS,),
        )
        self.database.execute("DELETE FROM deliveries WHERE event NOT IN (SELECT id FROM events)", ())

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def instances(self) -> list[tuple[str, str, Instance]]:
        """Where every instance stood when it was last written."""
        rows = self.database.rows(
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
        rows = self.database.rows(
            f"SELECT {_EVENT_COLUMNS} FROM events WHERE (:rule IS NULL OR rule = :rule)"
            " AND (:since IS NULL OR at >= :since) ORDER BY seq DESC LIMIT :limit",
            {"rule": rule, "since": since, "limit": limit},
        )
        found = [
            Entry(int(_float(row[0])), self._read.get(str(row[1])) or _event(row[1:10]), _maybe(row[10]))
            for row in rows
        ]
        self._read = {entry.event.id: entry.event for entry in found}
        return found

    def acknowledge(self, rule: str, row: str, at: float) -> int:
        """Mark a row's events as seen; returns how many were not before."""
        with self.database.transaction() as connection:
            return connection.execute(
                "UPDATE events SET acknowledged_at = ? WHERE rule = ? AND row = ? AND acknowledged_at IS NULL",
                (at, rule, row),
            ).rowcount

    def owed(self, now: float, channel: str | None = None, limit: int = 100) -> list[Delivery]:
        """Deliveries whose time has come, of one channel or of all, oldest event first."""
        rows = self.database.rows(
            "SELECT e.id, e.rule, e.row, e.kind, e.at, e.severity, e.notify, e.message, e.data,"
            " d.channel, d.attempts, d.next_at, d.error"
            " FROM deliveries d JOIN events e ON e.id = d.event"
            " WHERE d.state = 'owed' AND d.next_at <= :now AND (:channel IS NULL OR d.channel = :channel)"
            " ORDER BY e.seq LIMIT :limit",
            {"now": now, "channel": channel, "limit": limit},
        )
        return [
            Delivery(_event(row[:9]), str(row[9]), int(_float(row[10])), _float(row[11]), _text(row[12]))
            for row in rows
        ]

    def delivered(self, deliveries: Iterable[Delivery]) -> None:
        """They arrived."""
        with self.database.transaction() as connection:
            connection.executemany(
                "UPDATE deliveries SET state = 'done', attempts = attempts + 1, error = NULL"
                " WHERE event = ? AND channel = ?",
                [(delivery.event.id, delivery.channel) for delivery in deliveries],
            )

    def failed(self, outcomes: Iterable[tuple[Delivery, float | None]], error: str) -> None:
        """They did not arrive: each is tried again at its time, or given up where that is None."""
        with self.database.transaction() as connection:
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

    def sent(self, newest: int) -> dict[str, list[Sent]]:
        """By event id, how the deliveries of the newest so many events stand."""
        rows = self.database.rows(
            "SELECT d.event, d.channel, d.state, d.attempts, d.error FROM deliveries d JOIN events e ON e.id = d.event"
            " WHERE e.seq > (SELECT MAX(seq) FROM events) - ? ORDER BY d.channel",
            (newest,),
        )
        found: dict[str, list[Sent]] = {}
        for event, channel, state, attempts, error in rows:
            found.setdefault(str(event), []).append(Sent(str(channel), str(state), int(_float(attempts)), _text(error)))
        return found

    def changed(self) -> bool:
        """Whether another connection (of this program or of another terminal) has written since the last call."""
        before, self._version = self._version, self.database.version
        return before != self._version

    def saved_rules(self) -> dict[str, dict[str, object]]:
        """The rules that were made in the terminal, and what it changed of others, by name and as written."""
        rows = self.database.rows("SELECT name, data FROM rules ORDER BY name")
        return {str(name): dict(orjson.loads(str(data))) for name, data in rows}

    def save_rule(self, name: str, raw: Mapping[str, object]) -> bool:
        """Keep a rule as written, in the place of one of that name; False where there are too many."""
        with self.database.transaction() as connection:
            (others,) = connection.execute("SELECT COUNT(*) FROM rules WHERE name <> ?", (name,)).fetchone()
            if others >= MAX_RULES:
                return False
            connection.execute(
                "INSERT OR REPLACE INTO rules (name, data) VALUES (?, ?)", (name, orjson.dumps(dict(raw)).decode())
            )
        return True

    def delete_rule(self, name: str) -> bool:
        """Forget a rule that was saved; False where there is none."""
        return self.database.execute("DELETE FROM rules WHERE name = ?", (name,)) > 0

    def quiet(self, now: float) -> dict[tuple[str, str], float | None]:
        """What is snoozed or muted now: until when; None: until it is lifted."""
        rows = self.database.rows("SELECT rule, row, until FROM quiet WHERE until IS NULL OR until > ?", (now,))
        return {(str(rule), str(row)): _maybe(until) for rule, row, until in rows}

    def abandon(self, channels: Sequence[str], before: float) -> int:
        """Give up what is owed since before a time to channels that are not among these; returns how many."""
        known = ", ".join("?" * len(channels))
        with self.database.transaction() as connection:
            return connection.execute(
                "UPDATE deliveries SET state = 'failed', error = 'the channel is configured no more'"
                f" WHERE state = 'owed' AND next_at < ? AND channel NOT IN ({known})",
                (before, *channels),
            ).rowcount

    def silence(self, rule: str, row: str, until: float | None) -> None:
        """Snooze an instance (row `*`: the whole rule) until a time; None: until it is lifted."""
        with self.database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO quiet (rule, row, until) VALUES (?, ?, ?)", (rule, row, until))

    def lift(self, rule: str, row: str) -> None:
        """End a snooze."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM quiet WHERE rule = ? AND row = ?", (rule, row))

    def silenced(self, now: float) -> set[tuple[str, str]]:
        """What is snoozed or muted now."""
        return set(self.quiet(now))


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
