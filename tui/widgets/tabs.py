"""The line that names the screens: the one in sight stands out, a click goes to another."""

from __future__ import annotations

from textual.events import Click

from tui import catalogue
from tui.lines import Line, Span, width_of
from tui.view import View
from tui.widgets.bar import Bar


def tabs(here: int, width: int) -> Line:
    """Every screen with its number; where the line is too short only the one in sight has its title."""
    for everything in (True, False):
        spans: list[Span] = [(" ", "dim")]
        for place in catalogue.SCREENS:
            now = place.number == here
            title = f" {place.tab}" if everything or now else ""
            spans += [
                (str(place.number), "key" if now else "dim"),
                (title, "title-focus" if now else "dim"),
                ("  ", "dim"),
            ]
        if width_of(spans) <= width:
            break
    return tuple(spans)


class Tabs(Bar):
    """The line."""

    ground = "surface"
    steady = True

    def __init__(self, here: int, id: str | None = None) -> None:
        super().__init__(id=id)
        self._here = here

    def paint(self, view: View, width: int) -> Line:
        return tabs(self._here, width)

    async def on_click(self, event: Click) -> None:
        """Go to the screen whose name was clicked."""
        at = 0
        number = 0
        for text, _ in tabs(self._here, self.size.width):
            if text.isdigit():
                number = int(text)
            at += len(text)
            if event.x < at:
                break
        if number:
            await self.run_action(f"app.screen({number})")
