"""How each couple moves together over a month, a quarter and a year: one row a couple, of three in the table.

A row is worth no more than the worst of its windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, heading, marked, merged, row
from tui.view import View
from tui.widgets.linepane import LinePane

WINDOWS = (21, 63, 252)
COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("couple", "couple", 17, "<", rank=0, gap=1),
    *(Column(f"corr{w}", f"ρ {w}", 6, rank=rank, gap=1) for w, rank in zip(WINDOWS, (3, 1, 2), strict=True)),
    Column("ewma", "ewma", 6, rank=5, gap=1),
    Column("beta", "β 252", 6, rank=4, gap=1),
    Column("lead", "lead", 6, rank=6, gap=1),
    Column("lead_corr", "ρ lead", 7, rank=7, gap=1),
    Column("bar", "ρ 63: −1 … +1", 15, "<", rank=8, gap=2),
)
_ORDER = ("ok", "warming", "estimated", "closed", "stale")


def couples(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, Mapping[str, Any]]]:
    """The table's rows by couple and window."""
    found: dict[str, dict[int, Mapping[str, Any]]] = {}
    for record in records:
        found.setdefault(f"{record['a']} · {record['b']}", {})[record["window"]] = record
    return found


def couple_row(
    name: str, windows: Mapping[int, Mapping[str, Any]], columns: Sequence[Column], stuck: bool = False
) -> Line:
    """One couple as a line, of days alone. A lead is of the couple's first over its second."""
    windows = {w: record for w, record in windows.items() if w}
    longest = windows[max(windows)]
    status = max((str(r["status"]) for r in windows.values()), key=lambda s: _ORDER.index(s) if s in _ORDER else 0)
    beta, lead = longest["beta"], longest["lead_lag"]
    quarter = windows[63]["corr"] if 63 in windows else None
    cells: dict[str, Span] = {
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
        "couple": (fmt.shorten(name, 17), "text"),
        "ewma": (two(longest["ewma_corr"], longest["status"]), "dim"),
        "beta": (two(beta, longest["status"]), "dim"),
        "lead": ("" if lead in (None, "none") else str(lead).replace("-", "−"), "text"),
        "lead_corr": (two(longest["lead_lag_corr"], None) if lead not in (None, "none") else "", "dim"),
        "bar": (fmt.range_bar(None if quarter is None else (quarter + 1) / 2, 15), "dim"),
    }
    for w in WINDOWS:
        value = windows[w]["corr"] if w in windows else None
        state = windows[w]["status"] if w in windows else None
        cells[f"corr{w}"] = (two(value, state), "bright" if w == 63 else "text")
    line = merged(row(columns, cells))
    return marked(line, status, stuck)


def two(value: float | None, status: str | None) -> str:
    """A correlation with its sign, on the decimal point."""
    return fmt.on_point(fmt.signed(value, 2, status), 2)


class CouplesPane(LinePane):
    """The base of the panes that show couples, a line each."""

    reads = ("correlations",)
    columns: tuple[Column, ...] = ()

    def line(self, name: str, windows: Mapping[int, Mapping[str, Any]], stuck: bool) -> Line:
        """One couple as a line, in the columns that have room."""
        raise TypeError(f"{type(self).__name__} has no lines")

    def prepare(self, view: View, width: int) -> None:
        self._couples = couples(view.rows("correlations"))
        self.rows = list(self._couples)
        self._columns = choose(self.columns, width)
        self.head = (heading(self._columns),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [self.line(name, self._couples[name], stuck) for name in self.rows[start:stop]]

    def record(self) -> dict[str, object] | None:
        if not self.rows:
            return None
        windows = self._couples[self.rows[self.index()]]
        return dict(windows[max(windows)])

    def waiting(self, view: View) -> str:
        return "waiting for a month of daily history of both legs of a pair"


class CorrelationsPane(CouplesPane):
    """The table of couples."""

    heading = "Correlations"
    columns = COLUMNS

    def line(self, name: str, windows: Mapping[int, Mapping[str, Any]], stuck: bool) -> Line:
        return couple_row(name, windows, self._columns, stuck)
