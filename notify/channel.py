"""What a channel is: a name, and a way to send one message that either arrived or raises and says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from engine.errors import SizewatchError
from engine.model import Event

MAX_LINES = 20
"""Events that one message spells out; the rest are counted."""
_MARKS = {"fired": "▲", "repeated": "▲", "resolved": "✓"}
_RANK = {"info": 0, "warning": 1, "critical": 2}


class DeliveryError(SizewatchError):
    """A message did not arrive; says why, without any secret. `final`: another try cannot help."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class Message:
    """One or several events for one channel, oldest first."""

    events: tuple[Event, ...]

    @property
    def severity(self) -> str:
        """The worst severity among them."""
        return max((event.severity for event in self.events), key=lambda name: _RANK.get(name, 1))

    @property
    def title(self) -> str:
        """One line for a title bar."""
        if len(self.events) == 1:
            return f"sizewatch {_MARKS.get(self.events[0].kind, '')} {self.events[0].rule}"
        return f"sizewatch {len(self.events)} alerts"

    @property
    def body(self) -> str:
        """A line an event with its time and id, by which a receiver can tell a repeated delivery."""
        lines = [
            f"{_MARKS.get(event.kind, '')} {_time(event.at)} {event.message} [{event.id}]"
            for event in self.events[:MAX_LINES]
        ]
        rest = self.events[MAX_LINES:]
        if rest:
            lines.append(f"and {len(rest)} more: {' '.join(f'[{event.id}]' for event in rest)}")
        return "\n".join(lines)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


class Channel(Protocol):
    """One way out."""

    @property
    def name(self) -> str: ...

    async def send(self, message: Message) -> None:
        """Return once it arrived as far as can be known. Raises DeliveryError."""
        ...
