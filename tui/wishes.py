"""How a pane asks for something: it posts a `Wish`, and the app sends it on; panes know no source."""

from __future__ import annotations

from textual.message import Message

from engine.model import Intent


class Wish(Message):
    """Something that the engine or a feed is to do."""

    def __init__(self, intent: Intent) -> None:
        super().__init__()
        self.intent = intent
