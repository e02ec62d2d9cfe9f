"""Screens as small SVG files that are compared exactly, text, place and colour, and whose differences can be read.

A line of the screen is a line of the file, with a piece a style; where a piece stands and what colours it has are
written out, so that a difference between two files is found by line and column and told in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from itertools import groupby, zip_longest
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.strip import Strip

CELL: Final = (10, 20)
"""Width and height of a cell; at a font of 16.6 a monospace character is as wide."""
SHOWN: Final = 12
"""Lines of a picture whose difference is told; the rest is counted."""
_FILL: Final = re.compile(r'<rect x="(\d+)" y="\d+" width="(\d+)" height="20" fill="([^"]*)"/>')
_TEXT: Final = re.compile(r'<tspan x="(\d+)"([^>]*)>([^<]*)</tspan>')


class Cell(NamedTuple):
    """A character with its look; the second cell of a wide one is empty."""

    character: str
    look: str
    """Its colour and its decorations as SVG has them; of a blank none."""
    ground: str


def look_of(style: Style) -> str:
    """What a character in this style is drawn with."""
    parts = [f' fill="{_hex(style, front=True)}"']
    parts += [' font-weight="bold"'] if style.bold else []
    parts += [' font-style="italic"'] if style.italic else []
    parts += [' opacity=".6"'] if style.dim else []
    lines = " ".join(w for w, on in (("underline", style.underline), ("line-through", style.strike)) if on)
    return "".join(parts) + (f' text-decoration="{lines}"' if lines else "")


def _hex(style: Style, *, front: bool) -> str:
    colour = style.color if front is not bool(style.reverse) else style.bgcolor
    return "none" if colour is None else colour.get_truecolor(foreground=front).hex


def cells_of(strip: Strip) -> list[Cell]:
    """One line of the screen, a cell a column."""
    made: list[Cell] = []
    for text, style, _ in strip:
        drawn = style or Style.null()
        look, ground = look_of(drawn), _hex(drawn, front=False)
        for character in text:
            blank = character == " " and "text-decoration" not in look
            made.append(Cell(character, "" if blank else look, ground))
            made += [Cell("", "", ground)] * (cell_len(character) - 1)
    return made


def svg(strips: list[Strip]) -> str:
    """The screen as SVG."""
    width, height = CELL
    rows = [cells_of(strip) for strip in strips]
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * len(rows[0])} {height * len(rows)}" '
        'font-family="monospace" font-size="16.6" xml:space="preserve">'
    ]
    for y, cells in enumerate(rows):
        parts, x = [], 0
        for ground, run in groupby(cells, key=lambda cell: cell.ground):
            n = len(list(run))
            parts.append(f'<rect x="{x}" y="{height * y}" width="{width * n}" height="20" fill="{ground}"/>')
            x += width * n
        parts.append(f'<text y="{height * y + 15}">')
        x = 0
        for look, run in groupby(cells, key=lambda cell: cell.look):
            piece = list(run)
            if look:
                parts.append(f'<tspan x="{x}"{look}>{escape("".join(c.character for c in piece), quote=False)}</tspan>')
            x += width * len(piece)
        out.append("".join(parts) + "</text>")
    return "\n".join([*out, "</svg>", ""])


def read(line: str) -> list[Cell]:
    """The cells of a line of the file."""
    made: list[Cell] = []
    for _, wide, fill in _FILL.findall(line):
        made += [Cell(" ", "", fill)] * (int(wide) // CELL[0])
    for at, look, text in _TEXT.findall(line):
        x = int(at) // CELL[0]
        for character in unescape(text):
            for k in range(cell_len(character)):
                if x < len(made):
                    made[x] = Cell("" if k else character, "" if k else look, made[x].ground)
                x += 1
    return made


def differences(old: str, new: str) -> Iterator[str]:
    """What differs between two pictures: of each line its text, or where its colours do and from which to which."""
    was, now = ([*map(read, picture.splitlines()[1:-1])] for picture in (old, new))
    if not was:
        return
    if (len(was), len(was[0])) != (len(now), len(now[0])):
        yield f"  the size: {len(was[0])}×{len(was)} before, {len(now[0])}×{len(now)} now"
    told = 0
    none: list[Cell] = []
    for y, (before, after) in enumerate(zip_longest(was, now, fillvalue=none), 1):
        if before == after:
            continue
        told += 1
        if told <= SHOWN:
            yield from _line(y, before, after)
    if told > SHOWN:
        yield f"  and {told - SHOWN} lines more"


def _line(y: int, before: list[Cell], after: list[Cell]) -> Iterator[str]:
    texts = ["".join(cell.character for cell in cells).rstrip() for cells in (before, after)]
    if texts[0] != texts[1]:
        yield f"  line {y}"
        yield f"  - {texts[0]}"
        yield f"  + {texts[1]}"
        return
    if len(before) != len(after):
        return  # another size, which has been said
    yield f"  line {y}: the text is the same, the colours differ"
    x = 0
    for change, run in groupby(zip(before, after, strict=True), key=lambda pair: (pair[0][1:], pair[1][1:])):
        piece = [cell.character for _, cell in run]
        if change[0] != change[1]:
            old, new = (" on ".join(part.strip() for part in look if part.strip()) for look in change)
            yield f"    columns {x + 1}–{x + len(piece)} “{''.join(piece)}”: {old} → {new}"
        x += len(piece)


class Pictures(SingleFileSnapshotExtension):
    """A picture a file, as text; a difference is told by line and column."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT

    def diff_lines(self, serialized_data: str | bytes, snapshot_data: str | bytes) -> Iterator[str]:
        """What differs, in words, where there is an old picture to compare with."""
        return differences(str(snapshot_data), str(serialized_data))
