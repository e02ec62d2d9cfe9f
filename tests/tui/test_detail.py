"""Enter shows what a line is of: a gauge, a figure beside the gauges, an alert, a source, each in its own words."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from engine.config import Config, Refresh
from tests.tui import fakes
from tests.tui.running import running
from tui import format as fmt
from tui.charts.pane import MarketChart, subject_of
from tui.definitions import definition
from tui.lines import plain
from tui.panes.alert_rows import AlertRows
from tui.panes.flows import FlowsPane
from tui.panes.gauges import GaugesPane
from tui.panes.levels import LevelsPane
from tui.panes.sql import cell
from tui.screens.alert_form import AlertForm
from tui.screens.chart import ChartScreen
from tui.screens.detail import Detail, DetailPage, number_text, value_text
from tui.widgets.commandline import CommandLine
from tui.widgets.linepane import LinePane


async def test_enter_on_a_gauge_shows_what_it_measures_and_the_chart_of_what_it_names() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        run.pane("gauges").focus()
        await run.frame()
        await run.press("enter")
        assert isinstance(run.app.screen, Detail)
        text = run.text()
        assert "D1 equity size IWM/SPY ─ Esc returns" in text
        assert "z of the small fund over the large one" in text
        assert "IWM/SPY 1Y" in text


async def test_every_line_beside_the_gauges_leads_to_the_row_that_it_is_of() -> None:
    async with running(fakes.snapshot(), (200, 60)) as run:
        pane = run.pane("gauges")
        assert isinstance(pane, GaugesPane)
        pane.focus()
        found = []
        for row in range(len(pane.rows)):
            pane.move_to(row)
            record = pane.record()
            assert record is not None, pane.rows[row]
            found.append(next(iter(record.values())))
        assert found[:6] == ["D1", "D2", "D3", "D4", "D5", "D6"]
        assert {"BTC", "IWM"} <= set(found)
        assert len(set(pane.rows)) == len(pane.rows), "two lines of one name: the cursor would stay on the first"


async def test_a_baskets_line_in_the_grid_leads_to_the_basket() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.press("b", "g")
        assert run.crypto.rows[run.crypto.index()] == "─ majors"
        await run.press("enter")
        assert isinstance(run.app.screen, Detail)
        assert "─ majors ─ Esc returns" in run.text() and "breadth" in run.text()
        await run.press("escape", "j", "enter")
        assert "BTC/USD ─ Esc returns" in run.text()


async def test_a_state_means_what_it_means_in_its_own_table() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        for name, words, not_these in (
            ("alerts", "pending until it has lasted", "or a false break"),
            ("feeds", "messages a second", "who prices it now"),
        ):
            run.pane(name).focus()
            await run.frame()
            await run.press("enter")
            assert isinstance(run.app.screen, Detail)
            assert words in run.text()
            assert not_these not in run.text()
            assert "False" not in run.text() and "True" not in run.text()
            await run.press("escape")


def test_times_say_their_zone_and_it_is_the_headers_but_for_the_bars_own() -> None:
    at = datetime(2026, 1, 9, 15, 32, 7, tzinfo=UTC)
    assert value_text("as_of", at) == "2026-01-09 10:32:07 NY"
    assert value_text("time", at.replace(hour=0, minute=0, second=0)) == "2026-01-09 00:00:00 UTC"
    assert value_text("since", at.replace(tzinfo=None)) == "2026-01-09 15:32:07"
    assert cell("as_of", at) == "01-09 15:32:07Z", "conditions in SQL compare in UTC"


async def test_alerts_and_events_on_a_page_stand_in_the_headers_time() -> None:
    async with running(replace(fakes.snapshot(), events=fakes.events())) as run:
        await run.app.push_screen(Detail(None, "ALT/BTC"))
        await run.frame()
        page = [plain(line) for line in run.app.screen.query_one(DetailPage)._lines]
        assert not [line for line in page if "UTC" in line or "+00:00" in line]
        told = page[page.index(" Alerts") + 1 :]
        assert any(" NY " in line for line in told[: told.index(" Recent events")])
        assert any(" NY " in line for line in told[told.index(" Recent events") :])


async def test_a_funds_page_says_what_its_money_is_and_a_groups_has_no_chart_of_a_basket_of_that_name() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.press("5")
        pane = run.app.screen.query_one("#flows", FlowsPane)
        group = next(i for i, row in enumerate(pane.rows) if row.split(" ")[0] == row.split(" ")[1])
        pane.move_to(group)
        assert subject_of(pane.record()) is None
        await run.press("c")
        assert not isinstance(run.app.screen, ChartScreen)
        await run.press("enter")
        text = run.text()
        assert f"─ {pane.called()} ─ Esc returns" in text
        assert "money in less money out, one session" in text and "where its days come from" in text
    assert number_text("flow_5d", 1_234_000_000.0) == "+1.2 bn $"
    assert number_text("flow_1d", -97_317_500.0) == "−97.3 mn $"
    assert number_text("aum", 234e9) == "234.0 bn $"
    assert number_text("dominance_pct", 58.9) == "58.90 %", "a share has no direction"
    assert number_text("flow_pct_aum", -0.0416) == "−0.04 %"
    assert number_text("share_of_all", 0.243) == "24.3 %"


def test_shares_are_whole_and_parts_of_a_coin_are_not() -> None:
    assert number_text("volume", 1_914_872.0) == "1,914,872"
    assert number_text("adv_shares", 5_900_000.05) == "5,900,000"
    assert number_text("volume", 12.3456) == "12.346"
    assert number_text("age_s", 1.2852) == "1.3"


async def test_the_detail_of_a_level_is_called_by_its_price_as_levels_are() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.press("3")
        pane = run.app.screen.query_one("#levels", LevelsPane)
        pane.move_to(0)
        record = pane.record() or {}
        assert pane.called() == f"{record['symbol']} {record['role']} {fmt.level(record['price'])}"
        pane.focus()
        await run.press("enter")
        assert f"─ {pane.called()} ─ Esc returns" in run.text()


async def test_the_chart_of_an_index_tells_no_volume() -> None:
    start = fakes.snapshot()
    bars = start.tables["bars"]
    without = pl.when(pl.col("symbol") == "^RUT").then(0.0).otherwise(pl.col("volume")).alias("volume")
    for told, frame in ((True, bars), (False, bars.with_columns(without))):
        async with running(replace(start, tables={**start.tables, "bars": frame}), (200, 60)) as run:
            chart = next(c for c in run.app.screen.query(MarketChart) if c.options.symbol == "^RUT")
            record = chart.record() or {}
            assert "close" in record
            assert ("volume" in record) is told


def test_a_price_means_what_it_is_in_its_own_table_and_a_probability_is_in_per_cent() -> None:
    assert definition("price", {"symbol": "IWM"}).startswith("mid of bid and ask")
    assert definition("price", {"symbol": "^RUT", "role": "support"}) == "where the level lies"
    assert definition("price", {"whatif": "2000-09"}) == "where the small fund would stand"
    assert definition("distance_pct", {"plan": "iwm", "goal": 1}) == "from the price to the target"
    assert number_text("touch_probability", 0.3157) == "31.6 %"


async def test_the_keys_that_hold_everywhere_hold_over_a_detail() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.press("enter", "A")
        assert isinstance(run.app.screen, AlertForm)
        assert "BTC/USD" in run.text()
        await run.press("escape")
        assert isinstance(run.app.screen, Detail)
        await run.press("c")
        assert isinstance(run.app.screen, ChartScreen)
        await run.press("escape", "space")
        assert isinstance(run.app.screen, Detail)
        assert "FROZEN" in run.text()
        await run.press("space", "3")
        assert run.app.current_mode == "levels"
        await run.press("1")
        assert not isinstance(run.app.screen, Detail), "it was left for good"


@pytest.mark.parametrize("opens", ["enter", "question_mark"])
async def test_a_command_may_be_typed_over_a_page_at_once(opens: str) -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.press(opens)
        await run.pilot.press("colon", *"chart IWM/SPY", "enter")
        await run.frame()
        assert isinstance(run.app.screen, ChartScreen)
        assert run.app.screen.chart.options.symbol == "IWM/SPY"


async def test_a_page_without_a_chart_is_as_tall_as_what_it_says() -> None:
    async with running(fakes.snapshot(), (200, 60)) as run:
        run.pane("feeds").focus()
        await run.frame()
        await run.press("enter")
        page = run.app.screen.query_one(DetailPage)
        assert len(page.rows) < page.size.height < len(page.rows) + 4
        assert page.size.width < 112


@pytest.mark.parametrize("opens", ["enter", "question_mark"])
async def test_a_page_stands_at_once_and_takes_what_is_typed_ahead(opens: str) -> None:
    still = replace(Config(), refresh=Refresh(frame_hz=0.001))
    async with running(fakes.snapshot(), (120, 40), still) as run:
        await run.pilot.press(opens, "G")
        await run.pilot.pause()
        page = run.app.screen.query_one("#page", LinePane)
        assert page.rows, "without waiting for the next frame"
        assert page.index() == len(page.rows) - 1


async def test_a_command_over_the_help_over_a_detail_is_no_row_of_keys() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.press("enter", "question_mark")
        await run.pilot.press("colon", *"tab")
        await run.frame()
        assert all(intent.action == "bars" for intent in run.source.sent)
        assert isinstance(run.app.focused, CommandLine)
        assert run.app.focused.value == "tab"


async def test_a_over_the_detail_of_an_alert_marks_that_one() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.press("8")
        pane = run.app.screen.query_one("#alerts", AlertRows)
        pane.move_to(len(pane.rows) - 1)
        chosen = pane.chosen()
        assert chosen is not None
        await run.press("enter", "a")
        told = [(i.action, i.arguments["row"]) for i in run.source.sent if i.action != "bars"]
        assert told == [("acknowledge", chosen.row)]


async def test_chart_and_detail_of_the_same_do_not_pile_up() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.press("enter")
        for _ in range(3):
            await run.press("c", "enter")
        assert len(run.app.screen_stack) == 4, "the panes, a detail, a chart and a detail of it"
        await run.press("c", "5", "1", "1")
        assert len(run.app.screen_stack) == 1


def test_what_is_no_number_is_a_missing_volume() -> None:
    assert number_text("volume", math.nan) == "–"
