"""Rotations: where small caps would stand if large caps did this and small caps did that beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import BLANK, Column, Line, Span, choose, heading, marked, merged, notes, row
from tui.view import View
from tui.widgets.linepane import LinePane

COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("whatif", "what if", 10, "<", rank=0, gap=1),
    Column("large_pct", "large %", 8, rank=1, gap=1),
    Column("relative_pct", "relative %", 10, rank=1, gap=1),
    Column("small_pct", "small %", 8, rank=0, gap=1),
    Column("price", "small at", 10, rank=0, gap=1),
    Column("last", "small now", 10, rank=2, gap=1),
    Column("large_price", "large at", 10, rank=3, gap=1),
)
NOTE: Final = "IWM · (1 + large) · (1 + relative): arithmetic, not a forecast"


def whatif_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One rotation as a line."""
    status, small = record["status"], record["small_pct"]
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "whatif": (fmt.shorten(record["whatif"], 10), "text"),
        "large_pct": (fmt.signed(record["large_pct"], 1), fmt.direction(record["large_pct"])),
        "relative_pct": (fmt.signed(record["relative_pct"], 1), fmt.direction(record["relative_pct"])),
        "small_pct": (fmt.signed(small, 1), fmt.direction(small)),
        "price": (fmt.price(record["price"]), "bright" if record["price"] is not None else "missing"),
        "last": (fmt.price(record["last"]), "dim"),
        "large_price": (fmt.price(record["large_price"]), "dim"),
    }
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


class WhatIfsPane(LinePane):
    """The table of rotations."""

    heading = "What if IWM and SPY rotate"
    reads = ("whatifs",)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("whatifs")
        self.rows = [r["whatif"] for r in self._records]
        self._columns = choose(COLUMNS, width)
        self.head = (heading(self._columns),) if self.rows else ()
        self.foot = (BLANK, *notes((NOTE,), width)) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [whatif_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def waiting(self, view: View) -> str:
        return "no rotations: make one with `:whatif large -9.1 relative 55.4`, or in `[whatifs]` of the configuration"
