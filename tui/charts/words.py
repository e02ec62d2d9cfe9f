"""The words of a `:chart …` line; see `tui.charts.options`."""

from tui.charts.options import complete, read

__all__ = ["complete", "read"]
