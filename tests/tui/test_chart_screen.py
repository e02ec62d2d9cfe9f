"""The chart screen as it is used: every key does what the help says, what is shown is asked for, and Esc leads back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from engine.model import Mode
from tests.tui import fakes
from tests.tui.running import Run, running
from tui import theme
from tui.charts.keys import CHART_ACTIONS
from tui.charts.pane import MarketChart, from_layout, subject_of
from tui.screens.chart import ChartScreen, open_chart
from tui.screens.detail import Detail, open_detail
from tui.view import View


@asynccontextmanager
async def charting(words: str, state: str = "live", size: tuple[int, int] = (120, 40)) -> AsyncIterator[Run]:
    async with running(fakes.snapshot(state), size) as run:
        assert await open_chart(run.app, words) is None
        await run.frame()
        yield run


def chart_of(run: Run) -> MarketChart:
    assert isinstance(run.app.screen, ChartScreen)
    return run.app.screen.chart


async def test_the_keys_change_span_interval_scale_kind_and_what_lies_over_the_price() -> None:
    async with charting("^RUT 1Y") as run:
        chart = chart_of(run)
        assert run.focused == "chart"
        assert "^RUT 1Y 1d" in run.text() and "R 2,300 CLEAR ×4" in run.text()
        await run.press("left_square_bracket")
        assert chart.options.span == "YTD"
        await run.press("right_square_bracket", "right_square_bracket")
        assert chart.options.span == "5Y"
        await run.press("right_square_bracket", "right_square_bracket")
        assert chart.options.span == "MAX" and "^RUT MAX 1d" in run.text()
        await run.press("i", "i")
        assert chart.options.interval == "5m" and "^RUT MAX 5m" in run.text()
        await run.press("o")
        assert chart.options.scale == "log" and " log" in run.text()
        await run.press("m", "m")
        assert chart.options.averages == "ema" and "EMA 20 50 200" in run.text()
        for key, name in (
            ("c", "line"),
            ("v", "volume"),
            ("b", "bands"),
            ("B", "z_bands"),
            ("M", "marks"),
            ("d", "returns"),
        ):
            before = getattr(chart.options, name)
            await run.press(key)
            assert getattr(chart.options, name) is not before, name
        assert "returns" in run.text()


@pytest.mark.parametrize(
    ("words", "keys", "why"),
    [
        ("IWM/SPY 1Y", "v", "IWM/SPY has no volume in these bars"),
        ("IWM/SPY 1Y", "c", "IWM/SPY has closes alone: it is a line"),
        ("IWM/SPY 1Y", "b", "IWM/SPY has no support or resistance"),
        ("^RUT 1Y", "B", "^RUT has no z-bands in these bars: a pair's daily ones have"),
        ("^RUT 1Y", "dv", "volume: not of the distribution of returns, but of its course"),
        ("^RUT 1Y vs SPY", "m", "averages: of one series; two are lines, in per cent of their first common bar"),
    ],
)
async def test_a_switch_that_changes_nothing_here_says_why(words: str, keys: str, why: str) -> None:
    async with charting(words) as run:
        await run.press(*keys)
        assert [toast.message for toast in run.app._notifications] == [why]
        await run.press(keys[-1], keys[-1])
        assert [toast.message for toast in run.app._notifications] == [why], "said once, however often it is pressed"


@pytest.mark.parametrize(
    ("words", "keys"), [("IWM/SPY 1Y", "BMom"), ("^RUT 1Y", "cvbmM[io]"), ("^RUT 1Y vs SPY", "vM")]
)
async def test_a_switch_that_can_be_seen_says_nothing(words: str, keys: str) -> None:
    async with charting(words) as run:
        before = run.text()
        for key in keys:
            await run.press({"[": "left_square_bracket", "]": "right_square_bracket"}.get(key, key))
            before, after = run.text(), before
            assert before != after, key
        assert not list(run.app._notifications)


async def test_a_chart_of_few_lines_says_that_volume_has_no_room() -> None:
    async with charting("^RUT 1Y", size=(80, 14)) as run:
        await run.press("v")
        assert [toast.message for toast in run.app._notifications] == ["too few lines here for volume below the price"]


async def test_bars_that_begin_after_the_span_say_so_in_the_title() -> None:
    async with charting("^RUT 5Y") as run:
        assert "^RUT 5Y 1d since " in run.text()
        await run.press("left_square_bracket")
        assert "^RUT 1Y 1d ─" in run.text()


async def test_the_crosshair_goes_by_bars_and_esc_hides_it_before_it_leaves() -> None:
    async with charting("IWM/SPY 3M") as run:
        chart = chart_of(run)
        newest = "Fri 09 Jan 2026"
        assert newest in run.text()
        await run.press("h")
        assert newest in run.text() and chart.cross is not None
        await run.press("h", "H", "l")
        assert "Wed 24 Dec 2025" in run.text() or "Fri 26 Dec 2025" in run.text()
        assert "┼ " in run.text()
        await run.press("g")
        assert "Thu 09 Oct 2025" in run.text()
        await run.press("G", "L")
        assert chart.cross == chart._drawn_as.times[-1] if chart._drawn_as else False
        await run.press("escape")
        assert chart.cross is None and isinstance(run.app.screen, ChartScreen)
        await run.press("escape")
        assert not isinstance(run.app.screen, ChartScreen)


@pytest.mark.parametrize(
    ("pressed", "bar"),
    [
        (("left",), -1),
        (("left", "left"), -2),
        (("left", "left", "right"), -1),
        (("home",), 0),
        (("home", "right"), 1),
        (("home", "end"), -1),
    ],
    ids=str,
)
async def test_the_crosshair_goes_by_arrows_too(pressed: tuple[str, ...], bar: int) -> None:
    async with charting("IWM/SPY 3M") as run:
        await run.press(*pressed)
        chart = chart_of(run)
        assert chart._drawn_as is not None
        assert chart.cross == chart._drawn_as.times[bar]


async def test_the_mouse_points_at_a_bar() -> None:
    async with charting("BTC/USD 5D") as run:
        chart = chart_of(run)
        await run.pilot.click(MarketChart, offset=(10, 12))
        await run.frame()
        first = chart.cross
        assert first is not None
        await run.pilot.hover(MarketChart, offset=(40, 12))
        await run.frame()
        assert chart.cross is not None and chart.cross > first


async def test_a_second_series_is_asked_for_by_name_and_taken_away_again() -> None:
    async with charting("IWM 1Y") as run:
        await run.press("equals_sign")
        assert "compare with" in run.text()
        assert "1Y&#160;1d" in run.app.export_screenshot(), "what it is compared with stays in sight"
        await run.press("s", "p", "y", "enter")
        assert chart_of(run).options.versus == "SPY"
        assert "IWM vs SPY" in run.text()
        assert {"symbol": "SPY", "interval": "1d"} in [dict(i.arguments) for i in run.source.sent]
        await run.press("equals_sign")
        assert chart_of(run).options.versus is None
        await run.press("equals_sign", "escape")
        assert isinstance(run.app.screen, ChartScreen)


async def test_bars_are_asked_for_once_and_renewed_before_their_lease_ends() -> None:
    async with charting("^RUT 5D") as run:

        def asked() -> list[dict[str, str]]:
            return [
                dict(i.arguments) for i in run.source.sent if i.action == "bars" and i.arguments["symbol"] == "^RUT"
            ]

        await run.frame()
        assert asked() == [{"symbol": "^RUT", "interval": "1h,5m,1m"}]
        run.clock.advance(5)
        await run.frame()
        assert len(asked()) == 1
        run.clock.advance(16)
        await run.frame()
        await run.frame()
        assert len(asked()) == 2


async def test_what_is_not_there_is_said_plainly() -> None:
    async with running(fakes.snapshot()) as run:
        assert "is no span" in str(await open_chart(run.app, "IWM 2Y"))
        assert await open_chart(run.app, "TIP 1Y") is None
        await run.frame()
        assert "waiting for bars of TIP" in run.text()
        assert run.source.snapshot is not None
        charts = run.source.snapshot.tables["charts"]
        one = charts.head(1).with_columns(symbol=pl.lit("TIP"), rows=pl.lit(1, pl.Int64))
        for done, said in ((3, "the history of TIP is still being loaded"), (9, "too few bars for a chart in 1Y")):
            feeds = fakes.feeds().with_columns(done=pl.lit(done), wanted=pl.lit(9))
            tables = {**run.source.snapshot.tables, "charts": pl.concat([charts, one]), "feeds": feeds}
            run.source.snapshot = replace(run.source.snapshot, tables=tables)
            await run.frame()
            assert said in run.text()
        note = "no 1d bars of TIP are stored: there are 5m"
        row = charts.head(1).with_columns(symbol=pl.lit("TIP"), interval=pl.lit(None, pl.String), note=pl.lit(note))
        tables = {**run.source.snapshot.tables, "charts": pl.concat([charts, row])}
        run.source.snapshot = replace(run.source.snapshot, seq=9, tables=tables)
        await run.frame()
        assert note in run.text()


async def test_only_a_change_of_its_own_bars_draws_a_chart_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    real = MarketChart._painted

    def counted(self: MarketChart, *arguments: Any) -> Any:
        drawn.append(1)
        return real(self, *arguments)

    monkeypatch.setattr(MarketChart, "_painted", counted)
    async with charting("^RUT 1Y") as run:
        before = len(drawn)
        assert run.source.snapshot is not None
        bars = run.source.snapshot.tables["bars"]

        def publish(symbol: str) -> None:
            assert run.source.snapshot is not None
            moved = pl.when(pl.col("symbol") == symbol).then(1.01).otherwise(1.0)
            fresh = bars.with_columns(pl.col("close") * moved)
            tables = {**run.source.snapshot.tables, "bars": fresh}
            run.source.snapshot = replace(run.source.snapshot, seq=run.source.snapshot.seq + 1, tables=tables)

        publish("SPY")
        await run.frame()
        assert len(drawn) == before
        publish("^RUT")
        await run.frame()
        assert len(drawn) == before + 1


async def test_a_chart_in_a_layout_follows_the_cursor_of_its_neighbour() -> None:
    async with running(fakes.snapshot(), (160, 50)) as run:
        await run.press("2")
        await run.frame()
        assert "IWM/SPY 1Y" in run.text()
        for _ in range(5):
            await run.press("j")
        await run.frame()
        assert "ALT/BTC 1Y" in run.text()


async def test_any_size_draws_the_chart_and_the_detail() -> None:
    async with charting("^RUT 1Y") as run:
        for size in ((20, 5), (300, 100), (33, 9)):
            await run.pilot.resize_terminal(*size)
            await run.press("h")
            assert {len(line) for line in run.text().splitlines()} == {size[0]}
        await open_detail(run.app, "IWM/SPY")
        for size in ((20, 5), (160, 40)):
            await run.pilot.resize_terminal(*size)
            await run.press("j")
            assert {len(line) for line in run.text().splitlines()} == {size[0]}


async def test_c_opens_the_chart_of_the_row_under_the_cursor() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("c")
        assert chart_of(run).options.symbol == "BTC/USD"
        await run.press("escape", "5", "G", "c")
        await run.frame()
        assert not isinstance(run.app.screen, ChartScreen) or chart_of(run).options.symbol == "IBIT"


async def test_the_number_of_the_screen_below_a_chart_leads_back_to_it() -> None:
    async with charting("BTC 1Y") as run:
        await run.press("1")
        assert not isinstance(run.app.screen, ChartScreen) and "Size spread" in run.text()
        await run.press("c", "2", "1")
        assert isinstance(run.app.screen, ChartScreen), "another screen leaves it open"


async def test_detail_has_a_chart_meanings_sources_alerts_and_events() -> None:
    async with running(fakes.snapshot(), (200, 60)) as run:
        await open_detail(run.app, "ALT/BTC")
        await run.frame()
        text = run.text()
        assert isinstance(run.app.screen, Detail)
        for words in ("ALT/BTC 1Y 1d", "deviations of the log ratio", "Rotation", "Sources"):
            assert words in text, words
        await run.press("G")
        for words in ("Alerts", "ALT/BTC z −2.31", "Recent events"):
            assert words in run.text(), words
        await run.press("escape")
        await open_detail(run.app, "nonsense")
        await run.frame()
        assert "no source has said anything" in run.text()


def test_whatever_a_row_names_can_be_charted() -> None:
    assert subject_of({"pair": "IWM/SPY", "a": "IWM"}) == "IWM/SPY"
    assert subject_of({"symbol": "^RUT"}) == "^RUT"
    assert subject_of({"gauge": "D1", "name": "equity size IWM/SPY"}) == "IWM/SPY"
    assert subject_of({"a": "IWM", "b": "SPY"}) == "IWM/SPY"
    assert subject_of({"rule": "crypto-size-z", "row": "ALT/BTC"}) == "ALT/BTC"
    assert subject_of({"rule": "x"}) is None and subject_of(None) is None


def test_every_key_of_a_chart_has_words_and_no_two_share_one() -> None:
    keys = [key for action in CHART_ACTIONS for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
    assert all(action.help.endswith(".") and action.label and action.group == "Chart" for action in CHART_ACTIONS)


class Alone(App[None]):
    """A chart with the whole terminal, over one fake moment: what stands around it elsewhere is not its own."""

    CSS = "LinePane { width: 100%; height: 100%; border: round $line; scrollbar-size: 0 0; }"

    def __init__(self, words: str, state: str) -> None:
        super().__init__()
        for name in theme.NAMES:
            self.register_theme(theme.theme(name))
        self.theme = theme.full_name("dark")
        self.chart = from_layout("chart", words)
        self.view = View(fakes.snapshot(state), Mode.DEMO, "january-2026", fakes.OPENING, 0.1, 3.0)

    def compose(self) -> ComposeResult:
        yield self.chart


@pytest.mark.parametrize(
    ("words", "state", "size"),
    [("BTC/USD 5D", "stale", (80, 20)), ("IWM/SPY 1Y", "live", (120, 34)), ("^RUT 1Y", "live", (200, 54))],
    ids=["narrow-stale", "spread", "wide"],
)
def test_the_chart_looks_as_it_did(snap_compare: Any, words: str, state: str, size: tuple[int, int]) -> None:
    app = Alone(words, state)

    async def shown(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        app.chart.show(app.view)
        await pilot.press("m", "h")
        app.chart.show(app.view)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=shown)
