"""Rows stand in their columns: decimal points below each other, and no name, however wide, moves what stands beside it.

Every pane of every screen is looked at, at the three sizes; a pane that has columns is found by having them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import polars as pl
import pytest
from rich.cells import cell_len

from tests.tui import fakes
from tests.tui.running import Run, running
from tui import catalogue
from tui.lines import Column, plain, width_of
from tui.panes.sql import QueryPane
from tui.widgets.linepane import LinePane

SIZES: Final = ((80, 24), (120, 40), (200, 60))
NUMBER: Final = re.compile(r"[+−]?\d[\d,]*(\.\d+)?( %| [a-z]+)? *")
CJK, LONG, EMOJI = (
    "東京証券取引所・全指数",
    "a-name-of-sixty-characters-that-no-column-could-ever-hold-all",
    "🚀🌕 to the moon 🚀🌕",
)
NAMES: Final = {
    "quotes": "symbol", "spreads": "pair", "levels": "symbol", "baskets": "basket", "feeds": "source",
    "regime": "evidence", "claims": "claim", "rotation": "item", "correlations": "a", "flows": "fund", "facts": "fact",
    "scanner": "pair", "plans": "plan", "whatifs": "whatif", "alerts": "message", "journal": "message", "rules": "rule",
    "matrix": "a",
}  # fmt: skip
"""The column of each table that its panes show as a name."""
BY_NAME: Final = ("leadlag", "evidence", "flows")
"""Panes where a name says what stands beside it: the leader, the unit, whether it is a group."""
SHOWN: Final = {*NAMES.values(), "couple"}
"""The columns of panes where a name stands."""


def columns_of(pane: LinePane) -> Sequence[Column]:
    """The columns that the pane shows; none where it has no table."""
    found: Sequence[Column] = getattr(pane, "_columns", ())
    return found


def drawn(pane: LinePane) -> list[str]:
    """Every row of the pane, a character a cell: the second cell of a wide character is a NUL."""
    return ["".join(c + "\0" * (cell_len(c) - 1) for c in plain(line)) for line in pane.body(0, len(pane.rows))]


def places(pane: LinePane) -> Iterator[tuple[Column, slice]]:
    """Each column with the cells that it takes."""
    x = 1 if isinstance(pane, QueryPane) else 0
    for index, column in enumerate(columns_of(pane)):
        x += column.gap if index else 0
        yield column, slice(x, x + column.width)
        x += column.width


def panes(run: Run) -> list[LinePane]:
    """The panes in sight that have rows."""
    return [pane for pane in run.app.screen.query(LinePane) if pane.is_on_screen and pane.rows]


def points(cells: Sequence[str]) -> set[int]:
    """Where the decimal points stand; a whole number has its own behind its last digit."""
    found = set()
    for cell in cells:
        if NUMBER.fullmatch(cell.strip()):
            at = cell.find(".")
            found.add(at if at >= 0 else max(i for i, c in enumerate(cell) if c.isdigit()) + 1)
    return found


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_decimal_points_of_every_column_stand_below_each_other(size: tuple[int, int]) -> None:
    seen: set[str] = set()
    async with running(fakes.snapshot(), size) as run:
        for place in catalogue.SCREENS:
            await run.press(str(place.number))
            await run.frame()  # a query's answer comes a frame later
            for pane in panes(run):
                lines = drawn(pane)
                for column, cells in places(pane):
                    numbers = [line[cells] for line in lines]
                    if column.align == ">" and any("." in number for number in numbers):
                        assert len(points(numbers)) <= 1, (pane.id, column.key, numbers)
                        seen.add(f"{pane.id}.{column.key}")
    assert {"spreads.ratio", "levels.price", "facts.value", "evidence.value", "sql.last"} <= seen
    assert len(seen) > 40


def renamed(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The table with its first three names as wide and as long as none should be; a couple's rows keep together."""
    old = frame.get_column(column).unique(maintain_order=True).to_list()
    return frame.with_columns(pl.col(column).replace(dict(zip(old, (CJK, LONG, EMOJI), strict=False))))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_no_wide_or_long_name_breaks_a_row(size: tuple[int, int]) -> None:
    plain_moment = fakes.snapshot()
    tables = {**plain_moment.tables, **{t: renamed(plain_moment.tables[t], c) for t, c in NAMES.items()}}
    odd = replace(plain_moment, seq=plain_moment.seq + 1, tables=tables)
    found: set[str] = set()
    async with running(plain_moment, size) as run:
        for place in catalogue.SCREENS:
            run.source.snapshot = plain_moment
            await run.press(str(place.number))
            before = {pane.id: drawn(pane) for pane in panes(run)}
            run.source.snapshot = odd
            await run.frame()
            assert {strip.cell_length for strip in run.strips()} == {size[0]}
            for pane in panes(run):
                lines = pane.body(0, len(pane.rows))
                assert all(width_of(line) <= pane.size.width for line in lines), pane.id
                found |= {str(pane.id) for line in lines if "東京" in plain(line)}
                if not columns_of(pane) or isinstance(pane, QueryPane):
                    continue
                end = next(cells.stop for column, cells in places(pane) if column.key in SHOWN)
                for was, now in zip(before[pane.id], drawn(pane), strict=True):
                    assert len(was) == len(now)
                    if pane.id not in BY_NAME:
                        assert was[end:].strip("\0") == now[end:], pane.id
    assert {"spreads", "flows", "facts", "evidence", "claims", "scanner", "levels", "alerts"} <= found


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_notes_that_go_on_below_the_pane_say_so(size: tuple[int, int]) -> None:
    cut: set[str] = set()
    async with running(fakes.snapshot(), size) as run:
        for place in catalogue.SCREENS:
            await run.press(str(place.number))
            await run.frame()
            for pane in panes(run):
                shown = pane.size.height - len(pane.head) - len(pane.rows)
                if not 0 < shown < len(pane.foot) or not plain(pane.foot[shown - 1]).strip():
                    continue
                inside = pane.content_region
                last = run.strips()[inside.bottom - 1].text[inside.x : inside.right]
                assert last.rstrip().endswith("…"), (pane.id, last)
                cut.add(str(pane.id))
    assert cut or size != (80, 24), "the scanner's and the leaders' notes are longer than their panes there"
