"""The line in which the user types a filter."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from textual.widgets import Input

from engine.errors import printable

PATIENCE_S: Final = 0.25
"""Keys wait no longer than this for what was entered: a command may be slow, and keys answer all the same."""


class Typed(Input):
    """A line to type in that takes nothing which a terminal would obey: a paste may hold anything."""

    _entered = False
    """Enter was pressed, and its screen has not carried it out yet."""

    async def caught_up(self) -> None:
        """Until the keys so far have done what they do, be it that the line is gone."""
        self._idle.clear()
        if self.call_later(self._heard):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), PATIENCE_S)

    async def action_submit(self) -> None:
        self._entered = True
        await super().action_submit()

    def carried_out(self) -> None:
        """What was entered is done, or refused."""
        self._entered = False
        self._heard()

    def _heard(self) -> None:
        if not self._entered:
            self._idle.set()

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace(printable(text), start, end)

    def on_mount(self) -> None:
        self._idle = asyncio.Event()
        self._told_by = self.screen.text_selection_started_signal

    def on_unmount(self) -> None:
        """Take back what Textual's Input leaves with its screen: it would hold every line that was ever typed."""
        self._told_by.unsubscribe(self)
        self._heard()


class Prompt(Typed):
    """One line with its own look; Enter keeps the filter, Esc takes it away."""

    BINDING_GROUP_TITLE = "Filter"

    def __init__(self, value: str) -> None:
        super().__init__(value, placeholder="symbol, basket, source or status", compact=True, id="prompt")
