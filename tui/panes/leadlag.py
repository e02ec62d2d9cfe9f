"""Who leads whom: on the ticks of this session where both legs are streamed, and on daily closes.

`none` is an answer: no lag stands out. A couple whose legs are not both streamed has nothing on its left half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import BLANK, Column, Line, Span, marked, merged, notes, row
from tui.panes.correlations import CouplesPane, two
from tui.view import View

DAY: Final = 86_400.0
LEAD: Final = 14
"""Cells of who leads by how much; the name gives way, the number does not."""
COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("couple", "couple", 17, "<", rank=0, gap=1),
    Column("tick_lead", "on ticks", LEAD, "<", rank=0, gap=2),
    Column("tick_corr", "ρ ticks", 7, rank=2, gap=1),
    Column("tick_lead_corr", "ρ lead", 6, rank=4, gap=1),
    Column("n", "ticks", 6, rank=3, gap=1),
    Column("day_lead", "on days", LEAD, "<", rank=1, gap=2),
    Column("day_corr", "ρ 252", 6, rank=2, gap=1),
    Column("day_lead_corr", "ρ lead", 6, rank=5, gap=1),
)
NOTES: Final = (
    "on ticks: Hayashi–Yoshida over this session, lags of ±300 s by 5, on streamed prices; both legs need 200 moves",
    "none: no lag has |ρ| > .1 and half as much again as without one; a lead is of the first over the second",
)


def lead_words(record: Mapping[str, Any] | None) -> Span:
    """`ETH by 30 s`, `none`, or nothing where it is not measured."""
    if record is None or record["lead_lag"] is None:
        return ("", "dim")
    lag = record["lead_lag_s"]
    if lag is None:
        return ("none", "dim")
    leader = record["a"] if lag > 0 else record["b"]
    size = f"{abs(lag) / DAY:.0f} d" if abs(lag) >= DAY else f"{abs(lag):.0f} s"
    return (f"{fmt.shorten(leader, LEAD - 4 - len(size))} by {size}", "bright")


def leadlag_row(
    name: str, windows: Mapping[int, Mapping[str, Any]], columns: Sequence[Column], stuck: bool = False
) -> Line:
    """One couple as a line."""
    ticks, days = windows.get(0), windows.get(252)
    of_days = days["status"] if days is not None else None
    of_ticks = ticks["status"] if ticks is not None else None
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(of_ticks or of_days or "ok", " "), "dim"),
        "couple": (fmt.shorten(name, 17), "text"),
        "tick_lead": lead_words(ticks),
        "day_lead": lead_words(days),
    }
    if ticks is not None:
        cells |= {
            "tick_corr": (two(ticks["corr"], of_ticks), "text"),
            "tick_lead_corr": (two(ticks["lead_lag_corr"], None) if ticks["lead_lag_corr"] is not None else "", "dim"),
            "n": (fmt.number(ticks["n"], 0), "dim"),
        }
    if days is not None:
        cells |= {
            "day_corr": (two(days["corr"], of_days), "text"),
            "day_lead_corr": (two(days["lead_lag_corr"], None) if days["lead_lag_corr"] is not None else "", "dim"),
        }
    line = merged(row(columns, cells))
    return marked(line, of_ticks or of_days or "ok", stuck)


class LeadLagPane(CouplesPane):
    """The table of couples and who leads in each."""

    heading = "Who leads"
    columns = COLUMNS

    def line(self, name: str, windows: Mapping[int, Mapping[str, Any]], stuck: bool) -> Line:
        return leadlag_row(name, windows, self._columns, stuck)

    def prepare(self, view: View, width: int) -> None:
        super().prepare(view, width)
        self.foot = (BLANK, *notes(NOTES, width)) if self.rows else ()

    def record(self) -> dict[str, object] | None:
        if not self.rows:
            return None
        windows = self._couples[self.rows[self.index()]]
        return dict(windows.get(0) or windows[max(windows)])
