"""One cell of a fund's file as a figure or a date; what it may mean is settled by its column, never by the cell alone.

`12/11/2025` and `220,125` each have two meanings. The other cells of the column say which one is meant; where they do
not, the file is refused with a sentence that says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

Cell = str | float | int | bool | date | datetime | time | timedelta | None

YEARS: Final = range(1980, 2101)
"""No fund's day lies outside of these."""
_MISSING: Final = frozenset(
    {
        "", "-", "--", "---", "–", "—", "*", ".", "n/a", "na", "n.a.", "#n/a", "nan", "null", "none", "holiday",
        "us holiday", "market holiday", "closed", "market closed", "awaited", "not available", "pending", "tbd",
    }
)  # fmt: skip
"""What issuers print where they have no figure; SSGA's gold fund names its holidays in the column of the figures."""
_CURRENCY: Final = re.compile(r"us\$|usd|\$", re.IGNORECASE)
_SPACES: Final = re.compile("[\\s\u00a0\u2007\u2009\u202f'’]+")
_SUFFIX: Final = {"k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9}
_PLAIN: Final = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,16})?", re.ASCII)
_FIGURE: Final = re.compile(r"[(+−-]*([0-9.,]*[0-9][0-9.,]*)\)?[a-z]{0,2}", re.ASCII)
_POINT: Final = re.compile(
    r"([+-]?)([0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}|[0-9]*)(\.[0-9]*)?(e[+-]?[0-9]{1,3})?", re.ASCII
)
_COMMA: Final = re.compile(r"([+-]?)([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]*)(,[0-9]*)?(e[+-]?[0-9]{1,3})?", re.ASCII)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME: Final = r"(?:[ t]+[0-9]{1,2}:[0-9]{2}.{0,24})?"
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})" + _TIME)
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0+)?")
_SERIAL: Final = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_MONTH_FIRST: Final = re.compile(r"(?:[a-z]{3,9},? +)?([a-z]{3,9})\.? +([0-9]{1,2}),? +([0-9]{4})" + _TIME)
_DAY_FIRST: Final = re.compile(r"(?:[a-z]{3,9},? +)?([0-9]{1,2})[- /.]+([a-z]{3,9})[- /.,]+([0-9]{4}|[0-9]{2})" + _TIME)
_NUMERIC: Final = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})" + _TIME)


def is_missing(cell: Cell) -> bool:
    """Whether a cell holds nothing, or one of the issuers' signs and words for nothing."""
    return cell is None or (isinstance(cell, str) and _SPACES.sub(" ", cell).strip().lower() in _MISSING)


def number(cell: Cell, *, comma: bool = False) -> float | None:
    """A finite number, with sign, thousands and magnitude (`1,001.13 M`); None where nothing stands.

    comma: decimals follow a comma, as `decimal_comma` found. In brackets is negative, as in accounts. Raises ValueError
    where there is something else.
    """
    if isinstance(cell, str) and not comma and _PLAIN.fullmatch(cell):
        return _finite(float(cell))  # as nearly all figures are
    if is_missing(cell) or isinstance(cell, bool):
        return None
    if isinstance(cell, (int, float)):
        if isinstance(cell, float) and math.isnan(cell):
            return None
        return _finite(float(cell) if abs(cell) < 1e300 else math.inf)
    if not isinstance(cell, str) or len(cell) > 60:
        raise ValueError(cell)
    text = _SPACES.sub("", _CURRENCY.sub("", cell)).lower().replace("−", "-")
    sign = 1.0
    if text.startswith("(") and text.endswith(")"):
        sign, text = -1.0, text[1:-1]
    unit = 1.0
    if tail := re.search(r"(?<=[0-9.])[a-z]+$", text):
        if tail.group() not in _SUFFIX:
            raise ValueError(cell)
        unit, text = _SUFFIX[tail.group()], text[: tail.start()]
    found = (_COMMA if comma else _POINT).fullmatch(text)
    if found is None or not re.search(r"[0-9]", text):
        raise ValueError(cell)
    whole, part = found[2].replace(".", "").replace(",", ""), (found[3] or "").replace(",", ".")
    return _finite(sign * scaled(float(f"{found[1]}{whole or '0'}{part}{found[4] or ''}"), unit))


def scaled(value: float, unit: float) -> float:
    """`value` of a unit, so that 296.35 million is the same number as 296,350,000 in whatever form it is saved."""
    return value if unit == 1 else round(value * unit, 2)


def _finite(value: float) -> float:
    if not abs(value) < 1e16:
        raise ValueError(value)
    return value


def decimal_comma(cells: Iterable[Cell], *, semicolons: bool = False) -> bool:
    """Whether a comma, not a point, stands before the decimals of a file's figures.

    semicolons: the file's own separator leaves a comma free for decimals, so that `220,125` alone is ambiguous.
    Raises ValueError with a sentence where the figures contradict each other or leave it open.
    """
    sure: dict[bool, str] = {}
    doubtful: str | None = None
    for cell in cells:
        if not isinstance(cell, str) or len(cell) > 60 or ("," not in cell and "." not in cell):
            continue
        if False in sure and _PLAIN.fullmatch(cell):
            continue
        found = _FIGURE.fullmatch(_SPACES.sub("", _CURRENCY.sub("", cell)).lower())
        if found is None:
            continue  # prose below the table
        core = found[1]
        commas, points = core.count(","), core.count(".")
        if commas and points:
            sure.setdefault(core.rfind(",") > core.rfind("."), cell)
        elif commas + points > 1:
            sure.setdefault(points > 0, cell)
        else:
            before, after = re.split("[.,]", core)
            if len(after) != 3 or len(before) > 3 or before in {"", "0"}:
                sure.setdefault(commas > 0, cell)
            elif commas:
                doubtful = doubtful or cell
    if len(sure) == 2:
        raise ValueError(f"{sure[True]!r} has a decimal comma and {sure[False]!r} a decimal point")
    if not sure and doubtful is not None and semicolons:
        raise ValueError(f"{doubtful!r} may be thousands or decimals: write decimals with a point")
    return next(iter(sure), False)


def day_first(cells: Iterable[Cell]) -> bool:
    """Whether dates like `4/3/2025` put the day before the month.

    Raises ValueError with a sentence where the column contradicts itself, or where both readings would do.
    """
    texts = dict.fromkeys(cell for cell in cells if isinstance(cell, str))
    seen = {text.strip(): found for text in texts if (found := _slashed(text))}
    day = next((text for text, (first, second, _) in seen.items() if first > 12 >= second), None)
    month = next((text for text, (first, second, _) in seen.items() if second > 12 >= first), None)
    if day and month:
        raise ValueError(f"{day!r} has its day first and {month!r} its month: write dates like 2025-03-04")
    if day or month or all(first == second for first, second, _ in seen.values()):
        return day is not None
    by_month = sorted({date(year, first, second) for first, second, year in seen.values()})
    by_day = sorted({date(year, second, first) for first, second, year in seen.values()})
    readings = by_month, by_day
    weekends = [sum(each.weekday() > 4 for each in reading) for reading in readings]
    if bool(weekends[0]) != bool(weekends[1]):
        return bool(weekends[0])
    spans = [(reading[-1] - reading[0]).days for reading in readings]
    if min(spans) * 5 < max(spans):  # days of a fund lie close to each other
        return spans[1] < spans[0]
    text = next(text for text, (first, second, _) in seen.items() if first != second)
    raise ValueError(f"{text!r} may be day first or month first: write dates like 2025-03-04")


def _slashed(cell: str) -> tuple[int, int, int] | None:
    """Both numbers and the year of a date that is numeric and begins with either; None of another, or of no date."""
    found = _NUMERIC.fullmatch(" ".join(cell[:80].split()).rstrip("*†").strip().lower())
    if found is None or found[2] == ".":
        return None
    first, second, year = int(found[1]), int(found[3]), _year(found[4])
    return (first, second, year) if 1 <= first <= 31 and 1 <= second <= 31 and min(first, second) <= 12 else None


def _year(text: str) -> int:
    return int(text) if len(text) > 2 else int(text) + (2000 if int(text) < 80 else 1900)


@lru_cache(maxsize=20_000)
def _read_once(text: str, days_first: bool) -> date | None:
    for form, reading in _FORMS:
        if found := form.fullmatch(text):
            return reading(found, days_first)
    return None


def day_of(cell: Cell, *, day_first: bool = False) -> date:
    """The date in a cell, however its issuer writes it: ISO, named months, numbers in either order, or Excel's serial.

    Raises ValueError where there is none, or one that no fund can have.
    """
    found = _day_of(cell, day_first)
    if found is None or found.year not in YEARS:
        raise ValueError(cell)
    return found


def _day_of(cell: Cell, days_first: bool) -> date | None:
    if isinstance(cell, date):
        return cell.date() if isinstance(cell, datetime) else cell
    if not isinstance(cell, (str, int, float)) or isinstance(cell, bool):
        return None
    # a spreadsheet may hold a date as a number: 20250204, or days since the last day of 1899
    text = cell if isinstance(cell, str) else f"{cell:.0f}" if abs(cell) < 1e9 else ""
    text = " ".join(text[:80].split()).rstrip("*†").strip().lower()
    return _read_once(text, days_first)


def _numeric(found: re.Match[str], days_first: bool) -> date:
    first, second, year = int(found[1]), int(found[3]), _year(found[4])
    day, month = (first, second) if days_first or found[2] == "." else (second, first)
    return date(year, month, day)


def _named(month: str, day: str, year: str) -> date | None:
    return date(_year(year), _MONTHS.index(month[:3]) + 1, int(day)) if month[:3] in _MONTHS else None


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], bool], date | None]], ...]] = (
    (_YEAR_FIRST, lambda found, _: date(int(found[1]), int(found[3]), int(found[4]))),
    (_COMPACT, lambda found, _: date(*map(int, found.groups()))),
    (_NUMERIC, _numeric),
    (_DAY_FIRST, lambda found, _: _named(found[2], found[1], found[3])),
    (_MONTH_FIRST, lambda found, _: _named(*found.groups())),
    (_SERIAL, lambda found, _: date(1899, 12, 30) + timedelta(days=int(float(found[0])))),
)
