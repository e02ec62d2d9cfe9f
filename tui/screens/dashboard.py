"""The dashboard: every pane at once, as many as the terminal's size allows; the stylesheet says which and where."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widget import Widget

from tui import keys
from tui.panes.alerts import AlertLine, AlertsPane
from tui.panes.band import BandPane
from tui.panes.baskets import BasketsPane
from tui.panes.brief import GaugesLine, RussellLine
from tui.panes.chart import ChartPane
from tui.panes.feeds import FeedsPane
from tui.panes.gauges import GaugesPane
from tui.panes.quotes import QuotesPane
from tui.panes.spreads import SpreadsPane
from tui.screens.live import LiveScreen
from tui.view import View
from tui.widgets.bar import Bar
from tui.widgets.footer import Footer
from tui.widgets.header import Header
from tui.widgets.linepane import LinePane
from tui.widgets.message import Message
from tui.widgets.prompt import Prompt

WIDTHS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
HEIGHTS = [(0, "-tiny"), (18, "-short"), (30, "-tall"), (50, "-high")]


class Dashboard(LiveScreen):
    """Screen 1."""

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings()
    AUTO_FOCUS: ClassVar[str | None] = "#crypto"

    def __init__(self, actions: tuple[keys.Action, ...], warnings: tuple[str, ...]) -> None:
        super().__init__()
        self._warnings = warnings
        self._spreads = SpreadsPane("spreads")
        self._crypto = QuotesPane("crypto", 5, "Crypto", "crypto")
        self._equities = QuotesPane("equity", 6, "Equities", "equities")
        self._panes: tuple[LinePane, ...] = (
            self._spreads,
            BandPane("band"),
            GaugesPane("gauges"),
            BasketsPane("baskets"),
            self._crypto,
            self._equities,
            FeedsPane("feeds"),
            AlertsPane("alerts"),
        )
        self._charts = (ChartPane(self._spreads, "chart"), ChartPane(None, "chart-crypto"))
        self._message = Message("message")
        self._bars: tuple[Bar, ...] = (
            Header("header"),
            RussellLine("russell"),
            GaugesLine("gauges-line"),
            AlertLine("alert-line"),
            self._message,
            Footer(actions, "footer"),
        )

    def compose(self) -> ComposeResult:
        spreads, band, gauges, baskets, crypto, equities, feeds, alerts = self._panes
        header, russell, gauges_line, alert_line, message, footer = self._bars
        yield header
        with Vertical(id="body"):
            with Horizontal(id="upper"):
                yield spreads
                yield self._charts[0]
                yield band
            with Horizontal(id="middle"):
                yield gauges
                yield baskets
                yield self._charts[1]
            yield russell
            yield gauges_line
            with Horizontal(id="lower"):
                yield crypto
                with Container(id="side"):
                    yield equities
                    yield feeds
            yield alerts
            yield alert_line
        yield message
        yield footer

    def on_mount(self) -> None:
        self._message.warnings = self._warnings

    def show(self, view: View) -> None:
        """Paint this moment on everything that can be seen."""
        assets = "all" if self.has_class("-narrow") else "crypto"
        if self._crypto.assets != assets:
            self._crypto.assets = assets
        if not self.has_class("-zoomed") and not self._focused().is_on_screen:
            self._crypto.focus()  # its pane has no room any more
        for bar in self._bars:
            if bar.is_on_screen:
                bar.show(view)
        for pane in (*self._panes, *self._charts):
            if pane.is_on_screen:
                pane.show(view)

    # --- focus

    def _visible(self) -> list[LinePane]:
        return [p for p in self._panes if p.is_on_screen and p.can_focus]

    def _focused(self) -> LinePane:
        focused = self.focused
        return focused if isinstance(focused, LinePane) else self._crypto

    def action_next_pane(self, step: int) -> None:
        """Focus the next or the previous pane in sight."""
        panes = self._visible()
        if panes:
            at = panes.index(self._focused()) if self._focused() in panes else -step
            panes[(at + step) % len(panes)].focus()

    def action_pane(self, number: int) -> None:
        """Focus the pane with this number; one that has no room on this screen is zoomed."""
        pane = next(p for p in self._panes if p.number == number)
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

    def action_move(self, how: str) -> None:
        """Move the focused pane's cursor."""
        self._focused().move(how)

    # --- rows

    def _grids(self) -> list[QuotesPane]:
        return [self._crypto, self._equities]

    def _grid(self) -> QuotesPane:
        focused = self._focused()
        return focused if isinstance(focused, QuotesPane) else self._crypto

    def action_sort(self) -> None:
        """Sort the grid in focus, or the main one, by the next column."""
        self._grid().next_sort()

    def action_reverse(self) -> None:
        """Turn its sorting round."""
        self._grid().turn_round()

    async def action_filter(self) -> None:
        """Ask for the text that rows must hold; each key narrows at once."""
        prompt = Prompt(self._crypto.needle)
        await self.mount(prompt, before=self._message)
        self.set_focus(prompt)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a filter is typed, its key is a letter like others."""
        return not (action == "filter" and self.query(Prompt))

    def on_input_changed(self, event: Prompt.Changed) -> None:
        """Narrow the grids to what has been typed so far."""
        for grid in self._grids():
            grid.narrow_to(event.value)

    async def on_input_submitted(self, event: Prompt.Submitted) -> None:
        """Keep the filter and go back to the rows."""
        event.stop()
        await self.query_one(Prompt).remove()
        self._grid().focus()

    async def action_back(self) -> None:
        """Leave, in this order: the filter's line, the filter, the zoom, the freeze."""
        if self.query(Prompt):
            for grid in self._grids():
                grid.narrow_to("")
            await self.query_one(Prompt).remove()
            self._grid().focus()
        elif self._crypto.needle:
            for grid in self._grids():
                grid.narrow_to("")
        elif self.has_class("-zoomed"):
            self._zoom(None)
        else:
            await self.run_action("app.thaw")

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
