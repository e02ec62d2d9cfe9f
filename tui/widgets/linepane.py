"""A focusable table of lines that repaints only the lines that changed.

Subclasses say which tables they read and paint them to `Line`s; this class keeps the cursor on its row's key and the
scroll in bounds, and turns lines into strips. `show` is called by the frame clock only; nothing here has a timer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from engine.errors import faults, printable
from tui import theme
from tui.lines import BLANK, Line, fit, width_of, wrap
from tui.screens.live import LiveScreen
from tui.view import View
from tui.widgets import bar

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger(__name__)

NOTHING: tuple[Line, bool] = (BLANK, False)


class LinePane(ScrollView, can_focus=True, inherit_bindings=False):
    """The base of every pane."""

    heading: ClassVar[str] = ""
    reads: ClassVar[tuple[str, ...]] = ()
    """The live tables that it draws: it paints again when one of them is another object."""
    ground: ClassVar[str] = "background"
    """The meaning of the colour behind it."""
    ages: ClassVar[bool] = False
    """True where it shows times, so that it paints again each second."""
    narrows: ClassVar[bool] = False
    """True where `narrow_to` hides rows; elsewhere a filter's text is searched for."""
    sorts: ClassVar[bool] = False
    """True where `next_sort` and `turn_round` change the order of rows."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view: View | None = None
        self.head: tuple[Line, ...] = ()
        self.foot: tuple[Line, ...] = ()
        self.rows: Sequence[str] = ()
        """Keys of the body's rows, in the order shown."""
        self.cursor: str | None = None
        self._drawn: list[tuple[Line, bool]] = []
        self._inputs: tuple[object, ...] = ()
        self._broken = ""
        """Why nothing can be shown, while that is so."""
        self._logged = ""
        self._part = ""
        """Which rows are in sight, where not all are: `3–9 of 18`."""
        self._strips: dict[int, tuple[tuple[object, object], Strip]] = {}
        """Line on the screen, border included → what was drawn there, and as what."""
        self._styles: tuple[Mapping[str, Style], Mapping[str, Style]] = ({}, {})
        """At rest, and under the cursor."""

    # --- what a pane says of itself

    def prepare(self, view: View, width: int) -> None:
        """Set `rows`, `head` and `foot` for this moment."""
        raise TypeError(f"{type(self).__name__} paints nothing")

    def body(self, start: int, stop: int) -> Sequence[Line]:
        """The lines of rows start to stop."""
        raise TypeError(f"{type(self).__name__} paints nothing")

    def waiting(self, view: View) -> str:
        """What this pane waits for, in words, while it has no row."""
        return "waiting for data"

    def title(self, view: View) -> str:
        """What the border says."""
        return self.heading

    def wants_repaint(self, view: View) -> bool:
        """True where time alone changes what stands here before the next second."""
        return False

    def joined(self, panes: Mapping[str, Widget]) -> None:
        """The screen's panes by name, once they are made and whenever one more is: for a pane that follows another."""

    problem = ""
    """What is wrong with the condition that narrows the rows."""

    def narrow_to(self, text: str) -> None:
        """Show only rows that hold this text; empty: all."""

    def enter_says(self) -> str | None:
        """The command that Enter carries out on the row under the cursor; None: its detail is shown."""
        return None

    def group(self) -> None:
        """Rows by group with totals, or in one list again."""

    def next_sort(self) -> None:
        """Sort by the next column; after the last, as it was."""

    def sortable(self) -> list[str]:
        """The columns that `sort_by` takes."""
        return []

    def sort_by(self, column: str, *, reverse: bool) -> str | None:
        """Sort by a column of the table, empty: as it was; one line where there is no such column."""
        return "this pane does not sort"

    def turn_round(self) -> None:
        """Reverse the sorting."""

    def heading_at(self, x: int) -> tuple[str, bool]:
        """The column to sort by whose heading stands at this cell, empty where none does; and whether it sorts now."""
        return "", False

    # --- the frame

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._restyle())
        self._restyle()
        self._title = self.heading

    def on_unmount(self) -> None:
        self.app.theme_changed_signal.unsubscribe(self)  # it would hold what is gone until the theme changes

    def _restyle(self) -> None:
        name = self.app.theme
        self._styles = (theme.styles(name, self.ground), theme.styles(name, "cursor"))
        self._strips.clear()
        self.refresh()

    def show(self, view: View) -> None:
        """Paint this moment, if anything here differs from the last one."""
        snapshot = view.snapshot
        inputs = (
            *(view.table(name) for name in self.reads),
            snapshot.config if snapshot else None,
            int(view.now) if self.ages or not self.rows else 0,
            view.stuck,
            self.size,
        )
        same = len(inputs) == len(self._inputs) and all(
            a is b or (i >= len(self.reads) and a == b)
            for i, (a, b) in enumerate(zip(inputs, self._inputs, strict=True))
        )
        self.view = view
        if same and not self.wants_repaint(view):
            return
        self._inputs = inputs
        self.repaint()

    def forget(self) -> None:
        """Nobody looks any more: hold nothing of the last moment. What was drawn stays until the next one is shown."""
        self.view, self._inputs = None, ()

    def repaint(self) -> None:
        """Paint the last moment again: the cursor, the sorting or the size has changed."""
        view, size = self.view, self.size  # asked for once: Textual looks for the widget on the screen each time
        if view is None or not size:
            return
        width = size.width
        title = self._title
        try:
            self.prepare(view, width)
            title = self.title(view)
        except faults() as error:  # whatever breaks in a pane ends that pane alone, in words
            self._break_down(error)
        else:
            self._broken = ""
        if title != self._title:
            self._title = title
            self.refresh(Region(-1, -1, self.outer_size.width, 1))
        whole = Size(width, len(self.head) + len(self.rows) + len(self.foot))
        if whole != self.virtual_size:
            self.virtual_size = whole
        self._draw(size)

    def _in_sight(self, height: int) -> str:
        start, stop = self._window(height)
        whole = not self.rows or stop - start >= len(self.rows)
        seen = f"{start + 1}–{stop}" if stop > start else "none"
        return "" if whole else f"{seen} of {len(self.rows):,}"

    def _window(self, height: int) -> tuple[int, int]:
        """The first and the last row, exclusive, that can be seen in so many lines."""
        room = max(0, height - len(self.head))
        start = min(self.scroll_offset.y, max(0, len(self.rows) + len(self.foot) - room))
        return start, min(len(self.rows), start + room)

    def _draw(self, size: Size | None = None) -> None:
        view = self.view
        if view is None:
            return
        size = size or self.size
        fresh = self._now_here(view, size)
        width, regions = self.outer_size.width, []
        part = self._in_sight(size.height)
        if part != self._part:
            self._part = part
            regions.append(Region(-1, size.height, width, 1))
        old, self._drawn = self._drawn, fresh
        longest = max(len(old), len(fresh))
        run = -1
        for y in range(longest + 1):
            changed = y < longest and (y >= len(old) or y >= len(fresh) or old[y] != fresh[y])
            if y < longest and not changed:
                fresh[y] = old[y]
            if changed and run < 0:
                run = y
            elif not changed and run >= 0:
                regions.append(Region(-1, run, width, y - run))
                run = -1
        if regions:
            self.refresh(*regions)

    def _now_here(self, view: View, size: Size) -> list[tuple[Line, bool]]:
        """What stands here now; of a pane that is broken, why. The next moment tries again."""
        if not self._broken:
            try:
                whole = self._all_lines(view, size)
            except faults() as error:  # as in `repaint`
                self._break_down(error)
            else:
                self._logged = ""
                return whole
        words = wrap(self._broken, size.width - 4)
        return [((("   " if n else " ✗ ", "alert"), (line, "alert")), False) for n, line in enumerate(words)]

    def _break_down(self, error: BaseException) -> None:
        """Nothing here can be believed: say so in place of it, and log it once a fault."""
        self._broken = printable(f"this pane failed: {type(error).__name__}: {error}")[:200]
        self.head = self.foot = ()
        self.rows = ()
        if self._broken != self._logged:
            self._logged = self._broken
            log.error("the pane %s", self.id or type(self).__name__, exc_info=error)

    def _all_lines(self, view: View, size: Size) -> list[tuple[Line, bool]]:
        start, stop = self._window(size.height)
        at = self.index() if self.has_focus else -1
        fresh: list[tuple[Line, bool]] = [(line, False) for line in self.head]
        if self.rows:
            fresh += [(line, start + i == at) for i, line in enumerate(self.body(start, stop))]
        elif not self.foot:
            words = self.waiting(view)
            fresh += [(((" " + line, "dim"),), False) for line in wrap(words, size.width - 2)]
        skipped = max(0, start - len(self.rows))
        if stop == len(self.rows):
            below, room = self.foot[skipped:], size.height - len(fresh)
            if 0 < room < len(below) and 0 < width_of(below[room - 1]) < size.width:
                below = (*below[: room - 1], (*below[room - 1], ("…", "dim")))  # it goes on below, for the wheel
            fresh += [(line, False) for line in below]
        del fresh[size.height :]
        return fresh

    # --- drawing: whole lines, border included, each made once

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region of this widget; Textual's own way makes six strips a line, this one makes one."""
        if self.view is None and isinstance(self.screen, LiveScreen):
            self.screen.begin()
        width, height = self.outer_size
        focused = self.has_focus
        drawn, cache = self._drawn, self._strips
        strips = []
        for y in crop.line_range:
            inside = 0 < y < height - 1
            edge = self._part if y else self._title
            item = drawn[y - 1] if inside and y - 1 < len(drawn) else NOTHING if inside else edge
            known = cache.get(y)
            if known is not None and known[1].cell_length == width:
                what, strip = known
                if what[0] is item and what[1] == (focused, height):
                    strips.append(strip)
                    continue
            strip = bar.filtered(self, self._line(y, item, width, height, focused))
            cache[y] = ((item, (focused, height)), strip)
            strips.append(strip)
        x1, x2 = crop.column_span
        return strips if (x1, x2) == (0, width) else [strip.crop(x1, x2) for strip in strips]

    def _line(self, y: int, item: tuple[Line, bool] | str, width: int, height: int, focused: bool) -> Strip:
        ends = "frame-focus" if focused else "frame"
        if isinstance(item, tuple):
            line, under_cursor = item
            edge = Segment("│", self._styles[0][ends])
            inner = bar.segments(line, max(0, width - 2), self._styles[under_cursor])
            return Strip([edge, *inner, edge], width)
        if y:
            room = width - 5 - len(item)
            below = ((f" {item} ", "title"),) if item and room > 0 else (("", ends),)
            rest = "─" * (room if below[0][0] else width - 3)
            return bar.strip((("╰" + rest, ends), *below, ("─╯", ends)), width, self._styles[0])
        title = fit(item, min(cell_len(item), max(0, width - 6)))
        rest = "─" * max(0, width - 5 - cell_len(title)) + "╮"
        named = ((f" {title} ", "title-focus" if focused else "title"),) if title else (("──", ends),)
        return bar.strip((("╭─", ends), *named, (rest, ends)), width, self._styles[0])

    # --- the cursor

    def index(self) -> int:
        """The row that the cursor stands on; 0 where its key has gone."""
        if self.cursor is None:
            return 0
        try:
            return self.rows.index(self.cursor)
        except ValueError:
            return 0

    def move(self, how: str) -> None:
        """Move the cursor: down, up, top, bottom, half_down or half_up."""
        if not self.rows:
            return
        half = max(1, (self.size.height - len(self.head)) // 2)
        step = {"down": 1, "up": -1, "half_down": half, "half_up": -half, "top": -len(self.rows)}
        to = min(len(self.rows) - 1, max(0, self.index() + step.get(how, len(self.rows))))
        self.move_to(to)

    def move_to(self, row: int) -> None:
        """Put the cursor on a row, and scroll only as far as it takes to see it."""
        self.cursor = self.rows[row]
        room = max(1, self.size.height - len(self.head))
        top = self.scroll_offset.y
        end = len(self.rows) + len(self.foot)
        target = min(row, top) if row < top + room else row - room + 1
        if row == len(self.rows) - 1:
            target = max(target, end - room) if row >= end - room else target
        if target != top:
            self.scroll_to(y=max(0, target), animate=False, immediate=True)
        self._draw()

    def record(self) -> dict[str, object] | None:
        """The table row under the cursor, all its columns; None where there is none."""
        if self.view is None or not self.reads or not self.rows:
            return None
        frame = self.view.table(self.reads[0])
        if frame is None or not frame.width:
            return None
        keys, key = frame.get_column(frame.columns[0]).to_list(), self.rows[self.index()]
        return frame.row(keys.index(key), named=True) if key in keys else None

    def called(self) -> str:
        """What the row under the cursor is called in a heading; empty where there is none."""
        return self.rows[self.index()] if self.rows else ""

    def table(self) -> pl.DataFrame | None:
        """The rows that stand here with all their columns, in the order shown, for an export."""
        return self.view.table(self.reads[0]) if self.view is not None and self.reads else None

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._draw()

    def on_resize(self, event: Resize) -> None:
        self.repaint()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Draw the cursor, or take it away: at the events Focus and Blur themselves the focus is still as it was."""
        super().watch_has_focus(has_focus)
        self._draw()

    async def on_click(self, event: Click) -> None:
        """Go to the row, and a second click at once opens its detail; on a heading sort by it, or turn that round."""
        x, y = event.get_content_offset_capture(self)
        row = y - len(self.head) + self.scroll_offset.y
        if y == len(self.head) - 1:
            column, sorts_now = self.heading_at(x)
            if sorts_now:
                self.turn_round()
            elif column:
                self.sort_by(column, reverse=False)
        elif y >= len(self.head) and row < len(self.rows):
            self.move_to(row)
            if event.chain == 2:
                await self.run_action("screen.detail")
