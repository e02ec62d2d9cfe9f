"""The narrow screen's two lines: the Russell in its band, and the gauges, in place of their panes."""

from __future__ import annotations

from tui import format as fmt
from tui.lines import Line, Span, width_of
from tui.panes.band import band, band_symbol
from tui.panes.gauges import gauge_figure, gauge_records, mark_for, role_for
from tui.view import View
from tui.widgets.bar import Bar


def russell(view: View, width: int) -> Line:
    """`^RUT 2,204.71  S 2,100 ├────●────┤ R 2,300  52 %`."""
    symbol = band_symbol(view)
    sides = band(view, symbol)
    if not sides:
        return ((f"  {symbol or '^RUT'}  waiting for a price and history", "dim"),)
    side = next(iter(sides.values()))
    status, at = side["status"], side["position"]
    stuck = view.stuck

    def level(role: str) -> str:
        return fmt.level(sides[role]["price"]) if role in sides else fmt.MISSING

    bar = max(5, min(25, width - 48))
    spans: list[Span] = [
        (f" {mark_for(status, stuck)}{symbol} ", "dim"),
        (fmt.price(side["last"], status), role_for(status, "figure", stuck)),
        (f"  S {level('support')} ", "dim"),
        (fmt.range_bar(at, bar), role_for(status, "text", stuck)),
        (f" {level('resistance')} R", "dim"),
        (f"  {fmt.percent(at, 0, status)}", role_for(status, "figure", stuck)),
    ]
    if width >= 70 and side["out_of_play"]:
        spans.append(("  out of play", "warn"))
    return tuple(spans)


def gauges(view: View, width: int) -> Line:
    """`EQ −1.94  CR −2.31!  GAP +0.41  BTC vol 42.4 bn  dom 58.9 %`, as many as fit."""
    stuck = view.stuck
    parts: list[Line] = []
    records = gauge_records(view)
    for name, gauge in (("EQ", "D1"), ("CR", "D2"), ("GAP", "D3")):
        if gauge in records:
            status = records[gauge]["status"]
            text, sign, role = gauge_figure(records[gauge])
            figure = (text.strip() + sign, role_for(status, role, stuck))
            parts.append(((f"{mark_for(status, stuck)}{name} ", "dim"), figure))
    market = view.row("markets", base="BTC")
    if market is not None:
        status = market["status"]
        volume = fmt.compact(market["all_markets_usd"], status).strip()
        parts.append(((f"{mark_for(status, stuck)}BTC vol ", "dim"), (volume, role_for(status, "text", stuck))))
        if market["dominance_pct"] is not None:
            dominance = f"{fmt.number(market['dominance_pct'], 1)} %"
            parts.append(((f"{mark_for(status, stuck)}dom ", "dim"), (dominance, role_for(status, "text", stuck))))
    volume_row = view.row("volumes", symbol="IWM")
    if volume_row is not None:
        change, status = volume_row["adv_yoy_pct"], volume_row["status"]
        role = role_for(status, fmt.direction(change), stuck)
        parts.append(((f"{mark_for(status, stuck)}IWM ADV ", "dim"), (f"{fmt.signed(change, 1, status)} %", role)))
    if not parts:
        return (("  gauges  waiting for spreads and market figures", "dim"),)
    out: list[Span] = []
    for part in parts:  # each begins with the cell of its status, so that no status moves what stands beside it
        if width_of(out) + 1 + width_of(part) > width:
            break
        out += [(" ", "dim"), *part]
    return tuple(out)


class RussellLine(Bar):
    """The Russell in one line."""

    def paint(self, view: View, width: int) -> Line:
        return russell(view, width)


class GaugesLine(Bar):
    """The gauges in one line."""

    def paint(self, view: View, width: int) -> Line:
        return gauges(view, width)
