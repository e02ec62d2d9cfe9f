"""Reads an Excel workbook in a process of its own: a workbook of six kilobytes can have its reader ask for all memory.

The reader is a native library, whose failed allocation ends the process and whose panic is no `Exception`. Both end
this process alone. It knows nothing of the other rooms, so that it starts in a moment: the workbook comes on standard
input, the sheets go to standard output as JSON, a date as `{"date": "2026-01-09"}`.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import date, datetime
from typing import Any

MEMORY_MB = 2048
SECONDS = 60


def plain(cell: Any) -> Any:
    """A cell as JSON can hold it."""
    if isinstance(cell, datetime):
        return {"date": cell.date().isoformat()}
    if isinstance(cell, date):
        return {"date": cell.isoformat()}
    return cell if isinstance(cell, (str, int, float, bool)) else str(cell)


def sheets(blob: bytes, most_rows: int, most_cells: int) -> list[tuple[str, list[list[Any]]]]:
    """Every sheet's name and rows, counted from the top as Excel counts them. Raises what the reader raises."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(blob))
    found: list[tuple[str, list[list[Any]]]] = []
    for title in book.sheet_names:
        sheet = book.get_sheet_by_name(title)
        if sheet.total_height > most_rows or sheet.total_height * sheet.total_width > most_cells:
            raise ValueError(f"{title}: {sheet.total_height:,} rows of {sheet.total_width:,} cells")
        found.append((title, [[plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]))
    return found


def confine() -> None:
    """Bound this process's memory and time, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(most_rows: int, most_cells: int) -> None:
    """Answer with `[sheets, null]` or `[null, what is wrong]`."""
    confine()
    try:
        answer: list[Any] = [sheets(sys.stdin.buffer.read(), most_rows, most_cells), None]
    except Exception as error:  # noqa: BLE001 — it is told, and the process ends with it
        answer = [None, " ".join(str(error).split())[:120] or type(error).__name__]
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
