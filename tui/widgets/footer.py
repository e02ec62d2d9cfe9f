"""The last line: at most seven keys, those that fit, read from the list of actions."""

from __future__ import annotations

from textual.events import Click

from tui import keys
from tui.lines import Line, Span, width_of
from tui.view import View
from tui.widgets.bar import Bar


def footer(actions: tuple[keys.Action, ...], width: int) -> Line:
    """Keys and labels in their stated order; help and quit stay when others no longer fit."""
    shown = sorted((a for a in actions if a.footer and a.keys), key=lambda a: a.footer)
    while True:
        spans: list[Span] = [(" ", "dim")]
        for index, action in enumerate(shown):
            key, label = keys.display(action.keys.split(",")[0]), action.label
            if action.id == "screen_1":
                key, label = _screens(actions), "screens"
            spans += [("  " if index else "", "dim"), (key, "key"), (f" {label}", "dim")]
        if width_of(spans) <= width or not shown:
            return tuple(spans)
        droppable = [a for a in shown if a.id not in ("help", "quit")]
        shown.remove(droppable[-1] if droppable else shown[-1])


def _screens(actions: tuple[keys.Action, ...]) -> str:
    """The keys of the nine screens together: `1-9`, or, where the user has other ones, the first and the last."""
    every = [keys.display(a.keys.split(",")[0]) for a in actions if a.id.startswith("screen_") and a.keys]
    return f"{every[0]}-{every[-1]}"


class Footer(Bar):
    """The keys."""

    ground = "surface"
    steady = True

    def __init__(self, actions: tuple[keys.Action, ...], id: str | None = None) -> None:
        super().__init__(id=id)
        self._actions = actions

    def paint(self, view: View, width: int) -> Line:
        return footer(self._actions, width)

    async def on_click(self, event: Click) -> None:
        """Carry out the action whose key was clicked."""
        at = 0
        key = ""
        for text, role in footer(self._actions, self.size.width):
            key = text if role == "key" else key
            at += len(text)
            if event.x < at and text.strip():
                break
        action = next((a for a in self._actions if a.footer and keys.display(a.keys.split(",")[0]) == key), None)
        if action is not None:
            await self.app.run_action(action.call, default_namespace=self.screen)
