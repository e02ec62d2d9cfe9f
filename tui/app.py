"""The terminal: one frame clock that reads the newest snapshot and hands it to the screens; nothing repaints by itself.

It knows the collector only as a `SnapshotSource`, and imports nothing heavy: the first paint waits for no data library.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.actions import ActionParseResult
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.command import Provider
from textual.dom import DOMNode
from textual.events import Event, Key
from textual.filter import LineFilter
from textual.screen import ModalScreen, Screen

from engine.clock import Clock
from engine.config import Config
from engine.config_looks import AUTO
from engine.errors import faults, printable
from engine.model import Intent, Mode, SnapshotSource
from tui import catalogue, keys, layouts, theme
from tui.plain import Plain, wanted
from tui.saved import SavedError, Shelf
from tui.screens.live import Slow, in_sight, leave
from tui.screens.panes import PaneScreen
from tui.thrift import ThriftyApp
from tui.toasts import PlainToasts
from tui.view import Eye
from tui.wishes import REPLAY, Wish

if TYPE_CHECKING:
    from engine.worker import Worker
    from tui.announce import Announcer

HISTORY: Final = 200
"""Lines of the command line that are remembered."""
log = logging.getLogger(__name__)


def _provider() -> type[Provider]:
    """Commands and symbols for the palette; imported when it is first opened."""
    from tui.palette import Words

    return Words


class SizewatchApp(PlainToasts, ThriftyApp):
    """sizewatch's terminal."""

    TITLE = "sizewatch"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = App.COMMANDS | {_provider}
    DEFAULT_MODE: ClassVar[str] = catalogue.SCREENS[0].name

    def __init__(
        self,
        source: SnapshotSource,
        config: Config,
        mode: Mode,
        scenario: str | None = None,
        clock: Clock | None = None,
        painted: Callable[[], None] | None = None,
        greets: bool = True,
        looks: bool = False,
    ) -> None:
        """Build the terminal over a collector.

        config: the one it starts with; later ones come with the snapshots. scenario: the demo's or the recording's
        name. clock: the system's where none is given. painted: called once the first frame stands; a collector that
        starts earlier imports its libraries in the way of it. greets: False for who has named a configuration, and so
        knows the way about. looks: True where the theme `auto` may look at the terminal's colours, which a picture's
        has none of.
        """
        super().__init__()
        self._source = source
        self._config = config
        self.shelf = Shelf(files=mode is Mode.LIVE)
        self.screens: dict[str, layouts.Layout] = {p.name: layouts.read(p.layouts) for p in catalogue.SCREENS}
        """Screen → where its panes stand."""
        self.history: deque[str] = deque(maxlen=HISTORY)
        """What was said after `:`, oldest first."""
        self._painted = painted
        self._failed = ""
        """The last failure of a screen that was told."""
        clock = clock or Clock()
        self.eye = Eye(source, clock, mode, scenario)
        self._greets = greets and mode is Mode.LIVE
        self._greeted = False
        self.instead: Mode | None = None
        """What the user would rather see than this run, once it has ended."""
        self._began = clock.now()
        self.actions = keys.remapped(config.keys)
        self.warnings = self.actions.warnings + self._kept_layout(config.appearance.layout)
        """What is wrong with the user's own keys, themes and layout."""
        for place in catalogue.SCREENS[1:]:
            self.add_mode(place.name, partial(self.screen_of, place))
        self._plain = Plain() if wanted(config.appearance.characters, os.environ) else None
        self._themes(config)
        self._looks = looks
        first = self._wanted(config)
        if self.available_themes[first].dark == self.current_theme.dark:
            # before there is anything to restyle: a watched change would have every stylesheet parsed twice
            self.set_reactive(App.theme, first)
            self.stylesheet.set_variables(self.get_css_variables())
        else:
            self.theme = first

    @cached_property
    def _announcer(self) -> Announcer:
        from tui.announce import Announcer  # before the first paint there is nothing to tell

        return Announcer(self._began, self.notify, self.bell, self._write)

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    def greet(self) -> None:
        """Say what there is, on a user's first live run."""
        from tui.screens.welcome import Welcome, due

        if self._greets and not self._greeted and due():
            self.push_screen(Welcome())
        self._greeted = True
        self.run_worker(catalogue.warm, name="what keys may ask for", group="warm", thread=True)

    def send(self, intent: Intent) -> None:
        """A wish to the engine."""
        self._source.send(intent)

    def queries(self) -> dict[str, str]:
        """Every saved query by name."""
        return self.shelf.queries(self._config.queries)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and the one for terminals without Unicode."""
        filters = super().get_line_filters()
        return filters if self._plain is None else [*filters, self._plain]

    def use_layouts(self, made: Mapping[str, layouts.Layout]) -> None:
        """Arrange these screens anew."""
        self.screens |= made
        for place in catalogue.SCREENS:
            try:
                screen = self.get_screen_stack(place.name)[0]
            except KeyError:
                continue  # not opened yet
            if place.name in made and isinstance(screen, PaneScreen):
                screen.body.arrange_as(made[place.name])

    @property
    def worker(self) -> Worker | None:
        """Where heavy work is done; None where the source has none."""
        return getattr(self._source, "worker", None)

    def on_mount(self) -> None:
        first = catalogue.SCREENS[0]  # it stands already, as the default screen: a mode would have come up slower
        self.add_mode(first.name, partial(self.screen_of, first))
        self.set_keymap(self.actions.changed())
        if self._painted is not None:
            self.screen.call_after_refresh(self._painted)
        self.set_interval(1 / self._config.refresh.frame_hz, self.frame, name="frame clock")

    def get_default_screen(self) -> PaneScreen:
        return self.screen_of(catalogue.SCREENS[0])

    def screen_of(self, place: catalogue.Place) -> PaneScreen:
        """One of the nine screens, new."""
        shown = keys.shown_on(place.name, tuple(a for a in self.actions.actions if not a.context))
        screen = PaneScreen(place, self.screens[place.name], shown, self.warnings, (*self.size,))
        # a new screen is styled as it is mounted; Textual would first have every stylesheet parsed again, twice
        screen._css_update_count = self._css_update_count
        return screen

    async def on_event(self, event: Event) -> None:
        """Carry out a key before the next one is looked at: what is typed ahead belongs to what it opens or leaves.

        A line that is typed in takes its keys itself, in their order.
        """
        if isinstance(event, Key) and not event.is_forwarded:
            self.app_focus = True  # as Textual has it: keys come from a terminal that is looked at
            line = self.focused
            if line is None or not line.check_consume_key("a", "a"):
                if await self._check_bindings(event.key):
                    return
            elif isinstance(line, Slow) and not event.is_printable:
                await line.caught_up()  # a key that ends the line comes after what was typed into it
                if await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key):
                    await line.caught_up()
                    return
        await super().on_event(event)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """What a key, a click or the palette asks for; one that breaks is told, and ends nothing else."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except faults() as error:
            self._tell_failure(f"“{action if isinstance(action, str) else action[1]}”", error)
            return True

    def frame(self, *, at_once: bool = False) -> None:
        """One frame: read the newest snapshot, and let every live screen draw what differs. at_once: however far behind
        the terminal is."""
        try:
            self._frame(at_once)
        except faults() as error:  # the next one tries again
            self._tell_failure("a frame", error)

    def _frame(self, at_once: bool) -> None:
        view = self.eye.look()
        if view.snapshot is not None and view.snapshot.config is not self._config:
            self._apply(view.snapshot.config)
        latest = self._source.latest()
        if latest is not None:  # a screen that is held still does not hold back alerts
            self._announcer.tell(latest)
            if not self._greeted:
                self.greet()
        self.pay()
        if self.held_up() and not at_once:
            return  # the terminal has not taken the last frames yet; it is shown the newest once it has
        with self.batch_update():
            for screen in in_sight(self.screen_stack):
                try:
                    screen.show(view)
                except faults() as error:  # one frame of one screen; the next one tries again
                    self._tell_failure(f"the screen {type(screen).__name__}", error)

    def _tell_failure(self, what: str, error: BaseException) -> None:
        words = printable(f"{what} failed: {type(error).__name__}: {error}")[:200]
        if words != self._failed:
            self._failed = words
            log.error("%s", what, exc_info=error)
            self.notify(words, severity="error")

    def _apply(self, config: Config) -> None:
        """Take over a configuration that was read anew."""
        old, self._config = self._config, config
        if config.themes != old.themes:
            self._themes(config)
        if config.appearance.theme != old.appearance.theme:
            self.theme = self._wanted(config)

    def _wanted(self, config: Config) -> str:
        """The theme to use, as Textual knows it. `NO_COLOR` leaves no colours to choose for."""
        name = config.appearance.theme
        if name == AUTO:
            name = theme.suited(self.console.color_system if self._looks and not self.no_color else None)
        return theme.full_name(name)

    def _kept_layout(self, name: str) -> tuple[str, ...]:
        """Use the layout that was saved under this name; what is wrong with it, in words."""
        if not name:
            return ()
        try:
            self.screens |= {screen: layouts.read(rows) for screen, rows in self.shelf.layout(name).items()}
        except (SavedError, layouts.LayoutError) as error:
            return (f"appearance.layout: {error}",)
        return ()

    def _themes(self, config: Config) -> None:
        """Make the built-in themes and the user's known."""
        for name, table in config.themes.items():
            self.warnings += tuple(w for w in theme.define(name, table) if w not in self.warnings)
        for name in theme.names():
            self.register_theme(theme.theme(name))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action but the palette itself, on the screen that it was opened from."""
        for action in self.actions.actions:
            if action.id != "palette":
                yield SystemCommand(
                    f"{action.label}  {keys.display(action.keys)}",
                    action.help,
                    partial(self._on_screen, action, screen),
                )

    async def _on_screen(self, action: keys.Action, screen: Screen[object]) -> None:
        """Carry out an action of the palette; a pane's own on the pane in focus, else on the first that has it."""
        place: DOMNode = screen
        if action.context and isinstance(screen, PaneScreen):
            method = "action_" + action.call.partition("(")[0]
            able = [p for p in (screen.focused_pane(), *screen.in_sight()) if hasattr(p, method)]
            if not able:
                self.notify(f"{action.label}: only {keys.CONTEXTS[action.context]}; there is none here", timeout=4)
                return
            place = able[0]
        await self.run_action(action.call, default_namespace=place)

    def _write(self, sequence: str) -> None:
        """Put an escape sequence on the terminal, in order with what is painted."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def action_acknowledge(self) -> None:
        """Mark the newest alert that nobody has acknowledged as seen; over the detail of one, that one."""
        from tui.announce import newest
        from tui.screens.detail import Detail

        if isinstance(self.screen, Detail) and self.screen.acknowledge():
            return
        latest = self._source.latest()
        wish = newest(latest.tables.get("alerts")) if latest is not None else None
        if wish is None:
            self.notify("no alert waits to be acknowledged", timeout=2)
            return
        self._source.send(wish)
        self.notify(f"{wish.arguments['rule']} {wish.arguments['row']}: seen", timeout=2)

    def on_wish(self, message: Wish) -> None:
        """A pane asks for something."""
        self._source.send(message.intent)

    async def action_new_alert(self) -> None:
        """The form for a new alert, on what is charted or under the cursor."""
        from tui.charts.pane import charted
        from tui.screens.alert_form import AlertForm
        from tui.screens.detail import Detail

        about = self.screen.subject if isinstance(self.screen, Detail) else None
        if isinstance(self.screen, PaneScreen):
            about = charted(self.screen.focused_pane())
        await self.push_screen(AlertForm(about or ""))

    async def action_help(self) -> None:
        """Show every key; the key that opened the page closes it."""
        from tui.screens.help import Help

        if isinstance(self.screen, Help):
            self.screen.dismiss()
        else:
            await self.push_screen(Help(self.actions.actions, self.warnings))

    async def action_screen(self, number: int) -> None:
        """Go to one of the nine screens, which keeps its cursors, filter and zoom; from a chart over it, to itself.

        Pages of help and detail that lie on top are left for good.
        """
        name = catalogue.BY_NUMBER[number].name
        await leave(self, (ModalScreen, PaneScreen) if self.current_mode == name else ModalScreen)
        left = in_sight(self.screen_stack) if self.current_mode != name else []
        await self.switch_mode(name)
        self.frame(at_once=True)
        for screen in left:
            screen.forget()

    async def action_query(self) -> None:
        """Go to the screen of questions and ask for one."""
        await self.action_screen(9)
        if isinstance(self.screen, PaneScreen) and not self.screen.asked:
            pane = self.screen.body.panes.get("sql")
            await self.screen.action_command(f"sql {getattr(pane, 'asked', '') or 'SELECT '}")

    def action_theme(self) -> None:
        """Go to the next colour theme."""
        names = theme.names()
        name = names[(names.index(self.theme.removeprefix("sizewatch-")) + 1) % len(names)]
        self.theme = theme.full_name(name)
        self.notify(f"theme {name}", timeout=2)

    def action_freeze(self) -> None:
        """Hold the screen still, or let it go on."""
        self.eye.freeze(not self.eye.frozen)
        self.frame()

    def action_thaw(self) -> None:
        """Let the screen go on."""
        self.eye.freeze(False)
        self.frame()

    def action_replay(self, what: str) -> None:
        """Steer the recording that is being played."""
        if self.eye.mode is not Mode.REPLAY:
            self.notify("only in a replay: sizewatch replay FILE", timeout=2)
            return
        self._source.send(REPLAY[what])

    def action_retry(self) -> None:
        """Ask every failed source to try again now."""
        self._source.send(Intent("retry"))

    def action_reload(self) -> None:
        """Ask for the configuration file to be read again."""
        self._source.send(Intent("reload-config"))
