"""Every action, stated once: its id, keys and words. Bindings, help, footer, palette and remapping read this list.

A user's `[keys]` maps an action's id to other keys; `remapped` refuses what is unknown and warns of clashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from textual.binding import Binding, BindingType

from tui.catalogue import SCREENS


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a user can do."""

    id: str
    """Its name in config's `[keys]`."""
    keys: str
    """Default keys as Textual names them, separated by commas."""
    call: str
    """The action string that the app carries out."""
    label: str
    """One or two words, for the footer."""
    help: str
    """One sentence, for help and palette."""
    group: str = "General"
    footer: int = 0
    """Place in the footer; 0: not there."""

    @property
    def context(self) -> str:
        """Where its keys hold: empty everywhere, else while a pane of this kind has the focus."""
        return self.group if self.group in CONTEXTS else ""


CONTEXTS: Final = {"Chart": "while a chart has the focus", "Alerts": "while alerts, the journal or the rules have it"}
"""Groups of actions that a kind of pane binds itself; there their keys go before those that hold everywhere."""


ACTIONS: Final[tuple[Action, ...]] = (
    *(Action(f"screen_{p.number}", str(p.number), f"app.screen({p.number})", p.title,
             f"{p.title}: {p.words}", "Screens", footer=int(p.number == 1))
      for p in SCREENS),
    Action("next_pane", "tab", "next_pane(1)", "pane", "Go to the next pane.", "Move", 2),
    Action("previous_pane", "shift+tab", "next_pane(-1)", "pane back", "Go to the previous pane.", "Move"),
    Action("down", "j,down", "move('down')", "down", "One row down.", "Move"),
    Action("up", "k,up", "move('up')", "up", "One row up.", "Move"),
    Action("left", "h,left", "side(-1)", "left", "Go to the pane on the left.", "Move"),
    Action("right", "l,right", "side(1)", "right", "Go to the pane on the right.", "Move"),
    Action("top", "g,home", "move('top')", "top", "First row.", "Move"),
    Action("bottom", "G,end", "move('bottom')", "bottom", "Last row.", "Move"),
    Action("half_down", "ctrl+d,pagedown", "move('half_down')", "half down", "Half a pane down.", "Move"),
    Action("half_up", "ctrl+u,pageup", "move('half_up')", "half up", "Half a pane up.", "Move"),
    Action("filter", "slash", "filter", "filter", "Show only rows whose text holds what you type.", "Rows", 3),
    Action("next_match", "n", "match(1)", "next match", "Go to the next row that holds what was searched for.", "Rows"),
    Action("previous_match", "N", "match(-1)", "match before", "Go to the row before that holds it.", "Rows"),
    Action("sort", "s", "sort", "sort", "Sort by the next column in sight; after the last, as configured.", "Rows"),
    Action("reverse", "S", "reverse", "reverse", "Turn the sorting round.", "Rows"),
    Action("detail", "enter", "detail", "detail", "All values of the row under the cursor.", "Rows", 5),
    Action("chart", "c", "chart", "chart", "The chart of what is under the cursor, on the whole screen.", "Rows"),
    Action("copy", "y", "copy", "copy", "Copy the row under the cursor.", "Rows"),
    Action("copy_value", "Y", "copy_value", "copy value", "Copy one value of the row, by its column.", "Rows"),
    Action("export", "e", "export", "export", "Write the pane's table to a file: CSV, Parquet or JSON.", "Rows"),
    Action("query", "Q", "app.query", "query", "Ask the live tables in SQL, on screen 9.", "Rows"),
    Action("group", "b", "group", "group", "Crypto by basket with totals, or in one list.", "Rows"),
    Action("zoom", "z", "zoom", "zoom",
           "Give the focused pane all the room, or give it back; meanwhile Tab goes through all panes.", "Screen"),
    Action("wider", "w", "resize(4, 0)", "wider", "The focused pane wider; `:layout save NAME` keeps it.", "Screen"),
    Action("narrower", "W", "resize(-4, 0)", "narrower", "The focused pane narrower.", "Screen"),
    Action("taller", "plus", "resize(0, 1)", "taller", "The focused pane taller.", "Screen"),
    Action("shorter", "minus", "resize(0, -1)", "shorter", "The focused pane shorter.", "Screen"),
    Action("picture", "x", "picture", "picture", "Write the screen to a file: SVG or text.", "Screen"),
    Action("freeze", "space", "app.freeze", "freeze", "Hold the screen still; the data goes on behind it.", "Screen"),
    Action("theme", "t", "app.theme", "theme", "Go to the next colour theme.", "Screen"),
    Action("redraw", "ctrl+l", "app.redraw", "draw anew", "Draw the whole screen anew.", "Screen"),
    Action("back", "escape", "back", "back", "Leave a help, detail, filter, zoom or freeze.", "Screen"),
    Action("replay_pause", "p", "app.replay('pause')", "pause replay", "Pause the replay, or let it go on.", "Replay"),
    Action("replay_step", "full_stop", "app.replay('step')", "step", "One beat of the replay.", "Replay"),
    Action("replay_back", "left_curly_bracket", "app.replay('back')", "back 1 min", "A minute back.", "Replay"),
    Action("replay_on", "right_curly_bracket", "app.replay('on')", "on 1 min", "A minute on.", "Replay"),
    Action("replay_far_back", "left_parenthesis", "app.replay('far_back')", "back 15 min", "15 min back.", "Replay"),
    Action("replay_far_on", "right_parenthesis", "app.replay('far_on')", "on 15 min", "15 min on.", "Replay"),
    Action("replay_slower", "less_than_sign", "app.replay('slower')", "slower", "The replay goes slower.", "Replay"),
    Action("replay_faster", "greater_than_sign", "app.replay('faster')", "faster", "It goes faster.", "Replay"),
    Action("command", "colon", "command", "command", "Say what to do: a command, completed by Tab.", "General",
           4),
    Action("acknowledge", "a", "app.acknowledge", "seen", "Mark the newest alert as seen.", "General"),
    Action("new_alert", "A", "app.new_alert", "new alert", "An alert on what is under the cursor, or charted.",
           "General"),
    Action("retry", "r", "app.retry", "retry", "Try every failed source again now.", "General"),
    Action("reload", "R", "app.reload", "reload config", "Read the configuration file again.", "General"),
    Action("palette", "ctrl+p", "app.command_palette", "palette", "Find any action by name.", "General"),
    Action("help", "question_mark,f1", "app.help", "help", "This page.", "General", 6),
    Action("suspend", "ctrl+z", "app.suspend_process", "to shell", "Stop, back to the shell; `fg` goes on.", "General"),
    Action("quit", "q,ctrl+q,ctrl+c", "app.quit", "quit", "Leave sizewatch.", "General", 7),
)  # fmt: skip

EVERYWHERE: Final = tuple(a.id for a in ACTIONS if a.call.startswith("app."))
"""Actions that need no pane: they are open on a page over the panes, too."""

_SHOWN: Final = {
    "slash": "/", "colon": ":", "plus": "+", "minus": "-", "question_mark": "?",
    "space": "Space", "escape": "Esc", "enter": "Enter", "tab": "Tab",
    "shift+tab": "Shift+Tab", "up": "↑", "down": "↓", "left": "←", "right": "→", "home": "Home", "end": "End",
    "pagedown": "PgDn", "pageup": "PgUp", "f1": "F1",
    "left_square_bracket": "[", "right_square_bracket": "]", "equals_sign": "=",
    "full_stop": ".", "left_curly_bracket": "{", "right_curly_bracket": "}", "left_parenthesis": "(",
    "right_parenthesis": ")", "less_than_sign": "<", "greater_than_sign": ">",
}  # fmt: skip
_NAMES: Final = {
    "/": "slash",
    "?": "question_mark",
    " ": "space",
    ":": "colon",
    ".": "full_stop",
    ",": "comma",
    "+": "plus",
    "-": "minus",
}


def normal(key: str) -> str:
    """A key as Textual names it: `/` is `slash`, `Esc` is `escape`; letters keep their case."""
    key = key.strip() or key
    if key in _NAMES:
        return _NAMES[key]
    shown = {text.lower(): name for name, text in _SHOWN.items()}
    return key if len(key) == 1 else shown.get(key.lower(), key.lower())


def display(keys: str) -> str:
    """Keys as a person reads them: `j ↓`, `Ctrl+D`."""
    return " ".join(_SHOWN.get(k) or (k.replace("ctrl+", "Ctrl+") if "+" in k else k) for k in keys.split(","))


@dataclass(frozen=True, slots=True)
class Keymap:
    """The actions with the keys in force, and what is wrong with what the user asked for."""

    actions: tuple[Action, ...]
    warnings: tuple[str, ...] = ()

    def changed(self) -> dict[str, str]:
        """Id → keys, for the actions whose keys are not the default ones."""
        default = {a.id: a.keys for a in every()}
        return {a.id: a.keys for a in self.actions if a.keys and a.keys != default[a.id]}


INSTEAD: Final[Mapping[str, Mapping[str, str]]] = {"sql": {"filter": "query"}}
"""Screen → what its footer shows → in whose place: what the screen is for, rather than what can be done everywhere."""


def shown_on(screen: str, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """The actions with the places that they have in the footer of this screen."""
    places = {a.id: a.footer for a in actions}
    for gone, comes in INSTEAD.get(screen, {}).items():
        places |= {comes: places[gone], gone: 0}
    return tuple(a if a.footer == places[a.id] else replace(a, footer=places[a.id]) for a in actions)


def every() -> tuple[Action, ...]:
    """Every action: those that hold everywhere, then those of charts and of alerts."""
    from tui.charts.keys import CHART_ACTIONS
    from tui.panes.alert_keys import ALERT_ACTIONS

    return ACTIONS + CHART_ACTIONS + ALERT_ACTIONS


def bindings(*ids: str) -> list[BindingType]:
    """The default bindings of the named actions, or of all: what a screen holds, and a keymap then changes by id."""
    return [
        Binding(a.keys, a.call, a.label, show=False, id=a.id, tooltip=a.help) for a in ACTIONS if not ids or a.id in ids
    ]


def remapped(wishes: Mapping[str, str]) -> Keymap:
    """The actions under a user's `[keys]`: id → keys separated by commas.

    An unknown id is refused with the ids that exist. A key that another action holds in the same context goes to the
    one that asked for it.
    """
    actions_there = every()
    if not wishes:
        return Keymap(actions_there)
    known = {a.id: a.context for a in actions_there}
    warnings = [
        f"keys.{name}: no such action; actions are {', '.join(sorted(known))}" for name in wishes if name not in known
    ]
    asked: dict[tuple[str, str], str] = {}
    """(context, key) → who asked for it"""
    chosen: dict[str, list[str]] = {}
    for name, keys in wishes.items():
        if name not in known:
            continue
        for key in (normal(k) for k in (keys.split(",") if keys != "," else [","])):
            place = (known[name], key)
            if place in asked:
                warnings.append(f"keys.{name} = {keys}: {display(key)} is already given to keys.{asked[place]}")
                continue
            asked[place] = name
            chosen.setdefault(name, []).append(key)
    actions = []
    for action in actions_there:
        mine = chosen.get(action.id)
        if mine is None:
            default = action.keys.split(",")
            mine = [k for k in default if (action.context, k) not in asked]
            warnings += [
                f"keys.{asked[action.context, k]}: {display(k)} no longer means “{action.label}”"
                for k in default if (action.context, k) in asked
            ]  # fmt: skip
        actions.append(replace(action, keys=",".join(mine)))
    return Keymap(tuple(actions), tuple(warnings))
