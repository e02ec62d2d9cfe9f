"""Levels that the price itself has made stand after the configured ones, and never in their place."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from tests.tui import fakes
from tests.tui.test_panes import LIVE, view
from tui.lines import plain
from tui.panes import band, brief, levels
from tui.screens.detail import number_text
from tui.view import View


def with_found() -> View:
    """The fake band, and two levels nearer to the price than the configured ones, first in the table."""
    own = fakes.levels()
    found = own.with_columns(
        price=pl.Series([2190.0, 2230.0]),
        distance_pct=pl.Series([-0.67, 1.15]),
        touches=pl.Series([3, 1]),
        strength=pl.Series([55.0, 20.0]),
        sources=pl.Series(["pivots, vwap", "floor"]),
    )
    return with_levels(pl.concat([found, own]))


def with_levels(levels: pl.DataFrame) -> View:
    snapshot = fakes.snapshot()
    return view(replace(snapshot, tables={**snapshot.tables, "levels": levels}))


def test_the_band_is_made_of_the_configured_levels_alone() -> None:
    sides = band.band(with_found(), "^RUT")
    assert {role: record["price"] for role, record in sides.items()} == {"support": 2100.0, "resistance": 2300.0}


def test_found_levels_follow_where_there_is_room_the_nearest_first() -> None:
    lines = [plain(line) for line in band.paint_band(with_found(), 44, 12)]
    plainly = [plain(line) for line in band.paint_band(LIVE, 44, 12)]
    assert lines[:7] == plainly[:7]
    assert lines[7].split() == ["2,190.00", "S", "3×", "55", "pivots+vwap", "−0.67", "%"]
    assert lines[8].split() == ["2,230.00", "R", "1×", "20", "floor", "+1.15", "%"]
    assert lines[9].startswith("  recent")


@pytest.mark.parametrize("height", range(3, 12))
def test_the_pane_is_never_longer_for_them(height: int) -> None:
    assert len(band.paint_band(with_found(), 44, height)) <= max(len(band.paint_band(LIVE, 44, height)), height)


def test_without_configured_levels_the_nearest_found_ones_stand_in() -> None:
    levels = with_found().table("levels")
    assert levels is not None
    sides = band.band(with_levels(levels.filter(pl.col("sources") != "config")), "^RUT")
    assert {role: record["price"] for role, record in sides.items()} == {"support": 2190.0, "resistance": 2230.0}


def test_a_coins_band_has_the_digits_of_its_price() -> None:
    """DOGE at 14 cents under 16: with two decimals its band would be 0.16–0.16."""
    coin = {"price": 0.1622, "low": 0.1601, "high": 0.1643, "last": 0.1397}
    frame = with_levels(fakes.levels().with_columns([pl.lit(v).alias(k) for k, v in coin.items()]))
    table = frame.table("levels")
    assert table is not None
    row = table.row(0, named=True)
    assert "0.1622" in plain(levels.level_row(row, levels.COLUMNS))
    assert "0.1601–0.1643" in plain(levels.level_row(row, levels.COLUMNS))
    assert "0.1622" in plain(band.level_line(row, 60))
    assert "0.1622" in plain(band.found_line({**row, "sources": "pivots"}, 60))
    assert "0.1397" in plain(band.price_line(0.1397, 0.5, 1.0, "ok", 60))
    assert "0.1622" in plain(brief.russell(frame, 80))


def test_a_negative_figure_of_the_detail_keeps_its_digits() -> None:
    assert number_text("value", -0.006225575) == "−0.00622557"
    assert number_text("corr", -0.0632) == "−0.06320"
