"""The gauges of divergence, each with its state in a sign, a word and a colour; then dominance and volumes.

The figures of D1, D2 and D3 stand out at rest; nothing else here does until it warns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import format as fmt
from tui.lines import Line, Span, fit, marked
from tui.panes.band import NAMES, band, band_symbol
from tui.view import View
from tui.widgets.linepane import LinePane


def size_pairs(view: View) -> list[tuple[str, Mapping[str, Any]]]:
    """The pair that stands for equity size and the one that stands for crypto size."""
    records = view.rows("spreads")
    if not records:
        return []
    crypto = next((r for r in records if r["a"] == "ALT"), None)
    found: list[tuple[str, Mapping[str, Any]]] = [("equity size", records[0])]
    if crypto is not None:
        found.append(("crypto size", crypto))
    return found


def role_for(status: str, role: str, stuck: bool) -> str:
    """The role, or that of the status where the value is not of now: directions and warnings keep theirs."""
    if stuck or status == "stale":
        return "stale"
    return status if status in ("closed", "estimated") and role in ("text", "dim") else role


def mark_for(status: str, stuck: bool) -> str:
    """The glyph that opens a line."""
    return fmt.GLYPHS["stale"] if stuck else fmt.GLYPHS.get(status, " ")


STATES: Final[Mapping[str, tuple[str, str]]] = {
    "ok": ("", "figure"),
    "warn": ("▵", "figure-warn"),
    "alert": ("!", "figure-alert"),
}
"""A gauge's state → its sign and the role of its figure."""
SIZE: Final = ("D1", "D2", "D3")
"""Three of the four numbers that the eye must land on; the fourth is the Russell's place in its band."""
_SHORT: Final = {
    "D1": "equity size", "D2": "crypto size", "D3": "cross-size gap", "D4": "corr. break",
    "D5": "price/volume", "D6": "swing",
}  # fmt: skip
NAME: Final = 14
"""Cells of a gauge's name where the pane is narrow."""
RECENT: Final = 15
"""Cells of its course, where there is room for it."""
FIXED: Final = 34
"""Cells of a gauge's line beside its name."""


def gauge_records(view: View) -> dict[str, Mapping[str, Any]]:
    """The rows of `gauges` by their number."""
    return {row["gauge"]: row for row in view.rows("gauges")}


def gauge_figure(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """A gauge's figure, its state's sign and the figure's role; D6 is a direction and says so in a word."""
    gauge, value, status = record["gauge"], record["value"], record["status"]
    sign, role = STATES.get(record["state"] or "", ("", "missing"))
    if gauge == "D6":
        text = "bull" if value == 1 else "bear" if value == -1 else "none" if status != "warming" else fmt.WARMING
    else:
        text = fmt.on_point(fmt.signed(value, 2, status), 2)
    if value is None:
        role = "missing"
    elif role == "figure" and gauge not in SIZE:
        role = "text"
    return text, sign, role


def gauge_line(record: Mapping[str, Any], width: int, stuck: bool) -> Line:
    """A gauge: number, name, figure with its state, bar from −2 to +2, and its place in its own past."""
    gauge, state, status = record["gauge"], record["state"], record["status"]
    text, sign, role = gauge_figure(record)
    room = max(NAME, min(26, width - FIXED))
    name = record["name"] if len(record["name"]) <= room else _SHORT.get(gauge, record["name"])
    word = "ALERT" if state == "alert" else state or ""
    calm = state not in ("warn", "alert")
    bar = fmt.z_bar(record["value"], 11) if gauge != "D6" else " " * 11
    place = fmt.ordinal(record["percentile"]) if record["percentile"] is not None else ""
    course: Line = ()
    if width >= FIXED + room + 2 + RECENT and record["recent"]:
        course = ((f"  {fmt.sparkline(record['recent'], RECENT)}", "dim"),)
    line: Line = (
        (f"{mark_for(status, stuck)}{gauge} ", "dim"),
        (fit(name, room), "text" if gauge in SIZE else "dim"),
        (f"{text:>6}", role),
        (f" {sign or ' '}{word:<5} ", "dim" if calm else role),
        (bar, "dim" if calm else role),
        (f"{place:>5}", "dim"),
        *course,
    )
    return marked(line, status, stuck)


def russell_line(view: View) -> Line:
    """The Russell's place in its band, where its own pane is out of sight or far away; empty without one."""
    symbol = band_symbol(view)
    sides = band(view, symbol)
    if not symbol or not sides:
        return ()
    side = next(iter(sides.values()))
    at, status, stuck = side["position"], side["status"], view.stuck
    return (
        (mark_for(status, stuck) + fit(NAMES.get(symbol, symbol), 13), "dim"),
        (f"{'in band':<8}", role_for(status, "text", stuck)),
        (f"{fmt.percent(at, 0, status):>6}", role_for(status, "figure", stuck)),
        ("  ", "dim"),
        (fmt.range_bar(at, 11), role_for(status, "dim", stuck)),
    )


def dominance_line(view: View) -> Line:
    """BTC's share of all crypto; empty before the market's figures."""
    record = view.row("markets", base="BTC") or view.row("markets", base="*")
    if record is None:
        return ()
    status, share = record["status"], record["dominance_pct"]
    text = fmt.number(share, 1, status) + (" %" if share is not None else "")
    line: Line = (
        (f"{mark_for(status, view.stuck)}{'BTC dominance':<13}", "dim"),
        (f"{text:>9}", role_for(status, "text", view.stuck)),
    )
    month = view.row("facts", fact="btc_dominance_30d")
    if month is None or month["value"] is None:
        return line
    change = f"  {fmt.signed(month['value'], 1)} pp / 30 d"
    return (*line, (change, role_for(month["status"], fmt.direction(month["value"]), view.stuck)))


def volume_lines(view: View, together: bool) -> list[Line]:
    """24-hour volume of BTC and ETH over all markets, in one line or each with what the own venues see of it."""
    stuck = view.stuck
    found = [r for base in ("BTC", "ETH") if (r := view.row("markets", base=base)) is not None]
    if together and found:
        spans: list[Span] = [(f"{mark_for(_worst(found), stuck)}{'24h volume $':<13}", "dim")]
        for record in found:
            figure = fmt.compact(record["all_markets_usd"], record["status"]).strip()
            spans += [
                (f" {record['base']} ", "dim"),
                (f"{figure:>8}", role_for(record["status"], "text", stuck)),
                (" ", "dim"),
            ]
        return [tuple(spans)]
    return [
        (
            (f"{mark_for(r['status'], stuck)}{r['base'] + ' 24h vol $':<13}", "dim"),
            (f"{fmt.compact(r['all_markets_usd'], r['status']).strip():>9}", role_for(r["status"], "text", stuck)),
            (" all", "dim"),
            (f"{fmt.compact(r['venues_usd'], r['status']).strip():>9}", role_for(r["status"], "text", stuck)),
            (f" on {r['venues'] or fmt.MISSING} venues", "dim"),
        )
        for r in found
    ]


def _worst(records: Sequence[Mapping[str, Any]]) -> str:
    order = ("ok", "warming", "estimated", "closed", "stale")
    return max((str(r["status"]) for r in records), key=lambda s: order.index(s) if s in order else 0)


Named = tuple[str, Line]
"""What a line is of, `TABLE KEY` and what tells two of one row apart, and the line."""


def gauge_lines(view: View, width: int = 48, height: int = 20) -> list[Named]:
    """What fits of it, each with what it is of: D1 to D4, dominance, volumes; then D5, D6, the Russell, each volume."""
    records = gauge_records(view)
    drawn = {name: (f"gauges {name}", gauge_line(record, width, view.stuck)) for name, record in records.items()}
    shares = volumes(view)
    dominance = dominance_line(view)
    tight = height < len(drawn) + 5
    rest: list[Named] = [("markets BTC dominance", line) for line in (dominance,) if line]
    rest += [(f"markets {base}", line) for base, line in zip(("BTC", "ETH"), volume_lines(view, tight), strict=False)]
    rest += [(f"volumes {r['symbol']}", volume_line(r, view.stuck)) for r in shares[:1]]
    main = [line for name, line in drawn.items() if name not in ("D5", "D6")]
    more = [line for name, line in drawn.items() if name in ("D5", "D6")]
    if tight:
        return [*main, *more, *rest] if len(drawn) + len(rest) <= height else [*main, *rest, *more]
    russell = russell_line(view)
    lines = [*main, *more, *([(f"levels {band_symbol(view)}", russell)] if russell else []), *rest]
    return lines + [(f"volumes {r['symbol']}", volume_line(r, view.stuck)) for r in shares[1:]]


def volumes(view: View) -> list[Mapping[str, Any]]:
    """The rows of the volumes table, IWM first."""
    return sorted(view.rows("volumes"), key=lambda r: r["symbol"] != "IWM")


def volume_line(record: Mapping[str, Any], stuck: bool) -> Line:
    """Average volume against a year ago, in shares and in dollars, and today's against its usual course."""
    status = record["status"]
    shares, dollars = record["adv_yoy_pct"], record["adv_usd_yoy_pct"]
    spans: list[Span] = [
        (mark_for(status, stuck) + fit(f"{record['symbol']} ADV YoY", 13), "dim"),
        (f"{fmt.signed(shares, 1, status):>7}", role_for(status, fmt.direction(shares), stuck)),
        (" % sh", "dim"),
        (f"{fmt.signed(dollars, 1, status):>8}", role_for(status, fmt.direction(dollars), stuck)),
        (" % $", "dim"),
        (f"{fmt.number(record['rvol'], 2, status):>6}", role_for(status, "text", stuck)),
        (" rv", "dim"),
    ]
    return tuple(spans)


class GaugesPane(LinePane):
    """The gauges: each line is of one row of a table, whose detail Enter shows."""

    heading = "Gauges"
    reads = ("gauges", "levels", "markets", "volumes", "facts")

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []

    def prepare(self, view: View, width: int) -> None:
        found = gauge_lines(view, width, self.size.height)[: max(1, self.size.height)]
        self.rows, self._lines = [about for about, _ in found], [line for _, line in found]

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return self._lines[start:stop]

    def record(self) -> dict[str, object] | None:
        """The row that the line under the cursor is of."""
        if self.view is None or not self.rows:
            return None
        table, key, *_ = self.rows[self.index()].split(" ")
        frame = self.view.table(table)
        found = self.view.row(table, **{frame.columns[0]: key}) if frame is not None else None
        return dict(found) if found is not None else None

    def called(self) -> str:
        """A gauge by its number and name, all else by what it is of."""
        record = self.record() or {}
        return f"{record['gauge']} {record['name']}" if "gauge" in record else super().called().split(" ")[1]

    def waiting(self, view: View) -> str:
        return "waiting for spreads, the Russell's levels, CoinGecko's market figures and IWM's volume"
