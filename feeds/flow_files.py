"""Fund files that a user saved, read whole or not at all: a damaged file yields an error that says where, and no rows.

Read are: the iShares fund workbook (as served: SpreadsheetML named .xls; saved again: .xls or .xlsx), SSGA's
NAV-history workbook, and a plain CSV `date,fund,nav,shares[,aum]`. Sizes are bounded before anything is parsed, and XML
that declares entities is refused. Nothing here decides what a flow is; see `engine.flows`.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree

from engine.errors import BadDataError, faults
from engine.model import FundDay, PublishedFlow

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_UNPACKED: Final = 512 * 1024 * 1024
MAX_ROWS: Final = 200_000
MAX_DEPTH: Final = 32
"""Of XML elements in each other; a workbook's cells stand at the sixth."""
_SYMBOL: Final = r"[A-Z0-9.^=-]{1,12}"
_NS: Final = "{urn:schemas-microsoft-com:office:spreadsheet}"
_MISSING: Final = frozenset({"", "-", "--", "n/a", "na", "null", "none"})
_DATE_FORMATS: Final = ("%Y-%m-%d", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d %b %Y", "%m/%d/%Y", "%Y%m%d")
_HEADINGS: Final = {
    "date": ("date", "as of", "as of date"),
    "fund": ("fund", "ticker", "symbol"),
    "nav": ("nav", "nav per share", "nav (usd)", "net asset value"),
    "shares": ("shares outstanding", "shares", "shares out"),
    "aum": ("total net assets", "net assets", "aum", "fund net assets"),
}
FUND_NAMES: Final = {
    "ishares russell 2000 etf": "IWM",
    "ishares core s&p small-cap etf": "IJR",
    "ishares core s&p mid-cap etf": "IJH",
    "ishares russell mid-cap etf": "IWR",
    "ishares core s&p 500 etf": "IVV",
    "ishares russell 1000 etf": "IWB",
    "ishares russell 2000 value etf": "IWN",
    "ishares russell 2000 growth etf": "IWO",
    "ishares bitcoin trust": "IBIT",
    "ishares bitcoin trust etf": "IBIT",
    "ishares tips bond etf": "TIP",
    "ishares 7-10 year treasury bond etf": "IEF",
}
"""Names that iShares prints in its workbooks, which hold no ticker; others need `--fund`."""

Cell = str | float | int | bool | date | datetime | time | timedelta | None


class FlowFile(NamedTuple):
    """What one file held. format: `ishares`, `ssga` or `csv`."""

    path: str
    format: str
    days: tuple[FundDay, ...]
    published: tuple[PublishedFlow, ...] = ()
    """Flows that somebody else published, where the file is a CSV of those; it has no days then."""

    @property
    def funds(self) -> tuple[str, ...]:
        """The funds in it, each once."""
        return tuple(dict.fromkeys(day.fund for day in self.days))


class _Sheet(NamedTuple):
    name: str
    rows: list[list[Cell]]


def read_flow_file(path: Path, fund: str | None = None) -> FlowFile:
    """Read one file whole.

    fund: ticker for a workbook that names none. Raises BadDataError, naming file, sheet and row, where anything in it
    cannot be read; the caller has then imported nothing.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadDataError(f"{path.name}: {size:,} bytes; at most {MAX_BYTES:,} are read")
        blob = path.read_bytes()
    except OSError as error:
        raise BadDataError(f"{path.name}: {error.strerror or error}") from error
    return read_flow_bytes(path.name, blob, fund)


def read_flow_bytes(name: str, blob: bytes, fund: str | None = None) -> FlowFile:
    """As `read_flow_file`, of a file's bytes. name: the file's, which may hold the ticker."""
    if not blob.strip():
        raise BadDataError(f"{name}: the file is empty")
    sheets, form = _sheets(name, blob)
    if form == "csv" and (published := _published(name, sheets[0], fund)):
        return FlowFile(name, "published", (), published)
    errors: list[str] = []
    for sheet in sheets:
        header = _header(sheet)
        if header is None:
            continue
        at, columns = header
        ticker = fund or _ticker(name, sheets)
        if "fund" not in columns and ticker is None:
            raise BadDataError(f"{name}: no ticker and no known fund name in it; name it with --fund TICKER")
        days = tuple(_days(name, sheet, at, columns, ticker, errors))
        if errors:
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            raise BadDataError(errors[0] + more)
        if not days:
            raise BadDataError(f"{name}: {sheet.name}: a heading, but no rows under it")
        clash = _clash(days)
        if clash:
            raise BadDataError(f"{name}: {clash}")
        known = "csv" if form == "csv" else "ssga" if "aum" in columns else "ishares"
        return FlowFile(name, known, days)
    raise BadDataError(
        f"{name}: no table with a date, a NAV and shares outstanding"
        f" (sheets: {', '.join(sheet.name for sheet in sheets) or 'none'})"
    )


def _sheets(name: str, blob: bytes) -> tuple[list[_Sheet], str]:
    """Every sheet as rows of cells, whatever the file's form."""
    text = blob.lstrip(b"\xef\xbb\xbf \r\n\t")
    if text.startswith(b"<?xml") or b"urn:schemas-microsoft-com:office:spreadsheet" in text[:4096]:
        return list(_spreadsheetml(name, text)), "workbook"
    if blob.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return _workbook(name, blob), "workbook"
    if text[:200].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise BadDataError(f"{name}: a web page, not the fund's file: the site refused the download; save it by hand")
    try:
        rows = list(csv.reader(io.StringIO(blob.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadDataError(f"{name}: neither a workbook nor a UTF-8 CSV: {error}") from error
    if len(rows) > MAX_ROWS:
        raise BadDataError(f"{name}: {len(rows):,} rows; at most {MAX_ROWS:,} are read")
    return [_Sheet("table", [list[Cell](row) for row in rows])], "csv"


def _workbook(name: str, blob: bytes) -> list[_Sheet]:
    # the library costs time to load and is needed for imports alone
    from python_calamine import CalamineWorkbook

    if blob.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(blob)) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
        except faults() as error:
            raise BadDataError(f"{name}: a damaged workbook: {error}") from error
        if unpacked > MAX_UNPACKED:
            raise BadDataError(f"{name}: unpacks to {unpacked:,} bytes; at most {MAX_UNPACKED:,} are read")
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(blob))
        return [
            _Sheet(sheet, [list[Cell](row) for row in book.get_sheet_by_name(sheet).to_python(nrows=MAX_ROWS)])
            for sheet in book.sheet_names
        ]
    except faults() as error:  # what a damaged file makes of a library may be anything at all
        raise BadDataError(f"{name}: a damaged workbook: {error}") from error


class _Shallow(ElementTree.TreeBuilder):
    """Builds a tree that is no deeper than a workbook is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._depth = 0

    def start(self, tag: Any, attrs: dict[Any, Any], /) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadDataError(f"{self._name}: XML of more than {MAX_DEPTH} levels, which no workbook has")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Any:
        self._depth -= 1
        return super().end(tag)


def _spreadsheetml(name: str, blob: bytes) -> Iterator[_Sheet]:
    """Sheets of an Excel 2003 XML workbook; bare ampersands, which iShares prints, are mended first."""
    if re.search(rb"<!(DOCTYPE|ENTITY)", blob, re.IGNORECASE):
        raise BadDataError(f"{name}: the XML declares entities, which a fund's workbook has no use for")
    mended = re.sub(rb"&(?!#\d+;|#x[0-9A-Fa-f]+;|amp;|lt;|gt;|quot;|apos;)", b"&amp;", blob)
    try:
        root = ElementTree.fromstring(mended, ElementTree.XMLParser(target=_Shallow(name)))
    except ElementTree.ParseError as error:
        raise BadDataError(f"{name}: damaged XML at line {error.position[0]}: {error.msg}") from error
    for worksheet in root.iter(f"{_NS}Worksheet"):
        rows: list[list[Cell]] = []
        for row in worksheet.iter(f"{_NS}Row"):
            if len(rows) >= MAX_ROWS:
                raise BadDataError(f"{name}: more than {MAX_ROWS:,} rows")
            cells: list[Cell] = []
            for cell in row.iter(f"{_NS}Cell"):
                index = cell.get(f"{_NS}Index", "")
                # a cell may skip ahead; a wild index must not become a wild allocation
                if index.isdigit():
                    cells.extend([None] * min(int(index) - 1 - len(cells), 256))
                data = cell.find(f"{_NS}Data")
                cells.append("".join(data.itertext()).strip() if data is not None else None)
            rows.append(cells)
        yield _Sheet(worksheet.get(f"{_NS}Name", "sheet"), rows)


def _header(sheet: _Sheet) -> tuple[int, dict[str, int]] | None:
    """Row number (from 0) and columns of the table's heading; None where this sheet has none."""
    for number, row in enumerate(sheet.rows[:200]):
        titles = [str(cell).strip().lower() if cell is not None else "" for cell in row]
        columns = {
            field: titles.index(next(title for title in names if title in titles))
            for field, names in _HEADINGS.items()
            if any(title in titles for title in names)
        }
        if {"date", "nav", "shares"} <= columns.keys():
            return number, columns
    return None


def _published(name: str, sheet: _Sheet, fund: str | None) -> tuple[PublishedFlow, ...]:
    """The flows of a CSV `date,fund,flow`; () where it is another. Raises BadDataError where a row cannot be read."""
    titles = [str(cell).strip().lower() for cell in (sheet.rows[0] if sheet.rows else ())]
    if not {"date", "flow"} <= set(titles) or "shares" in titles or (fund is None and "fund" not in titles):
        return ()
    found: dict[tuple[str, date], PublishedFlow] = {}
    for number, row in enumerate(sheet.rows[1:], start=2):
        cells = dict(zip(titles, map(str, row), strict=False))
        if not any(cell.strip() for cell in cells.values()):
            continue
        try:
            whose = cells["fund"].strip().upper() if "fund" in cells else str(fund)
            flow = PublishedFlow(whose, _date(cells["date"]), float(cells["flow"].replace(",", "")))
        except (KeyError, ValueError) as error:
            raise BadDataError(f"{name}: row {number}: no date, fund and flow in it") from error
        if not abs(flow.flow) < float("inf") or not re.fullmatch(_SYMBOL, flow.fund):
            raise BadDataError(f"{name}: row {number}: no date, fund and flow in it")
        if found.setdefault((flow.fund, flow.date), flow) != flow:
            raise BadDataError(f"{name}: {flow.fund} {flow.date} stands twice with different figures")
    return tuple(found.values())


def _ticker(name: str, sheets: Sequence[_Sheet]) -> str | None:
    """The fund's ticker, as the workbook or SSGA's file name gives it."""
    for sheet in sheets:
        for row in sheet.rows[:12]:
            words = [str(cell).strip() for cell in row if cell is not None]
            for label, value in pairwise(words):
                if label.lower().rstrip(":") in {"ticker symbol", "ticker"} and re.fullmatch(r"[A-Z]{1,6}", value):
                    return value
            for word in words:
                known = FUND_NAMES.get(re.sub(r"[®™]", "", word).strip().lower())
                if known:
                    return known
    found = re.match(r"navhist-\w+-\w+-([a-z]{1,6})\b", name, re.IGNORECASE)
    return found.group(1).upper() if found else None


def _days(
    name: str, sheet: _Sheet, at: int, columns: dict[str, int], ticker: str | None, errors: list[str]
) -> Iterator[FundDay]:
    """The rows under the heading, to the first blank date or footer; what cannot be read is added to `errors`."""
    for number, row in enumerate(sheet.rows[at + 1 :], start=at + 2):

        def cell(field: str, row: list[Cell] = row) -> Cell:
            column = columns.get(field)
            return row[column] if column is not None and column < len(row) else None

        first = cell("date")
        if first is None or str(first).strip().lower() in _MISSING:
            if any(value not in (None, "") for value in row):
                # a footer's prose begins where the dates end; a figure without a date is damage
                if any(_is_number(cell(field)) for field in ("nav", "shares")):
                    errors.append(f"{name}: {sheet.name} row {number}: figures without a date")
                continue
            continue
        try:
            day = _date(first)
        except ValueError:
            if not any(_is_number(cell(field)) for field in ("nav", "shares")):
                continue
            errors.append(f"{name}: {sheet.name} row {number}: {str(first)[:40]!r} is no date")
            continue
        fund = str(cell("fund") or "").strip().upper() or ticker
        if fund is None or not re.fullmatch(_SYMBOL, fund):
            errors.append(f"{name}: {sheet.name} row {number}: {fund or 'nothing'!r} is no fund's symbol")
            continue
        figures: list[float | None] = []
        for field in ("nav", "shares", "aum"):
            try:
                figures.append(_number(cell(field)))
            except ValueError:
                errors.append(
                    f"{name}: {sheet.name} row {number}: {field} {str(cell(field))[:40]!r} is no positive number"
                )
        if len(figures) == 3:
            yield FundDay(fund, day, *figures)


def _date(cell: Cell) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = str(cell).strip()
    if re.match(r"\d{4}-\d{2}-\d{2}(T|$)", text):
        return date.fromisoformat(text[:10])
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise ValueError(text)


def _is_number(cell: Cell) -> bool:
    try:
        return _number(cell) is not None
    except ValueError:
        return False


def _number(cell: Cell) -> float | None:
    """A positive number; None where the issuer prints its sign for missing; else ValueError."""
    if cell is None or isinstance(cell, bool):
        return None
    text = str(cell).strip().lower()
    if text in _MISSING:
        return None
    value = float(text.replace(",", "").replace("$", "").replace("usd", "").strip())
    if not 0 < value < 1e16:
        raise ValueError(text)
    return value


def _clash(days: Sequence[FundDay]) -> str | None:
    """The first date that stands twice with different figures."""
    seen: dict[tuple[str, date], FundDay] = {}
    for day in days:
        other = seen.setdefault((day.fund, day.date), day)
        if other != day:
            return f"{day.fund} {day.date} stands twice with different figures"
    return None
