"""Correlations by colour: everything against everything where that is known, else a line a couple.

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
SQUARE_NAME: Final = 7
SQUARE_CELL: Final = 7


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


def square(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Name → name → their row, either way round, names in the table's order."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in records:
        found.setdefault(record["a"], {})[record["b"]] = record
        found.setdefault(record["b"], {})[record["a"]] = record
    return found


def square_row(name: str, others: Sequence[str], row: Mapping[str, Mapping[str, Any]], stuck: bool = False) -> Line:
    """One name against the others: a field as dense as the correlation is strong, and its number."""
    spans: list[Span] = [(" ", "dim"), (fit(name, SQUARE_NAME), "text")]
    worst = "stale" if stuck else "ok"
    for other in others:
        record = row.get(other)
        if other == name or record is None:
            spans.append(((" " * 4 + "·").ljust(SQUARE_CELL) if other == name else " " * SQUARE_CELL, "line"))
            continue
        corr = record["corr"]
        worst = record["status"] if record["status"] == "stale" else worst
        if corr is None:
            spans.append((f"{fmt.absent(record['status']):>5}".ljust(SQUARE_CELL), "dim"))
            continue
        role = "up" if corr >= 0.15 else "down" if corr <= -0.15 else "dim"
        shade = SHADES[min(4, int(abs(corr) * 5))]
        words = f"{fmt.signed(corr):>5}".replace("0.", ".")[:4]  # `+1.0` in place of `+1.00`: the next field is near
        spans += [(f"{shade}{shade}", role), (words.ljust(SQUARE_CELL - 2), role)]
    if worst == "ok" and not any(record["corr"] is not None for record in row.values()):
        spans[:2] = [(fmt.WARMING, "dim"), (fit(name, SQUARE_NAME), "dim")]
    line = merged(spans)
    return stale(line) if worst == "stale" else line


class HeatPane(LinePane):
    """The square of the `matrix` table, or, until there is one, the couples of `correlations`."""

    heading = "Correlation heat"
    reads = ("matrix", "correlations")

    def prepare(self, view: View, width: int) -> None:
        self._square = square(view.rows("matrix"))
        if self._square:
            names = list(self._square)
            self.rows = names
            self._others = names[: max(1, (width - SQUARE_NAME - 1) // SQUARE_CELL)]
            words = "".join(
                fit(fmt.shorten(name, SQUARE_CELL - 1).rjust(SQUARE_CELL - 1), SQUARE_CELL) for name in self._others
            )
            self.head = (((" " * (SQUARE_NAME + 1) + words, "head"),),)
            return
        self._couples = couples(view.rows("correlations"))
        self.rows = list(self._couples)
        self._width = width
        each = max(7, (width - NAME - 2) // 4)
        names = [f"{window} days" for window in WINDOWS] + ["weighted"]
        words = "".join(fit(f"{name} ", each, ">") for name in names)
        self.head = (((" " * (NAME + 2) + words, "head"),),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        stuck = self.view is not None and self.view.stuck
        if self._square:
            return [square_row(n, self._others, self._square[n], stuck) for n in self.rows[start:stop]]
        return [heat_row(name, self._couples[name], self._width, stuck) for name in self.rows[start:stop]]

    def record(self) -> dict[str, object] | None:
        """The couple's row of the longest window; of the square the name alone."""
        if not self.rows:
            return None
        if self._square:
            return {"symbol": self.rows[self.index()]}
        windows = self._couples[self.rows[self.index()]]
        return dict(windows.get(WINDOWS[-1]) or next(iter(windows.values())))

    def title(self, view: View) -> str:
        return "Correlation of daily returns, 63 sessions" if self._square else self.heading

    def waiting(self, view: View) -> str:
        return "waiting for daily history of the pairs"
