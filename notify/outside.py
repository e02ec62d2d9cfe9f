"""All the ways out of one configuration: whom an event is owed to, and the task that sends what is owed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.clock import Clock
from engine.config import Channel as ChannelConfig
from engine.config import Notify
from engine.database import Database, DatabaseError
from engine.journal import Journal
from engine.lease import Lease
from engine.model import Event
from notify.channel import Channel
from notify.command import CommandChannel
from notify.desktop import DesktopChannel
from notify.dispatcher import Dispatcher
from notify.policy import GIVE_UP_S, Policy
from notify.services import ServiceChannel


def channel_of(name: str, config: ChannelConfig) -> Channel:
    """The channel that a configuration's table describes."""
    if config.kind == "apprise":
        return ServiceChannel(name, config.url)
    if config.kind == "command":
        return CommandChannel(name, config.command)
    return DesktopChannel(name)


class Outside:
    """`engine.sending.Sender` over the channels of `config`.

    folder: where the journal is. tell: takes severity and words for the user.
    """

    def __init__(self, config: Notify, folder: Path, clock: Clock, tell: Callable[[str, str], None]) -> None:
        self._config = config
        self._folder = folder
        self._clock = clock
        self._tell = tell
        self._policy = Policy({name: each.severities for name, each in config.channels.items()}, config.quiet)

    def channels(self, event: Event, silenced: bool, /) -> Sequence[str]:
        """The names of the channels that an event is owed to."""
        return self._policy.channels(event, silenced)

    async def run(self) -> None:
        """Send what is owed, until cancelled. Raises DatabaseError where the journal cannot be opened."""
        if not self._config.channels:
            return
        database = Database(self._folder)
        lease = Lease(database, "sending")
        try:
            journal = Journal(database)
            journal.abandon(tuple(self._config.channels), self._clock.now() - GIVE_UP_S)
            await Dispatcher(
                journal,
                {name: channel_of(name, each) for name, each in self._config.channels.items()},
                self._clock,
                group_s=self._config.group_s,
                per_minute=self._config.per_minute,
                complain=self._complain,
                lease=lease,
            ).run()
        finally:
            with contextlib.suppress(DatabaseError):  # then it runs out by itself
                lease.release()
            database.close()

    def _complain(self, channel: str, why: str | None) -> None:
        if why is None:
            self._tell("info", f"alerts arrive by {channel} again")
        else:
            self._tell("warning", f"alerts do not arrive by {channel}: {why}; they are kept and tried again")
