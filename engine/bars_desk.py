"""Which bars are asked for: a lease for each, so that what no chart shows any more costs nothing.

A request that is not renewed within its lease falls away; beyond the bound the one renewed longest ago does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from engine.bars import SECONDS
from engine.clock import Clock

REQUESTS: Final = 12
"""Held at once."""
LEASE_S: Final = 60.0
"""Seconds of monotonic time that a request stands without being renewed."""
LONGEST: Final = 120
"""Characters of a symbol."""


class Request(NamedTuple):
    """What a chart asked for."""

    symbol: str
    """A symbol, pair, basket or mix, as written."""
    asked: str
    """Intervals in order of preference, separated by commas: `5m,1h,1d`."""

    @property
    def intervals(self) -> tuple[str, ...]:
        """The preference as a tuple."""
        return tuple(self.asked.split(","))


class Desk:
    """Takes requests and says which stand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[Request, float] = {}
        self._fresh = False

    def ask(self, arguments: Mapping[str, str]) -> str | None:
        """Take or renew a request with its `symbol` and `interval`; what is wrong with it in words, or None."""
        symbol = arguments.get("symbol", "").strip()
        asked = ",".join(dict.fromkeys(part.strip() for part in arguments.get("interval", "1d").split(",")))
        if not symbol or len(symbol) > LONGEST:
            return "bars are asked for by symbol: a symbol, a pair A/B, a basket or a mix"
        unknown = [part for part in asked.split(",") if part not in SECONDS]
        if unknown:
            return f"{unknown[0][:20]!r} is no interval: they are {', '.join(reversed(list(SECONDS)))}"
        request = Request(symbol, asked)
        self._fresh = self._fresh or request not in self._held
        self._held.pop(request, None)
        self._held[request] = self._clock.monotonic()
        while len(self._held) > REQUESTS:
            del self._held[next(iter(self._held))]
        return None

    def standing(self) -> tuple[Request, ...]:
        """The requests whose lease runs, the one renewed longest ago first."""
        bound = self._clock.monotonic() - LEASE_S
        for request in [r for r, at in self._held.items() if at < bound]:
            del self._held[request]
        return tuple(self._held)

    def taken(self) -> bool:
        """Whether something new was asked for since the last call."""
        fresh, self._fresh = self._fresh, False
        return fresh
