"""Screen 8 and the form of a rule: what stands, what was told, what can be done with it, what a rule would do."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from textual.widgets import Input

from engine.config import Config
from engine.model import Snapshot
from engine.rule_trial import Past, try_now, try_past
from engine.tables import TABLES
from tests.tui import fakes
from tests.tui.running import Run, running
from tui.panes.alert_rows import Chosen, span_for, subject_of
from tui.screens.alert_form import AlertForm, said_of
from tui.screens.chart import ChartScreen, open_chart
from tui.widgets.linepane import LinePane

NOW = fakes.OPENING


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW - seconds, UTC)


def told(identity: str, rule: str, row: str, message: str, **more: Any) -> dict[str, Any]:
    return {"event_id": identity, "at": at(60), "rule": rule, "row": row, "kind": "fired", "severity": "warning",
            "notify": "on", "message": message, "status": "ok", "simulated": True, **more}  # fmt: skip


JOURNAL = [
    told("e3", "size-z", "IWM/SPY", "IWM/SPY z −2.31", severity="critical", delivery="failed",
         delivery_detail="phone failed (3 tries): no answer"),
    told("e2", "btc-60k", "BTC/USD", "BTC/USD down through 60,000", at=at(3 * 86_400), delivery="arrived",
         acknowledged_at=at(10)),
    told("e1", "size-z", "IWM/SPY", "over: IWM/SPY z −0.90", kind="resolved"),
]  # fmt: skip
RULES = [
    {"rule": "size-z", "origin": "ready", "enabled": True, "severity": "warning", "notify": "on", "saved": False,
     "watches": "spreads: ABS(z252) > 2", "firing": 1, "pending": 0, "silenced": False, "fired_at": at(60),
     "definition": '{"on": "spreads", "when": "ABS(z252) > 2", "for": "30s"}', "status": "ok", "simulated": True},
    {"rule": "btc-60k", "origin": "terminal", "enabled": False, "severity": "critical", "notify": "on", "saved": True,
     "watches": "BTC/USD through 60,000", "firing": 0, "pending": 0, "silenced": True, "silent_until": None,
     "definition": '{"cross": {"symbol": "BTC/USD", "level": 60000}}', "status": "ok", "simulated": True},
]  # fmt: skip


def snapshot(**changes: Any) -> Snapshot:
    made = fakes.snapshot()
    tables = {
        **made.tables,
        "journal": pl.DataFrame(JOURNAL, schema=TABLES["journal"]),
        "rules": pl.DataFrame(RULES, schema=TABLES["rules"]),
    }
    return replace(made, tables=tables, **changes)


def sent(run: Run) -> list[tuple[str, dict[str, str]]]:
    """What was asked for, but for the bars that charts ask for by themselves."""
    return [(intent.action, dict(intent.arguments)) for intent in run.source.sent if intent.action != "bars"]


def here(run: Run, name: str) -> LinePane:
    return run.app.screen.query_one(f"#{name}", LinePane)


async def test_screen_8_lists_what_stands_what_was_told_and_the_rules_and_narrows_them() -> None:
    async with running(snapshot(), (160, 40)) as run:
        await run.press("8")
        text = run.text()
        assert "Alerts ─ 1 new" in text and "Journal ─ 1 not delivered" in text and "Rules" in text
        assert "phone failed (3 tries): no answer" in text
        assert "1 firing" in text and "here" in text and "off" in text
        journal = here(run, "journal")
        journal.focus()
        await run.press("slash", *"critical", "space", *"size-z")
        assert journal.rows == ["e3"] and "Journal ─ 1 of 3" in run.text(), "severity, rule, state and text together"
        await run.press("escape")
        assert len(journal.rows) == 3


async def test_screen_8_has_a_place_for_alerts_and_journal_on_a_small_terminal() -> None:
    async with running(snapshot(), (80, 24)) as run:
        await run.press("8")
        assert "Journal" in run.text() and "IWM/SPY z −2.31" in run.text()


async def test_what_can_be_done_with_an_event_and_with_a_rule() -> None:
    async with running(snapshot(), (160, 40)) as run:
        await run.press("8")
        here(run, "journal").focus()
        await run.press("a", "u", "m", "o")
        size = {"rule": "size-z", "row": "IWM/SPY"}
        assert sent(run) == [
            ("acknowledge", size),
            ("snooze", size),
            ("mute", size),
            ("disable-rule", {"name": "size-z"}),
        ]
        run.source.sent.clear()
        here(run, "rules").focus()
        await run.press("j", "m", "o", "D")
        assert sent(run) == [
            ("unmute", {"rule": "btc-60k", "row": "*"}),
            ("enable-rule", {"name": "btc-60k"}),
            ("delete-rule", {"name": "btc-60k"}),
        ]
        await run.press("i")
        assert "BTC/USD both 60000" in run.text(), "its definition stands in the form"


def test_an_alert_has_the_chart_of_what_it_is_about_back_to_its_moment() -> None:
    rule = {"watches": "spreads: z252 > 2"}
    assert subject_of(Chosen("z", "IWM/SPY"), rule) == "IWM/SPY"
    assert subject_of(Chosen("l", "^RUT 2300"), {"watches": "levels: state = 'BROKEN'"}) == "^RUT"
    assert subject_of(Chosen("r", "IWM/SPY"), {"watches": "IWM/SPY through 0.32 up"}) == "IWM/SPY"
    assert subject_of(Chosen("v", "BTC"), {"watches": "markets: base = 'BTC'"}) == "BTC/USD"
    assert subject_of(Chosen("f", "kraken crypto-stream"), {"watches": "feeds: state = 'stale'"}) is None
    assert [span_for(days * 86_400.0) for days in (0.1, 3, 20, 200, 5_000)] == ["1D", "5D", "1M", "1Y", "MAX"]


# --- the form


class Desk:
    """A worker that answers at once."""

    def __init__(self, past: Past | None = None) -> None:
        self.past = past
        self.asked: list[tuple[Any, ...]] = []

    def submit(self, function: Any, *arguments: Any, timeout_s: float) -> Future[Past]:
        assert function is try_past and timeout_s > 0
        self.asked.append(arguments)
        future: Future[Past] = Future()
        if self.past is not None:
            future.set_result(self.past)
        else:
            future.set_exception(RuntimeError("there are no stored bars yet"))
        return future


async def test_a_rule_is_tried_now_and_on_the_past_before_it_is_kept(tmp_path: Path) -> None:
    past = Past(252, "2025-01-02", "2026-01-08", (("2025-10-30", "IWM/SPY", "z −2.22"),))
    async with running(snapshot(store=tmp_path), (120, 40)) as run:
        desk = Desk(past)
        run.source.worker = desk
        await run.app.push_screen(AlertForm("mine: spreads pair = 'IWM/SPY' AND z252 < 9; for=30s"))
        await run.pilot.pause()
        await run.frame()
        assert "rows of spreads match now" in run.text()
        run.clock.advance(2.0)
        await run.frame()
        await run.frame()
        assert "would have fired 1 time in 252 sessions" in run.text() and "2025-10-30" in run.text()
        name, raw, _, folder, _ = desk.asked[0]
        assert (name, raw["for"], folder) == ("mine", "30s", tmp_path)
        await run.press("enter")
        action, arguments = sent(run)[-1]
        assert action == "save-rule" and arguments["name"] == "mine" and "z252 < 9" in arguments["rule"]


async def test_a_wrong_rule_is_named_in_a_line_and_nothing_of_it_is_lost() -> None:
    async with running(snapshot(), (120, 40)) as run:
        form = AlertForm("sprads z252 > 2 AND read_csv('x') > 1")
        await run.app.push_screen(form)
        await run.pilot.pause()
        await run.frame()
        assert "nearest are spreads" in run.text() and "z252 > 2 AND read_csv" in run.text()
        form.query_one("#field-watch", Input).value = "spreads"
        await run.press("enter")
        assert not sent(run) and "READ_CSV('X')" in run.text().upper() and "not admitted" in run.text()
        assert "z252 > 2 AND read_csv('x') > 1" in run.text(), "it is not kept, and stands as it was typed"
        await run.press("escape")
        assert run.app.screen is not form


def test_a_history_that_cannot_be_told_says_why() -> None:
    raw = {"on": "spreads", "when": "z252 > 99"}
    now = try_now("x", raw, Config(), {"spreads": pl.DataFrame(schema=TABLES["spreads"])})
    words = [text for text, _ in said_of(None, now, None, "it took longer than 60 s and was ended")]
    assert words == ["✓ 0 of 0 rows of spreads match now", "history: it took longer than 60 s and was ended"]


async def test_the_chart_of_an_alert_marks_where_it_fired() -> None:
    async with running(snapshot()) as run:
        await run.press("8")
        here(run, "journal").focus()
        await run.press("c")
        assert isinstance(run.app.screen, ChartScreen) and run.app.screen.chart.options.marks


async def test_a_new_alert_is_on_what_is_charted_or_under_the_cursor() -> None:
    async with running(snapshot(), (120, 40)) as run:
        await open_chart(run.app, "ETH/BTC 1Y")
        await run.frame()
        assert "A new alert" in run.text().splitlines()[-1]
        await run.press("A")
        assert "pair = 'ETH/BTC' AND ABS(z252) > 2" in run.text()
        await run.frame()
        assert "rows of spreads match now" in run.text()
        await run.press("escape", "escape", "1")
        await run.press("A")
        assert "BTC/USD: say which way and which level" in run.text()
