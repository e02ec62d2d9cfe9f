"""From the live tables to what a chart draws: its bars, its state in words, levels and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.charts.data import Course, course_of
from tui.charts.options import Options
from tui.charts.picture import Band, Mark
from tui.view import View

if TYPE_CHECKING:
    import polars as pl

BANDS = 6
"""Levels drawn at once, the configured ones first, then the nearest."""


def said(view: View, options: Options, symbol: str | None = None) -> dict[str, Any] | None:
    """The `charts` row of this request; None before the engine has seen it."""
    table, wanted = view.table("charts"), (symbol or options.symbol, options.asked)
    held = list(zip(table["symbol"].to_list(), table["asked"].to_list(), strict=True)) if table is not None else []
    return table.row(held.index(wanted), named=True) if table is not None and wanted in held else None


def course(bars: pl.DataFrame | None, row: dict[str, Any] | None) -> Course | None:
    """The bars that a `charts` row stands for; None where there are none."""
    if bars is None or row is None or row["interval"] is None:
        return None
    found = course_of(bars, row["symbol"], row["interval"])
    return found if len(found.time) else None


def listed(symbol: str, view: View) -> str:
    """The canonical symbol of a bare crypto base, as tables name it; anything else as it is."""
    config = view.snapshot.config if view.snapshot is not None else None
    return f"{symbol}/USD" if config is not None and symbol in config.crypto.bases else symbol


def bands(view: View, symbol: str) -> tuple[Band, ...]:
    """Support and resistance of a symbol as they stand now."""
    name = listed(symbol, view)
    rows = [r for r in view.rows("levels") if r["symbol"] == name and r["price"] is not None]
    rows.sort(key=lambda r: ("config" not in (r["sources"] or ""), abs(r["distance_pct"] or 0.0)))
    return tuple(
        Band(
            r["role"],
            r["price"],
            r["low"] or r["price"],
            r["high"] or r["price"],
            r["state"],
            r["touches"],
            "config" in (r["sources"] or ""),
        )
        for r in rows[:BANDS]
    )


def marks(view: View, symbol: str) -> tuple[Mark, ...]:
    """Where alerts of this row fired."""
    names = {symbol, listed(symbol, view)}
    found: dict[tuple[int, str], None] = {}
    if view.snapshot is not None:
        for event in view.snapshot.events:
            if event.kind == "fired" and event.row.split(" ")[0] in names:
                found[int(event.at * 1e6), event.severity] = None
    for row in view.rows("journal"):
        if row["kind"] == "fired" and str(row["row"]).split(" ")[0] in names and row["at"] is not None:
            found[int(row["at"].timestamp() * 1e6), "warning"] = None
    return tuple(Mark(time, severity) for time, severity in found)
