"""When Python looks for garbage: seldom, and never among what a run holds for good.

Most of what lives here is for good (libraries, market lists, bars), and what a tick leaves behind is freed at once by
counting; a search of everything costs a tenth of a second, in which no key is answered. So a search begins after more
objects, and what stands once the run has settled is left out of every later one. While the libraries come in there is
none at all: they make some hundred thousand objects that all stay, and the searches would be a sixth of the start.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Final

THRESHOLDS: Final = (3_000, 20, 100)
"""Objects made and not freed before the young are searched, and after how many of those searches the older are. No key
is answered during a search, which takes a microsecond an object: of 20,000 young ones, 10 to 30 ms."""

SWEEP_S: Final = 60.0
_swept = [float("-inf")]


def sweep() -> None:
    """A connection's objects were let go of: search all that is not for good, and give its room back; once a minute at
    the most.

    What refers to itself in a circle would else wait for days: at every reconnect, hundreds of kilobytes.
    """
    now = time.monotonic()
    if gc.isenabled() and now - _swept[0] >= SWEEP_S:
        _swept[0] = now
        gc.collect()
        give_back()


def give_back() -> bool:
    """Return what stands free to the system; False where nothing could be, or it cannot be asked for.

    A burst or a huge answer leaves tens of megabytes free that the C library would keep, because something small that
    was made meanwhile stands behind them. Takes some 10 ms, in which other threads run on.
    """
    trim = _trim()
    return trim is not None and trim(0) == 1


@cache
def _trim() -> Callable[[int], int] | None:
    """glibc's `malloc_trim`; None where the C library is another."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return found


def seldom() -> None:
    """From now on, search after more objects. For the whole process."""
    gc.set_threshold(*THRESHOLDS)


def keep() -> None:
    """Everything that stands now is for good. Costs nothing; called once a run, since a cycle in it stays in memory."""
    gc.freeze()


def hold() -> None:
    """Seek nothing until `resume`."""
    gc.disable()


def resume() -> None:
    """Seek again, among what comes from now on; nothing where nothing was held."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
