"""The bytes of a file as sheets of cells, whatever its form; sizes are bounded before anything is unpacked or built.

Excel's own formats are left to calamine, in a process of its own (`feeds.workbook_child`). SpreadsheetML (as iShares
serves it, named .xls) is read here, because as served it is no valid XML: bare ampersands, a `</Style>` that
ends a `<ss:Style>`, control characters. XML that declares entities is refused.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree

from engine.errors import BadDataError
from feeds.flow_cells import Cell
from feeds.flow_headings import find_heading

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_UNPACKED: Final = 512 * 1024 * 1024
MAX_ROWS: Final = 1_000_000
"""One issuer's file of all its funds since their beginning has about half of that."""
MAX_CELLS: Final = 20_000_000
"""Of a sheet as a rectangle: a cell far out makes a rectangle of billions of a file of a kilobyte."""
MAX_COLUMNS: Final = 256
"""Of a row of SpreadsheetML; what stands further right is not read."""
MAX_SHEETS: Final = 200
"""Words `Worksheet` in a SpreadsheetML that is no valid XML; a workbook has two a sheet."""
SMALLEST: Final = 1536
"""Bytes of an old workbook: its head, its table of sectors, and one sector."""
READER_SECONDS: Final = 90.0
"""How long a workbook may take; ten megabytes take two seconds."""
MAX_DEPTH: Final = 32
"""Of XML elements in each other; a workbook's cells stand at the sixth."""
_NAMESPACE: Final = "urn:schemas-microsoft-com:office:spreadsheet"
_NS: Final = "{" + _NAMESPACE + "}"
_READER: Final = Path(__file__).with_name("workbook_child.py")
_WORKSHEET: Final = re.compile(rb"<((?:\w+:)?)Worksheet\b.*?</\1Worksheet\s*>", re.DOTALL)


class Sheet(NamedTuple):
    """A table of a file. separator: of its cells, where it is text."""

    name: str
    rows: list[list[Cell]]
    separator: str | None = None
    whole: bool = True
    """Whether the text ends with a finished line."""


def sheets_of(name: str, blob: bytes) -> list[Sheet]:
    """Every sheet of the file `name`. Raises BadDataError where its bytes are no table, or too many."""
    if len(blob) > MAX_BYTES:
        raise BadDataError(f"{name}: {len(blob):,} bytes; at most {MAX_BYTES:,} are read")
    if blob.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return _workbook(name, blob)
    text = _decoded(name, blob)
    plain = text.lstrip("\ufeff \r\n\t")
    if plain.startswith("<?xml") or _NAMESPACE in plain[:4096]:
        return _spreadsheetml(name, re.sub(r"^<\?xml[^>]*\?>", "", plain).encode())
    if plain[:200].lower().startswith(("<!doctype", "<html")):
        raise BadDataError(f"{name}: a web page, not the fund's file: the site refused the download; save it by hand")
    return [_separated(name, text)]


def _decoded(name: str, blob: bytes) -> str:
    """Text in UTF-8, in UTF-16 as Excel's “Unicode text” is, or in the code page of a Windows of the West."""
    if blob.startswith((b"\xff\xfe", b"\xfe\xff")):
        forms: tuple[str, ...] = ("utf-16",)
    elif b"\0" in blob[:200] and len(blob) > 3:
        forms = ("utf-16-le" if blob[1:2] == b"\0" else "utf-16-be",)
    else:
        forms = ("utf-8-sig", "cp1252")
    for form in forms:
        try:
            text = blob.decode(form)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadDataError(f"{name}: neither a workbook nor a UTF-8 CSV, nor text of another known kind")


def _separated(name: str, text: str) -> Sheet:
    """Text as cells, by whichever separator shows a heading."""
    errors: list[str] = []
    best: Sheet | None = None
    for separator in (",", ";", "\t", "|"):
        if separator != "," and separator not in text:
            continue
        rows: list[list[Cell]] = []
        try:
            for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=separator, strict=True):
                if len(rows) >= MAX_ROWS:
                    raise BadDataError(f"{name}: more than {MAX_ROWS:,} rows")
                rows.append(list(row))
        except csv.Error as error:
            errors.append(f"row {len(rows) + 1}: {error}")
            continue
        sheet = Sheet("table", rows, separator, text.endswith(("\n", "\r")))
        if find_heading(rows) is not None:
            return sheet
        # without a table of days: the separator that finds most cells at the top
        if best is None or _width(rows) > _width(best.rows):
            best = sheet
    if best is None or (errors and _width(best.rows) < 2):
        raise BadDataError(f"{name}: neither a workbook nor a UTF-8 CSV: {errors[0]}")
    return best


def _width(rows: list[list[Cell]]) -> int:
    return max((len(row) for row in rows[:50]), default=0)


def _workbook(name: str, blob: bytes) -> list[Sheet]:
    if blob.startswith(b"PK"):
        _look_into(name, blob)
    elif len(blob) < SMALLEST:
        raise BadDataError(f"{name}: a damaged workbook of {len(blob):,} bytes")
    try:
        ended = subprocess.run(
            [sys.executable, "-I", str(_READER), str(MAX_ROWS), str(MAX_CELLS)],
            input=blob,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what a panic says of itself is nothing for a user
            timeout=READER_SECONDS,
            check=True,
        )
        sheets, wrong = json.loads(ended.stdout)
    except subprocess.CalledProcessError as error:
        raise BadDataError(f"{name}: a damaged workbook, which ended its reader ({error.returncode})") from error
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        raise BadDataError(f"{name}: a damaged workbook: {_short(error)}") from error
    if wrong is not None:
        raise BadDataError(f"{name}: a damaged workbook: {wrong}")
    return [Sheet(title, [[_cell(cell) for cell in row] for row in rows]) for title, rows in sheets]


def _cell(cell: Any) -> Cell:
    return date.fromisoformat(cell["date"]) if isinstance(cell, dict) else cell


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:120]


def _look_into(name: str, blob: bytes) -> None:
    """Refuse an archive that unpacks to too much, or whose cells stand so far apart that the table would."""
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            if unpacked > MAX_UNPACKED:
                raise BadDataError(f"{name}: unpacks to {unpacked:,} bytes; at most {MAX_UNPACKED:,} are read")
            for item in archive.infolist():
                if re.search(r"worksheets/[^/]*\.xml$", item.filename):
                    _look_at_cells(name, archive, item)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, zlib.error) as error:
        raise BadDataError(f"{name}: a damaged workbook: {_short(error)}") from error


def _look_at_cells(name: str, archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> None:
    """Read a sheet's XML through once for the places of its cells; a wrong size or checksum shows as well."""
    last_row = last_column = 0
    tail = b""
    with archive.open(item) as part:
        while chunk := part.read(1 << 20):
            for letters, digits in re.findall(rb'\br="([A-Z]{1,3})([0-9]{1,7})"', tail + chunk):
                column = 0
                for letter in letters:
                    column = 26 * column + letter - 64
                last_row, last_column = max(last_row, int(digits)), max(last_column, column)
            tail = chunk[-24:]
    if last_row > MAX_ROWS or last_row * last_column > MAX_CELLS:
        raise BadDataError(
            f"{name}: a table of {last_row:,} rows and {last_column:,} columns, which no fund's file has"
        )


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


def _parsed(name: str, xml: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(xml, ElementTree.XMLParser(target=_Shallow(name), encoding="utf-8"))


def _spreadsheetml(name: str, blob: bytes) -> list[Sheet]:
    """Sheets of an Excel 2003 XML workbook, mended of what iShares is known to get wrong.

    Where another fault is left and the workbook is there to its end, each sheet is read for itself: a fault in the
    holdings does not take the history with it.
    """
    if re.search(rb"<!(DOCTYPE|ENTITY)", blob, re.IGNORECASE):
        raise BadDataError(f"{name}: the XML declares entities, which a fund's workbook has no use for")
    # nothing here adds or takes lines, so that the parser's line numbers are the file's
    mended = re.sub(rb"&(?!#\d+;|#x[0-9A-Fa-f]+;|amp;|lt;|gt;|quot;|apos;)", b"&amp;", blob)
    mended = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b" ", mended)
    if b"<ss:Style" in mended and b"<Style" not in mended:
        mended = mended.replace(b"</Style>", b"</ss:Style>")
    try:
        return [_sheet(name, found) for found in _parsed(name, mended).iter(f"{_NS}Worksheet")]
    except ElementTree.ParseError as error:
        damage = BadDataError(f"{name}: damaged XML at line {error.position[0]}: {error.msg}")
        sheets = list(_one_by_one(name, mended)) if re.search(rb"</(\w+:)?Workbook\s*>\s*$", mended) else []
        if not any(find_heading(sheet.rows) for sheet in sheets):
            raise damage from error
        return sheets


def _one_by_one(name: str, xml: bytes) -> Iterator[Sheet]:
    """The sheets that are sound each for itself."""
    if xml.count(b"Worksheet") > MAX_SHEETS:
        return
    opening = re.search(rb"<(?:\w+:)?Workbook\b[^>]*>", xml)
    spaces = b" ".join(re.findall(rb'xmlns(?::\w+)?="[^"]*"', opening.group())) if opening else b""
    for found in _WORKSHEET.finditer(xml):
        try:
            root = _parsed(name, b"<sheets " + spaces + b">" + found.group() + b"</sheets>")
        except ElementTree.ParseError:
            continue  # the caller tells, unless the sheet with the history is sound
        yield from (_sheet(name, each) for each in root.iter(f"{_NS}Worksheet"))


def _sheet(name: str, worksheet: ElementTree.Element) -> Sheet:
    rows: list[list[Cell]] = []
    total = 0
    for row in worksheet.iter(f"{_NS}Row"):
        # rows and cells may skip ahead; a wild index must not become a wild allocation
        rows.extend([] for _ in range(_ahead(row, len(rows), 10_000)))
        if len(rows) >= MAX_ROWS:
            raise BadDataError(f"{name}: more than {MAX_ROWS:,} rows")
        cells: list[Cell] = []
        for cell in row.iter(f"{_NS}Cell"):
            if len(cells) > MAX_COLUMNS:
                break
            cells.extend([None] * _ahead(cell, len(cells), 256))
            data = cell.find(f"{_NS}Data")
            cells.append("".join(data.itertext()).strip() if data is not None else None)
            across = cell.get(f"{_NS}MergeAcross", "")
            cells.extend([None] * (min(int(across), 256) if re.fullmatch(r"[0-9]{1,4}", across) else 0))
        rows.append(cells)
        total += len(cells)
        if total > MAX_CELLS:
            raise BadDataError(f"{name}: a table of more than {MAX_CELLS:,} cells, which no fund's file has")
    return Sheet(worksheet.get(f"{_NS}Name", "sheet"), rows)


def _ahead(element: ElementTree.Element, place: int, most: int) -> int:
    """How many places an element leaves empty before itself."""
    index = element.get(f"{_NS}Index", "")
    return min(max(int(index) - 1 - place, 0), most) if re.fullmatch(r"[0-9]{1,7}", index) else 0
