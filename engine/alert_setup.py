"""Puts the alerts of a run together: the ready rules, the user's own, the journal and the board's watchers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine import sessions
from engine.alerting import Alerting
from engine.board import Board
from engine.config import Config
from engine.database import Database, DatabaseError
from engine.journal import Journal
from engine.model import Event, SessionState
from engine.ready_rules import READY
from engine.rules import Rule, read_rule
from engine.tables import TABLES


def read_rules(config: Config, own: Mapping[str, Mapping[str, object]] | None = None) -> tuple[list[Rule], list[str]]:
    """The rules of a run, and a line for every mistake in them.

    own: the user's rules as written; one of a ready rule's name changes the fields that it names. A rule with a mistake
    is not among the rules; a ready rule about a symbol that is not watched is none.
    """
    rules: list[Rule] = []
    lines: list[str] = []
    for name, raw in READY.items():
        merged = {**raw, **(own or {}).get(name, {})}
        cross = merged.get("cross")
        if isinstance(cross, Mapping) and cross.get("symbol") not in config.symbols and name not in (own or {}):
            continue
        _read(name, merged, config, "ready", rules, lines)
    for name, raw in (own or {}).items():
        if name not in READY:
            _read(name, raw, config, "config", rules, lines)
    return rules, lines


def _read(
    name: str, raw: Mapping[str, object], config: Config, origin: str, rules: list[Rule], lines: list[str]
) -> None:
    rule, mistakes = read_rule(name, raw, TABLES, config.symbols, origin)
    if rule is not None:
        rules.append(rule)
    lines.extend(f"{m.path}{' = ' + m.value if m.value else ''}: {m.allowed}" for m in mistakes)


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
    channels: Callable[[Event, bool], Sequence[str]] = lambda event, silenced: (),
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
