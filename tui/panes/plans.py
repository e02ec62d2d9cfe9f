"""Trade plans, a line a target: what each risks, how likely its prices are to be touched, what it has earned so far.

A plan that is refused says why in its line. What the probabilities assume stands below them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.cells import cell_len

from tui import format as fmt
from tui.lines import BLANK, Column, Line, Span, choose, fit, heading, marked, merged, notes, row
from tui.view import View
from tui.widgets.linepane import LinePane

COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("plan", "plan", 10, "<", rank=0, gap=1),
    Column("symbol", "symbol", 8, "<", rank=7, gap=1),
    Column("last", "last", 10, rank=5, gap=1),
    Column("entry", "entry", 10, rank=1, gap=1),
    Column("stop", "stop", 10, rank=1, gap=1),
    Column("target", "target", 10, rank=0, gap=1),
    Column("r", "R", 5, rank=1, gap=1),
    Column("touch", "touch", 6, rank=0, gap=1),
    Column("even", "even at", 7, rank=3, gap=1),
    Column("atr", "away ATR", 8, rank=6, gap=1),
    Column("quantity", "quantity", 10, rank=2, gap=1),
    Column("risk", "at risk $", 9, rank=4, gap=1),
    Column("pnl", "P/L $", 9, rank=2, gap=1),
    Column("stopped", "stop hit", 8, rank=5, gap=1),
    Column("by", "by", 10, "<", rank=6, gap=2),
)
NOTES: Final = (
    "touch: at constant volatility, without drift or jumps; a touch is no fill, and none of this says there is an edge",
    "even at: the share of trades that must reach the target before the stop to earn nothing",
)


def plan_row(
    record: Mapping[str, Any], columns: Sequence[Column], width: int, stuck: bool = False, decimals: int = 2
) -> Line:
    """One target as a line; of a plan's first target alone what belongs to the whole plan.

    decimals: what the prices of all plans have at the most.
    """
    status, first = record["status"], record["goal"] == "1"
    named = record["plan"] if first else ""
    if record["detail"] is not None and record["target"] is None:
        lead = f"{fmt.GLYPHS.get(status, ' ')} {fit(record['plan'], 10)} {record['symbol']}: "
        words: Line = ((lead, "text"), (fit(record["detail"], max(0, width - cell_len(lead))), "warn"))
        return marked(words, status, stuck)
    pnl = record["pnl"]
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "plan": (fmt.shorten(named, 10), "bright"),
        "target": (fmt.on_point(fmt.price(record["target"]), decimals), "text"),
        "r": (fmt.on_point(fmt.number(record["r_multiple"], 2), 2), "text"),
        "touch": (fmt.percent(record["touch_probability"], 0, status), "bright"),
        "even": (fmt.percent(record["break_even"], 0, status), "dim"),
        "atr": (fmt.signed(record["distance_atr"], 1, status), "dim"),
    }
    if first:
        cells |= {
            "symbol": (fmt.shorten(record["symbol"], 8), "dim"),
            "last": (fmt.on_point(fmt.price(record["last"]), decimals), "text"),
            "entry": (fmt.on_point(fmt.price(record["entry"]), decimals), "text"),
            "stop": (fmt.on_point(fmt.price(record["stop"]), decimals), "text"),
            "quantity": (fmt.on_point(quantity(record["quantity"]), 4), "text" if record["quantity"] else "warn"),
            "risk": (fmt.number(record["at_risk"], 0), "dim"),
            "pnl": (fmt.signed(pnl, 0) if pnl is not None else "", fmt.direction(pnl)),
            "stopped": (fmt.percent(record["stop_probability"], 0, status), "dim"),
            "by": (record["by"] or "", "dim"),
        }
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


def quantity(value: float | None) -> str:
    """Whole shares and contracts as such, parts of a coin with what carries meaning."""
    if value is None:
        return fmt.MISSING
    return fmt.number(value, 0) if value == round(value) else f"{value:,.4f}"


class PlansPane(LinePane):
    """The table of plans."""

    heading = "Plans"
    reads = ("plans",)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("plans")
        self.rows = [f"{r['plan']} {r['goal']}" for r in self._records]
        prices = [r[key] for r in self._records for key in ("last", "entry", "stop", "target")]
        self._decimals = max((fmt.price_digits(p) for p in prices), default=2)
        self._columns = choose(COLUMNS, width)
        self._width = width
        self.head = (heading(self._columns),) if self.rows else ()
        self.foot = (BLANK, *notes(NOTES, width)) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [plan_row(r, self._columns, self._width, stuck, self._decimals) for r in self._records[start:stop]]

    def title(self, view: View) -> str:
        count = len({r["plan"] for r in self._records})
        return f"Plans: {count}" if count else self.heading

    def record(self) -> dict[str, object] | None:
        return dict(self._records[self.index()]) if self.rows else None

    def waiting(self, view: View) -> str:
        return "no plans: make one with `:plan IWM at 220 stop 211 target 242`, or in `[plans]` of the configuration"
