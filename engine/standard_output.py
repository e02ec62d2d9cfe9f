"""Standard output that is ours alone: scripts read it, no library may write there, and a reader may leave any time."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO


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
