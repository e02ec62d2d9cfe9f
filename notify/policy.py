"""Who is told what, and when: pure decisions about severities, quiet hours, bursts, rate limits and back-off."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.config import QuietHours
from engine.model import Event
from engine.quiet import is_quiet

FLOOR_S = 5.0
CEILING_S = 900.0
GIVE_UP_S = 86_400.0
"""A delivery that has failed for a day is given up, and stays in the journal as failed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """severities: by channel's name, the severities it takes."""

    severities: Mapping[str, Sequence[str]]
    quiet: QuietHours = field(default_factory=QuietHours)

    def channels(self, event: Event, silenced: bool = False) -> tuple[str, ...]:
        """The channels that an event is owed to; none for a rule that is silent or off, or while it is snoozed."""
        if event.notify != "on" or silenced:
            return ()
        if event.severity != "critical" and is_quiet(self.quiet, event.at):
            return ()
        return tuple(name for name, taken in self.severities.items() if event.severity in taken)


def retry_at(now: float, attempts: int, first_at: float, jitter: float) -> float | None:
    """When to try again after `attempts` failures; None once it is too old.

    jitter: 0 to 1, so that channels that failed together do not return together.
    """
    if now - first_at >= GIVE_UP_S:
        return None
    return now + min(CEILING_S, FLOOR_S * 2.0 ** min(attempts, 20)) * (0.75 + 0.5 * jitter)


@dataclass(slots=True)
class RateLimit:
    """At most `per_minute` messages in any 60 seconds."""

    per_minute: int
    _sent: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Seconds until the next message may go; 0 for now."""
        while self._sent and self._sent[0] <= now - 60:
            self._sent.popleft()
        return 0.0 if len(self._sent) < self.per_minute else self._sent[0] + 60 - now

    def count(self, now: float) -> None:
        """A message went out."""
        self._sent.append(now)
