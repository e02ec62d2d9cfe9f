"""Puts the alerts of a run together: the ready rules, the user's own, the journal and the board's watchers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from engine import sessions
from engine.alerting import Alerting
from engine.alerts import KEYS
from engine.board import Board
from engine.config import Config
from engine.database import Database, DatabaseError
from engine.errors import ConfigMistake
from engine.journal import Journal
from engine.model import Event, Intent, SessionState
from engine.ready_rules import READY
from engine.rules import Rule, duration, read_rule
from engine.tables import TABLES

WATCHED: Final[Mapping[str, pl.Schema]] = {name: schema for name, schema in TABLES.items() if name in KEYS}
"""The tables that a rule may be on: all whose rows have names; `alerts` itself is none."""
SNOOZE_S: Final = 3600.0
"""How long a snooze lasts that says no time."""

Channels = Callable[[Event, bool], Sequence[str]]


def read_rules(config: Config) -> tuple[list[Rule], list[ConfigMistake]]:
    """The rules of a run, and every mistake in them.

    A user's rule of a ready rule's name changes the fields that it names. A rule with a mistake is not among the rules;
    a ready rule about a symbol that is not watched is none.
    """
    rules: list[Rule] = []
    mistakes: list[ConfigMistake] = []
    own = config.rules
    for name, raw in READY.items():
        cross = raw.get("cross")
        if name not in own and isinstance(cross, Mapping) and cross.get("symbol") not in config.symbols:
            continue
        _read(name, {**raw, **own.get(name, {})}, config, "ready", rules, mistakes)
    for name, raw in own.items():
        if name not in READY:
            _read(name, raw, config, "config", rules, mistakes)
    return rules, mistakes


def _read(
    name: str,
    raw: Mapping[str, object],
    config: Config,
    origin: str,
    rules: list[Rule],
    mistakes: list[ConfigMistake],
) -> None:
    rule, wrong = read_rule(name, raw, WATCHED, config.symbols, origin)
    if rule is not None:
        rules.append(rule)
    mistakes += wrong


def in_words(mistake: ConfigMistake) -> str:
    """A mistake in one line."""
    return f"{mistake.path}{' = ' + mistake.value if mistake.value else ''}: {mistake.allowed}"


def in_session(session: str, now: float) -> bool:
    """Whether a rule's session filter admits the moment: RTH the NYSE's regular hours, ETH from pre to post."""
    if session == "24x7":
        return True
    state = sessions.market_clock(sessions.XNYS, now).state
    return state is SessionState.OPEN or (session == "ETH" and state is not SessionState.CLOSED)


def set_up(
    rules: Sequence[Rule],
    board: Board,
    folder: Path | None,
    complain: Callable[[str], None],
    channels: Channels = lambda event, silenced: (),
) -> Alerting:
    """Alerts that run: with their journal in `folder` (None: kept nowhere), told of the board's prices."""
    journal = None
    if folder is not None:
        try:
            journal = Journal(Database(folder))
        except DatabaseError as error:
            complain(f"alerts are not being kept: {error}")
    alerting = Alerting(rules, journal=journal, channels=channels, in_session=in_session, complain=complain)
    for symbol, book in board.books.items():
        book.watch = alerting.watchers.get(symbol)
    return alerting


def run_up(
    config: Config, board: Board, folder: Path | None, notice: Callable[[str, str], None], channels: Channels
) -> Alerting:
    """The alerts of a configuration; a rule with a mistake is left out, and said."""
    rules, mistakes = read_rules(config)
    for mistake in mistakes:
        notice("error", f"a rule is left out: {in_words(mistake)}")
    return set_up(rules, board, folder, lambda text: notice("error", text), channels)


def refusal(config: Config) -> str | None:
    """Why a configuration's rules cannot be taken over, in a line; None where they can."""
    _, mistakes = read_rules(config)
    if not mistakes:
        return None
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"configuration refused, the old one goes on: {in_words(mistakes[0])}{more}"


def carry_out(alerting: Alerting, intent: Intent, now: float) -> str | None:
    """What a user wants of an alert: acknowledge, snooze (`for`), mute or unmute `rule` and `row` (`*`: all its rows).

    Returns what the user must be told, None where nothing.
    """
    rule, row = intent.arguments.get("rule", ""), intent.arguments.get("row", "*")
    name = rule if row == "*" else f"{rule} {row}"
    if rule not in alerting.book.rules:
        return f"there is no rule {rule!r}"
    if intent.action == "acknowledge":
        return None if alerting.acknowledge(rule, row, now) else f"nothing to acknowledge of {name}"
    if intent.action == "unmute":
        alerting.lift(rule, row)
        return f"{name} is told again"
    until = None
    if intent.action == "snooze":
        try:
            lasts = duration(intent.arguments.get("for", SNOOZE_S))
        except ValueError:
            return f"{intent.arguments['for']!r} is no time to snooze for, such as 30m or 2h"
        until = now + lasts
    alerting.silence(rule, row, until)
    return f"{name} is silent {'until it is unmuted' if until is None else f'for {lasts / 60:,.0f} min'}"
