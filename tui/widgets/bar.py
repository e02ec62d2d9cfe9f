"""One line of the screen that repaints only when its words change: header, message and footer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from engine.errors import faults, printable
from tui import theme
from tui.lines import BLANK, Line, clip, length_of, plain
from tui.screens.live import LiveScreen
from tui.view import View

log = logging.getLogger(__name__)


def segments(line: Line, width: int, styles: Mapping[str, Style]) -> list[Segment]:
    """The line's pieces in their styles, padded or cut to exactly `width` cells; an unknown role is plain text.

    Whatever brought the words here, a pasted query or a file of one's own, nothing that a terminal obeys leaves here.
    """
    rest = styles["text"]
    words = plain(line)
    if not words.isprintable():
        line, words = tuple((printable(text), role) for text, role in line), printable(words)
    length = length_of(words)
    if length > width:
        return list(strip(line, length, styles).crop(0, width))
    pieces = [Segment(text, styles.get(role, rest)) for text, role in line]
    if length < width:
        pieces.append(Segment(" " * (width - length), rest))
    return pieces


def strip(line: Line, width: int, styles: Mapping[str, Style]) -> Strip:
    """The line as Textual draws it."""
    return Strip(segments(line, width, styles), width)


def filtered(widget: Widget, drawn: Strip) -> Strip:
    """What the app's filters make of a strip. Our styles hold true colours: nothing for the filter that makes them."""
    for line_filter in widget.get_line_filters():
        if not isinstance(line_filter, ANSIToTruecolor):
            drawn = drawn.apply_filter(line_filter, widget.background_colors[1])
    return drawn


class Bar(Widget):
    """The base of the one-line widgets."""

    DEFAULT_CSS = "Bar { height: 1; }"
    ground: ClassVar[str] = "background"
    """The meaning of the colour behind it."""
    steady: ClassVar[bool] = False
    """True where its words follow from its width alone."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._line: Line = BLANK
        self._width = 0
        """The width that the line was painted for."""
        self._styles: Mapping[str, Style] = {}
        self._drawn: tuple[tuple[Line, int], Strip] | None = None
        """The line that was drawn in so many cells, and as what."""

    def paint(self, view: View, width: int) -> Line:
        """The line for this moment."""
        raise TypeError(f"{type(self).__name__} paints nothing")

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._restyle())
        self._restyle()

    def on_unmount(self) -> None:
        self.app.theme_changed_signal.unsubscribe(self)  # it would hold what is gone until the theme changes

    def _restyle(self) -> None:
        self._styles = theme.styles(self.app.theme, self.ground)
        self._drawn = None
        self.refresh()

    def show(self, view: View) -> None:
        """Paint this moment, if its words differ."""
        width = self.size.width
        if self.steady and self._line and width == self._width:
            return
        try:
            line = clip(self.paint(view, width), width)
        except faults() as error:  # what breaks in a line ends that line alone, in words
            words = printable(f" ✗ {self.id or 'this line'} failed: {type(error).__name__}: {error}")
            line = clip(((words, "alert"),), width)
            if line != self._line:
                log.exception("the line %s", self.id)
        else:
            self._width = width
        if line != self._line:
            self._line = line
            self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The line, made once; Textual's own way goes through its styles in every frame, whatever has changed."""
        if not self._line and isinstance(self.screen, LiveScreen):
            self.screen.begin()
        line, width = self._line, self.outer_size.width
        if self._drawn is None or self._drawn[0] != (line, width):
            self._drawn = ((line, width), filtered(self, strip(line, width, self._styles)))
        drawn = self._drawn[1]
        x1, x2 = crop.column_span
        return [drawn if (x1, x2) == (0, width) else drawn.crop(x1, x2)] * crop.height
