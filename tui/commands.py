"""The command line's words: what stands after `:`, stated once; its completion, its errors and the help read this list.

A command's function is imported when it is first used. It takes the app and the text after the name, and returns one
line that says what is wrong, or None. Every action is a command too, by its id.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from engine.errors import faults, printable
from tui import keys

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from engine.config import Config
    from tui.app import SizewatchApp

    Run = Callable[[SizewatchApp, str], Awaitable[str | None]]
    Complete = Callable[[str, Config], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be said after `:`."""

    name: str
    usage: str
    """Name and arguments, as a person would write them."""
    help: str
    """One sentence."""
    run: str
    """`module:function`; called with the app and the text after the name."""
    complete: str = ""
    """`module:function`; called with the text after the name and the configuration: words for its last word."""


_OWN: Final = "tui.command_words"
_PLANS: Final = "tui.panes.plan_commands"
_MORE: Final = "tui.command_more"
COMMANDS: Final[tuple[Command, ...]] = (
    Command("chart", "chart SYMBOL [SPAN] [INTERVAL]", "Chart of a symbol, a pair, a basket or ALT.",
            f"{_OWN}:chart", f"{_OWN}:chart_words"),
    Command("detail", "detail SYMBOL", "Everything known of a symbol or a pair.", f"{_OWN}:detail", f"{_OWN}:symbols"),
    Command("alert", "alert [NAME:] SYMBOL or PAIR up|down LEVEL, or TABLE CONDITION", "A new alert, in its form.",
            f"{_OWN}:alert", f"{_OWN}:alert_words"),
    Command("plan", "plan [NAME:] SYMBOL [at PRICE] [stop PRICE] [target PRICE …] [risk 1%] [by 2026-04-09]",
            "A trade plan of your own; without a price it is made at the newest.",
            f"{_PLANS}:plan", f"{_PLANS}:plan_words"),
    Command("plan-drop", "plan-drop NAME", "Drop a plan of your own.", f"{_PLANS}:plan_drop"),
    Command("whatif", "whatif [NAME:] large PCT [relative PCT]", "Where IWM would stand after a rotation.",
            f"{_PLANS}:whatif", f"{_PLANS}:whatif_words"),
    Command("whatif-drop", "whatif-drop NAME", "Drop a rotation of your own.", f"{_PLANS}:whatif_drop"),
    Command("level", "level SYMBOL PRICE", "Mark a support or a resistance for this run; again: take it away.",
            f"{_MORE}:level", f"{_OWN}:symbols"),
    Command("screen", "screen NAME", "Go to a screen.", f"{_OWN}:screen", f"{_OWN}:screens"),
    Command("pane", "pane NAME | add NAME | drop", "Go to a pane, put one beside the focused one, or take that away.",
            f"{_OWN}:pane", f"{_OWN}:panes"),
    Command("theme", "theme NAME", "Use a colour theme.", f"{_OWN}:theme", f"{_OWN}:themes"),
    Command("sort", "sort COLUMN [reverse]", "Sort the grid in focus by a column; without one, as it was.",
            f"{_OWN}:sort", f"{_OWN}:columns"),
    Command("sql", "sql SELECT …", "Ask the live tables; the answer stands on screen 9.",
            f"{_MORE}:sql", f"{_MORE}:sql_words"),
    Command("keep", "keep NAME", "Keep the last question under a name; @NAME is a pane of a layout.", f"{_MORE}:keep",
            f"{_MORE}:queries"),
    Command("layout", "layout NAME | save NAME | built-in", "Use a saved layout of the screens, or save this one.",
            f"{_MORE}:layout", f"{_MORE}:layout_words"),
    Command("copy", "copy COLUMN", "Copy one value of the row under the cursor.",
            f"{_OWN}:copy", f"{_OWN}:columns"),
    Command("export", "export FILE.csv|.parquet|.json", "Write the focused pane's table to a file.",
            f"{_OWN}:export", f"{_OWN}:files"),
    Command("picture", "picture FILE.svg|.txt", "Write the screen to a file.", f"{_OWN}:picture", f"{_OWN}:files"),
    Command("filter", "filter TEXT or CONDITION", "Show only rows that hold a text, or that a condition is true for.",
            f"{_OWN}:narrow", f"{_OWN}:columns"),
)  # fmt: skip


QUESTIONS: Final = ("select", "with")
"""What a question in SQL begins with."""


def every() -> tuple[Command, ...]:
    """The commands, then every action under its id."""
    names = {command.name for command in COMMANDS}
    return COMMANDS + tuple(
        Command(a.id, a.id, a.help, f"{_OWN}:action") for a in keys.ACTIONS if a.id not in names and a.id != "command"
    )


def load(target: str) -> Callable[..., object]:
    """The function that `module:function` names."""
    module, _, name = target.partition(":")
    found: Callable[..., object] = getattr(importlib.import_module(module), name)
    return found


def split(line: str) -> tuple[str, str]:
    """The name and the text after it; a question in SQL may stand without its command's name."""
    said = line.strip().removeprefix(":").strip()
    name, _, text = said.partition(" ")
    return ("sql", said) if name.lower() in QUESTIONS and text else (name.lower(), text.strip())


def find(name: str) -> Command | str:
    """The command of this name, or of the only one that begins so; else one line that says what there is."""
    known = {command.name: command for command in every()}
    if name in known:
        return known[name]
    begun = [command for command in COMMANDS if command.name.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    near = [c.name for c in begun] or get_close_matches(name, known, n=3, cutoff=0.5)
    there = ", ".join(near) if near else ", ".join(c.name for c in COMMANDS)
    return f"no command “{name}”; {'did you mean' if near else 'there are'} {there}"


async def carry_out(app: SizewatchApp, line: str) -> str | None:
    """Do what a line says; one line that says what is wrong with it, or None."""
    name, text = split(line)
    if not name:
        return None
    command = find(name)
    if isinstance(command, str):
        return command
    try:
        run = load(command.run)
        answer = run(app, command.name if command.run == f"{_OWN}:action" else text)
        return await answer if isinstance(answer, Awaitable) else None
    except faults() as error:  # what breaks in a command is said in its line, and ends nothing else
        log.exception("the command %s", command.name)
        return printable(f"{command.name} failed: {type(error).__name__}: {error}")[:200]


def completions(line: str, config: Config, here: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Whole lines that `line` may become, best first.

    here: by a command's name the words that it takes where it is said, such as the columns of the pane in focus.
    """
    body = line.lstrip().removeprefix(":").lstrip()
    if " " not in body:
        low = body.lower()
        return [command.name for command in every() if command.name.startswith(low)]
    name, _, text = body.partition(" ")
    if name.lower() in QUESTIONS:
        name, text = "sql", body
    command = find(name.lower())
    if isinstance(command, str) or not command.complete:
        return []
    own = (here or {}).get(command.name)
    try:
        words = load(command.complete)(text, config) if own is None else load(f"{_OWN}:begun")(text, own)
    except faults():  # the line can be typed without help
        log.exception("the completion of %s", command.name)
        return []
    lead = body[: len(body) - len(text.rpartition(" ")[2])]
    return [lead + word for word in words] if isinstance(words, list) else []


def hint(line: str) -> str:
    """The usage and the meaning of the command that the line begins with; empty where there is none yet."""
    name, _ = split(line)
    command = find(name) if name else ""
    return "" if isinstance(command, str) else f"{command.usage}: {command.help}"
