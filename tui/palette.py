"""What the palette finds beside the actions: every symbol, pair and basket, and every command."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui import commands
from tui.command_words import names_of
from tui.screens.asking import AskingScreen

if TYPE_CHECKING:
    from tui.app import SizewatchApp

FOUND = 40
"""Symbols that a search shows at the most."""


class Words(Provider):
    """Symbols open their chart, commands their line."""

    async def discover(self) -> Hits:
        """Commands that begin a line."""
        for command in commands.COMMANDS:
            yield DiscoveryHit(f":{command.name}", partial(self._begin, command.name), help=command.help)

    async def search(self, query: str) -> Hits:
        """Commands and symbols that match."""
        matcher = self.matcher(query)
        for command in commands.COMMANDS:
            score = matcher.match(f":{command.name}")
            if score > 0:
                yield Hit(score, matcher.highlight(f":{command.name}"), partial(self._begin, command.name),
                          help=command.help)  # fmt: skip
        app = cast("SizewatchApp", self.app)
        scored = ((matcher.match(name), name) for name in dict.fromkeys(names_of(app.config)))
        for score, name in sorted(((s, n) for s, n in scored if s > 0), reverse=True)[:FOUND]:
            yield Hit(score, matcher.highlight(name), partial(self._chart, name), help=f"Chart of {name}.")

    async def _begin(self, name: str) -> None:
        if isinstance(self.screen, AskingScreen):
            await self.screen.action_command(f"{name} ")

    async def _chart(self, name: str) -> None:
        if isinstance(self.screen, AskingScreen):
            await self.screen.say(f"chart {name}")
