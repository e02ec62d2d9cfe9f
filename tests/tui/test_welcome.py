"""The first live run says what is reachable and what can be done; it says so once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.config import Config
from engine.config_file import default_text
from engine.model import Mode
from engine.options import RECORDING, Options
from tests.tui import fakes
from tests.tui.running import Run
from tui.app import SizewatchApp
from tui.screens import welcome


@pytest.fixture(autouse=True)
def nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a configuration, and a user who has none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("engine.config_file.user_folder", lambda: tmp_path / "mine")


@asynccontextmanager
async def begun(size: tuple[int, int], *, greets: bool = True) -> AsyncIterator[Run]:
    """A live run whose first data has come."""
    source, clock = fakes.FakeSource(fakes.snapshot()), fakes.FixedClock()
    app = SizewatchApp(source, Config(), Mode.LIVE, None, clock, greets=greets)
    async with app.run_test(size=size) as pilot:
        run = Run(app, pilot, source, clock)
        await run.frame()
        await run.frame()
        yield run


async def test_a_first_live_run_is_greeted_once_and_a_configuration_is_written_if_wanted(tmp_path: Path) -> None:
    for greeted in (True, False):
        async with begun((100, 40)) as run:
            assert ("Welcome to sizewatch" in run.text()) is greeted
            if not greeted:
                continue
            assert "blocked: refuses this place" in run.text()
            await run.press("c")
            assert "written:" in run.text()
            assert "[appearance]" in (tmp_path / "mine" / "config.toml").read_text("utf-8")
            assert "is there already" in welcome.write_config()
            await run.press("enter")
            assert "Welcome" not in run.text()
            assert "Size spread" in run.text()


async def test_who_has_named_a_configuration_is_not_greeted(tmp_path: Path) -> None:
    async with begun((100, 40), greets=False) as run:
        assert "Size spread" in run.text() and "Welcome" not in run.text()


async def test_the_demo_or_a_recording_that_is_here_can_be_had_instead(tmp_path: Path) -> None:
    for key, recorded, instead in (("p", False, None), ("p", True, Mode.REPLAY), ("d", True, Mode.DEMO)):
        if recorded:
            RECORDING.touch()
        async with begun((80, 24)) as run:
            assert ("play the recording that is here" in run.text()) is recorded
            await run.press(key)
            assert run.app.instead is instead
            assert run.app._exit is (instead is not None)
    of_live = Options(config=Path("own.toml"))
    assert of_live.turned_to(Mode.DEMO) == Options(Path("own.toml"), demo="january-2026", speed=1.0)
    assert of_live.turned_to(Mode.REPLAY).replay == RECORDING


async def test_what_can_be_done_is_in_sight_on_a_small_terminal_and_a_checkouts_default_is_nobodys_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.toml").write_text(default_text(), "utf-8")
    async with begun((80, 24)) as run:
        for words in (
            "Enter  go on",
            "d      see a simulated market",
            "sizewatch --demo",
            "shows every key",
            ":chart ETH/BTC",
            "6 of 7 sources answer",
        ):
            assert words in run.text()
    (tmp_path / "config.toml").write_text("[appearance]\ntheme = 'light'\n", "utf-8")
    assert not welcome.due()
