"""The heading of a fund's table: which column is the date, the fund, its NAV, its shares and its assets, in what unit.

Issuers name the same thing differently and put the unit into the name. A title that says another unit than US dollars,
or something that is not known, is no column of ours: better no table than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from feeds.flow_cells import Cell

LOOKED_AT: Final = 200
"""Rows from the top in which a heading may stand."""
WIDTH: Final = 256
"""Columns from the left that may be ours."""
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "date": (
        "date", "as of", "as of date", "asof date", "asofdate", "as-of date", "nav date", "trade date", "business date",
        "valuation date", "pricing date", "price date", "effective date", "fund date", "report date", "reporting date",
        "snapshot date", "nav as of date", "nav as of", "as of (nav)", "as at", "timestamp", "datetime", "day",
    ),
    "fund": ("ticker", "fund ticker", "ticker symbol", "etf ticker", "fund symbol", "symbol", "etf", "fund"),
    "nav": (
        "nav per share", "nav/share", "nav", "daily nav", "closing nav", "official nav", "nav price", "nav per unit",
        "net asset value per share", "net asset value (nav)", "fund nav", "navs", "net asset value",
    ),
    "shares": (
        "shares outstanding", "total shares outstanding", "shares out", "outstanding shares", "shares o/s",
        "share outstanding", "units outstanding", "shares in issue", "number of shares", "share count", "shares",
        "sharesoutstanding", "total shares", "so",
    ),
    "aum": (
        "total net assets", "net assets", "fund net assets", "aum", "assets under management", "fund aum", "total aum",
        "total net asset value", "total nav", "net asset value", "fund assets", "total assets", "net assets value",
        "total net assets value", "assets", "tna", "fund size",
    ),
}  # fmt: skip
"""Names of the columns, the surest first. `Net Asset Value` is assets where another column is the NAV per share."""
FLOW: Final = frozenset(
    {
        "flow", "flows", "net flow", "net flows", "daily flow", "daily flows", "daily net flow", "fund flow",
        "fund flows", "net fund flow", "net inflow", "net inflows", "netflow",
    }
)  # fmt: skip
NAMES: Final = {"date": "date", "nav": "NAV", "shares": "shares outstanding"}
"""What a table of days must have, in words."""
_UNITS: Final = {
    **dict.fromkeys(("", "usd", "dollars", "us dollars", "units", "unit", "actual"), 1.0),
    **dict.fromkeys(("000", "000s", "000's", "'000", "'000s", "thousand", "thousands", "k", "ths"), 1e3),
    **dict.fromkeys(("m", "mm", "mn", "mil", "mio", "mln", "mils", "million", "millions"), 1e6),
    **dict.fromkeys(("b", "bn", "bil", "billion", "billions"), 1e9),
}


class Column(NamedTuple):
    """A column of the table. unit: what its figures are to be multiplied by."""

    at: int
    unit: float = 1.0


class Heading(NamedTuple):
    """row: its number, from 0. titles: every title, without its unit."""

    row: int
    columns: dict[str, Column]
    titles: frozenset[str]


def title_of(cell: Cell) -> tuple[str, float]:
    """A title without its unit, in small letters, and the unit: `Shares Outstanding (000)` is 1,000."""
    text = re.sub("[\ufeff®™*†‡:]", "", str(cell) if cell is not None else "").lower()
    text = " ".join(text.replace("_", " ").split())[:80]
    unit = 1.0
    if (found := re.fullmatch(r"(.*?) ?\(([^()]*)\)", text)) and (inside := _unit(found[2])) is not None:
        text, unit = found[1], inside
    words = text.split()
    while len(words) > 1 and (inside := _unit(words[-1])) is not None:
        unit *= inside
        words.pop()
        if words[-1] == "in" and len(words) > 1:
            words.pop()
    return " ".join(words), unit


def _unit(text: str) -> float | None:
    """The factor that the words of a unit mean; None where they are no unit of dollars or of shares."""
    plain = re.sub(r"us\$|usd|\$", " ", text.removeprefix("in ").removesuffix(" of shares")).strip()
    return _UNITS.get(plain)


def columns_of(row: Sequence[Cell]) -> tuple[dict[str, Column], frozenset[str]]:
    """The known columns of a row, taken for a heading, and all its titles."""
    titled = [title_of(cell) for cell in row[:WIDTH]]
    titles = [title for title, _ in titled]
    columns: dict[str, Column] = {}
    taken: set[int] = set()
    for field, names in FIELDS.items():
        at = next((titles.index(name) for name in names if name in titles and titles.index(name) not in taken), None)
        if at is not None:
            columns[field] = Column(at, titled[at][1])
            taken.add(at)
    return columns, frozenset(titles)


def find_heading(rows: Sequence[Sequence[Cell]]) -> Heading | None:
    """The heading of the table of days among `rows`; None where there is none."""
    for number, row in enumerate(rows[:LOOKED_AT]):
        columns, titles = columns_of(row)
        if columns.keys() >= NAMES.keys():
            return Heading(number, columns, titles)
    return None


def nearest(rows: Sequence[Sequence[Cell]]) -> str | None:
    """What the row that comes closest to a heading lacks, in words; None where none comes close."""
    best: tuple[int, str] | None = None
    for number, row in enumerate(rows[:LOOKED_AT], start=1):
        columns, _ = columns_of(row)
        known = [words for field, words in NAMES.items() if field in columns]
        if len(known) > (best[0] if best else 1):
            lacks = ", ".join(words for field, words in NAMES.items() if field not in columns)
            best = len(known), f"row {number} names {' and '.join(known)}, but no {lacks}"
    return best[1] if best else None


def issuer(heading: Heading) -> str:
    """Whose table it is by its heading, whatever the file's form: `ishares`, `ssga`, or `csv` for all others."""
    if heading.titles >= {"as of", "nav per share", "shares outstanding"} and "fund" not in heading.columns:
        return "ishares"
    if heading.titles >= {"date", "nav", "shares outstanding", "total net assets"} and "fund" not in heading.columns:
        return "ssga"
    return "csv"
