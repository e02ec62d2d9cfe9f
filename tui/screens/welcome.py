"""The first run: what is reachable, what can be done next; a configuration is written if it is wanted.

Shown over a live run while the user has no configuration of their own and has not been here before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.model import Mode
from engine.options import RECORDING
from tui import format as fmt
from tui.lines import BLANK, Line, fit, wrap
from tui.screens.sheet import Sheet
from tui.view import View
from tui.widgets.linepane import LinePane

SEEN: Final = "welcomed"
"""A file of this name in the configuration folder says that the user was here before."""
_STATES: Final = {"live": ("●", "good"), "connecting": ("…", "dim")}
_NEXT: Final = (
    ("Enter", "go on with the live market: what is reachable fills in by itself"),
    ("d", "see a simulated market instead, as `sizewatch --demo` shows it"),
    ("c", "write a commented configuration to change: symbols, baskets, levels, alerts, colours"),
    ("q", "leave; `sizewatch replay FILE` plays what `sizewatch record` has kept"),
)
_RECORDED: Final = ("p", f"play the recording that is here, {RECORDING}")
_THEN: Final = (
    ("1–9", "go to the screens"),
    ("?", "shows every key"),
    (":", "says what to do, such as `:chart ETH/BTC 1Y`; Tab completes"),
)


def folder() -> Path:
    """Where the configuration belongs."""
    from engine.config_file import user_folder

    return user_folder()


def due() -> bool:
    """Whether this user has neither a configuration nor been here before."""
    from engine.config_file import NAME, default_text, find

    own = find(None)
    if own is not None:
        try:  # the commented default of a checkout, in which the program was started, is nobody's own
            if own.read_text("utf-8") != default_text():
                return False
        except (OSError, ValueError):
            return False
    return not (folder() / SEEN).exists() and not (folder() / NAME).exists()


def write_config() -> str:
    """Write the commented default configuration where the user's belongs; says where, or what went wrong."""
    from engine.config_file import NAME, default_text

    path = folder() / NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(default_text())
    except FileExistsError:
        return f"{path} is there already"
    except OSError as error:
        return f"{path}: {error.strerror}"
    return f"written: {path}; changes are taken over while sizewatch runs"


class WelcomePage(LinePane):
    """The page's lines."""

    heading = "Welcome to sizewatch"
    ground = "surface"
    reads = ("feeds",)
    ages = True

    def __init__(self) -> None:
        super().__init__(id="page")
        self.said = ""
        self._page: list[Line] = []

    def prepare(self, view: View, width: int) -> None:
        lines: list[Line] = []
        text = "Size: small caps against large caps, altcoins against BTC and ETH, and the gap between the two."
        lines += [((f" {line}", "text"),) for line in wrap(text, width - 2)]
        now = (*_NEXT[:2], _RECORDED, *_NEXT[2:]) if RECORDING.is_file() else _NEXT
        for title, pairs in (("Now", now), ("Then", _THEN)):
            lines += [BLANK, ((f" {title}", "bright"),)]
            for key, words in pairs:
                first, *more = wrap(words, max(10, width - 12))
                lines.append((("   ", "dim"), (key.ljust(7), "key"), (first, "text")))
                lines += [((" " * 10, "dim"), (line, "text")) for line in more]
        if self.said:
            lines += [BLANK, *(((f" {line}", "good"),) for line in wrap(self.said, width - 2))]
        rows = view.rows("feeds")
        live = sum(row["state"] == "live" for row in rows)
        count = f"  {live} of {len(rows)} sources answer; j and k go through them" if rows else ""
        lines += [BLANK, ((" What is reachable from here", "bright"), (count, "dim"))]
        for row in rows:
            glyph, role = _STATES.get(row["state"], ("✗", "warn"))
            why = f"{row['state']}{': ' + row['error'] if row['error'] else ''}"
            room = max(0, width - 27)
            lines.append(
                (("   ", "dim"), (f"{glyph} ", role), (fit(row["source"], 19) + " ", "text"), (fit(why, room), "dim"))
            )
        if not rows:
            lines.append(((f"   {fmt.WARMING} the sources are being asked", "dim"),))
        self._page = lines
        self.rows = [f"{i}" for i in range(len(lines))]

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return self._page[start:stop]


class Welcome(Sheet):
    """The first run's sheet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "back", "go on", show=False),
        Binding("c", "config", "write a configuration", show=False),
        Binding("d", "instead('demo')", "the demo", show=False),
        Binding("p", "instead('replay')", "the recording", show=False),
    ]

    def __init__(self) -> None:
        self._welcome = WelcomePage()
        super().__init__(self._welcome)

    def action_config(self) -> None:
        """Write the configuration."""
        self._welcome.said = write_config()
        self._welcome.repaint()

    def action_instead(self, mode: str) -> None:
        """End this run, for one that shows something else."""
        from tui.app import SizewatchApp

        if isinstance(self.app, SizewatchApp) and (mode != Mode.REPLAY or RECORDING.is_file()):
            self.app.instead = Mode(mode)
            self.app.exit()

    def action_back(self) -> None:
        """Go on; this page does not come again."""
        self.left()
        super().action_back()

    def left(self) -> None:
        try:
            folder().mkdir(parents=True, exist_ok=True)
            (folder() / SEEN).touch()
        except OSError:
            self.notify("this page will come again: nothing can be written to the configuration folder", timeout=4)
