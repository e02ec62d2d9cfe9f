"""Every screen as a picture, at three sizes and in four states, and at any size that a window can be dragged to.

A picture holds text and colours as SVG, and opens in any browser; `bench.screenshot` draws the running demo.
"""

from __future__ import annotations

import random

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui import fakes, pictures
from tests.tui.running import Run, running
from tui import catalogue
from tui.panes.sql import QueryPane

SIZES = ((80, 24), (120, 40), (200, 60))
STATES = ("live", "stale", "closed", "empty")


async def moment(run: Run, state: str) -> None:
    """Bring the screen into a state. A query is asked anew, which it would be only seconds later."""
    run.source.snapshot = MOMENTS[state]
    await run.frame()
    for pane in run.app.screen.query(QueryPane):
        pane.ask(pane.asked)
        await run.frame()


MOMENTS = {state: fakes.snapshot(state) for state in STATES}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_screen_looks_as_it_did_in_every_state(snapshot: SnapshotAssertion, size: tuple[int, int]) -> None:
    differ: list[str] = []
    kept = snapshot.use_extension(pictures.Pictures)
    async with running(MOMENTS["live"], size) as run:
        for place in catalogue.SCREENS:
            await run.press(str(place.number))
            for state in STATES:
                await moment(run, state)
                strips = run.strips()
                assert {strip.cell_length for strip in strips} == {size[0]}, "no line is wider than the window"
                if kept(name=f"{place.name}-{state}") != pictures.svg(strips):
                    differ += [f"{place.name}, {state}", *kept.get_assert_diff()]
    assert not differ, "\n".join(differ)


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
            strips = run.strips()
            assert len(strips) == size[1]
            assert {strip.cell_length for strip in strips} == {size[0]}
            shown = run.text()
            assert await run.drawn_anew() == shown, f"{size}: something of another size or moment was left"
