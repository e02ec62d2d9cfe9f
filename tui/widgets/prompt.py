"""The line in which the user types a filter."""

from __future__ import annotations

from textual.widgets import Input

from engine.errors import printable


class Typed(Input):
    """A line to type in that takes nothing which a terminal would obey: a paste may hold anything."""

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace(printable(text), start, end)

    def on_mount(self) -> None:
        self._told_by = self.screen.text_selection_started_signal

    def on_unmount(self) -> None:
        """Take back what Textual's Input leaves with its screen: it would hold every line that was ever typed."""
        self._told_by.unsubscribe(self)


class Prompt(Typed):
    """One line with its own look; Enter keeps the filter, Esc takes it away."""

    BINDING_GROUP_TITLE = "Filter"

    def __init__(self, value: str) -> None:
        super().__init__(value, placeholder="symbol, basket, source or status", compact=True, id="prompt")
