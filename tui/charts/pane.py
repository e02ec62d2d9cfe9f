"""A chart in a pane: what it shows is asked of the engine, and drawn again only when its own bars have changed.

It follows the cursor of another pane, or shows what it was aimed at. Its keys hold while it has the focus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import BindingType
from textual.events import Click, MouseMove
from textual.widget import Widget

from engine.config import Config
from engine.model import Intent
from tui import format as fmt
from tui.charts.keys import chart_bindings
from tui.charts.options import Options, read
from tui.lines import Line
from tui.view import View
from tui.widgets.linepane import LinePane
from tui.widgets.message import under_way
from tui.wishes import Wish

if TYPE_CHECKING:
    from tui.charts.data import Course
    from tui.charts.picture import Drawn, Picture

RENEW_S: Final = 20.0
"""Seconds after which a request is renewed; its lease is three times as long."""
AGAIN_S: Final = 1.5
"""Seconds after which a request that the engine has not taken is sent again."""
NAMES: Final = ("pair", "symbol", "item", "basket", "base", "fund")
"""Columns of a row that name what can be charted."""


def subject_of(record: Mapping[str, Any] | None) -> str | None:
    """What a table's row can be charted as: its pair, symbol or basket; a gauge or alert by what it names."""
    if record is None or ("fund" in record and record["fund"] == record.get("group")):
        return None  # a group of funds has no course, and `mid` and `large` are baskets of coins, too
    for name in NAMES:
        value = record.get(name)
        if isinstance(value, str) and value:
            return value
    if isinstance(record.get("a"), str) and isinstance(record.get("b"), str):
        return f"{record['a']}/{record['b']}"
    words = str(record.get("name") or record.get("row") or "").split()
    return next((w for w in reversed(words) if "/" in w or w.startswith("^") or w.isupper()), None)


def charted(pane: LinePane) -> str | None:
    """What a pane is about: what it charts, or what the row under its cursor can be charted as."""
    return pane.options.symbol if isinstance(pane, MarketChart) else subject_of(pane.record())


class MarketChart(LinePane):
    """See the module's docstring."""

    heading = "Chart"
    reads = ("bars", "charts", "levels", "journal")
    BINDINGS: ClassVar[list[BindingType]] = chart_bindings()

    def __init__(
        self, id: str, *, symbol: str = "IWM/SPY", span: str = "1Y", follow: str | LinePane | None = None, **more: Any
    ) -> None:
        """Chart `symbol`, or what stands under the cursor of the pane (or the pane of that name) `follow`.

        more: further fields of `Options`.
        """
        super().__init__(id=id)
        self.options = Options(symbol, span, **more)
        self._follow = follow
        self._followed: LinePane | None = follow if isinstance(follow, LinePane) else None
        self._asked: dict[tuple[str, str], float] = {}
        """What was asked for, and when."""
        self.cross: int | None = None
        """Time of the bar under the crosshair, microseconds."""
        self._picture: Picture | None = None
        self._drawn_as: Drawn | None = None
        self._shape: tuple[object, ...] = ()
        self._bars: tuple[object, tuple[str, ...], Course | None, Course | None] | None = None
        self._row: dict[str, Any] | None = None
        self._since = ""
        """Where the bars begin, in words, if that is later than the span does."""

    def joined(self, panes: Mapping[str, Widget]) -> None:
        if isinstance(self._follow, str):
            found = panes.get(self._follow)
            self._followed = found if isinstance(found, LinePane) else None

    def aim(self, options: Options) -> None:
        """Show something else, or the same differently."""
        if options.symbol != self.options.symbol or options.span != self.options.span:
            self.cross = None
        self.options = options
        self._again()

    # --- asking

    def show(self, view: View) -> None:
        if self._followed is not None:
            subject = subject_of(self._followed.record())
            if subject is not None and subject != self.options.symbol:
                self.aim(replace(self.options, symbol=subject, versus=None))
        self._ask(view)
        super().show(view)

    def _ask(self, view: View) -> None:
        """Have the engine hold what is shown; what it holds is renewed before its lease ends."""
        if view.snapshot is None or view.frozen_since is not None:
            return
        table = view.table("charts")
        held = set(zip(table["symbol"].to_list(), table["asked"].to_list(), strict=True)) if table is not None else ()
        for symbol in filter(None, (self.options.symbol, self.options.versus)):
            key = (symbol, self.options.asked)
            since = view.waited - self._asked.get(key, -1e9)
            if since < (AGAIN_S if key not in held else RENEW_S):
                continue
            wish = Wish(Intent("bars", {"symbol": symbol, "interval": self.options.asked}))
            wish.set_sender(self)  # else it is the app's, whose frame this is, and would not come back to it
            if self.post_message(wish):
                recent = {k: at for k, at in self._asked.items() if view.waited - at < RENEW_S}
                self._asked = recent | {key: view.waited}

    # --- drawing

    def prepare(self, view: View, width: int) -> None:
        lines = self._chart(view, width)
        self.rows = ()
        self.head, self.foot = (), tuple(lines)

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return ()

    def _chart(self, view: View, width: int) -> list[Line]:
        if view.snapshot is None:  # the first paint, which must not wait for NumPy: it comes with what draws
            return []
        from tui.charts import gather

        options = self.options
        row = self._row = gather.said(view, options)
        other_row = gather.said(view, options, options.versus) if options.versus else None
        bars = view.table("bars")
        names = (options.symbol, options.asked, options.versus or "")
        if self._bars is None or self._bars[0] is not bars or self._bars[1] != names:
            fresh = gather.course(bars, row)
            other = gather.course(bars, other_row)
            self._bars = (bars, names, self._kept(fresh, 2), self._kept(other, 3))
        course, other = self._bars[2:]
        height = self.size.height
        if course is None or row is None:
            self._drawn_as, self._since = None, ""
            return []
        bands = gather.bands(view, options.symbol) if options.bands else ()
        marks = gather.marks(view, options.symbol) if options.marks else ()
        status = "stale" if view.stuck else str(row["status"])
        shape = (id(course), id(other), options, status, bands, marks, self.cross, width, height)
        if shape == self._shape and self._drawn_as is not None:
            return self._drawn_as.lines
        self._shape, self._since = shape, self._begun(course, row)
        self._drawn_as = self._painted(course, other, row, (bands, marks, status), (width, height))
        return self._drawn_as.lines

    def _kept(self, fresh: Course | None, place: int) -> Course | None:
        """The course drawn last where the new one holds the same numbers."""
        from tui.charts.data import same

        held = None if self._bars is None else self._bars[2] if place == 2 else self._bars[3]
        return held if fresh is not None and same(held, fresh) else fresh

    def _begun(self, course: Course, row: dict[str, Any]) -> str:
        from tui.charts import data, scale

        first = data.late(course.time, self.options.span)
        return "" if first is None else f"since {scale.moment(first, row['interval'])}"

    def _painted(
        self,
        course: Course,
        other: Course | None,
        row: dict[str, Any],
        state: tuple[Any, Any, str],
        size: tuple[int, int],
    ) -> Drawn:
        from tui.charts.histogram import paint_returns
        from tui.charts.picture import Drawn, Picture
        from tui.charts.price import paint

        bands, marks, status = state
        if self.options.returns:
            return Drawn(paint_returns(course, self.options, row["interval"], *size, stale=status == "stale"))
        self._picture = Picture(
            self.options, row["interval"], course, status, bool(row["simulated"]), other, bands, marks, self.cross
        )
        return paint(self._picture, *size)

    def title(self, view: View) -> str:
        options, row = self.options, self._row
        interval = row["interval"] if row is not None and row["interval"] else options.interval
        parts = [options.symbol + (f" vs {options.versus}" if options.versus else "")]
        status = "stale" if view.stuck else str(row["status"]) if row is not None else "warming"
        parts.append(fmt.GLYPHS.get(status, " ").strip())
        parts += [options.span, interval or ""]
        if options.returns:
            parts.append("returns")
        else:
            parts.append(options.scale if options.scale != "linear" else "")
        if row is not None and row["note"] and interval is not None:
            parts.append(f"({row['note']})")
        parts.append(self._since)
        return " ".join(part for part in parts if part)

    def waiting(self, view: View) -> str:
        row = self._row
        if row is not None and row["note"]:
            return str(row["note"])
        if row is not None and row["rows"] and under_way(view):
            return f"the history of {self.options.symbol} is still being loaded"
        if row is not None and row["rows"]:
            what = "returns" if self.options.returns else "bars for a chart"
            return f"too few {what} in {self.options.span}; ] takes a longer span, i another interval"
        return f"waiting for bars of {self.options.symbol}"

    def record(self) -> dict[str, object] | None:
        """The newest bar, and what is charted."""
        if self._bars is None or self._bars[2] is None:
            return None
        course = self._bars[2]
        traded = ("volume",) if course.traded else ()
        names = ("open", "high", "low", "close", *traded, "z")
        figures = {name: float(getattr(course, name)[-1]) for name in names}
        named: dict[str, object] = {"symbol": self.options.symbol, "span": self.options.span}
        return named | {name: value for name, value in figures.items() if value == value}  # noqa: PLR0124 — NaN

    # --- keys and mouse

    def _again(self) -> None:
        view = self.view
        if view is not None and self.is_mounted:
            self._ask(view)
            self.repaint()

    def action_step(self, what: str, step: int) -> None:
        """The next span, interval, scale or kind of averages."""
        self.aim(self.options.stepped(what, step))
        self._explain(what)

    def action_flip(self, what: str) -> None:
        """Switch something on or off."""
        changes: dict[str, Any] = {what: not getattr(self.options, what)}
        self.aim(replace(self.options, **changes))
        self._explain(what)

    def _explain(self, what: str) -> None:
        """Say why the switch changed nothing that can be seen, if it did not."""
        view, course = self.view, None if self._bars is None else self._bars[2]
        if view is None or course is None:
            return
        from tui.charts import gather, moot

        bands = bool(gather.bands(view, self.options.symbol))
        if (why := moot.moot(what, self.options, course, self.size.height, bands=bands)) is not None:
            self.notify(why, timeout=4)

    def action_cross(self, step: int) -> None:
        """Move the crosshair, which begins at the newest bar."""
        times = self._drawn_as.times if self._drawn_as is not None else ()
        if not times:
            return
        at = len(times) if self.cross is None else sum(t < self.cross for t in times)
        self.cross = times[min(len(times) - 1, max(0, at + step))]
        self.repaint()

    def action_cross_end(self, side: int) -> None:
        """Move the crosshair to the first or the last bar."""
        times = self._drawn_as.times if self._drawn_as is not None else ()
        if times:
            self.cross = times[0 if side < 0 else -1]
            self.repaint()

    def action_uncross(self) -> None:
        """Hide the crosshair."""
        self.cross = None
        self.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a crosshair its key means what it means elsewhere."""
        return action != "uncross" or self.cross is not None

    async def action_compare(self) -> None:
        """Ask for a second series, or take it away."""
        if self.options.versus is not None:
            self.aim(replace(self.options, versus=None))
            return
        from tui.charts.ask import Ask

        config = self.view.snapshot.config if self.view is not None and self.view.snapshot is not None else None
        if config is not None:
            await self.app.push_screen(Ask("compare with", config), self._compare)

    def _compare(self, text: str | None) -> None:
        config = self.view.snapshot.config if self.view is not None and self.view.snapshot is not None else None
        if text and config is not None:
            found = read(f"vs {text}", config, self.options)
            if isinstance(found, str):
                self.notify(found, severity="warning")
            else:
                self.aim(found)

    async def on_click(self, event: Click) -> None:
        self._point(event.get_content_offset_capture(self).x)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self.has_focus and (self.cross is not None or event.button):
            self._point(event.get_content_offset_capture(self).x)

    def _point(self, x: int) -> None:
        time = self._drawn_as.time_at(x) if self._drawn_as is not None else None
        if time is not None and time != self.cross:
            self.cross = time
            self.repaint()


def from_layout(id: str, argument: str = "spreads") -> MarketChart:
    """A chart as a layout names it: `chart(^RUT 1Y log)`; `chart(quotes 5D)` follows the pane of that name."""
    from tui import catalogue

    first, _, rest = argument.partition(" ")
    follow = first if first in catalogue.PANES else None
    chart = MarketChart(id, follow=follow)
    # the built-in configuration: a layout is read before any other stands, and names stay as they are written
    found = read(rest, Config(), chart.options) if follow is not None and rest else read(argument, Config())
    if not isinstance(found, str) and (follow is None or rest):
        chart.options = found
    return chart


def crypto_chart(id: str) -> MarketChart:
    """The ALT index against BTC."""
    return MarketChart(id, symbol="ALT/BTC")


def returns_chart(id: str, argument: str = "spreads") -> MarketChart:
    """The distribution of returns of what stands under the cursor, or of what is named."""
    chart = from_layout(id, argument)
    chart.options = replace(chart.options, returns=True, span="5Y")
    return chart
