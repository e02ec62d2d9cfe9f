"""The terminal's own notifications, as escape sequences that travel over SSH; text loses its control characters."""

from __future__ import annotations

from typing import Final, Literal

from engine.errors import one_line

Protocol = Literal["osc9", "osc99", "osc777"]
_END: Final = "\x1b\\"


def sequence(protocol: Protocol, title: str, body: str) -> str:
    """What to write to the terminal: OSC 9 (iTerm2, ConEmu), 99 (kitty) or 777 (urxvt, foot, Ghostty)."""
    head, text = _clean(title), _clean(body)
    if protocol == "osc9":
        return f"\x1b]9;{head}: {text}{_END}"
    if protocol == "osc99":
        return f"\x1b]99;i=1:d=0;{head}{_END}\x1b]99;i=1:p=body;{text}{_END}"
    return f"\x1b]777;notify;{head.replace(';', ',')};{text.replace(';', ',')}{_END}"


def _clean(text: str) -> str:
    return one_line(text)[:240]
