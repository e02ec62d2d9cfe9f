"""`sizewatch data`: everything kept is looked at, only what is of no use goes, and nothing is written over."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest

from engine.data_command import DataError, check, export, prune
from engine.database import FILE_NAME, Database
from engine.model import Bars
from engine.store import Store
from tests.engine.runtime import HandClock, bars_frame, config
from tests.program import COMMAND, contents, surroundings


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    kept = Store(folder, HandClock())
    kept.save(Bars("BTC/USD", "1d", "kraken-bars", "USD", bars_frame((1.0, 2.0, 3.0))))
    kept.save(Bars("GONE", "1d", "yahoo-bars", "USD", bars_frame((9.0,))))
    kept.close()
    Database(folder).close()
    return folder


def damaged(store: Path) -> Path:
    path = next(store.rglob("GONE.1d.parquet"))
    path.write_bytes(path.read_bytes()[:-30])
    return path


def test_what_is_whole_is_said_with_its_span(store: Path) -> None:
    lines: list[str] = []
    before = contents(store)
    assert check(store, lines.append) == 0
    assert "whole    kraken-bars BTC/USD 1d: 3 bars, 2025-12-01 to 2025-12-03" in lines
    assert any(line.startswith(f"whole    {FILE_NAME}") for line in lines)
    assert lines[-1] == "all is whole"
    assert contents(store) == before


def test_what_is_damaged_is_said_and_left_as_it_is(store: Path) -> None:
    damaged(store)
    (store / FILE_NAME).write_bytes(b"no database" * 100)
    before = contents(store)
    lines: list[str] = []
    assert check(store, lines.append) == 1
    assert sum(line.startswith("damaged") for line in lines) == 2
    assert contents(store) == before


def test_a_newer_databases_schema_is_said(store: Path) -> None:
    database = Database(store)
    database.execute("PRAGMA user_version = 999")
    database.close()
    lines: list[str] = []
    assert check(store, lines.append) == 0
    assert any(line.startswith("newer") and "999" in line for line in lines)


def test_prune_removes_what_is_of_no_use_and_says_it(store: Path) -> None:
    folder = store / "bars" / "kraken-bars"
    aside, old, young = (folder / name for name in ("x.parquet.damaged-5", "y.parquet.1-1.part", "z.parquet.2-2.part"))
    for path in (aside, old, young):
        path.write_bytes(b"x" * 10)
    os.utime(old, (time.time() - 7200,) * 2)
    lines: list[str] = []
    assert prune(store, config(), lines.append, unwatched=False, dry=True) == 0
    assert aside.exists()
    assert old.exists()
    assert lines[-1] == "20 bytes would be freed"
    prune(store, config(), lines.append, unwatched=False, dry=False)
    assert [path.exists() for path in (aside, old, young)] == [False, False, True]
    assert next(store.rglob("GONE.1d.parquet")).exists()
    prune(store, config(), lines.append, unwatched=True, dry=False)
    assert [path.name for path in store.rglob("*.parquet")] == ["BTC%2FUSD.1d.parquet"]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_what_is_exported_is_what_is_kept(store: Path, tmp_path: Path, form: str) -> None:
    lines: list[str] = []
    assert export(store, tmp_path / "out", lines.append, form=form, symbol="BTC/USD") == 0
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == f"kraken-bars.BTC%2FUSD.1d.{form}"
    read = {"csv": lambda: pl.read_csv(file), "json": lambda: pl.read_ndjson(file)}
    frame = read.get(form, lambda: pl.read_parquet(file))()
    assert frame["close"].to_list() == [1.0, 2.0, 3.0]


def test_an_export_is_never_written_over_a_file(store: Path, tmp_path: Path) -> None:
    say: list[str] = []
    export(store, tmp_path / "out", say.append, form="csv", symbol="GONE")
    before = contents(tmp_path / "out")
    with pytest.raises(DataError, match="is not written over"):
        export(store, tmp_path / "out", say.append, form="csv", symbol="GONE")
    assert contents(tmp_path / "out") == before


def test_an_export_goes_on_past_a_damaged_file(store: Path, tmp_path: Path) -> None:
    damaged(store)
    say: list[str] = []
    assert export(store, tmp_path / "out", say.append, form="csv", symbol=None) == 1
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_the_command_reads_the_users_own_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder = home / ".local" / "share" / "sizewatch"
    kept = Store(folder, HandClock())
    kept.save(Bars("IWM", "1d", "yahoo-bars", "USD", bars_frame((1.0,))))
    kept.close()
    ended = subprocess.run(
        [*COMMAND, "data", "check"], cwd=home, env=surroundings(home), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "whole    yahoo-bars IWM 1d: 1 bars" in ended.stdout
