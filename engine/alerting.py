"""Alerts within the engine: ticks and beats in, journalled events out.

An event is in the journal before it leaves this class, so nothing is shown or sent that a restart could forget. Where
the journal cannot be written, alerts go on and the fault is a notice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import polars as pl

from engine.alerts import AlertBook
from engine.crossings import Crossed, Fence, Watch
from engine.database import DatabaseError
from engine.journal import Journal
from engine.lifecycle import ACTIVE, AlertState, Instance
from engine.model import Event, Status, Value
from engine.rules import Rule
from engine.tables import TABLES

EVENTS: Final = 500
"""Events that a snapshot carries; older ones are in the journal."""
CROSSED: Final = 10_000
"""Crossings that may wait for a beat; a beat empties them four times a second."""
SHOWN_S: Final = 900.0
"""How long a crossing that fired stays in the table."""

Watchers = Mapping[str, Fence]


class Alerting:
    """All rules of a run.

    rules: checked. journal: where events are kept, None to keep none. channels: to which channels an event is owed.
    in_session: whether a rule's session filter admits a moment. complain: told of the journal's faults in words.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        journal: Journal | None = None,
        channels: Callable[[Event, bool], Sequence[str]] = lambda event, silenced: (),
        in_session: Callable[[str, float], bool] = lambda session, now: True,
        complain: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.book = AlertBook(rules, TABLES, in_session)
        self._journal = journal
        self._channels = channels
        self._complain = complain
        self._crossed: deque[Crossed] = deque(maxlen=CROSSED)
        self._newest: dict[tuple[str, str], Event] = {}
        self._saved: dict[tuple[str, str], Instance] = {}
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.watches: list[Watch] = []
        self._watched: dict[tuple[str, str | None], Watch] = {}
        self.watchers: Watchers = self._make_watchers(rules)
        if journal is not None:
            self._resume(journal)

    def _make_watchers(self, rules: Sequence[Rule]) -> Watchers:
        """By symbol, what its board slot must be told of."""
        groups: dict[tuple[str, str | None], list[Rule]] = {}
        for rule in rules:
            if rule.enabled and rule.cross is not None:
                groups.setdefault((rule.cross.symbol, rule.cross.over), []).append(rule)
        told: dict[str, list[Fence]] = {}
        for (symbol, over), grouped in groups.items():
            watch = self._watched[symbol, over] = Watch(grouped)
            self.watches.append(watch)
            watch.look = partial(self._tick, watch)
            if over is None:
                told.setdefault(symbol, []).append(watch)
            else:
                ratio = _Ratio(watch)
                told.setdefault(symbol, []).append(Fence(ratio.numerator))
                told.setdefault(over, []).append(Fence(ratio.denominator))
        return {
            symbol: each[0] if len(each) == 1 else Fence(partial(_tell, tuple(each))) for symbol, each in told.items()
        }

    def _tick(self, watch: Watch, price: float, at: float) -> None:
        fired = watch.tick(price, at)
        if fired:
            self._crossed.extend(fired)

    def _resume(self, journal: Journal) -> None:
        try:
            saved = journal.instances()
            for entry in reversed(journal.entries(limit=EVENTS)):
                self.events.append(entry.event)
                self._newest[entry.event.rule, entry.event.row] = entry.event
        except DatabaseError as error:
            self._complain(str(error))
            return
        self.book.restore(saved)
        for rule, row, instance in saved:
            self._saved[rule, row] = instance
            if instance.fired_at is not None:
                for watch in self.watches:
                    watch.resume(rule, instance.fired_at)

    def beat(self, tables: Mapping[str, pl.DataFrame], now: float) -> list[Event]:
        """The events of this beat, oldest first; they are in the journal when this returns."""
        for watch in self.watches:
            self._crossed.extend(watch.beat(now))
        return self._tell(self._crossings() + self.book.evaluate(tables, now), now)

    def _crossings(self) -> list[Event]:
        events: list[Event] = []
        while self._crossed:
            crossed = self._crossed.popleft()
            expires = crossed.rule.expires
            if expires is None or crossed.at < expires.timestamp():
                events.append(self.book.cross(crossed))
        return events

    def _tell(self, events: list[Event], now: float) -> list[Event]:
        if events:
            events = self._keep(sorted(events, key=lambda event: event.at), now)
        for event in events:
            self.events.append(event)
            self._newest[event.rule, event.row] = event
        return events

    def adopt(self, old: Alerting) -> None:
        """Go on where the alerts of the configuration before stood: no crossing falls between two sets of rules."""
        for key, watch in self._watched.items():
            before = old._watched.get(key)
            if before is not None:
                watch.adopt(before)

    def _keep(self, events: list[Event], now: float) -> list[Event]:
        if self._journal is None:
            return events
        try:
            quiet = self._journal.silenced(now)
            owed = {
                event.id: self._channels(event, (event.rule, event.row) in quiet or (event.rule, "*") in quiet)
                for event in events
            }
            return self._journal.record(events, self._changed(), owed)
        except DatabaseError as error:
            self._complain(f"alerts are not being kept: {error}")
            return events

    def _changed(self) -> list[tuple[str, str, Instance]]:
        """Instances that differ from what the journal holds, those at rest again among them."""
        now = {(rule.id, row): instance for rule, row, instance in self.book.instances()}
        gone = [(*key, Instance()) for key in self._saved if key not in now]
        changed = [(*key, instance) for key, instance in now.items() if self._saved.get(key) != instance]
        self._saved = now
        return gone + changed

    def close(self) -> None:
        """Write what has crossed since the last beat and where every instance stands; let go of the journal."""
        crossed = self._crossings()
        if crossed:
            self._tell(crossed, crossed[-1].at)
        if self._journal is not None:
            try:
                self._journal.record([], self._changed(), {})
            except DatabaseError as error:
                self._complain(str(error))
            self._journal.close()

    def acknowledge(self, rule: str, row: str, now: float) -> bool:
        """A person has seen it. False where there is no such alert."""
        known = self.book.acknowledge(rule, row, now)
        if self._journal is not None:
            try:
                known = bool(self._journal.acknowledge(rule, row, now)) or known
                self._journal.record([], self._changed(), {})
            except DatabaseError as error:
                self._complain(str(error))
        return known

    def silence(self, rule: str, row: str, until: float | None) -> None:
        """No notices of a row (`*`: of the whole rule) until then; None: until it is lifted."""
        if self._journal is not None:
            try:
                self._journal.silence(rule, row, until)
            except DatabaseError as error:
                self._complain(str(error))

    def lift(self, rule: str, row: str) -> None:
        """End a silence."""
        if self._journal is not None:
            try:
                self._journal.lift(rule, row)
            except DatabaseError as error:
                self._complain(str(error))

    def table(self, now: float, *, simulated: bool) -> pl.DataFrame:
        """`alerts`: what is pending, firing, recovering, latched or cooling down; worst and newest first."""
        rows: list[tuple[object, ...]] = []
        for rule, row, at in self.book.instances():
            if rule.cross is not None and at.fired_at is not None and now - at.fired_at > SHOWN_S:
                continue
            event = self._newest.get((rule.id, row))
            status = Status.OK if at.known or at.state not in ACTIVE else Status.STALE
            rows.append(
                (
                    rule.id,
                    row,
                    str(at.state),
                    rule.severity,
                    _time(at.since),
                    _principal(rule, event.values if event else {}),
                    event.message if event else None,
                    _time(at.fired_at),
                    at.acknowledged,
                    event.id if event else None,
                    status,
                    simulated,
                )
            )
        rank = {AlertState.FIRING: 0, AlertState.LATCHED: 1, AlertState.RECOVERING: 2, AlertState.PENDING: 3}
        rows.sort(key=lambda r: (rank.get(AlertState(str(r[2])), 9), str(r[0]), str(r[1])))
        return pl.DataFrame(rows, schema=TABLES["alerts"], orient="row")


class _Ratio:
    """Two prices seen as one; a tick of either is a tick of the ratio once both are known."""

    def __init__(self, tick: Callable[[float, float], None]) -> None:
        self._tick = tick
        self._a: float | None = None
        self._b: float | None = None

    def numerator(self, price: float, at: float) -> None:
        self._a = price
        if self._b is not None:
            self._tick(price / self._b, at)

    def denominator(self, price: float, at: float) -> None:
        self._b = price
        if self._a is not None:
            self._tick(self._a / price, at)


def _tell(each: Sequence[Callable[[float, float], None]], price: float, at: float) -> None:
    for one in each:
        one(price, at)


def _time(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _principal(rule: Rule, values: Mapping[str, Value]) -> float | None:
    """The number that the rule is about: a crossing's price, else the first numeric column that its condition names."""
    if rule.cross is not None:
        price = values.get("price")
        return float(price) if isinstance(price, int | float) else None
    found = [(rule.when or "").find(name) for name in values]
    named = sorted((at, name) for at, name in zip(found, values, strict=True) if at >= 0)
    for _, name in named:
        value = values[name]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None
