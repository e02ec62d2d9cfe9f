"""Every level of every symbol that has some: where it lies, what it has seen, how far away the price is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, marked, merged, row
from tui.view import View
from tui.widgets.linepane import LinePane

COLUMNS: Final = (
    Column("glyph", "", 1, rank=0),
    Column("symbol", "symbol", 8, "<", rank=0, gap=1),
    Column("role", "role", 10, "<", rank=0),
    Column("price", "price", 10, rank=0, gap=1),
    Column("distance_pct", "away %", 7, rank=1),
    Column("distance_atr", "away ATR", 8, rank=3, gap=1),
    Column("state", "state", 13, "<", rank=2),
    Column("touches", "touches", 7, rank=4, gap=1),
    Column("strength", "strength", 8, rank=5, gap=1),
    Column("zone", "zone", 21, "<", rank=7),
    Column("sources", "found by", 30, "<", rank=6),
)


def level_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False, decimals: int = 2) -> Line:
    """One level as a line; its distance is from the price to the level, in per cent and in ATR.

    decimals: what the prices of all levels have at the most.
    """
    status, state = record["status"], record["state"]
    atr = record["distance_atr"]
    low, high = record["low"], record["high"]
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "symbol": (fmt.shorten(record["symbol"], 8), "bright"),
        "role": (record["role"] or "", "text"),
        "price": (fmt.on_point(fmt.price(record["price"], status), decimals), "text"),
        "distance_pct": (fmt.signed(record["distance_pct"], 2, status), "dim" if record["out_of_play"] else "text"),
        "distance_atr": (fmt.number(None if atr is None else abs(atr), 1, status), "dim"),
        "state": (state or fmt.absent(status), "dim" if state == "CLEAR" else "warn"),
        "touches": (fmt.number(record["touches"], 0, status), "dim"),
        "strength": (fmt.number(record["strength"], 0, status), "text"),
        "zone": ("" if low is None or high is None else f"{fmt.price(low)}–{fmt.price(high)}", "dim"),
        "sources": (record["sources"] or "", "dim"),
    }
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


class LevelsPane(LinePane):
    """The table of levels, from the highest price of each symbol down."""

    heading = "Levels"
    reads = ("levels",)

    def prepare(self, view: View, width: int) -> None:
        records = view.rows("levels")
        order = {symbol: n for n, symbol in enumerate(dict.fromkeys(r["symbol"] for r in records))}
        self._records = sorted(records, key=lambda r: (order[r["symbol"]], -(r["price"] or 0.0)))
        self.rows = [f"{r['symbol']} {r['role']} {r['price']}" for r in self._records]
        self._decimals = max((fmt.price_digits(r["price"]) for r in self._records), default=2)
        self._columns = choose(COLUMNS, width)
        self.head = (heading(self._columns),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [level_row(r, self._columns, stuck, self._decimals) for r in self._records[start:stop]]

    def record(self) -> dict[str, Any] | None:
        return dict(self._records[self.index()]) if self.rows else None

    def called(self) -> str:
        record = self.record()
        return f"{record['symbol']} {record['role']} {fmt.level(record['price'])}" if record else ""

    def waiting(self, view: View) -> str:
        return "waiting for daily history; `[levels]` of the configuration names levels of your own"
