"""The alerts of `bench.soak_faults`: what the rules must have told, by what was shown alone, and what they told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.model import Event, Snapshot
from tests.faults.world import LIVE


@dataclass
class Reference:
    """What the rules must have told, from what was shown alone."""

    levels: Mapping[str, tuple[str, float]]
    """Rule → symbol and level."""
    turned_stale: dict[str, int] = field(default_factory=dict)
    crossed: set[str] = field(default_factory=set)
    _status: dict[str, str] = field(default_factory=dict)
    _below: set[str] = field(default_factory=set)

    def look(self, rows: list[dict[str, Any]]) -> None:
        prices = {row["symbol"]: row["last"] for row in rows if row["status"] in LIVE}
        for row in rows:
            if row["status"] == "stale" and self._status.get(row["symbol"]) != "stale":
                self.turned_stale[row["symbol"]] = self.turned_stale.get(row["symbol"], 0) + 1
            self._status[row["symbol"]] = row["status"]
        for rule, (symbol, level) in self.levels.items():
            price = prices.get(symbol)
            if price is None:
                continue
            if price <= level:
                self._below.add(rule)
            elif rule in self._below:
                self.crossed.add(rule)


@dataclass
class Told:
    """What the rules did tell."""

    stale: dict[str, int] = field(default_factory=dict)
    crossed: set[str] = field(default_factory=set)
    events: int = 0
    _last: str = ""

    def look(self, snapshot: Snapshot) -> list[Event]:
        """Take in one snapshot; the events that are new in it, oldest first."""
        fresh: list[Event] = []
        for event in reversed(snapshot.events):
            if event.id == self._last:
                break
            fresh.append(event)
        fresh.reverse()
        for event in fresh:
            self._last = event.id
            if event.kind != "fired":
                continue
            self.events += 1
            if event.rule == "turned-stale":
                self.stale[event.row] = self.stale.get(event.row, 0) + 1
            else:
                self.crossed.add(event.rule)
        return fresh
