"""All values of one row, with its status in words: what the panes had no room for. It stays live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tui import format as fmt
from tui.lines import Line
from tui.screens.sheet import Sheet
from tui.view import View
from tui.widgets.linepane import LinePane, wrap


def number_text(name: str, value: float) -> str:
    """A number with its unit, by the way in which the column's name states units."""
    fraction = name.startswith("rel_") or name == "drawdown"
    if name.endswith("_pct") or fraction:
        return f"{fmt.signed(100 * value if fraction else value)} %"
    if name.startswith("pp_"):
        return f"{fmt.signed(value)} pp"
    if name in ("breadth", "percentile", "position", "coverage"):
        return fmt.percent(value, 1)
    if name.endswith("_usd"):
        return f"{fmt.compact(value).strip()} $"
    return fmt.number(value, 4 if name.startswith("z") or name in ("log_ratio", "rvol") else fmt.price_digits(value))


def value_text(name: str, value: object) -> str:
    """One value in words."""
    text = str(value)
    match value:
        case None:
            text = fmt.MISSING
        case bool():
            text = "yes" if value else "no"
        case datetime():
            text = value.isoformat(sep=" ", timespec="seconds")
        case float():
            text = number_text(name, value)
        case list():
            known = [v for v in value if isinstance(v, float)]
            text = f"{fmt.sparkline(known, min(40, len(known)))}  {len(value)} values" if known else fmt.MISSING
    return text


def detail_lines(record: dict[str, object], width: int) -> list[Line]:
    """One line a column, the name on the left; long words wrap under their value."""
    lines: list[Line] = []
    for name, value in record.items():
        role = {"status": "bright", "simulated": "simulated" if value else "text"}.get(name, "text")
        text = value_text(name, value)
        if name == "status":
            text = f"{fmt.GLYPHS.get(text, ' ')} {text}".strip()
        if name == "simulated" and value:
            text = f"{fmt.SIMULATED} yes: this market does not exist"
        rows = [text] if isinstance(value, list) else wrap(text, max(10, width - 22)) or [text]
        label = "from high" if name == "drawdown" else name.replace("_", " ")
        lines += [((f" {label if i == 0 else '':<19} ", "dim"), (row, role)) for i, row in enumerate(rows)]
    return lines


class DetailPage(LinePane):
    """The row's values."""

    heading = "Detail"
    ground = "surface"
    ages = True

    def __init__(self, pane: LinePane) -> None:
        super().__init__(id="page")
        self._pane = pane
        self._lines: list[Line] = []
        self._record = pane.record() or {}
        self._key = pane.rows[pane.index()]

    def wants_repaint(self, view: View) -> bool:
        return True

    def prepare(self, view: View, width: int) -> None:
        self._pane.view = view
        if self._key in self._pane.rows:
            self._pane.cursor = self._key
            self._record = self._pane.record() or self._record
        self._lines = detail_lines(self._record, width)
        self.rows = [f"{i} {''.join(t for t, _ in line)}" for i, line in enumerate(self._lines)]
        at = self.cursor.split(" ", 1)[0] if self.cursor else "0"
        self.cursor = next((r for r in self.rows if r.split(" ", 1)[0] == at), None)

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return self._lines[start:stop]

    def title(self, view: View) -> str:
        return f"{self._key} ─ Esc returns"


class Detail(Sheet):
    """The detail screen."""

    def __init__(self, pane: LinePane) -> None:
        super().__init__(DetailPage(pane))
