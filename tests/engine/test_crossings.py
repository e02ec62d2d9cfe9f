"""Crossings fire exactly where a slow reference over every tick says so, however the ticks fall into beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.crossings import Crossed, Watch
from engine.rules import Cross, Direction, Rule


class Tick(NamedTuple):
    at: float
    price: float


def rule(
    name: str,
    level: float,
    direction: Direction = "both",
    *,
    hold: float = 0,
    cooldown: float = 0,
    max_age: float | None = None,
) -> Rule:
    return Rule(name, cross=Cross("^RUT", level, direction), hold=hold, cooldown=cooldown, max_age=max_age)


def reference(each: Rule, ticks: Sequence[Tick], end: float) -> list[tuple[str, float, bool]]:
    """Every pair of neighbouring ticks, and for each crossing every tick after it."""
    assert each.cross is not None
    level = each.cross.level
    candidates: list[tuple[str, float, bool]] = []
    for i in range(1, len(ticks)):
        before, now = ticks[i - 1], ticks[i]
        if before.price <= level < now.price:
            direction = "up"
        elif before.price >= level > now.price:
            direction = "down"
        else:
            continue
        if each.cross.direction not in {"both", direction}:
            continue
        gapped = each.max_age is not None and now.at - before.at > each.max_age
        due = now.at + each.hold
        if each.hold:
            within = [tick for tick in ticks[i:] if tick.at < due]
            if any(tick.price <= level if direction == "up" else tick.price >= level for tick in within):
                continue
            if due > end or (each.max_age is not None and due - within[-1].at > each.max_age):
                continue
        candidates.append((direction, due, gapped))
    fired: list[tuple[str, float, bool]] = []
    for candidate in sorted(candidates, key=lambda c: c[1]):
        if not fired or candidate[1] >= fired[-1][1] + each.cooldown:
            fired.append(candidate)
    return fired


prices = st.sampled_from([99.0, 99.5, 100.0, 100.5, 101.0, 102.0, 103.0])
steps = st.sampled_from([1.0, 2.0, 5.0, 30.0])
streams = st.lists(st.tuples(steps, prices), min_size=1, max_size=60)
rules = st.lists(
    st.builds(
        lambda level, direction, hold, cooldown, max_age: (level, direction, hold, cooldown, max_age),
        st.sampled_from([99.5, 100.0, 101.5]),
        st.sampled_from(["up", "down", "both"]),
        st.sampled_from([0.0, 3.0, 10.0]),
        st.sampled_from([0.0, 7.0, 60.0]),
        st.sampled_from([None, 4.0, 20.0]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(streams, rules, st.lists(st.booleans(), min_size=60, max_size=60), st.sampled_from([0.5, 40.0]))
def test_every_crossing_and_no_other(
    stream: list[tuple[float, float]],
    raw: list[tuple[float, Direction, float, float, float | None]],
    beats: list[bool],
    tail: float,
) -> None:
    made = [rule(f"r{i}", r[0], r[1], hold=r[2], cooldown=r[3], max_age=r[4]) for i, r in enumerate(raw)]
    watch = Watch(made)
    ticks: list[Tick] = []
    at = 0.0
    fired: list[Crossed] = []
    for (step, price), beat in zip(stream, beats, strict=False):
        at += step
        if beat:
            fired += watch.beat(at - step / 2)
        ticks.append(Tick(at, price))
        fired += watch.tick(price, at)
    end = at + tail
    fired += watch.beat(end)
    for each in made:
        seen = [(c.direction, c.at, c.gapped) for c in fired if c.rule.id == each.id]
        assert seen == reference(each, ticks, end)


def test_the_first_tick_crosses_nothing() -> None:
    assert Watch([rule("a", 100)]).tick(105.0, 0.0) == []


def test_a_level_that_is_met_exactly_is_crossed_when_it_is_left() -> None:
    watch = Watch([rule("a", 100)])
    assert not watch.tick(99.0, 0.0) and not watch.tick(100.0, 1.0)
    (up,) = watch.tick(100.5, 2.0)
    assert (up.direction, up.previous, up.price) == ("up", 100.0, 100.5)


def test_many_levels_in_one_jump_all_fire() -> None:
    watch = Watch([rule(f"r{i}", 100 + i) for i in range(50)])
    watch.tick(99.0, 0.0)
    assert len(watch.tick(200.0, 1.0)) == 50


def test_a_cooldown_goes_on_after_a_restart() -> None:
    watch = Watch([rule("a", 100, "up", cooldown=60)])
    watch.resume("a", 0.0)
    watch.tick(99.0, 10.0)
    assert watch.tick(101.0, 11.0) == []
    watch.tick(99.0, 70.0)
    assert len(watch.tick(101.0, 71.0)) == 1
