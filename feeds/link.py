"""What a feed knows of the world: the sink, the clock, the network border, and a link to say how it fares.

A feed's `run` is one connection's life. It raises an error of `engine.errors` when that life ends badly and returns
when it ends well; its supervisor, which alone decides about retries, calls it again. Feeds never sleep for back-off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from engine.clock import Clock
from engine.config import Config
from engine.model import Sink
from feeds.network import Border

MAX_PRICE: Final = 1e12
"""From here on nothing is a price; the board has the same bound for whatever comes to it."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every feed is given once."""

    config: Config
    clock: Clock
    sink: Sink
    border: Border
    cache: Path
    """Folder for what may be fetched again: market lists, cookies."""
    record: Callable[[str, str, Any], None] | None = None
    """Takes (source, kind, raw message) where this run is recorded."""


class Link(Protocol):
    """How a running feed speaks of its own health; one a feed, kept by its supervisor."""

    def up(self, channel: str, silence_limit_s: float) -> None:
        """The channel is subscribed; silence for longer than the limit will end this connection."""
        ...

    def heard(self, channel: str, event_time: float | None) -> None:
        """Data arrived. `event_time` is the venue's own time, epoch seconds; one that stands still is silence too."""
        ...

    def reached(self, channel: str) -> None:
        """The source answers, and had nothing new to be asked for: the channel is up, though no data came."""
        ...

    def rests(self, seconds: float) -> None:
        """The next question comes only after so long."""
        ...

    def down(self, channel: str, why: str) -> None:
        """The channel is lost while others of this feed go on."""
        ...

    def note(self, text: str | None) -> None:
        """What a user may want to know and is no error."""
        ...

    def progress(self, done: int, wanted: int) -> None:
        """So many of the series of the first download are held, or named as not to be had."""
        ...

    def settled(self) -> None:
        """All that this feed first had to deliver has been delivered."""
        ...


class Feed(Protocol):
    """One source of data."""

    source: str
    kind: str

    async def run(self, context: Context, link: Link) -> None:
        """One connection's life."""
        ...


@runtime_checkable
class Asks(Protocol):
    """A feed that asks now and then, and so does not notice between two questions that the network is gone."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that it asks."""
        ...
