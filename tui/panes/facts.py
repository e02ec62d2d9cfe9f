"""Figures from outside, each with source and time; one that never came stands here too, and says whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, merged, row, stale
from tui.view import View
from tui.widgets.header import NEW_YORK
from tui.widgets.linepane import LinePane

COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("fact", "fact", 22, "<", rank=0, gap=1),
    Column("value", "value", 12, rank=0, gap=1),
    Column("unit", "", 6, "<", rank=1, gap=1),
    Column("change_pct", "change %", 8, rank=2, gap=1),
    Column("change_over", "over", 4, rank=3, gap=1),
    Column("as_of", "as of, NY", 11, "<", rank=5, gap=2),
    Column("source", "source", 18, "<", rank=4, gap=2),
)
DIGITS = {"%": 2, "ln": 4}
"""Decimals by unit; counts and indices of whole numbers have none."""


def columns_for(width: int) -> tuple[Column, ...]:
    """The columns for a width; the source takes what is left over."""
    shown = choose(COLUMNS, width)
    left = width - sum(c.width + c.gap for c in shown)
    return tuple(replace(c, width=c.width + max(0, min(20, left))) if c.key == "source" else c for c in shown)


def value_text(value: float | None, unit: str | None, status: str) -> str:
    """A fact with the digits of its unit."""
    if unit == "USD":
        return fmt.compact(value, status)
    if unit == "pp":
        return fmt.signed(value, 1, status)
    return fmt.number(value, DIGITS.get(unit or "", 0), status)


def fact_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One fact as a line."""
    status, change, when = record["status"], record["change_pct"], record["as_of"]
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "fact": (fmt.shorten(str(record["fact"]).replace("_", " "), 22), "text"),
        "value": (value_text(record["value"], record["unit"], status), "bright"),
        "unit": (record["unit"] or "", "dim"),
        "change_pct": (fmt.on_point(fmt.signed(change, 1), 1) if change is not None else "", fmt.direction(change)),
        "change_over": (record["change_over"] or "", "dim"),
        "as_of": (f"{when.astimezone(NEW_YORK):%m-%d %H:%M}" if when is not None else "never", "dim"),
        "source": (record["source"] or "", "dim"),
    }
    line = merged(row(columns, cells))
    return stale(line) if stuck or status == "stale" else line


class FactsPane(LinePane):
    """The table of facts."""

    heading = "Facts"
    reads = ("facts",)

    def prepare(self, view: View, width: int) -> None:
        frame = view.table("facts")
        self._records = list(frame.iter_rows(named=True)) if frame is not None else []
        self.rows = [str(r["fact"]) for r in self._records]
        self._columns = columns_for(width)
        self.head = (heading(self._columns),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [fact_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def waiting(self, view: View) -> str:
        return "no fact has come: the sources are switched in `[facts]` of the configuration"
