"""What a lost connection says of the sources that only ask now and then: they are looked at before their next request.

A source that asks every few minutes would go on reading as live while the network is gone. So when any feed loses what
it had, every host that a resting feed asks is reached for, without a request; where that fails, the feed's rows turn
stale at once and its supervisor takes over. Looks that find nothing grow rarer, so a venue that comes and goes does not
have the others knocked at for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from engine.clock import Clock
from engine.errors import TransientError
from feeds.network import Border
from feeds.supervisor import Supervisor

FIRST_PAUSE_S: Final = 1.0
"""Least seconds between two looks; doubles with every look that finds all well."""
LONGEST_PAUSE_S: Final = 60.0
CALM_S: Final = 120.0
"""After so long without a loss the pause is the first one again."""

Reach = Callable[[Border, str], Awaitable[None]]


class Lookout:
    """Looks after the resting feeds of one run; `run` it beside them."""

    def __init__(self, clock: Clock, reach: Reach) -> None:
        self._clock = clock
        self._reach = reach
        self._lost = asyncio.Event()
        self._pause = FIRST_PAUSE_S
        self._looked = float("-inf")

    def lost(self) -> None:
        """A feed lost what it had."""
        self._lost.set()

    async def run(self, running: Callable[[], Iterable[Supervisor]], border: Callable[[], Border]) -> None:
        """Look whenever something was lost, until cancelled."""
        while True:
            await self._lost.wait()
            now = self._clock.monotonic()
            if now - self._looked > CALM_S:
                self._pause = FIRST_PAUSE_S
            elif (wait := self._looked + self._pause - now) > 0:
                await self._clock.sleep(wait)
            self._lost.clear()
            self._looked = self._clock.monotonic()
            resting = [one for one in running() if one.hosts and one.alive]
            hosts = {host for one in resting for host in one.hosts}
            reasons = dict(zip(hosts, await asyncio.gather(*(self._why(border(), h) for h in hosts)), strict=True))
            found = False
            for one in resting:
                why = next((why for host in one.hosts if (why := reasons[host]) is not None), None)
                if why is not None and one.alive:
                    found = True
                    one.doubt(TransientError(why))
            self._pause = FIRST_PAUSE_S if found else min(2 * self._pause, LONGEST_PAUSE_S)

    async def _why(self, border: Border, host: str) -> str | None:
        """Why a host cannot be reached; None where it can."""
        try:
            await self._reach(border, host)
        except TransientError as error:
            return str(error)
        return None
