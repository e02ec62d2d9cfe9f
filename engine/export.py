"""A snapshot as plain data: what `sizewatch snapshot --json` prints, and nothing that JSON cannot say.

Missing stays null and NaN never appears; times are ISO 8601 with their zone; ages are as of `as_of`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import polars as pl

from engine.model import MarketClock, Snapshot

SCHEMA_VERSION: Final = 1
"""Grows when a name or a meaning changes, not when something is added."""


def iso(seconds: float | None) -> str | None:
    """Epoch seconds as ISO 8601 in UTC, `2026-01-09T15:30:00.250000+00:00`."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a live table as JSON-ready dicts."""
    return [{name: _plain(value) for name, value in row.items()} for row in table.iter_rows(named=True)]


def as_dict(snapshot: Snapshot, tables: Iterable[str] | None = None) -> dict[str, Any]:
    """The whole snapshot, or of its tables only those named. Raises KeyError with the name of one that is not there."""
    names = tuple(snapshot.tables) if tables is None else tuple(tables)
    return {
        "schema_version": SCHEMA_VERSION,
        "mode": snapshot.mode.value,
        "scenario": snapshot.scenario,
        "as_of": iso(snapshot.as_of),
        "clock": {"offset_s": snapshot.clock_offset, "nyse": _clock(snapshot.nyse)},
        "settled": snapshot.settled,
        "notices": [{"at": iso(n.at), "severity": n.severity, "text": n.text} for n in snapshot.notices],
        "tables": {name: rows(snapshot.tables[name]) for name in names},
    }


def to_json(snapshot: Snapshot, tables: Iterable[str] | None = None, *, indent: bool = False) -> bytes:
    """`as_dict` as one JSON object in UTF-8."""
    return orjson.dumps(as_dict(snapshot, tables), option=orjson.OPT_INDENT_2 if indent else 0)


def json_rows(table: pl.DataFrame) -> bytes:
    """The rows of a live table as a JSON array of objects."""
    return orjson.dumps(rows(table), option=orjson.OPT_INDENT_2)


def json_line(values: Mapping[str, Any]) -> str:
    """One JSON object without a line break; what is no number is null."""
    return orjson.dumps(dict(values)).decode()


def _clock(clock: MarketClock) -> dict[str, Any]:
    return {
        "market": clock.market,
        "state": clock.state.value,
        "next_change": iso(clock.next_change),
        "early_close": clock.early_close,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
