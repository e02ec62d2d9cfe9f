"""Fund files that a user saved, read whole or not at all: a damaged file yields an error that says where, and no rows.

Read are: the iShares fund workbook, SSGA's NAV-history workbook, and any other issuer's table with a date, a NAV and
shares outstanding, in whatever form each was saved (SpreadsheetML, .xls, .xlsx, delimited text). What was settled on
the way and could have been settled otherwise stands in `FlowFile.notes`. Nothing here decides what a flow is; see
`engine.flows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from engine.errors import BadDataError
from engine.model import FundDay, PublishedFlow
from feeds.flow_days import days_of
from feeds.flow_headings import find_heading, issuer, nearest
from feeds.flow_names import ticker_of
from feeds.flow_published import published_of
from feeds.flow_sheets import MAX_BYTES, Sheet, sheets_of

PUBLISHED: Final = "published"


class FlowFile(NamedTuple):
    """What one file held. format: `ishares`, `ssga` or `csv` (any other table), or `published`."""

    path: str
    format: str
    days: tuple[FundDay, ...]
    published: tuple[PublishedFlow, ...] = ()
    """Flows that somebody else published, where the file is a table of those; it has no days then."""
    notes: tuple[str, ...] = ()
    """What was read in a way that the user should know of, a sentence each."""

    @property
    def funds(self) -> tuple[str, ...]:
        """The funds in it, each once."""
        return tuple(dict.fromkeys(day.fund for day in self.days))


def read_flow_file(path: Path, fund: str | None = None) -> FlowFile:
    """Read one file whole.

    fund: ticker for a file that names none. Raises BadDataError, naming file, sheet and row, where anything in it
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
    sheets = sheets_of(name, blob)
    for sheet in sheets:
        heading = find_heading(sheet.rows)
        if heading is not None:
            days, notes = days_of(name, sheet, heading, fund, ticker_of(name, [each.rows for each in sheets]))
            return FlowFile(name, issuer(heading), days, notes=notes)
    for sheet in sheets:
        if found := published_of(name, sheet, fund):
            return FlowFile(name, PUBLISHED, (), found)
    raise BadDataError(f"{name}: no table with a date, a NAV and shares outstanding ({_what_there_is(sheets)})")


def _what_there_is(sheets: Sequence[Sheet]) -> str:
    """What comes closest to a table of days, else the sheets' names."""
    for sheet in sheets:
        if (close := nearest(sheet.rows)) is not None:
            return f"{sheet.name} {close}"
    return f"sheets: {', '.join(sheet.name for sheet in sheets) or 'none'}"
