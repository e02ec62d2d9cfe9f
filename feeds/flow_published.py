"""Flows that somebody published, as evidence of how late counts are: a row a fund and day, or a column a fund.

Their unit does not matter and signs are kept; outflows in brackets, as in accounts, are negative.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from engine.errors import BadDataError
from engine.model import PublishedFlow
from feeds.flow_cells import Cell, day_first, day_of, decimal_comma, is_missing, number
from feeds.flow_headings import FIELDS, FLOW, WIDTH, title_of
from feeds.flow_names import symbol_of
from feeds.flow_sheets import Sheet

LOOKED_AT: Final = 50
"""Rows from the top in which a heading may stand."""
_NO_FUND: Final = frozenset({"OPEN", "HIGH", "LOW", "CLOSE", "VOLUME", "TOTAL", "PRICE", "INDEX", "FEE", "DATE"})


def published_of(name: str, sheet: Sheet, fund: str | None) -> tuple[PublishedFlow, ...]:
    """The flows of a table; () where it is another. Raises BadDataError where a row of it cannot be read.

    fund: ticker for a table that names none.
    """
    for number_, whole in enumerate(sheet.rows[:LOOKED_AT]):
        row = whole[:WIDTH]
        titles = [title_of(cell)[0] for cell in row]
        day = next((titles.index(title) for title in FIELDS["date"] if title in titles), None)
        flow = next((at for at, title in enumerate(titles) if title in FLOW), None)
        whose = next((titles.index(title) for title in FIELDS["fund"] if title in titles), None)
        if day is not None and flow is not None:
            if whose is None and fund is None:
                raise BadDataError(f"{name}: flows of no named fund; name it with --fund TICKER")
            columns = {flow: fund if whose is None else None}
            return _Table(name, sheet, number_, day, whose, columns).read()
        wide = _funds(row, day or 0)
        if wide and (day is not None or titles[0] == ""):
            found = _Table(name, sheet, number_, day or 0, None, dict(wide)).read()
            # money goes out as well as in: a table of prices or counts is none of flows
            return found if any(each.flow <= 0 for each in found) else ()
    return ()


def _funds(row: Sequence[Cell], day: int) -> dict[int, str | None]:
    """The columns that are headed by a ticker in capitals."""
    return {
        at: str(cell).strip()
        for at, cell in enumerate(row)
        if at != day and re.fullmatch(r"[A-Z]{2,5}", str(cell).strip(), re.ASCII)
        and str(cell).strip() not in _NO_FUND
        and not any(str(cell).strip().lower() in names for names in FIELDS.values())
    }  # fmt: skip


class _Table:
    """A table of flows.

    day, whose: the columns of the date and of the fund. flows: columns of flows and, of one fund's, whose it is.
    """

    def __init__(
        self, name: str, sheet: Sheet, heading: int, day: int, whose: int | None, flows: dict[int, str | None]
    ) -> None:
        self._name, self._day, self._whose, self._flows = name, day, whose, flows
        self._rows = sheet.rows[heading + 1 :]
        self._first = heading + 2
        try:
            self._day_first = day_first(row[day] for row in self._rows if len(row) > day)
            cells = (row[at] for row in self._rows for at in flows if at < len(row))
            self._comma = decimal_comma(cells, semicolons=sheet.separator == ";")
        except ValueError as error:
            raise BadDataError(f"{name}: {error}") from error

    def read(self) -> tuple[PublishedFlow, ...]:
        found: dict[tuple[str, date], PublishedFlow] = {}
        for number_, row in enumerate(self._rows, start=self._first):
            first = row[self._day] if self._day < len(row) else None
            if not re.search("[0-9]", str(first)):
                continue  # a blank line, a line under the heading, or a footer's totals
            for at, fund in self._flows.items():
                flow = self._flow(number_, first, row, at, fund)
                if flow is not None and found.setdefault((flow.fund, flow.date), flow) != flow:
                    raise BadDataError(f"{self._name}: {flow.fund} {flow.date} stands twice with different figures")
        return tuple(found.values())

    def _flow(self, number_: int, first: Cell, row: Sequence[Cell], at: int, fund: str | None) -> PublishedFlow | None:
        cell = row[at] if at < len(row) else None
        try:
            day = day_of(first, day_first=self._day_first)
            value = number(cell, comma=self._comma)
        except ValueError as error:
            raise BadDataError(f"{self._name}: row {number_}: no date, fund and flow in it") from error
        if value is None:
            return None
        if fund is None:
            whose = row[self._whose] if self._whose is not None and self._whose < len(row) else None
            fund = None if is_missing(whose) else symbol_of(whose)
        if fund is None:
            raise BadDataError(f"{self._name}: row {number_}: no date, fund and flow in it")
        return PublishedFlow(fund, day, value)
