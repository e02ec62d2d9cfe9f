"""Numbers and states as text: pure, of known width, and never a zero where a value is missing.

Every function takes None for a missing value and answers `–`, or `…` where history is still warming. The minus is the
true one, `−`. Roles are names of meanings (`up`, `stale`), which `tui.theme` turns into colours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len, set_cell_size

MISSING: Final = "–"
WARMING: Final = "…"
SIMULATED: Final = "S"
FAILOVER: Final = "⇠"
GLYPHS: Final = {"ok": " ", "stale": "◌", "closed": "·", "estimated": "~", "warming": "…"}
"""One cell a status, so that no status is told by colour alone."""
BLOCKS: Final = "▁▂▃▄▅▆▇█"


def progress(done: int, wanted: int, width: int) -> str:
    """A bar of `width` cells; full only where all is done."""
    full = width if done >= wanted else min(width - 1, width * max(0, done) // max(1, wanted))
    return "━" * full + "─" * (width - full)


def absent(status: str | None = None) -> str:
    """What stands where there is no value: `…` while its history warms, else `–`."""
    return WARMING if status == "warming" else MISSING


def number(value: float | None, digits: int = 2, status: str | None = None) -> str:
    """Thousands separated, true minus, no sign on a positive value: `90,884.10`, `−0.62`."""
    if value is None or not math.isfinite(value):
        return absent(status)
    text = f"{value:,.{digits}f}"
    if text[0] == "-":
        text = "−" + text[1:] if text.strip("-0.,") else text[1:]
    return text


def signed(value: float | None, digits: int = 2, status: str | None = None) -> str:
    """A change: always with its sign, `+0.31`, `−1.94`; a change that rounds to nothing has none."""
    text = number(value, digits, status)
    return "+" + text if value is not None and value > 0 and text.strip("0.,") and text[0].isdigit() else text


def direction(value: float | None) -> str:
    """The role of a change: up, down, flat, or missing."""
    if value is None or math.isnan(value):
        return "missing"
    return "up" if value > 0 else "down" if value < 0 else "flat"


HEAT: Final[Mapping[str, tuple[float, ...]]] = {"crypto": (2.0, 5.0, 10.0), "other": (0.5, 1.0, 2.0)}
"""Changes of a day, in per cent, from which on a cell is warmer by a step."""


def heat(change: float | None, *, crypto: bool) -> str:
    """The role of a day's change with a ground that is warmer the larger it is; small ones have none."""
    role = direction(change)
    steps = sum(change is not None and abs(change) >= limit for limit in HEAT["crypto" if crypto else "other"])
    return f"heat-{role}-{steps}" if steps and role in ("up", "down") else role


def percent(fraction: float | None, digits: int = 0, status: str | None = None) -> str:
    """A fraction as per cent with its unit: `52 %`."""
    if fraction is None or not math.isfinite(fraction):
        return absent(status)
    return f"{number(100 * fraction, digits)} %"


def price_digits(value: float | None) -> int:
    """Decimals that carry meaning for a price of this size: about five significant digits, at least two."""
    if value is None or not value > 0:
        return 2
    return 2 if value >= 100 else 3 if value >= 10 else 4 if value >= 0.1 else 5 if value >= 0.01 else 8


def price(value: float | None, status: str | None = None) -> str:
    """A price with the decimals of its size: `90,884.10`, `0.2711`, `0.00000612`."""
    return number(value, price_digits(value), status)


def level(value: float | None) -> str:
    """A price that somebody chose: a whole one without decimals where they say nothing, `2,300`, else as `price`."""
    whole = value is not None and value >= 100 and value == round(value)
    return number(value, 0 if whole else price_digits(value))


def on_point(text: str, decimals: int) -> str:
    """Pad on the right so that the decimal points of a right-aligned column stand below each other.

    decimals: the most decimals that the column holds. A text without digits (`–`) stands where the units stand.
    """
    head, point, tail = text.rpartition(".")
    if not point or not head:
        return text + " " * (decimals + 1 if decimals else 0)
    return text + " " * (decimals - len(tail))


def compact(value: float | None, status: str | None = None) -> str:
    """A large amount with its magnitude: `2.4 tn`, `31.4 bn`, `612.0 mn`, `4.2 k`."""
    if value is None or not math.isfinite(value):
        return absent(status)
    from engine.amounts import scaled  # the first paint, which has no amount to show yet, does not wait for it

    amount, unit = scaled(value)
    return f"{number(amount, 1 if unit else 0)} {unit:<2}"


def age(seconds: float | None) -> str:
    """Time since something, in its largest whole unit: `0 s`, `59 s`, `12 m`, `3 h`, `2 d`."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    whole = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def countdown(seconds: float | None) -> str:
    """Time until something: `3 d 04 h`, `5 h 27 m`, `4 m 12 s`, `9 s`."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    whole = max(0, int(seconds))
    for size, unit, small, name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // small:02d} {name}"
    return f"{whole} s"


def new_york(at: float) -> datetime:
    """A moment (epoch seconds) in New York."""
    from zoneinfo import ZoneInfo  # the first paint, which has no time to show yet, does not wait for it

    return datetime.fromtimestamp(at, ZoneInfo("America/New_York"))


def moment(at: datetime, how: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time in New York, as in the header, and that it is: `2026-01-09 10:32:07 NY`. how: as strftime has it."""
    return f"{new_york(at.timestamp()):{how}} NY"


def ordinal(fraction: float | None) -> str:
    """A percentile from a fraction: `3rd`, `11th`, `50th`."""
    if fraction is None or not math.isfinite(fraction):
        return MISSING
    whole = round(100 * min(1.0, max(0.0, fraction)))
    ending = "th" if whole % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole}{ending}"


def sparkline(values: Sequence[float | None] | None, width: int) -> str:
    """The newest `width` values as blocks between their own least and greatest; blanks where missing."""
    tail = list(values or ())[-width:] if width > 0 else []
    known = [v for v in tail if v is not None and math.isfinite(v)]
    if not known:
        return " " * max(0, width)
    low, span = min(known), max(known) - min(known)
    cells = [
        " "
        if v is None or not math.isfinite(v)
        else BLOCKS[3] if span <= 0 else BLOCKS[min(7, int((v - low) / span * 8))]
        for v in tail
    ]  # fmt: skip
    return "".join(cells).rjust(width)


def z_bar(z: float | None, width: int = 15) -> str:
    """A z-score from the centre outwards, with marks at −2, 0 and +2; an arrow where it leaves the scale of ±2.8.

    width: odd, at least 11.
    """
    half = width // 2
    mark = round(half * 5 / 7)
    cells = [" "] * width
    if z is not None and math.isfinite(z):
        z = max(-99.0, min(99.0, z))
        reach = min(half, round(abs(z) / 2 * mark))
        step = -1 if z < 0 else 1
        for distance in range(1, reach + 1):
            cells[half + step * distance] = "▆"
        if abs(z) / 2 * mark > half + 0.5:
            cells[half + step * half] = "◀" if z < 0 else "▶"
    for at in (half - mark, half + mark):
        if cells[at] == " ":
            cells[at] = "┼"
    cells[half] = "│"
    return "".join(cells)


def z_scale(width: int = 15) -> str:
    """The heading that stands above `z_bar`: `−2`, `0` and `+2` over their marks."""
    half = width // 2
    mark = round(half * 5 / 7)
    cells = [" "] * width
    cells[half - mark - 1 : half - mark + 1] = "−2"
    cells[half] = "0"
    cells[half + mark - 1 : half + mark + 1] = "+2"
    return "".join(cells)


def range_bar(position: float | None, width: int) -> str:
    """Where a value stands between two bounds: `├────●────┤`; `◀` or `▶` where it lies beyond them."""
    if width < 3:
        return " " * max(0, width)
    cells = ["├", *"─" * (width - 2), "┤"]
    if position is None or not math.isfinite(position):
        return "├" + " " * (width - 2) + "┤"
    if position < 0:
        cells[0] = "◀"
    elif position > 1:
        cells[-1] = "▶"
    else:
        cells[1 + min(width - 3, int(position * (width - 2)))] = "●"
    return "".join(cells)


def position(value: float | None, low: float | None, high: float | None) -> float | None:
    """The fraction of the way from low to high, or None where that means nothing."""
    if value is None or low is None or high is None or not high > low:
        return None
    return (value - low) / (high - low)


def shorten(text: str, width: int) -> str:
    """A name cut to `width` cells, its end told by `…`."""
    if text.isascii() and len(text) <= width:
        return text
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…" if width > 0 else ""
