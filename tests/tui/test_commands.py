"""The command line: what can be said, how it is completed, and that what is wrong is said in one line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import polars as pl
import pytest

from engine.config import Config
from tests.tui import fakes
from tests.tui.running import Run, running
from tui import commands, keys
from tui.lines import plain
from tui.screens.panes import PaneScreen
from tui.widgets.commandline import CommandLine
from tui.widgets.linepane import LinePane


async def say(run: Run, line: str) -> None:
    """Type a command and carry it out."""
    await run.press("colon")
    run.app.screen.query_one(CommandLine).value = line
    await run.press("enter")
    await run.app.workers.wait_for_complete()
    await run.frame()


async def there(run: Run, path: Path) -> None:
    """Wait until a file has been written, which happens in a thread."""
    for _ in range(600):
        if await asyncio.to_thread(path.exists):
            return
        await run.pilot.pause(0.05)
    raise AssertionError(f"{path} was not written")


def test_every_command_and_every_action_can_be_said_and_has_words_and_a_function() -> None:
    said = {command.name: command for command in commands.every()}
    assert {a.id for a in keys.ACTIONS} - {"command"} <= set(said)
    for command in commands.COMMANDS:
        assert command.usage.startswith(command.name)
        assert command.help.endswith(".")
        assert callable(commands.load(command.run))
        assert not command.complete or callable(commands.load(command.complete))


@pytest.mark.parametrize(
    ("line", "becomes"),
    [("th", "theme"), ("theme bl", "theme blue-orange"), ("screen sp", "screen spreads"),
     (":screen cry", "screen crypto"), ("detail iwm", "detail IWM/SPY"), ("sort vol", "sort volume_usd"),
     ("pane feed", "pane feeds")],
)  # fmt: skip
def test_what_is_begun_is_completed(line: str, becomes: str) -> None:
    assert commands.completions(line, Config())[0] == becomes


WRONG = (
    ("thme dark", "no command “thme”; did you mean theme"), ("theme drak", "no theme “drak”; did you mean dark"),
    ("screen nowhere", "no screen “nowhere”"), ("pane claims", "no pane here “claims”"),
    ("sort lost", "no column “lost”; there are last"), ("sort last up", "only `reverse` may stand after the column"),
    ("copy lost", "no column “lost”; did you mean last"), ("export q.xlsx", "must end in .csv, .parquet or .json"),
    ("export /nowhere/at/all.csv", "there is no folder /nowhere/at"), ("picture a.png", "must end in .svg or .txt"),
    ("copy", "copy which value? such as `copy symbol`"), ("export", "to which file? its name ends in .csv, .parquet"),
    ("level ^RUT much", "“much” is no price"), ("level NOPE 3", "no symbol “NOPE”"),
    ("detail NOPE", "no symbol “NOPE”"), ("filter change_pct < lots", "`lots`: no column of quotes"),
)  # fmt: skip


async def test_what_is_wrong_is_said_in_one_line_and_can_be_mended() -> None:
    async with running(fakes.snapshot()) as run:
        for line, answer in WRONG:
            await say(run, line)
            assert answer in run.text()
            assert run.app.screen.query_one(CommandLine).value == line
            await run.press("escape")
            assert not run.app.screen.query(CommandLine)
            assert run.focused == "crypto"


async def test_commands_do_what_they_say() -> None:
    async with running(fakes.snapshot()) as run:
        await say(run, "theme contrast")
        assert run.app.theme == "sizewatch-contrast"
        await say(run, "sort last reverse")
        assert run.crypto.rows[0] == "PEPE/USD"
        await say(run, "sort")
        await say(run, "filter meme")
        assert len(run.crypto.rows) == 6
        await run.press("escape")
        await say(run, "copy last")
        assert run.app.clipboard == "90884.1"
        await say(run, "screen 5")
        assert run.focused == "flows"
        await say(run, "pane facts")
        assert run.focused == "facts"
        await say(run, "level ^rut 2,150")
        assert run.source.sent[-1].arguments == {"symbol": "^RUT", "price": "2150.0", "role": "support"}
        await say(run, "freeze")
        assert run.app.eye.frozen


async def test_tab_completes_up_recalls_and_typing_shows_what_may_come() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("colon", *"the")
        assert "theme NAME" in run.text()
        await run.press("tab", "l", "i", "tab", "enter")
        assert run.app.theme == "sizewatch-light"
        await run.press("colon", "up")
        assert run.app.screen.query_one(CommandLine).value == "theme light"
        await run.press("down")
        assert run.app.screen.query_one(CommandLine).value == ""
        await run.press("colon", "slash", "escape")
        assert isinstance(run.app.screen, PaneScreen) and not run.app.screen.asked


async def test_a_line_proposes_the_columns_of_the_pane_that_it_is_said_in() -> None:
    async with running(fakes.snapshot()) as run:
        run.pane("gauges").focus()
        await run.press("Y")
        line = run.app.screen.query_one(CommandLine)
        assert line._hints.words[:3] == ["copy gauge", "copy name", "copy value"]
        await run.press("v", "a", "l", "tab", "enter")
        assert run.app.clipboard == "-1.94"
        await run.press("colon", *"sort r")
        assert "sort received" in run.app.screen.query_one(CommandLine)._hints.words  # of the main grid: gauges stand
        await run.press("escape", "9", "colon", *"sort ")
        assert run.app.screen.query_one(CommandLine)._hints.words[-1] == "sort basket"  # the answer's


async def test_a_layout_that_was_saved_in_this_run_is_proposed_and_named() -> None:
    async with running(fakes.snapshot()) as run:
        await say(run, "layout save desk")
        await run.press("colon", *"layout d")
        assert run.app.screen.query_one(CommandLine)._hints.words == ["layout desk"]
        await run.press("escape")
        await say(run, "layout lost")
        assert "no layout “lost”; there are desk" in run.text()


async def test_a_table_is_exported_as_it_stands_and_never_over_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(fakes.snapshot()) as run:
        await say(run, "filter defi")
        for kind, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet), ("json", pl.read_json)):
            await say(run, f"export out.{kind}")
            await there(run, tmp_path / f"out.{kind}")
            back = read(tmp_path / f"out.{kind}")
            assert back.get_column("symbol").to_list() == list(run.crypto.rows)
            assert back.get_column("last").to_list()[0] == 5.431
        await say(run, "export out.csv")
        assert "exists already; give another name" in run.text()


async def test_e_and_x_propose_a_name_and_say_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(fakes.snapshot()) as run:
        await run.press("e", "enter")
        await there(run, tmp_path / "quotes-20260109-153207Z.csv")
        await run.press("x", "enter")
        await there(run, tmp_path / "sizewatch-dashboard-20260109-153207Z.svg")
        drawn = (tmp_path / "sizewatch-dashboard-20260109-153207Z.svg").read_text(encoding="utf-8")
        assert drawn.startswith("<svg") and ">BTC/USD</tspan>" in drawn
        await say(run, "picture screen.txt")
        await there(run, tmp_path / "screen.txt")
        assert "BTC/USD" in (tmp_path / "screen.txt").read_text()


async def test_a_search_goes_to_the_row_and_n_goes_on_where_rows_are_not_hidden() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("2", "slash", *"/btc", "enter")
        assert run.pane("spreads").cursor == "ALT/BTC"
        await run.press("n")
        assert run.pane("spreads").cursor == "ETH/BTC"
        await run.press("n")
        assert run.pane("spreads").cursor == "ALT/BTC"
        await run.press("N")
        assert run.pane("spreads").cursor == "ETH/BTC"


async def test_the_mouse_chooses_rows_panes_screens_and_keys() -> None:
    async with running(fakes.snapshot()) as run:
        await run.pilot.click("#equities", offset=(5, 4))
        await run.frame()
        assert run.focused == "equities"
        assert run.pane("equities").index() == 2
        await run.pilot.click("#tabs", offset=(18, 0))
        await run.frame()
        assert isinstance(run.app.screen, PaneScreen) and run.app.screen.place.name == "spreads"
        line = run.text().splitlines()[-1]
        await run.pilot.click("#footer", offset=(line.index("help"), 0))
        await run.frame()
        assert "Esc returns" in run.text()


async def test_a_click_on_a_heading_sorts_and_chooses_no_row_that_is_out_of_sight() -> None:
    async with running(fakes.snapshot()) as run:
        grid = run.crypto
        await run.press("G", "ctrl+d")
        cursor = grid.cursor
        heading = plain(grid.head[0])
        last = heading.index("last") + 1  # and the frame's cell
        await run.pilot.click("#crypto", offset=(last, 1))
        await run.frame()
        assert (grid.sort, grid.reverse, grid.cursor) == ("last", False, cursor)
        await run.pilot.click("#crypto", offset=(last, 1))
        await run.frame()
        assert (grid.sort, grid.reverse, grid.cursor) == ("last", True, cursor)
        await run.pilot.click("#baskets", offset=(20, 1))
        await run.frame()
        assert run.pane("baskets").index() == 0, "a pane that does not sort takes the click for the focus alone"
        await run.press("6")
        scanner = run.app.screen.query_one("#scanner", LinePane)
        await run.pilot.click("#scanner", offset=(plain(scanner.head[0]).index("z60") + 1, 1))
        await run.frame()
        assert "z60▾" in plain(scanner.head[0])
        await run.press("9")
        answer = run.app.screen.query_one("#sql", LinePane)
        line = plain(answer.head[-1])
        await run.pilot.click("#sql", offset=(line.index("last") + 1, len(answer.head)))
        await run.frame()
        assert "▴" in plain(answer.head[-1])
