"""One line of the screen that repaints only when its words change: header, message and footer."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui import theme
from tui.lines import BLANK, Line, clip
from tui.view import View


class Bar(Widget):
    """The base of the one-line widgets."""

    DEFAULT_CSS = "Bar { height: 1; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._line: Line = BLANK
        self._styles: Mapping[str, Style] = {}

    def paint(self, view: View, width: int) -> Line:
        """The line for this moment."""
        raise TypeError(f"{type(self).__name__} paints nothing")

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._restyle())
        self._restyle()

    def _restyle(self) -> None:
        self._styles = theme.styles(self.app.theme)
        self.refresh()

    def show(self, view: View) -> None:
        """Paint this moment, if its words differ."""
        line = clip(self.paint(view, self.size.width), self.size.width)
        if line != self._line:
            self._line = line
            self.refresh()

    def render_line(self, y: int) -> Strip:
        styles = self._styles
        strip = Strip([Segment(text, styles.get(role)) for text, role in self._line])
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)
