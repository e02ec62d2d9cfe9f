"""Both counters of evidence for a turn of size: each item against its bound, with no verdict drawn from them.

An item without its data speaks neither for nor against: `–`, never ✗.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, marked, merged, row
from tui.view import View
from tui.widgets.linepane import LinePane

HOLDS: Final[Mapping[bool | None, Span]] = {True: ("✓", "good"), False: ("✗", "warn"), None: (fmt.MISSING, "missing")}
"""Whether something holds, in one cell."""
COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("holds", "", 1, rank=0, gap=0),
    Column("side", "side", 8, "<", rank=3, gap=1),
    Column("evidence", "evidence", 30, "<", rank=0, gap=1),
    Column("value", "value", 8, rank=1, gap=1),
    Column("unit", "", 1, "<", rank=1, gap=1),
    Column("threshold", "threshold", 9, rank=2, gap=1),
    Column("threshold_unit", "", 1, "<", rank=2, gap=1),
    Column("note", "", 50, "<", rank=4, gap=2),
)
_PER_CENT: Final = ("relative", "percentile", "breadth50", "ratio over", "slope")
_CHANGES: Final = ("relative", "breadth50", "ratio over", "slope")
_WHOLE: Final = ("years led", "rows since", "cuts priced")


def figure(name: str, value: float | None, status: str | None = None) -> tuple[str, str]:
    """A value or a threshold on its decimal point, and its unit; shares and log differences in per cent."""
    share = any(word in name for word in _PER_CENT)
    whole = any(word in name for word in _WHOLE) or (value == 0 and not share)
    digits = 0 if whole else 2 if "slope" in name else 1
    scaled = None if value is None else 100 * value if share else value
    text = (fmt.signed if any(word in name for word in _CHANGES) else fmt.number)(scaled, digits, status)
    return fmt.on_point(text, 2), "%" if share and value is not None else ""


def evidence_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One item as a line."""
    status, name = record["status"], record["evidence"]
    value, unit = figure(name, record["value"], status)
    threshold, its_unit = figure(name, record["threshold"])
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "holds": HOLDS[record["holds"]],
        "side": (record["side"], "dim"),
        "evidence": (name, "text" if record["holds"] is not None else "dim"),
        "value": (value, "bright" if record["holds"] else "text"),
        "unit": (unit, "dim"),
        "threshold": (threshold, "dim"),
        "threshold_unit": (its_unit, "dim"),
        "note": (fmt.shorten(record.get("note") or "", 50), "dim"),
    }
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


def counters(records: Sequence[Mapping[str, Any]]) -> Line:
    """`secular 4 of 5 hold, 1 unmeasured   cyclical 2 of 5 hold, 2 unmeasured`."""
    spans: list[Span] = []
    for side in dict.fromkeys(r["side"] for r in records):
        mine = [r["holds"] for r in records if r["side"] == side]
        blank = mine.count(None)
        spans += [(f"  {side} ", "dim"), (f"{mine.count(True)} of {len(mine)}", "figure")]
        spans += [(f", {blank} unmeasured" if blank else "", "dim")]
    return tuple(spans)


class EvidencePane(LinePane):
    """The table of evidence."""

    heading = "Evidence for a turn"
    reads = ("regime",)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("regime")
        self.rows = [f"{r['side']} {r['evidence']}" for r in self._records]
        self._columns = choose(COLUMNS, width)
        self.head = ()
        if self.rows:
            stuck = view.stuck or all(r["status"] == "stale" for r in self._records)
            self.head = (marked(counters(self._records), "ok", stuck), heading(self._columns))

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [evidence_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def record(self) -> dict[str, object] | None:
        return dict(self._records[self.index()]) if self.rows else None

    def waiting(self, view: View) -> str:
        return "waiting for years of daily history of the first pair of funds"
