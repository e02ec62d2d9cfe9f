"""The screens beside the dashboard: what stands in a row, how to get there and back, and that nothing hidden paints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.model import Mode
from tests.tui import fakes
from tests.tui.running import running
from tui.charts.plane import paint_plane
from tui.lines import choose, heading, plain
from tui.panes import claims, correlations, evidence, facts, flows, rotation
from tui.view import View
from tui.widgets.linepane import LinePane

LIVE = View(fakes.snapshot(), Mode.DEMO, "january-2026", fakes.OPENING, 0.1, 3.0)


def records(table: str) -> list[Mapping[str, Any]]:
    frame = LIVE.table(table)
    assert frame is not None
    return list(frame.iter_rows(named=True))


def one(table: str, column: str, name: str) -> Mapping[str, Any]:
    return next(r for r in records(table) if r[column] == name)


def test_evidence_stands_against_its_bound_and_what_is_unmeasured_is_neither_for_nor_against() -> None:
    columns = choose(evidence.COLUMNS, 66)

    def line(name: str) -> str:
        return plain(evidence.evidence_row(one("regime", "evidence", name), columns))

    assert line("5y relative") == " ✓ secular  5y relative                      −31.2  %      0.0  %"
    assert line("slope of SMA756") == " ✓ secular  slope of SMA756                   −0.62 %      0.00 %"
    assert line("rows since a 252-bar low") == " ✗ cyclical rows since a 252-bar low          46         126     "
    assert line("small-cap share percentile") == "…– secular  small-cap share percentile         …          10.0  %"
    assert plain(evidence.counters(records("regime"))) == (
        "  secular 4 of 5, 1 unmeasured  cyclical 2 of 5, 2 unmeasured"
    )


def test_a_claim_stands_beside_what_is_measured_and_gives_way_before_a_column_does() -> None:
    def line(name: str, width: int = 84) -> str:
        return plain(claims.claim_row(one("claims", "claim", name), claims.columns_for(width))).rstrip()

    assert line("small-cap volume, year on year (IWM)").endswith("   −15 %             −15.0  %")
    assert line("BTC 24 h volume over all markets above").endswith("  30 billion         42.4  bn USD")
    assert line("inflows into funds").startswith("…– inflows")
    assert "0" not in line("inflows into funds")
    narrow = line("large caps ahead of small caps, years in a row", 66)
    assert "… " in narrow and narrow.endswith("5    years")


def test_a_couple_is_one_row_of_its_three_windows() -> None:
    found = correlations.couples(records("correlations"))
    assert list(found) == ["ETH · BTC", "IWM · SPY", "ALT · BTC", "IWM/SPY · ALT/BTC"]
    columns = choose(correlations.COLUMNS, 70)
    assert plain(heading(columns)).split() == [
        "couple",
        "ρ",
        "21",
        "ρ",
        "63",
        "ρ",
        "252",
        "ewma",
        "β",
        "252",
        "lead",
        "ρ",
        "lead",
    ]
    line = plain(correlations.couple_row("IWM/SPY · ALT/BTC", found["IWM/SPY · ALT/BTC"], columns))
    assert line.split() == ["IWM/SPY", "·", "ALT/BTC", "−0.42", "−0.14", "+0.07", "−0.35", "+0.02", "−2", "d", "+0.11"]


def test_a_couple_without_its_quarter_has_no_place_on_the_quarters_bar() -> None:
    found = correlations.couples(records("correlations"))
    columns = choose(correlations.COLUMNS, 120)
    assert 63 not in found["ETH · BTC"] and "●" not in plain(
        correlations.couple_row("ETH · BTC", found["ETH · BTC"], columns)
    )
    assert "●" in plain(correlations.couple_row("IWM · SPY", found["IWM · SPY"], columns))


def test_rotation_names_the_quadrant_with_an_arrow_and_draws_the_plane_where_there_is_room() -> None:
    columns = choose(rotation.COLUMNS, 34)
    rows = records("rotation")
    assert plain(rotation.rotation_row(3, rows[3], columns)).rstrip() == "  d ETH/BTC    ↙ Lagging    98.16"
    assert plain(rotation.rotation_row(5, rows[5], columns)).startswith("… f meme/BTC   …")
    lines = [plain(line) for line in paint_plane(rows, 60, 15)]
    assert len(lines) == 15
    assert {len(line) for line in lines} == {60}
    assert "↖ Improving" in lines[0] and lines[0].rstrip().endswith("↗ Leading")
    assert "↙ Lagging" in lines[13] and lines[13].rstrip().endswith("↘ Weakening")
    assert all(any(mark in line for line in lines) for mark in "abcde")
    assert lines[14].rstrip().endswith("strength")
    assert paint_plane(rows, 60, 8) == paint_plane([], 60, 20) == []


def test_flows_show_groups_then_funds_with_signs_and_nothing_where_history_is_short() -> None:
    columns = choose(flows.COLUMNS, 116)

    def line(name: str) -> str:
        return plain(flows.flow_row(one("flows", "fund", name), columns))

    assert line("small").startswith(
        "  small        −97.3 mn   +60.8 mn    −1.1 bn   +60.8 mn   234.0 bn    −0.04  24.3 %"
    )
    assert line("IWM").startswith("~   IWM")
    assert "…" in line("IBIT")[10:]
    assert {len(line(r["fund"])) for r in records("flows")} == {len(plain(heading(columns)))}


def test_a_fact_has_its_unit_and_one_that_never_came_says_whose_it_is() -> None:
    columns = facts.columns_for(116)

    def line(name: str) -> str:
        return plain(facts.fact_row(one("facts", "fact", name), columns))

    assert line("category_ai").split() == [
        "category",
        "AI",
        "10.3",
        "bn",
        "USD",
        "−1.4",
        "1d",
        "01-09",
        "10:31",
        "coingecko",
    ]
    assert "+1.1   pp" in line("btc_dominance_30d")
    assert line("fed_funds").startswith("◌ fed funds                    –     %")
    cut = {**one("facts", "fact", "btc_dominance"), "fact": "fed_cut_probability", "value": 84.66}
    cut |= {"status": "estimated", "source": "2026-01-28: ZQF26.CBT ZQG26.CBT"}
    said = "~ fed cut probability 84.66 % 01-09 10:31 2026-01-28: ZQF26.CBT ZQG26.CBT"
    assert plain(facts.fact_row(cut, columns)).split() == said.split()
    narrow = plain(facts.fact_row(one("facts", "fact", "fed_funds"), facts.columns_for(78)))
    assert narrow.rstrip().endswith("fred: no key in F…"), "why it is missing is said at 80 columns too"
    assert "never" in line("fed_funds") and "no key in FRED_API_KEY" in line("fed_funds")


async def test_movement_detail_and_zoom_work_on_every_screen() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("7")
        assert run.focused == "evidence"
        await run.press("j", "enter")
        assert "slope of SMA756" in run.text() and "threshold" in run.text()
        await run.press("escape", "tab", "z")
        assert run.focused == "claims"
        assert "Evidence" not in run.text()
        await run.press("escape", "y", "slash", "escape", "s")
        assert run.focused == "claims"
        await run.press("space", "escape")
        assert "FROZEN" not in run.text() and "7 Regime" in run.text()


async def test_an_empty_screen_says_what_is_missing_and_how_to_get_it() -> None:
    async with running(fakes.snapshot("empty")) as run:
        await run.press("5")
        assert "`sizewatch flows import FILE`" in run.text()
        assert "`[facts]`" in run.text()
        for key in "123456789":
            await run.press(key)
            assert "waiting for" in run.text() or "`" in run.text()


async def test_a_screen_out_of_sight_is_not_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("5")
        shown: list[str | None] = []
        plain_show = LinePane.show

        def show(pane: LinePane, view: View) -> None:
            shown.append(pane.id)
            plain_show(pane, view)

        monkeypatch.setattr(LinePane, "show", show)
        assert run.source.snapshot is not None
        run.source.snapshot = fakes.moved(run.source.snapshot, 0.01)
        await run.frame()
        assert set(shown) == {"flows", "facts"}


async def test_a_table_that_is_the_same_object_is_not_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("5")
        painted: list[str | None] = []
        monkeypatch.setattr(LinePane, "repaint", lambda pane: painted.append(pane.id))
        assert run.source.snapshot is not None
        run.source.snapshot = fakes.moved(run.source.snapshot, 0.01)
        await run.frame()
        assert painted == []
