"""What breaks in a pane, a line or a screen ends that one alone: said in its place, logged once, and healed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.tui import fakes
from tests.tui.running import running
from tui import commands


def fails(*_: Any) -> Any:
    raise KeyError("z252\x1b[2J")


class PanicException(BaseException):
    """As the libraries in Rust have them: no `Exception`."""


def panics(*_: Any) -> Any:
    raise PanicException("z252\x1b[2J")


@pytest.mark.parametrize("how", [fails, panics])
@pytest.mark.parametrize("where", ["prepare", "body", "title"])
async def test_a_pane_that_breaks_says_so_alone_and_heals(
    where: str, how: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(fakes.snapshot()) as run:
        pane = run.pane("spreads")
        monkeypatch.setattr(pane, where, how)
        with caplog.at_level(logging.ERROR):
            for _ in range(3):
                assert run.source.snapshot is not None
                run.source.snapshot = fakes.moved(run.source.snapshot, 0.01)
                run.clock.advance(0.4)
                pane.repaint()
                await run.frame()
        text = run.text()
        assert f"this pane failed: {'KeyError' if how is fails else 'PanicException'}" in text
        assert "\x1b" not in text
        assert "BTC" in text  # the other panes go on
        assert [record.getMessage() for record in caplog.records].count("the pane spreads") == 1
        await run.press("tab", "j", "G")
        monkeypatch.undo()
        run.clock.advance(1.5)
        assert run.source.snapshot is not None
        run.source.snapshot = fakes.moved(run.source.snapshot, 0.01)
        await run.frame()
        assert "this pane failed" not in run.text()
        assert "IWM/SPY" in run.text()


async def test_a_line_that_breaks_says_so_alone_and_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(fakes.snapshot()) as run:
        header = run.app.screen.query_one("#header")
        monkeypatch.setattr(header, "paint", fails)
        await run.frame()
        assert "header failed: KeyError" in run.text()
        monkeypatch.undo()
        await run.frame()
        assert "SIMULATED" in run.text()


@pytest.mark.parametrize("how", [fails, panics])
async def test_a_key_whose_action_breaks_says_so_and_the_next_one_works(
    how: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    async with running(fakes.snapshot()) as run:
        monkeypatch.setattr(run.app, "notify", lambda words, **_: told.append(words))
        monkeypatch.setattr(type(run.app.screen), "action_move", how)
        with caplog.at_level(logging.ERROR):
            await run.press("j")
        kind = "KeyError" if how is fails else "PanicException"
        assert kind in caplog.text
        assert told and kind in told[0] and told[0].isprintable()
        monkeypatch.undo()
        await run.press("question_mark")
        assert "Help" in run.text()


async def test_a_command_that_breaks_says_so_in_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(fakes.snapshot()) as run:
        monkeypatch.setattr(commands, "load", lambda _: fails)
        await run.press("colon", *"theme dark", "enter")
        assert "theme failed: KeyError" in run.text()
        await run.press("escape")
        await run.frame()
        assert "IWM/SPY" in run.text()


async def test_a_frame_that_breaks_is_told_and_the_next_one_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    async with running(fakes.snapshot()) as run:
        monkeypatch.setattr(run.app, "notify", lambda words, **_: told.append(words))
        monkeypatch.setattr(run.app._announcer, "tell", fails)
        await run.frame()
        await run.frame()
        assert len(told) == 1 and told[0].startswith("a frame failed: KeyError")
        monkeypatch.undo()
        await run.frame()
        assert "IWM/SPY" in run.text()


async def test_a_screen_that_breaks_is_told_once_and_the_frames_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(fakes.snapshot()) as run:
        monkeypatch.setattr(run.app.screen, "show", fails)
        with caplog.at_level(logging.ERROR):
            for _ in range(3):
                await run.frame()
        assert len([record for record in caplog.records if "the screen" in record.getMessage()]) == 1
        monkeypatch.undo()
        await run.frame()
        assert "IWM/SPY" in run.text()
