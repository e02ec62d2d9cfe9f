"""All crossings of a run: what the board is told its prices by, and what has crossed since the last beat took it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from engine.crossings import Crossed, Fence, Watch
from engine.rules import Rule

CROSSED: Final = 10_000
"""Crossings that may wait for a beat; a beat empties them four times a second."""

Watchers = Mapping[str, Fence]


class Watching:
    """The watches of these rules' crossings, by symbol and ratio.

    in_session: whether a rule's session filter admits a moment.
    """

    def __init__(
        self, rules: Sequence[Rule], in_session: Callable[[str, float], bool] = lambda session, at: True
    ) -> None:
        self._crossed: deque[Crossed] = deque(maxlen=CROSSED)
        self._watched: dict[tuple[str, str | None], Watch] = {}
        groups: dict[tuple[str, str | None], list[Rule]] = {}
        for rule in rules:
            if rule.enabled and rule.cross is not None:
                groups.setdefault((rule.cross.symbol, rule.cross.over), []).append(rule)
        told: dict[str, list[Fence]] = {}
        for (symbol, over), grouped in groups.items():
            watch = self._watched[symbol, over] = Watch(grouped, in_session)
            watch.look = partial(self._tick, watch)
            if over is None:
                told.setdefault(symbol, []).append(watch)
            else:
                ratio = _Ratio(watch)
                told.setdefault(symbol, []).append(Fence(ratio.numerator))
                told.setdefault(over, []).append(Fence(ratio.denominator))
        self.watchers: Watchers = {
            symbol: each[0] if len(each) == 1 else Fence(partial(_tell, tuple(each))) for symbol, each in told.items()
        }
        """By symbol, what its board slot must be told of."""

    def _tick(self, watch: Watch, price: float, at: float) -> None:
        fired = watch.tick(price, at)
        if fired:
            self._crossed.extend(fired)

    def beat(self, now: float) -> None:
        """What time alone fires."""
        for watch in self._watched.values():
            self._crossed.extend(watch.beat(now))

    def take(self) -> list[Crossed]:
        """What has crossed since the last call, oldest first."""
        crossed = list(self._crossed)
        self._crossed.clear()
        return crossed

    def keep_since(self, moment: float) -> None:
        """Drop what crossed before a moment."""
        while self._crossed and self._crossed[0].at < moment:
            self._crossed.popleft()

    def resume(self, rule: str, fired_at: float, *, latched: bool) -> None:
        """After a restart: when a rule last fired, and whether it waits for a person."""
        for watch in self._watched.values():
            watch.resume(rule, fired_at, latched=latched)

    def release(self, rule: str) -> None:
        """A person has acknowledged it."""
        for watch in self._watched.values():
            watch.release(rule)

    def adopt(self, old: Watching) -> None:
        """Go on where the watches of the same prices stood before the rules were read again."""
        for key, watch in self._watched.items():
            before = old._watched.get(key)
            if before is not None:
                watch.adopt(before)


class _Ratio:
    """Two prices seen as one; a tick of either is a tick of the ratio once both are known."""

    def __init__(self, tick: Callable[[float, float], None]) -> None:
        self._tick = tick
        self._a: float | None = None
        self._b: float | None = None

    def numerator(self, price: float, at: float) -> None:
        self._a = price
        if self._b is not None:
            self._tick(price / self._b, at)

    def denominator(self, price: float, at: float) -> None:
        self._b = price
        if self._a is not None:
            self._tick(self._a / price, at)


def _tell(each: Sequence[Callable[[float, float], None]], price: float, at: float) -> None:
    for one in each:
        one(price, at)
