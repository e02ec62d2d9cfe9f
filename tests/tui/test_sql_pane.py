"""Screen 9: questions, their answers, and what stands there when they fail."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from engine.config import Config
from tests.tui import fakes
from tests.tui.running import running
from tests.tui.test_commands import say
from tui import commands
from tui.panes.sql import QueryPane
from tui.widgets.commandline import CommandLine


async def test_a_question_is_asked_answered_sorted_detailed_and_kept() -> None:
    async with running(fakes.snapshot()) as run:
        await say(run, "sql SELECT symbol, last, change_pct FROM quotes WHERE asset = 'crypto' ORDER BY symbol LIMIT 5")
        await run.frame()
        text = run.text()
        assert "5 rows" in text and "AAVE/USD" in text and "164.20" in text
        assert run.focused == "sql"
        await run.press("s", "s")
        pane = run.pane("sql")
        assert isinstance(pane, QueryPane)
        frame = pane.table()
        assert frame is not None
        assert frame.get_column("last").is_sorted()
        await run.press("enter")
        assert "change pct" in run.text()
        await run.press("escape")
        await say(run, "keep five")
        assert run.app.queries()["five"].startswith("SELECT symbol")
        await say(run, "select symbol from quotes where symbol = 'ETH/USD'")  # without the command's name
        assert pane.asked == "select symbol from quotes where symbol = 'ETH/USD'"
        await say(run, "sql baskets")
        await run.frame()
        assert "mean_pct" in run.text()


async def test_an_empty_table_is_said_to_be_empty_and_how_it_is_filled() -> None:
    start = fakes.snapshot()
    without = replace(start, tables={**start.tables, "bars": start.tables["bars"].clear()})
    async with running(without, (120, 40)) as run:
        await say(run, "sql SELECT COUNT(*) AS n FROM bars")
        await run.frame()
        assert "`bars` has no rows now; it holds what charts ask for" in run.text()
        await say(run, "sql SELECT COUNT(*) AS n FROM quotes")
        await run.frame()
        assert "has no rows" not in run.text()


async def test_q_asks_at_once_on_a_screen_that_was_never_opened() -> None:
    async with running(fakes.snapshot(), (200, 60)) as run:
        await run.press("Q", "X")
        assert isinstance(run.app.focused, CommandLine)
        assert run.app.focused.value.endswith("X"), "what is typed goes into the line, not to a pane as keys"


async def test_what_fails_costs_one_line_and_the_next_question_works() -> None:
    async with running(fakes.snapshot()) as run:
        for text, words in (
            ("SELECT lst FROM quotes", "no column “lst”; did you mean last"),
            ("SELECT * FROM read_csv('/etc/passwd')", "nothing is read from files"),
            ("DROP TABLE quotes", "only SELECT and WITH"),
        ):
            await say(run, f"sql {text}")
            await run.frame()
            assert words in run.text()
        await say(run, "sql SELECT COUNT(*) AS n FROM quotes")
        await run.frame()
        assert "1 row ─" in run.text() and "59" in run.text()


async def test_an_answer_follows_its_tables_but_not_every_beat_and_not_while_frozen() -> None:
    async with running(fakes.snapshot()) as run:
        await say(run, "sql SELECT last FROM quotes WHERE symbol = 'BTC/USD'")
        await run.frame()
        assert "90,884.10" in run.text()
        assert run.source.snapshot is not None
        run.source.snapshot = fakes.moved(run.source.snapshot, 0.01)
        await run.frame()
        assert "90,884.10" in run.text()
        run.clock.advance(1.0)
        run.source.snapshot = replace(run.source.snapshot, beat_at=run.clock.mono)
        await run.press("space")
        run.clock.advance(6.0)
        await run.frame()
        assert "90,884.10" in run.text()
        await run.press("space")
        run.source.snapshot = replace(run.source.snapshot, beat_at=run.clock.mono)
        await run.frame()
        await run.frame()
        assert "91,792.94" in run.text()


async def test_enter_on_a_table_shows_it_and_tables_and_columns_complete() -> None:
    async with running(fakes.snapshot()) as run:
        await run.press("9", "tab", "tab", "enter")
        await run.frame()
        assert "SELECT symbol, last" in run.text() or "SELECT * FROM quotes" in run.text()
        assert commands.completions("sql SELECT cha", Config())[0] == "sql SELECT change_pct"
        assert commands.completions("sql SELECT pair FROM spr", Config())[0] == "sql SELECT pair FROM spreads"
        assert commands.completions("SELECT pair FROM spr", Config())[0] == "SELECT pair FROM spreads"
        assert "sql SELECT x FROM spreads WHERE z252" in commands.completions(
            "sql SELECT x FROM spreads WHERE z", Config()
        )


async def test_crypto_stands_by_basket_with_totals_and_a_condition_filters() -> None:
    async with running(fakes.snapshot(), (200, 60)) as run:
        await run.press("b")
        assert list(run.crypto.rows)[:4] == ["─ majors", "BTC/USD", "ETH/USD", "─ large"]
        assert "1 of 7 >50d" in run.text()
        frame = run.crypto.table()
        assert frame is not None
        majors = frame.filter(pl.col("basket") == "majors")
        mean, sums = sum(majors["change_pct"]) / majors.height, sum(majors["volume_usd"])
        line = next(line for line in run.text().splitlines() if "─ majors" in line)
        assert f"{mean:+.2f}" in line and f"{sums / 1e9:.1f} bn" in line, "a total is of what stands below it"
        await run.press("b", "slash")
        prompt = run.app.screen.query_one("#prompt")
        prompt.value = "change_pct < -3 AND volume_usd > 1e8"  # type: ignore[attr-defined]
        await run.frame()
        assert set(run.crypto.rows) == {"PEPE/USD", "BONK/USD", "WIF/USD"}
        prompt.value = "change_pct < lots"  # type: ignore[attr-defined]
        await run.frame()
        assert "no column of quotes" in run.text()
        await run.press("enter")
        assert run.app.screen.query("#prompt"), "what is wrong can be mended"
        assert "`lots`" in next(iter(run.app._notifications)).message
        await run.press("escape")
        assert not run.app.screen.query("#prompt") and len(run.crypto.rows) > 30


async def test_what_was_asked_of_stale_tables_is_not_shown_as_if_it_were_of_now() -> None:
    async with running(fakes.snapshot("stale")) as run:
        await say(run, "sql SELECT symbol, change_pct FROM quotes ORDER BY symbol LIMIT 3")
        await run.frame()
        pane = run.pane("sql")
        assert "◌ 59 of 59 rows asked are stale" in run.text()
        assert [{role for _, role in line} for line in pane.body(0, 3)] == [{"stale"}] * 3
        run.source.snapshot = fakes.snapshot()
        await say(run, "sql SELECT symbol, change_pct FROM quotes ORDER BY symbol LIMIT 3")
        await run.frame()
        assert "◌ 2 of 59 rows asked are stale" in run.text()
        assert "stale" not in {role for line in pane.body(0, 3) for _, role in line}
