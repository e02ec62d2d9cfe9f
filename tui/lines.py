"""Lines of text with meanings: what painters return, screens draw and tests compare as strings.

A line is a tuple of spans, (text, role), hashable and without colours, so that a changed row is found by `!=`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rich.cells import cell_len, get_character_cell_size, set_cell_size

Span: TypeAlias = tuple[str, str]
Line: TypeAlias = tuple[Span, ...]

BLANK: Final[Line] = ()
_NARROW: Final = re.compile(
    r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u2010-\u2027\u2190-\u22ff\u2500-\u25fc\u2800-\u28ff]*"
).fullmatch
"""Signs of which each takes one cell: nearly every text here is of these alone, and Rich looks at each by itself."""


def length_of(text: str) -> int:
    """Cells that a text takes."""
    return len(text) if text.isascii() or _NARROW(text) else cell_len(text)


def one_cell_each(text: str) -> bool:
    """Whether each sign takes one cell."""
    return (
        (text.isascii() and text.isprintable())
        or _NARROW(text) is not None
        or all(get_character_cell_size(sign) == 1 for sign in text)
    )


def plain(line: Iterable[Span]) -> str:
    """The line's text alone."""
    return "".join([text for text, _ in line])


def width_of(line: Iterable[Span]) -> int:
    """Cells that the line takes."""
    return length_of(plain(line))


def fit(text: str, width: int, align: str = "<") -> str:
    """Exactly `width` cells of text: padded, or a name's end cut with `…`, wide characters counted as two."""
    length = length_of(text)
    if length > width:
        return "" if width < 1 else _cut(text, width)
    pad = " " * (width - length)
    return pad + text if align == ">" else text + pad


_NUMBER: Final = re.compile(r"(?:^|\s)[−+-]?\d[\d,.]*$")


def _cut(text: str, width: int) -> str:
    """The text's beginning with `…`, in exactly `width` cells; a number that would be cut in two is left out whole."""
    head = set_cell_size(text, width - 1)
    number = _NUMBER.search(head)
    if number and re.match(r"[\d,.]|[eE][+-]?\d", text[len(head) :]) and number.start() > 0:
        return (head[: number.start() + 1] + "…").ljust(width)
    return head + "…"


def clip(line: Line, width: int) -> Line:
    """The spans that fit wholly within `width` cells; a span that does not fit ends the line."""
    taken: list[Span] = []
    left = width
    for text, role in line:
        length = length_of(text)
        if length > left:
            if left > 0 and not any(c.isdigit() for c in text):
                taken.append((fit(text, left), role))
            break
        taken.append((text, role))
        left -= length
    return tuple(taken)


def merged(spans: Iterable[Span]) -> Line:
    """The same line with neighbours of one role joined: fewer pieces to draw."""
    out: list[Span] = []
    for text, role in spans:
        if out and (out[-1][1] == role or text.isspace()):
            out[-1] = (out[-1][0] + text, out[-1][1])
        elif text:
            out.append((text, role))
    return tuple(out)


def stale(line: Line) -> Line:
    """A row that cannot be believed fresh: all in one role, with `◌` in its first cell, which is kept for status."""
    return (("◌" + plain(line)[1:], "stale"),) if line else line


_TINTS: Final = {
    "closed": ("closed", ("text", "bright", "dim")),
    "estimated": ("estimated", ("text", "bright", "dim")),
    "warming": ("dim", ("text", "bright")),
}
"""Status → the role that its row's quiet spans take, and which those are: directions and warnings keep theirs."""


def marked(line: Line, status: str, stuck: bool = False) -> Line:
    """A row in the colour of its status, whose glyph stands in its first cell. stuck: the engine no longer answers."""
    if stuck or status == "stale":
        return stale(line)
    if status not in _TINTS:
        return line
    tint, quiet = _TINTS[status]
    return tuple((text, tint if role in quiet else role) for text, role in line)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: stated once, read by heading, rows, sorting and the dropping order."""

    key: str
    heading: str
    width: int
    align: str = ">"
    rank: int = 0
    """Order of importance: columns of the highest rank are dropped first when the width runs short."""
    gap: int = 2
    """Blanks before it."""
    sort: str = ""
    """Table column that it sorts by; empty: it does not sort."""
    unit_pad: int = 0
    """Blanks at the right of the heading, so that it stands over the units rather than over the last decimal."""


def choose(columns: Sequence[Column], width: int) -> tuple[Column, ...]:
    """The columns that fit in `width` cells, in their own order, the least important dropped first.

    The first column's gap does not count. Once a column does not fit, none of higher rank is shown either, so that
    widening a window only ever adds columns.
    """
    left = width
    shown: set[str] = set()
    for column in sorted(columns, key=lambda c: c.rank):
        need = column.width + (column.gap if shown else 0)
        if need > left:
            break
        shown.add(column.key)
        left -= need
    return tuple(c for c in columns if c.key in shown)


def heading(columns: Sequence[Column], sorted_by: str = "", reverse: bool = False) -> Line:
    """The table's heading line; the sorted column carries `▾` (greatest first) or `▴`."""
    spans: list[Span] = []
    for index, column in enumerate(columns):
        if index:
            spans.append((" " * column.gap, "head"))
        mark = ("▾" if reverse else "▴") if column.key == sorted_by else ""
        name = column.heading
        if len(name + mark) > column.width:
            name = name.rsplit(" ", 1)[0]  # the mark takes the place of the unit
        text = fit(name + mark + " " * column.unit_pad, column.width, column.align)
        spans.append((text, "sorted" if mark else "head"))
    return tuple(spans)


def column_at(columns: Sequence[Column], x: int) -> Column | None:
    """The column whose heading, or the gap before it, stands at a cell of the line."""
    end = 0
    for index, column in enumerate(columns):
        end += column.width + (column.gap if index else 0)
        if x < end:
            return column
    return None


def row(columns: Sequence[Column], cells: dict[str, Span]) -> list[Span]:
    """One row's spans: every cell in its column's width; a column without a cell stays blank."""
    spans: list[Span] = []
    for index, column in enumerate(columns):
        text, role = cells.get(column.key, ("", "text"))
        lead = " " * column.gap if index else ""
        if column.align == ">" and len(text) > column.width:
            text = text.strip() if len(text.strip()) <= column.width else "#" * column.width  # never half a number
        spans.append((lead + fit(text, column.width, column.align), role))
    return spans


def notes(texts: Sequence[str], width: int, lead: str = "  ") -> tuple[Line, ...]:
    """What is to be known of a table, below its rows: each text wrapped, never cut."""
    return tuple(((lead + line, "dim"),) for text in texts for line in wrap(text, width - len(lead) - 1))


def wrap(words: str, width: int) -> list[str]:
    """The words in lines of at most `width` cells."""
    out: list[str] = []
    for word in words.split():
        if out and length_of(out[-1]) + 1 + length_of(word) <= width:
            out[-1] += " " + word
        else:
            out.append(fit(word, min(length_of(word), max(1, width))))
    return out
