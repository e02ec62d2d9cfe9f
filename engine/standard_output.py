"""Standard output and the terminal are ours alone: what libraries write there, even from C or Rust, goes elsewhere.

Scripts read standard output, and a reader may leave any time. On the screen a library's line would stand among the
panes until something else is painted there; it belongs in the log.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from typing import Final, TextIO

log = logging.getLogger(__name__)
_PIECE: Final = 4096
"""Bytes of what a library says that become one entry of the log."""
_LEAVE_S: Final = 1.0


def say(lines: Iterable[str], out: TextIO) -> bool:
    """Write lines; False where the reader has gone, which ends a command in peace (`… | head`)."""
    try:
        for line in lines:
            out.write(line + "\n")
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        return False
    return True


@contextlib.contextmanager
def only_ours_on_stdout() -> Iterator[TextIO]:
    """Standard output as a file of our own; what libraries print meanwhile, even from C, goes to standard error."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as ours:
        os.dup2(2, 1)
        try:
            yield ours
        finally:
            sys.stdout.flush()
            ours.flush()
            os.dup2(ours.fileno(), 1)


@contextlib.contextmanager
def only_ours_on_screen() -> Iterator[None]:
    """Python's standard output and error go on to the terminal, what comes to their descriptors goes to the log.

    So the terminal's driver, which writes by Python's, has the screen to itself. Where the system has no such
    descriptors (Windows), nothing changes.
    """
    if os.name != "posix" or sys.__stdout__ is None or sys.__stderr__ is None:
        yield
        return
    before = sys.__stdout__, sys.__stderr__, sys.stdout, sys.stderr
    for stream in before:
        stream.flush()
    out, err = (_same(stream, number) for number, stream in ((1, sys.__stdout__), (2, sys.__stderr__)))
    said, tell = os.pipe()
    os.set_blocking(tell, False)  # who writes more than is read loses words, and waits for nobody
    for number in (1, 2):
        os.dup2(tell, number)
    os.close(tell)
    listener = threading.Thread(target=_listen, args=(said,), name="library-words", daemon=True)
    listener.start()
    sys.__stdout__, sys.__stderr__, sys.stdout, sys.stderr = out, err, out, err  # type: ignore[misc]
    try:
        yield
    finally:
        sys.__stdout__, sys.__stderr__, sys.stdout, sys.stderr = before  # type: ignore[misc]
        for number, stream in ((1, out), (2, err)):
            stream.flush()
            os.dup2(stream.fileno(), number)
            stream.close()
        listener.join(_LEAVE_S)


def _same(stream: TextIO, number: int) -> TextIOWrapper:
    """A file of our own where descriptor `number` leads now, that writes as `stream` does."""
    return os.fdopen(os.dup(number), "w", 1, encoding=stream.encoding, errors=stream.errors)


def _listen(said: int) -> None:
    """Log what comes, until nobody can write there any more."""
    while words := os.read(said, _PIECE):
        if text := words.decode(errors="replace").strip():
            log.warning("a library wrote to the terminal: %s", text)
    os.close(said)
