"""The pairs that were looked through for relative value: hedge ratios, gates, the residual's z and the hedge's size.

A pair that does not pass both gates is dim: its z is no signal. None of it is arbitrage, and the pane says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import BLANK, Column, Line, Span, choose, column_at, heading, marked, merged, notes, row
from tui.view import View
from tui.widgets.linepane import LinePane

COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("gate", "", 1, rank=0, gap=0),
    Column("pair", "pair", 12, "<", rank=0, gap=1),
    Column("z", "z60", 6, rank=0, gap=1, sort="z"),
    Column("bar", fmt.z_scale(), 15, rank=2, gap=1),
    Column("signal", "signal", 7, "<", rank=1, gap=2),
    Column("half", "half-life", 9, rank=3, gap=1, sort="half_life"),
    Column("p", "p", 6, rank=3, gap=1, sort="p_value"),
    Column("ols", "β ols", 6, rank=4, gap=1, sort="beta_ols"),
    Column("tls", "β tls", 6, rank=6, gap=1, sort="beta_tls"),
    Column("kalman", "β kalman", 8, rank=7, gap=1, sort="beta_kalman"),
    Column("hedge", "hedge", 28, "<", rank=5, gap=2),
)
NOTES: Final = (
    "relative value, not arbitrage: a pair passes ✓ where p < .05 both ways, after Benjamini–Hochberg over all pairs, "
    "and its half-life is 2–60 rows; signal: in at |z| 2, out at .5, stopped at 3.5",
)
STRETCHED: Final = 2.0
_SIGNALS: Final[Mapping[str | None, str]] = {"long": "up", "short": "down", "stopped": "warn"}


def scanner_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One pair as a line."""
    status, z, passed = record["status"], record["z"], record["admitted"]
    signal = record["signal"]
    calm = "text" if passed else "dim"
    stretched = passed and z is not None and abs(z) >= STRETCHED
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "gate": {True: ("✓", "good"), False: ("·", "dim")}.get(passed, (" ", "dim")),
        "pair": (fmt.shorten(record["pair"], 12), "bright" if passed else "text"),
        "z": (fmt.on_point(fmt.signed(z, 2, status), 2), "warn" if stretched else calm if z is not None else "missing"),
        "bar": (fmt.z_bar(z), "warn" if stretched else "dim"),
        "signal": (signal or "", _SIGNALS.get(signal, "dim") if passed else "dim"),
        "half": (half_life(record["half_life"], status), calm),
        "p": (fmt.on_point(fmt.number(record["p_value"], 3, status), 3), calm),
        "ols": (fmt.on_point(fmt.number(record["beta_ols"], 2, status), 2), calm),
        "tls": (fmt.on_point(fmt.number(record["beta_tls"], 2, status), 2), "dim"),
        "kalman": (fmt.on_point(fmt.number(record["beta_kalman"], 2, status), 2), "dim"),
        "hedge": (hedge(record), calm),
    }
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


def half_life(rows: float | None, status: str | None = None) -> str:
    """Rows of the daily grid; ∞ where nothing comes back."""
    if rows is None:
        return fmt.absent(status) + "  "
    return "∞  " if math.isinf(rows) else f"{rows:,.0f} d"


def hedge(record: Mapping[str, Any]) -> str:
    """`10 ETH ⇄ 1.30 M2K=F`; a negative hedge is bought, not sold."""
    units, held, against = record["units"], record["hedge_units"], record["hedge"]
    if units is None or held is None:
        return ""
    side = "sell" if held >= 0 else "buy"
    return f"{units:,.10g} {record['a']}: {side} {fmt.number(abs(held), 2)} {str(against).removesuffix('/USD')}"


class ScannerPane(LinePane):
    """The table of scanned pairs."""

    heading = "Pair scanner"
    reads = ("scanner",)
    sorts = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sort = ""
        self._reverse = True

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("scanner")
        if self._sort:
            column = next(c.sort for c in COLUMNS if c.key == self._sort)
            self._records = sorted(self._records, key=lambda r: _order(r[column], self._reverse))
        self.rows = [r["pair"] for r in self._records]
        self._columns = choose(COLUMNS, width)
        self.head = (heading(self._columns, self._sort, self._reverse),) if self.rows else ()
        self.foot = (BLANK, *notes(NOTES, width)) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [scanner_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def title(self, view: View) -> str:
        passed = sum(r["admitted"] is True for r in self._records)
        return f"Pair scanner: {passed} of {len(self._records)} pass" if self._records else self.heading

    def next_sort(self) -> None:
        shown = ["", *(c.key for c in self._columns if c.sort)]
        at = shown.index(self._sort) if self._sort in shown else 0
        self._sort = shown[(at + 1) % len(shown)]
        self.repaint()

    def sortable(self) -> list[str]:
        return [c.sort for c in COLUMNS if c.sort]

    def sort_by(self, column: str, *, reverse: bool) -> str | None:
        known = {"": "", **{c.key: c.key for c in COLUMNS if c.sort}, **{c.sort: c.key for c in COLUMNS if c.sort}}
        if column not in known:
            return f"no column “{column}”; there are {', '.join(self.sortable())}"
        self._sort, self._reverse = known[column], not reverse
        self.repaint()
        return None

    def heading_at(self, x: int) -> tuple[str, bool]:
        column = column_at(self._columns, x)
        return (column.sort, column.key == self._sort) if column is not None else ("", False)

    def turn_round(self) -> None:
        self._reverse = not self._reverse
        self.repaint()

    def waiting(self, view: View) -> str:
        return "waiting for a year of daily history of both legs of a pair"


def _order(value: float | None, reverse: bool) -> tuple[bool, float]:
    """What is missing stands last either way."""
    return (value is None, 0.0 if value is None else -value if reverse else value)
