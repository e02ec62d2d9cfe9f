"""Alerts on the screen: each event once, as loud as its severity, its rule and the hour allow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.config import Config, Notify, QuietHours
from engine.model import Event, Intent, Snapshot
from tests.tui import fakes
from tests.tui.running import running
from tui.announce import TOASTS, Announcer, newest

BEGAN = fakes.OPENING


class Terminal:
    """What a user would have seen and heard."""

    def __init__(self) -> None:
        self.toasts: list[tuple[str, str]] = []
        self.bells = 0
        self.written: list[str] = []
        self.announcer = Announcer(BEGAN, self.toast, self.bell, self.written.append)

    def toast(self, message: str, **how: Any) -> None:
        assert how["markup"] is False
        self.toasts.append((how["severity"], message))

    def bell(self) -> None:
        self.bells += 1


def event(number: int = 1, severity: str = "warning", **more: Any) -> Event:
    values: dict[str, Any] = {"kind": "fired", "at": BEGAN + 1, "notify": "on", "message": f"m{number}"} | more
    return Event(id=f"id{number}", rule="z", row="r", severity=severity, values={}, **values)


def carrying(*events: Event, notify: Notify | None = None) -> Snapshot:
    config = Config(notify=notify or Notify())
    return replace(fakes.snapshot("live"), events=events, config=config)


def test_each_event_is_shown_once_whatever_snapshots_carry_it() -> None:
    seen = Terminal()
    seen.announcer.tell(carrying(event(1)))
    seen.announcer.tell(carrying(event(1), event(2, "info")))
    seen.announcer.tell(carrying(event(2, "info")))
    assert seen.toasts == [("warning", "m1"), ("information", "m2")]


def test_what_was_told_in_an_earlier_run_is_no_news() -> None:
    seen = Terminal()
    seen.announcer.tell(carrying(event(1, at=BEGAN - 60), event(2)))
    assert [message for _, message in seen.toasts] == ["m2"]


def test_the_bell_rings_for_what_is_critical_alone_unless_told_otherwise() -> None:
    seen = Terminal()
    seen.announcer.tell(carrying(event(1)))
    assert seen.bells == 0
    seen.announcer.tell(carrying(event(2, "critical"), event(3, "critical")))
    assert seen.bells == 1, "once a frame"
    seen.announcer.tell(carrying(event(4, "critical", kind="resolved")))
    assert seen.bells == 1, "what is over does not ring"
    seen.announcer.tell(carrying(event(5), notify=Notify(bell=("warning",))))
    assert seen.bells == 2


@pytest.mark.parametrize(("notify", "toasts"), [("silent", 1), ("off", 0)])
def test_a_silent_rule_is_shown_without_a_sound_and_one_that_is_off_not_at_all(notify: str, toasts: int) -> None:
    seen = Terminal()
    seen.announcer.tell(carrying(event(1, "critical", notify=notify), notify=Notify(terminal="osc9")))
    assert (len(seen.toasts), seen.bells, seen.written) == (toasts, 0, [])


def test_quiet_hours_hold_back_sound_but_not_what_is_critical() -> None:
    night = datetime(2026, 1, 10, 3, tzinfo=UTC).timestamp()
    how = Notify(bell=("warning", "critical"), terminal="osc777", quiet=QuietHours("22:00", "07:00", "UTC"))
    seen = Terminal()
    seen.announcer.tell(carrying(event(1, at=night), notify=how))
    assert (len(seen.toasts), seen.bells, seen.written) == (1, 0, [])
    seen.announcer.tell(carrying(event(2, "critical", at=night), notify=how))
    assert seen.bells == 1 and len(seen.written) == 1


def test_a_burst_shows_a_few_and_counts_the_rest() -> None:
    seen = Terminal()
    seen.announcer.tell(carrying(*(event(n) for n in range(50))))
    assert len(seen.toasts) == TOASTS + 1
    assert seen.toasts[-1][1] == f"and {50 - TOASTS} more alerts"


def test_the_newest_alert_that_nobody_has_seen_is_the_one_to_acknowledge() -> None:
    def row(name: str, minute: int | None, seen: bool) -> dict[str, Any]:
        at = None if minute is None else datetime(2026, 1, 9, 15, minute, tzinfo=UTC)
        return {"rule": "z", "row": name, "state": "firing", "fired_at": at, "acknowledged": seen}

    rows = [row("old", 1, False), row("new", 5, False), row("seen", 9, True), row("pending", None, False)]
    assert newest(fakes.table("alerts", rows)) == Intent("acknowledge", {"rule": "z", "row": "new"})
    assert newest(fakes.table("alerts", rows[2:])) is None
    assert newest(None) is None


async def test_a_toast_says_what_it_was_given_and_obeys_none_of_it() -> None:
    async with running(fakes.snapshot()) as run:
        told = event(1, message="\x1b]0;evil\x07 [b]x[/nothing] \u202ey")
        run.source.snapshot = replace(fakes.snapshot("live"), events=(told,))
        run.crypto.notify("\x1b[2Jof a pane [/]", title="\x9b1m", timeout=60)
        await run.frame()
        assert [(n.message, n.title) for n in run.app._notifications] == [
            (" [2Jof a pane [/]", " 1m"),
            (" ]0;evil  [b]x[/nothing]  y", "▲ z"),
        ]
        assert not any(n.markup for n in run.app._notifications)
