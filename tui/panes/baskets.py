"""Crypto baskets: returns, volume against a year ago, breadth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, marked, merged, row
from tui.view import View
from tui.widgets.linepane import LinePane

COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("basket", "basket", 8, "<", rank=0, gap=1),
    Column("return_1d_pct", "1d %", 7, rank=1, gap=1),
    Column("return_7d_pct", "7d %", 7, rank=3, gap=1),
    Column("return_30d_pct", "30d %", 7, rank=4, gap=1),
    Column("volume_usd", "24h vol $", 10, rank=2, gap=1),
    Column("volume_yoy_pct", "vol YoY %", 9, rank=5, gap=1),
    Column("volume_30d_pct", "vol 30d %", 9, rank=7, gap=1),
    Column("breadth", ">50d", 5, rank=6, gap=1),
    Column("bar", "breadth", 11, "<", rank=9, gap=2),
    Column("members", "of", 4, rank=6, gap=0),
    Column("coverage", "cover", 6, rank=8, gap=1),
    Column("recent", "30 d", 15, "<", rank=10, gap=2),
)


def cells(record: Mapping[str, Any]) -> dict[str, Span]:
    """One basket's cells."""
    status = record["status"]
    out: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "basket": (fmt.shorten(record["basket"], 8), "bright"),
        "volume_usd": (fmt.compact(record["volume_usd"], status), "text"),
        "bar": (fmt.range_bar(record["breadth"], 11), "dim"),
        "recent": (fmt.sparkline(record["recent"], 15), "dim"),
        "coverage": (fmt.percent(record["coverage"], 0, status), "dim"),
    }
    members, breadth = record["breadth_members"], record["breadth"]
    above = None if members is None or breadth is None else round(breadth * members)
    out["breadth"] = (fmt.number(above, 0, status), "text")
    out["members"] = (f"/{members}" if members is not None else "", "dim")
    for key in ("return_1d_pct", "return_7d_pct", "return_30d_pct"):
        out[key] = (fmt.on_point(fmt.signed(record[key], 2, status), 2), fmt.direction(record[key]))
    for key in ("volume_yoy_pct", "volume_30d_pct"):
        out[key] = (fmt.on_point(fmt.signed(record[key], 1, status), 1), fmt.direction(record[key]))
    return out


def basket_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One basket as a line."""
    line = merged(row(columns, cells(record)))
    return marked(line, record["status"], stuck)


class BasketsPane(LinePane):
    """The table of baskets."""

    heading = "Baskets"
    reads = ("baskets",)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("baskets")
        self.rows = [r["basket"] for r in self._records]
        self._columns = choose(COLUMNS, width)
        self.head = (heading(self._columns),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [basket_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def waiting(self, view: View) -> str:
        return "waiting for crypto prices and their daily candles"
