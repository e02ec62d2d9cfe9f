"""Built calendars kept on disk: a start reads a small file where building takes a second of pandas.

A file counts only for the library's version, the days and the zone rules that it was built with, and for a month: what
it holds is what would be built. Missing, old, damaged or read-only, it costs that second again, and nothing else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import orjson

from engine.view import Session

log = logging.getLogger(__name__)

FORMAT: Final = 1
MAX_AGE_S: Final = 30 * 86_400.0
"""Rules of time zones change now and then, and with them the future's opens."""
LIMIT: Final = 4_000_000
"""Bytes of a file that are read at the most; one takes about 400 kB."""


def read(folders: Sequence[Path], market: str, first: str, last: str) -> tuple[Session, ...] | None:
    """The sessions of `market` from the first folder that has them; None where they must be built.

    first, last: the ISO days that they were asked for.
    """
    for folder in folders:
        file = _file(folder, market)
        try:
            if file.stat().st_size > LIMIT:
                continue
            held = orjson.loads(file.read_bytes())
            age = datetime.now(UTC).timestamp() - float(held["built_at"])
            if held["built_from"] == _built_from(first, last) and 0.0 <= age < MAX_AGE_S:
                return _sessions(held)
        except (OSError, ValueError, TypeError, KeyError, IndexError, metadata.PackageNotFoundError) as error:
            log.info("%s: %s: %s", file, type(error).__name__, error)
    return None


def write(folders: Sequence[Path], market: str, first: str, last: str, sessions: Sequence[Session]) -> None:
    """Keep what was built in the first folder; where that cannot be, the next start builds again."""
    if not folders:
        return
    file = _file(folders[0], market)
    beside = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        content = {
            "built_from": _built_from(first, last),
            "built_at": datetime.now(UTC).timestamp(),
            "day": [s.day for s in sessions],
            "open": [s.open for s in sessions],
            "close": [s.close for s in sessions],
            "early": [i for i, s in enumerate(sessions) if s.early],
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(orjson.dumps(content))
        beside.replace(file)
    except (OSError, metadata.PackageNotFoundError) as error:
        log.info("%s: %s", file, error)
        with contextlib.suppress(OSError):
            beside.unlink()


def _file(folder: Path, market: str) -> Path:
    return folder / f"calendar-{market}.json"


def _built_from(first: str, last: str) -> list[object]:
    return [FORMAT, metadata.version("exchange-calendars"), first, last]


def _sessions(held: Any) -> tuple[Session, ...]:
    """The sessions in a file's content. Raises what is wrong with it."""
    early = {int(i) for i in held["early"]}
    found = tuple(
        Session(int(day), float(opens), float(closes), i in early)
        for i, (day, opens, closes) in enumerate(zip(held["day"], held["open"], held["close"], strict=True))
    )
    if not found or any(s.open >= s.close for s in found):
        raise ValueError("a session without length")
    if any(a.day >= b.day or a.close > b.open for a, b in pairwise(found)):
        raise ValueError("sessions out of order")
    return found
