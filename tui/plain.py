"""Terminals without Unicode: every sign becomes one of ASCII that is as wide, and no two statuses become the same.

Asked for with `[appearance] characters = "ascii"`; "auto" looks at the locale and at terminals known to lack the signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

LACKING: Final = ("linux", "vt100", "vt102", "vt220", "ansi", "dumb")
"""Terminals, by TERM, whose characters are too few."""
_PAIRS: Final = (
    "╭+╮+╰+╯+─-│|┄-├|┤|┼+┌+┐+└+┘+┬+┴+━=┃|╌-"  # lines
    '▁_▂.▃:▄-▅=▆*▇%█#▌#▐#▀"▏ ▕ ▔-'  # heights
    "●o◌@·.…:–-−-~~✓y✗x▲^▼v▵^▾v▴^♥*↻r⇠<◀<▶>→>←<↑^↓v↗/↘\\↙/↖\\❯>›>•*"  # states and directions
    "“\"”\"‘'’'—-×xρr±%∞&σsμmβb°o≥>≤<≈~²2³3"
)
TABLE: Final[Mapping[int, str]] = {ord(_PAIRS[i]): _PAIRS[i + 1] for i in range(0, len(_PAIRS) - 1, 2)}
ENDLESS: Final = ("∞  ", "inf")
"""What never ends, with the room that it has in every column of numbers: no sign of its own looks like it."""


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The text in ASCII, cell for cell: braille dots become `'`, `.` and `:`, what has no likeness `?`."""
    if text.isascii():
        return text
    out = []
    for sign in text.replace(*ENDLESS).translate(TABLE):
        if sign.isascii():
            out.append(sign)
        elif "\u2800" <= sign <= "\u28ff":
            bits = ord(sign) - 0x2800
            high, low = bits & 0b00011011, bits & 0b11100100
            out.append(" " if not bits else ":" if high and low else "'" if high else ".")
        else:
            out.append("?" * cell_len(sign))
    return "".join(out)


class Plain(LineFilter):
    """The filter that every drawn line passes."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(plain(text), style, control) for text, style, control in segments]


def wanted(how: Literal["auto", "unicode", "ascii"], environment: Mapping[str, str]) -> bool:
    """Whether ASCII is to be drawn. environment: LC_ALL before LC_CTYPE before LANG names the locale, TERM the kind."""
    if how != "auto":
        return how == "ascii"
    named = next((environment[n] for n in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(n)), "")
    foreign = bool(named) and "utf" not in named.lower()
    return foreign or environment.get("TERM", "") in LACKING
