"""The live tables about alerts: `alerts` (what stands), `journal` (what was told, and whether it arrived), `rules`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import orjson
import polars as pl

from engine.journal import Entry, Sent
from engine.lifecycle import ACTIVE, AlertState, Instance
from engine.model import Event, Status, Value
from engine.rules import Rule
from engine.tables import TABLES

SHOWN_S: Final = 900.0
"""How long a crossing that fired stays in the table, unless it is latched."""
_RANK: Final = {AlertState.FIRING: 0, AlertState.LATCHED: 1, AlertState.RECOVERING: 2, AlertState.PENDING: 3}
_SEVERITY: Final = {"critical": 0, "warning": 1, "info": 2}
_WORDS: Final = {"owed": "owed", "done": "arrived", "failed": "failed"}

Quiet = Mapping[tuple[str, str], float | None]
"""By rule and row (`*`: all its rows), until when it is silent; None: until that is lifted."""
Standing = Sequence[tuple[Rule, str, Instance]]


def alerts_table(
    standing: Standing,
    newest: Mapping[tuple[str, str], Event],
    quiet: Quiet,
    now: float,
    *,
    simulated: bool,
    told: bool = False,
) -> pl.DataFrame:
    """`alerts`: what is pending, firing, recovering, latched or cooling down; by state, then worst and newest first.

    newest: the newest event of each rule and row. told: by the terminal that works the rules, which knows.
    """
    shown = [
        (rule, row, at)
        for rule, row, at in standing
        if rule.cross is None or at.state is AlertState.LATCHED or at.fired_at is None or now - at.fired_at <= SHOWN_S
    ]
    shown.sort(key=_order)
    rows: list[tuple[object, ...]] = []
    for rule, row, at in shown:
        event = newest.get((rule.id, row))
        silenced, until = _silence(quiet, rule.id, row)
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
                silenced,
                _time(until),
                Status.OK if told or at.known or at.state not in ACTIVE else Status.STALE,
                simulated,
            )
        )
    return pl.DataFrame(rows, schema=TABLES["alerts"], orient="row")


def _order(each: tuple[Rule, str, Instance]) -> tuple[int, int, float, str, str]:
    rule, row, at = each
    return _RANK.get(at.state, 9), _SEVERITY.get(rule.severity, 9), -(at.fired_at or 0.0), rule.id, row


def journal_table(entries: Sequence[Entry], sent: Mapping[str, Sequence[Sent]], *, simulated: bool) -> pl.DataFrame:
    """`journal`: the newest events first, and what became of their deliveries, with the reason where one failed."""
    rows: list[tuple[object, ...]] = []
    for entry in entries:
        event, ways = entry.event, sent.get(entry.event.id, ())
        states = {way.state for way in ways}
        worst: str | None = next((state for state in ("failed", "owed", "done") if state in states), None)
        if worst == "owed" and any(way.error for way in ways):
            worst = "trying"
        rows.append(
            (
                event.id,
                _time(event.at),
                event.rule,
                event.row,
                event.kind,
                event.severity,
                event.notify,
                event.message,
                _time(entry.acknowledged_at),
                _WORDS.get(worst, worst) if worst is not None else None,
                "; ".join(map(_way, ways)) or None,
                Status.OK,
                simulated,
            )
        )
    return pl.DataFrame(rows, schema=TABLES["journal"], orient="row")


def _way(sent: Sent) -> str:
    tried = f" ({sent.attempts} tries)" if sent.attempts > 1 else ""
    return f"{sent.channel} {_WORDS.get(sent.state, sent.state)}{tried}{': ' + sent.error if sent.error else ''}"


def rules_table(
    rules: Iterable[Rule], standing: Standing, quiet: Quiet, definitions: Mapping[str, object], *, simulated: bool
) -> pl.DataFrame:
    """`rules`: every rule that was read, how many of its rows stand, and as what it was written (JSON)."""
    counts: dict[str, list[int]] = {}
    fired: dict[str, float] = {}
    for rule, _, at in standing:
        count = counts.setdefault(rule.id, [0, 0])
        count[0] += at.state in ACTIVE
        count[1] += at.state is AlertState.PENDING
        if at.fired_at is not None:
            fired[rule.id] = max(at.fired_at, fired.get(rule.id, at.fired_at))
    rows: list[tuple[object, ...]] = []
    for rule in rules:
        silenced, until = _silence(quiet, rule.id, "*")
        firing, pending = counts.get(rule.id, (0, 0))
        written = orjson.dumps(definitions.get(rule.id, {}), default=str).decode()
        rows.append(
            (
                rule.id,
                rule.origin,
                rule.enabled,
                rule.severity,
                rule.notify,
                rule.watched,
                firing,
                pending,
                _time(fired.get(rule.id)),
                silenced,
                _time(until),
                written,
                rule.saved,
                Status.OK,
                simulated,
            )
        )
    return pl.DataFrame(rows, schema=TABLES["rules"], orient="row")


def _silence(quiet: Quiet, rule: str, row: str) -> tuple[bool, float | None]:
    for key in ((rule, row), (rule, "*")):
        if key in quiet:
            return True, quiet[key]
    return False, None


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
