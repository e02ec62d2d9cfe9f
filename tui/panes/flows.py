"""Money in and out of funds: each group, then its funds; a figure whose history cannot bear it is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, marked, merged, row
from tui.view import View
from tui.widgets.linepane import LinePane

HORIZONS = ("1d", "5d", "20d", "ytd", "total")
COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("fund", "fund", 10, "<", rank=0, gap=1),
    Column("flow_1d", "1d $", 10, rank=2, gap=1),
    Column("flow_5d", "5d $", 10, rank=1, gap=1),
    Column("flow_20d", "20d $", 10, rank=3, gap=1),
    Column("flow_ytd", "YTD $", 10, rank=4, gap=1),
    Column("aum", "AUM $", 10, rank=5, gap=1),
    Column("flow_pct_aum", "1d % AUM", 8, rank=6, gap=1),
    Column("share", "share", 7, rank=7, gap=1),
    Column("percentile", "pctl", 5, rank=8, gap=1),
    Column("coverage", "cover", 6, rank=9, gap=1),
    Column("as_of", "as of", 10, "<", rank=10, gap=2),
    Column("flow_total", "all time $", 10, rank=11, gap=1),
    Column("recent", "20 d", 20, "<", rank=11, gap=2),
    Column("history", "history", 24, "<", rank=12, gap=2),
    Column("quarantined", "set aside", 9, rank=13, gap=1),
    Column("lag", "lag", 4, rank=14, gap=1),
    Column("source", "source", 12, "<", rank=15, gap=2),
)


def money(value: float | None, status: str) -> str:
    """A flow: its sign always, its magnitude beside it."""
    text = fmt.compact(value, status)
    return f"+{text}" if value is not None and value > 0 else text


def flow_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """A group or a fund as a line; a group's name is bright, its funds' are set in."""
    status, is_group = record["status"], record["fund"] == record["group"]
    share = record["share_of_all"] if is_group else record["share_of_group"]
    when = record["as_of"]
    pct = record["flow_pct_aum"]
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "fund": (
            fmt.shorten(record["fund"] if is_group else f"  {record['fund']}", 10),
            "bright" if is_group else "text",
        ),
        "aum": (fmt.compact(record["aum"], status), "text"),
        "flow_pct_aum": (fmt.on_point(fmt.signed(pct, 2, status), 2), fmt.direction(pct)),
        "share": (fmt.percent(share, 1), "text" if is_group else "dim"),
        "percentile": (fmt.ordinal(record["percentile"]) if record["percentile"] is not None else "", "dim"),
        "coverage": (fmt.percent(record["coverage"], 0, status), "dim"),
        "as_of": (f"{when:%Y-%m-%d}" if when is not None else fmt.MISSING, "dim"),
        "recent": (fmt.sparkline(record["recent"], 20), "dim"),
        "history": (record["history"] or "", "dim"),
        "quarantined": (fmt.number(record["quarantined"], 0), "warn" if record["quarantined"] else "dim"),
        "lag": (fmt.number(record["lag"], 0) if record["lag"] is not None else "", "dim"),
        "source": (record["source"] or "", "dim"),
    }
    for horizon in HORIZONS:
        value = record[f"flow_{horizon}"]
        cells[f"flow_{horizon}"] = (money(value, status), fmt.direction(value))
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


class FlowsPane(LinePane):
    """The table of flows."""

    heading = "Flows"
    reads = ("flows",)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("flows")
        self.rows = [f"{r['group']} {r['fund']}" for r in self._records]
        self._columns = choose(COLUMNS, width)
        self.head = (heading(self._columns),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [flow_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def record(self) -> dict[str, object] | None:
        return dict(self._records[self.index()]) if self.rows else None

    def called(self) -> str:
        return str(self._records[self.index()]["fund"]) if self.rows else ""

    def waiting(self, view: View) -> str:
        return (
            "no fund's history is held: save a fund's file from its issuer's site and run "
            "`sizewatch flows import FILE`, or run `sizewatch flows fetch`, which fetches SSGA's "
            "and says where the others are"
        )
