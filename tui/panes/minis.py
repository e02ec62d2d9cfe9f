"""The dashboard's small charts, as layouts name them."""

from __future__ import annotations

from collections.abc import Mapping

from textual.widget import Widget

from tui.panes.chart import ChartPane
from tui.panes.spreads import SpreadsPane


class RatioChart(ChartPane):
    """The ratio under the cursor of the spreads beside it."""

    def __init__(self, id: str) -> None:
        super().__init__(None, id)

    def joined(self, panes: Mapping[str, Widget]) -> None:
        spreads = panes.get("spreads")
        self._spreads = spreads if isinstance(spreads, SpreadsPane) else None


def crypto_chart(id: str) -> ChartPane:
    """The ALT index against BTC."""
    return ChartPane(None, id)
