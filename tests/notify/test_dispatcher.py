"""Owed events arrive at least once each, grouped and within limits; failures are kept, said and tried again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.clock import Clock
from engine.config import QuietHours
from engine.database import Database
from engine.journal import Journal
from engine.model import Event
from notify.channel import DeliveryError, Message
from notify.dispatcher import Dispatcher
from notify.policy import GIVE_UP_S, Policy, RateLimit, retry_at


class HandClock(Clock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1000.0

    def now(self) -> float:
        return self.at


class Recorder:
    """A channel that keeps what it got, and fails while it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.messages: list[Message] = []
        self.failure: DeliveryError | None = None

    async def send(self, message: Message) -> None:
        if self.failure is not None:
            raise self.failure
        self.messages.append(message)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    database = Database(tmp_path)
    yield Journal(database)
    database.close()


def event(number: int, at: float = 1000.0, severity: str = "warning", notify: str = "on") -> Event:
    return Event(f"id{number}", "z", "r", "fired", at, severity, notify, "m", {})


def owe(journal: Journal, *events: Event, channels: tuple[str, ...] = ("a",)) -> None:
    journal.record(events, [], {each.id: channels for each in events})


async def test_a_burst_goes_out_as_one_message_after_a_moment(journal: Journal) -> None:
    clock, channel = HandClock(), Recorder("a")
    dispatcher = Dispatcher(journal, {"a": channel}, clock)
    owe(journal, event(1), event(2))
    assert await dispatcher.once("a") == 0
    owe(journal, event(3, 1001.0))
    clock.at = 1002.0
    assert await dispatcher.once("a") == 3
    assert [each.id for each in channel.messages[0].events] == ["id1", "id2", "id3"]
    assert await dispatcher.once("a") == 0


async def test_what_is_critical_does_not_wait(journal: Journal) -> None:
    dispatcher = Dispatcher(journal, {"a": Recorder("a")}, HandClock())
    owe(journal, event(1, severity="critical"))
    assert await dispatcher.once("a") == 1


async def test_a_failure_is_said_once_kept_and_tried_again_also_after_a_restart(
    journal: Journal, tmp_path: Path
) -> None:
    clock, channel = HandClock(), Recorder("a")
    said: list[tuple[str, str | None]] = []
    channel.failure = DeliveryError("503 from there")
    owe(journal, event(1, 900.0))
    dispatcher = Dispatcher(journal, {"a": channel}, clock, complain=lambda name, why: said.append((name, why)))
    assert await dispatcher.once("a") == 0 and said == [("a", "503 from there")]
    assert await dispatcher.once("a") == 0 and len(said) == 1, "not before its time"
    channel.failure = None
    clock.at += 3600
    database = Database(tmp_path)
    restarted = Dispatcher(Journal(database), {"a": channel}, clock)
    assert await restarted.once("a") == 1
    assert await dispatcher.once("a") == 0, "once delivered, done"
    database.close()


async def test_one_channel_in_trouble_does_not_hold_up_another(journal: Journal) -> None:
    bad, good = Recorder("bad"), Recorder("good")
    bad.failure = DeliveryError("down")
    dispatcher = Dispatcher(journal, {"bad": bad, "good": good}, HandClock())
    owe(journal, event(1, 900.0), channels=("bad", "good"))
    await dispatcher.once("bad")
    assert await dispatcher.once("good") == 1


async def test_a_final_failure_is_not_tried_again(journal: Journal) -> None:
    clock, channel = HandClock(), Recorder("a")
    channel.failure = DeliveryError("no such service", final=True)
    dispatcher = Dispatcher(journal, {"a": channel}, clock)
    owe(journal, event(1, 900.0))
    await dispatcher.once("a")
    channel.failure = None
    clock.at += 1e6
    assert await dispatcher.once("a") == 0


async def test_a_channel_gets_no_more_than_its_limit_a_minute(journal: Journal) -> None:
    clock, channel = HandClock(), Recorder("a")
    dispatcher = Dispatcher(journal, {"a": channel}, clock, per_minute=2)
    for number in range(4):
        owe(journal, event(number, clock.at, severity="critical"))
        await dispatcher.once("a")
        clock.at += 1
    assert len(channel.messages) == 2
    clock.at += 60
    await dispatcher.once("a")
    assert [each.id for each in channel.messages[2].events] == ["id2", "id3"]


def test_who_gets_what() -> None:
    policy = Policy({"phone": ("critical",), "mail": ("warning", "critical")}, QuietHours("22:00", "07:00", "UTC"))
    noon = datetime(2026, 1, 9, 12, tzinfo=UTC).timestamp()
    night = datetime(2026, 1, 9, 23, tzinfo=UTC).timestamp()
    assert policy.channels(event(1, noon)) == ("mail",)
    assert policy.channels(event(1, noon, "critical")) == ("phone", "mail")
    assert policy.channels(event(1, noon, notify="silent")) == ()
    assert policy.channels(event(1, noon), silenced=True) == ()
    assert policy.channels(event(1, night)) == ()
    assert policy.channels(event(1, night, "critical")) == ("phone", "mail")


def test_back_off_grows_to_a_ceiling_and_ends_after_a_day() -> None:
    waits = [(retry_at(0.0, n, 0.0, 0.5) or 0.0) for n in range(12)]
    assert waits[:4] == [5.0, 10.0, 20.0, 40.0] and waits[-1] == 900.0
    assert retry_at(GIVE_UP_S, 3, 0.0, 0.5) is None


def test_the_rate_limit_says_how_long_to_wait() -> None:
    limit = RateLimit(1)
    limit.count(100.0)
    assert limit.wait(130.0) == 30.0 and limit.wait(160.0) == 0.0
