"""`sizewatch data`: what is kept, whether it is whole, and its way out; nothing good is ever overwritten or removed.

`check` only reads. `prune` removes what nobody can use (set-aside and part-written files) and, where asked to, bars of
symbols that are no longer watched. `export` writes beside, into a folder of the user's, and never over a file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from engine.config import Config
from engine.database import FILE_NAME, MIGRATIONS
from engine.errors import SizewatchError, faults
from engine.store import ORPHAN_S, Partition, decoded

FORMATS: Final = ("csv", "json", "parquet")
Say = Callable[[str], object]


class DataError(SizewatchError):
    """The data folder, or the place to export to, cannot be used."""


def check(store: Path, say: Say) -> int:
    """A line for everything that is kept; 1 where something is damaged."""
    wrong = 0
    for path, partition in _bars(store):
        try:
            frame = _read(path)
        except DataError as error:
            wrong += 1
            say(f"damaged  {path.relative_to(store)}: {error}")
            continue
        span = f"{frame['time'][0]:%Y-%m-%d} to {frame['time'][-1]:%Y-%m-%d}" if frame.height else "empty"
        say(f"whole    {partition.source} {partition.symbol} {partition.interval}: {frame.height:,} bars, {span}")
    wrong += _check_database(store / FILE_NAME, say)
    left = list(_leftovers(store))
    if left:
        say(f"unused   {len(left)} set-aside or part-written files (`sizewatch data prune` removes them)")
    say("all is whole" if not wrong else f"{wrong} damaged; what is damaged is left as it is, bars are fetched again")
    return 1 if wrong else 0


def prune(store: Path, config: Config, say: Say, *, unwatched: bool, dry: bool) -> int:
    """Remove what is of no use. dry: only say what would go."""
    doomed = list(_leftovers(store))
    if unwatched:
        doomed += [path for path, partition in _bars(store) if partition.symbol not in config.symbols]
    freed = 0
    for path in doomed:
        try:
            size = path.stat().st_size
            if not dry:
                path.unlink()
        except OSError as error:
            say(f"left     {path.relative_to(store)}: {error.strerror or error}")
            continue
        freed += size
        say(f"{'would go' if dry else 'removed '} {path.relative_to(store)} ({size:,} bytes)")
    say(f"{freed:,} bytes {'would be ' if dry else ''}freed")
    return 0


def export(store: Path, folder: Path, say: Say, *, form: str, symbol: str | None) -> int:
    """Write every kept series, or those of one symbol, as a file of its own into `folder`; 1 where one was damaged."""
    wrong = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, partition in _bars(store):
            if symbol is not None and partition.symbol != symbol:
                continue
            try:
                frame = _read(path)
            except DataError as error:
                wrong += 1
                say(f"damaged  {path.relative_to(store)}: {error}")
                continue
            target = folder / f"{path.parent.name}.{path.stem}.{form}"
            _write_new(target, frame, form)
            say(f"written  {target.name}: {frame.height:,} bars")
    except OSError as error:
        raise DataError(f"{error.filename or folder}: {error.strerror or error}") from error
    return 1 if wrong else 0


def _bars(store: Path) -> Iterator[tuple[Path, Partition]]:
    try:
        found = sorted((store / "bars").rglob("*"))
    except OSError as error:
        raise DataError(f"{store}: {error.strerror or error}") from error
    for path in found:
        partition = Partition.of(path)
        if partition is not None:
            yield path, partition


def _leftovers(store: Path) -> Iterator[Path]:
    """Files that were set aside as damaged, and parts that nobody is writing any more."""
    old = time.time() - ORPHAN_S
    for path in sorted((store / "bars").rglob("*")):
        if ".damaged-" in path.name or (path.suffix == ".part" and path.stat().st_mtime < old):
            yield path


def _read(path: Path) -> pl.DataFrame:
    try:
        return decoded(path.read_bytes())[0]
    except faults() as error:  # a damaged file can fail in any way at all
        raise DataError(str(error).partition("\n")[0][:120] or type(error).__name__) from error


def _check_database(file: Path, say: Say) -> int:
    if not file.exists():
        return 0
    try:
        # nobody has it open: then not even its journal's index is made beside it
        how = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True)) as database:
            version = int(database.execute("PRAGMA user_version").fetchone()[0])
            verdict = str(database.execute("PRAGMA integrity_check").fetchone()[0])
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            counts = [(name, database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in tables]
    except sqlite3.Error as error:
        say(f"damaged  {file.name}: {error}")
        return 1
    if verdict != "ok":
        say(f"damaged  {file.name}: {verdict[:120]}")
        return 1
    if version > len(MIGRATIONS):
        say(f"newer    {file.name}: schema {version}, this version knows {len(MIGRATIONS)}; it is left as it is")
        return 0
    say(f"whole    {file.name}: " + (", ".join(f"{count:,} {name}" for name, count in counts) or "empty"))
    return 0


def _write_new(target: Path, frame: pl.DataFrame, form: str) -> None:
    """Write beside and link into place; a file that is there already is never written over."""
    if target.exists():
        raise FileExistsError(17, "is there already, and is not written over", str(target))
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if form == "csv":
            frame.write_csv(part)
        elif form == "json":
            frame.write_ndjson(part)
        else:
            frame.write_parquet(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
