"""Tells alerts where the user sits: a toast for each, the bell, the terminal's own notification; each event once.

What a rule calls silent makes no sound, what it calls off is not shown. Quiet hours hold back bell and notification of
all but what is critical. A burst shows its first few and counts the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, Protocol

from engine.config import Notify
from engine.model import Event, Intent, Snapshot
from engine.news import News
from engine.quiet import is_quiet
from tui.osc import sequence

if TYPE_CHECKING:
    import polars as pl

TOASTS: Final = 4
"""Toasts a frame; more events than these are counted."""
_MARKS: Final = {"fired": "▲", "repeated": "▲", "resolved": "✓"}
_LOOKS: Final[dict[str, Literal["information", "warning", "error"]]] = {"warning": "warning", "critical": "error"}
_SECONDS: Final = {"warning": 8.0, "critical": 15.0}


class Toast(Protocol):
    """`textual.app.App.notify`."""

    def __call__(
        self,
        message: str,
        *,
        title: str,
        severity: Literal["information", "warning", "error"],
        timeout: float | None,
        markup: bool,
    ) -> None: ...


class Announcer:
    """Says what is new. began: the run's clock at the start; what happened before it is no news.

    toast, bell: the app's. write: puts an escape sequence on the terminal.
    """

    def __init__(self, began: float, toast: Toast, bell: Callable[[], None], write: Callable[[str], None]) -> None:
        self._news = News(began)
        self._toast = toast
        self._bell = bell
        self._write = write

    def tell(self, snapshot: Snapshot) -> None:
        """Say every event that this snapshot is the first to carry."""
        how = snapshot.config.notify
        events = [event for event in self._news.events(snapshot) if event.notify != "off"]
        shown = [event for event in events if event.severity in how.toast]
        for event in shown[:TOASTS]:
            self._show(event)
        if len(shown) > TOASTS:
            more = f"and {len(shown) - TOASTS} more alerts"
            self._toast(more, title="", severity="warning", timeout=8.0, markup=False)
        loud = [event for event in events if _sounds(event, how)]
        if any(event.severity in how.bell for event in loud):
            self._bell()
        if how.terminal != "off":
            called = [event for event in loud if event.severity != "info"][:TOASTS]
            for event in called:
                self._write(sequence(how.terminal, f"sizewatch {event.rule}", event.message))

    def _show(self, event: Event) -> None:
        over = event.kind == "resolved"
        self._toast(
            event.message,
            title=f"{_MARKS.get(event.kind, '')} {event.rule}",
            severity="information" if over else _LOOKS.get(event.severity, "information"),
            timeout=5.0 if over else _SECONDS.get(event.severity, 5.0),
            markup=False,
        )


def _sounds(event: Event, how: Notify) -> bool:
    """Whether an event may ring: it begins something, its rule lets it, and it is no quiet hour for it."""
    if event.notify != "on" or event.kind == "resolved":
        return False
    return event.severity == "critical" or not is_quiet(how.quiet, event.at)


def newest(alerts: pl.DataFrame | None) -> Intent | None:
    """The wish to acknowledge the newest alert of the table `alerts` that nobody has yet; None where there is none."""
    if alerts is None:
        return None
    rows = alerts.select("fired_at", "rule", "row", "acknowledged").iter_rows()
    waiting = [(at, rule, row) for at, rule, row, seen in rows if at is not None and not seen]
    if not waiting:
        return None
    _, rule, row = max(waiting)
    return Intent("acknowledge", {"rule": rule, "row": row})
