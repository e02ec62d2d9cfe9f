"""Every screen as text, at three sizes and in four states, and at any size that a window can be dragged to.

The text is compared, which makes a run through all nine screens cheap; `bench.screenshot` draws the same as pictures.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.tui import fakes
from tests.tui.running import running
from tui import catalogue

SIZES = ((80, 24), (120, 40), (200, 60))
STATES = ("live", "stale", "closed", "empty")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_screen_looks_as_it_did_in_every_state(snapshot: Any, size: tuple[int, int]) -> None:
    moments = {state: fakes.snapshot(state) for state in STATES}
    async with running(moments["live"], size) as run:
        for place in catalogue.SCREENS:
            await run.press(str(place.number))
            for state, moment in moments.items():
                run.source.snapshot = moment
                await run.frame()
                text = run.text()
                assert {len(line) for line in text.splitlines()} == {size[0]}, "no line is wider than the window"
                assert text == snapshot(name=f"{place.name}-{state}")


async def test_any_size_draws_while_data_flows() -> None:
    rng = random.Random(20_260_109)
    pressed = ("j", "G", "g", "tab", "z", "s", "ctrl+d", "space", *"123456789")
    async with running(fakes.snapshot()) as run:
        sizes = [(20, 5), (300, 100), (40, 12), *((rng.randint(20, 150), rng.randint(5, 50)) for _ in range(42))]
        sizes += [(rng.randint(150, 300), rng.randint(50, 100)) for _ in range(5)]
        for size in sizes:
            await run.pilot.resize_terminal(*size)
            assert run.source.snapshot is not None
            run.source.snapshot = fakes.moved(run.source.snapshot, rng.uniform(-0.02, 0.02))
            await run.press(rng.choice(pressed))
            strips = run.app.screen._compositor.render_strips()
            assert len(strips) == size[1]
            assert {strip.cell_length for strip in strips} == {size[0]}
