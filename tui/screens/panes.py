"""A screen of numbered panes: focus, zoom, detail and copy work the same on every one of them.

The screen names its panes, lines and main pane; where each stands is the stylesheet's. A pane that has no room is
reached by its number, which zooms it.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import Widget

from tui.screens.live import LiveScreen
from tui.view import View
from tui.widgets.bar import Bar
from tui.widgets.linepane import LinePane

WIDTHS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
HEIGHTS = [(0, "-tiny"), (18, "-short"), (30, "-tall"), (50, "-high")]


class PaneScreen(LiveScreen):
    """The base of the dashboard and the screens beside it."""

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(self, panes: Sequence[LinePane], bars: Sequence[Bar], main: LinePane) -> None:
        """main: has the focus at first, and when the focused pane has no room any more."""
        super().__init__()
        self._panes = tuple(panes)
        self._bars = tuple(bars)
        self._main = main

    def others(self) -> Sequence[LinePane]:
        """Panes that are drawn but never focused."""
        return ()

    def show(self, view: View) -> None:
        """Paint this moment on everything that can be seen."""
        if not self.has_class("-zoomed") and not self._focused().is_on_screen:
            self._main.focus()
        for bar in self._bars:
            if bar.is_on_screen:
                bar.show(view)
        for pane in (*self._panes, *self.others()):
            if pane.is_on_screen:
                pane.show(view)

    # --- focus

    def _visible(self) -> list[LinePane]:
        return [p for p in self._panes if p.is_on_screen and p.can_focus]

    def _focused(self) -> LinePane:
        focused = self.focused
        return focused if isinstance(focused, LinePane) else self._main

    def action_next_pane(self, step: int) -> None:
        """Focus the next or the previous pane in sight."""
        panes = self._visible()
        if panes:
            at = panes.index(self._focused()) if self._focused() in panes else -step
            panes[(at + step) % len(panes)].focus()

    def action_pane(self, number: int) -> None:
        """Focus the pane with this number, if there is one; one that has no room on this screen is zoomed."""
        pane = next((p for p in self._panes if p.number == number), None)
        if pane is None:
            return
        if self.has_class("-zoomed") or not pane.is_on_screen:
            self._zoom(pane)
        pane.focus()

    def action_side(self, step: int) -> None:
        """Focus the nearest pane on the left or on the right that shares a line with this one."""
        here = self._focused().region
        beside = [
            p for p in self._visible()
            if (p.region.x - here.x) * step > 0 and p.region.y < here.bottom and here.y < p.region.bottom
        ]  # fmt: skip
        if beside:
            min(beside, key=lambda p: (abs(p.region.x - here.x), abs(p.region.y - here.y))).focus()

    # --- rows

    def action_move(self, how: str) -> None:
        """Move the focused pane's cursor."""
        self._focused().move(how)

    async def action_detail(self) -> None:
        """Show all values of the row under the cursor."""
        from tui.screens.detail import Detail

        pane = self._focused()
        if pane.record() is not None:
            await self.app.push_screen(Detail(pane))

    def action_copy(self) -> None:
        """Copy the row under the cursor: names and values, one a line."""
        record = self._focused().record()
        if record is not None:
            self.app.copy_to_clipboard("\n".join(f"{k}\t{'' if v is None else v}" for k, v in record.items()))
            self.notify(f"copied {next(iter(record.values()))}", timeout=2)

    # --- zoom

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, or give it back."""
        self._zoom(None if self.has_class("-zoomed") else self._focused())

    def _zoom(self, pane: LinePane | None) -> None:
        for widget in self.query(".-zoom"):
            widget.remove_class("-zoom")
        self.set_class(pane is not None, "-zoomed")
        node: Widget | None = pane
        while node is not None and node.id != "body":
            node.add_class("-zoom")
            node = node.parent if isinstance(node.parent, Widget) else None
