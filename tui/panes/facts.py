"""Figures from outside, each with source and time; one that never came stands here too, and says whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, marked, merged, row
from tui.view import View
from tui.widgets.linepane import LinePane

DECIMALS = 3
"""The most that a fact has; all stand on one decimal point."""
COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("fact", "fact", 20, "<", rank=0, gap=1),
    Column("value", "value", 13, rank=0, gap=1, unit_pad=DECIMALS + 1),
    Column("unit", "", 6, "<", rank=1, gap=1),
    Column("change_pct", "change %", 8, rank=2, gap=1),
    Column("change_over", "over", 4, rank=3, gap=1),
    Column("as_of", "as of, NY", 11, "<", rank=5, gap=2),
    Column("source", "source", 18, "<", rank=4, gap=2),
)


def columns_for(width: int) -> tuple[Column, ...]:
    """The columns for a width; the source takes what is left over."""
    shown = choose(COLUMNS, width)
    left = width - sum(c.width + c.gap for c in shown)
    return tuple(replace(c, width=c.width + max(0, min(20, left))) if c.key == "source" else c for c in shown)


NAMES: Mapping[str, str] = {
    "btc": "BTC", "eth": "ETH", "ai": "AI", "defi": "DeFi", "tvl": "TVL", "dex": "DEX", "etfs": "ETFs",
    "fear": "fear and",
}  # fmt: skip
"""Words of a fact's name as they are written."""


def name_of(fact: str) -> str:
    """`btc_dominance` as `BTC dominance`."""
    return " ".join(NAMES.get(word, word) for word in fact.split("_"))


def figure(value: float | None, unit: str | None, status: str) -> tuple[str, str]:
    """A fact with the digits of its unit, and the unit with the magnitude before it."""
    unit = {"0-100": "of 100", None: ""}.get(unit, unit) or ""
    if unit == "USD" and value is not None:
        text, _, size = fmt.compact(value).strip().partition(" ")
        return text, f"{size} USD".strip()
    if unit == "pp":
        return fmt.signed(value, 1, status), unit
    return fmt.number(value, {"%": 2, "ln": DECIMALS}.get(unit, 0), status), unit


def fact_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One fact as a line."""
    status, change, when = record["status"], record["change_pct"], record["as_of"]
    text, unit = figure(record["value"], record["unit"], status)
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "fact": (fmt.shorten(name_of(str(record["fact"])), 20), "text"),
        "value": (fmt.on_point(text, DECIMALS), "bright"),
        "unit": (unit, "dim"),
        "change_pct": (fmt.on_point(fmt.signed(change, 1), 1) if change is not None else "", fmt.direction(change)),
        "change_over": (record["change_over"] or "", "dim"),
        "as_of": (f"{fmt.new_york(when.timestamp()):%m-%d %H:%M}" if when is not None else "never", "dim"),
        "source": (record["source"] or "", "dim"),
    }
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


class FactsPane(LinePane):
    """The table of facts."""

    heading = "Facts"
    reads = ("facts",)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("facts")
        self.rows = [str(r["fact"]) for r in self._records]
        self._columns = columns_for(width)
        self.head = (heading(self._columns),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [fact_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def waiting(self, view: View) -> str:
        return "no fact has come: the sources are switched in `[facts]` of the configuration"
