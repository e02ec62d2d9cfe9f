"""Where a screen's panes stand: their boxes come from the layout in force, nothing else moves or hides a pane.

A pane is made when a layout first needs it. A pane without a box is not drawn and cannot have the focus.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, WidgetPlacement
from textual.layout import Layout as TextualLayout
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui import catalogue
from tui.layouts import Box, Layout, Rows, choose, place
from tui.widgets.bar import Bar
from tui.widgets.linepane import LinePane

Drawn = LinePane | Bar


class Maker(Protocol):
    """`catalogue.make`: a pane from the name that a layout gives it."""

    def __call__(self, name: str, /) -> Drawn: ...


class _Boxes(TextualLayout):
    """Puts each child into the box that the body names for it."""

    name = "boxes"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        if not isinstance(parent, Body):
            return []
        boxes = parent.boxes(size)
        made = parent.panes
        return [
            WidgetPlacement(Region(*box), NULL_OFFSET, NULL_SPACING, made[name])
            for name, box in boxes.items()
            if name in made
        ]


class Body(Container):
    """The panes of one screen."""

    class Changed(Message):
        """A pane was made, or another layout is in force."""

    def __init__(self, layout: Layout, window: tuple[int, int], make: Maker = catalogue.make) -> None:
        """Make the panes that the layout has at this size of window, columns and lines."""
        super().__init__(id="body")
        self._boxes = _Boxes()
        self.layouts = layout
        self._make = make
        self.panes: dict[str, Drawn] = {}
        """Every pane made so far, by the name that the layout gives it."""
        self.zoomed: str | None = None
        self._window = window
        self._made(self._wanted())

    @property
    def layout(self) -> TextualLayout:
        return self._boxes

    def compose(self) -> ComposeResult:
        yield from self.panes.values()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Nothing of its own: between the panes the screen's ground shows."""
        return []

    # --- what is in force

    @property
    def variant(self) -> tuple[int, int]:
        """The smallest size that the layout in force is for."""
        return choose(self.layouts, *self._window)

    @property
    def rows(self) -> Rows:
        """The layout in force."""
        return self.layouts[self.variant]

    @property
    def names(self) -> tuple[str, ...]:
        """Every pane of this screen at any size, those of the layout in force first."""
        everywhere = [n for rows in (self.rows, *self.layouts.values()) for row in rows for n in row.panes]
        return tuple(n for n in dict.fromkeys(everywhere) if catalogue.known(n))

    def boxes(self, size: Size) -> dict[str, Box]:
        """Pane → box in this many cells."""
        if self.zoomed is not None:
            return {self.zoomed: Box(0, 0, size.width, size.height)}
        return place(self.rows, size.width, size.height)

    def _wanted(self) -> Sequence[str]:
        return tuple(
            dict.fromkeys([*((self.zoomed,) if self.zoomed else ()), *(n for r in self.rows for n in r.panes)])
        )

    # --- changes

    def arrange_as(self, layout: Layout) -> None:
        """Use another layout."""
        self.layouts = layout
        self.zoomed = None
        self._fill()

    def zoom(self, name: str | None) -> None:
        """Give one pane all the room, or give it back."""
        self.zoomed = name
        self._fill()

    def on_resize(self, event: Resize) -> None:
        """The window has another size: another layout may be due."""
        window = (self.app.size.width, self.app.size.height)
        if window != self._window:
            self._window = window
            self._fill()

    def _made(self, names: Sequence[str]) -> list[Drawn]:
        """The panes of these names that had yet to be made."""
        missing = [n for n in names if n not in self.panes and catalogue.known(n)]
        for name in missing:
            self.panes[name] = self._make(name)
        for pane in self.panes.values() if missing else ():
            if isinstance(pane, LinePane):
                pane.joined(self.panes)
        return [self.panes[name] for name in missing]

    def _fill(self) -> None:
        """Make what is due and not made yet, and stand everything where it belongs."""
        missing = self._made(self._wanted())
        if missing:
            self.mount(*missing)
        for pane in self.panes.values():  # a child's wish: Textual keeps a container's own arrangement otherwise
            pane.refresh(layout=True)
            break
        self.post_message(self.Changed())
