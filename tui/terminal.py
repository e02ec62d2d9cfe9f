"""What this terminal can show: looked at from the outside, without taking it over. Light to import."""

from __future__ import annotations

import locale
import os
import shutil
import sys

from engine.doctor import Finding

SMALLEST = (40, 12)
"""Columns and rows below which panes no longer fit."""


def check_terminal() -> list[Finding]:
    """Size, colours and characters, for `doctor`."""
    if not sys.stdout.isatty():
        return [Finding("terminal", "standard output is no terminal here; nothing to look at")]
    return [_size(), _colours(), _characters()]


def _size() -> Finding:
    columns, rows = shutil.get_terminal_size()
    what = f"{columns}×{rows}"
    if columns < SMALLEST[0] or rows < SMALLEST[1]:
        return Finding("terminal", what, f"make it at least {SMALLEST[0]}×{SMALLEST[1]}", good=False)
    return Finding(
        "terminal", what + ("" if columns >= 80 and rows >= 24 else ": the smallest layout; 80×24 shows more")
    )


def _colours() -> Finding:
    term = os.environ.get("TERM", "")
    if os.environ.get("NO_COLOR"):
        return Finding("colours", "none, as NO_COLOR asks; signs and glyphs carry every meaning")
    if os.environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return Finding("colours", "16 million")
    if term in {"", "dumb"}:
        return Finding("colours", f"TERM is {term or 'not set'}", "set TERM to your terminal's name", good=False)
    if "256" in term:
        return Finding("colours", "256; COLORTERM=truecolor gives finer shades where the terminal has them")
    return Finding(
        "colours",
        f"16 (TERM={term}), so that the theme sixteen is used unless you chose one; COLORTERM=truecolor gives finer "
        "shades where the terminal has them",
    )


def _characters() -> Finding:
    encoding = sys.stdout.encoding or locale.getpreferredencoding()
    if encoding.lower().replace("-", "") != "utf8":
        return Finding("characters", encoding, "use a UTF-8 locale, such as LANG=C.UTF-8", good=False)
    return Finding("characters", "UTF-8: ├──●──┤ ▁▂▃▄▅▆▇█ ◌ ▲ ▼")
