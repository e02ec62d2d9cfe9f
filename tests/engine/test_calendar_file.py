"""Calendars on disk: what is read is what was built, and whatever is not exactly that is built again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from engine import calendar_file, sessions
from engine.view import Session

DAYS = ("2026-01-01", "2028-12-31")
GRID = (Session(20_455, 1.0, 2.5), Session(20_456, 3.0, 4.0, True), Session(20_459, 4.0, 5.0))


def kept(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((folder / "calendar-XNYS.json").read_bytes())
    return found


def test_the_real_calendars_come_back_as_they_were_built(tmp_path: Path) -> None:
    for hours in (sessions.xnys(), sessions.cmes()):
        calendar_file.write((tmp_path,), hours.market, *DAYS, hours.sessions)
        assert calendar_file.read((tmp_path,), hours.market, *DAYS) == hours.sessions


def test_the_first_folder_is_written_and_any_is_read(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    calendar_file.write((theirs,), "XNYS", *DAYS, GRID)
    before = (theirs / "calendar-XNYS.json").read_bytes()
    assert calendar_file.read((mine, theirs), "XNYS", *DAYS) == GRID
    calendar_file.write((mine, theirs), "XNYS", *DAYS, GRID[:1])
    assert calendar_file.read((mine, theirs), "XNYS", *DAYS) == GRID[:1]
    assert (theirs / "calendar-XNYS.json").read_bytes() == before
    assert [file.name for file in mine.iterdir()] == ["calendar-XNYS.json"], "nothing half-written stays"


@pytest.mark.parametrize(
    "change",
    [
        {"built_at": 0.0},
        {"built_at": 4e12},
        {"built_at": "soon"},
        {"built_from": [1, "an older library", *DAYS]},
        {"day": [20_455, 20_456]},
        {"day": [20_456, 20_455, 20_459]},
        {"open": [1.0, 2.0, 4.0]},
        {"close": [0.5, 4.0, 5.0]},
        {"close": [2.5, None, 5.0]},
        {"early": None},
        {"day": [], "open": [], "close": []},
    ],
)
def test_what_is_old_or_damaged_is_not_read(tmp_path: Path, change: dict[str, Any]) -> None:
    calendar_file.write((tmp_path,), "XNYS", *DAYS, GRID)
    assert calendar_file.read((tmp_path,), "XNYS", *DAYS) == GRID
    (tmp_path / "calendar-XNYS.json").write_bytes(orjson.dumps(kept(tmp_path) | change))
    assert calendar_file.read((tmp_path,), "XNYS", *DAYS) is None


def test_no_file_a_broken_file_and_other_days_are_not_read(tmp_path: Path) -> None:
    assert calendar_file.read((), "XNYS", *DAYS) is None
    assert calendar_file.read((tmp_path,), "XNYS", *DAYS) is None
    (tmp_path / "calendar-XNYS.json").write_bytes(b'{"built_at":')
    assert calendar_file.read((tmp_path,), "XNYS", *DAYS) is None
    calendar_file.write((tmp_path,), "XNYS", *DAYS, GRID)
    assert calendar_file.read((tmp_path,), "XNYS", DAYS[0], "2029-12-31") is None
    assert calendar_file.read((tmp_path,), "CMES", *DAYS) is None


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    calendar_file.write((tmp_path / "file",), "XNYS", *DAYS, GRID)
    calendar_file.write((), "XNYS", *DAYS, GRID)
    assert calendar_file.read((tmp_path / "file",), "XNYS", *DAYS) is None


def test_a_kept_calendar_is_asked_for_before_the_library(tmp_path: Path) -> None:
    first, last = sessions.FIRST_DAY, sessions.last_day()
    calendar_file.write((tmp_path,), sessions.XNYS, first.isoformat(), last.isoformat(), GRID)
    built: list[int] = []

    def build() -> tuple[Session, ...]:
        built.append(1)
        return GRID[:2]

    assert sessions.kept(sessions.XNYS, first, build, (tmp_path,)).sessions == GRID
    assert not built
    assert sessions.kept(sessions.CMES, first, build, (tmp_path,)).sessions == GRID[:2]
    assert sessions.kept(sessions.CMES, first, build, (tmp_path,)).sessions == GRID[:2]
    assert built == [1], "what was built is kept"


def test_both_calendars_are_recalled_or_it_is_said_that_one_must_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = {market: sessions.hours(market) for market in (sessions.XNYS, sessions.CMES)}
    known: dict[str, sessions.Hours] = {}
    monkeypatch.setattr(sessions, "_KNOWN", known)
    monkeypatch.setattr(sessions, "_FOLDERS", [])
    sessions.keep_in(tmp_path)
    assert not sessions.recall()
    firsts = {sessions.XNYS: sessions.FIRST_DAY, sessions.CMES: sessions.FIRST_DAY_CMES}
    for market, first in firsts.items():
        assert not sessions.recall()
        days = first.isoformat(), sessions.last_day().isoformat()
        calendar_file.write((tmp_path,), market, *days, built[market].sessions)
    assert sessions.recall()
    assert known == built
    assert sessions.xnys() is known[sessions.XNYS]
