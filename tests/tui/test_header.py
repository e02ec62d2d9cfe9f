"""The status line's session: said from the calendar alone, and not at all while there is none."""

from __future__ import annotations

import pytest

from engine.model import MarketClock, SessionState
from tui.lines import plain
from tui.widgets.header import session

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
