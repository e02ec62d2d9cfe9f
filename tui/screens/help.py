"""The help page: every action with its keys, from the one list that the bindings come from."""

from __future__ import annotations

from collections.abc import Sequence

from tui import format as fmt
from tui import keys
from tui.commands import COMMANDS
from tui.lines import BLANK, Line, width_of, wrap
from tui.screens.sheet import Page
from tui.view import View
from tui.widgets.linepane import LinePane

LEGEND: tuple[tuple[str, str, str], ...] = (
    (fmt.GLYPHS["stale"], "stale", "stale: its connection is lost or its channel silent for too long"),
    (fmt.GLYPHS["closed"], "closed", "closed: outside its market's session"),
    (fmt.GLYPHS["estimated"], "estimated", "estimated, or delayed by its source"),
    (fmt.GLYPHS["warming"], "dim", "warming: its history is not long enough yet"),
    (fmt.MISSING, "dim", "no value"),
    (fmt.SIMULATED, "simulated", "simulated: a market that does not exist"),
    (fmt.FAILOVER, "warn", "priced by a source that is not the preferred one"),
    ("!", "alert", "a gauge or a critical alert, a z-score beyond ±2, or something in trouble"),
    ("▵", "warn", "a gauge that warns"),
    ("▲ ▼", "warn", "an alert that fires, and one whose condition has ended but not for long"),
    ("✓ ✗", "good", "over, or borne out; not borne out"),
)


ROOM = 12
"""Cells that words need for being folded into them."""


def help_lines(actions: Sequence[keys.Action], warnings: Sequence[str]) -> list[Line]:
    """The page: actions by group, the commands, what the marks mean, then what is wrong with the user's keys."""
    wide = max(len(keys.display(a.keys)) for a in actions) + 2
    lines: list[Line] = []
    for group in dict.fromkeys(a.group for a in actions):
        lines += [BLANK] if lines else []
        where = keys.CONTEXTS.get(group)
        lines.append(((f" {group}", "bright"), (f"  {where}" if where else "", "dim")))
        lines += [
            (
                ("   ", "dim"),
                ((keys.display(a.keys) or "none").ljust(wide), "key"),
                (a.help, "text"),
            )
            for a in actions
            if a.group == group
        ]
    lines += [BLANK, ((" Commands", "bright"), ("  after : – Tab completes, ↑ recalls", "dim"))]
    for command in COMMANDS:
        if len(command.usage) < wide + 6:
            lines.append((("   ", "dim"), (command.usage.ljust(wide + 6), "key"), (command.help, "text")))
        else:
            lines += [(("   ", "dim"), (command.usage, "key")), ((" " * (wide + 9), "dim"), (command.help, "text"))]
    lines += [BLANK, ((" Marks", "bright"),)]
    lines += [(("   ", "dim"), (glyph.ljust(wide), role), (words, "text")) for glyph, role, words in LEGEND]
    if warnings:
        lines += [BLANK, ((" Your settings", "bright"),), *((("   ", "dim"), (w, "warn")) for w in warnings)]
    return lines


def folded(line: Line, width: int) -> list[Line]:
    """The line as it is, or with its last words going on below where they began, so that nothing is cut."""
    if width_of(line) <= width or not line:
        return [line]
    *lead, (words, role) = line
    room = width - width_of(lead)
    if room < ROOM:
        return [line]
    first, *rest = wrap(words, room)
    return [(*lead, (first, role)), *(((" " * (width - room), "dim"), (more, role)) for more in rest)]


class HelpPage(LinePane):
    """The page's lines."""

    heading = "Help ─ j k scroll ─ Esc returns"
    ground = "surface"

    def __init__(self, actions: tuple[keys.Action, ...], warnings: tuple[str, ...]) -> None:
        super().__init__(id="page")
        self._whole = help_lines(actions, warnings)
        self._page: list[Line] = []

    def prepare(self, view: View, width: int) -> None:
        self._page = [part for line in self._whole for part in folded(line, width - 1)]
        self.rows = [f"{i} {''.join(text for text, _ in line)}" for i, line in enumerate(self._page)]

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return self._page[start:stop]


class Help(Page):
    """The help screen."""

    def __init__(self, actions: tuple[keys.Action, ...], warnings: tuple[str, ...]) -> None:
        super().__init__(HelpPage(actions, warnings))
