"""The screens beside the dashboard: regime and claims, flows and facts. Esc, or the key again, returns.

They lie over the dashboard, which is not painted meanwhile; its cursor, filter and zoom are as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from tui import keys
from tui.panes.claims import ClaimsPane
from tui.panes.correlations import CorrelationsPane
from tui.panes.evidence import EvidencePane
from tui.panes.facts import FactsPane
from tui.panes.flows import FlowsPane
from tui.panes.rotation import RotationPane
from tui.screens.panes import PaneScreen
from tui.view import View
from tui.widgets.footer import Footer
from tui.widgets.header import Header
from tui.widgets.linepane import LinePane
from tui.widgets.message import Message

ROWS_ONLY: Final = ("filter", "sort", "reverse")
"""Actions of the dashboard's grids alone."""
SHOWN: Final = {"next_pane": 1, "detail": 2, "regime": 3, "flows": 4, "back": 5, "help": 6, "quit": 7}
"""What the footer says here, in order."""


class Page(PaneScreen):
    """The base of these screens."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(*(a.id for a in keys.ACTIONS if a.id not in ROWS_ONLY))
    name_of: ClassVar[str] = ""
    """As `keys` calls it."""

    def __init__(self, actions: tuple[keys.Action, ...], panes: Sequence[LinePane]) -> None:
        mine = tuple(replace(a, footer=SHOWN.get(a.id, 0)) for a in actions)
        bars = (Header("header"), Message("message"), Footer(mine, "footer"))
        super().__init__(panes, bars, panes[0])
        self._frozen = False

    def compose(self) -> ComposeResult:
        header, message, footer = self._bars
        yield header
        yield Container(*self._panes, id="body", classes=self.name_of)
        yield message
        yield footer

    def show(self, view: View) -> None:
        self._frozen = view.frozen_since is not None
        super().show(view)

    async def action_back(self) -> None:
        """Leave, in this order: the zoom, the freeze, this screen."""
        if self.has_class("-zoomed"):
            self._zoom(None)
        elif self._frozen:
            await self.run_action("app.thaw")
        else:
            self.dismiss()


class RegimePage(Page):
    """Evidence for a turn, correlations, what was claimed, and rotation."""

    name_of = "regime"

    def __init__(self, actions: tuple[keys.Action, ...]) -> None:
        panes = (
            EvidencePane("evidence"),
            CorrelationsPane("correlations"),
            ClaimsPane("claims"),
            RotationPane("rotation"),
        )
        super().__init__(actions, panes)


class FlowsPage(Page):
    """Money in and out of funds, and figures from outside."""

    name_of = "flows"

    def __init__(self, actions: tuple[keys.Action, ...]) -> None:
        super().__init__(actions, (FlowsPane("flows"), FactsPane("facts")))


PAGES: Final[dict[str, type[RegimePage] | type[FlowsPage]]] = {"regime": RegimePage, "flows": FlowsPage}
