"""The grids of quotes: the columns that they show, and the order that keys bring their rows into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from engine.config import Config
from engine.config_looks import CRYPTO_COLUMNS, EQUITY_COLUMNS, Appearance
from tests.tui import fakes
from tests.tui.running import running
from tui.panes import quote_order
from tui.panes.quotes import QuotesPane


@pytest.mark.parametrize("grid", ["crypto", "equities"])
async def test_s_goes_through_every_column_in_sight_and_its_capital_turns_round(grid: str) -> None:
    snapshot = fakes.snapshot()
    table = snapshot.tables["quotes"]
    async with running(snapshot, (260, 30)) as run:
        pane = run.pane(grid)
        pane.focus()
        await run.press("z")
        assert isinstance(pane, QuotesPane)
        own, seen = list(pane.rows), []
        await run.press("s")
        while pane.sort:
            seen.append(pane.sort)
            assert f"by {pane.sort.replace('_', ' ').replace('change pct', '1d %')}" in run.text()
            rows = {row["symbol"]: value_of(row, pane.sort) for row in table.iter_rows(named=True)}
            known, missing = [s for s in own if rows[s] is not None], [s for s in own if rows[s] is None]
            falls = pane.sort in quote_order.DESCENDING
            assert list(pane.rows) == [*sorted(known, key=rows.__getitem__, reverse=falls), *missing]
            await run.press("S")
            assert list(pane.rows) == [*sorted(known, key=rows.__getitem__, reverse=not falls), *missing]
            await run.press("s")
        assert seen[0] == "change_pct"
        assert len(seen) == len(set(seen))
        assert set(seen) == set(CRYPTO_COLUMNS if grid == "crypto" else EQUITY_COLUMNS) - {"recent"}
        assert list(pane.rows) == own


def value_of(row: Mapping[str, Any], column: str) -> Any:
    """What a grid's column sorts a row by."""
    if column != "range":
        return row["age_s" if column == "age" else column]
    low, high = row["low_24h"], row["high_24h"]
    return None if low is None or high is None else (row["last"] - low) / (high - low)


async def test_s_goes_on_from_the_first_column_where_its_own_is_no_longer_in_sight() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        run.crypto.sort_by("basket", reverse=False)
        assert "basket" not in {c.key for c in run.crypto._columns}
        await run.press("s")
        assert run.crypto.sort == "change_pct"


@pytest.mark.parametrize("grid", ["crypto", "equities"])
async def test_every_column_that_the_configuration_takes_is_shown_where_it_is_named(grid: str) -> None:
    taken = CRYPTO_COLUMNS if grid == "crypto" else EQUITY_COLUMNS
    backwards = tuple(reversed(taken))
    looks = Appearance(crypto_columns=backwards) if grid == "crypto" else Appearance(equity_columns=backwards)
    async with running(fakes.snapshot(), (260, 30), replace(Config(), appearance=looks)) as run:
        pane = run.pane(grid)
        pane.focus()
        assert run.source.snapshot is not None
        run.source.snapshot = replace(run.source.snapshot, config=replace(Config(), appearance=looks))
        await run.press("z")
        assert isinstance(pane, QuotesPane)
        assert [c.key for c in pane._columns] == ["glyph", *backwards]
