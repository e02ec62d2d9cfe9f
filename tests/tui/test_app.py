"""The running terminal: every key does what the help says, and what is wrong is said in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.config import Config
from engine.model import Intent
from tests.tui import fakes
from tests.tui.running import Run, plain_help, running
from tui import catalogue, keys, theme
from tui.lines import plain, width_of
from tui.screens.chart import ChartScreen
from tui.screens.detail import Detail
from tui.screens.help import Help, HelpPage
from tui.screens.panes import PaneScreen
from tui.widgets.commandline import CommandLine
from tui.widgets.linepane import LinePane
from tui.widgets.prompt import Prompt

PANES = ("spreads", "band", "gauges", "baskets", "crypto", "equities", "feeds", "alerts")


async def test_tab_goes_round_the_panes_in_sight_and_back() -> None:
    async with running(fakes.snapshot()) as run:
        assert run.focused == "crypto"
        seen = []
        for _ in range(8):
            await run.press("tab")
            seen.append(run.focused)
        assert seen == ["equities", "feeds", "alerts", "spreads", "band", "gauges", "baskets", "crypto"]
        await run.press("shift+tab")
        assert run.focused == "baskets"


async def test_the_cursor_goes_with_the_focus_and_waits_for_no_new_data() -> None:
    async with running(fakes.snapshot()) as run:
        for _ in range(4):
            await run.pilot.press("tab")  # and no frame: nothing but the focus has changed
            drawn = [p for p in PANES if any(under for _, under in run.pane(p)._drawn)]
            assert drawn == [run.focused]


async def test_while_a_pane_has_all_the_room_tab_reaches_those_that_have_none() -> None:
    async with running(fakes.snapshot(), (80, 24)) as run:
        assert run.focused == "quotes"
        await run.press("z")
        seen = set()
        for _ in range(12):
            await run.press("tab")
            seen.add(run.focused)
        assert set(PANES) <= seen
        while run.focused != "feeds":
            await run.press("tab")
        assert "binance" in run.text()
        assert "IWM/SPY" not in run.text()
        await run.press("escape")
        assert "IWM/SPY" in run.text()
        assert run.focused == "quotes"


async def test_a_number_goes_to_its_screen_which_keeps_what_was_done_there() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("j")
        for place in catalogue.SCREENS:
            await run.press(str(place.number))
            assert isinstance(run.app.screen, PaneScreen)
            assert run.app.screen.place is place
            assert run.focused in {widget.id for widget in run.app.screen.body.panes.values()}
        await run.press("2", "z", "1")
        assert run.crypto.index() == 1
        assert "Size spread" in run.text()
        await run.press("2")
        assert "Gauges" not in run.text()


@pytest.mark.parametrize(
    ("pressed", "row"),
    [(["j"], 1), (["down", "down"], 2), (["j", "j", "k"], 1), (["j", "up"], 0), (["G"], 40), (["end"], 40),
     (["G", "g"], 0), (["G", "home"], 0), (["k"], 0), (["G", "j"], 40)],
)  # fmt: skip
async def test_the_cursor_moves(pressed: list[str], row: int) -> None:
    async with running(fakes.snapshot()) as run:
        await run.press(*pressed)
        assert run.crypto.index() == row


@pytest.mark.parametrize(("down", "up"), [("ctrl+d", "ctrl+u"), ("pagedown", "pageup")])
async def test_half_a_pane_down_and_up(down: str, up: str) -> None:
    async with running(fakes.snapshot()) as run:
        await run.press(down)
        half = run.crypto.index()
        assert half > 3
        await run.press(up)
        assert run.crypto.index() == 0


async def test_the_cursors_row_is_always_in_sight() -> None:
    async with running(fakes.snapshot()) as run:
        for _ in range(45):
            await run.press("j")
            assert run.crypto.rows[run.crypto.index()] in run.text()
        assert "SAND/USD" in run.text()


async def test_left_and_right_go_to_the_neighbour() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("l")
        assert run.focused == "equities"
        await run.press("right")
        assert run.focused == "feeds"
        await run.press("h", "left")
        assert run.focused == "crypto"
        await run.press("h")
        assert run.focused == "crypto"


async def test_a_filter_narrows_as_it_is_typed_stays_on_enter_and_goes_on_escape() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("slash", "m", "e", "m", "e")
        assert list(run.crypto.rows) == ["DOGE/USD", "SHIB/USD", "PEPE/USD", "BONK/USD", "WIF/USD", "FLOKI/USD"]
        await run.press("enter")
        assert not run.app.screen.query(Prompt)
        assert "“meme” 6" in run.text()
        await run.press("escape")
        assert len(run.crypto.rows) == 41
        await run.press("slash", "x", "y", "z")
        assert "no row holds “xyz”" in run.text()
        await run.press("escape")
        assert len(run.crypto.rows) == 41
        assert run.focused == "crypto"


async def test_the_cursor_stays_on_its_symbol_when_rows_change_places() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("j", "j")
        assert run.crypto.cursor == "SOL/USD"
        await run.press("s")
        assert run.crypto.rows[run.crypto.index()] == "SOL/USD"


async def test_enter_shows_every_column_of_the_row_and_stays_live() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("enter")
        assert isinstance(run.app.screen, Detail)
        assert "venue symbol" in run.text()
        assert "90,884.10" in run.text()
        assert "S yes: this market does not exist" in run.text()
        assert run.source.snapshot is not None
        run.source.snapshot = fakes.moved(run.source.snapshot, 0.01)
        await run.frame()
        assert "91,792.94" in run.text()
        await run.press("j", "y", "escape")
        assert not isinstance(run.app.screen, Detail)


async def test_y_copies_the_row() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("y")
        assert run.app.clipboard.startswith("symbol\tBTC/USD\n")
        assert "status\tok" in run.app.clipboard


async def test_z_gives_the_pane_the_screen_and_takes_it_back() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("tab", "z")
        assert run.focused == "equities"
        assert "BTC/USD" not in run.text()
        assert "SIMULATED" in run.text()
        await run.press("z")
        assert "BTC/USD" in run.text()


async def test_space_holds_the_screen_while_data_goes_on_and_says_so() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("space")
        assert "FROZEN" in run.text()
        assert run.source.snapshot is not None
        run.source.snapshot = fakes.moved(run.source.snapshot, 0.01)
        run.clock.advance(0.5)
        await run.frame()
        assert "90,884.10" in run.text()
        assert "10:32:07" in run.text()
        await run.press("escape")
        assert "FROZEN" not in run.text()
        assert "91,792.94" in run.text()


async def test_a_frozen_screen_still_says_that_the_engine_is_stuck() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("space")
        run.clock.advance(2.0)
        await run.frame()
        assert "not answered" in run.text()


async def test_t_goes_through_the_themes() -> None:
    async with running(fakes.snapshot()) as run:
        seen = []
        for _ in theme.NAMES:
            await run.press("t")
            seen.append(run.app.theme.removeprefix("sizewatch-"))
        assert seen == [*theme.NAMES[1:], theme.NAMES[0]]


async def test_retry_and_reload_are_wishes_to_the_engine() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("r", "R")
        assert run.source.sent == [Intent("retry"), Intent("reload-config")]


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_the_help_opens_scrolls_and_closes(key: str) -> None:
    async with running(fakes.snapshot(), (80, 24)) as run:
        await run.press(key)
        assert isinstance(run.app.screen, Help)
        assert "does crypto agree." in run.text(), "the end of a long line, below its beginning"
        page = run.app.screen.query_one(HelpPage)
        assert all(width_of(line) <= page.size.width for line in page.body(0, len(page.rows))), "no word is cut"
        await run.press("G")
        assert "beyond ±2" in run.text()
        await run.press("g", "ctrl+d", "k", "escape")
        assert not isinstance(run.app.screen, Help)
        await run.press(key, key)
        assert not isinstance(run.app.screen, Help)


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_quit_leaves(key: str) -> None:
    async with running(fakes.snapshot()) as run:
        await run.pilot.press(key)
        await run.pilot.pause()
        assert run.app._exit


async def test_quit_leaves_from_the_help_too() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("question_mark")
        await run.pilot.press("q")
        await run.pilot.pause()
        assert run.app._exit


async def test_the_palette_holds_every_action_but_itself_and_carries_them_out() -> None:
    async with running(fakes.snapshot()) as run:
        commands = list(run.app.get_system_commands(run.app.screen))
        assert len(commands) == len(keys.every()) - 1
        for action in keys.every():
            assert action.id == "palette" or any(c.help == action.help for c in commands), action.id
        await run.press("ctrl+p")
        assert "Search" in run.text()
        await run.pilot.press(*"sort  s")
        await run.app.workers.wait_for_complete()
        await run.pilot.press("enter")
        await run.pilot.pause()
        await run.frame()
        assert run.crypto.sort == "change_pct"


async def found(run: Run, text: str) -> None:
    """What the palette finds first for `text`, chosen."""
    await run.press("ctrl+p")
    await run.pilot.press(*text)
    await run.app.workers.wait_for_complete()
    await run.pilot.press("enter")
    await run.pilot.pause()
    await run.frame()


@pytest.mark.parametrize("symbol", ["ETH/BTC", "FET/USD", "^RUT"])
async def test_the_palette_charts_any_symbol_and_pair(symbol: str) -> None:
    async with running(fakes.snapshot()) as run:
        await found(run, symbol)
        assert isinstance(run.app.screen, ChartScreen)
        assert run.app.screen.chart.options.symbol == symbol


async def test_the_palette_begins_the_line_of_a_command() -> None:
    async with running(fakes.snapshot()) as run:
        await found(run, ":theme")
        assert isinstance(run.app.focused, CommandLine)
        assert run.app.focused.value == "theme "


async def test_every_call_of_every_action_can_be_carried_out() -> None:
    async with running(fakes.snapshot()) as run:
        for action in keys.ACTIONS:
            if action.id not in ("quit", "palette"):
                assert await run.app.run_action(action.call, default_namespace=run.app.screen_stack[0]), action.id
                await run.pilot.press("escape")
                await run.frame()


async def test_a_users_keys_are_in_force_and_their_clash_is_said() -> None:
    config = replace(Config(), keys={"help": "s"})
    quiet = fakes.snapshot("empty", settled=True)
    async with running(quiet, config=config) as run:
        assert "keys.help: s no longer means “sort”" in run.text()
        await run.press("s")
        assert isinstance(run.app.screen, Help)
        assert "keys.help: s no longer means" in plain_help(run.app)


async def test_no_word_of_the_help_is_cut_on_a_small_terminal() -> None:
    async with running(fakes.snapshot(), (80, 24)) as run:
        await run.press("question_mark")
        page = run.app.screen.query_one(LinePane)
        inner = page.size.width
        shown = [plain(line) for line in page.body(0, len(page.rows))]
        assert max(map(len, shown)) <= inner
        words = " ".join(" ".join(shown).split())
        for action in run.app.actions.actions:
            assert action.help in words
