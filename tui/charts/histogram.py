"""The distribution of a series' returns: columns of equal width, the newest return's marked, and the normal curve.

Returns are differences of logarithms in per cent; only neighbouring bars make one, a hole makes none.
"""

from __future__ import annotations

import math

import numpy as np

from tui import format as fmt
from tui.charts import scale as scales
from tui.charts.canvas import Canvas, Caption, Floats
from tui.charts.data import Course, beginning
from tui.charts.options import Options
from tui.lines import Line, merged, plain

LEAST = 20
"""Returns below which a distribution says nothing."""


def returns_of(course: Course, span: str) -> Floats:
    """100·ln(C_t / C_{t−1}) of the bars that a span shows; NaN at holes left out."""
    closes = course.close[beginning(course.time, span) :]
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = 100.0 * np.diff(np.log(np.where(closes > 0, closes, np.nan)))
    return steps[np.isfinite(steps)]


def paint_returns(
    course: Course, options: Options, interval: str, width: int, height: int, *, stale: bool = False
) -> list[Line]:
    """The distribution in `width` × `height` cells; no lines where there are too few returns or too little room.

    stale: its newest return is not of now, so that nothing is told in the colours of what is.
    """
    values = returns_of(course, options.span)
    if len(values) < LEAST or width < 24 or height < 6:
        return []
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    reach = max(3.0 * sd, min(float(np.abs(values - mean).max()), 5.0 * sd)) or 1.0
    bins = max(11, min(width - 2, round(2 * math.sqrt(len(values)))))
    bins += 1 - bins % 2
    wide = max(1, (width - 2) // bins)
    bins = min(bins, (width - 2) // wide)
    columns, cell = bins * wide, 2 * reach / bins
    place = np.clip(((values - mean + reach) / cell).astype(int), 0, bins - 1)
    counts = np.bincount(place, minlength=bins).astype(np.float64)
    rows = height - 3
    canvas = Canvas(columns, rows)
    middles = mean - reach + (np.arange(bins) + 0.5) * cell
    tops = np.repeat(np.where(counts > 0, counts / counts.max(), np.nan), wide)
    if wide > 2:  # columns that do not touch
        tops[wide - 1 :: wide] = np.nan
    newest = int(place[-1])
    roles = ["bright" if x == newest else "up" if m > 0 else "down" for x, m in enumerate(middles.tolist())]
    if stale:  # the newest's column is told apart by being dimmer
        roles = ["dim" if role == "bright" else "stale" for role in roles]
    canvas.bars(tops, 0, rows, [role for role in roles for _ in range(wide)])
    normal = len(values) * cell * np.exp(-(((middles - mean) / sd) ** 2) / 2) / (sd * math.sqrt(2 * math.pi))
    y = 4 * rows - 1 - normal / counts.max() * (4 * rows - 1)
    dots = np.interp((np.arange(2 * columns) + 0.5) / (2 * wide), np.arange(bins) + 0.5, y)
    dots[(dots < 0) | (np.arange(2 * columns) % 2 > 0)] = np.nan
    canvas.columns(dots, dots, "dim" if stale else "accent")
    left = (width - columns) // 2
    head = _head(values, mean, sd, interval, width)
    head = ((plain(head), "stale"),) if stale else head
    lines = [head, *(merged(((" " * left, "dim"), *line)) for line in canvas.lines())]
    return [*lines, *_axis(mean, reach, columns, left, width)]


def _head(values: Floats, mean: float, sd: float, interval: str, width: int) -> Line:
    centred = (values - mean) / sd if sd > 0 else values * 0
    skew, excess = float((centred**3).mean()), float((centred**4).mean()) - 3.0
    newest = float(values[-1])
    parts = [
        (f" {len(values)} returns of {interval}  ", "dim"),
        ("newest ", "dim"), (f"{fmt.signed(newest)} %", "bright"),
        (f"  {fmt.signed((newest - mean) / sd, 1)} σ" if sd > 0 else "", "text"),
        ("  σ ", "dim"), (f"{fmt.number(sd)} %", "text"),
        ("  mean ", "dim"), (f"{fmt.signed(mean)} %", "text"),
        ("  skew ", "dim"), (fmt.signed(skew), "text"),
        ("  excess kurtosis ", "dim"), (fmt.signed(excess), "text"),
    ]  # fmt: skip
    while sum(len(text) for text, _ in parts) > width and len(parts) > 3:
        del parts[-2:]
    return merged(parts)


def _axis(mean: float, reach: float, columns: int, left: int, width: int) -> list[Line]:
    rule, words = Caption(width), Caption(width)
    rule.text(left, "─" * columns, "line")
    scale = scales.Scale(mean - reach, mean + reach, columns)
    marks = scales.ticks(scale, max(3, columns // 12))
    digits = scales.decimals(marks)
    for mark in marks:
        x = left + round((mark - mean + reach) / (2 * reach) * columns - 0.5)
        text = scales.label(mark, digits, percent=True)
        rule.text(x, "┬", "line")
        at = min(max(0, x - len(text) // 2), width - len(text))
        if words.free(at, len(text)):
            words.text(at, text, "dim")
    return [rule.line(), words.line()]
