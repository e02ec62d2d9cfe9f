"""The configuration file is watched: told of once, never half-written, and a wrong one never replaces a right one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.clock import Clock
from engine.config import Config
from engine.config_file import Watcher
from engine.model import Notice


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text("[refresh]\nbeat_hz = 2\n")
    return path


def settled(watcher: Watcher) -> Config | Notice | None:
    """What two polls in a row tell: a change counts once the file has come to rest."""
    assert watcher.poll() is None
    return watcher.poll()


def test_an_edited_file_is_told_of_once(path: Path) -> None:
    watcher = Watcher(path, Clock())
    assert watcher.poll() is None
    path.write_text("[refresh]\nbeat_hz = 3\n# more\n")
    told = settled(watcher)
    assert isinstance(told, Config) and told.refresh.beat_hz == 3.0
    assert settled(watcher) is None


def test_a_file_renamed_over_the_old_one_is_seen(path: Path) -> None:
    watcher = Watcher(path, Clock())
    beside = path.with_suffix(".new")
    beside.write_text("[refresh]\nbeat_hz = 5\n")
    os.replace(beside, path)  # noqa: PTH105  what editors do
    told = settled(watcher)
    assert isinstance(told, Config) and told.refresh.beat_hz == 5.0


def test_a_touched_file_with_the_same_content_is_no_change(path: Path) -> None:
    watcher = Watcher(path, Clock())
    os.utime(path, (1, 1))
    assert settled(watcher) is None


def test_a_wrong_file_is_refused_with_its_reason_and_the_corrected_one_taken(path: Path) -> None:
    watcher = Watcher(path, Clock())
    path.write_text("[refresh]\nbeat_hz = 300\nframe_hz = 0\n")
    told = settled(watcher)
    assert isinstance(told, Notice) and told.severity == "error"
    assert "refresh.beat_hz = 300: must be a number from 1 to 20 (and 1 more" in told.text
    path.write_text("[refresh]\nbeat_hz = 10\n")
    told = settled(watcher)
    assert isinstance(told, Config) and told.refresh.beat_hz == 10.0


def test_a_deleted_file_is_said_once_and_one_that_comes_back_is_read(path: Path) -> None:
    watcher = Watcher(path, Clock())
    path.unlink()
    told = settled(watcher)
    assert isinstance(told, Notice) and "is gone" in told.text
    assert settled(watcher) is None
    path.write_text("[refresh]\nbeat_hz = 2\n")
    assert isinstance(settled(watcher), Config)


def test_a_file_that_appears_where_none_was_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, **_: tmp_path / "home" / name)
    monkeypatch.chdir(tmp_path)
    watcher = Watcher(None, Clock())
    assert settled(watcher) is None
    (tmp_path / "config.toml").write_text("[refresh]\nbeat_hz = 8\n")
    told = settled(watcher)
    assert isinstance(told, Config) and told.refresh.beat_hz == 8.0
