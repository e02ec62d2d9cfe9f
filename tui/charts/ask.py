"""One line in which a symbol is asked for, with what it could become below it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from engine.config import Config
from tui.charts.options import complete
from tui.widgets.prompt import Typed

SHOWN = 8
"""Suggestions in sight."""


class Ask(ModalScreen[str | None]):
    """Answers with what was typed, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False),
        Binding("tab", "take", "take", show=False),
    ]
    DEFAULT_CSS = """
    Ask { align: left bottom; }
    Ask Input { width: 100%; border: none; height: 1; padding: 0 1; background: $surface; color: $bright; }
    Ask Label { width: 100%; padding: 0 1; background: $surface; color: $dim; }
    """

    def __init__(self, words: str, config: Config) -> None:
        super().__init__()
        self._words = words
        self._config = config

    def compose(self) -> ComposeResult:
        yield Label(self._hints(""), markup=False)
        yield Typed(placeholder=f"{self._words}: a symbol, pair or basket; Tab completes", compact=True)

    def on_mount(self) -> None:
        """What is typed ahead is typed into the line."""
        self.set_focus(self.query_one(Typed))

    def _hints(self, text: str) -> str:
        found = complete(text, self._config)
        return f"{self._words}  {'  '.join(found[:SHOWN])}" if found else f"{self._words}: nothing of that name"

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what it could become."""
        event.stop()
        self.query_one(Label).update(self._hints(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.value.strip() or None)
        self.query_one(Typed).carried_out()

    def action_take(self) -> None:
        """Complete what was typed."""
        field = self.query_one(Typed)
        if found := complete(field.value, self._config):
            field.value = found[0]
            field.cursor_position = len(found[0])

    def action_leave(self) -> None:
        """Answer nothing."""
        self.dismiss(None)
