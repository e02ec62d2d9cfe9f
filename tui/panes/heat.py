"""Correlations by colour: a square a couple where enough couples are known to make one, else a line a couple.

Strength is told by how dense a cell is and by its number, sign by the number and by colour: nothing by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import Line, Span, fit, merged, stale
from tui.view import View
from tui.widgets.linepane import LinePane

SHADES: Final = " ░▒▓█"
WINDOWS: Final = (21, 63, 252)
NAME: Final = 18


def cell(corr: float | None, width: int) -> tuple[Span, ...]:
    """A correlation as a field with its number: denser the stronger, up for together, down for against."""
    if corr is None:
        return ((fit(f"{fmt.MISSING} ", width, ">"), "missing"),)
    shade = SHADES[min(4, int(abs(corr) * 5))]
    role = "up" if corr > 0 else "down" if corr < 0 else "flat"
    field = max(0, width - 7)
    return ((shade * field, role), (f" {fmt.signed(corr):>5} ", role if abs(corr) >= 0.5 else "text"))


def couples(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, Mapping[str, Any]]]:
    """Couple → window → its row, in the table's order."""
    found: dict[str, dict[int, Mapping[str, Any]]] = {}
    for record in records:
        joint = " " if "/" in record["a"] else " · "
        found.setdefault(f"{record['a']}{joint}{record['b']}", {})[record["window"]] = record
    return found


def heat_row(name: str, windows: Mapping[int, Mapping[str, Any]], width: int, stuck: bool = False) -> Line:
    """One couple over the three windows, and by the weighted recent days."""
    newest = windows.get(WINDOWS[0]) or next(iter(windows.values()))
    status = "stale" if stuck else str(newest["status"])
    each = max(7, (width - NAME - 2) // 4)
    spans: list[Span] = [(fmt.GLYPHS.get(status, " "), "dim"), (fit(name, NAME), "text"), (" ", "dim")]
    for window in WINDOWS:
        record = windows.get(window)
        spans += cell(None if record is None else record["corr"], each)
    spans += cell(newest["ewma_corr"], each)
    line = merged(spans)
    return stale(line) if status == "stale" else line


class HeatPane(LinePane):
    """The couples of the `correlations` table."""

    heading = "Correlation heat"
    reads = ("correlations",)

    def prepare(self, view: View, width: int) -> None:
        frame = view.table("correlations")
        self._couples = couples(list(frame.iter_rows(named=True))) if frame is not None else {}
        self.rows = list(self._couples)
        self._width = width
        each = max(7, (width - NAME - 2) // 4)
        names = [f"{window} days" for window in WINDOWS] + ["weighted"]
        words = "".join(fit(f"{name} ", each, ">") for name in names)
        self.head = (((" " * (NAME + 2) + words, "head"),),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        return [heat_row(name, self._couples[name], self._width, stuck) for name in self.rows[start:stop]]

    def record(self) -> dict[str, object] | None:
        """The couple's row of the longest window."""
        if not self.rows:
            return None
        windows = self._couples[self.rows[self.index()]]
        return dict(windows.get(WINDOWS[-1]) or next(iter(windows.values())))

    def waiting(self, view: View) -> str:
        return "waiting for daily history of the pairs"
