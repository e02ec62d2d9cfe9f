"""The life of one alert instance: a pure step from (state, verdict, time) to (state, events).

    INACTIVE ─when→ PENDING ─for→ FIRING ─clear→ RECOVERING ─keep_firing_for→ INACTIVE | COOLDOWN | LATCHED

A verdict is true, false or None (SQL's UNKNOWN: a null, a missing row, a closed session). None holds the state and
freezes the timers of `for` and `keep_firing_for`: time counts only from a moment at which the verdict was known. The
cooldown limits notices, so it runs on. LATCHED stays until a person acknowledges it.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

from engine.rules import Rule


class AlertState(StrEnum):
    """Where an instance stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    LATCHED = "latched"
    COOLDOWN = "cooldown"


class Happening(StrEnum):
    """What a step may tell the world."""

    FIRED = "fired"
    REPEATED = "repeated"
    RESOLVED = "resolved"


ACTIVE = frozenset({AlertState.FIRING, AlertState.RECOVERING, AlertState.LATCHED})


class Instance(NamedTuple):
    """One rule's state for one row. Times are the run's clock, epoch seconds; durations seconds."""

    state: AlertState = AlertState.INACTIVE
    since: float = 0.0
    """When this state began."""
    held: float = 0.0
    """Known time spent towards `for` or `keep_firing_for`."""
    seen: float | None = None
    """The last step."""
    known: bool = False
    """Whether the last verdict was known."""
    fired_at: float | None = None
    """The last firing or repeat."""
    fired_bar: int | None = None
    acknowledged: bool = False


_BARS = {"1m": 60.0, "5m": 300.0, "1h": 3600.0, "1d": 86400.0}


def bar_of(now: float, interval: str) -> int:
    """The number of the bar that `now` falls in; daily bars are UTC days."""
    return int(now // _BARS[interval])


def step(
    old: Instance, verdict: bool | None, cleared: bool | None, now: float, rule: Rule
) -> tuple[Instance, Happening | None]:
    """One evaluation.

    verdict: the rule's condition for this row. cleared: its `clear_when`, or `not verdict` where it has none.
    """
    firing = old.state is AlertState.FIRING or old.state is AlertState.RECOVERING
    decisive = cleared if firing else verdict
    elapsed = max(0.0, now - old.seen) if old.known and old.seen is not None else 0.0
    # spelt out: `_replace` costs several times as much, and thousands of instances may step at once
    at = Instance(
        old.state, old.since, old.held + elapsed, now, decisive is not None,
        old.fired_at, old.fired_bar, old.acknowledged,
    )  # fmt: skip
    if decisive is None:
        return at, None
    if firing:
        return _while_firing(at, cleared is True, now, rule)
    if at.state is AlertState.LATCHED:
        return at, None
    return _while_quiet(at, verdict is True, now, rule)


class Rest(NamedTuple):
    """A step before `until` changes nothing where its decisive verdict is this one (None: any that is known)."""

    firing: bool
    """Whether `cleared` decides, and not the condition."""
    verdict: bool | None
    until: float


def rest_of(at: Instance, rule: Rule) -> Rest | None:
    """Until when, and by which verdict, an instance stays as it is; None where every step counts.

    Steps that are left out are made up for: time since the last step counts towards a timer as long as it was known.
    """
    if not at.known or rule.once_per_bar is not None:
        return None
    seen, fired = at.seen or 0.0, at.fired_at or 0.0
    if at.state is AlertState.FIRING:
        return Rest(True, False, fired + rule.cooldown if rule.mode == "level" and rule.cooldown > 0 else math.inf)
    if at.state is AlertState.RECOVERING:
        return Rest(True, True, seen + rule.keep_firing - at.held)
    if at.state is AlertState.PENDING:
        return Rest(False, True, seen + rule.hold - at.held)
    if at.state is AlertState.COOLDOWN:
        return Rest(False, None, fired + rule.cooldown)
    return Rest(False, None, math.inf) if at.state is AlertState.LATCHED else None


def _while_quiet(at: Instance, holds: bool, now: float, rule: Rule) -> tuple[Instance, Happening | None]:
    cooling = at.fired_at is not None and now < at.fired_at + rule.cooldown
    if cooling:
        return _enter(at, AlertState.COOLDOWN, now), None
    if not holds:
        return _enter(at, AlertState.INACTIVE, now), None
    if at.state is not AlertState.PENDING:
        at = _enter(at, AlertState.PENDING, now)
    bar = bar_of(now, rule.once_per_bar) if rule.once_per_bar else None
    if at.held < rule.hold or (bar is not None and bar == at.fired_bar):
        return at, None
    fired = at._replace(state=AlertState.FIRING, since=now, held=0.0, fired_at=now, fired_bar=bar, acknowledged=False)
    return fired, Happening.FIRED


def _while_firing(at: Instance, cleared: bool, now: float, rule: Rule) -> tuple[Instance, Happening | None]:
    if not cleared:
        at = _enter(at, AlertState.FIRING, now)
        due = rule.mode == "level" and rule.cooldown > 0 and at.fired_at is not None
        if due and at.fired_at is not None and now >= at.fired_at + rule.cooldown:
            return at._replace(fired_at=now), Happening.REPEATED
        return at, None
    at = _enter(at, AlertState.RECOVERING, now)
    if at.held < rule.keep_firing:
        return at, None
    if rule.mode == "latch" and not at.acknowledged:
        return _enter(at, AlertState.LATCHED, now), Happening.RESOLVED
    cooling = at.fired_at is not None and now < at.fired_at + rule.cooldown
    return _enter(at, AlertState.COOLDOWN if cooling else AlertState.INACTIVE, now), Happening.RESOLVED


def _enter(at: Instance, state: AlertState, now: float) -> Instance:
    if at.state is state:
        return at
    return Instance(state, now, 0.0, at.seen, at.known, at.fired_at, at.fired_bar, at.acknowledged)


def acknowledge(at: Instance, now: float) -> Instance:
    """A person has seen it: a latched alert is over, an active one is marked."""
    if at.state is AlertState.LATCHED:
        return _enter(at, AlertState.INACTIVE, now)._replace(acknowledged=True)
    return at._replace(acknowledged=True)
