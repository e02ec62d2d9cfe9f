"""What the alerts of `bench.soak_faults` owe by the market alone, whatever the engine has seen of it.

Prices only rise, a step at a time, by a formula, and every feed is live at the start and at the end. So a level that
the market passed in between is owed once: soon where a venue was heard, and "gapped through" where none was
(docs/alerts.md). One that it has not passed is never told. What it passed around the start or the end may be, once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bench.soak_world import SoakMarket
from engine.model import Event
from tests.simulator.still_market import NOW

EARLY_S = 1.0
"""A venue's time is cut to its own grid, and a machine's two clocks are not read at once."""


@dataclass
class Owed:
    """Every level, held against the market's formula."""

    market: SoakMarket
    levels: Mapping[str, tuple[str, float]]
    """Rule → symbol and level, each to be crossed upwards."""
    told: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Rule → seconds of the world at which it was told."""
    wrong: list[str] = field(default_factory=list)
    """Told, and not so: before the market was there, a second time, or with prices that do not pass the level."""

    def tell(self, events: Iterable[Event]) -> None:
        """Take in what the rules told; what is no level's is not looked at."""
        for event in events:
            if event.rule not in self.levels or event.kind != "fired":
                continue
            symbol, level = self.levels[event.rule]
            base, at = symbol.partition("/")[0], event.at - NOW
            told = self.told[event.rule]
            told.append(at)
            reached = self.market.moments(base, level)[0]
            price, previous = event.values.get("price"), event.values.get("previous")
            said = f"{event.rule} ({symbol} at {level:,.6g}) told at {at:.1f} s"
            if at < reached - EARLY_S:
                self.wrong.append(f"{said}, the market was there at {reached:.1f} s")
            elif len(told) > 1:
                self.wrong.append(f"{said}, and before at {told[0]:.1f} s")
            elif not (isinstance(price, float) and isinstance(previous, float) and previous <= level < price):
                self.wrong.append(f"{said} by {previous!r} and then {price!r}")
            elif self.market.moments(base, price)[0] > at + EARLY_S:
                self.wrong.append(f"{said} by a price of later, {price!r}")

    def owed(self, since: float, until: float) -> list[str]:
        """The rules whose level the market passed for certain between two seconds of the world."""
        passed = {
            rule: self.market.moments(symbol.partition("/")[0], level) for rule, (symbol, level) in self.levels.items()
        }
        return [rule for rule, (first, last) in passed.items() if first > since and last < until]

    def missed(self, since: float, until: float) -> list[str]:
        """Those of them that nobody told, in words."""
        return [
            f"{rule}: {self.levels[rule][0]} passed {self.levels[rule][1]:,.6g} and nobody told"
            for rule in self.owed(since, until)
            if rule not in self.told
        ]
