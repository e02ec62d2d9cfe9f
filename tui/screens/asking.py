"""A screen on which something can be typed: a filter, or a command after `:`. One line at a time, above the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tui.screens.live import LiveScreen
from tui.widgets.message import Message

if TYPE_CHECKING:
    from textual.widgets import Input

    from tui.app import SizewatchApp


class AskingScreen(LiveScreen):
    """The base of the screens of panes."""

    def __init__(self) -> None:
        super().__init__()
        self._message = Message("message")

    def narrow(self, text: str) -> None:
        """Show only rows that hold this text."""

    def unfit(self) -> str:
        """What is wrong with the filter that is typed, in one line; empty where nothing is."""
        return ""

    def words_here(self) -> dict[str, list[str]]:
        """By a command's name what may stand after it on this screen now; commands that are not named take the same
        words everywhere."""
        return {}

    def return_focus(self) -> None:
        """Give the focus back to who had it before something was typed."""

    @property
    def asked(self) -> bool:
        """True while a line is typed."""
        return bool(self.query("Prompt, CommandLine"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a line is typed, the keys that open one are letters like others."""
        return not (action in ("filter", "command") and self.asked)

    async def action_filter(self) -> None:
        """Ask for the text that rows must hold; each key narrows at once."""
        from tui.widgets.prompt import Prompt

        prompt = Prompt("")
        await self.mount(prompt, before=self._message)
        self.set_focus(prompt)

    async def action_command(self, value: str = "") -> None:
        """Ask for a command. value: what stands in the line at first."""
        from tui import commands
        from tui.widgets.commandline import CommandLine, Hints

        app = cast("SizewatchApp", self.app)
        hints, here = Hints(), self.words_here()
        line = CommandLine(
            hints, lambda text: commands.completions(text, app.config, here), commands.hint, app.history, value
        )
        await self.mount(hints, line, before=self._message)
        self.set_focus(line)
        line.cursor_position = len(value)

    async def leave_line(self) -> None:
        """Take away the line that is typed."""
        self.return_focus()  # first: the focus of what is removed goes to whoever comes next
        await self.query("Prompt, CommandLine, Hints").remove()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow to what has been typed so far."""
        from tui.widgets.prompt import Prompt

        if isinstance(event.input, Prompt):
            self.narrow(event.value)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, or carry out the command; one that is refused stays in its line."""
        from tui.widgets.commandline import CommandLine
        from tui.widgets.prompt import Prompt

        if not isinstance(event.input, Prompt | CommandLine):
            return
        event.stop()
        try:
            if isinstance(event.input, CommandLine):
                await self._enter(event.input.value.strip())
            elif wrong := self.unfit():
                self.notify(wrong, severity="warning", timeout=6)  # the line stays, to be mended
            else:
                await self.leave_line()
        finally:
            event.input.carried_out()

    async def _enter(self, text: str) -> None:
        await self.leave_line()
        history = cast("SizewatchApp", self.app).history
        if text and (not history or history[-1] != text):
            history.append(text)
        await self.say(text)

    async def say(self, text: str) -> None:
        """Carry out a command; one that is refused stands in its line with what is wrong."""
        from tui import commands
        from tui.widgets.commandline import CommandLine

        app = cast("SizewatchApp", self.app)
        problem = await commands.carry_out(app, text)
        here = app.screen
        if problem is not None and isinstance(here, AskingScreen):
            await here.action_command(text)
            here.query_one(CommandLine).wrong(problem)
