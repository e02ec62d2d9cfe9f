"""The first live run says what is reachable and what can be done; it says so once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.command_line import RECORDING, Options
from engine.config import Config
from engine.config_file import default_text
from engine.model import Mode
from tests.tui import fakes
from tests.tui.running import Run
from tui.app import SizewatchApp
from tui.screens import welcome


async def test_a_first_live_run_is_greeted_once_and_a_configuration_is_written_if_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("engine.config_file.user_folder", lambda: tmp_path / "mine")
    for greeted in (True, False):
        source, clock = fakes.FakeSource(fakes.snapshot()), fakes.FixedClock()
        app = SizewatchApp(source, Config(), Mode.LIVE, None, clock)
        async with app.run_test(size=(100, 40)) as pilot:
            run = Run(app, pilot, source, clock)
            await run.frame()
            await run.frame()
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


async def test_who_has_named_a_configuration_is_not_greeted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("engine.config_file.user_folder", lambda: tmp_path / "mine")
    source, clock = fakes.FakeSource(fakes.snapshot()), fakes.FixedClock()
    app = SizewatchApp(source, Config(), Mode.LIVE, None, clock, greets=False)
    async with app.run_test(size=(100, 40)) as pilot:
        run = Run(app, pilot, source, clock)
        await run.frame()
        await run.frame()
        assert "Size spread" in run.text() and "Welcome" not in run.text()


async def test_the_demo_or_a_recording_that_is_here_can_be_had_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("engine.config_file.user_folder", lambda: tmp_path / "mine")
    for key, recorded, instead in (("p", False, None), ("p", True, Mode.REPLAY), ("d", True, Mode.DEMO)):
        if recorded:
            RECORDING.touch()
        source, clock = fakes.FakeSource(fakes.snapshot()), fakes.FixedClock()
        app = SizewatchApp(source, Config(), Mode.LIVE, None, clock)
        async with app.run_test(size=(80, 24)) as pilot:
            run = Run(app, pilot, source, clock)
            await run.frame()
            await run.frame()
            assert ("play the recording that is here" in run.text()) is recorded
            await run.press(key)
            assert app.instead is instead
            assert app._exit is (instead is not None)
    of_live = Options(config=Path("own.toml"))
    assert of_live.turned_to(Mode.DEMO) == Options(Path("own.toml"), demo="january-2026", speed=1.0)
    assert of_live.turned_to(Mode.REPLAY).replay == RECORDING


async def test_what_can_be_done_is_in_sight_on_a_small_terminal_and_a_checkouts_default_is_nobodys_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("engine.config_file.user_folder", lambda: tmp_path / "mine")
    (tmp_path / "config.toml").write_text(default_text(), "utf-8")
    source, clock = fakes.FakeSource(fakes.snapshot()), fakes.FixedClock()
    app = SizewatchApp(source, Config(), Mode.LIVE, None, clock)
    async with app.run_test(size=(80, 24)) as pilot:
        run = Run(app, pilot, source, clock)
        await run.frame()
        await run.frame()
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
