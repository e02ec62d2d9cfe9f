"""Keys that come faster than they are carried out: each is carried out before the next one is looked at."""

from __future__ import annotations

import pytest
from textual.events import Key
from textual.widgets import Input

from tests.tui import fakes
from tests.tui.running import Run, running
from tui.screens.alert_form import AlertForm
from tui.screens.chart import ChartScreen
from tui.screens.detail import Detail
from tui.widgets.commandline import CommandLine


async def typed(run: Run, *names: str) -> None:
    """All of these in one burst, as a paste or a slow machine has them."""
    for name in names:
        run.app.post_message(Key(name, {"enter": "\r", "tab": "\t"}.get(name, name if len(name) == 1 else None)))
    await run.pilot.pause(0.3)
    await run.frame()


async def test_what_is_typed_ahead_of_the_filters_line_is_typed_into_it() -> None:
    async with running(fakes.snapshot()) as run:
        await typed(run, "slash", *"ql", "/", "enter")
        assert run.crypto.needle == "ql/"
        assert not run.app._exit
        assert not isinstance(run.app.screen, Detail)


@pytest.mark.parametrize(
    ("keys", "mode", "line"),
    [
        (("Q", *"X y"), "sql", "X y"),
        (("9", "Q", *"X"), "sql", "X"),
        (("tab", "colon", *"chart"), "dashboard", "chart"),
        (("l", "colon", *"2q"), "dashboard", "2q"),
        (("3", "colon", *"theme d"), "levels", "theme d"),
        (("3", "1", "5", "colon", *"z"), "flows", "z"),
        (("z", "Y", *"last"), "dashboard", "copy last"),
        (("question_mark", "colon", *"q"), "dashboard", "q"),
        (("enter", "colon", *"3"), "dashboard", "3"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, tuple) else value,
)
async def test_what_is_typed_ahead_of_a_command_line_is_typed_into_it(
    keys: tuple[str, ...], mode: str, line: str
) -> None:
    async with running(fakes.snapshot(), (200, 60)) as run:
        await typed(run, *keys)
        assert run.app.current_mode == mode
        assert isinstance(run.app.focused, CommandLine)
        said = run.app.focused.value
        assert said.endswith(line) if mode == "sql" else said == line


async def test_a_form_and_the_palette_take_what_is_typed_ahead() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await typed(run, "A", *"q3")
        assert isinstance(run.app.screen, AlertForm)
        assert isinstance(run.app.focused, Input)
        assert run.app.focused.value.endswith("q3")
        await run.press("escape")
        await typed(run, "ctrl+p", *"q9")
        assert isinstance(run.app.focused, Input)
        assert run.app.focused.value == "q9"


async def test_a_rule_is_saved_as_it_was_typed_however_soon_enter_comes() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await run.app.push_screen(AlertForm("mine: quotes price > 1"))
        await run.frame()
        form = run.app.screen
        assert isinstance(form, AlertForm)
        form.query_one("#field-when", Input).focus()
        await run.frame()
        await typed(run, "end", *" AND price < 9", "enter", "2")
        saved = [sent.arguments["rule"] for sent in run.source.sent if sent.action == "save-rule"]
        assert len(saved) == 1 and "price > 1 AND price < 9" in saved[0]
        assert run.app.current_mode == "spreads"


@pytest.mark.parametrize(
    ("keys", "versus"),
    [
        (("c", "equals_sign", *"SPY", "enter"), "SPY"),
        (("c", "equals_sign", *"sp", "tab", "enter"), "SPY"),
        (("c", "equals_sign", *"btc/", "tab", "enter", "v"), "BTC/USD"),
        (("c", "equals_sign", *"SPY", "escape"), None),
    ],
    ids=lambda value: "".join(value) if isinstance(value, tuple) else value,
)
async def test_a_chart_is_compared_with_what_is_typed_ahead(keys: tuple[str, ...], versus: str | None) -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await typed(run, *keys)
        await run.frame()
        assert isinstance(run.app.screen, ChartScreen)
        assert run.app.screen.chart.options.versus == versus
        assert run.app.screen.chart.options.volume is (keys[-1] != "v")


async def test_moves_and_what_opens_the_row_come_in_their_order() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await typed(run, "j", "j", "k", "j", "enter")
        assert isinstance(run.app.screen, Detail)
        assert run.app.screen.subject == "SOL/USD"
        await typed(run, "escape", "k", "c")
        assert isinstance(run.app.screen, ChartScreen)
        assert run.app.screen.chart.options.symbol == "ETH/USD"


@pytest.mark.parametrize(
    ("keys", "mode"),
    [
        (("colon", *"theme light", "enter", "2"), "spreads"),
        (("colon", *"filter q", "enter", "3"), "levels"),
        (("slash", *"ql", "enter", "5"), "flows"),
        (("slash", *"ql", "escape", "7"), "regime"),
        (("colon", *"th", "escape", "8"), "alerts"),
        (("colon", *"th", "tab", *"light", "enter", "2"), "spreads"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, tuple) else value,
)
async def test_what_is_typed_ahead_of_a_lines_end_belongs_to_the_screen(keys: tuple[str, ...], mode: str) -> None:
    async with running(fakes.snapshot(), (200, 60)) as run:
        await typed(run, *keys)
        assert run.app.current_mode == mode
        assert not run.app.screen.query("Prompt, CommandLine")
        assert run.app.theme.endswith("light") == ("theme" in "".join(keys) or "tab" in keys)


async def test_a_refused_command_takes_what_is_typed_ahead_into_its_line() -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await typed(run, "colon", *"theme pink", "enter", "q")
        assert not run.app._exit
        assert isinstance(run.app.focused, CommandLine)
        assert run.app.focused.value == "theme pinkq"


@pytest.mark.parametrize(
    "keys", [("c", "2", "1", "escape", "j", "enter"), ("z", "2", "1", "z", "j", "enter")], ids="".join
)
async def test_a_screen_that_was_left_takes_what_is_typed_ahead_of_its_paint(keys: tuple[str, ...]) -> None:
    async with running(fakes.snapshot(), (120, 40)) as run:
        await typed(run, *keys)
        assert run.app.current_mode == "dashboard"
        assert isinstance(run.app.screen, Detail)
        assert run.app.screen.subject == "ETH/USD"
