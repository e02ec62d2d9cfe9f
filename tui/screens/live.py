"""A screen that the frame clock paints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from textual.app import App
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from tui.view import Eye, View


@runtime_checkable
class Watching(Protocol):
    """An app that can say what this moment is."""

    eye: Eye


@runtime_checkable
class Slow(Protocol):
    """A line to type in that takes its keys in its own time."""

    async def caught_up(self) -> None:
        """Until the keys so far have done what they do."""


class LiveScreen(Screen[None]):
    """The base of the screens that show data."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """Textual paints the whole screen anew where the focus goes elsewhere; the two panes paint themselves."""

    _begun = False

    def begin(self) -> None:
        """Paint the moment at which the screen is first drawn: the frame clock comes round only later.

        Called by whatever is drawn without having been shown anything; everything stands in its place by then.
        """
        if not self._begun:
            self._begun = True
            if isinstance(self.app, Watching):
                self.show(self.app.eye.look())

    def left(self) -> None:
        """It goes for good, whatever comes next."""

    def forget(self) -> None:
        """Hold nothing of what was shown: a whole moment, tables and all, would be kept for as long as nobody looks.

        Whoever is drawn without having been shown anything since begins it again.
        """
        self._begun = False

    def show(self, view: View) -> None:
        """Paint this moment."""
        raise TypeError(f"{type(self).__name__} shows nothing")


async def leave(app: App[None], kinds: type[Screen[None]] | tuple[type[Screen[None]], ...]) -> None:
    """Take from the top whatever screens are of these kinds; the lowest stays."""
    while len(app.screen_stack) > 1 and isinstance(app.screen, kinds):
        if isinstance(app.screen, LiveScreen):
            app.screen.left()
        await app.pop_screen()


def in_sight(stack: Sequence[Screen[object]]) -> list[LiveScreen]:
    """The topmost screen that covers all, and the pages over it, from the lowest up."""
    seen: list[LiveScreen] = []
    for screen in reversed(stack):
        if isinstance(screen, LiveScreen):
            seen.insert(0, screen)
        if isinstance(screen, LiveScreen) and not screen.is_modal:
            break
    return seen
