"""Toasts are text alone: what they tell of may come from a rule, a file or a source."""

from __future__ import annotations

from textual.app import App
from textual.notifications import SeverityLevel

from engine.errors import printable


class PlainToasts(App[None]):
    """An app whose toasts neither read markup nor pass on control characters."""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """A toast, from anywhere in the terminal. markup: not heeded; what stands in brackets is a text's own.

        What a key is answered with stands once, however often the key is pressed meanwhile.
        """
        text, head = printable(message), printable(title)
        said = (text, head, severity)
        if severity == "information" and said in [(n.message, n.title, n.severity) for n in self._notifications]:
            return
        super().notify(text, title=head, severity=severity, timeout=timeout, markup=False)
