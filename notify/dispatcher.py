"""Sends what the journal says is owed, and nothing else: at least once each, marked done only after it arrived.

Bursts are grouped: a channel waits a moment after the first event, then gets one message. A failure is written into
the journal with its reason and tried again with back-off, after a restart too. One channel's trouble never delays
another's. Of several terminals on one journal, the holder of the lease alone sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.clock import Clock
from engine.database import DatabaseError
from engine.journal import Delivery, Journal
from engine.lease import EVERY_S, Lease
from notify.channel import Channel, DeliveryError, Message
from notify.policy import RateLimit, retry_at

POLL_S = 0.5


@dataclass(slots=True)
class _Outlet:
    channel: Channel
    limit: RateLimit
    error: str | None = None
    sent: int = 0


@dataclass(slots=True)
class Dispatcher:
    """The task that empties the journal's debts.

    group_s: how long a channel waits for more before it sends. per_minute: messages a channel may get a minute.
    complain: told of a channel's trouble in words, and with None when it is over. lease: None: nobody else can send.
    """

    journal: Journal
    channels: Mapping[str, Channel]
    clock: Clock
    group_s: float = 2.0
    per_minute: int = 10
    complain: Callable[[str, str | None], None] = lambda channel, why: None
    lease: Lease | None = None
    _outlets: dict[str, _Outlet] = field(init=False)

    def __post_init__(self) -> None:
        self._outlets = {name: _Outlet(channel, RateLimit(self.per_minute)) for name, channel in self.channels.items()}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self._outlets:
                group.create_task(self._serve(name), name=f"notify {name}")
            if self.lease is not None:
                group.create_task(self._hold(self.lease), name="notify lease")

    async def _hold(self, lease: Lease) -> None:
        """Renew the lease beside the sending: one message may take longer than it lasts."""
        while True:
            with contextlib.suppress(DatabaseError):  # whoever sends next meets it, and says so
                lease.tend()
            await self.clock.sleep(EVERY_S)

    async def _serve(self, name: str) -> None:
        while True:
            try:
                await self.once(name)
            except DatabaseError as error:
                self.complain(name, str(error))
            await self.clock.sleep(POLL_S)

    async def once(self, name: str) -> int:
        """Send what one channel is owed now; returns how many events arrived."""
        if self.lease is not None and not self.lease.tend():
            return 0
        outlet, now = self._outlets[name], self.clock.now()
        due = self.journal.owed(now, name)
        if not due or outlet.limit.wait(now) > 0:
            return 0
        fresh = due[0].attempts == 0 and due[0].event.severity != "critical"
        if fresh and 0 <= now - due[0].event.at < self.group_s:
            return 0
        outlet.limit.count(now)
        try:
            await outlet.channel.send(Message(tuple(delivery.event for delivery in due)))
        except DeliveryError as error:
            self._failed(outlet, due, error)
            return 0
        self.journal.delivered(due)
        if outlet.error is not None:
            outlet.error = None
            self.complain(name, None)
        return len(due)

    def _failed(self, outlet: _Outlet, due: list[Delivery], error: DeliveryError) -> None:
        now, jitter = self.clock.now(), random.random()
        self.journal.failed(
            [(each, None if error.final else retry_at(now, each.attempts, each.event.at, jitter)) for each in due],
            str(error),
        )
        outlet.error = str(error)
        self.complain(outlet.channel.name, str(error))
