"""Without Unicode and without colour everything can still be told apart."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.config import Config
from engine.config_looks import Appearance
from tests.tui import fakes
from tests.tui.running import running
from tui import format as fmt
from tui.panes.scanner import half_life
from tui.plain import TABLE, plain, wanted
from tui.screens.detail import value_text


def test_every_sign_has_a_likeness_as_wide_and_statuses_stay_apart() -> None:
    signs = "╭─╮│╰╯┄├┤┼" + fmt.BLOCKS + "".join(fmt.GLYPHS.values()) + "●▲▼▵✓✗⇠♥◀▶−–…“”→←↑↓↗↘↙↖▾▴▏▕"
    assert plain(signs).isascii() and "?" not in plain(signs)
    assert len(plain(signs)) == len(signs)
    assert len({plain(glyph) for glyph in fmt.GLYPHS.values()}) == len(fmt.GLYPHS)
    assert len({plain(block) for block in fmt.BLOCKS}) == len(fmt.BLOCKS)
    assert plain("\u2800\u2801\u2840\u28ff") == " '.:"
    assert plain("東") == "??"


def test_no_sign_becomes_a_figure_that_it_is_not() -> None:
    became = {chr(sign): likeness for sign, likeness in TABLE.items() if likeness.isdigit()}
    assert became == {"²": "2", "³": "3"}
    assert plain(half_life(math.inf)) == "inf" and plain(value_text("half_life", math.inf)) == "inf"
    assert plain(half_life(8.0)) == "8 d"


@pytest.mark.parametrize(
    ("environment", "ascii_only"),
    [({"LANG": "C"}, True), ({"LANG": "en_US.UTF-8"}, False), ({}, False), ({"LANG": "C.UTF-8", "LC_ALL": "C"}, True),
     ({"LANG": "de_DE.ISO-8859-1"}, True), ({"TERM": "linux"}, True), ({"TERM": "xterm-256color"}, False)],
)  # fmt: skip
def test_the_locale_and_the_terminal_decide(environment: dict[str, str], ascii_only: bool) -> None:
    assert wanted("auto", environment) is ascii_only
    assert wanted("ascii", environment) and not wanted("unicode", environment)


async def test_every_screen_is_drawn_in_ascii_and_greys_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    config = replace(Config(), appearance=Appearance(characters="ascii"))
    async with running(fakes.snapshot(config=config), config=config) as run:
        for key in "123456789":
            await run.press(key)
            text = run.text()
            assert text.isascii(), {sign for sign in text if not sign.isascii()}
            assert text.count("?") <= 1, "the help key in the footer"
            strips = run.app.screen._compositor.render_strips()
            colours = {s.style.color.triplet for strip in strips for s in strip if s.style and s.style.color}
            assert all(c is None or len(set(c)) == 1 for c in colours)
