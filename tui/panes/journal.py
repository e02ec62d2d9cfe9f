"""The journal: what was told, newest first, who has seen it, and whether it arrived; a failed delivery says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tui.lines import Line, fit
from tui.panes.alert_rows import AlertRows, Chosen, epoch
from tui.panes.alerts import time_text
from tui.view import View

_KINDS: Final = {"fired": "▲", "repeated": "▲", "resolved": "✓"}
_ROLES: Final = {"critical": "alert", "warning": "warn", "info": "accent"}
_DELIVERY: Final = {
    "failed": ("✗ ", "alert"), "trying": ("… ", "warn"), "owed": ("… ", "dim"), "arrived": ("✓ ", "good"),
}  # fmt: skip
RULE: Final = 18
"""Cells of a rule's name."""


class JournalPane(AlertRows):
    """Every event that the snapshot carries; older ones are in `sizewatch alerts history`."""

    heading = "Journal"
    reads = ("journal", "rules", "alerts")

    def prepare(self, view: View, width: int) -> None:
        rows = view.rows("journal")
        self._all = len(rows)
        self._records: list[dict[str, Any]] = [
            row for row in rows
            if self.holds(row["severity"], row["rule"], row["row"], row["kind"], row["message"], row["delivery"],
                          row["delivery_detail"], "unseen" if unseen(row) else "seen")
        ]  # fmt: skip
        self.rows = [row["event_id"] for row in self._records]
        self._width = width

    def body(self, start: int, stop: int) -> Sequence[Line]:
        now = self.view.now if self.view is not None else 0.0
        return [journal_line(row, now, self._width) for row in self._records[start:stop]]

    def title(self, view: View) -> str:
        failed = sum(row["delivery"] in ("failed", "trying") for row in self._records)
        words = f"Journal ─ {len(self.rows)} of {self._all}" if self.needle.strip() else "Journal"
        return f"{words} ─ {failed} not delivered" if failed else words

    def waiting(self, view: View) -> str:
        return "nothing in the journal holds this" if self._all else "nothing has been told yet"

    def chosen(self) -> Chosen | None:
        if not self.rows:
            return None
        row = self._records[self.index()]
        return Chosen(row["rule"], row["row"], epoch(row["at"]))

    def record(self) -> dict[str, object] | None:
        return dict(self._records[self.index()]) if self.rows else None


def unseen(row: dict[str, Any]) -> bool:
    """Whether nobody has marked a firing as seen."""
    return row["acknowledged_at"] is None and row["kind"] != "resolved"


def journal_line(row: dict[str, Any], now: float, width: int) -> Line:
    """`▲ 10:31:52 new  size-z      IWM/SPY z −2.31 …   ✗ phone failed (3 tries): no answer`."""
    role = "dim" if row["kind"] == "resolved" else _ROLES.get(row["severity"], "warn")
    glyph, mark = _DELIVERY.get(row["delivery"] or "", ("  ", "dim"))
    detail = row["delivery_detail"] or "" if row["delivery"] in ("failed", "trying") else row["delivery"] or ""
    tail = min(len(detail), max(0, width // 3)) if width >= 60 else 0
    name = RULE if width >= 90 else 0
    room = max(0, width - 1 - 2 - 9 - 5 - (name + 1 if name else 0) - 2 - (tail + 1 if tail else 0))
    new = unseen(row)
    return (
        (" ", "dim"),
        (f"{_KINDS.get(row['kind'], '·')} ", role),
        (f"{time_text(epoch(row['at']) or 0.0, now)} ", "dim"),
        ("new  " if new else "     ", role),
        (f"{fit(row['rule'], name)} " if name else "", "dim"),
        (fit(" ".join(row["message"].split()), room), "bright" if new else "text"),
        (f"{' ' if tail else ''}{glyph if width >= 30 else ''}", mark),
        (fit(detail, tail), mark),
    )
