"""A screen that the frame clock paints."""

from __future__ import annotations

from textual.screen import Screen

from tui.view import View


class LiveScreen(Screen[None]):
    """The base of the screens that show data."""

    def show(self, view: View) -> None:
        """Paint this moment."""
        raise TypeError(f"{type(self).__name__} shows nothing")
