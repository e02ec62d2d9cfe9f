"""One of the nine screens: header, names of the screens, panes, message and keys; every screen works the same.

What stands on it and where comes from its layout; focus, filter, zoom, detail and copy ask the panes what they can do.
A pane that has no room in the layout in force is reached by zooming and going on to it.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui import catalogue, keys, layouts
from tui.catalogue import Place
from tui.layouts import Layout
from tui.lines import plain
from tui.screens.asking import AskingScreen
from tui.view import View
from tui.widgets.bar import Bar
from tui.widgets.body import Body, Maker
from tui.widgets.footer import Footer
from tui.widgets.header import Header
from tui.widgets.linepane import LinePane
from tui.widgets.tabs import Tabs

HEIGHTS = [(0, "-tiny"), (18, "-short"), (30, "-tall"), (50, "-high")]


class PaneScreen(AskingScreen):
    """A screen of panes."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings()
    AUTO_FOCUS: ClassVar[str | None] = None
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(
        self,
        place: Place,
        layout: Layout,
        actions: tuple[keys.Action, ...],
        warnings: tuple[str, ...] = (),
        window: tuple[int, int] = (80, 24),
        make: Maker = catalogue.make,
    ) -> None:
        """Build the screen.

        layout: what stands where. actions: those that the footer shows. warnings: what the message line says where
        nothing else is wrong. window: the terminal's columns and lines. make: makes a pane from its name in the layout.
        """
        super().__init__()
        self.add_class(next(name for lines, name in reversed(HEIGHTS) if window[1] >= lines), update=False)
        self.place = place
        self.body = Body(layout, window, make)
        self._message.warnings = warnings
        self._bars: tuple[Bar, ...] = (
            Header("header"), Tabs(place.number, "tabs"), self._message, Footer(actions, "footer"),
        )  # fmt: skip
        self._now = 0.0
        self._needle = ""
        self._asked_from: LinePane | None = None
        """Who had the focus when a line was opened to type in."""

    def compose(self) -> ComposeResult:
        header, tabs, message, footer = self._bars
        yield header
        yield tabs
        yield self.body
        yield message
        yield footer

    def show(self, view: View) -> None:
        """Paint this moment on everything that can be seen."""
        self._now = view.now
        if isinstance(self.focused, LinePane | None) and not self.focused_pane().is_on_screen:
            self._begin()
        header, tabs, *_ = self._bars
        if isinstance(header, Header):
            header.titled = "" if tabs.display else f"{self.place.number or ''} {self.place.tab}".strip()
        for bar in self._bars:
            if bar.is_on_screen:
                bar.show(view)
        for pane in self.body.panes.values():
            if pane.is_on_screen:
                pane.show(view)

    def forget(self) -> None:
        super().forget()
        for pane in self.body.panes.values():
            if isinstance(pane, LinePane):
                pane.forget()

    def on_mount(self) -> None:
        self.app.call_later(self._begin)

    def _begin(self) -> None:
        """Give the focus to who has it at first; a line that was opened meanwhile keeps it."""
        if not self.asked:
            self.set_focus(self._main())

    # --- focus

    def panes(self) -> list[LinePane]:
        """Every pane made so far that can have the focus, in the layout's order."""
        found = (self.body.panes.get(name) for name in self.body.names)
        return [p for p in found if isinstance(p, LinePane) and p.can_focus]

    def in_sight(self) -> list[LinePane]:
        """Of these those in sight."""
        return [p for p in self.panes() if p.is_on_screen]

    def _main(self) -> LinePane:
        """Who has the focus at first."""
        made = self.body.panes
        due = self.body.boxes(self.body.size or self.app.size)
        for name in (*self.place.main, *due):
            pane = made.get(name)
            if name in due and isinstance(pane, LinePane) and pane.can_focus:
                return pane
        return self.panes()[0]

    def focused_pane(self) -> LinePane:
        """Who has the focus, or would have it."""
        focused = self.focused
        return focused if isinstance(focused, LinePane) else self._main()

    def action_next_pane(self, step: int) -> None:
        """Focus the next or the previous pane in sight; while one has all the room, the next of all panes."""
        if self.body.zoomed is not None:
            names = self.body.names
            for further in range(1, len(names) + 1):
                at = names.index(self.body.zoomed) if self.body.zoomed in names else -step
                name = names[(at + step * further) % len(names)]
                if self.go_to(name):
                    return
            return
        panes = self.in_sight()
        if panes:
            at = panes.index(self.focused_pane()) if self.focused_pane() in panes else -step
            self.set_focus(panes[(at + step) % len(panes)])

    def go_to(self, name: str) -> bool:
        """Focus the pane of this name; one that has no room is given all of it. False where it takes no focus."""
        if name not in self.body.names:
            return False
        here = self.body.zoomed
        pane = self.body.panes.get(name)
        if here is not None or pane is None or not pane.is_on_screen:
            self.body.zoom(name)
            pane = self.body.panes[name]
        if not (isinstance(pane, LinePane) and pane.can_focus):
            self.body.zoom(here)
            return False
        self.set_focus(pane)
        return True

    def action_side(self, step: int) -> None:
        """Focus the nearest pane on the left or on the right that shares a line with this one."""
        here = self.focused_pane().region
        beside = [
            p for p in self.in_sight()
            if (p.region.x - here.x) * step > 0 and p.region.y < here.bottom and here.y < p.region.bottom
        ]  # fmt: skip
        if beside:
            self.set_focus(min(beside, key=lambda p: (abs(p.region.x - here.x), abs(p.region.y - here.y))))

    # --- rows

    def action_move(self, how: str) -> None:
        """Move the focused pane's cursor."""
        self.focused_pane().move(how)

    async def action_detail(self) -> None:
        """Show all values of the row under the cursor."""
        from tui.screens.detail import Detail

        pane = self.focused_pane()
        wish = pane.enter_says()
        if wish is not None:
            await self.say(wish)
        elif pane.record() is not None:
            await self.app.push_screen(Detail(pane))

    async def action_chart(self) -> None:
        """Show the chart of what is under the cursor."""
        from tui.charts.pane import subject_of
        from tui.screens.chart import show_chart

        await show_chart(self, subject_of(self.focused_pane().record()))

    def action_copy(self) -> None:
        """Copy the row under the cursor: names and values, one a line."""
        record = self.focused_pane().record()
        if record is not None:
            self.app.copy_to_clipboard("\n".join(f"{k}\t{'' if v is None else v}" for k, v in record.items()))
            self.notify(f"copied {next(iter(record.values()))}", timeout=2)

    async def action_copy_value(self) -> None:
        """Ask which value of the row to copy."""
        await self.action_command("copy ")

    async def action_export(self) -> None:
        """Ask where to write the focused pane's table to."""
        from tui.export import name_for

        pane = self.focused_pane()
        name = pane.reads[0] if pane.reads else "table"
        await self.action_command(f"export {name_for(name, self._now, '.csv')}")

    async def action_picture(self) -> None:
        """Ask where to write the screen to."""
        from tui.export import name_for

        await self.action_command(f"picture {name_for('sizewatch-' + self.place.name, self._now, '.svg')}")

    def action_sort(self) -> None:
        """Sort the focused pane, or the main one, by the next column."""
        self.rows_pane().next_sort()

    def action_reverse(self) -> None:
        """Turn its sorting round."""
        self.rows_pane().turn_round()

    def rows_pane(self) -> LinePane:
        """The focused pane where it sorts, else the main one."""
        focused = self.focused_pane()
        return focused if focused.sorts else self._main()

    # --- filter and search

    def _narrowed(self) -> list[LinePane]:
        """The panes that a filter narrows: all that can, where the focused one or the main one is among them."""
        if not (self.focused_pane().narrows or self._main().narrows):
            return []
        return [p for p in self.panes() if p.narrows]

    async def action_filter(self) -> None:
        self._asked_from = self.focused_pane()
        await super().action_filter()

    async def action_command(self, value: str = "") -> None:
        if isinstance(self.focused, LinePane):
            self._asked_from = self.focused
        await super().action_command(value)

    def words_here(self) -> dict[str, list[str]]:
        """Columns of the row under the cursor, columns to sort by, layouts that were saved."""
        from tui.app import SizewatchApp

        pane, grid = self._asked_from or self.focused_pane(), self.rows_pane()
        words = {"copy": list(pane.record() or ()), "sort": grid.sortable()}
        if isinstance(self.app, SizewatchApp):
            words["layout"] = ["save", "built-in", *self.app.shelf.layouts()]
        return words

    def return_focus(self) -> None:
        self.set_focus(self._asked_from or self._main())

    def narrow(self, text: str) -> None:
        """Show only rows that hold this text; where no pane hides rows, go to the first that does."""
        self._needle = text.strip()
        narrowed = self._narrowed()
        for pane in narrowed:
            pane.narrow_to(text)
        if not narrowed and self._needle:
            self._go_to_match(0)

    def unfit(self) -> str:
        return next((pane.problem for pane in self._narrowed() if pane.problem), "")

    def action_match(self, step: int) -> None:
        """Go to the next row, or the one before, that holds what was searched for."""
        if self._needle:
            self._go_to_match(step)
        else:
            self.notify("nothing was searched for; / begins", timeout=2)

    def _go_to_match(self, step: int) -> None:
        pane = self._asked_from if self.asked and self._asked_from else self.focused_pane()
        low, here, n = self._needle.lower(), pane.index(), len(pane.rows)
        if pane.narrows:
            hits = list(range(n))
        else:
            hits = [i for i, line in enumerate(pane.body(0, n)) if low in plain(line).lower()]
        if step > 0:
            after = [i for i in hits if i > here] + hits
        elif step < 0:
            after = [i for i in reversed(hits) if i < here] + hits[::-1]
        else:
            after = [i for i in hits if i >= here] + hits
        if after:
            pane.move_to(after[0])

    # --- layout

    def action_resize(self, wider: int, taller: int) -> None:
        """Make the focused pane larger or smaller; `:layout save` keeps it."""
        body = self.body
        name = self.name_of(self.focused_pane())
        if name is None or body.zoomed is not None:
            return
        rows = layouts.resized(body.rows, name, wider, taller, body.size.width, body.size.height)
        self.rearrange(rows)

    def rearrange(self, rows: layouts.Rows) -> None:
        """Other rows at this size of window."""
        from tui.app import SizewatchApp

        made = {**self.body.layouts, self.body.variant: rows}
        if isinstance(self.app, SizewatchApp) and self.place.number:
            self.app.use_layouts({self.place.name: made})

    def name_of(self, pane: LinePane) -> str | None:
        """What the layout calls a pane."""
        return next((n for n, made in self.body.panes.items() if made is pane), None)

    def action_group(self) -> None:
        """Group the grid's rows, or let them stand in one list."""
        for pane in self.panes():
            pane.group()

    # --- zoom

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, or give it back."""
        if self.body.zoomed is not None:
            self.body.zoom(None)
            return
        self.body.zoom(self.name_of(self.focused_pane()))

    async def action_back(self) -> None:
        """Leave, in this order: the line that is typed (a filter with it), the filter, the zoom, the freeze."""
        if self.query("Prompt"):
            self.narrow("")
            await self.leave_line()
        elif self.asked:
            await self.leave_line()
        elif self._needle:
            self.narrow("")
        elif self.body.zoomed is not None:
            self.body.zoom(None)
        else:
            await self.run_action("app.thaw")
