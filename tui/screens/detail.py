"""Everything about one row, symbol, pair or band: its chart, its values with what they mean, and what else names it.

It stays live. What the values are worth stands first, in words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.events import Resize

from tui import format as fmt
from tui import keys
from tui.charts.pane import MarketChart, subject_of
from tui.definitions import definition
from tui.known import main_row, sections
from tui.lines import BLANK, Line, wrap
from tui.panes.alert_rows import AlertRows
from tui.screens.chart import show_chart
from tui.screens.sheet import Page
from tui.view import View
from tui.widgets.linepane import LinePane

BEFORE = 22
"""Cells before a value."""
VALUES = 26
"""Cells of a value that has its meaning beside it."""
MEANINGS = 24
"""Cells that a meaning needs at least."""
FRACTIONS = (
    "breadth", "percentile", "position", "coverage", "touch_probability", "stop_probability", "break_even", "sigma",
)  # fmt: skip
"""Columns that hold a share of one, shown in per cent."""


def number_text(name: str, value: float) -> str:
    """A number with its unit, by the way in which the column's name states units."""
    fraction = name.startswith("rel_") or name == "drawdown"
    if name.endswith("_pct") or name == "flow_pct_aum" or fraction:
        share = name == "dominance_pct"  # which has no direction
        return f"{fmt.number(value, 2) if share else fmt.signed(100 * value if fraction else value)} %"
    if name.startswith("pp_"):
        return f"{fmt.signed(value)} pp"
    if name in FRACTIONS or name.startswith("share_of_"):
        return fmt.percent(value, 1)
    if name.endswith("_usd") or name == "aum":
        return f"{fmt.compact(value).strip()} $"
    if name.startswith("flow_"):
        return f"{'+' * (value > 0)}{fmt.compact(value).strip()} $"
    return fmt.number(value, _digits(name, abs(value)))


def _digits(name: str, size: float) -> int:
    """Decimals of a number without a unit: shares are whole, tenths of a coin can be many."""
    if name == "age_s":
        return 1
    if name in ("volume", "adv_shares") and (size >= 1000 or size == size // 1):
        return 0
    return 4 if name.startswith("z") or name in ("log_ratio", "rvol") else fmt.price_digits(size)


def moment(name: str, at: datetime) -> str:
    """A time with its zone: New York's, as in the header; a bar's own in UTC, since a daily one is named by its date.

    One without a zone, which a question in SQL can make, is said as it is.
    """
    if at.tzinfo is None:
        return f"{at:%Y-%m-%d %H:%M:%S}"
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if name == "time" else fmt.moment(at)


def value_text(name: str, value: object) -> str:
    """One value in words."""
    text = str(value)
    match value:
        case None:
            text = fmt.MISSING
        case bool():
            text = "yes" if value else "no"
        case datetime():
            text = moment(name, value)
        case float():
            text = "∞  " if name == "half_life" and math.isinf(value) else number_text(name, value)
        case list():
            known = [v for v in value if isinstance(v, float)]
            text = f"{fmt.sparkline(known, min(40, len(known)))}  {len(value)} values" if known else fmt.MISSING
    return text


def detail_lines(record: Mapping[str, object], width: int) -> list[Line]:
    """One line a column, the name on the left, what it means on the right; long words wrap under their value.

    What the values are worth comes first.
    """
    first = [name for name in ("status", "simulated") if name in record]
    lines: list[Line] = []
    for name in (*first, *(n for n in record if n not in first)):
        value = record[name]
        role = {"status": "bright", "simulated": "simulated" if value else "text"}.get(name, "text")
        text = value_text(name, value)
        if name == "status":
            text = f"{fmt.GLYPHS.get(text, ' ')} {text}".strip()
        if name == "simulated" and value:
            text = f"{fmt.SIMULATED} yes: this market does not exist"
        meaning = definition(name, record)
        room = width - BEFORE - VALUES
        beside = bool(meaning) and room >= MEANINGS and len(text) < VALUES
        rows = [text] if isinstance(value, list) or beside else wrap(text, max(10, width - BEFORE)) or [text]
        label = "from high" if name == "drawdown" else name.replace("_", " ")
        for i, row in enumerate(rows):
            line: Line = ((f" {label if i == 0 else '':<19} ", "dim"), (row, role))
            if beside:
                line = (*line, (" " * (VALUES - len(row)) + fmt.shorten(meaning, room), "dim"))
            lines.append(line)
    return lines


class DetailPage(LinePane):
    """Everything that is known of one row, symbol, pair or band, in sections."""

    heading = "Detail"
    ground = "surface"
    ages = True

    def __init__(self, pane: LinePane | None, subject: str | None = None) -> None:
        """Of the row under a pane's cursor, or of a subject: what it is called in the tables."""
        super().__init__(id="page")
        self._pane = pane
        self._lines: list[Line] = []
        self._record: Mapping[str, object] = (pane.record() if pane is not None else None) or {}
        self._key = pane.rows[pane.index()] if pane is not None and pane.rows else ""
        self._called = pane.called() if pane is not None and pane.rows else ""
        self.subject = subject or subject_of(self._record) or ""

    def wants_repaint(self, view: View) -> bool:
        return True

    def prepare(self, view: View, width: int) -> None:
        self._follow(view)
        self._lines = detail_lines(self._record, width) if self._record else []
        for title, rows in sections(view, self.subject, self._record):
            self._lines += [BLANK] if self._lines else []
            self._lines.append(((f" {title}", "bright"),))
            for row in rows:
                self._lines += row if isinstance(row, list) else detail_lines(row, width)
        self.rows = [f"{i} {''.join(t for t, _ in line)}" for i, line in enumerate(self._lines)]
        at = self.cursor.split(" ", 1)[0] if self.cursor else "0"
        self.cursor = next((r for r in self.rows if r.split(" ", 1)[0] == at), None)

    def _follow(self, view: View) -> None:
        """Read the row again: it stays live."""
        pane = self._pane
        if pane is None:
            self._record = main_row(view, self.subject) or {}
            return
        pane.view = view
        if self._key in pane.rows:
            pane.cursor = self._key
            self._record = pane.record() or self._record

    def acknowledge(self) -> bool:
        """As `Detail.acknowledge`."""
        pane = self._pane
        if not isinstance(pane, AlertRows):
            return False
        if self._key in pane.rows:
            pane.cursor = self._key
            pane.action_seen()
        return True

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return self._lines[start:stop]

    def title(self, view: View) -> str:
        return f"{self._called or self.subject} ─ Esc returns"

    def waiting(self, view: View) -> str:
        return f"nothing is known of {self.subject} by that name"


class Detail(Page):
    """The detail screen: the page, and a chart where the row names what has one. Tab goes between the two."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("chart")

    def __init__(self, pane: LinePane | None, subject: str | None = None) -> None:
        page = DetailPage(pane, subject)
        super().__init__(page)
        self.subject = page.subject
        """What it is about, as the tables call it; empty where nothing has a chart."""
        self._chart = MarketChart("detail-chart", symbol=page.subject) if page.subject else None

    def compose(self) -> ComposeResult:
        with Container(id="detail"):
            if self._chart is not None:
                yield self._chart
            yield self._page

    def on_mount(self) -> None:
        self._arrange()
        self.set_focus(self._page)

    def on_resize(self, event: Resize) -> None:
        """Chart and page beside each other where there is room, else below each other, else the page alone."""
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.app.size
        box = self.query_one("#detail", Container)
        beside = width >= 150 and self._chart is not None
        box.styles.layout = "horizontal" if beside else "vertical"
        box.styles.width = "96%" if beside else min(width, 110)
        box.styles.height = self._tall(height)
        for part in (self._chart, self._page):
            if part is not None:
                part.styles.width = "1fr" if beside else "100%"
                part.styles.height = "100%" if beside else "1fr"
        if self._chart is not None:
            self._chart.styles.display = "block" if height >= 20 else "none"
            if not beside:
                self._chart.styles.height = "40%"

    def _tall(self, height: int) -> str | int:
        """With a chart, whatever room there is; a page by itself is as tall as what it says."""
        if self._chart is not None:
            return "92%"
        return max(8, min(len(self._page.rows) + 3, height * 92 // 100))

    def show(self, view: View) -> None:
        """Paint this moment."""
        super().show(view)
        box, tall = self.query_one("#detail", Container), self._tall(self.app.size.height)
        if isinstance(tall, int) and box.size.height != tall:
            box.styles.height = tall
        if self._chart is not None and self._chart.is_on_screen:
            self._chart.show(view)

    def acknowledge(self) -> bool:
        """Mark what this is about as seen; whether it is of the alerts' lists at all."""
        return isinstance(self._page, DetailPage) and self._page.acknowledge()

    async def action_chart(self) -> None:
        """The chart of what this is about, on the whole screen."""
        await show_chart(self, self.subject or None)


async def open_detail(app: App[None], subject: str) -> None:
    """Show everything that is known of a symbol, pair or basket."""
    await app.push_screen(Detail(None, subject))
