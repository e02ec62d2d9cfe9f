"""The line in which the user types a filter."""

from __future__ import annotations

from textual.widgets import Input


class Prompt(Input):
    """One line with its own look; Enter keeps the filter, Esc takes it away."""

    BINDING_GROUP_TITLE = "Filter"

    def __init__(self, value: str) -> None:
        super().__init__(value, placeholder="symbol, basket, source or status", compact=True, id="prompt")
