"""Lines, columns and the order in which they give way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from rich.cells import cell_len
from textual.events import Paste

from tests.tui import fakes
from tests.tui.running import running
from tui import theme
from tui.lines import (
    Column,
    choose,
    clip,
    fit,
    heading,
    length_of,
    marked,
    merged,
    one_cell_each,
    plain,
    row,
    stale,
    width_of,
)
from tui.panes import baskets, feeds, quotes, spreads
from tui.widgets import bar
from tui.widgets.prompt import Typed

COLUMNS = (Column("a", "name", 4, "<", 0), Column("b", "value", 6, rank=1), Column("c", "more", 5, rank=2))


def test_columns_drop_in_their_order_of_importance() -> None:
    assert [c.key for c in choose(COLUMNS, 19)] == ["a", "b", "c"]
    assert [c.key for c in choose(COLUMNS, 18)] == ["a", "b"]
    assert [c.key for c in choose(COLUMNS, 11)] == ["a"]
    assert choose(COLUMNS, 3) == ()


@pytest.mark.parametrize(
    "columns",
    [spreads.COLUMNS, baskets.COLUMNS, feeds.COLUMNS, quotes.columns_for(True, 8), quotes.columns_for(False, 3)],
)
def test_a_wider_window_only_adds_columns_and_never_overflows(columns: tuple[Column, ...]) -> None:
    chosen = [choose(columns, width) for width in range(301)]
    for narrow, wide in pairwise(chosen):
        assert set(narrow) <= set(wide)
    for width, some in enumerate(chosen):
        assert width_of(heading(some)) <= width
        assert width_of(row(some, {})) == width_of(heading(some))


def test_the_sorted_column_carries_its_direction() -> None:
    assert "value▾" in plain(heading(COLUMNS, "b", True))
    assert "value▴" in plain(heading(COLUMNS, "b", False))


def test_text_is_padded_or_its_end_told_by_an_ellipsis_also_where_characters_are_wide() -> None:
    assert fit("ab", 4) == "ab  "
    assert fit("ab", 4, ">") == "  ab"
    assert fit("abcdef", 4) == "abc…"
    assert width_of(((fit("漢字漢字", 5), ""),)) == 5
    assert fit("abc", 0) == ""


def test_a_text_is_as_long_as_rich_says_it_is() -> None:
    signs = "".join(chr(code) for code in range(0x20, 0x3200) if chr(code).isprintable())
    for sign in (*signs, "a−b", "漢字", "é", "e\u0301", "⠁⢸ ◌ 12", "👍🏽", "x\ufe0f"):
        assert length_of(sign) == cell_len(sign), ascii(sign)
    assert one_cell_each("−1.94 ▁▂ ●│") and not one_cell_each("a漢") and not one_cell_each("e\u0301")


def test_a_clipped_line_never_cuts_a_number() -> None:
    line = (("name ", "dim"), ("1,234.56", "text"))
    assert plain(clip(line, 13)) == "name 1,234.56"
    assert plain(clip(line, 9)) == "name "
    assert plain(clip((("some words", "dim"),), 6)) == "some …"


def test_a_number_that_does_not_fit_its_column_is_never_shown_in_part() -> None:
    columns = (Column("a", "value", 6),)
    assert plain(row(columns, {"a": ("1,234.56", "text")})) == "######"
    assert plain(row(columns, {"a": ("234.56   ", "text")})) == "234.56"


def test_neighbours_of_one_role_become_one_piece_and_keep_the_text() -> None:
    spans = [("a", "x"), ("b", "x"), ("  ", "y"), ("c", "y"), ("", "z")]
    assert merged(spans) == (("ab  ", "x"), ("c", "y"))
    assert stale(merged(spans)) == (("◌b  c", "stale"),)
    assert stale(()) == ()


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("over all markets 42,400,000 USD", 22, "over all markets …    "),
        ("z −2.31 below −2.00", 17, "z −2.31 below …  "),
        ("z −2.31 below −2.00", 8, "z −2.31…"),
        ("all_markets_usd > 3e10", 20, "all_markets_usd > … "),
        ("C0001-C0002", 5, "C000…"),
        ("42,400,000", 5, "42,4…"),
        ("東京証券取引所", 6, "東京 …"),
    ],
)
def test_a_text_is_cut_between_its_words_rather_than_within_a_number(text: str, width: int, cut: str) -> None:
    assert fit(text, width) == cut
    assert width_of(((fit(text, width), "text"),)) == width


def test_a_row_wears_the_colour_of_its_status_and_keeps_its_directions() -> None:
    line = (("· ", "dim"), ("IWM", "bright"), (" 219.84", "text"), (" −0.31", "down"), (" !", "warn"))
    assert [role for _, role in marked(line, "closed")] == ["closed", "closed", "closed", "down", "warn"]
    assert [role for _, role in marked(line, "estimated")] == ["estimated", "estimated", "estimated", "down", "warn"]
    assert [role for _, role in marked(line, "warming")] == ["dim", "dim", "dim", "down", "warn"]
    assert marked(line, "ok") is line
    assert marked(line, "stale") == marked(line, "ok", stuck=True) == stale(line)


@pytest.mark.parametrize("words", ["a\x1b[2Jb", "\x1b]52;c;QUFB\x07", "\x9b31m", "a\rb", "\u202eUSD"])
def test_a_line_is_drawn_without_anything_that_a_terminal_obeys(words: str) -> None:
    styles = theme.styles("dark")
    drawn = bar.segments(((" ", "dim"), (words, "text")), 20, styles)
    assert all(piece.text.isprintable() for piece in drawn)
    assert sum(piece.cell_length for piece in drawn) == 20


async def test_what_is_pasted_into_a_line_is_printable() -> None:
    async with running(fakes.snapshot()) as run:
        for key in ("colon", "slash"):
            await run.press(key)
            line = run.app.focused
            assert isinstance(line, Typed)
            line.post_message(Paste("sql SELECT 'a\x1b]52;c;QUFB\x07b'"))
            await run.pilot.pause()
            assert line.value == "sql SELECT 'a ]52;c;QUFB b'"
            await run.press("escape")
