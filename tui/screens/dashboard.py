"""The dashboard: every pane at once, as many as the terminal's size allows; the stylesheet says which and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical

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
from tui.screens.panes import PaneScreen
from tui.view import View
from tui.widgets.bar import Bar
from tui.widgets.footer import Footer
from tui.widgets.header import Header
from tui.widgets.linepane import LinePane
from tui.widgets.message import Message
from tui.widgets.prompt import Prompt


class Dashboard(PaneScreen):
    """Screen 1."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings()
    AUTO_FOCUS: ClassVar[str | None] = "#crypto"

    def __init__(self, actions: tuple[keys.Action, ...], warnings: tuple[str, ...]) -> None:
        self._spreads = SpreadsPane("spreads")
        self._crypto = QuotesPane("crypto", 5, "Crypto", "crypto")
        self._equities = QuotesPane("equity", 6, "Equities", "equities")
        panes: tuple[LinePane, ...] = (
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
        self._message.warnings = warnings
        bars: tuple[Bar, ...] = (
            Header("header"),
            RussellLine("russell"),
            GaugesLine("gauges-line"),
            AlertLine("alert-line"),
            self._message,
            Footer(actions, "footer"),
        )
        super().__init__(panes, bars, self._crypto)

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

    def others(self) -> Sequence[LinePane]:
        return self._charts

    def show(self, view: View) -> None:
        """Paint this moment; where there is no room for two grids, one holds everything."""
        assets = "all" if self.has_class("-narrow") else "crypto"
        if self._crypto.assets != assets:
            self._crypto.assets = assets
        super().show(view)

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
