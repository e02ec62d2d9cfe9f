"""The status line's session: said from the calendar alone, and not at all while there is none."""

from __future__ import annotations

import pytest

from engine.model import MarketClock, Mode, SessionState
from tests.tui import fakes
from tests.tui.running import running
from tui.lines import plain
from tui.view import View
from tui.widgets.header import Header, session

NOW = 1_767_972_600.0


@pytest.mark.parametrize(
    ("state", "next_change", "early", "terse", "said"),
    [
        (SessionState.OPEN, NOW + 5 * 3600 + 27 * 60, False, False, "NYSE open, closes in 5 h 27 m"),
        (SessionState.OPEN, NOW + 5 * 3600 + 27 * 60, False, True, "NYSE open, 5 h 27 m"),
        (SessionState.OPEN, NOW + 3600, True, False, "NYSE open, closes in 1 h 00 m half-day"),
        (SessionState.CLOSED, NOW + 3600, False, False, "NYSE closed, opens in 1 h 00 m"),
        (SessionState.CLOSED, None, False, False, "NYSE …"),
        (SessionState.CLOSED, None, False, True, "NYSE …"),
    ],
)
def test_the_session_in_words(
    state: SessionState, next_change: float | None, early: bool, terse: bool, said: str
) -> None:
    assert plain(session(MarketClock("XNYS", state, next_change, early), NOW, terse)) == said


async def test_a_narrow_line_gives_up_its_date_before_it_is_silent_on_a_missing_source() -> None:
    async with running(fakes.snapshot(), (80, 24)) as run:
        for state in ("live", "closed", "stale"):
            run.source.snapshot = fakes.snapshot(state)
            await run.frame()
            top = run.text().splitlines()[0]
            assert f"feeds {0 if state == 'stale' else 6}/7!" in top and "10:32:07 NY" in top, top
            assert "NYSE closed, 2 d 22 h" in top if state == "closed" else "NYSE open, 5 h 27 m" in top


def test_a_piece_that_gives_way_makes_room_for_those_that_fit_in_its_place() -> None:
    view = View(fakes.snapshot(), Mode.LIVE, None, fakes.OPENING, 0.1, 3.0)
    head = Header()
    head.titled = "a screen of a long name"
    widths = range(24, 140)
    lines = [plain(head.paint(view, width)) for width in widths]
    assert all(len(line) <= width for line, width in zip(lines, widths, strict=True) if width >= 30)
    narrow = plain(head.paint(view, 75))
    assert head.titled not in narrow
    assert "data 0 s" in narrow, "where the title has gone there is room for the age"
