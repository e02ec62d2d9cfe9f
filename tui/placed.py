"""A screen's picture that every viewer draws alike.

Textual's SVG leaves two things to the viewer: to keep the blanks at the ends of a piece of text, and to stretch it to
its width. Browsers do both; librsvg, behind many desktops' viewers and previews, does neither, and columns slide. Here
every word stands at a place of its own, and so does every character of a drawing, whose font may be another.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Final

from rich.cells import cell_len

CELL: Final = 12.2
"""Width of a cell in Textual's pictures."""
_TEXT: Final = re.compile(r'(<text class="[^"]*") x="([\d.]+)"( y="[\d.]+") textLength="[\d.]+"([^>]*)>([^<]*)</text>')
_WORD: Final = re.compile(r"[\u2500-\u259f]{1,4}|[\u2800-\u28ff]|[^\s\u2500-\u259f\u2800-\u28ff]+")
"""Lines and blocks, braille, anything else but blanks."""


def placed(svg: str) -> str:
    """A picture of Textual's with a place for every word of it."""
    return _TEXT.sub(_placed, svg)


def _placed(found: re.Match[str]) -> str:
    begin, x, y, end, inner = found.groups()
    text, left = unescape(inner), float(x)
    words = []
    for word in _WORD.finditer(text):
        at = left + CELL * cell_len(text[: word.start()])
        width = CELL * cell_len(word[0])
        words.append(f'<tspan x="{at:.5g}" textLength="{width:.5g}">{escape(word[0], quote=False)}</tspan>')
    return f"{begin}{y}{end}>{''.join(words)}</text>"
