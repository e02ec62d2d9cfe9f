"""Alerts on the dashboard: what stands is first, what is over has its mark, nothing is new twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.model import Mode, Snapshot
from tests.tui import fakes
from tests.tui.running import running
from tui.lines import Line, plain
from tui.panes import alerts as panes_alerts
from tui.panes.alerts import Alert, alert_line, alerts, newest_line
from tui.view import View


def view(snapshot: Snapshot | None, **changes: Any) -> View:
    return replace(View(snapshot, Mode.DEMO, "january-2026", fakes.OPENING, 0.1, 3.0), **changes)


LIVE = view(fakes.snapshot())


def text(alert: Alert, width: int = 80, stuck: bool = False) -> str:
    return plain(alert_line(alert, fakes.OPENING, width, stuck)).rstrip()


def test_what_stands_comes_first_then_what_is_over_then_what_is_about_to_be() -> None:
    found = alerts(LIVE)
    assert [a.state for a in found] == ["firing", "firing", "resolved", "pending"]
    assert [text(a, 60) for a in found] == [
        "! 10:31:52 new  ALT/BTC z −2.31 below −2.00       firing",
        "▲ 10:28:57      meme: volume −25.0 % on the year  firing",
        "✓ 10:30:00      BTC 24 h volume above 30 bn       resolved",
        "… 10:32:03      russell-band: ^RUT                pending",
    ]


def test_an_alert_that_the_table_still_holds_is_not_told_a_second_time() -> None:
    assert len([a for a in alerts(LIVE) if a.rule == "crypto-size-z"]) == 1
    again = fakes.events()[0]._replace(kind="fired")
    moment = view(fakes.snapshot(events=(*fakes.events(), again)))
    assert not [a for a in alerts(moment) if a.state == "resolved"], "it has fired since it was over"


def test_what_happened_on_another_day_has_its_date_in_place_of_its_time() -> None:
    alert = replace(alerts(LIVE)[0], at=fakes.OPENING - 86_400)
    assert text(alert).startswith("! 01-08    new  ALT/BTC")


def test_a_message_is_cut_at_its_end_and_a_stale_row_has_its_mark() -> None:
    alert = alerts(LIVE)[0]
    assert text(alert, 30) == "! 10:31:52 new  ALT/BTC z …"
    assert text(alert, 30, stuck=True).startswith("◌ 10:31:52 new")
    assert {role for _, role in alert_line(replace(alert, stale=True), fakes.OPENING, 80)} == {"stale"}


@pytest.mark.parametrize("width", [20, 40, 80])
def test_the_one_line_counts_what_else_stands(width: int) -> None:
    line = plain(newest_line(LIVE, width))
    assert len(line) <= max(width, 26)
    assert line.endswith("  +1 more")
    assert "no alert stands" in plain(newest_line(view(fakes.snapshot("empty")), 80))
    assert newest_line(view(None), 80) == ()


async def test_a_marks_the_newest_as_seen_and_the_pane_counts_what_is_new() -> None:
    async with running(fakes.snapshot()) as run:
        assert "Alerts ─ 1 new, a marks as seen" in run.text()
        await run.press("a")
        assert run.source.sent[-1].arguments == {"rule": "crypto-size-z", "row": "ALT/BTC"}


async def test_detail_opens_on_what_stands_and_on_what_is_over() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("8", "enter")
        assert "crypto-size-z" in run.text()
        await run.press("escape", "j", "j", "enter")
        assert "resolved" in run.text()
        assert "btc-volume" in run.text()


async def test_without_an_alert_the_pane_says_where_the_rules_are() -> None:
    async with running(fakes.snapshot("empty")) as run:
        assert "makes a rule that waits" in run.text()


def test_the_one_line_is_worked_out_again_only_where_something_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def newest(view: View, width: int) -> Line:
        made.append(width)
        return ()

    monkeypatch.setattr(panes_alerts, "newest_line", newest)
    line = panes_alerts.AlertLine()
    for moment, width in ((LIVE, 80), (replace(LIVE, now=LIVE.now + 1), 80), (LIVE, 70), (view(fakes.snapshot()), 70)):
        line.paint(moment, width)
    assert made == [80, 70, 70]


async def test_a_new_event_alone_paints_the_pane() -> None:
    async with running(fakes.snapshot(events=())) as run:
        assert run.pane("alerts").rows == [
            "crypto-size-z ALT/BTC False",
            "basket-volume meme False",
            "russell-band ^RUT False",
        ]
        assert run.source.snapshot is not None
        run.source.snapshot = replace(run.source.snapshot, events=fakes.events())
        await run.frame()
        assert "btc-volume BTC True" in run.pane("alerts").rows
