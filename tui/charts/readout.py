"""The line above a chart: the values under its crosshair, or of the newest bar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tui import format as fmt
from tui.charts import scale as scales
from tui.charts.binned import Binned
from tui.lines import Line, Span, merged, width_of

if TYPE_CHECKING:
    from tui.charts.picture import Picture

AVERAGES = ((20, "warn"), (50, "estimated"), (200, "flat"))
"""Bars of the moving averages, and the meaning that each is drawn in."""


Part = tuple[int, tuple[Span, ...]]
"""How much it can be done without, 0: not at all; and the words."""


def _two(picture: Picture, bins: Binned, index: int, base: float) -> list[Part]:
    """Each of two series by its change since their first common bar, and how far apart they are."""
    options = picture.options
    moment = scales.moment(int(bins.course.time[index]), picture.interval)
    parts: list[Part] = [(3, ((f" {moment} ", "dim"),))]
    changes = []
    for name, values, role in ((options.symbol, bins.course.close, "accent"),
                               (options.versus or "", bins.extra[-1], "warn")):  # fmt: skip
        value = float(values[index])
        change = 100 * (value / base - 1) if base > 0 and value == value else None  # noqa: PLR0124 — NaN
        changes.append(change)
        parts += [(1, ((f" {name} ", role),)), (0, ((f"{fmt.signed(change)} % ", fmt.direction(change)),))]
    first, second = changes
    if first is not None and second is not None:
        parts.append((4, ((f" apart {fmt.signed(first - second)} pp", "text"),)))
    return parts


def readout(picture: Picture, bins: Binned, at: int | None, width: int, base: float = math.nan) -> Line:
    """The values under the crosshair, or of the newest bar; the least important give way.

    base: the value of both of two series at their first common bar.
    """
    index = bins.size - 1 if at is None else at
    bars = bins.course
    close = float(bars.close[index])
    digits = fmt.price_digits(close if close == close else None)  # noqa: PLR0124 — NaN
    before = float(bars.close[index - 1]) if index else math.nan
    change = 100 * (close / before - 1) if before > 0 else None

    def price(value: float) -> str:
        return fmt.number(value, digits)

    parts: list[Part] = [
        (3, ((f" {scales.moment(int(bars.time[index]), picture.interval)} ", "dim"),)),
        *((4, ((f" {name} ", "dim"), (price(float(values[index])), "text")))
          for name, values in (("O", bars.open), ("H", bars.high), ("L", bars.low)) if np.isfinite(values[index])
          and picture.course.candles),
        (0, ((" C ", "dim"), (price(close), "bright"))),
        (1, ((f" {fmt.signed(change)} %", fmt.direction(change)),)),
    ]  # fmt: skip
    if np.isfinite(bars.z[index]):
        parts.append((2, (("  z ", "dim"), (fmt.signed(float(bars.z[index])), "text"))))
    if bars.volume[index] > 0:
        parts.append((5, (("  V ", "dim"), (fmt.compact(float(bars.volume[index])).strip(), "text"))))
    if picture.other is not None:
        parts = _two(picture, bins, index, base)
    elif picture.options.averages != "none":
        names = ((f" {bars}", role) for bars, role in AVERAGES)
        parts.append((6, ((f"   {picture.options.averages.upper()}", "dim"), *names)))
    if bins.each > 1:
        lines = picture.options.line or picture.other is not None
        what = "candle" if picture.course.candles and not lines else "point"
        parts.append((7, ((f"  {bins.each} bars a {what}", "dim"),)))
    sizes = [(rank, width_of(spans)) for rank, spans in parts]
    least = next((most for most in range(7, 0, -1) if sum(size for rank, size in sizes if rank <= most) <= width), 0)
    return merged(span for rank, spans in parts if rank <= least for span in spans)
