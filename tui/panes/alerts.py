"""The alerts that matter now, worst and newest first: what stands, then what is over, then what is about to be.

What stands comes from the live table; what is over comes from the snapshot's events where the table has let go of it.
An alert is `new` until somebody has marked it as seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.model import Event
from tui.format import new_york
from tui.lines import Line, fit, stale, width_of
from tui.panes.alert_rows import AlertRows, Chosen
from tui.view import View
from tui.widgets.bar import Bar

OVER: Final = ("resolved", "cooldown")
_ORDER: Final = {"firing": 0, "latched": 0, "recovering": 1, "resolved": 2, "cooldown": 2, "pending": 3}
_WORST: Final = {"critical": 0, "warning": 1, "info": 2}
_FIRING: Final = {"critical": ("!", "alert"), "warning": ("▲", "warn"), "info": ("▲", "accent")}
_GLYPHS: Final = {
    "recovering": ("▼", "dim"),
    "resolved": ("✓", "good"),
    "cooldown": ("✓", "good"),
    "pending": ("…", "dim"),
}
WORDS: Final = 12
"""Cells of the state's word at the right."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One row. at: when it fired, or was over; epoch seconds."""

    rule: str
    row: str
    state: str
    severity: str
    at: float
    message: str
    unseen: bool
    stale: bool
    silenced: bool = False

    @property
    def key(self) -> str:
        """What the cursor stays on."""
        return f"{self.rule} {self.row} {self.state in OVER}"

    @property
    def stands(self) -> bool:
        """Whether it has fired and is not over."""
        return _ORDER.get(self.state, 9) < 2


def alerts(view: View) -> list[Alert]:
    """Every alert to show, in order."""
    found: list[Alert] = []
    known: set[tuple[str, str]] = set()
    for r in view.rows("alerts"):
        state, fired, since = r["state"], r["fired_at"], r["since"]
        when = since if state in OVER or fired is None else fired
        words = r["message"] if state != "pending" else None
        found.append(
            Alert(
                r["rule"], r["row"], state, r["severity"], when.timestamp() if when is not None else 0.0,
                words or f"{r['rule']}: {r['row']}", bool(fired is not None and not r["acknowledged"]),
                r["status"] == "stale", bool(r["silenced"]),
            )
        )  # fmt: skip
        known.add((r["rule"], r["row"]))
    for event in reversed(view.snapshot.events if view.snapshot else ()):
        if (event.rule, event.row) not in known:
            known.add((event.rule, event.row))
            if event.kind == "resolved" and event.notify != "off":
                found.append(_over(event))
    return sorted(found, key=lambda a: (_ORDER.get(a.state, 9), _WORST.get(a.severity, 9), -a.at))


def _over(event: Event) -> Alert:
    return Alert(event.rule, event.row, "resolved", event.severity, event.at, event.message, False, False)


def time_text(at: float, now: float) -> str:
    """Eight cells: the time of today in New York, else the day."""
    moment, today = (new_york(t) for t in (at, now))
    return f"{moment:%H:%M:%S}" if moment.date() == today.date() else f"{moment:%m-%d}".ljust(8)


def alert_line(alert: Alert, now: float, width: int, stuck: bool = False, *, word: bool = True) -> Line:
    """`▲ 10:31:52 new  ALT/BTC z −2.31 below −2.00        firing`; what does not fit is the message's end."""
    firing = _FIRING.get(alert.severity, _FIRING["warning"])
    glyph, role = _GLYPHS.get(alert.state, firing)
    new = alert.unseen
    state = "silent" if alert.silenced else "resolved" if alert.state == "cooldown" else alert.state
    tail = f"  {state:<{WORDS - 2}}" if word and width >= 60 else ""
    lead = f"{glyph} {time_text(alert.at, now)} "
    room = max(0, width - len(lead) - 5 - len(tail))
    line: Line = (
        (f"{glyph} ", role),
        (lead[2:], "dim"),
        ("new  " if new else "     ", role),
        (fit(" ".join(alert.message.split()), room), "bright" if new else "text" if alert.stands else "dim"),
        (tail, role if alert.stands else "dim"),
    )
    return stale(line) if stuck or alert.stale else line


def newest_line(view: View, width: int) -> Line:
    """The first alert in one line, and how many more stand."""
    found = alerts(view)
    if not found:
        return (("   no alert stands", "dim"),) if view.table("alerts") is not None else ()
    more = sum(a.stands for a in found[1:])
    tail = (f"  +{more} more", "dim") if more else ("", "dim")
    return ((" ", "dim"), *alert_line(found[0], view.now, width - 1 - width_of((tail,)), view.stuck, word=False), tail)


class AlertsPane(AlertRows):
    """The list of alerts."""

    heading = "Alerts"
    reads = ("alerts", "rules")
    _events: tuple[Event, ...] = ()

    def wants_repaint(self, view: View) -> bool:
        return view.snapshot is not None and view.snapshot.events != self._events

    def prepare(self, view: View, width: int) -> None:
        self._events = view.snapshot.events if view.snapshot else ()
        every = alerts(view)
        self._all = len(every)
        self._alerts = [
            alert for alert in every
            if self.holds(alert.severity, alert.rule, alert.row, alert.state, alert.message,
                          "silent" if alert.silenced else None, "new" if alert.unseen else None)
        ]  # fmt: skip
        self.rows = [alert.key for alert in self._alerts]
        self._width = width

    def body(self, start: int, stop: int) -> Sequence[Line]:
        now = self.view.now if self.view else 0.0
        stuck = self.view is not None and self.view.stuck
        return [((" ", "dim"), *alert_line(a, now, self._width - 1, stuck)) for a in self._alerts[start:stop]]

    def title(self, view: View) -> str:
        new = sum(a.unseen for a in self._alerts)
        words = f"Alerts ─ {len(self.rows)} of {self._all}" if self.needle.strip() else "Alerts"
        return f"{words} ─ {new} new, a marks as seen" if new else words

    def chosen(self) -> Chosen | None:
        if not self.rows:
            return None
        alert = self._alerts[self.index()]
        return Chosen(alert.rule, alert.row, alert.at)

    def record(self) -> dict[str, object] | None:
        if not self.rows or self.view is None:
            return None
        alert = self._alerts[self.index()]
        row = self.view.row("alerts", rule=alert.rule, row=alert.row)
        if row is not None:
            return row
        when = new_york(alert.at)
        return {"rule": alert.rule, "row": alert.row, "state": alert.state, "resolved": when, "message": alert.message}

    def called(self) -> str:
        chosen = self.chosen()
        return "" if chosen is None else chosen.rule if chosen.row == "*" else f"{chosen.rule}: {chosen.row}"

    def waiting(self, view: View) -> str:
        if view.table("alerts") is None:
            return "waiting for the rules' first look at the tables"
        if self._all:
            return "no alert holds this"
        return "no alert stands; `A` makes a rule that waits for one"


class AlertLine(Bar):
    """The newest alert in one line, worked out again only where the table, the events or the day have changed."""

    _seen: tuple[object, ...] = ()
    _made: Line = ()

    def paint(self, view: View, width: int) -> Line:
        events = view.snapshot.events if view.snapshot else ()
        today = new_york(view.now).date() if view.snapshot else None
        frame = view.table("alerts")
        seen = (events, width, view.stuck, today)
        if not self._seen or self._seen[0] is not frame or self._seen[1:] != seen:
            self._seen, self._made = (frame, *seen), newest_line(view, width)
        return self._made
