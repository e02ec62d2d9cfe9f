"""The dashboard as a picture, at three sizes and in three states, and at any size that a window can be dragged to."""

from __future__ import annotations

import random
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.config import Config
from engine.model import Mode
from tests.tui import fakes
from tui.app import SizewatchApp

SIZES = ((80, 24), (120, 40), (200, 60))


async def painted(pilot: Pilot[Any]) -> None:
    """Wait until the fake moment stands on the screen."""
    app = pilot.app
    assert isinstance(app, SizewatchApp)
    await pilot.pause()
    app.frame()
    await pilot.pause()


def dashboard(state: str) -> SizewatchApp:
    """The terminal over one fake moment."""
    source = fakes.FakeSource(fakes.snapshot(state))
    return SizewatchApp(source, Config(), Mode.DEMO, "january-2026", fakes.FixedClock())


@pytest.mark.parametrize("state", ["live", "stale", "empty"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_dashboard_looks_as_it_did(snap_compare: Any, size: tuple[int, int], state: str) -> None:
    assert snap_compare(dashboard(state), terminal_size=size, run_before=painted)


@pytest.mark.parametrize("state", ["live", "empty"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", ["9", "0"], ids=["regime", "flows"])
def test_the_screens_beside_it_look_as_they_did(
    snap_compare: Any, page: str, size: tuple[int, int], state: str
) -> None:
    async def opened(pilot: Pilot[Any]) -> None:
        await painted(pilot)
        await pilot.press(page)
        await painted(pilot)

    assert snap_compare(dashboard(state), terminal_size=size, run_before=opened)


async def test_any_size_draws_while_data_flows() -> None:
    rng = random.Random(20_260_109)
    app = dashboard("live")
    async with app.run_test(size=(120, 40)) as pilot:
        await painted(pilot)
        source = app._source
        assert isinstance(source, fakes.FakeSource)
        assert source.snapshot is not None
        sizes = [(20, 5), (300, 100), (40, 12), *((rng.randint(20, 300), rng.randint(5, 100)) for _ in range(27))]
        for size in sizes:
            await pilot.resize_terminal(*size)
            source.snapshot = fakes.moved(source.snapshot, rng.uniform(-0.02, 0.02))
            await pilot.press(rng.choice(("j", "G", "g", "tab", "z", "s", "ctrl+d", "space", "4", "9", "0")))
            await painted(pilot)
            strips = app.screen._compositor.render_strips()
            assert len(strips) == size[1]
            assert {strip.cell_length for strip in strips} == {size[0]}
