"""Crossings of a price through a level, tested on every tick, so that no beat can swallow one.

A crossing is prev ≤ L < cur, or prev ≥ L > cur; it needs a valid earlier tick. After a gap longer than `max_age` it is
said to have gapped through. With `for` the price must stay beyond the level that long: the firing is dated crossing
plus `for`, whenever the next tick or beat discovers it. A tick outside the rule's session crosses nothing. All results
depend on the ticks and their times alone, and on what a person has acknowledged.

The fast path of a tick is one comparison: a fence keeps the nearest levels on either side of the last price, and the
board looks at it without a call.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from engine.lifecycle import bar_of
from engine.rules import Rule


class Crossed(NamedTuple):
    """A crossing that fires now. Prices in the level's own unit; `at` in epoch seconds of the run's clock."""

    rule: Rule
    direction: str
    at: float
    price: float
    previous: float
    gapped: bool


class _Waiting(NamedTuple):
    crossed: Crossed
    due: float


class Fence:
    """What a symbol's book is told its prices by: between `low` and `high` nothing can happen.

    Whoever has a price either notes it, where it stands between the two, or has `look` look at it. Calling does both.
    """

    __slots__ = ("high", "last", "last_at", "look", "low")

    def __init__(self, look: Callable[[float, float], object]) -> None:
        # an empty interval: the first tick is always looked at
        self.low, self.high = math.inf, -math.inf
        self.last: float | None = None
        self.last_at = 0.0
        self.look = look

    def __call__(self, price: float, at: float) -> None:
        if self.low < price < self.high:
            self.last, self.last_at = price, at
        else:
            self.look(price, at)


class Watch(Fence):
    """All crossings of one symbol, or of one ratio.

    Call `tick` with every valid price and its time, in order, and `beat` with the time now and then.
    in_session: whether a rule's session filter admits a moment.
    """

    __slots__ = ("_fired_at", "_in_session", "_latched", "_levels", "_rules", "_waiting")

    def __init__(
        self, rules: Iterable[Rule], in_session: Callable[[str, float], bool] = lambda session, at: True
    ) -> None:
        super().__init__(self._slow)
        self._in_session = in_session
        ordered = sorted(
            (rule for rule in rules if rule.cross), key=lambda rule: rule.cross.level if rule.cross else 0.0
        )
        self._rules: Sequence[Rule] = ordered
        self._levels = [rule.cross.level for rule in ordered if rule.cross]
        self._fired_at: dict[str, float] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._latched: set[str] = set()
        """Rules of mode `latch` that have fired and wait for a person."""

    def tick(self, price: float, at: float) -> list[Crossed]:
        """What this tick fires, oldest first. price must be finite and above 0."""
        if self.low < price < self.high:
            self.last, self.last_at = price, at
            return []
        return self._slow(price, at)

    def _slow(self, price: float, at: float) -> list[Crossed]:
        fired = self._due(at, price)
        previous, since = self.last, self.last_at
        self.last, self.last_at = price, at
        if previous is not None and previous != price:
            fired += self._passed(previous, since, price, at)
        left, right = bisect_left(self._levels, price), bisect_right(self._levels, price)
        # looked at without fail: a price that leaves a level it stood on, and any while a crossing waits for its time
        always = left != right or bool(self._waiting)
        self.low = math.inf if always else self._levels[left - 1] if left else -math.inf
        self.high = -math.inf if always else self._levels[left] if left < len(self._levels) else math.inf
        return fired

    def _passed(self, previous: float, since: float, price: float, at: float) -> list[Crossed]:
        up = price > previous
        low, high = (previous, price) if up else (price, previous)
        first = bisect_left(self._levels, low) if up else bisect_right(self._levels, low)
        last = bisect_left(self._levels, high) if up else bisect_right(self._levels, high)
        fired: list[Crossed] = []
        for rule in self._rules[first:last]:
            direction = "up" if up else "down"
            wanted = rule.cross.direction if rule.cross else "both"
            if wanted not in {"both", direction}:
                continue
            if rule.session != "24x7" and not self._in_session(rule.session, at):
                continue
            gapped = rule.max_age is not None and at - since > rule.max_age
            crossed = Crossed(rule, direction, at, price, previous, gapped)
            if rule.hold > 0:
                self._waiting[rule.id] = _Waiting(crossed, at + rule.hold)
            else:
                fired += self._fire(crossed)
        return fired

    def _due(self, now: float, price: float | None) -> list[Crossed]:
        """Waiting crossings that have held until their time, and those that this price undoes."""
        fired: list[Crossed] = []
        for name, waiting in list(self._waiting.items()):
            crossed = waiting.crossed
            level = crossed.rule.cross.level if crossed.rule.cross else 0.0
            if waiting.due <= now:
                del self._waiting[name]
                max_age = crossed.rule.max_age
                # silence is no proof that the price stayed beyond the level
                if max_age is None or waiting.due - self.last_at <= max_age:
                    fired += self._fire(crossed._replace(at=waiting.due, price=self.last or crossed.price))
            elif price is not None and (price <= level if crossed.direction == "up" else price >= level):
                del self._waiting[name]
        return sorted(fired, key=lambda crossed: crossed.at)

    def _fire(self, crossed: Crossed) -> list[Crossed]:
        rule, at = crossed.rule, crossed.at
        last, bar = self._fired_at.get(rule.id), rule.once_per_bar
        if rule.id in self._latched or (last is not None and at < last + rule.cooldown):
            return []
        if last is not None and bar is not None and bar_of(at, bar) == bar_of(last, bar):
            return []
        self._fired_at[rule.id] = at
        if rule.mode == "latch":
            self._latched.add(rule.id)
        return [crossed]

    def beat(self, now: float) -> list[Crossed]:
        """What time alone fires: crossings that have held long enough without a tick."""
        return self._due(now, None) if self._waiting else []

    def resume(self, rule_id: str, fired_at: float, *, latched: bool = False) -> None:
        """After a restart: when this rule last fired, so that its cooldown goes on; whether it waits for a person."""
        self._fired_at[rule_id] = fired_at
        if latched:
            self._latched.add(rule_id)

    def release(self, rule_id: str) -> None:
        """A person has acknowledged it: a latched rule may fire again."""
        self._latched.discard(rule_id)

    def adopt(self, old: Watch) -> None:
        """Go on where the watch of the same prices stood before the rules were read again."""
        same = {rule.id: rule for rule in self._rules}
        self.last, self.last_at = old.last, old.last_at
        self.low, self.high = math.inf, -math.inf
        self._fired_at |= {name: at for name, at in old._fired_at.items() if name in same}
        self._latched |= old._latched & same.keys()
        self._waiting = {name: held for name, held in old._waiting.items() if same.get(name) == held.crossed.rule}
