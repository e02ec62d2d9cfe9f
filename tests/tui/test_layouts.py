"""Layouts as text and as boxes, and what can be changed and kept from inside the program."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from engine.config import Config
from engine.config_looks import Appearance
from tests.tui import fakes
from tests.tui.running import running
from tests.tui.test_commands import say
from tui import catalogue, layouts, saved
from tui.screens.panes import PaneScreen


def test_every_built_in_layout_can_be_read_written_and_names_panes_that_there_are() -> None:
    for place in catalogue.SCREENS:
        layout = layouts.read(place.layouts)
        assert (0, 0) in layout
        assert layouts.read(layouts.text(layout)) == layout
        for rows in layout.values():
            assert all(catalogue.known(name) for row in rows for name in row.panes)


def test_boxes_cover_the_whole_window_without_overlap_at_every_size() -> None:
    rng = random.Random(4)
    for place in catalogue.SCREENS:
        layout = layouts.read(place.layouts)
        for _ in range(60):
            width, height = rng.randint(20, 300), rng.randint(5, 100)
            rows = layout[layouts.choose(layout, width, height)]
            boxes = layouts.place(rows, width, height)
            cells = [
                (x, y) for b in boxes.values() for x in range(b.x, b.x + b.width) for y in range(b.y, b.y + b.height)
            ]
            assert len(cells) == len(set(cells)) == width * height, (place.name, width, height)


@pytest.mark.parametrize(("wider", "taller"), [(4, 0), (0, 1), (-4, 0), (0, -1)])
def test_a_pane_that_is_to_grow_never_shrinks_nobody_goes_and_a_line_stays_a_line(wider: int, taller: int) -> None:
    moved = 0
    for place in catalogue.SCREENS:
        layout = layouts.read(place.layouts)
        for width, height in ((80, 24), (100, 30), (120, 40), (160, 50), (200, 60), (46, 12)):
            rows = layout[layouts.choose(layout, width, height)]
            before = layouts.place(rows, width, height)
            for pane in before:
                after = layouts.place(layouts.resized(rows, pane, wider, taller, width, height), width, height)
                assert set(after) == set(before), (place.name, width, pane)
                for name, box in after.items():
                    if before[name].height < layouts.LEAST:
                        assert box.height == before[name].height, (place.name, width, pane, name)
                change = (after[pane].width - before[pane].width, after[pane].height - before[pane].height)
                assert change[0] * wider >= 0 and change[1] * taller >= 0, (place.name, width, pane, change)
                moved += change != (0, 0)
    assert moved > 50


@pytest.mark.parametrize(
    ("rows", "words"),
    [(["spreads"], "must be HEIGHT PANE"), (["11"], "must be HEIGHT PANE"),
     (["* a | | b"], "must be PANE or PANE WIDTH"), (["* a 10 10"], "must be PANE or PANE WIDTH"),
     (["* a", "3 a"], "stands twice")],
)  # fmt: skip
def test_a_layout_that_cannot_be_read_says_where(rows: list[str], words: str) -> None:
    with pytest.raises(layouts.LayoutError, match=words):
        layouts.read({"0x0": rows})
    with pytest.raises(layouts.LayoutError, match="COLUMNSxLINES"):
        layouts.read({"large": ["* a"]})


async def test_panes_are_made_larger_added_dropped_kept_and_brought_back() -> None:
    async with running(fakes.snapshot()) as run:
        before = run.pane("crypto").outer_size
        await run.press("w", "plus")
        assert run.pane("crypto").outer_size == (before.width + 4, before.height + 1)
        await run.press("W", "minus")
        assert run.pane("crypto").outer_size == before
        await run.press("tab", "tab")
        await say(run, "pane drop")
        assert not run.pane("feeds").is_on_screen
        await say(run, "pane add claims")
        await run.frame()
        assert run.pane("claims").is_on_screen
        assert run.pane("claims").record() is not None
        await say(run, "layout save mine")
        await say(run, "layout built-in")
        assert run.pane("feeds").is_on_screen and not run.pane("claims").is_on_screen
        await say(run, "layout mine")
        assert run.pane("claims").is_on_screen
        await say(run, "layout lost")
        assert "no layout “lost”" in run.text()
        await run.press("escape")
        await say(run, "pane add @movers")
        await run.frame()
        await run.frame()
        assert "@movers ─ 20 rows" in run.text()


def test_layouts_and_queries_are_kept_as_files_that_are_read_again(tmp_path: Path) -> None:
    made = {place.name: place.layouts for place in catalogue.SCREENS}
    path = saved.keep_layout(tmp_path, "desk", made)
    assert saved.layout(tmp_path, "desk") == made
    saved.keep_query(tmp_path, "a", "SELECT 'x\"y\\z' AS t")
    saved.keep_query(tmp_path, "b", "SELECT 1")
    assert saved.queries(tmp_path) == {"a": "SELECT 'x\"y\\z' AS t", "b": "SELECT 1"}
    with pytest.raises(saved.SavedError, match="there are desk"):
        saved.layout(tmp_path, "lost")
    with pytest.raises(saved.SavedError, match="a name is of small letters"):
        saved.keep_layout(tmp_path, "../x", made)
    path.write_text("[dashboard]\n0x0 = 1\n")
    with pytest.raises(saved.SavedError, match="must hold lists of rows"):
        saved.layout(tmp_path, "desk")
    path.write_text("= 1")
    with pytest.raises(saved.SavedError, match=r"desk\.toml"):
        saved.layout(tmp_path, "desk")


async def test_a_kept_layout_is_the_one_at_the_start_and_a_lost_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(Config(), appearance=Appearance(layout="desk"))
    quiet = fakes.snapshot("empty", settled=True, config=config)
    async with running(quiet, config=config) as run:
        assert "appearance.layout: no layout “desk”" in run.text()
    kept = {"dashboard": {"0x0": ("* feeds | alerts",)}}
    monkeypatch.setattr(saved.Shelf, "layout", lambda self, name: kept)
    async with running(quiet, config=config) as run:
        assert isinstance(run.app.screen, PaneScreen)
        assert set(run.app.screen.body.panes) == {"feeds", "alerts"}
