"""The command line: a line to type in, and above it what may come next or what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.lines import Line, Span, fit, width_of
from tui.view import View
from tui.widgets.bar import Bar
from tui.widgets.prompt import Typed


def candidates(lines: Sequence[str], at: int, width: int) -> Line:
    """The last words of what the line may become, the chosen one marked; as many as fit around it."""
    words = [line.rpartition(" ")[2] for line in lines]
    start = 0
    while at >= 0 and sum(len(w) + 2 for w in words[start : at + 1]) > width - 4 and start < at:
        start += 1
    spans: list[Span] = [(" … " if start else " ", "dim")]
    for index, word in enumerate(words[start:], start):
        if width_of(spans) + len(word) + 3 > width:
            spans.append(("…", "dim"))
            break
        spans += [(word, "key" if index == at else "text"), ("  ", "dim")]
    return tuple(spans)


class Hints(Bar):
    """The line above: completions, the usage, or an error."""

    ground = "surface"

    def __init__(self) -> None:
        super().__init__(id="hints")
        self.words: Sequence[str] = ()
        self.at = -1
        self.usage = ""
        self.error = ""

    def say(self, view: View | None = None) -> None:
        """Paint what stands now, without waiting for the frame clock."""
        line = self.paint(view, self.size.width or self.app.size.width)
        if line != self._line:
            self._line = line
            self.refresh()

    def paint(self, view: View | None, width: int) -> Line:
        if self.error:
            return ((" ✗ ", "alert"), (fit(self.error, max(0, width - 4)), "alert"))
        if self.usage:
            room = max(0, width - 4 - len(self.usage))
            if self.words and room > 20:
                return ((f" {self.usage}   ", "dim"), *candidates(self.words, self.at, room))
            if not self.words:
                return ((f" {fit(self.usage, max(0, width - 2))}", "dim"),)
        return candidates(self.words, self.at, width)


class CommandLine(Typed):
    """One line after `:`. Tab completes, Up and Down go through what was said before, Esc leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", "complete", show=False),
        Binding("shift+tab", "complete(-1)", "complete back", show=False),
        Binding("up", "recall(-1)", "before", show=False),
        Binding("down", "recall(1)", "after", show=False),
    ]

    def __init__(self, hints: Hints, complete: Callable[[str], Sequence[str]], usage: Callable[[str], str],
                 history: Sequence[str], value: str = "") -> None:  # fmt: skip
        self._hints = hints
        self._complete = complete
        self._usage = usage
        self._history = history
        self._back = 0
        """How many lines before the newest stands here; 0: one's own."""
        self._own = value
        self._chosen: str | None = None
        """The completion that stands in the line because it was chosen: it is not completed further by itself."""
        super().__init__(value, compact=True, id="command", select_on_focus=False)

    def on_mount(self) -> None:
        self._look()

    def watch_value(self) -> None:
        """What is typed decides what may come next."""
        if self.value != self._chosen:
            self._chosen = None
            if self.is_mounted:
                self._look()

    def _look(self) -> None:
        hints = self._hints
        hints.words, hints.at, hints.error = self._complete(self.value), -1, ""
        hints.usage = self._usage(self.value)
        hints.say()

    def wrong(self, words: str) -> None:
        """Say what is wrong; the line stands as it was typed."""
        self._hints.error = words
        self._hints.say()

    def action_complete(self, step: int) -> None:
        """Take the next completion; the only one at once, with a blank after it."""
        hints = self._hints
        words = hints.words
        if not words:
            return
        hints.at = (hints.at + step) % len(words) if hints.at >= 0 else (0 if step > 0 else len(words) - 1)
        self._chosen = words[hints.at]
        if len(words) == 1:
            self._chosen = None
            self.value = words[0] + " "
        else:
            self.value = self._chosen
        self.cursor_position = len(self.value)
        hints.error = ""
        hints.say()

    def action_recall(self, step: int) -> None:
        """Go back or forth through what was said before."""
        if self._back == 0:
            self._own = self.value
        self._back = min(len(self._history), max(0, self._back - step))
        self.value = self._history[-self._back] if self._back else self._own
        self.cursor_position = len(self.value)
