"""The running terminal says what is wrong in time, and draws only what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from engine.config import Config
from engine.config_looks import Appearance
from tests.tui import fakes
from tests.tui.running import running
from tui.widgets.linepane import LinePane


async def test_before_the_first_snapshot_each_pane_says_what_it_waits_for() -> None:
    async with running(None) as run:
        assert "connecting: waiting for the engine to start" in run.text()
        assert "waiting for the first prices" in run.text()
        assert "SIMULATED january-2026" in run.text()
        await run.press("j", "G", "s", "enter", "y", "z", "z", "tab")


async def test_an_engine_without_a_beat_is_said_within_two_seconds() -> None:
    async with running(fakes.snapshot()) as run:
        run.clock.advance(1.5)
        await run.frame()
        assert "not answered" not in run.text()
        run.clock.advance(0.4)
        await run.frame()
        assert "the engine has not answered" in run.text()
        assert "no beat 1 s" in run.text()


async def test_an_engine_that_has_ended_is_said_with_its_reason() -> None:
    async with running(fakes.snapshot()) as run:
        run.source.ended = "disk full"
        await run.frame()
        assert "the engine has ended: disk full" in run.text()


async def test_a_price_that_moves_flashes_and_stops_flashing_by_the_clock_alone() -> None:
    async with running(fakes.snapshot()) as run:
        assert run.source.snapshot is not None
        run.source.snapshot = fakes.moved(run.source.snapshot, 0.01)
        await run.frame()
        assert run.crypto._prices["BTC/USD"][2] == "flash-up"
        assert any("flash-up" in {role for _, role in line} for line, _ in run.crypto._drawn)
        run.clock.advance(0.5)
        await run.frame()
        assert not any("flash-up" in {role for _, role in line} for line, _ in run.crypto._drawn)


async def test_flashing_can_be_turned_off() -> None:
    config = replace(Config(), appearance=Appearance(flash=False))
    snapshot = fakes.snapshot(config=config)
    async with running(snapshot, config=config) as run:
        run.source.snapshot = fakes.moved(snapshot, 0.01)
        await run.frame()
        assert not any("flash-up" in {role for _, role in line} for line, _ in run.crypto._drawn)


async def test_only_rows_that_changed_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(fakes.snapshot()) as run:
        drawn: list[int] = []
        plain_line = LinePane._line

        def line(pane: LinePane, y: int, *rest: Any) -> object:
            if pane is run.crypto:
                drawn.append(y)
            return plain_line(pane, y, *rest)

        monkeypatch.setattr(LinePane, "_line", line)
        await run.frame()
        assert drawn == []
        assert run.source.snapshot is not None
        quotes = fakes.quotes()
        one = pl.when(pl.col("symbol") == "ETH/USD").then(pl.col("last") + 1).otherwise("last")
        run.source.snapshot = replace(
            run.source.snapshot, tables={**run.source.snapshot.tables, "quotes": quotes.with_columns(last=one)}
        )
        await run.frame()
        assert drawn == [3]


async def test_a_new_configuration_brings_its_theme() -> None:
    async with running(fakes.snapshot()) as run:
        assert run.source.snapshot is not None
        config = replace(Config(), appearance=Appearance(theme="light"))
        run.source.snapshot = replace(run.source.snapshot, config=config)
        await run.frame()
        assert run.app.theme == "sizewatch-light"


async def test_a_click_puts_the_cursor_on_the_row() -> None:
    async with running(fakes.snapshot()) as run:
        await run.pilot.click("#crypto", offset=(5, 5))
        await run.frame()
        assert run.crypto.index() == 3


async def test_the_border_says_which_rows_are_in_sight_where_not_all_are() -> None:
    async with running(fakes.snapshot()) as run:
        assert "─ 1–9 of 41 ─" in run.text()
        await run.press("j", "G")
        assert "─ 33–41 of 41 ─" in run.text()
        await run.press("g", "z")
        assert "1–33 of 41" in run.text(), "a zoomed pane has more of them"
        run.source.snapshot = fakes.snapshot("empty")
        await run.frame()
        assert " of 41" not in run.text()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48), (160, 50), (160, 56), (200, 60)])
async def test_no_pane_of_the_dashboard_is_a_heading_alone(size: tuple[int, int]) -> None:
    async with running(fakes.snapshot(), size=size) as run:
        assert "none of" not in run.text()
        assert run.text().count("symbol") >= 1


async def test_a_pane_too_low_for_a_row_says_that_it_shows_none() -> None:
    async with running(fakes.snapshot(), size=(120, 40)) as run:
        crypto = run.pane("crypto")
        assert crypto._in_sight(len(crypto.head)).startswith("none of ")


async def test_a_source_in_trouble_stands_above_those_that_are_well() -> None:
    async with running(fakes.snapshot()) as run:
        assert run.pane("feeds").rows[0].startswith("binance")


async def test_nothing_of_a_stale_dashboard_is_drawn_as_if_it_were_of_now() -> None:
    live = {"up", "down", "bright", "figure", "figure-warn", "figure-alert", "good", "warn", "alert"}
    async with running(fakes.snapshot("stale"), (200, 60)) as run:
        told = {"feeds", "alerts", "rotation", "journal"}
        # how sources are is of now, what was told is past, and the plane names its quadrants in colour
        for pane in run.app.screen.query(LinePane):
            roles = {role for line, _ in pane._drawn for _, role in line if role in live}
            assert not roles or pane.id in told, (pane.id, roles)
        await run.press("7")
        evidence = run.app.screen.query_one("#evidence", LinePane)
        assert {role for line, _ in evidence._drawn for _, role in line} <= {"stale", "head", "dim"}
        for screen in "234578":
            await run.press(screen)
            for pane in run.app.screen.query(LinePane):
                roles = {role for line, _ in pane._drawn for _, role in line if role in live}
                assert not roles or pane.id in told, (screen, pane.id, roles)


SHOWN: list[tuple[tuple[int, int], list[str]]] = [
    ((40, 12), ["quotes"]),
    ((80, 24), ["spreads", "quotes"]),
    ((120, 24), ["spreads", "band", "crypto", "equities", "feeds"]),
    ((120, 40), ["spreads", "band", "gauges", "baskets", "crypto", "equities", "feeds"]),
]


@pytest.mark.parametrize(("size", "names"), SHOWN)
async def test_a_size_shows_the_panes_that_it_has_room_for(size: tuple[int, int], names: list[str]) -> None:
    async with running(fakes.snapshot(), size) as run:
        panes = ("spreads", "band", "gauges", "baskets", "quotes", "crypto", "equities", "feeds")
        made = [name for name in panes if run.app.screen.query(f"#{name}")]
        assert [name for name in made if run.pane(name).is_on_screen] == names
