"""Puts the alerts of a run together: the ready rules, the user's own, the journal and the board's watchers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from engine.lease import Lease
from engine.model import Event, SessionState
from engine.ready_rules import READY
from engine.rules import Rule, read_rule
from engine.tables import TABLES

WATCHED: Final[Mapping[str, pl.Schema]] = {name: schema for name, schema in TABLES.items() if name in KEYS}
"""The tables that a rule may be on: all whose rows have names; `alerts` itself is none."""

Channels = Callable[[Event, bool], Sequence[str]]


Written = Mapping[str, Mapping[str, object]]
"""Rules as they were written, by name."""


def read_rules(config: Config, saved: Written | None = None) -> tuple[list[Rule], list[ConfigMistake]]:
    """The rules of a run, and every mistake in them.

    A user's rule of a ready rule's name changes the fields that it names; so does one of `saved`, which the terminal
    has kept, with either. A rule with a mistake is not among the rules; a ready rule about a symbol that is not watched
    is none.
    """
    rules: list[Rule] = []
    mistakes: list[ConfigMistake] = []
    kept = saved or {}
    for name, (raw, origin) in written(config, kept).items():
        cross = raw.get("cross")
        untouched = name not in config.rules and name not in kept
        if untouched and isinstance(cross, Mapping) and cross.get("symbol") not in config.symbols:
            continue
        rule, wrong = read_rule(name, raw, WATCHED, config.symbols, origin)
        if rule is not None:
            rules.append(replace(rule, saved=True) if name in kept else rule)
        mistakes += wrong
    return rules, mistakes


def written(config: Config, saved: Written) -> dict[str, tuple[Mapping[str, object], str]]:
    """Every rule as written, with where it comes from: ready, config or terminal."""
    found: dict[str, tuple[Mapping[str, object], str]] = {name: (raw, "ready") for name, raw in READY.items()}
    for origin, own in (("config", config.rules), ("terminal", saved)):
        for name, raw in own.items():
            below = found.get(name)
            # the form saves a rule whole; what a file says of a ready rule changes that one
            alone = below is None or (origin == "terminal" and ("cross" in raw or "when" in raw))
            found[name] = (raw, origin) if below is None or alone else ({**below[0], **raw}, below[1])
    return found


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
    journal: Journal | None = None,
    written: Mapping[str, object] | None = None,
) -> Alerting:
    """Alerts that run, told of the board's prices; their journal is in `folder`, or else `journal`."""
    if folder is not None:
        journal = _journal(folder, complain)
    lease = Lease(journal.database, "alerts", _print(rules, channels)) if journal is not None else None
    alerting = Alerting(
        rules,
        journal=journal,
        lease=lease,
        channels=channels,
        in_session=in_session,
        complain=complain,
        written=written,
    )
    for symbol, book in board.books.items():
        book.watch = alerting.watchers.get(symbol)
    return alerting


def _journal(folder: Path, complain: Callable[[str], None]) -> Journal | None:
    try:
        return Journal(Database(folder))
    except DatabaseError as error:
        complain(f"alerts are not being kept: {error}")
        return None


def _print(rules: Sequence[Rule], channels: Channels) -> str:
    """By which two terminals know whether they would tell the same: the rules, and to whom a warning would go."""
    event = Event("", "", "", "fired", 0.0, "critical", "on", "", {})
    text = repr((sorted(map(repr, rules)), sorted(channels(event, False))))
    return hashlib.blake2s(text.encode(), digest_size=10).hexdigest()


def run_up(
    old: Alerting | None,
    config: Config,
    board: Board,
    folder: Path | None,
    notice: Callable[[str, str], None],
    channels: Channels,
) -> Alerting:
    """The alerts of a configuration and of what the terminal has saved; a rule with a mistake is left out, and said.

    old: the alerts until now, which end; where they stood, these go on.
    """
    if old is not None:
        old.close()
    journal = _journal(folder, lambda text: notice("error", text)) if folder is not None else None
    saved = _saved(journal, lambda text: notice("error", text))
    rules, mistakes = read_rules(config, saved)
    for mistake in mistakes:
        notice("error", f"a rule is left out: {in_words(mistake)}")
    raw = {name: fields for name, (fields, _) in written(config, saved).items()}
    alerting = set_up(rules, board, None, lambda text: notice("error", text), channels, journal, raw)
    if old is not None:
        alerting.adopt(old)
    return alerting


def _saved(journal: Journal | None, complain: Callable[[str], None]) -> Written:
    if journal is None:
        return {}
    try:
        return journal.saved_rules()
    except DatabaseError as error:
        complain(f"the rules that were made in the terminal cannot be read: {error}")
        return {}


def refusal(config: Config) -> str | None:
    """Why a configuration's rules cannot be taken over, in a line; None where they can."""
    _, mistakes = read_rules(config)
    if not mistakes:
        return None
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"configuration refused, the old one goes on: {in_words(mistakes[0])}{more}"
