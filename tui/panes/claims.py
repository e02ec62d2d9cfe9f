"""What the article claimed, beside what is measured now; neither is drawn as the other, and no claim as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui import format as fmt
from tui.lines import BLANK, Column, Line, Span, choose, heading, marked, merged, notes, row
from tui.panes.evidence import HOLDS
from tui.view import View
from tui.widgets.linepane import LinePane

COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("holds", "", 1, rank=0, gap=0),
    Column("claim", "claimed", 46, "<", rank=0, gap=1),
    Column("said", "said", 14, "<", rank=2, gap=2),
    Column("measured", "measured", 9, rank=1, gap=1),
    Column("unit", "", 6, "<", rank=3, gap=1),
    Column("as_of", "as of", 10, "<", rank=5, gap=1),
    Column("note", "", 60, "<", rank=6, gap=2),
)
NOTES = (
    "✓ the measurement bears it out, ✗ it does not, – neither can be said here",
    "a figure is borne out within 2.5 points; no claim enters a computation",
)
NAME = 2
"""Where `claim` stands in COLUMNS."""


def measured(value: float | None, unit: str | None, status: str) -> tuple[str, str]:
    """A measurement with the digits of its unit, on its decimal point, and the unit with the magnitude before it."""
    unit = unit or ""
    if value is not None and abs(value) >= 1e6:
        text, _, size = fmt.compact(value).strip().partition(" ")
        return fmt.on_point(text, 2), f"{size} {unit}".strip()
    if unit == "%":
        return fmt.on_point(fmt.signed(value, 1, status), 2), unit
    if unit == "share":
        return fmt.on_point(fmt.number(None if value is None else 100 * value, 1, status), 2), "%"
    return fmt.on_point(fmt.number(value, 0 if unit in ("years", "USD") else 2, status), 2), unit


def claim_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One claim as a line; one that nothing here measures says so."""
    status, value = record["status"], record["measured"]
    when = record["as_of"]
    text, unit = measured(value, record["unit"], status)
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "holds": HOLDS[record["holds"]],
        "claim": (record["claim"], "text" if value is not None else "dim"),
        "said": (str(record["said"]).replace("-", "−"), "dim"),
        "measured": (text, "bright" if value is not None else "missing"),
        "unit": (unit, "dim"),
        "as_of": (f"{when:%Y-%m-%d}" if when is not None else "", "dim"),
        "note": (fmt.shorten(record.get("note") or "", 60), "dim"),
    }
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


def columns_for(width: int) -> tuple[Column, ...]:
    """The columns for a width; the claim itself gives way down to 24 cells before a column does."""
    full = sum(c.width + c.gap for c in COLUMNS[:-2])
    room = max(24, min(46, COLUMNS[NAME].width - (full - width)))
    name = Column("claim", "claimed", room, "<", rank=0, gap=1)
    return choose((*COLUMNS[:NAME], name, *COLUMNS[NAME + 1 :]), width)


class ClaimsPane(LinePane):
    """The table of claims."""

    heading = "Claims"
    reads = ("claims",)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("claims")
        self.rows = [r["claim"] for r in self._records]
        self._columns = columns_for(width)
        self.head = (heading(self._columns),) if self.rows else ()
        self.foot = ()
        if self.rows:
            self.foot = (BLANK, *notes((f"said by {self._records[0]['source']}", *NOTES), width, "   "))

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [claim_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def title(self, view: View) -> str:
        said_on = self._records[0]["said_on"] if self._records else None
        return f"Claims of {said_on} and what is measured" if said_on else "Claims"

    def waiting(self, view: View) -> str:
        return "waiting for the tables that measure what was claimed"
