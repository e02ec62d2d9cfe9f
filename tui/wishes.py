"""How a pane asks for something: it posts a `Wish`, and the app sends it on; panes know no source."""

from __future__ import annotations

from typing import Final

from textual.message import Message

from engine.model import Intent

REPLAY: Final = {
    "pause": Intent("pause"),
    "step": Intent("step"),
    "back": Intent("seek", {"by": "-60"}),
    "on": Intent("seek", {"by": "60"}),
    "far_back": Intent("seek", {"by": "-900"}),
    "far_on": Intent("seek", {"by": "900"}),
    "slower": Intent("speed", {"by": "-1"}),
    "faster": Intent("speed", {"by": "1"}),
}
"""What the keys of a replay ask the player for; seconds, and steps of speed."""


class Wish(Message):
    """Something that the engine or a feed is to do."""

    def __init__(self, intent: Intent) -> None:
        super().__init__()
        self.intent = intent
