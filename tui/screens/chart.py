"""One chart with the whole screen: opened over any other, from a row, the palette or `:chart IWM/SPY 1Y`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui import keys, layouts
from tui.catalogue import Place
from tui.charts.options import Options, read
from tui.charts.pane import MarketChart
from tui.screens.panes import PaneScreen

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.app import SizewatchApp

PLACE: Final = Place(0, "chart", "Chart", "Chart", "One chart, everything over it.", ("chart",), {"0x0": ("* chart",)})
SHOWN: Final = {
    "chart_shorter": 1, "chart_longer": 2, "chart_interval": 3, "chart_scale": 4, "new_alert": 5, "back": 6,
    "help": 7,
}  # fmt: skip
"""What the footer says here, in order."""


class ChartScreen(PaneScreen):
    """See the module's docstring; Esc returns to what is behind."""

    def __init__(self, options: Options, actions: tuple[keys.Action, ...], window: tuple[int, int]) -> None:
        self.chart = MarketChart("chart")
        self.chart.options = options
        mine = tuple(replace(a, footer=SHOWN.get(a.id, 0)) for a in actions)
        super().__init__(PLACE, layouts.read(PLACE.layouts), mine, (), window, lambda name: self.chart)

    async def action_back(self) -> None:
        """Leave, in this order: what `PaneScreen` leaves first, then this screen."""
        if self.asked:
            await super().action_back()
        elif self.chart.view is not None and self.chart.view.frozen_since is not None:
            await self.run_action("app.thaw")
        else:
            self.app.pop_screen()


async def open_chart(app: SizewatchApp, words: str) -> str | None:
    """Show the chart that the words name, on the chart screen that stands or on a new one; else what is wrong."""
    here = app.screen
    standing = here if isinstance(here, ChartScreen) else None
    found = read(words, app.config, standing.chart.options if standing is not None else None)
    if isinstance(found, str):
        return found
    if standing is not None:
        standing.chart.aim(found)
    else:
        await app.push_screen(ChartScreen(found, app.actions.actions, (app.size.width, app.size.height)))
    app.frame()
    return None


async def show_chart(screen: Screen[None], subject: str | None) -> None:
    """Show the chart of what a row or a page is about; where it has none, say so on `screen`."""
    from tui.app import SizewatchApp

    app = screen.app
    if screen.is_modal and len(app.screen_stack) > 1 and isinstance(app.screen_stack[-2], ChartScreen):
        await app.pop_screen()  # back to the chart that this page was opened from
    if subject is None:
        screen.notify("this row names nothing that has a chart", timeout=2)
    elif isinstance(screen.app, SizewatchApp) and (problem := await open_chart(screen.app, subject)) is not None:
        screen.notify(problem, timeout=2)
