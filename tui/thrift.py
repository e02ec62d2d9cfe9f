"""An app that writes to its terminal no more than differs, and nothing while the terminal is behind.

What was not written is owed: once the terminal has taken what it was sent, the screen as it is then is compared with
what stands there. So a slow link costs frames, never an ever later answer, and never memory.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.color import ColorSystem
from rich.control import Control
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.driver import Driver
from textual.events import Resize

from tui.page import Page

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

    from tui.link import LinkDriver


class ThriftyApp(App[None]):
    """The base of the terminal."""

    def __init__(self) -> None:
        self._page = Page()
        self._link: LinkDriver | None = None
        self._owed = False
        super().__init__()

    def get_driver_class(self) -> type[Driver]:
        """The driver that knows how far behind the terminal is, where there can be one."""
        if os.name == "nt" or "TEXTUAL_DRIVER" in os.environ:
            return super().get_driver_class()
        from tui.link import LinkDriver

        return LinkDriver

    def held_up(self) -> bool:
        """True while nothing is drawn because the terminal is behind."""
        link = self._thrifty()
        return self._owed and link is not None and link.ledger.behind()

    def _thrifty(self) -> LinkDriver | None:
        """The driver, where it is the one that this works with."""
        from tui.link import LinkDriver

        return self._driver if isinstance(self._driver, LinkDriver) else None

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Textual's way to the terminal, for every update of the top screen."""
        link = None if self.is_headless or self._batch_count else self._thrifty()
        if link is None or not isinstance(renderable, CompositorUpdate) or not self._running or self._closed:
            super()._display(screen, renderable)
            return
        if link.ledger.behind():
            self._owed = link.waiting = True
        else:
            self._write_update(link, renderable)
        self.post_display_hook()

    def _write_update(self, link: LinkDriver, update: CompositorUpdate) -> None:
        colours = self.console._color_system or ColorSystem.TRUECOLOR
        data = self._page.update(update, colours)
        if data is None:
            self._page.forget()
            data = update.render_segments(self.console)
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        if not data and cursor == self._previous_cursor_position:
            return
        self._previous_cursor_position = cursor
        data += Control.move_to(*cursor).segment.text
        link.frame(f"{SYNC_START}{data}{SYNC_END}" if self._sync_available else data)

    def on_link_driver_caught_up(self) -> None:
        """Draw what is owed: the screen as it is now."""
        self.pay()

    def pay(self) -> None:
        """Draw what is owed, if the terminal takes it."""
        link = self._thrifty()
        if self._owed and link is not None and not link.ledger.behind():
            self._owed = False
            whole = self.screen._compositor.render_update(full=True, screen_stack=self._background_screens)
            self._display(self.screen, whole)

    def on_resize(self, event: Resize) -> None:
        """A terminal of another size, or one that was away, has moved or lost what stood there."""
        self.action_redraw()

    def action_redraw(self) -> None:
        """Draw everything anew: another program has written over the screen."""
        self._page.forget()
        self.screen.refresh()
