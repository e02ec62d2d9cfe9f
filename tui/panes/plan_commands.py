"""The commands `:plan`, `:plan-drop`, `:whatif` and `:whatif-drop`: read here, carried out by the engine.

What is wrong with a line is said before it is sent; what only the market can say against it comes as a notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model import Intent
from engine.plan_text import PlanTextError, parse_plan, parse_whatif
from engine.plan_text import complete as plan_words
from tui.wishes import Wish

if TYPE_CHECKING:
    from engine.config import Config
    from tui.app import SizewatchApp

__all__ = ["plan", "plan_drop", "plan_words", "whatif", "whatif_drop", "whatif_words"]


async def plan(app: SizewatchApp, text: str) -> str | None:
    """Make a plan."""
    try:
        parse_plan(text, app.config)
    except PlanTextError as error:
        return str(error)
    _send(app, "plan", text=text)
    return None


async def plan_drop(app: SizewatchApp, text: str) -> str | None:
    """Drop a plan of one's own."""
    if not text.strip():
        return "say which plan: :plan-drop NAME"
    _send(app, "drop-plan", name=text.strip())
    return None


async def whatif(app: SizewatchApp, text: str) -> str | None:
    """Make a rotation."""
    try:
        parse_whatif(text)
    except PlanTextError as error:
        return str(error)
    _send(app, "whatif", text=text)
    return None


async def whatif_drop(app: SizewatchApp, text: str) -> str | None:
    """Drop a rotation of one's own."""
    if not text.strip():
        return "say which rotation: :whatif-drop NAME"
    _send(app, "drop-whatif", name=text.strip())
    return None


def whatif_words(text: str, config: Config) -> list[str]:
    """Words that may stand where the last word of a rotation's line stands."""
    words = text.split()
    last = "" if not words or text.endswith(" ") else words.pop()
    return [w for w in ("large", "relative") if w not in words and w.startswith(last)]


def _send(app: SizewatchApp, action: str, **arguments: str) -> None:
    app.post_message(Wish(Intent(action, arguments)))
