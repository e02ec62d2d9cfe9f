"""What can be done with an alert under the cursor, the same in every list of alerts: see, silence, chart, change."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, cast

from textual.binding import BindingType

from engine.model import Intent
from tui.panes import alert_keys
from tui.widgets.linepane import LinePane
from tui.wishes import Wish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.app import SizewatchApp

DAY: Final = 86_400.0
SPANS: Final = ((1.0, "1D"), (5.0, "5D"), (28.0, "1M"), (90.0, "3M"), (365.0, "1Y"), (1_825.0, "5Y"))
"""Days, and the shortest span of a chart that goes back so far."""

CHARTED: Final = ("spreads", "quotes", "levels", "baskets", "volumes", "flows", "rotation", "scanner")
"""Tables whose rows begin with the name of something that has a chart."""


class Chosen(NamedTuple):
    """What the cursor stands on."""

    rule: str
    row: str
    """`*`: the whole rule."""
    at: float | None = None
    """When it happened, epoch seconds."""


class AlertRows(LinePane):
    """The base of these lists."""

    BINDINGS: ClassVar[list[BindingType]] = alert_keys.bindings()
    narrows = True
    needle: str = ""

    def chosen(self) -> Chosen | None:
        """The alert or rule under the cursor."""
        raise TypeError(f"{type(self).__name__} lists nothing")

    def narrow_to(self, needle: str) -> None:
        """Show only rows that hold every word of this: severity, rule, row, state, message."""
        if needle != self.needle:
            self.needle = needle
            self.repaint()

    def holds(self, *texts: str | None) -> bool:
        """Whether these texts together hold every word of the filter."""
        whole = " ".join(text for text in texts if text).lower()
        return all(word in whole for word in self.needle.lower().split())

    def _wish(self, action: str, chosen: Chosen, **more: str) -> None:
        self.post_message(Wish(Intent(action, {"rule": chosen.rule, "row": chosen.row, **more})))

    # --- what can be done

    def action_seen(self) -> None:
        """Mark the alert as seen."""
        chosen = self.chosen()
        if chosen is not None and chosen.row != "*":
            self._wish("acknowledge", chosen)
            self.notify(f"{chosen.rule} {chosen.row}: seen", timeout=2)

    def action_snooze(self) -> None:
        """An hour without notices of it."""
        chosen = self.chosen()
        if chosen is not None:
            self._wish("snooze", chosen)

    def action_mute(self) -> None:
        """No notices of it until this is pressed again."""
        chosen = self.chosen()
        if chosen is not None:
            self._wish("unmute" if self._silent(chosen) else "mute", chosen)

    def action_switch(self) -> None:
        """The rule off, or on again."""
        chosen, rule = self.chosen(), self.rule_row()
        if chosen is not None and rule is not None:
            action = "disable-rule" if rule["enabled"] else "enable-rule"
            self.post_message(Wish(Intent(action, {"name": chosen.rule})))

    def action_delete(self) -> None:
        """Forget a rule that was made here; another is as it was written."""
        chosen = self.chosen()
        if chosen is not None:
            self.post_message(Wish(Intent("delete-rule", {"name": chosen.rule})))

    async def action_edit(self) -> None:
        """Its rule in the form."""
        from tui.screens.alert_form import AlertForm

        rule = self.rule_row()
        if rule is not None:
            await self.app.push_screen(AlertForm.of(str(rule["rule"]), str(rule["definition"])))

    async def action_chart(self) -> None:
        """The chart of what it is about, back to the moment at which it happened, which is marked."""
        from tui.screens.chart import open_chart

        chosen = self.chosen()
        subject = subject_of(chosen, self.rule_row()) if chosen is not None else None
        if chosen is None or subject is None:
            self.notify("there is no chart of this", timeout=2)
            return
        now = self.view.now if self.view is not None else 0.0
        words = f"{subject} {span_for(now - (chosen.at or now))} marks"
        problem = await open_chart(cast("SizewatchApp", self.app), words)
        if problem is not None:
            self.notify(problem, severity="warning")

    # --- what is known of it

    def rule_row(self) -> dict[str, object] | None:
        """The rule of the row under the cursor, as the table `rules` has it."""
        chosen = self.chosen()
        return self.view.row("rules", rule=chosen.rule) if chosen is not None and self.view is not None else None

    def _silent(self, chosen: Chosen) -> bool:
        if self.view is None:
            return False
        row = self.view.row("alerts", rule=chosen.rule, row=chosen.row) if chosen.row != "*" else None
        row = row or self.view.row("rules", rule=chosen.rule)
        return row is not None and bool(row["silenced"])


def subject_of(chosen: Chosen, rule: Mapping[str, object] | None) -> str | None:
    """What an alert has a chart of: its pair, symbol, basket or base; None where it is about none."""
    watches = str(rule["watches"]) if rule is not None else ""
    crossing = re.match(r"(\S+) through ", watches)
    if crossing is not None:
        return crossing[1]
    on, first = watches.partition(":")[0], chosen.row.partition(" ")[0]
    if first == "*":
        return None
    if on in ("markets",):
        return f"{first}/USD" if first.isalnum() else None
    return (
        first if on in ("spreads", "quotes", "levels", "baskets", "volumes", "flows", "rotation", "scanner") else None
    )


def span_for(age: float) -> str:
    """The shortest span of a chart that holds a moment so many seconds ago."""
    return next((span for days, span in SPANS if age <= days * DAY), "MAX")


def epoch(moment: object) -> float | None:
    """Epoch seconds of a table's time."""
    return moment.timestamp() if isinstance(moment, datetime) else None
