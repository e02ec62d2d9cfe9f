"""What is opened and closed again leaves nothing behind: the terminal stands open all day."""

from __future__ import annotations

import gc

from textual.widget import Widget

from engine.model import Snapshot
from tests.tui import fakes
from tests.tui.running import running


def widgets() -> int:
    gc.collect()
    return sum(isinstance(found, Widget) for found in gc.get_objects())


async def test_pages_that_were_closed_are_let_go_of() -> None:
    async with running(fakes.snapshot(), size=(200, 60)) as run:
        await run.press("enter", "escape", "question_mark", "escape")
        before = widgets()
        for _ in range(4):
            await run.press("enter", "escape", "question_mark", "escape")
        assert widgets() - before <= 4  # the last ones may still be spoken to


async def test_lines_that_were_typed_are_let_go_of() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("colon", "escape", "slash", "escape")
        before = widgets()
        for _ in range(3):
            await run.press("colon", "t", "escape", "slash", "x", "escape")
        assert widgets() - before <= 0


def moments() -> int:
    gc.collect()
    return sum(isinstance(found, Snapshot) for found in gc.get_objects())


async def test_a_screen_that_was_left_holds_no_moment_and_is_whole_when_it_is_seen_again() -> None:
    async with running(fakes.snapshot(), size=(200, 60)) as run:
        grid = run.crypto
        await run.press("j")
        before = moments()
        for key in "2345678":
            run.source.snapshot = fakes.snapshot()
            await run.press(key)
        assert grid.view is None
        assert moments() == before + 1  # the newest, beside the first, to which `running` itself holds on
        await run.press("1")
        assert grid.view is not None
        assert grid.view.snapshot is run.source.snapshot
        assert grid.record() is not None
        assert grid.called() == grid.rows[1]
