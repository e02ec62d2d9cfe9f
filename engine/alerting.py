"""Alerts within the engine: ticks and beats in, journalled events out.

An event is in the journal before it leaves this class, so nothing is shown or sent that a restart could forget. Where
the journal cannot be written, alerts go on and the fault is a notice. Of several terminals on one journal, the holder
of the lease works the rules; the others show what it writes, keep up with the prices, and go on from there if it ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import polars as pl

from engine.alert_tables import alerts_table, journal_table, rules_table
from engine.alerts import AlertBook
from engine.database import DatabaseError
from engine.journal import Entry, Journal, Sent
from engine.lease import LASTS_S, Lease
from engine.lifecycle import AlertState, Instance
from engine.model import Event
from engine.rules import Rule
from engine.tables import TABLES
from engine.watching import Watchers, Watching

EVENTS: Final = 500
"""Events that a snapshot and the table `journal` carry; older ones are in the journal."""
UNWRITTEN: Final = 5_000
"""Events that wait for a disk that takes them; beyond it the oldest are not kept."""
AGAIN_S: Final = 5.0
"""Between two tries to write those."""
LOOK_S: Final = 1.0
"""Between two looks at what others have written, and two makings of `journal` and `rules`."""
TWICE_S: Final = 2.0
"""At a take-over, a crossing so close to the last firing of its rule is the one that was told already."""


class Alerting:
    """All rules of a run.

    rules: checked. journal: where events are kept, None to keep none. lease: whether this terminal works the rules of
    the journal; None: always. channels: to which channels an event is owed. in_session: whether a rule's session filter
    admits a moment. complain: told of the journal's faults in words. written: by name, the rules as they were written.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        journal: Journal | None = None,
        lease: Lease | None = None,
        channels: Callable[[Event, bool], Sequence[str]] = lambda event, silenced: (),
        in_session: Callable[[str, float], bool] = lambda session, now: True,
        complain: Callable[[str], None] = lambda text: None,
        written: Mapping[str, object] | None = None,
    ) -> None:
        self.book = AlertBook(rules, TABLES, in_session)
        self._journal = journal
        self._lease = lease
        self._channels = channels
        self._complain = complain
        self._written = written or {}
        self._watching = Watching(rules, in_session)
        self.watchers: Watchers = self._watching.watchers
        self._newest: dict[tuple[str, str], Event] = {}
        self._saved: dict[tuple[str, str], Instance] = {}
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self._unwritten: list[Event] = []
        """Events that were told and that the disk has refused so far, oldest first."""
        self._tried = float("-inf")
        """When it last did."""
        self._entries: list[Entry] = []
        self._sent: dict[str, list[Sent]] = {}
        self._quiet: dict[tuple[str, str], float | None] = {}
        self._rules_saved: dict[str, dict[str, object]] | None = None
        self.outdated = False
        """Whether rules were saved or deleted since these were read, here or in another terminal."""
        self._leads: bool | None = None if lease is not None else True
        self._stirred = True
        """Whether something was written since the last look."""
        self._looked = self._tabled = float("-inf")
        self._strange: tuple[str, float] | None = None
        """Whose rules are in force that are not ours, and since when we know."""
        self._told_before: dict[str, float] = {}
        """At a take-over, when each rule had fired last."""
        self._shown: list[Entry] | None = None
        """The entries that the table `journal` was made of."""
        self._table_of_rules = self._table_of_journal = pl.DataFrame()
        if journal is not None:
            try:
                self._read(journal)
                self._restore(journal)
            except DatabaseError as error:
                self._complain(str(error))

    def beat(self, tables: Mapping[str, pl.DataFrame], now: float) -> list[Event]:
        """The events of this beat, oldest first; they are in the journal when this returns."""
        self._watching.beat(now)
        leads = self._leading(now)
        if self._unwritten and leads and not 0 <= now - self._tried < AGAIN_S:
            self._keep([], now)
        told = self._look(now)
        if leads:
            return told + self._tell(self._crossings() + self.book.evaluate(tables, now), now)
        # what crossed lately is told if the holder has died before it could
        self._watching.keep_since(now - 2 * LASTS_S)
        return told

    # --- one of several terminals

    @property
    def leads(self) -> bool:
        """Whether this terminal works the rules."""
        return self._leads is not False

    def _leading(self, now: float) -> bool:
        if self._lease is None or self._journal is None:
            return True
        led = self._leads
        try:
            self._leads = self._lease.tend()
            if self._leads and not led:
                self._take_over(self._lease, self._journal, now)
            elif led and not self._leads:
                self._stirred = True
        except DatabaseError as error:
            self._complain(f"alerts are not being kept: {error}")
            return self._leads is not False
        return self._leads

    def _take_over(self, lease: Lease, journal: Journal, now: float) -> None:
        """Go on where the journal says that the holder before us stood; what it told already is not told again."""
        self._restore(journal)
        self._looked = float("-inf")  # what the holder before us told last is shown in this very beat
        if lease.before is not None:
            self._watching.keep_since(now - lease.age_of(lease.before) - TWICE_S)
            self._told_before = {rule: at.fired_at for (rule, _), at in self._saved.items() if at.fired_at is not None}

    def _restore(self, journal: Journal) -> None:
        saved = journal.instances()
        self.book.replace(saved)
        self._saved = {(rule, row): instance for rule, row, instance in saved}
        for rule, _, instance in saved:
            if instance.fired_at is not None:
                self._watching.resume(rule, instance.fired_at, latched=instance.state is AlertState.LATCHED)

    def _look(self, now: float) -> list[Event]:
        """Once a second, what was written since: by others, by the sender, by ourselves; returns what others told."""
        journal = self._journal
        if journal is None or 0 <= now - self._looked < LOOK_S:
            return []
        self._looked = now
        try:
            if not self.leads:
                self._compare(now)
            if not (journal.changed() or self._stirred):
                return []
            known = {event.id for event in self.events}
            self._read(journal)
            if self.leads:
                self._take_notice(now)
            else:
                self._restore(journal)
        except DatabaseError as error:
            self._complain(str(error))
            return []
        return [event for event in self.events if event.id not in known]

    def _read(self, journal: Journal) -> None:
        waiting = [Entry(0, event, None) for event in reversed(self._unwritten)]
        entries = [*waiting, *journal.entries(limit=EVENTS)][:EVENTS]
        self._entries, self._sent = entries, journal.sent(EVENTS)
        self._quiet = journal.quiet(float("-inf"))
        self.events = deque((entry.event for entry in reversed(entries)), maxlen=EVENTS)
        self._newest |= {(event.rule, event.row): event for event in self.events}
        saved = journal.saved_rules()
        self.outdated = self.outdated or (self._rules_saved is not None and saved != self._rules_saved)
        self._rules_saved = saved
        self._stirred = False
        self._tabled = float("-inf")

    def _take_notice(self, now: float) -> None:
        """What another terminal has acknowledged."""
        for entry in self._entries:
            event = entry.event
            if entry.acknowledged_at is not None and self._newest.get((event.rule, event.row)) is event:
                instance = self.book.instance(event.rule, event.row)
                if instance is not None and not instance.acknowledged:
                    self._see(event.rule, event.row, now)

    def _compare(self, now: float) -> None:
        """Say so where whoever works the rules has others than ours, for longer than a change takes to reach us."""
        lease = self._lease
        other = lease.other if lease is not None else None
        if lease is None or other is None or other.note == lease.note:
            self._strange = None
        elif self._strange is None or self._strange[0] != other.owner:
            self._strange = (other.owner, now)
        elif now - self._strange[1] >= LASTS_S:
            self._strange = (other.owner, float("inf"))
            self._complain(
                f"another terminal (process {other.pid}) works the alerts of this store, with other rules or channels"
                " than these; its own are in force"
            )

    # --- events

    def _crossings(self) -> list[Event]:
        events: list[Event] = []
        for crossed in self._watching.take():
            rule = crossed.rule
            # at a take-over: what the holder before us has told already
            told = crossed.at < self._told_before.pop(rule.id, float("-inf")) + TWICE_S
            if not told and (rule.expires is None or crossed.at < rule.expires.timestamp()):
                events.append(self.book.cross(crossed))
        self._told_before.clear()
        return events

    def _tell(self, events: list[Event], now: float) -> list[Event]:
        if events:
            events = self._keep(sorted(events, key=lambda event: event.at), now)
            self._stirred = True
            self._tabled = float("-inf")
        for event in events:
            self.events.append(event)
            self._newest[event.rule, event.row] = event
        return events

    def adopt(self, old: Alerting) -> None:
        """Go on where the alerts of the configuration before stood: no crossing falls between two sets of rules."""
        self._watching.adopt(old._watching)
        self._unwritten = old._unwritten

    def _keep(self, events: list[Event], now: float) -> list[Event]:
        if self._journal is None:
            self._entries = [Entry(0, event, None) for event in reversed(events)] + self._entries[:EVENTS]
            return events
        before = self._saved
        try:
            quiet = self._journal.silenced(now)
            waiting = [*self._unwritten, *events]
            silent = {event.id for event in waiting if {(event.rule, event.row), (event.rule, "*")} & quiet}
            # nobody is told of it: not on the screen, not by a bell, not outside
            waiting = [event._replace(notify="off") if event.id in silent else event for event in waiting]
            owed = {event.id: self._channels(event, event.id in silent) for event in waiting}
            new = self._journal.record(waiting, self._changed(), owed)
        except DatabaseError as error:
            # they wait: whatever goes outside goes by the journal
            self._unwritten = [*self._unwritten, *events][-UNWRITTEN:]
            self._saved, self._tried = before, now
            self._complain(f"alerts are not being kept: {error}")
            return events
        if self._unwritten:
            self._complain(f"alerts are kept again; {len(self._unwritten)} had waited for it")
            told, self._unwritten = {event.id for event in self._unwritten}, []
            self._stirred = True
            return [event for event in new if event.id not in told]
        return new

    def _changed(self) -> list[tuple[str, str, Instance]]:
        """Instances that differ from what the journal holds, those at rest again among them."""
        now = {(rule.id, row): instance for rule, row, instance in self.book.instances()}
        gone = [(*key, Instance()) for key in self._saved if key not in now]
        changed = [(*key, instance) for key, instance in now.items() if self._saved.get(key) != instance]
        self._saved = now
        return gone + changed

    def close(self) -> None:
        """Write what has crossed since the last beat and where every instance stands; let go of the journal."""
        journal = self._journal
        if journal is None:
            return
        try:
            if self.leads:
                crossed = self._crossings()
                if crossed:
                    self._tell(crossed, crossed[-1].at)
                journal.record([], self._changed(), {})
            if self._lease is not None:
                self._lease.release()
        except DatabaseError as error:
            self._complain(str(error))
        journal.close()

    # --- what a user wants

    @property
    def journal(self) -> Journal | None:
        """Where events and saved rules are kept; None where they are not."""
        return self._journal

    def acknowledge(self, rule: str, row: str, now: float) -> bool:
        """A person has seen it. False where there is no such alert."""
        known = self._see(rule, row, now)
        if self._journal is not None:
            try:
                known = bool(self._journal.acknowledge(rule, row, now)) or known
                if self.leads:  # whoever leads writes the instances; it sees by the events what we have seen
                    self._journal.record([], self._changed(), {})
            except DatabaseError as error:
                self._complain(str(error))
        self._stir()
        return known

    def _see(self, rule: str, row: str, now: float) -> bool:
        self._watching.release(rule)
        return self.book.acknowledge(rule, row, now)

    def silence(self, rule: str, row: str, until: float | None) -> None:
        """No notices of a row (`*`: of the whole rule) until then; None: until it is lifted."""
        if self._journal is not None:
            try:
                self._journal.silence(rule, row, until)
            except DatabaseError as error:
                self._complain(str(error))
        self._stir()

    def lift(self, rule: str, row: str) -> None:
        """End a silence."""
        if self._journal is not None:
            try:
                self._journal.lift(rule, row)
            except DatabaseError as error:
                self._complain(str(error))
        self._stir()

    def _stir(self) -> None:
        """Have what was just changed shown at the next beat."""
        self._stirred = True
        self._looked = float("-inf")

    # --- tables

    def tables(self, now: float, *, simulated: bool) -> dict[str, pl.DataFrame]:
        """`alerts` of now; `journal` and `rules` as of the last second."""
        standing = list(self.book.instances())
        quiet = {key: until for key, until in self._quiet.items() if until is None or until > now}
        if not 0 <= now - self._tabled < LOOK_S:
            self._tabled = now
            if self._shown is not self._entries:
                self._shown = self._entries
                self._table_of_journal = journal_table(self._entries, self._sent, simulated=simulated)
            self._table_of_rules = rules_table(
                self.book.rules.values(), standing, quiet, self._written, simulated=simulated
            )
        return {
            "alerts": alerts_table(standing, self._newest, quiet, now, simulated=simulated, told=not self.leads),
            "journal": self._table_of_journal,
            "rules": self._table_of_rules,
        }
