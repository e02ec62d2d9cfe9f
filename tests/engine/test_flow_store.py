"""Imports are idempotent, whole or nothing, and a foreign or damaged database is left as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from engine.database import FILE_NAME, Database, DatabaseError
from engine.flow_store import Imported, load_days, revision, save_days
from engine.model import FundDay

DAYS = [FundDay("IWM", date(2026, 1, 8), 220.0, 300e6, None), FundDay("IWM", date(2026, 1, 9), 222.2, 298.5e6, None)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    opened.close()


def test_the_same_file_twice_changes_nothing(database: Database) -> None:
    assert save_days(database, DAYS, "ishares") == Imported(2, 0, 0)
    before = load_days(database)
    assert save_days(database, DAYS, "ishares") == Imported(0, 0, 2)
    assert load_days(database).equals(before)


def test_only_an_import_that_changed_something_has_others_read_again(tmp_path: Path, database: Database) -> None:
    assert revision(database) == 0
    other = Database(tmp_path)
    save_days(other, DAYS, "ishares")
    first = revision(database)
    save_days(other, DAYS, "ishares")
    assert revision(database) == first > 0
    save_days(other, [DAYS[0]._replace(nav=221.0)], "ishares")
    assert revision(database) > first
    other.close()


def test_a_corrected_figure_replaces_the_old_one(database: Database) -> None:
    save_days(database, DAYS, "ishares")
    assert save_days(database, [DAYS[0]._replace(nav=221.0)], "ishares") == Imported(0, 1, 0)
    assert load_days(database)["nav"].to_list() == [221.0, 222.2]


def test_the_best_source_of_a_fund_is_read_alone(database: Database) -> None:
    save_days(database, DAYS, "ishares")
    save_days(database, [DAYS[0]._replace(nav=1.0), DAYS[0]._replace(fund="IBIT")], "csv")
    frame = load_days(database)
    assert frame.filter(fund="IWM")["source"].unique().to_list() == ["ishares"]
    assert frame.filter(fund="IBIT")["source"].to_list() == ["csv"]


def test_a_failed_import_keeps_nothing_of_itself(database: Database) -> None:
    def broken() -> Iterator[FundDay]:
        yield DAYS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        save_days(database, broken(), "csv")
    assert load_days(database).is_empty()


def test_two_terminals_share_the_file(tmp_path: Path, database: Database) -> None:
    other = Database(tmp_path)
    save_days(other, DAYS, "ssga")
    assert load_days(database).height == 2
    other.close()


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(DatabaseError, match="newer sizewatch"):
        Database(tmp_path)
    after = sqlite3.connect(tmp_path / FILE_NAME)
    assert after.execute("PRAGMA user_version").fetchone() == (999,)
    after.close()
    assert len(before) > 0


def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database, but somebody's file" * 40)
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(DatabaseError, match="left as it is"):
        Database(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before
