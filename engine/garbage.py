"""When Python looks for garbage: seldom, and never among what a run holds for good; and that what is freed goes back.

Most of what lives here is for good (libraries, market lists, bars), and what a tick leaves behind is freed at once by
counting; a search of everything costs a tenth of a second, in which no key is answered. So a search begins after more
objects, and what stands once the run has settled is left out of every later one. While the libraries come in there is
none at all: they make some hundred thousand objects that all stay, and the searches would be a sixth of the start.
"""

from __future__ import annotations

import gc
import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ctypes import CDLL

THRESHOLDS: Final = (3_000, 3, 600)
"""Objects made and not freed before the young are searched, and after how many of those searches the older are. No key
is answered during a search, which takes half a microsecond an object: of the 10,000 that three searches leave, 5 ms.
The third number is large because the second is small: everything is searched as seldom as it was."""

LARGE: Final = 256 * 1024
"""Bytes from which on a piece of memory is kept apart from the small ones: a TLS connection's buffer is one."""
_M_MMAP_THRESHOLD: Final = -3
"""As glibc's malloc.h has it."""
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
    library = _glibc()
    return library is not None and library.malloc_trim(0) == 1


@cache
def _glibc() -> CDLL | None:
    """The C library, where it is the one that these requests are for."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


def seldom() -> None:
    """From now on, search after more objects, and keep what is large apart. For the whole process."""
    gc.set_threshold(*THRESHOLDS)
    keep_apart()


def keep_apart() -> bool:
    """From now on a large piece of memory comes from the system and goes back to it; False where that cannot be said.

    By itself the C library counts as large only what is larger than the largest piece that was ever freed, up to 32 MB.
    After one huge answer the buffers of every connection lie among the small pieces, and each that goes leaves a hole.
    """
    library = _glibc()
    return library is not None and library.mallopt(_M_MMAP_THRESHOLD, LARGE) == 1


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
