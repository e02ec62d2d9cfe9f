"""The screen's picture: nothing of the screen is lost, and every word stands in the cell that it has on the screen."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.widgets import Static

from tests.tui import fakes
from tests.tui.running import running
from tui.placed import CELL, placed

SVG = "{http://www.w3.org/2000/svg}"


def rows_of(svg: str) -> list[str]:
    """The picture's lines, every word put where the picture says."""
    rows: dict[str, str] = {}
    words = [(text.get("y", ""), tspan) for text in ElementTree.fromstring(svg).iter(f"{SVG}text") for tspan in text]
    for y, tspan in sorted(words, key=lambda word: float(word[1].get("x", "nan"))):
        column = float(tspan.get("x", "nan")) / CELL
        assert abs(column - round(column)) < 0.02, "a word begins at a cell"
        row = rows.get(y, "")
        assert cell_len(row) <= round(column), "no word lies over another"
        rows[y] = row + " " * (round(column) - cell_len(row)) + (tspan.text or "")
    return [rows[y] for y in sorted(rows, key=float)]


async def test_every_word_of_the_screen_stands_in_its_cell() -> None:
    async with running(fakes.snapshot(), size=(160, 50)) as run:
        for key in "1236":
            await run.press(key)
            drawn = placed(run.app.export_screenshot())
            shown = [line.rstrip() for line in run.text().split("\n") if line.strip()]
            assert rows_of(drawn) == shown


async def test_wide_and_reserved_characters_keep_their_place() -> None:
    class Words(App[None]):
        def compose(self) -> ComposeResult:
            yield Static("  漢字  a < b & c > d   é⠛⠛ ──────┐ end", markup=False)

    app = Words()
    async with app.run_test(size=(50, 3)):
        drawn = placed(app.export_screenshot())
    assert rows_of(drawn) == ["  漢字  a < b & c > d   é⠛⠛ ──────┐ end"]


async def test_no_piece_is_left_to_the_viewers_font() -> None:
    """Blanks would be cut off or collapsed, and a run of braille or of lines would be as long as the font makes it."""
    async with running(fakes.snapshot(), size=(120, 40)) as run:
        await run.press("2")
        drawn = placed(run.app.export_screenshot())
    pieces = [unescape(piece) for piece in re.findall(r"<tspan[^>]*>([^<]*)</tspan>", drawn)]
    assert len(pieces) > 500
    assert not [piece for piece in pieces if re.search(r"\s", piece) or re.search(r"[\u2800-\u28ff].", piece)]
    assert not [piece for piece in pieces if len(piece) > 4 and re.search(r"[\u2500-\u259f]", piece)]
