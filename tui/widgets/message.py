"""The line above the keys: the one thing that the user most needs to be told now.

In order: the collector has ended, it is stuck, a notice, a source that is in trouble, what is still being waited for.
"""

from __future__ import annotations

from typing import Any

from tui import format as fmt
from tui.lines import BLANK, Line, fit
from tui.view import View
from tui.widgets.bar import Bar

TROUBLE = ("failed", "blocked", "rate-limited", "reconnecting", "stale", "closed")
_MARKS = {"info": ("i", "dim"), "warning": ("!", "warn"), "error": ("✗", "alert")}
BAR = 16
"""Cells of the bar that shows how far the download of the history is."""
HINT_S = 120.0
"""How long after the start a new user is told where to look, while there is nothing else to say."""
WARNED_S = 20.0
"""How long after the start what is wrong with the settings goes before the download of the history."""
NOTICE_S = 60.0
"""How long a notice that is no error stays."""


def in_trouble(view: View) -> list[dict[str, Any]]:
    """The sources that are, the worst first."""
    rows = [r for r in view.rows("feeds") if r["state"] in TROUBLE]
    return sorted(rows, key=lambda r: TROUBLE.index(r["state"]))


def trouble(view: View) -> tuple[int, str] | None:
    """How many sources are in trouble, and the worst of them in words with its next attempt; None where all is well."""
    rows = in_trouble(view)
    if not rows:
        return None
    worst = rows[0]
    words = f"{worst['source']} {worst['state']}"
    if worst["retry_at"] is not None:
        words += f", next try in {fmt.countdown(max(0.0, worst['retry_at'].timestamp() - view.now))}"
    if worst["error"]:
        words += f": {worst['error']}"
    return len(rows), " ".join(words.split())


def under_way(view: View) -> tuple[int, int] | None:
    """How many series of the history are there and are wanted, over all sources that load; None once all are there."""
    counted = [r for r in view.rows("feeds") if None not in (r["state"], r["done"], r["wanted"])]
    going_on = [r for r in counted if r["state"] not in TROUBLE]
    done, wanted = sum(r["done"] for r in going_on), sum(r["wanted"] for r in going_on)
    return (done, wanted) if done < wanted else None


def history(view: View) -> Line:
    """How far the first download of the history is; empty where there is none under way."""
    found = under_way(view)
    if found is None:
        return BLANK
    done, wanted = found
    bar = fmt.progress(done, wanted, BAR)
    return ((" … ", "dim"), (f"history {bar} {done} of {wanted} series", "dim"), ("  ? shows every key", "dim"))


def engine_words(view: View) -> Line:
    """What is wrong with the engine itself, or that it has yet to start; empty where it lives."""
    if view.failure is not None:
        return ((" ✗ ", "alert"), (f"the engine has ended: {view.failure}; nothing here moves any more", "alert"))
    if view.stuck:
        silent = fmt.age(view.beat_age)
        return ((" ✗ ", "alert"), (f"the engine has not answered for {silent}: what you see is that old", "alert"))
    if view.snapshot is None:
        after = f" ({fmt.age(view.waited)})" if view.waited >= 1 else ""
        return ((" … ", "dim"), (f"connecting: waiting for the engine to start{after}", "dim"))
    return BLANK


def message(view: View, warnings: tuple[str, ...] = ()) -> Line:
    """The line for this moment.

    warnings: what the terminal itself has to say, such as clashes of keys.
    """
    line = engine_words(view)
    snapshot = view.snapshot
    if line or snapshot is None:
        return line
    news = [n for n in snapshot.notices if n.severity == "error" or view.now - n.at < NOTICE_S]
    bad = trouble(view)
    if news:
        glyph, role = _MARKS.get(news[-1].severity, _MARKS["info"])
        line = ((f" {glyph} ", role), (" ".join(news[-1].text.split()), role))
    elif bad is not None:
        count, words = bad
        more = f"   and {count - 1} more" if count > 1 else ""
        line = ((" ! ", "warn"), (words, "warn"), (more, "dim"))
    elif warnings and (view.waited < WARNED_S or not history(view)):  # they stay: the download must be seen beside them
        more = f"   and {len(warnings) - 1} more, which ? lists" if len(warnings) > 1 else ""
        line = ((" ! ", "warn"), (warnings[0], "warn"), (more, "dim"))
    elif loading := history(view):
        line = loading
    elif snapshot.settled and view.waited < HINT_S:
        line = ((" i ", "dim"), ("? shows every key, : says what to do, 1–9 go to the screens", "dim"))
    elif not snapshot.settled:
        line = ((" … ", "dim"), ("still loading what the sources first have to deliver", "dim"))
    return line


class Message(Bar):
    """The message line."""

    warnings: tuple[str, ...] = ()

    def paint(self, view: View, width: int) -> Line:
        line = message(view, self.warnings)
        if len(line) < 2:
            return line
        mark, words, *rest = line
        tail = rest[0] if rest else ("", "dim")
        room = max(0, width - len(mark[0]) - len(tail[0]))
        text = words[0] if len(words[0]) <= room else fit(words[0], room)
        return (mark, (text, words[1]), tail)
