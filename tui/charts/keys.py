"""What a chart does with keys while it has the focus: stated once, for its bindings, the help and the palette."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

from tui.keys import Action

CHART_ACTIONS: Final[tuple[Action, ...]] = (
    Action("chart_left", "h,left", "cross(-1)", "bar back", "Crosshair one bar back.", "Chart"),
    Action("chart_right", "l,right", "cross(1)", "bar on", "Crosshair one bar on.", "Chart"),
    Action("chart_left_far", "H", "cross(-10)", "ten back", "Crosshair ten bars back.", "Chart"),
    Action("chart_right_far", "L", "cross(10)", "ten on", "Crosshair ten bars on.", "Chart"),
    Action("chart_first", "g,home", "cross_end(-1)", "first bar", "Crosshair to the first bar.", "Chart"),
    Action("chart_last", "G,end", "cross_end(1)", "last bar", "Crosshair to the last bar.", "Chart"),
    Action("chart_shorter", "left_square_bracket", "step('span', -1)", "shorter",
           "A shorter span: MAX 5Y 1Y YTD 3M 1M 5D 1D.", "Chart"),
    Action("chart_longer", "right_square_bracket", "step('span', 1)", "longer",
           "A longer span: 1D 5D 1M 3M YTD 1Y 5Y MAX.", "Chart"),
    Action("chart_interval", "i", "step('interval', 1)", "interval",
           "The next interval: what suits the span, 1m, 5m, 1h, 1d.", "Chart"),
    Action("chart_kind", "c", "flip('line')", "candles", "Candles, or a line of closes.", "Chart"),
    Action("chart_scale", "o", "step('scale', 1)", "scale", "Linear, logarithmic, or per cent of the first bar.",
           "Chart"),
    Action("chart_averages", "m", "step('averages', 1)", "averages",
           "Moving averages of 20, 50 and 200 bars: none, simple, exponential.", "Chart"),
    Action("chart_volume", "v", "flip('volume')", "volume", "Volume below the price.", "Chart"),
    Action("chart_bands", "b", "flip('bands')", "bands", "Support and resistance across the price.", "Chart"),
    Action("chart_z", "B", "flip('z_bands')", "z-bands", "Mean and ±1, ±2 σ of a spread's last 252 days.", "Chart"),
    Action("chart_marks", "M", "flip('marks')", "marks", "Pivots, and where alerts fired.", "Chart"),
    Action("chart_compare", "equals_sign", "compare", "compare", "A second series, both in per cent; again: without.",
           "Chart"),
    Action("chart_uncross", "escape", "uncross", "hide", "Hide the crosshair; without one Esc leaves as elsewhere.",
           "Chart"),
    Action("chart_returns", "d", "flip('returns')", "returns", "The distribution of its returns, or its course.",
           "Chart"),
)  # fmt: skip


def chart_bindings() -> list[BindingType]:
    """The bindings that a chart holds."""
    return [Binding(a.keys, a.call, a.label, show=False, id=a.id, tooltip=a.help) for a in CHART_ACTIONS]
