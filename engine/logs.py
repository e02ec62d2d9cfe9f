"""The log of a run: rotated, bounded, printable, without secrets, and never a word of it on the terminal.

What breaks (a feed, a pane, a table, a beat) is written with where it broke; several terminals may share the file. A
log that cannot be written is no log, and nothing else. Light to import: the front door begins it before the first
paint.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Final

from engine.errors import printable

FILE_NAME: Final = "sizewatch.log"
LARGEST: Final = 1_000_000
"""Bytes of one file."""
KEPT: Final = 3
"""Older files beside it, `.1` the newest: 4 MB in all."""
LONGEST: Final = 8_000
"""Characters of one entry; a traceback is cut in its middle."""
SAME: Final = 5
"""Entries that one line of the program may write a minute; what is left out is counted."""
FORGET_S: Final = 60.0
PAUSE_S: Final = 60.0
"""Without a log after a write that failed."""
_LINES: Final = 512
"""Lines of the program whose entries are counted at a time."""
HIDDEN: Final = "…"
_SECRETS: Final = (
    # the name and password, and the path of a service's address, which is where bots keep their tokens
    (r"\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@'\"]+@", rf"\1{HIDDEN}@"),
    (r"\b(?!https?:|wss?:|file:|tcp:|udp:)([a-z][a-z0-9+.-]{1,20}://)[^\s'\"<>)]+", rf"\1{HIDDEN}"),
    (
        r"((?:api[_-]?key|[a-z_-]*token|secret|passw(?:or)?d|passphrase|signature|crumb|authorization|cookie"
        r"|x-cg-[a-z-]*key)['\"]?\s*[=:]\s*['\"]?(?:bearer\s+|basic\s+)?)[^\s'\",;&)}\]]+",
        rf"\1{HIDDEN}",
    ),
    # a webhook's address: whoever has it may write there
    (
        r"(https://(?:hooks\.[^\s/]+/|discord(?:app)?\.com/api/webhooks/|api\.telegram\.org/bot))[^\s'\"]*",
        rf"\1{HIDDEN}",
    ),
)
"""Patterns, whatever their case, and what stands instead; compiled by the first entry, not before the first paint."""


def redacted(text: str) -> str:
    """`text` without what looks like a secret: passwords in addresses, keys, tokens, cookies, webhooks' paths."""
    for pattern, instead in _SECRETS:
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
    return text


class _Formatter(logging.Formatter):
    """One entry: a line, and the traceback's lines below it."""

    converter = time.gmtime  # type: ignore[assignment]

    def format(self, record: logging.LogRecord) -> str:
        text = redacted(super().format(record))
        if len(text) > LONGEST:
            text = f"{text[: LONGEST // 2]}\n  …\n{text[-LONGEST // 2 :]}"
        return "\n    ".join(printable(line) for line in text.splitlines())


class _Few(logging.Filter):
    """Lets each line of the program write a few entries a minute: a fault in a loop does not push out all else."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        line = (record.pathname, record.lineno)
        since, count = self._seen.get(line, (record.created, 0))
        if record.created - since >= FORGET_S:
            if count > SAME:
                record.msg = f"{record.getMessage()} ({count - SAME} more like this were left out)"
                record.args = ()
            since, count = record.created, 0
        if line not in self._seen and len(self._seen) >= _LINES:
            self._seen.clear()
        self._seen[line] = (since, count + 1)
        return count < SAME


class _Handler(RotatingFileHandler):
    """Several processes may write the file and turn it over; one that cannot be written is given up in silence."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", delay=True, errors="replace")
        self._not_before = 0.0
        """On the system's clock: no try until then."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.created >= self._not_before:
            self._follow()
            super().emit(record)

    def _follow(self) -> None:
        """Open the file anew where another process has turned it over."""
        if self.stream is None:
            return
        try:
            same = os.path.samestat(os.fstat(self.stream.fileno()), Path(self.baseFilename).stat())
        except OSError:
            same = False
        if not same:
            with contextlib.suppress(OSError):
                self.stream.close()
            self.stream = None

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """A full disk, a folder that cannot be written: the live view goes on without a log for a while."""
        raced = isinstance(sys.exc_info()[1], FileNotFoundError)  # another process turned the file over just now
        self._not_before = record.created + (0.0 if raced else PAUSE_S)


@contextlib.contextmanager
def kept(folder: Path, level: int = logging.WARNING) -> Iterator[Path]:
    """Have all that is logged, warned of or unhandled in a thread written to a file in `folder`.

    Yields the file. Restores what was there before on the way out.
    """
    file = folder / FILE_NAME
    with contextlib.suppress(OSError):  # said by whoever keeps data there; the handler gives up by itself
        folder.mkdir(parents=True, exist_ok=True)
    handler = _Handler(file)
    handler.setFormatter(_Formatter("%(asctime)sZ %(levelname)-7s %(process)d %(name)s: %(message)s"))
    handler.addFilter(_Few())
    root = logging.getLogger()
    before, hooks = root.level, (threading.excepthook, sys.unraisablehook)
    others = [other for other in root.handlers if other.level == logging.NOTSET]
    for other in others:  # what goes elsewhere, such as to standard error, stays as little as it was
        other.setLevel(before)
    root.addHandler(handler)
    root.setLevel(min(before, level) if before else level)
    threading.excepthook = _thread_ended
    sys.unraisablehook = _unraisable
    try:
        yield file
    finally:
        threading.excepthook, sys.unraisablehook = hooks
        root.removeHandler(handler)
        root.setLevel(before)
        for other in others:
            other.setLevel(logging.NOTSET)
        handler.close()


_log = logging.getLogger(__name__)


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    name = told.thread.name if told.thread is not None else "a thread"
    if told.exc_type is SystemExit:
        return
    _log.error("%s ended", name, exc_info=_info(told.exc_type, told.exc_value, told.exc_traceback))


def _unraisable(told: sys.UnraisableHookArgs) -> None:
    _log.error(
        "%s %.200r", told.err_msg or "unraisable, in", told.object,
        exc_info=_info(told.exc_type, told.exc_value, told.exc_traceback),
    )  # fmt: skip


def _info(
    kind: type[BaseException], value: BaseException | None, trace: TracebackType | None
) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    return kind, value if value is not None else kind(), trace
