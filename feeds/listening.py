"""Whether a socket still has somebody at its other end: one that says nothing is asked, and one that does not answer is
given up within ten seconds, though nothing was closed. A cable that was pulled sends no word of it.

Looks are counted, not seconds: after a pause of ours, what came meanwhile is still to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from engine.clock import Clock
from engine.errors import TransientError

LOOK_S: Final = 1.0
ASKED_AFTER: Final = 4
"""So many looks in a row that find nothing new, and the socket is sent a ping."""
GONE_AFTER: Final = 9
"""So many, and it is lost."""


class Line:
    """One socket: whoever reads it counts its `frames`, pongs among them."""

    __slots__ = ("_quiet", "_seen", "ask", "frames", "is_open")

    def __init__(self, ask: Callable[[], None], is_open: Callable[[], bool] = lambda: True) -> None:
        """ask: sends a ping."""
        self.ask = ask
        self.is_open = is_open
        self.frames = self._seen = self._quiet = 0

    def look(self) -> int:
        """How many looks in a row have found no new frame."""
        self._quiet = self._quiet + 1 if self.frames == self._seen else 0
        self._seen = self.frames
        return self._quiet


async def listen(clock: Clock, lines: Sequence[Line]) -> None:
    """Raise TransientError once one of `lines` is dead. Lines may be added while it runs."""
    while True:
        await clock.sleep(LOOK_S)
        for line in lines:
            if not line.is_open():
                continue
            quiet = line.look()
            if quiet == ASKED_AFTER:
                line.ask()
            elif quiet >= GONE_AFTER:
                raise TransientError(f"the connection is dead: nothing for {quiet} s, and no answer to a ping")
