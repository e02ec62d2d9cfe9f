"""Which fund a file is of: its own ticker, a name that is known, or the way in which its issuer names the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from feeds.flow_cells import Cell
from feeds.flow_headings import columns_of

SYMBOL: Final = r"[A-Z0-9.^=-]{1,12}"
LOOKED_AT: Final = 12
"""Rows from the top of a sheet in which an issuer names the fund."""
_TICKER: Final = r"[A-Z]{1,6}"
_LABELS: Final = frozenset({"ticker symbol", "ticker", "fund ticker", "symbol", "etf ticker", "fund symbol"})
FUND_NAMES: Final = {
    "ishares russell 2000 etf": "IWM",
    "ishares core s&p small-cap etf": "IJR",
    "ishares core s&p mid-cap etf": "IJH",
    "ishares russell mid-cap etf": "IWR",
    "ishares core s&p 500 etf": "IVV",
    "ishares russell 1000 etf": "IWB",
    "ishares russell 1000 value etf": "IWD",
    "ishares russell 1000 growth etf": "IWF",
    "ishares russell 2000 value etf": "IWN",
    "ishares russell 2000 growth etf": "IWO",
    "ishares russell 3000 etf": "IWV",
    "ishares micro-cap etf": "IWC",
    "ishares russell top 200 etf": "IWL",
    "ishares s&p 100 etf": "OEF",
    "ishares core s&p total u.s. stock market etf": "ITOT",
    "ishares s&p small-cap 600 value etf": "IJS",
    "ishares s&p small-cap 600 growth etf": "IJT",
    "ishares s&p mid-cap 400 value etf": "IJJ",
    "ishares s&p mid-cap 400 growth etf": "IJK",
    "ishares bitcoin trust": "IBIT",
    "ishares bitcoin trust etf": "IBIT",
    "ishares ethereum trust": "ETHA",
    "ishares ethereum trust etf": "ETHA",
    "ishares tips bond etf": "TIP",
    "ishares 7-10 year treasury bond etf": "IEF",
    "ishares 20+ year treasury bond etf": "TLT",
    "ishares core u.s. aggregate bond etf": "AGG",
    "ishares msci emerging markets etf": "EEM",
    "ishares msci eafe etf": "EFA",
    "ishares silver trust": "SLV",
    "ishares gold trust": "IAU",
}
"""Names that iShares prints in its workbooks, which hold no ticker; others need `--fund`."""
_FILE_NAMES: Final = (
    re.compile(r"navhist-\w+-\w+-([A-Za-z]{1,6})\b"),
    re.compile(r"([A-Z]{2,6})[-_ ](?:historical|history|hist|nav|fund|price|shares)(?![a-z])", re.ASCII),
    re.compile(r"([A-Z]{2,6})[-_ ](?:historical|nav|fund)[-_]?(?:nav|data|history|prices?)?\b", re.ASCII),
)


def known_name(text: str) -> str | None:
    """The ticker of a fund that is called so; None of a name that is not known."""
    return FUND_NAMES.get(" ".join(re.sub("[®™]", "", text).lower().split()))


def ticker_of(name: str, sheets: Iterable[Sequence[Sequence[Cell]]]) -> str | None:
    """The fund's ticker, as the file's tables or its own name give it; None where neither does."""
    for rows in sheets:
        for words in _labelled(rows):
            for label, value in pairwise(words):
                if label.lower().rstrip(": ") in _LABELS and re.fullmatch(_TICKER, value):
                    return value
            for word in words:
                label, colon, value = word.partition(":")
                if colon and label.strip().lower() in _LABELS and re.fullmatch(_TICKER, value.strip()):
                    return value.strip()
                if (known := known_name(word)) is not None:
                    return known
    for pattern in _FILE_NAMES:
        if (found := pattern.match(name)) is not None:
            return found.group(1).upper()
    # `iShares-Russell-2000-ETF_fund.xls`
    said = re.split(r"_fund|\.", name, maxsplit=1)[0].replace("_", "-").lower()
    return next((ticker for full, ticker in FUND_NAMES.items() if re.sub(r"[^a-z0-9]+", "-", full) == said), None)


def _labelled(rows: Sequence[Sequence[Cell]]) -> Iterator[list[str]]:
    """The texts of the first rows, those left out that are a table's heading: `Ticker, NAV` names no fund `NAV`."""
    for row in rows[:LOOKED_AT]:
        columns, _ = columns_of(row)
        if len(columns) < 2:
            yield [str(cell).strip() for cell in row if cell is not None and str(cell).strip()]


@lru_cache(maxsize=1000, typed=True)
def symbol_of(cell: Cell) -> str | None:
    """The symbol in a cell of a column of funds, without exchange or country; None where there is none."""
    text = " ".join(str(cell).split()) if cell is not None else ""
    if (known := known_name(text)) is not None:
        return known
    text = re.sub(r"^[A-Z]{2,8}:", "", re.sub(r" US( EQUITY)?$", "", text.upper()))
    return text if re.fullmatch(SYMBOL, text, re.ASCII) and re.search("[A-Z]", text) else None
