"""The book of alerts: every rule's instances, stepped on published tables and fed by crossings; events come out.

An event's id is made from its rule, row, kind and time, so the same input gives the same journal, and a delivery that
is repeated after a crash can be told from a new one. What did not change costs nothing: a table is tested only when it
is another object than last time, and besides that only instances whose timers run are stepped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from engine.alert_message import render
from engine.conditions import compile_condition
from engine.crossings import Crossed
from engine.lifecycle import ACTIVE, AlertState, Happening, Instance, Rest, acknowledge, rest_of, step
from engine.model import Event, Value
from engine.rules import Rule

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MAX_INSTANCES: Final = 5_000
"""Instances that one rule may have; rows beyond are not followed, and the rule says so."""
EVERY_S: Final = 0.5
"""Conditions are evaluated at most this often."""
GONE_S: Final = 3_600.0
"""A row that its table has been without for so long, while it has others, is let go of: it will not come back."""

CROSSED: Final = "{symbol} {direction} through {level:,.10g}: {price:,.10g}"
"""What a level says that was given no message."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "quotes": ("symbol",),
    "spreads": ("pair",),
    "levels": ("symbol", "price"),
    "gauges": ("gauge",),
    "baskets": ("basket",),
    "volumes": ("symbol",),
    "markets": ("base",),
    "flows": ("fund",),
    "facts": ("fact",),
    "correlations": ("a", "b", "window"),
    "scanner": ("pair",),
    "regime": ("side", "evidence"),
    "rotation": ("item",),
    "plans": ("plan", "goal"),
    "whatifs": ("whatif",),
    "claims": ("claim",),
    "feeds": ("source", "kind"),
}
"""The columns that name a row of each table, so that an instance keeps its row between snapshots."""


@dataclass(slots=True)
class _Compiled:
    rule: Rule
    when: int
    """Column of the verdicts in the table's matrix."""
    clear: int | None
    instances: dict[str, Instance] = field(default_factory=dict)
    crowded: bool = False
    gone: dict[str, float] = field(default_factory=dict)
    """Since when the table is without the row of an instance."""
    resting: dict[str, Rest] = field(default_factory=dict)
    """Which instances need no step, and how long."""
    rests_until: float = float("-inf")
    """While the table is the same object, no instance has to be stepped before then."""


class _Verdicts(NamedTuple):
    """A table's conditions on its rows: 1 true, 0 false, 2 unknown; shape (rows, conditions)."""

    frame: pl.DataFrame
    matrix: npt.NDArray[np.int8]
    aged: bool
    """Whether its rows have an age."""
    rows: Mapping[str, int]
    names: Sequence[str]


class AlertBook:
    """All rules and where each of their instances stands.

    rules: checked rules, of tables that `schemas` names. in_session: whether a rule's session filter admits a moment.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        schemas: Mapping[str, pl.Schema],
        in_session: Callable[[str, float], bool] = lambda session, now: True,
    ) -> None:
        self._in_session = in_session
        self._by_table: dict[str, list[_Compiled]] = {}
        self._expressions: dict[str, list[pl.Expr]] = {}
        self._last: dict[str, _Verdicts] = {}
        self._evaluated = float("-inf")
        self.rules: dict[str, Rule] = {}
        self.crossings: dict[str, tuple[Instance, Mapping[str, Value]]] = {}
        columns: dict[tuple[str, str], int] = {}
        for rule in rules:
            self.rules[rule.id] = rule
            if not rule.enabled or rule.on is None or rule.when is None:
                continue

            def column(text: str, table: str = rule.on) -> int:
                if (table, text) not in columns:
                    listed = self._expressions.setdefault(table, [])
                    columns[table, text] = len(listed)
                    verdict = compile_condition(text, table, schemas[table]).cast(pl.Int8)
                    listed.append(verdict.alias(str(len(listed))))
                return columns[table, text]

            clear = column(rule.clear_when) if rule.clear_when else None
            self._by_table.setdefault(rule.on, []).append(_Compiled(rule, column(rule.when), clear))

    def evaluate(self, tables: Mapping[str, pl.DataFrame], now: float) -> list[Event]:
        """Step every rule on the published tables; at most twice a second, else nothing happens. Oldest rule first."""
        if 0 <= now - self._evaluated < EVERY_S:
            return []
        self._evaluated = now
        events: list[Event] = []
        for name, compiled in self._by_table.items():
            frame = tables.get(name)
            if frame is None:
                continue
            last = self._last.get(name)
            fresh = last is None or last.frame is not frame
            verdicts = self._verdicts(name, frame) if last is None or last.frame is not frame else last
            self._last[name] = verdicts
            holding = (verdicts.matrix == 1).any(axis=0) if fresh else None
            for each in compiled:
                if each.instances or (holding is not None and holding[each.when]):
                    events += self._step_rule(each, verdicts, now, fresh)
        return events

    def _verdicts(self, name: str, frame: pl.DataFrame) -> _Verdicts:
        verdicts = frame.select(self._expressions[name])
        # filled only where one is unknown: a `fill_null` in every expression would double what they cost
        unknown = [column.fill_null(2) for column in verdicts if column.null_count()]
        matrix = (verdicts.with_columns(unknown) if unknown else verdicts).to_numpy()
        names = [row_name(key) for key in frame.select(KEYS[name]).iter_rows()]
        return _Verdicts(
            frame, matrix, "age_s" in frame.columns, {row: number for number, row in enumerate(names)}, names
        )

    def _step_rule(self, each: _Compiled, verdicts: _Verdicts, now: float, fresh: bool) -> list[Event]:
        rule = each.rule
        # where the table alone decides, what it leaves as it is need not be stepped
        plainly = rule.session == "24x7" and (rule.max_age is None or not verdicts.aged)
        if (plainly and not fresh and now < each.rests_until) or (
            rule.expires is not None and now >= rule.expires.timestamp()
        ):
            return []
        events: list[Event] = []
        open_now = rule.session == "24x7" or self._in_session(rule.session, now)
        when = verdicts.matrix[:, each.when].tobytes()
        clear = when if each.clear is None else verdicts.matrix[:, each.clear].tobytes()
        for row in self._to_step(each, verdicts, when, clear, now, fresh, plainly):
            old = each.instances.get(row)
            if old is None:
                each.crowded = len(each.instances) >= MAX_INSTANCES
                if each.crowded:
                    continue
                old = Instance()
            number = verdicts.rows.get(row)
            if open_now and number is not None and (plainly or self._young(rule, verdicts, number)):
                verdict = _TRUTH[when[number]]
                cleared = _TRUTH[clear[number]] if each.clear is not None else _NOT[when[number]]
            else:
                verdict = cleared = None
            away = old.seen is None and old.state in ACTIVE
            new, happening = step(old, verdict, cleared, now, rule)
            each.resting.pop(row, None)
            if number is not None:
                if each.gone:
                    each.gone.pop(row, None)
            elif verdicts.rows and now - each.gone.setdefault(row, now) >= GONE_S and self._let_go(each, row):
                if new.state in ACTIVE:
                    events.append(self._event(rule, row, Happening.RESOLVED, now, {}, "its row is gone"))
                continue
            self._settle(each, row, new)
            if happening is not None:
                why = "while sizewatch was off" if away and happening is Happening.RESOLVED else ""
                events.append(self._event(rule, row, happening, now, self._values(verdicts, row), why))
        soonest = min((rest.until for rest in each.resting.values()), default=float("inf"))
        each.rests_until = soonest if len(each.resting) == len(each.instances) else float("-inf")
        return events

    @staticmethod
    def _settle(each: _Compiled, row: str, new: Instance) -> None:
        """Keep where an instance stands; forget one that is at rest."""
        if new.state is AlertState.INACTIVE and new.fired_bar is None:
            each.instances.pop(row, None)
            each.gone.pop(row, None)
            return
        each.instances[row] = new
        rest = rest_of(new, each.rule)
        if rest is not None:
            each.resting[row] = rest

    @staticmethod
    def _let_go(each: _Compiled, row: str) -> bool:
        """Forget an instance; False for a latched one, which a person must have seen."""
        if each.instances[row].state is AlertState.LATCHED:
            return False
        del each.instances[row], each.gone[row]
        return True

    @staticmethod
    def _to_step(
        each: _Compiled, verdicts: _Verdicts, when: bytes, clear: bytes, now: float, fresh: bool, plainly: bool
    ) -> list[str]:
        """The rows whose instance may change, and on a new table those that match and have none yet; in order."""
        number, resting = verdicts.rows, each.resting
        rows: list[str] = []
        for row in each.instances:
            rest, place = resting.get(row), number.get(row)
            if plainly and rest is not None and place is not None and now < rest.until:
                code = clear[place] if rest.firing else when[place]
                # without a `clear_when` it is over where the condition is false
                wanted = rest.verdict if not rest.firing or each.clear is not None else not rest.verdict
                if code == wanted or (rest.verdict is None and code != 2):
                    continue
            rows.append(row)
        at = when.find(1) if fresh else -1
        while at >= 0:
            if verdicts.names[at] not in each.instances:
                rows.append(verdicts.names[at])
            at = when.find(1, at + 1)
        rows.sort()
        return rows

    @staticmethod
    def _young(rule: Rule, verdicts: _Verdicts, number: int) -> bool:
        """Whether a row is no older than its rule allows."""
        if rule.max_age is None or not verdicts.aged:
            return True
        age = verdicts.frame["age_s"][number]
        return age is not None and age <= rule.max_age

    @staticmethod
    def _values(verdicts: _Verdicts, row: str) -> Mapping[str, Value]:
        number = verdicts.rows.get(row)
        if number is None:
            return {}
        values = verdicts.frame.row(number, named=True)
        return {key: plain(value) for key, value in values.items() if not isinstance(value, list | pl.Series)}

    def cross(self, crossed: Crossed) -> Event:
        """The event of a crossing that fired."""
        rule = crossed.rule
        values: dict[str, Value] = {
            "symbol": rule.cross.name if rule.cross else "",
            "level": rule.cross.level if rule.cross else None,
            "direction": crossed.direction,
            "price": crossed.price,
            "previous": crossed.previous,
            "gapped": crossed.gapped,
        }
        standing = AlertState.LATCHED if rule.mode == "latch" else AlertState.FIRING
        state = Instance(standing, since=crossed.at, seen=crossed.at, known=True, fired_at=crossed.at)
        self.crossings[rule.id] = state, values
        return self._event(rule, str(values["symbol"]), Happening.FIRED, crossed.at, values)

    @staticmethod
    def _event(
        rule: Rule, row: str, happening: Happening, at: float, values: Mapping[str, Value], why: str = ""
    ) -> Event:
        text = f"{rule.id}\0{row}\0{happening}\0{round(at * 1000)}"
        identity = hashlib.blake2s(text.encode(), digest_size=10).hexdigest()
        usual = CROSSED if rule.cross and values else "{rule} {row}"
        template = rule.message if values and rule.message else usual
        message = render(template, {"rule": rule.id, "row": row, **values})
        if happening is Happening.RESOLVED:
            message = f"over: {message}{f' ({why})' if why else ''}"
        elif values.get("gapped"):
            message = f"{message} (gapped through)"
        return Event(identity, rule.id, row, str(happening), at, rule.severity, rule.notify, message, values)

    def acknowledge(self, rule: str, row: str, now: float) -> bool:
        """Mark an instance as seen; False where there is none."""
        for compiled in self._by_table.values():
            for each in compiled:
                if each.rule.id == rule and row in each.instances:
                    each.instances[row] = acknowledge(each.instances[row], now)
                    each.resting.pop(row, None)
                    each.rests_until = float("-inf")
                    return True
        if rule in self.crossings:
            state, values = self.crossings[rule]
            self.crossings[rule] = acknowledge(state, now), values
            return True
        return False

    def instances(self) -> Iterable[tuple[Rule, str, Instance]]:
        """Every instance that is not at rest, crossings' last firings included."""
        for compiled in self._by_table.values():
            for each in compiled:
                for row, instance in each.instances.items():
                    yield each.rule, row, instance
        for name, (instance, values) in self.crossings.items():
            if name in self.rules:
                yield self.rules[name], str(values["symbol"]), instance

    def instance(self, rule: str, row: str) -> Instance | None:
        """Where one instance stands; None where it is at rest."""
        if rule in self.crossings:
            return self.crossings[rule][0]
        for compiled in self._by_table.values():
            for each in compiled:
                if each.rule.id == rule:
                    return each.instances.get(row)
        return None

    def replace(self, saved: Iterable[tuple[str, str, Instance]]) -> None:
        """Forget where everything stood, and go on from what was saved."""
        self._last.clear()
        self.crossings.clear()
        for listed in self._by_table.values():
            for each in listed:
                each.instances.clear()
                each.resting.clear()
                each.gone.clear()
        self.restore(saved)

    def restore(self, saved: Iterable[tuple[str, str, Instance]]) -> None:
        """After a restart: where each instance stood. The time while it was off counts towards no timer."""
        compiled = {each.rule.id: each for listed in self._by_table.values() for each in listed}
        for rule, row, instance in saved:
            if rule in self.rules and self.rules[rule].cross is not None:
                self.crossings[rule] = instance._replace(known=True), {"symbol": row}
            if rule in compiled:
                compiled[rule].rests_until = float("-inf")
                compiled[rule].resting.pop(row, None)
                compiled[rule].instances[row] = Instance(
                    instance.state,
                    instance.since,
                    instance.held,
                    None,
                    False,
                    instance.fired_at,
                    instance.fired_bar,
                    instance.acknowledged,
                )

    @property
    def active(self) -> int:
        """How many instances fire, recover or are latched."""
        return sum(instance.state in ACTIVE for _, _, instance in self.instances())


def row_name(key: Sequence[object]) -> str:
    """The name of a row from its key columns: `IWM/SPY`, or `^RUT resistance 2300`."""
    return " ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in key)


def plain(value: object) -> Value:
    """A cell as JSON can carry it; times as ISO 8601."""
    if value is None or isinstance(value, str | float | int | bool):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_TRUTH: Final = (False, True, None)
_NOT: Final = (True, False, None)
"""What a verdict's code means, and its opposite."""
