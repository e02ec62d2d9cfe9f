"""A page of lines over the dashboard: start, help and detail. Movement and leaving use the same keys as everywhere."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from tui import keys
from tui.screens.asking import AskingScreen
from tui.screens.live import LiveScreen, leave
from tui.view import View
from tui.widgets.linepane import LinePane


class Sheet(LiveScreen, ModalScreen[None]):
    """A modal page that holds one pane."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(
        "down", "up", "top", "bottom", "half_down", "half_up", "back", "help", "copy", "quit", "theme"
    )

    def __init__(self, page: LinePane) -> None:
        super().__init__()
        self._page = page
        self._early: list[str] = []
        """Moves from before the page had lines: who types ahead is not to type in vain."""

    def compose(self) -> ComposeResult:
        yield self._page

    def show(self, view: View) -> None:
        """Paint this moment."""
        self._page.show(view)
        while self._early and self._page.rows:
            self._page.move(self._early.pop(0))

    def action_move(self, how: str) -> None:
        """Move through the page, whoever has the focus."""
        if self._page.rows:
            self._page.move(how)
        else:
            self._early.append(how)

    def action_copy(self) -> None:
        """Copy the page's line under the cursor."""
        if self._page.rows:
            self.app.copy_to_clipboard(self._page.rows[self._page.index()])

    def action_back(self) -> None:
        """Return to what is behind."""
        self.dismiss()


class Page(Sheet):
    """A sheet about what is behind it: the keys that hold everywhere hold here, too."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(*keys.EVERYWHERE, "command")

    async def action_command(self, value: str = "") -> None:
        """Leave the page and those below it, and ask for a command on the screen behind them."""
        app = self.app
        await leave(app, Sheet)
        if isinstance(app.screen, AskingScreen):
            await app.screen.action_command(value)
