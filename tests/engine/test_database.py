"""The database: earlier versions are brought up to date with their rows, and one that takes nothing is a notice."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engine import database
from engine.database import FILE_NAME, MIGRATIONS, Database, DatabaseError
from engine.journal import Journal
from engine.model import Snapshot
from tests.engine.runtime import HandClock, config, engine, quote, row

CELLS = {"TEXT": "{}", "REAL": 1.5, "INTEGER": 1}
Tables = dict[str, list[tuple[Any, ...]]]


def earlier(folder: Path, version: int) -> Tables:
    """A file as a program of an earlier version left it, with a row in every table; returns the rows."""
    connection = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    for script in MIGRATIONS[:version]:
        connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {version}")
    for name in tables(connection):
        kinds = [kind for _, _, kind, *_ in connection.execute(f"PRAGMA table_info({name})")]
        marks = ", ".join("?" * len(kinds))
        connection.execute(f"INSERT INTO {name} VALUES ({marks})", [CELLS[kind] for kind in kinds])
    held = {name: list(connection.execute(f"SELECT * FROM {name}")) for name in tables(connection)}
    connection.close()
    return held


def tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]


def read(folder: Path) -> tuple[int, Tables]:
    """The version and all rows of the file, by another hand than the program's."""
    connection = sqlite3.connect(folder / FILE_NAME)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    held = {name: list(connection.execute(f"SELECT * FROM {name}")) for name in tables(connection)}
    connection.close()
    return version, held


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
def test_a_file_of_an_earlier_version_keeps_its_rows_and_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    before = earlier(tmp_path, version)
    assert version == 0 or before
    opened = Database(tmp_path)
    entries = Journal(opened).entries(limit=10)
    opened.close()
    now, after = read(tmp_path)
    assert now == len(MIGRATIONS)
    assert {name: after[name] for name in before} == before
    assert all(not rows for name, rows in after.items() if name not in before)
    # and what it held is read as ever
    assert [entry.event.rule for entry in entries] == ["{}"] * ("events" in before)


def test_a_version_that_cannot_be_reached_leaves_the_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = earlier(tmp_path, 3)
    broken = (*MIGRATIONS, "CREATE TABLE one_more (name TEXT) STRICT; CREATE TABLE events (name TEXT) STRICT;")
    monkeypatch.setattr(database, "MIGRATIONS", broken)
    with pytest.raises(DatabaseError, match="table events already exists; the file is left as it is"):
        Database(tmp_path)
    assert read(tmp_path) == (3, before)


def test_a_full_disk_is_called_so_and_the_next_transaction_has_its_turn(tmp_path: Path) -> None:
    opened = Database(tmp_path)
    [(pages,)] = opened._connection.execute("PRAGMA page_count").fetchall()
    opened._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    keep = "INSERT INTO rules VALUES (?, ?)"
    with pytest.raises(DatabaseError, match=r"sizewatch.*disk is full"), opened.transaction():
        for n in range(100):
            opened.execute(keep, (str(n), "x" * 4000))
    opened._connection.execute("PRAGMA max_page_count = 1000000")
    with opened.transaction():
        opened.execute(keep, ("later", "{}"))
    opened.close()
    assert read(tmp_path)[1]["rules"] == [("later", "{}")]


def test_a_file_that_can_be_read_and_not_written_is_said_and_the_live_view_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(tmp_path).close()
    connect = sqlite3.connect

    def read_only(path: Path, **how: Any) -> sqlite3.Connection:
        opened: sqlite3.Connection = connect(f"{path.as_uri()}?mode=ro", uri=True, **how)
        return opened

    monkeypatch.setattr(sqlite3, "connect", read_only)
    clock = HandClock()
    cross = {"symbol": "BTC/USD", "level": 105, "direction": "up"}
    run = engine(clock, settings=config(rules={"up": {"cross": cross, "message": "up"}}), store=tmp_path)
    seen: list[Snapshot] = []  # the rules begin with the first price
    for price in (100.0, 101.0, 110.0):
        clock.pass_(1.0)
        run.ingest(quote(clock, last=price))
        seen.append(run.beat())
    run.close()
    assert [row(snapshot)["last"] for snapshot in seen] == [100.0, 101.0, 110.0]
    # it is told, and that nothing is kept of it
    assert [event.rule for event in seen[-1].events] == ["up"]
    notices = [notice.text for notice in seen[-1].notices]
    assert len(notices) == 1
    assert notices[0].startswith("alerts are not being kept: ") and "readonly database" in notices[0]
    monkeypatch.undo()
    assert read(tmp_path)[1]["events"] == []
