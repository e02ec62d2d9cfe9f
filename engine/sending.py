"""What takes alerts to the outside, as a task beside the feeds: begun again with every configuration, never in the way.

The engine asks it which channels an event is owed to before the event is journalled; it then sends what the journal
says. A run without a sender (the demo, a replay) owes nothing to anybody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from engine.clock import Clock
from engine.config import Config
from engine.model import Event

if TYPE_CHECKING:
    from engine.engine import Engine

log = logging.getLogger(__name__)

AGAIN_S: Final = 30.0
"""Pause after which a sender that failed is started again."""
LEAVE_S: Final = 1.0
"""What it has to end in."""


class Sender(Protocol):
    """Every channel of one configuration."""

    def channels(self, event: Event, silenced: bool, /) -> Sequence[str]:
        """The names of the channels that an event is owed to."""
        ...

    async def run(self) -> None:
        """Send what is owed, until cancelled."""
        ...


MakeSender = Callable[[Config, Clock, Callable[[str, str], None]], Sender]
"""Builds the channels of a configuration; the last argument takes severity and words for the user."""


class Sending:
    """Owns the sender's task. All methods are called in the collector's loop."""

    def __init__(self, make: MakeSender | None, engine: Engine, clock: Clock) -> None:
        self._make = make
        self._engine = engine
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def use(self, config: Config) -> None:
        """Go on with the channels of this configuration; what is owed already stays owed."""
        if self._make is None:
            return
        before, sender = self._task, self._make(config, self._clock, self._engine.notice)
        self._engine.channels = sender.channels
        if before is not None:
            before.cancel()
        self._task = asyncio.get_running_loop().create_task(self._keep(sender, before), name="alerts out")

    async def stop(self) -> None:
        """End it; a message that is under way is sent again at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=LEAVE_S)

    async def _keep(self, sender: Sender, before: asyncio.Task[None] | None) -> None:
        if before is not None:  # two senders at once would both send what is owed
            await asyncio.wait({before}, timeout=LEAVE_S)
        while True:
            try:
                await sender.run()
                return
            except Exception as error:
                log.exception("alerts cannot be sent")
                why = f"{type(error).__name__}: {str(error)[:160]}"
                self._engine.notice("error", f"alerts are not being sent ({why}); tried again in {AGAIN_S:.0f} s")
            await self._clock.sleep(AGAIN_S)
