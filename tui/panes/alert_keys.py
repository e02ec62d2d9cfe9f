"""What the keys mean while a list of alerts, events or rules has the focus."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

from tui.keys import Action

ALERT_ACTIONS: Final[tuple[Action, ...]] = (
    Action("alert_seen", "a", "seen", "seen", "Mark the alert under the cursor as seen.", "Alerts"),
    Action("alert_snooze", "u", "snooze", "snooze", "An hour without notices of this alert or rule.", "Alerts"),
    Action("alert_mute", "m", "mute", "mute", "No notices of it, until pressed again.", "Alerts"),
    Action("alert_chart", "c", "chart", "chart", "The chart of what it is about, back to when it happened.", "Alerts"),
    Action("alert_edit", "i", "edit", "edit rule", "Its rule in the form, with a preview.", "Alerts"),
    Action("alert_switch", "o", "switch", "rule on or off", "Its rule off, or on again.", "Alerts"),
    Action("alert_delete", "D,delete", "delete", "delete rule",
           "Forget a rule that was made here; one of the file, or a ready one, is again as it was written.", "Alerts"),
)  # fmt: skip


def bindings() -> list[BindingType]:
    """The default bindings, which a keymap changes by id."""
    return [Binding(a.keys, a.call, a.label, show=False, id=a.id, tooltip=a.help) for a in ALERT_ACTIONS]
