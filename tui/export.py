"""What leaves the program as a file: a table as CSV, Parquet or JSON, the screen as SVG or text; never over a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.errors import faults

if TYPE_CHECKING:
    import polars as pl

TABLE_KINDS: Final = (".csv", ".parquet", ".json")
SCREEN_KINDS: Final = (".svg", ".txt")


class ExportError(Exception):
    """A file that cannot be written; one line."""


def name_for(what: str, now: float, kind: str) -> str:
    """A file's name that tells what and when, `quotes-20260109-153207Z.csv`; the Z says that the time is UTC."""
    return f"{what}-{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%SZ}{kind}"


def target(text: str, kinds: tuple[str, ...]) -> Path:
    """The file that a text names, from the working folder on. Raises ExportError: other kind, no folder, it exists."""
    path = Path(text.strip()).expanduser()
    if not text.strip():
        raise ExportError(f"to which file? its name ends in {', '.join(kinds[:-1])} or {kinds[-1]}")
    if path.suffix.lower() not in kinds:
        raise ExportError(f"“{text}” must end in {', '.join(kinds[:-1])} or {kinds[-1]}")
    path = path.absolute()
    if not path.parent.is_dir():
        raise ExportError(f"there is no folder {path.parent}")
    if path.exists():
        raise ExportError(f"{path} exists already; give another name")
    return path


def write_table(frame: pl.DataFrame, path: Path) -> int:
    """Write the rows; lists become texts in CSV, which knows none. Returns their number. Raises ExportError."""
    import polars as pl

    with _beside(path) as fresh:
        if path.suffix.lower() == ".parquet":
            frame.write_parquet(fresh)
        elif path.suffix.lower() == ".json":
            from engine.export import json_rows

            fresh.write_bytes(json_rows(frame))
        else:
            lists = [name for name, kind in frame.schema.items() if kind == pl.List]
            flat = frame.with_columns(
                pl.col(name).list.eval(pl.element().cast(pl.String)).list.join(" ") for name in lists
            )
            flat.write_csv(fresh)
    return frame.height


def write_text(text: str, path: Path) -> None:
    """Write the screen. Raises ExportError."""
    with _beside(path) as fresh:
        fresh.write_text(text, "utf-8")


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which then takes its place: nobody ever sees half a file."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield fresh
        fresh.replace(path)
    except faults() as error:
        fresh.unlink(missing_ok=True)
        raise ExportError(f"{path}: {error}".splitlines()[0]) from error
