"""Size spreads: who leads over each horizon, and how stretched the ratio is against its own year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, marked, merged, row
from tui.view import View
from tui.widgets.linepane import LinePane

BAR = 15
STRETCHED = 2.0
"""The marks on the bar; a z-score beyond them carries `!`. (Whether it warns is for the gauges to say.)"""
RATIO = 6
"""Decimals of the smallest ratio, an index of altcoins over BTC."""

COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("pair", "pair", 10, "<", rank=0, gap=1),
    Column("ratio", "ratio", 9, rank=6, gap=1),
    Column("rel_1d", "1d %", 6, rank=3, gap=1),
    Column("rel_5d", "5d %", 6, rank=7, gap=1),
    Column("rel_1m", "1M %", 6, rank=12, gap=1),
    Column("rel_3m", "3M %", 6, rank=13, gap=1),
    Column("rel_ytd", "YTD %", 6, rank=4, gap=1),
    Column("rel_1y", "1Y %", 6, rank=5, gap=1),
    Column("rel_5y", "5Y %", 6, rank=8, gap=1),
    Column("z63", "z63", 5, rank=11, gap=1),
    Column("z252", "z252", 5, rank=1, gap=1),
    Column("mark", "", 1, rank=1, gap=0),
    Column("bar", fmt.z_scale(BAR), BAR, "<", rank=2, gap=1),
    Column("percentile", "pctl", 5, rank=9, gap=1),
    Column("drawdown", "from high", 9, rank=14, gap=1),
    Column("half_life", "half-life", 9, rank=15, gap=1),
    Column("recent", "recent", 12, "<", rank=10, gap=2),
)


def cells(record: Mapping[str, Any]) -> dict[str, Span]:
    """One pair's cells: text and role by column."""
    status = record["status"]
    out: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "pair": (record["pair"], "bright"),
        "ratio": (_ratio(record["ratio"], status), "text"),
        "bar": (fmt.z_bar(record["z252"], BAR), "dim"),
        "percentile": (fmt.ordinal(record["percentile"]), "dim"),
        "drawdown": (fmt.percent(record["drawdown"], 1, status), "dim"),
        "half_life": (_half_life(record["half_life"], status), "dim"),
        "recent": (fmt.sparkline(record["recent"], 12), "dim"),
    }
    for horizon in ("1d", "5d", "1m", "3m", "ytd", "1y", "5y"):
        value = record[f"rel_{horizon}"]
        change = None if value is None else 100 * value
        digits = 1 if change is not None and abs(change) >= 100 else 2
        out[f"rel_{horizon}"] = (fmt.on_point(fmt.signed(change, digits, status), 2), fmt.direction(change))
    for window in ("z63", "z252"):
        z = record[window]
        out[window] = (fmt.on_point(fmt.signed(z, 2, status), 2), "dim" if window == "z63" else z_role(z))
    stretched = record["z252"] is not None and abs(record["z252"]) >= STRETCHED
    out["mark"] = ("!" if stretched else "", "warn")
    if stretched:
        out["bar"] = (out["bar"][0], "warn")
    return out


def z_role(z: float | None) -> str:
    """The role of a z-score's figure."""
    return "missing" if z is None else "figure-warn" if abs(z) >= STRETCHED else "figure"


def _ratio(value: float | None, status: str) -> str:
    if value is None:
        return fmt.on_point(fmt.absent(status), RATIO)
    digits = 2 if value >= 10 else 4 if value >= 0.1 else 5 if value >= 0.01 else RATIO
    return fmt.on_point(fmt.number(value, digits), RATIO)


def _half_life(bars: float | None, status: str) -> str:
    if bars is None:
        return fmt.absent(status)
    return "∞  " if bars == float("inf") else f"{bars:,.0f} d"


def spread_row(record: Mapping[str, Any], columns: Sequence[Column], stuck: bool = False) -> Line:
    """One pair as a line; stale in one colour throughout."""
    line = merged(row(columns, cells(record)))
    return marked(line, record["status"], stuck)


def summary(record: Mapping[str, Any], width: int) -> Line:
    """Who has led for how long, by complete years, the current year apart; as much of it as fits."""
    years, leader = record["streak_years"], record["streak_leader"]
    parts: list[list[Span]] = []
    if leader is not None and years:
        span = f" ({record['streak_from']}–{record['streak_to']})" if record["streak_from"] is not None else ""
        parts.append([(f"  {leader} leads {years} year{'s' if years != 1 else ''}", "bright"), (span, "dim")])
    if record["pp_ytd"] is not None:
        parts.append(
            [
                (f"{record['streak_to'] + 1} so far: small " if record["streak_to"] else "this year: small ", "dim"),
                (fmt.signed(record["pp_ytd"]), fmt.direction(record["pp_ytd"])),
                (" pp", "dim"),
            ]
        )
    if record["percentile"] is not None:
        parts.append([(f"at {fmt.ordinal(record['percentile'])} pctl", "dim")])
    if record["low_label"]:
        parts.append([(str(record["low_label"]), "warn")])
    line: list[Span] = []
    for part in parts:
        lead = "  " if line else ""
        if sum(len(t) for t, _ in (*line, *part)) + len(lead) > width:
            break
        line += [(lead + part[0][0], part[0][1]), *part[1:]]
    return tuple(line)


class SpreadsPane(LinePane):
    """The table of pairs."""

    heading = "Size spread"
    reads = ("spreads",)

    def prepare(self, view: View, width: int) -> None:
        self._records = view.rows("spreads")
        self.rows = [r["pair"] for r in self._records]
        self._columns = choose(COLUMNS, width)
        self.head = (heading(self._columns),) if self.rows else ()
        lead = summary(self._records[0], width) if self._records else ()
        self.foot = (marked(lead, self._records[0]["status"], view.stuck),) if lead else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [spread_row(r, self._columns, stuck) for r in self._records[start:stop]]

    def record(self) -> dict[str, object] | None:
        return dict(self._records[self.index()]) if self.rows else None

    def pair(self) -> str | None:
        """The pair under the cursor."""
        return self.rows[self.index()] if self.rows else None

    def waiting(self, view: View) -> str:
        pairs = view.snapshot.config.spreads.pairs if view.snapshot else ()
        return f"waiting for daily history of {', '.join(pairs) or 'the pairs'}"
