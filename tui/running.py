"""The terminal's life: shown until the user leaves, a signal ends it, or the window is closed under it.

A window that was closed takes nothing any more, so nothing may wait for it: what is still drawn goes nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

    from tui.app import SizewatchApp


def run(app: SizewatchApp, leave: Callable[[int, FrameType | None], NoReturn]) -> bool:
    """Show `app` until it ends; True where its terminal went away.

    leave: ends the program, for the case that the terminal's writer is stuck. The threads that write to a terminal that
    went away may wait for ever: the caller must not wait for them.
    """
    lost = False

    def hung_up() -> None:
        nonlocal lost
        signal.signal(signal.SIGALRM, leave)
        signal.setitimer(signal.ITIMER_REAL, 3.0, 1.0)  # Textual's writer may be stuck already
        app.exit()
        if not _gone():  # somebody sent the signal, and the terminal is to be as it was
            return
        lost = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                os.dup2(nowhere, stream.fileno())

    async def shown() -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows has neither
            loop.add_signal_handler(signal.SIGTERM, app.exit)
            loop.add_signal_handler(signal.SIGHUP, hung_up)
        await app.run_async()

    with contextlib.suppress(KeyboardInterrupt, SystemExit):
        asyncio.run(shown())
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0.0)  # what is left to close has its own limits of time
    return lost or _gone()


def _gone() -> bool:
    """Whether the terminal takes nothing any more."""
    if not hasattr(os, "tcgetpgrp"):  # Windows closes the program with its window
        return False
    try:
        os.tcgetpgrp(0)
    except OSError as error:
        return error.errno == errno.EIO
    return False
