"""What a user wants of alerts, carried out: acknowledge, snooze, mute; save, switch and delete rules."""

from __future__ import annotations

from typing import Final

import orjson

from engine.alert_setup import WATCHED, in_words
from engine.alerting import Alerting
from engine.config import Config
from engine.database import DatabaseError
from engine.journal import MAX_RULES
from engine.model import Intent
from engine.ready_rules import READY
from engine.rules import duration, read_rule

SNOOZE_S: Final = 3600.0
"""How long a snooze lasts that says no time."""
OF_RULES: Final = frozenset({"save-rule", "delete-rule", "enable-rule", "disable-rule"})
OF_ALERTS: Final = frozenset({"acknowledge", "snooze", "mute", "unmute"})


def carry_out(alerting: Alerting, intent: Intent, now: float, config: Config) -> str | None:
    """Do what an intent asks of `rule` and `row` (`*`: all its rows), or of the rule `name`.

    Returns what the user must be told, None where nothing.
    """
    rule, row = intent.arguments.get("rule", ""), intent.arguments.get("row", "*")
    if intent.action in OF_RULES:
        try:
            return _change_rules(alerting, intent, config)
        except DatabaseError as error:
            return f"the rule could not be kept: {error}"
    if rule not in alerting.book.rules:
        return f"there is no rule {rule!r}"
    name = rule if row == "*" else f"{rule} {row}"
    if intent.action == "acknowledge":
        return None if alerting.acknowledge(rule, row, now) else f"nothing to acknowledge of {name}"
    if intent.action == "unmute":
        alerting.lift(rule, row)
        return f"{name} is told again"
    return _silence(alerting, intent, rule, row, now)


def _silence(alerting: Alerting, intent: Intent, rule: str, row: str, now: float) -> str:
    name = rule if row == "*" else f"{rule} {row}"
    if intent.action != "snooze":
        alerting.silence(rule, row, None)
        return f"{name} is silent until it is unmuted"
    try:
        lasts = duration(intent.arguments.get("for", SNOOZE_S))
    except ValueError:
        return f"{intent.arguments['for']!r} is no time to snooze for, such as 30m or 2h"
    alerting.silence(rule, row, now + lasts)
    return f"{name} is silent for {lasts / 60:,.0f} min"


def _change_rules(alerting: Alerting, intent: Intent, config: Config) -> str:
    name, journal = intent.arguments.get("name", ""), alerting.journal
    if journal is None:
        return "rules cannot be saved: there is no store"
    saved = journal.saved_rules()
    if intent.action == "delete-rule":
        if name not in saved:
            return f"{name} is not of the terminal's making: it can be switched off, not deleted"
        journal.delete_rule(name)
        below = name in READY or name in config.rules
        words = f"rule {name} is as it was written" if below else f"rule {name} is deleted"
    elif intent.action == "save-rule":
        raw = orjson.loads(intent.arguments.get("rule", "{}"))
        _, wrong = read_rule(name, raw, WATCHED, config.symbols, "terminal")
        if wrong:
            return f"the rule is refused: {in_words(wrong[0])}"
        words = f"rule {name} is saved" if journal.save_rule(name, raw) else _too_many()
    else:
        if name not in alerting.book.rules:
            return f"there is no rule {name!r}"
        on = intent.action == "enable-rule"
        kept = journal.save_rule(name, {**saved.get(name, {}), "enabled": on})
        words = f"rule {name} is {'on' if on else 'off'}" if kept else _too_many()
    alerting.outdated = True
    return words


def _too_many() -> str:
    return f"no rule was saved: a store keeps {MAX_RULES:,} at most; delete some"
