"""The rules: what is watched, what of it fires, what is silent or off; those made here can be changed and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tui.lines import Line, fit
from tui.panes.alert_rows import AlertRows, Chosen, epoch
from tui.panes.alerts import time_text
from tui.view import View

_ROLES: Final = {"critical": "alert", "warning": "warn", "info": "accent"}


class RulesPane(AlertRows):
    """One line a rule."""

    heading = "Rules"
    reads = ("rules", "alerts")
    ages = True

    def prepare(self, view: View, width: int) -> None:
        rows = view.rows("rules")
        self._all = len(rows)
        self._records: list[dict[str, Any]] = [
            row for row in rows
            if self.holds(row["rule"], row["origin"], row["severity"], row["watches"], state_of(row, view.now)[0])
        ]  # fmt: skip
        self.rows = [row["rule"] for row in self._records]
        self._width = width
        self._doubted = doubted(view)

    def body(self, start: int, stop: int) -> Sequence[Line]:
        now = self.view.now if self.view is not None else 0.0
        doubt = self._doubted
        return [rule_line(row, now, self._width, row["rule"] in doubt) for row in self._records[start:stop]]

    def title(self, view: View) -> str:
        return "Rules ─ A makes a new one"

    def waiting(self, view: View) -> str:
        return (
            "no rule holds this" if self._all else "waiting for the rules to be read: they begin with the first price"
        )

    def chosen(self) -> Chosen | None:
        if not self.rows:
            return None
        row = self._records[self.index()]
        return Chosen(row["rule"], "*", epoch(row["fired_at"]))

    def record(self) -> dict[str, object] | None:
        return dict(self._records[self.index()]) if self.rows else None


def doubted(view: View) -> frozenset[str]:
    """The rules all of whose standing alerts rest on stale rows: of each that stands when the engine is stuck."""
    frame = view.table("alerts")
    if frame is None or not frame.height:
        return frozenset()
    states: dict[str, bool] = {}
    for rule, state, status in frame.select("rule", "state", "status").iter_rows():
        if state in ("firing", "pending"):
            states[rule] = states.get(rule, True) and (view.stuck or status == "stale")
    return frozenset(rule for rule, old in states.items() if old)


def state_of(row: dict[str, Any], now: float) -> tuple[str, str]:
    """A rule's state in a word or two, and its role."""
    if not row["enabled"]:
        return "off", "dim"
    if row["silenced"]:
        until = epoch(row["silent_until"])
        return ("muted" if until is None else f"silent to {time_text(until, now)[:5]}"), "dim"
    if row["firing"]:
        return f"{row['firing']} firing", _ROLES.get(row["severity"], "warn")
    return (f"{row['pending']} pending", "text") if row["pending"] else ("watching", "dim")


def rule_line(row: dict[str, Any], now: float, width: int, doubt: bool = False) -> Line:
    """`size-z            ready    2 firing         spreads: pair = 'IWM/SPY' AND …`.

    doubt: what it stands on is stale, so that its state is as it was last known.
    """
    word, role = state_of(row, now)
    doubt = doubt and bool(row["firing"] or row["pending"])
    origin = {"ready": "ready", "config": "file", "terminal": "here"}.get(row["origin"], row["origin"])
    changed = "*" if row["saved"] and row["origin"] != "terminal" else " "
    roomy = width >= 64
    name = 20 if roomy else max(8, width - 26)
    lead = 1 + name + 1 + 7 + 16
    return (
        ("◌" if doubt else " ", "stale"),
        (fit(row["rule"], name) + " ", "text" if row["enabled"] else "dim"),
        (fit(origin + changed, 7), "dim"),
        (fit(word, 16), "stale" if doubt else role),
        (fit(row["watches"], width - lead) if roomy else "", "text" if row["enabled"] else "dim"),
    )
