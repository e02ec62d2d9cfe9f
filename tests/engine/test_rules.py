"""A rule is read whole or refused with every mistake in it, each with its key, its value and what would be right."""

from __future__ import annotations

import pytest

from engine.rules import Cross, Rule, duration, read_rule
from engine.tables import TABLES

SYMBOLS = ("BTC/USD", "^RUT", "IWM", "SPY")


def read(**raw: object) -> tuple[Rule | None, list[str]]:
    rule, mistakes = read_rule("r1", {key.rstrip("_"): value for key, value in raw.items()}, TABLES, SYMBOLS)
    return rule, [f"{m.path} = {m.value}: {m.allowed}" for m in mistakes]


def test_a_condition_rule() -> None:
    rule, mistakes = read(
        on="spreads",
        when="ABS(z252) > 2",
        clear_when="ABS(z252) < 1",
        for_="30s",
        cooldown="15m",
        message="{pair} {z252:+.2f}",
    )
    assert mistakes == [] and rule is not None
    assert (rule.hold, rule.cooldown, rule.session) == (30.0, 900.0, "24x7")


def test_a_crossing_rule() -> None:
    rule, mistakes = read(cross={"symbol": "^RUT", "level": 2300, "direction": "up"})
    assert mistakes == [] and rule is not None
    assert rule.cross == Cross("^RUT", 2300.0, "up") and rule.max_age == 60.0 and rule.cooldown == 900.0


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({}, "needs `on` and `when`"),
        ({"on": "spread", "when": "z252 > 1"}, "did you mean spreads?"),
        ({"on": "spreads"}, "needs a condition over spreads"),
        ({"on": "spreads", "when": "z25 > 1"}, "nearest are z252"),
        ({"on": "spreads", "when": 3}, "a condition in quotes"),
        ({"on": "spreads", "when": "z252 > 1", "fro": 3}, "did you mean for?"),
        ({"on": "spreads", "when": "z252 > 1", "for_": "soon"}, "30s, 15m, 2h, 1d"),
        ({"on": "spreads", "when": "z252 > 1", "mode": "loud"}, "one of edge, level, latch"),
        ({"on": "spreads", "when": "z252 > 1", "message": "{nosuch}"}, "{nosuch} is no column"),
        ({"on": "spreads", "when": "z252 > 1", "message": "{z252"}, "a template such as"),
        ({"on": "spreads", "when": "z252 > 1", "message": "{pair.__class__}"}, "is no column"),
        ({"on": "spreads", "when": "z252 > 1", "message": "{z252:999999999f}"}, "is no number format"),
        ({"on": "spreads", "when": "z252 > 1", "enabled": "yes"}, "true or false"),
        ({"on": "spreads", "when": "z252 > 1", "expires": "tomorrow"}, "a time with its zone"),
        ({"on": "spreads", "when": "z252 > 1", "cross": {"symbol": "IWM", "level": 1}}, "take one of the two"),
        ({"cross": {"symbol": "^RUTT", "level": 2300}}, "nearest are ^RUT"),
        ({"cross": {"symbol": "^RUT", "level": -1}}, "a price above 0"),
        ({"cross": {"symbol": "^RUT", "level": 1, "direction": "sideways"}}, "up, down or both"),
        ({"cross": 5}, "a table, as in"),
    ],
)
def test_mistakes_are_named(raw: dict[str, object], says: str) -> None:
    rule, mistakes = read(**raw)
    assert rule is None
    assert any(says in line and line.startswith("rules.r1") for line in mistakes), mistakes


def test_all_mistakes_at_once() -> None:
    _, mistakes = read(on="spreads", when="nosuch > 1", for_="x", mode="y", severity="z", notify="w")
    assert len(mistakes) == 5


@pytest.mark.parametrize(("text", "seconds"), [(30, 30), ("30s", 30), ("1.5m", 90), ("2h", 7200), ("1d", 86400)])
def test_durations(text: object, seconds: float) -> None:
    assert duration(text) == seconds
