"""The keys of a replay steer it, and say so where there is none; the header says how it is played."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.config import Config
from engine.model import Mode, Playing
from tests.tui import fakes
from tests.tui.running import Run, running
from tui.app import SizewatchApp

KEYS = {
    "p": ("pause", {}),
    "full_stop": ("step", {}),
    "left_curly_bracket": ("seek", {"by": "-60"}),
    "right_curly_bracket": ("seek", {"by": "60"}),
    "left_parenthesis": ("seek", {"by": "-900"}),
    "right_parenthesis": ("seek", {"by": "900"}),
    "less_than_sign": ("speed", {"by": "-1"}),
    "greater_than_sign": ("speed", {"by": "1"}),
}


async def test_the_keys_of_a_replay_ask_the_player() -> None:
    snapshot = replace(fakes.snapshot(), mode=Mode.REPLAY, playing=Playing(50.0))
    source, clock = fakes.FakeSource(snapshot), fakes.FixedClock()
    app = SizewatchApp(source, Config(), Mode.REPLAY, "monday.recording", clock)
    async with app.run_test(size=(160, 40)) as pilot:
        run = Run(app, pilot, source, clock)
        await run.frame()
        assert "REPLAY monday.recording" in run.text()
        assert "50×" in run.text()
        await run.press(*KEYS)
        steering = [wish for wish in source.sent if wish.action != "bars"]  # charts ask for theirs by themselves
        assert [(wish.action, dict(wish.arguments)) for wish in steering] == list(KEYS.values())
        for playing, words in (
            (Playing(50.0, paused=True), "PAUSED, p goes on"),
            (Playing(None), "max speed"),
            (Playing(1.0, seeking=True), "SEEKING"),
            (Playing(1.0, ended=True), "END"),
        ):
            source.snapshot = replace(snapshot, playing=playing)
            await run.frame()
            assert words in run.text()


@pytest.mark.parametrize("key", ["p", "right_curly_bracket"])
async def test_where_nothing_is_replayed_they_say_so(key: str) -> None:
    async with running(fakes.snapshot()) as run:
        await run.press(key)
        assert all(wish.action == "bars" for wish in run.source.sent)
        assert ["only in a replay" in toast.message for toast in run.app._notifications] == [True]
