"""What is written to a terminal: no more than differs, and the screen is as if all of it had been written."""

from __future__ import annotations

import random
from itertools import pairwise

import pyte
import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.page import Page

WIDTH, HEIGHT = 40, 8
STYLES = (
    Style(color="#c0c0c0", bgcolor="#101010"),
    Style(color="#00ff00", bgcolor="#101010"),
    Style(color="#c0c0c0", bgcolor="#303060"),
    Style(color="#c0c0c0", bgcolor="#101010", bold=True),
    Style(color="#ff0000", bold=True, reverse=True),
    Style(),
    None,
)
WORDS = ("BTC/USD", " 90,871.48", " 90,872.11", "  ", "⣀⡠⠤", "⣀⡀⠤", "日本", "e\u0301a", "+0.51", "−0.51", "│")


def a_line(dice: random.Random, width: int) -> Strip:
    pieces = [Segment(dice.choice(WORDS), dice.choice(STYLES)) for _ in range(12)]
    return Strip(pieces).crop(0, width).extend_cell_length(width, STYLES[0])


def an_update(dice: random.Random, lines: list[list[Strip]]) -> LayoutUpdate | ChopsUpdate:
    """Change some of the lines, and say so in one of the ways that Textual has."""
    for y in range(HEIGHT):
        if dice.random() < 0.5:
            cuts = [0, *sorted(dice.sample(range(1, WIDTH), dice.randint(0, 2))), WIDTH]
            lines[y] = [a_line(dice, b - a) for a, b in pairwise(cuts)]
        elif dice.random() < 0.5:  # a line of the same pieces, one of which has another text or style
            whole = list(Strip.join(lines[y]))
            at = dice.randrange(len(whole))
            text, style, _ = whole[at]
            whole[at] = Segment(text[::-1] if text.isascii() else text, dice.choice((style, *STYLES)))
            lines[y] = [Strip(whole)]
    if dice.random() < 0.3:
        return LayoutUpdate([list(line) for line in lines], Region(0, 0, WIDTH, HEIGHT))
    chops, ends = [], []
    for line in lines:
        at, chop = 0, {}
        for strip in line:
            chop[at] = strip
            at += strip.cell_length
        chops.append(chop)
        ends.append([*list(chop)[1:], WIDTH])
    return ChopsUpdate(chops, [(y, 0, WIDTH) for y in range(HEIGHT)], ends)


class Tty:
    """A terminal that is written to."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)

    def write(self, data: str) -> None:
        self._stream.feed(data)

    def cells(self) -> list[list[object]]:
        return [[self.screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]


@pytest.mark.parametrize("colours", [ColorSystem.STANDARD, ColorSystem.EIGHT_BIT, ColorSystem.TRUECOLOR])
def test_what_differs_makes_the_same_screen_as_all_of_it(colours: ColorSystem) -> None:
    dice = random.Random(7)
    page, tty = Page(), Tty()
    lines = [[a_line(dice, WIDTH)] for _ in range(HEIGHT)]
    for _ in range(150):
        data = page.update(an_update(dice, lines), colours)
        assert data is not None
        tty.write(data)
        whole = Tty()
        for y, line in enumerate(lines):
            whole.write(f"\x1b[{y + 1};1H")
            for text, style, _ in Strip.join(line):
                whole.write(f"\x1b[{Strip.render_ansi(style or Style(), colours)}m{text}\x1b[0m")
        assert tty.cells() == whole.cells()


def of(*pieces: tuple[str, Style]) -> LayoutUpdate:
    return LayoutUpdate([[Strip([Segment(text, style) for text, style in pieces])]], Region(0, 0, WIDTH, 1))


def test_only_the_cells_that_differ_are_written() -> None:
    page = Page()
    plain, up = STYLES[0], STYLES[1]
    page.update(of(("BTC/USD ", plain), ("90,871.48", up), ("    coinbase  0 s", plain)), ColorSystem.STANDARD)
    same = of(("BTC/USD ", plain), ("90,871.48", up), ("    coinbase  0 s", plain))
    assert page.update(same, ColorSystem.STANDARD) == ""
    moved = of(("BTC/USD ", plain), ("90,872.11", up), ("    coinbase  1 s", plain))
    data = page.update(moved, ColorSystem.STANDARD)
    assert data is not None
    assert "2.11" in data
    assert "BTC" not in data
    assert "coinbase" not in data


def test_a_forgotten_page_is_written_whole() -> None:
    page = Page()
    first = page.update(of(("BTC/USD", STYLES[0])), ColorSystem.STANDARD)
    page.forget()
    assert page.update(of(("BTC/USD", STYLES[0])), ColorSystem.STANDARD) == first != ""
