"""Conditions fire exactly where a slow reference over the published snapshots says so; null holds and freezes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.alert_message import render
from engine.alerts import AlertBook
from engine.crossings import Watch
from engine.lifecycle import AlertState
from engine.model import Event
from engine.rules import Cross, FiringMode, Rule

SCHEMA = pl.Schema({"pair": pl.String(), "z252": pl.Float64(), "age_s": pl.Float64(), "simulated": pl.Boolean()})


def table(**z: float | None) -> pl.DataFrame:
    rows = [(pair, value, 1.0, False) for pair, value in z.items()]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def book(*rules: Rule) -> AlertBook:
    return AlertBook(rules, {"spreads": SCHEMA})


def zrule(name: str = "z", **changes: object) -> Rule:
    return replace(Rule(name, on="spreads", when="z252 > 2"), **changes)  # type: ignore[arg-type]


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.kind for event in events]


class Reference:
    """One row's alert, told as plainly as it can be: all that was published so far is gone over again at each step."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.history: list[tuple[float, bool | None, bool | None]] = []

    def known_time(self, since: int, decisive: int) -> float:
        """Seconds from sample `since` to the newest one that began with a known verdict."""
        total = 0.0
        for (t0, *before), (t1, *_) in zip(self.history[since:], self.history[since + 1 :], strict=False):
            if before[decisive] is not None:
                total += t1 - t0
        return total

    def run(self) -> list[tuple[str, float]]:
        events: list[tuple[str, float]] = []
        firing = latched = False
        pending: int | None = None
        recovering: int | None = None
        last_fired: float | None = None
        whole, self.history = self.history, []
        for i, sample in enumerate(whole):
            self.history.append(sample)
            now, verdict, cleared = sample
            if firing:
                if cleared is None:
                    continue
                if not cleared:
                    recovering = None
                    if (
                        self.rule.mode == "level"
                        and self.rule.cooldown
                        and now >= (last_fired or 0) + self.rule.cooldown
                    ):
                        events.append(("repeated", now))
                        last_fired = now
                    continue
                recovering = i if recovering is None else recovering
                if self.known_time(recovering, 1) >= self.rule.keep_firing:
                    events.append(("resolved", now))
                    firing, recovering, latched = False, None, self.rule.mode == "latch"
                continue
            if latched or verdict is None:
                continue
            cooling = last_fired is not None and now < last_fired + self.rule.cooldown
            if cooling or not verdict:
                pending = None
                continue
            pending = i if pending is None else pending
            if self.known_time(pending, 0) >= self.rule.hold:
                events.append(("fired", now))
                firing, pending, last_fired = True, None, now
        return events


verdicts = st.sampled_from([3.0, 3.0, 1.0, 1.6, None])
gaps = st.sampled_from([1.0, 2.0, 5.0, 60.0])


@settings(max_examples=300, deadline=None)
@given(
    stream=st.lists(st.tuples(gaps, verdicts), min_size=1, max_size=60),
    hold=st.sampled_from([0.0, 4.0, 30.0]),
    keep=st.sampled_from([0.0, 3.0]),
    cooldown=st.sampled_from([0.0, 10.0, 100.0]),
    mode=st.sampled_from(["edge", "level", "latch"]),
    hysteresis=st.booleans(),
)
def test_events_are_those_of_the_slow_reference(
    stream: list[tuple[float, float | None]],
    hold: float,
    keep: float,
    cooldown: float,
    mode: FiringMode,
    hysteresis: bool,
) -> None:
    rule = zrule(
        hold=hold, keep_firing=keep, cooldown=cooldown, mode=mode, clear_when="z252 < 1.5" if hysteresis else None
    )
    reference = Reference(rule)
    tested = book(rule)
    now = 0.0
    seen: list[tuple[str, float]] = []
    frame = None
    last: float | None = None
    for gap, z in stream:
        now += gap
        if frame is None or z != last:
            frame, last = table(**{"IWM/SPY": z}), z
        verdict = None if z is None else z > 2
        cleared = None if z is None else (z < 1.5 if hysteresis else not z > 2)
        reference.history.append((now, verdict, cleared))
        seen += [(event.kind, event.at) for event in tested.evaluate({"spreads": frame}, now)]
    assert seen == reference.run()


def test_each_matching_row_is_an_instance_of_its_own() -> None:
    tested = book(zrule(message="{pair} z {z252:+.2f}"))
    events = tested.evaluate({"spreads": table(**{"IWM/SPY": 2.5, "ALT/BTC": 1.0, "ETH/BTC": 3.0})}, 0.0)
    assert [(event.row, event.message) for event in events] == [
        ("ETH/BTC", "ETH/BTC z +3.00"),
        ("IWM/SPY", "IWM/SPY z +2.50"),
    ]


def test_an_unchanged_table_is_not_tested_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = book(zrule())
    frame = table(**{"IWM/SPY": 1.0})
    tested.evaluate({"spreads": frame}, 0.0)
    monkeypatch.setattr(pl.DataFrame, "select", lambda *_: pytest.fail("tested again"))
    assert tested.evaluate({"spreads": frame}, 1.0) == []


def test_a_row_that_vanishes_holds_its_state() -> None:
    tested = book(zrule())
    tested.evaluate({"spreads": table(**{"IWM/SPY": 3.0})}, 0.0)
    assert tested.evaluate({"spreads": table()}, 1.0) == []
    assert kinds(tested.evaluate({"spreads": table(**{"IWM/SPY": 1.0})}, 2.0)) == ["resolved"]


def test_a_row_older_than_max_age_says_nothing() -> None:
    tested = book(zrule(max_age=0.5))
    assert tested.evaluate({"spreads": table(**{"IWM/SPY": 3.0})}, 0.0) == []


def test_a_latched_alert_waits_for_a_person() -> None:
    tested = book(zrule(mode="latch"))
    assert kinds(tested.evaluate({"spreads": table(a=3.0)}, 0.0)) == ["fired"]
    assert kinds(tested.evaluate({"spreads": table(a=1.0)}, 1.0)) == ["resolved"]
    assert tested.evaluate({"spreads": table(a=3.0)}, 2.0) == []
    assert tested.acknowledge("z", "a", 3.0)
    assert kinds(tested.evaluate({"spreads": table(a=3.1)}, 4.0)) == ["fired"]


def test_once_per_bar() -> None:
    tested = book(zrule(once_per_bar="1h"))
    fired = [
        event.at
        for minute in range(0, 130, 5)
        for event in tested.evaluate({"spreads": table(a=3.0 if minute % 10 else 1.0)}, minute * 60.0)
        if event.kind == "fired"
    ]
    assert fired == [300.0, 3900.0, 7500.0]


def test_a_closed_session_holds_the_state() -> None:
    rule = zrule(session="RTH")
    tested = AlertBook([rule], {"spreads": SCHEMA}, lambda _, now: now < 10)
    assert kinds(tested.evaluate({"spreads": table(a=3.0)}, 0.0)) == ["fired"]
    assert tested.evaluate({"spreads": table(a=1.0)}, 20.0) == []


def test_an_expired_rule_is_silent() -> None:
    tested = book(zrule(expires=datetime(2026, 1, 1, tzinfo=UTC)))
    assert tested.evaluate({"spreads": table(a=3.0)}, datetime(2026, 1, 2, tzinfo=UTC).timestamp()) == []


def test_after_a_restart_nothing_fires_twice_and_what_cleared_says_so() -> None:
    first = book(zrule())
    first.evaluate({"spreads": table(a=3.0, b=3.0)}, 0.0)
    saved = [(rule.id, row, instance) for rule, row, instance in first.instances()]
    second = book(zrule())
    second.restore(saved)
    events = second.evaluate({"spreads": table(a=3.0, b=1.0)}, 1000.0)
    assert [(event.kind, event.row) for event in events] == [("resolved", "b")]


def test_time_that_was_spent_off_counts_towards_no_timer() -> None:
    rule = zrule(hold=60.0)
    first = book(rule)
    first.evaluate({"spreads": table(a=3.0)}, 0.0)
    second = book(rule)
    second.restore([(r.id, row, instance) for r, row, instance in first.instances()])
    assert second.evaluate({"spreads": table(a=3.0)}, 1000.0) == []
    assert kinds(second.evaluate({"spreads": table(a=3.0)}, 1060.0)) == ["fired"]


def test_the_same_input_gives_the_same_event_ids() -> None:
    def run() -> list[str]:
        return [event.id for event in book(zrule()).evaluate({"spreads": table(a=3.0, b=4.0)}, 5.0)]

    assert run() == run() and len(set(run())) == 2


def test_a_crossing_becomes_an_event_with_its_gap() -> None:
    rule = Rule("r", cross=Cross("^RUT", 2300.0, "up"), max_age=60, message="{symbol} {direction} through {level:,.0f}")
    watch, tested = Watch([rule]), book(rule)
    watch.tick(2299.0, 0.0)
    (crossed,) = watch.tick(2301.0, 3600.0)
    event = tested.cross(crossed)
    assert event.message == "^RUT up through 2,300 (gapped through)"
    assert [(r.id, i.state) for r, _, i in tested.instances()] == [("r", AlertState.FIRING)]


def test_a_level_without_a_message_says_what_was_passed_and_the_price() -> None:
    rule = Rule("near", cross=Cross("BTC/USD", 90_878.0, "both"))
    watch, tested = Watch([rule]), book(rule)
    watch.tick(90_878.9, 0.0)
    (crossed,) = watch.tick(90_877.25, 1.0)
    assert tested.cross(crossed).message == "BTC/USD down through 90,878: 90,877.25"


def test_a_message_shows_what_is_missing_and_passes_no_control_characters() -> None:
    assert (
        render("{a} {b:+.2f} {c}", {"a": "x\x1b]0;evil\x07", "b": None, "c": "two\nlines"}) == "x ]0;evil – two lines"
    )
    assert "class" not in render("{a.__class__}", {"a": 1})
