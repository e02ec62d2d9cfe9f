"""Where the Russell 2000 stands between its support and its resistance, and how far away each is.

The configured levels come first and alone make the band; those that the price itself has made follow where there is
room, with how often each was touched and how strong it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tui import format as fmt
from tui.lines import BLANK, Line, Span, fit, marked, plain
from tui.view import View
from tui.widgets.linepane import LinePane

SIDES = ("resistance", "support")
NAMES = {"^RUT": "Russell 2000", "^GSPC": "S&P 500"}


def band_symbol(view: View) -> str | None:
    """The symbol whose band is shown: the first in the configuration that has levels."""
    there = [row["symbol"] for row in view.rows("levels")]
    if view.snapshot is None or not there:
        return next(iter(view.snapshot.config.levels), None) if view.snapshot else None
    return next((s for s in view.snapshot.config.levels if s in there), there[0])


def levels_of(view: View, symbol: str | None) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """A symbol's configured levels, and those that were found, each the nearest first."""
    records: list[Mapping[str, Any]] = [
        r for r in view.rows("levels") if r["symbol"] == symbol and r["price"] is not None
    ]
    records.sort(key=_gap)
    own = [r for r in records if (r["sources"] or "config").startswith("config")]
    return own, [r for r in records if r not in own]


def band(view: View, symbol: str | None) -> dict[str, Mapping[str, Any]]:
    """The nearest support and the nearest resistance of a symbol, by role; found ones only where none is configured."""
    own, found = levels_of(view, symbol)
    sides: dict[str, Mapping[str, Any]] = {}
    for record in own or found:
        if record["role"] in SIDES:
            sides.setdefault(record["role"], record)
    return sides


def _gap(record: Mapping[str, Any]) -> float:
    return abs(record["distance_pct"]) if record["distance_pct"] is not None else math.inf


def change_of(view: View, symbol: str) -> tuple[float | None, Sequence[float | None]]:
    """The day's change in per cent and the recent prices of a symbol, from the quotes."""
    frame = view.table("quotes")
    if frame is None or not frame.height:
        return None, ()
    names = frame.get_column("symbol").to_list()
    if symbol not in names:
        return None, ()
    at = names.index(symbol)
    recent = frame.get_column("recent")[at]
    return frame.get_column("change_pct")[at], () if recent is None else recent.to_list()


def level_line(record: Mapping[str, Any], width: int) -> Line:
    """One level: price, a rule with its role, distance in per cent and in ATR."""
    price = fmt.price(record["price"])
    distance = fmt.signed(record["distance_pct"], 2)
    atr = fmt.number(None if record["distance_atr"] is None else abs(record["distance_atr"]), 1)
    tail = f" {distance:>6} % {atr:>4} ATR"
    room = max(0, width - 11 - len(tail) - 1)
    role = f" {record['role']} "
    rule = f"┄┄{role}" if room >= 16 else f"{role.strip()[0].upper()} "
    rule = rule.ljust(room, "┄")[:room]
    return ((f"{price:>10} ", "text"), (rule, "line" if room < 4 else "dim"), (tail, "dim"))


def found_line(record: Mapping[str, Any], width: int) -> Line:
    """One level that was found: price, its role's letter, touches, strength and the methods, distance in per cent."""
    tail = f" {fmt.signed(record['distance_pct'], 2):>6} %"
    touches = "" if record["touches"] is None else f" {record['touches']}×"
    strength = "" if record["strength"] is None else f" {fmt.number(record['strength'], 0)}"
    what = f"{record['role'][0].upper()}{touches}{strength} {record['sources'].replace(', ', '+')}"
    return ((f"{fmt.price(record['price']):>10} ", "dim"), (fit(what, max(0, width - 11 - len(tail))), "dim"),
            (tail, "dim"))  # fmt: skip


def price_line(last: float | None, position: float | None, change: float | None, status: str, width: int) -> Line:
    """The price itself with its place in the band and the day's change."""
    mark = fmt.GLYPHS.get(status, " ") if status != "ok" else "●"
    where = f"{fmt.percent(position)} of band" if position is not None else "band position –"
    if position is not None and not 0 <= position <= 1:
        where = "below the band" if position < 0 else "above the band"
    tail = f"{fmt.signed(change):>7} %"
    middle = fit(f" {where}", max(0, width - 12 - len(tail)))
    figure = "stale" if status == "stale" else "figure"
    return ((f"{fmt.price(last):>10} ", figure), (mark, figure), (middle, "bright"), (tail, fmt.direction(change)))


def paint_band(view: View, width: int, height: int) -> list[Line]:
    """The band as lines, from resistance down to support, with the price in its true place among them."""
    symbol = band_symbol(view)
    sides = band(view, symbol)
    if symbol is None or not sides:
        return []
    any_side = next(iter(sides.values()))
    change, recent = change_of(view, symbol)
    status = "stale" if view.stuck else max((r["status"] for r in sides.values()), key=_worst)
    last = any_side["last"]
    here = price_line(last, any_side["position"], change, status, width)
    ladder = [(r["price"], level_line(r, width)) for r in sides.values()]
    if last is not None:
        ladder.append((last, here))
    ladder.sort(key=lambda pair: -pair[0])
    lines: list[Line] = []
    tight = height < 8
    for index, (_, line) in enumerate(ladder):
        if index and not tight:
            lines.append(((" " * 11, "dim"), ("│", "line")))
        lines.append(line)
    far = [role[0].upper() for role in SIDES if role in sides and sides[role]["out_of_play"]]
    spans: list[Span] = [("  state  ", "dim")]
    for role in SIDES:
        if role in sides:
            state = sides[role]["state"] or fmt.MISSING
            spans.append((f"{role[0].upper()} {state}".ljust(15), "text" if state == "CLEAR" else "warn"))
    lines.append(tuple(spans))
    if far:
        lines.append((("  ", "dim"), (f"! {', '.join(far)} out of play: beyond 8 ATR", "warn")))
    touches = [f"{r[0].upper()} {sides[r]['touches']}" for r in SIDES if r in sides and sides[r]["touches"] is not None]
    strength = [fmt.number(sides[r]["strength"], 0) for r in SIDES if r in sides and sides[r]["strength"] is not None]
    if touches:
        strong = f"  strength {' / '.join(strength)}" if strength else ""
        lines.append((("  touches ", "dim"), ("  ".join(touches), "text"), (strong, "dim")))
    known = [v for v in recent if v is not None and math.isfinite(v)]
    found = levels_of(view, symbol)[1]
    found = [r for r in found if r not in sides.values()]
    lines += [found_line(r, width) for r in found[: max(0, height - len(lines) - (1 if known else 0))]]
    if known and len(lines) < height:
        cells = max(6, min(len(known), width - 24, 30))
        low, high = (fmt.level(round(v) if v >= 100 else v) for v in (min(known[-cells:]), max(known[-cells:])))
        course = fmt.sparkline(recent, cells)
        lines.append((("  recent ", "dim"), (course, "text"), (f"  {low}–{high}", "dim")))
    return [_worn(line, status) for line in lines]


def _worn(line: Line, status: str) -> Line:
    """A line in the colour of the band's status; its glyph stands beside the price."""
    return ((plain(line), "stale"),) if status == "stale" else marked(line, status)


def _worst(status: str) -> int:
    order = ("ok", "warming", "estimated", "closed", "stale")
    return order.index(status) if status in order else 0


class BandPane(LinePane):
    """The Russell 2000 in its band."""

    heading = "Russell 2000"
    reads = ("levels", "quotes")

    def prepare(self, view: View, width: int) -> None:
        self.foot = tuple(paint_band(view, width, self.size.height))
        self.head, self.rows = (), ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return [BLANK] * (stop - start)

    def title(self, view: View) -> str:
        symbol = band_symbol(view)
        return NAMES.get(symbol, symbol) if symbol else self.heading

    def waiting(self, view: View) -> str:
        symbol = band_symbol(view) or "^RUT"
        return f"waiting for a price and daily history of {NAMES.get(symbol, symbol)} ({symbol})"
