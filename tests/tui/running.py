"""A running terminal over a fake collector, for tests that press keys and look at the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from engine.config import Config
from engine.model import Mode, Snapshot
from tests.tui import fakes
from tui.app import SizewatchApp
from tui.lines import plain
from tui.panes.quotes import QuotesPane
from tui.screens.help import help_lines
from tui.widgets.linepane import LinePane


@dataclass
class Run:
    """A running terminal over a fake collector."""

    app: SizewatchApp
    pilot: Pilot[None]
    source: fakes.FakeSource
    clock: fakes.FixedClock

    async def press(self, *names: str) -> None:
        """Press keys and paint."""
        await self.pilot.press(*names)
        await self.frame()

    async def frame(self) -> None:
        """One frame, painted."""
        self.app.frame()
        await self.pilot.pause()

    def pane(self, name: str) -> LinePane:
        """A pane of the dashboard."""
        return self.app.screen_stack[0].query_one(f"#{name}", LinePane)

    @property
    def crypto(self) -> QuotesPane:
        """The grid of crypto."""
        pane = self.pane("crypto")
        assert isinstance(pane, QuotesPane)
        return pane

    @property
    def focused(self) -> str | None:
        """The focused pane's id."""
        return self.app.focused.id if self.app.focused else None

    def text(self) -> str:
        """The screen as it stands, one line a row."""
        return "\n".join(line.text for line in self.strips())

    async def drawn_anew(self) -> str:
        """The same after every widget has laid itself out and drawn itself once more, from nothing kept."""
        for widget in self.app.screen.walk_children(Widget, with_self=True):
            widget._styles_cache.clear()
            widget.refresh(layout=True)
        await self.pilot.pause()
        return self.text()

    def strips(self) -> list[Strip]:
        """The screen as it is drawn, one strip a row."""
        return self.app.screen._compositor.render_strips()


def plain_help(app: SizewatchApp) -> str:
    """All lines of the help page, those out of sight too."""
    return "\n".join(plain(line) for line in help_lines(app.actions.actions, app.actions.warnings))


@asynccontextmanager
async def running(
    snapshot: Snapshot | None, size: tuple[int, int] = (120, 40), config: Config | None = None
) -> AsyncIterator[Run]:
    source, clock = fakes.FakeSource(snapshot), fakes.FixedClock()
    app = SizewatchApp(source, config or Config(), Mode.DEMO, "january-2026", clock)
    async with app.run_test(size=size) as pilot:
        run = Run(app, pilot, source, clock)
        await pilot.pause()
        await run.frame()
        yield run
