"""What the terminal shows, cell for cell, so that only what differs from it is written: a link may be slow.

Textual writes every dirty line whole, and each piece with its full colours. Here a line is compared with the one that
stands, and colours are named only where they change. What was written is all that is known: whoever disturbs the
terminal (a resize, a return from the background, another program) must have the page forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from rich.color import ColorSystem
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from tui.lines import length_of, one_cell_each

NEAR: Final = 6
"""Cells between two changes that are written rather than stepped over: a step costs about as many bytes."""

Piece = tuple[int, str, Style | None, bool]
"""Column, text, style, and whether each sign of the text takes one cell."""
Pieces = dict[int, Piece]
"""A strip's pieces by their columns, from left to right."""
_Codes = tuple[str, str, str]
"""A style's attributes, its foreground and its background as SGR codes, empty where it has none."""


class Page:
    """The cells that were written last."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, tuple[Strip, Pieces]]] = {}
        """Line → column → the strip that stands there; at most one line of strips for each line of the terminal."""

    def forget(self) -> None:
        """Nothing is known of what stands there: the next update is written whole."""
        self._lines.clear()

    def update(self, update: CompositorUpdate, colours: ColorSystem) -> str | None:
        """What to write for an update of the screen; empty: nothing differs. None: it is of a kind not known here."""
        found = _strips(update)
        if found is None:
            return None
        out: list[str] = []
        style: Style | None = None
        for y, x, strip in found:
            at = -1
            for column, text, wanted, even in self._changed(y, x, strip):
                if column != at:
                    out.append(f"\x1b[{y + 1};{column + 1}H")
                out.append(_change(style, wanted, colours))
                linked = wanted is not None and wanted.link
                out.append(Strip.render_style(Style(link=linked), text, colours) if linked else text)
                style, at = wanted, column + (len(text) if even else length_of(text))
        if out:
            out.append(_change(style, None, colours))
        return "".join(out)

    def _changed(self, y: int, x: int, strip: Strip) -> Iterable[Piece]:
        """The pieces of this strip that do not stand there yet; they stand there afterwards."""
        line = self._lines.setdefault(y, {})
        old, stood = line.get(x, (None, {}))
        width = strip.cell_length
        if old is strip or not width:
            return ()
        pieces = stood if old == strip else _pieces(x, strip)
        if old is None or old.cell_length != width:
            for start in [s for s, (other, _) in line.items() if s < x + width and s + other.cell_length > x]:
                del line[start]
            stood = {}
        line[x] = (strip, pieces)
        return _differing(stood, pieces)


def _strips(update: CompositorUpdate) -> list[tuple[int, int, Strip]] | None:
    """Line, column and strip of everything that an update draws; None where its kind is not known."""
    out: list[tuple[int, int, Strip]] = []
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                out.append((y, x, strip))
                x += strip.cell_length
        return out
    if isinstance(update, ChopsUpdate):
        for y in dict.fromkeys(y for y, _, _ in update.spans):
            out += [(y, x, strip) for x, strip in update.chops[y].items() if strip is not None]
        return out
    return None


def _pieces(x: int, strip: Strip) -> Pieces:
    found: Pieces = {}
    for text, style, _ in strip:
        if text:
            even = one_cell_each(text)
            found[x] = (x, text, style, even)
            x += len(text) if even else length_of(text)
    return found


def _differing(old: Pieces, new: Pieces) -> list[Piece]:
    """The pieces of `new` that stand otherwise in `old`, cut to what differs; short gaps between them are filled."""
    if old is new:
        return []
    out: list[Piece] = []
    kept: list[Piece] = []
    """Unchanged pieces since the last change, as long as they fill no more than a short gap."""
    gap = 0
    for column, piece in new.items():
        _, text, style, even = piece
        before = old.get(column)
        if before == piece:
            kept.append(piece)
            gap += len(text) if even else length_of(text)
            continue
        if before is not None and before[2:] == (style, True) and even and len(before[1]) == len(text):
            start, end = _trimmed(before[1], text)
        else:
            start, end = 0, len(text)
        if out and gap + start <= NEAR:
            out += kept
            start = 0
        out.append((column + start, text[start:end], style, even))
        kept, gap = ([(column + end, text[end:], style, even)], len(text) - end) if end < len(text) else ([], 0)
    return out


def _trimmed(old: str, new: str) -> tuple[int, int]:
    """From where to where two texts of the same length differ, all of whose signs are one cell wide."""
    start, end = 0, len(new)
    while start < end and old[start] == new[start]:
        start += 1
    while end > start and old[end - 1] == new[end - 1]:
        end -= 1
    return start, end


@lru_cache(maxsize=2048)
def _codes(style: Style | None, colours: ColorSystem) -> _Codes:
    if style is None:
        return "", "", ""
    attributes = Strip.render_ansi(style.without_color, colours)
    ground = style.bgcolor and ";".join(style.bgcolor.downgrade(colours).get_ansi_codes(foreground=False))
    ink = style.color and ";".join(style.color.downgrade(colours).get_ansi_codes())
    return attributes, ink or "", ground or ""


@lru_cache(maxsize=8192)
def _change(old: Style | None, new: Style | None, colours: ColorSystem) -> str:
    """The codes that lead from one style to another, as few as do it."""
    was, now = _codes(old, colours), _codes(new, colours)
    if was == now:
        return ""
    if was[0] == now[0] and (now[1] or not was[1]) and (now[2] or not was[2]):
        codes = [code for before, code in zip(was, now, strict=True) if code and code != before]
    else:
        codes = [code for code in ("0" if any(was) else "", *now) if code]
    return f"\x1b[{';'.join(codes)}m"
