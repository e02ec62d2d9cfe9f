"""The form of a rule: what it watches and what it tells, with what it would do now and would have done before.

Nothing that was typed is lost: a rule that is wrong stays as it is, with one line that names what is wrong. What is
kept is what the preview has shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Label

from engine.model import Intent
from tui.lines import Line, wrap
from tui.screens.live import LiveScreen
from tui.view import View
from tui.widgets.header import Header
from tui.widgets.linepane import LinePane
from tui.widgets.prompt import Typed
from tui.wishes import Wish

if TYPE_CHECKING:
    from engine.rule_trial import Now, Past
    from tui.app import SizewatchApp

WAIT_S: Final = 0.4
"""So long after the last key the rule is tried."""
LONGER_S: Final = 1.0
"""And so long after it over the stored history."""
ROWS: Final[tuple[tuple[str, ...], ...]] = (
    ("name", "watch"),
    ("when",),
    ("clear_when",),
    ("message",),
    ("for", "keep_firing_for", "cooldown", "max_age"),
    ("mode", "once_per_bar", "session", "expires"),
    ("severity", "notify"),
)
_LABELS: Final = {
    "clear_when": "over when", "keep_firing_for": "keep firing", "once_per_bar": "once per bar", "max_age": "max age",
}  # fmt: skip
_HINTS: Final = {
    "name": "a name", "watch": "spreads, or BTC/USD down 60000", "when": "pair = 'IWM/SPY' AND z252 > 2",
    "clear_when": "z252 < 1; empty: when it is no longer so", "message": "{pair} z {z252:+.2f}", "for": "30s",
    "keep_firing_for": "0", "cooldown": "15m", "max_age": "60s", "mode": "edge level latch",
    "once_per_bar": "1d 1h 5m 1m", "session": "24x7 RTH ETH", "expires": "2026-12-31T16:00-05:00",
    "severity": "warning critical info", "notify": "on silent off",
}  # fmt: skip


class Field(Typed):
    """One field; up and down go to its neighbours."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]


class Preview(LinePane):
    """What the rule would do."""

    heading = "Preview"
    ground = "surface"

    def __init__(self) -> None:
        super().__init__(id="preview")
        self.said: list[tuple[str, str]] = []
        """Words and their role, a paragraph each."""
        self._lines: list[Line] = []

    def say(self, said: list[tuple[str, str]]) -> None:
        """Show this."""
        if said != self.said:
            self.said = said
            self.repaint()

    def prepare(self, view: View, width: int) -> None:
        lines: list[Line] = []
        for words, role in self.said:
            indent = " " * (len(words) - len(words.lstrip()))
            lines += [((f" {indent}{part}", role),) for part in wrap(words, max(10, width - 2 - len(indent)))]
        self._lines = lines
        self.rows = [str(n) for n in range(len(lines))]

    def body(self, start: int, stop: int) -> list[Line]:
        return self._lines[start:stop]

    def waiting(self, view: View) -> str:
        return "write what is to be watched"


class AlertForm(LiveScreen):
    """A new rule from a line of text, or one that exists."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "keep", "keep", show=False, priority=True),
        Binding("escape", "leave", "leave", show=False),
        Binding("ctrl+q,ctrl+c", "app.quit", "quit", show=False),
    ]

    def __init__(self, text: str = "", fields: Mapping[str, str] | None = None) -> None:
        """text: as after `:alert`. fields: those of a rule that is to be changed, in the text's place."""
        super().__init__()
        self._text = text
        self._given = fields
        self._problem: str | None = None
        self._header = Header("header")
        self.preview = Preview()
        self._view: View | None = None
        self._filled = False
        """Whether the fields are there: a frame may come before them."""
        self._changed = 0.0
        """When something was typed, and not yet tried; 0: nothing."""
        self._tried: dict[str, str] | None = None
        self._now: Now | None = None
        self._past: Past | None = None
        self._future: Future[Past] | None = None
        self._asked: dict[str, str] | None = None
        self._history = ""
        """Why there is nothing to show of the past."""

    @classmethod
    def of(cls, name: str, definition: str) -> AlertForm:
        """The form of a rule as written (JSON)."""
        from engine.alert_text import fields_of

        return cls(fields=fields_of(name, json.loads(definition)))

    def compose(self) -> ComposeResult:
        given = dict(self._given or self._read())
        yield self._header
        with Vertical(id="form"):
            for row in ROWS:
                with Horizontal(classes="fields"):
                    for name in row:
                        yield Label(f" {_LABELS.get(name, name)}", classes="field-name")
                        yield Field(given.get(name, ""), placeholder=_HINTS[name], compact=True, id=f"field-{name}")
        yield self.preview
        yield Label(" Enter keeps it   Tab next field   Esc leaves it", id="form-keys")

    def _read(self) -> dict[str, str]:
        from engine.alert_text import parse

        config = self._app.config
        typed = parse(self._text, config.symbols, config.spreads.pairs)
        self._problem = typed.problem
        return typed.fields

    def on_mount(self) -> None:
        first = "watch" if self.field("watch") == "" else "when" if self.field("when") or self._problem else "name"
        self.set_focus(self.query_one(f"#field-{first}", Field))
        self._filled = True

    @property
    def _app(self) -> SizewatchApp:
        from tui.app import SizewatchApp

        assert isinstance(self.app, SizewatchApp)
        return self.app

    def field(self, name: str) -> str:
        """What stands in a field."""
        return self.query_one(f"#field-{name}", Field).value.strip()

    def fields(self) -> dict[str, str]:
        """What stands in all that are not empty."""
        found = {name: self.field(name) for row in ROWS for name in row}
        return {name: text for name, text in found.items() if text}

    # --- the preview

    def show(self, view: View) -> None:
        """Paint this moment; try the rule where it has rested for a while, and take in what has been found."""
        self._view = view
        if not self._filled:
            return
        self._header.show(view)
        fields = self.fields()
        if fields != self._tried:
            if self._changed == 0.0 or self._asked != fields:
                self._changed, self._asked = view.waited, fields
            if self._tried is None or view.waited - self._changed >= WAIT_S:
                self._try(fields, view)
        elif self._now is not None and self._future is None and self._past is None and not self._history:
            if view.waited - self._changed >= LONGER_S:
                self._look_back(fields, view)
        elif self._future is not None and self._future.done():
            self._take(self._future)
        self.preview.show(view)

    def _try(self, fields: dict[str, str], view: View) -> None:
        from engine.alert_text import raw_of
        from engine.rule_trial import try_now

        config = self._app.config
        tables = view.snapshot.tables if view.snapshot is not None else {}
        if self._tried is not None:
            self._problem = None
        self._tried, self._changed = fields, view.waited
        name = fields.get("name", "rule")
        self._now = try_now(name, raw_of(fields, config.symbols), config, tables) if fields else None
        self._past, self._history = None, ""
        if self._future is not None:
            self._future.cancel()
            self._future = None
        self._say()

    def _look_back(self, fields: dict[str, str], view: View) -> None:
        from engine.alert_text import raw_of
        from engine.rule_trial import TIMEOUT_S, try_past

        snapshot, worker = view.snapshot, self._app.worker
        if self._now is None or self._now.mistakes:
            return
        if worker is None or snapshot is None or snapshot.store is None:
            self._history = "there is no stored history here"
        else:
            raw = raw_of(fields, self._app.config.symbols)
            self._future = worker.submit(
                try_past, fields.get("name", "rule"), raw, self._app.config, snapshot.store, view.now,
                timeout_s=TIMEOUT_S,
            )  # fmt: skip
        self._say()

    def _take(self, future: Future[Past]) -> None:
        self._future = None
        error = None if future.cancelled() else future.exception()
        if future.cancelled():
            self._history = "not tried"
        elif error is not None:
            self._history = str(error)
        else:
            self._past = future.result()
        self._say()

    def _say(self) -> None:
        self.preview.say(said_of(self._problem, self._now, self._past, self._history))

    # --- what a user does

    def action_keep(self) -> None:
        """Save the rule, where it is right."""
        from engine.alert_text import raw_of

        if self._view is None:
            return
        fields = self.fields()
        if fields != self._tried:
            self._try(fields, self._view)
        if self._now is None or self._now.mistakes:
            self.notify("not kept: see what is wrong below the fields", severity="warning", timeout=4)
            return
        raw = raw_of(fields, self._app.config.symbols)
        arguments = {"name": fields.get("name", "rule"), "rule": json.dumps(raw)}
        self._app.post_message(Wish(Intent("save-rule", arguments)))
        self.notify(f"rule {arguments['name']} is kept; `:pane rules` on screen 8 shows it", timeout=5)
        self._end()

    def action_leave(self) -> None:
        """Go back; nothing is kept."""
        self._end()

    def _end(self) -> None:
        if self._future is not None:
            self._future.cancel()
        self.dismiss()


def said_of(problem: str | None, now: Now | None, past: Past | None, history: str) -> list[tuple[str, str]]:
    """The preview: what is wrong, or what matches now and when it would have fired."""
    said: list[tuple[str, str]] = [(f"✗ {problem}", "alert")] if problem else []
    if now is None:
        return said
    said += [(f"✗ {line}", "alert") for line in now.mistakes if problem is None or not line.startswith("on = ")]
    if now.mistakes:
        return said
    said.append((f"✓ {now.words}", "good"))
    said += [(f"  ▲ {row}  {message}", "text") for row, message in now.matches[:6]]
    if len(now.matches) > 6:
        said.append((f"  and {len(now.matches) - 6} more", "dim"))
    if history:
        said.append((f"history: {history}", "dim"))
    elif past is None:
        said.append(("… looking when it would have fired: this takes some seconds", "dim"))
    else:
        count = len(past.firings)
        times = "never" if not count else f"{count} time{'s' * (count != 1)}"
        said.append((f"would have fired {times} in {past.sessions:,} sessions, {past.first} to {past.last}", "bright"))
        said += [(f"  {day}  {row}  {message}", "text") for day, row, message in past.firings[:40]]
    return said
