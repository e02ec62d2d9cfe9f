"""Enter shows what a line is of: a gauge, a figure beside the gauges, an alert, a source, each in its own words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.tui import fakes
from tests.tui.running import running
from tui.charts.pane import subject_of
from tui.definitions import definition
from tui.lines import plain
from tui.panes.flows import FlowsPane
from tui.panes.gauges import GaugesPane
from tui.panes.sql import cell
from tui.screens.chart import ChartScreen
from tui.screens.detail import Detail, DetailPage, number_text, value_text


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
            ("alerts", "pending until it has lasted", "where the level is in its life"),
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
    assert number_text("flow_pct_aum", -0.0416) == "−0.04 %"
    assert number_text("share_of_all", 0.243) == "24.3 %"


def test_a_price_means_what_it_is_in_its_own_table_and_a_probability_is_in_per_cent() -> None:
    assert definition("price", {"symbol": "IWM"}).startswith("mid of bid and ask")
    assert definition("price", {"symbol": "^RUT", "role": "support"}) == "where the level lies"
    assert definition("price", {"whatif": "2000-09"}) == "where the small fund would stand"
    assert definition("distance_pct", {"plan": "iwm", "goal": 1}) == "from the price to the target"
    assert number_text("touch_probability", 0.3157) == "31.6 %"
