"""The figures that the eye looks for first: both size spreads' z, the Russell's place, dominance and volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui import format as fmt
from tui.lines import Line, Span
from tui.panes.band import NAMES, band, band_symbol
from tui.panes.spreads import STRETCHED, z_role
from tui.view import View
from tui.widgets.linepane import LinePane


def record_of(view: View, table: str, column: str, name: str) -> Mapping[str, Any] | None:
    """The first row of a table whose column holds the name."""
    frame = view.table(table)
    if frame is None or not frame.height:
        return None
    hit = frame.filter(frame.get_column(column) == name)
    return hit.row(0, named=True) if hit.height else None


def size_pairs(view: View) -> list[tuple[str, Mapping[str, Any]]]:
    """The pair that stands for equity size and the one that stands for crypto size."""
    frame = view.table("spreads")
    if frame is None or not frame.height:
        return []
    records = list(frame.iter_rows(named=True))
    crypto = next((r for r in records if r["a"] == "ALT"), None)
    found: list[tuple[str, Mapping[str, Any]]] = [("equity size", records[0])]
    if crypto is not None:
        found.append(("crypto size", crypto))
    return found


def role_for(status: str, role: str, stuck: bool) -> str:
    """The role, or `stale` where the value is."""
    return "stale" if stuck or status == "stale" else role


def mark_for(status: str, stuck: bool) -> str:
    """The glyph that opens a line."""
    return fmt.GLYPHS["stale"] if stuck else fmt.GLYPHS.get(status, " ")


def z_line(name: str, record: Mapping[str, Any], stuck: bool) -> Line:
    """A size spread: pair, z, bar and percentile."""
    z, status = record["z252"], record["status"]
    mark = "!" if z is not None and abs(z) >= STRETCHED else " "
    return (
        (f"{mark_for(status, stuck)}{name:<13}", "dim"),
        (f"{record['pair']:<8}", role_for(status, "text", stuck)),
        (f"{fmt.signed(z, 2, status):>6}", role_for(status, z_role(z), stuck)),
        (mark + " ", "warn"),
        (fmt.z_bar(z, 11), role_for(status, "warn" if mark == "!" else "dim", stuck)),
        (f"{fmt.ordinal(record['percentile']):>6}", "dim"),
    )


def gauge_lines(view: View) -> list[Line]:
    """All lines, in the order of importance."""
    stuck = view.stuck
    lines = [z_line(name, record, stuck) for name, record in size_pairs(view)]
    symbol = band_symbol(view)
    sides = band(view, symbol)
    if symbol and sides:
        side = next(iter(sides.values()))
        at, status = side["position"], side["status"]
        lines.append(
            (
                (f"{mark_for(status, stuck)}{NAMES.get(symbol, symbol):<13}", "dim"),
                (f"{'in band':<8}", "text"),
                (f"{fmt.percent(at, 0, status):>6}", role_for(status, "figure", stuck)),
                ("  ", "dim"),
                (fmt.range_bar(at, 11), role_for(status, "dim", stuck)),
            )
        )
    whole = record_of(view, "markets", "base", "*") or record_of(view, "markets", "base", "BTC")
    bitcoin = record_of(view, "markets", "base", "BTC")
    dominance = (bitcoin or {}).get("dominance_pct")
    if dominance is None and whole is not None:
        dominance = whole["dominance_pct"]
    if whole is not None or bitcoin is not None:
        status = (bitcoin or whole or {})["status"]
        text = fmt.number(dominance, 1) + (" %" if dominance is not None else "")
        figure = (f"{text:>6}", role_for(status, "text", stuck))
        lines.append(((f"{mark_for(status, stuck)}{'BTC dominance':<21}", "dim"), figure))
    for base in ("BTC", "ETH"):
        record = record_of(view, "markets", "base", base)
        if record is not None:
            status = record["status"]
            lines.append(
                (
                    (f"{mark_for(status, stuck)}{base + ' 24h vol $':<13}", "dim"),
                    (f"{fmt.compact(record['all_markets_usd'], status).strip():>9}", role_for(status, "text", stuck)),
                    (" all", "dim"),
                    (f"{fmt.compact(record['venues_usd'], status).strip():>9}", role_for(status, "text", stuck)),
                    (f" on {record['venues'] or fmt.MISSING} venues", "dim"),
                )
            )
    lines += [volume_line(r, stuck) for r in volumes(view)]
    return lines


def volumes(view: View) -> list[Mapping[str, Any]]:
    """The rows of the volumes table, IWM first."""
    frame = view.table("volumes")
    records = list(frame.iter_rows(named=True)) if frame is not None else []
    return sorted(records, key=lambda r: r["symbol"] != "IWM")


def volume_line(record: Mapping[str, Any], stuck: bool) -> Line:
    """Average volume against a year ago, in shares and in dollars, and today's against its usual course."""
    status = record["status"]
    shares, dollars = record["adv_yoy_pct"], record["adv_usd_yoy_pct"]
    spans: list[Span] = [
        (f"{mark_for(status, stuck)}{record['symbol'] + ' ADV YoY':<13}", "dim"),
        (f"{fmt.signed(shares, 1, status):>7}", role_for(status, fmt.direction(shares), stuck)),
        (" % sh", "dim"),
        (f"{fmt.signed(dollars, 1, status):>8}", role_for(status, fmt.direction(dollars), stuck)),
        (" % $", "dim"),
        (f"{fmt.number(record['rvol'], 2, status):>6}", role_for(status, "text", stuck)),
        (" rv", "dim"),
    ]
    return tuple(spans)


class GaugesPane(LinePane):
    """The gauges."""

    number = 3
    heading = "Gauges"
    reads = ("spreads", "levels", "markets", "volumes")

    def prepare(self, view: View, width: int) -> None:
        self.head, self.rows = (), ()
        self.foot = tuple(gauge_lines(view))

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return ()

    def waiting(self, view: View) -> str:
        return "waiting for spreads, the Russell's levels, CoinGecko's market figures and IWM's volume"
