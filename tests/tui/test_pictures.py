"""What differs between two pictures is told by line and column: a picture that cannot be told apart proves nothing."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tests.tui import pictures

CALM, LOUD = Style(color="#8b949e", bgcolor="#0f1318"), Style(color="#ff7b72", bgcolor="#0f1318", bold=True)


def picture(*lines: list[tuple[str, Style]]) -> str:
    return pictures.svg([Strip([Segment(text, style) for text, style in line]) for line in lines])


def test_a_picture_is_read_as_it_was_drawn_wide_characters_and_markup_too() -> None:
    drawn = picture([("東 <a> &", CALM), (" −1.94", LOUD)])
    cells = pictures.read(drawn.splitlines()[1])
    assert "".join(cell.character for cell in cells) == "東 <a> & −1.94"
    assert len(cells) == 14, "a wide character takes two cells"
    assert cells[-1].look == ' fill="#ff7b72" font-weight="bold"'
    assert list(pictures.differences(drawn, drawn)) == []


def test_a_colour_that_differs_is_told_with_its_columns_and_a_text_as_a_whole_line() -> None:
    old = picture([("z ", CALM), ("−1.94", CALM)], [("BTC 90,884", CALM)])
    told = list(pictures.differences(old, picture([("z ", CALM), ("−1.94", LOUD)], [("BTC 90,885", CALM)])))
    assert told[0] == "  line 1: the text is the same, the colours differ"
    assert told[1].startswith("    columns 3–7 “−1.94”: ") and told[1].index("#8b949e") < told[1].index("#ff7b72")
    assert told[2:] == ["  line 2", "  - BTC 90,884", "  + BTC 90,885"]


def test_a_ground_an_underline_and_a_size_that_differ_are_told() -> None:
    old = picture([("ok  ", CALM)])
    cursor = picture([("ok  ", CALM + Style(bgcolor="#232c38"))])
    assert "columns 3–4 “  ”: #0f1318 → #232c38" in "\n".join(pictures.differences(old, cursor)), "blanks too"
    assert "underline" in "\n".join(pictures.differences(old, picture([("ok  ", CALM + Style(underline=True))])))
    assert list(pictures.differences(old, picture([("ok   ", CALM)]))) == ["  the size: 4×1 before, 5×1 now"]
    many = list(pictures.differences(picture(*[[("a", CALM)]] * 20), picture(*[[("b", CALM)]] * 20)))
    assert many[-1] == "  and 8 lines more"
