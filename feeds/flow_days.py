"""The rows under a heading as fund days: every row is a day, a footer, or damage that is named by sheet and row.

A figure of zero is taken as missing: issuers print it for days before a fund began. A date that stands twice with
different figures is damage, because nothing says which is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Final, NamedTuple

from engine.errors import BadDataError
from engine.model import FundDay
from feeds.flow_cells import Cell, day_first, day_of, decimal_comma, is_missing, number, scaled
from feeds.flow_headings import Column, Heading
from feeds.flow_names import symbol_of
from feeds.flow_sheets import Sheet

FIGURES: Final = ("nav", "shares", "aum")
FEW_SHARES: Final = 20_000
"""No fund of an exchange lives with fewer: a creation unit alone is 5,000 to 50,000."""
_UNITS: Final = {1e3: "thousands", 1e6: "millions", 1e9: "billions"}


class _Row(NamedTuple):
    number: int
    cells: Sequence[Cell]


def days_of(
    name: str, sheet: Sheet, heading: Heading, fund: str | None, ticker: str | None
) -> tuple[tuple[FundDay, ...], tuple[str, ...]]:
    """The days of a table, and notes for the user.

    fund: the ticker that the user gave. ticker: the one that the file gives elsewhere. Raises BadDataError.
    """
    where = f"{name}: {sheet.name}"
    rows = [_Row(number, row) for number, row in enumerate(sheet.rows[heading.row + 1 :], start=heading.row + 2)]
    own = fund or ticker
    if "fund" not in heading.columns and own is None:
        raise BadDataError(f"{name}: no ticker and no known fund name in it; name it with --fund TICKER")
    columns = heading.columns
    _cut_off(where, sheet, columns, rows)
    try:
        day_is_first = day_first(_cell(row.cells, columns["date"]) for row in rows)
        figures = (_cell(row.cells, columns[field]) for row in rows for field in FIGURES if field in columns)
        comma = decimal_comma(figures, semicolons=sheet.separator == ";")
    except ValueError as error:
        raise BadDataError(f"{where}: {error}") from error
    reader = _Reader(where, columns, fund, own, day_is_first, comma)
    days = list(reader.read(rows))
    if reader.errors:
        more = f" (and {len(reader.errors) - 1} more)" if len(reader.errors) > 1 else ""
        raise BadDataError(reader.errors[0] + more)
    if not days:
        raise BadDataError(f"{where}: a heading, but no rows under it")
    once = _each_once(where, days)
    converted, notes = _in_units(once)
    if reader.zeros:
        notes.append(f"{reader.zeros:,} figures of zero taken as missing")
    if late := [day for _, day in days if day.date > date.today() + timedelta(days=1)]:
        notes.append(f"{len(late):,} days lie in the future, the first {min(day.date for day in late)}")
    return converted, tuple(notes)


def _cell(row: Sequence[Cell], column: Column) -> Cell:
    return row[column.at] if column.at < len(row) else None


def _cut_off(where: str, sheet: Sheet, columns: dict[str, Column], rows: Sequence[_Row]) -> None:
    """Refuse text that breaks off within a row: its last figure may be a part of one."""
    if sheet.whole or not rows:
        return
    last = rows[-1]
    needed = max(columns[field].at for field in ("nav", "shares")) + 1
    if len(last.cells) < needed and not is_missing(_cell(last.cells, columns["date"])) and len(last.cells) > 1:
        raise BadDataError(f"{where} row {last.number}: the file ends within the row; it was not saved to its end")


class _Reader:
    """Reads rows; what cannot be read is added to `errors`."""

    def __init__(
        self,
        where: str,
        columns: dict[str, Column],
        given: str | None,
        own: str | None,
        day_is_first: bool,
        comma: bool,
    ) -> None:
        self._where, self._columns, self._given, self._own = where, columns, given, own
        self._day_first, self._comma = day_is_first, comma
        self.errors: list[str] = []
        self.zeros = 0

    def read(self, rows: Sequence[_Row]) -> Iterator[tuple[int, FundDay]]:
        """Every row that is a day, with its number."""
        for row in rows:
            first = _cell(row.cells, self._columns["date"])
            day = self._date(first)
            if day is None:
                # a footer's prose begins where the dates end; a figure without a date is damage
                if self._has_figures(row.cells) and not _is_below(first):
                    what = "figures without a date" if is_missing(first) else f"{str(first)[:40]!r} is no date"
                    self._fault(row, what)
                continue
            fund = self._fund(row)
            figures = [self._figure(row, field) for field in FIGURES]
            if fund is not None:
                yield row.number, FundDay(fund, day, *figures)

    def _fault(self, row: _Row, what: str) -> None:
        self.errors.append(f"{self._where} row {row.number}: {what}")

    def _date(self, cell: Cell) -> date | None:
        try:
            return None if is_missing(cell) else day_of(cell, day_first=self._day_first)
        except ValueError:
            return None

    def _has_figures(self, cells: Sequence[Cell]) -> bool:
        for field in ("nav", "shares"):
            try:
                if number(_cell(cells, self._columns[field]), comma=self._comma) is not None:
                    return True
            except ValueError:
                continue
        return False

    def _fund(self, row: _Row) -> str | None:
        cell = _cell(row.cells, self._columns["fund"]) if "fund" in self._columns else None
        if is_missing(cell) and self._own is not None:
            return self._own
        found = symbol_of(cell)
        if found is None and self._given is not None:
            return self._given  # the column holds a name; the user has said which fund it is
        if found is None:
            said = str(cell).strip()[:40] if cell is not None else ""
            self._fault(row, f"{said or 'nothing'!r} is no fund's symbol")
        return found

    def _figure(self, row: _Row, field: str) -> float | None:
        column = self._columns.get(field)
        if column is None:
            return None
        cell = _cell(row.cells, column)
        try:
            value = number(cell, comma=self._comma)
            if value is not None and value < 0:
                raise ValueError(cell)
        except ValueError:
            self._fault(row, f"{field} {str(cell)[:40]!r} is no positive number")
            return None
        self.zeros += value == 0
        return scaled(value, column.unit) if value else None


def _is_below(cell: Cell) -> bool:
    """Whether a row below the table begins here, whose figures are none of a day: a total, a mean, or prose.

    Prose with commas falls into several cells, and `as of Nov 20, 2025` then has a figure in the second.
    """
    if not isinstance(cell, str):
        return False
    text = cell.strip().lower()
    prose = len(re.findall(r"[a-z]{2,}", text[:200])) >= 3
    return prose or bool(re.match(r"(total|average|mean|median|sum|max|min|source)\w*\b", text))


def _each_once(where: str, days: Sequence[tuple[int, FundDay]]) -> list[FundDay]:
    """Each fund's each day once, in the file's order; a row's missing figures come from its double."""
    seen: dict[tuple[str, date], tuple[int, FundDay]] = {}
    for row, day in days:
        key = day.fund, day.date
        earlier, other = seen.setdefault(key, (row, day))
        if other == day:
            continue
        pairs = list(zip(other[2:], day[2:], strict=True))
        if any(a is not None and b is not None and a != b for a, b in pairs):
            clash = f"{day.fund} {day.date} stands twice with different figures (rows {earlier} and {row})"
            raise BadDataError(f"{where}: {clash}")
        seen[key] = earlier, FundDay(*key, *(a if a is not None else b for a, b in pairs))
    return [day for _, day in seen.values()]


def _in_units(days: Sequence[FundDay]) -> tuple[tuple[FundDay, ...], list[str]]:
    """The days in shares and dollars, where the assets show that a column is in thousands or millions, and notes.

    The assets are shares × NAV within a few per cent in any unit, so that their quotient shows the unit. Without assets
    nothing shows it: counts that no fund can live with are named, and left as they are.
    """
    quotients = [d.aum / (d.nav * d.shares) for d in days if d.nav and d.shares and d.aum]
    shares = assets = 1.0
    notes: list[str] = []
    if quotients:
        quotient = median(quotients)
        for unit, word in _UNITS.items():
            if abs(quotient / unit - 1) < 0.1:
                shares = unit
                notes.append(f"shares taken as {word}: assets ÷ NAV is that many times the count")
            elif abs(quotient * unit - 1) < 0.1:
                assets = unit
                notes.append(f"assets taken as {word} of USD: shares × NAV is that many times them")
    counts = [d.shares * shares for d in days if d.shares]
    if counts and max(counts) < FEW_SHARES:
        notes.append(
            f"at most {max(counts):,.0f} shares, which is too few for a fund: if they are thousands or millions,"
            " say so in the heading, as in “shares (000)”, and import again"
        )
    return tuple(
        day._replace(shares=day.shares and scaled(day.shares, shares), aum=day.aum and scaled(day.aum, assets))
        for day in days
    ), notes
