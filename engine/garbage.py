"""When Python looks for garbage: seldom, and never among what a run holds for good.

Most of what lives here is for good (libraries, market lists, bars), and what a tick leaves behind is freed at once by
counting; a search of everything costs a tenth of a second, in which no key is answered. So a search begins after more
objects, and what stands once the run has settled is left out of every later one. While the libraries come in there is
none at all: they make some hundred thousand objects that all stay, and the searches would be a sixth of the start.
"""

from __future__ import annotations

import gc
import time
from typing import Final

THRESHOLDS: Final = (3_000, 20, 100)
"""Objects made and not freed before the young are searched, and after how many of those searches the older are. No key
is answered during a search, which takes a microsecond an object: of 20,000 young ones, 10 to 30 ms."""

SWEEP_S: Final = 60.0
_swept = [float("-inf")]


def sweep() -> None:
    """A connection's objects were let go of: search all that is not for good, once a minute at the most.

    What refers to itself in a circle would else wait for days: at every reconnect, hundreds of kilobytes.
    """
    now = time.monotonic()
    if gc.isenabled() and now - _swept[0] >= SWEEP_S:
        _swept[0] = now
        gc.collect()


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
