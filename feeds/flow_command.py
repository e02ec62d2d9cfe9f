"""`sizewatch flows`: saved files in, and what issuers let a program fetch. A line a file; a damaged one gives nothing.

The files after a damaged one are read all the same, and the exit code says that one was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.config import Config
from engine.errors import BadDataError, FeedError, TransientError
from engine.model import FundDays, PublishedFlow
from feeds.flow_files import read_flow_file
from feeds.funds import GET_IT, ssga_funds, workbook
from feeds.network import Border
from feeds.translate import translate
from feeds.web import web


@dataclass(frozen=True, slots=True)
class FlowCommand:
    """What the command does with what it finds."""

    keep: Callable[[str, FundDays], str]
    """Keeps the days of a file of that name, and returns the line that says so."""
    keep_published: Callable[[str, Sequence[PublishedFlow]], str]
    """The same, for flows that somebody published."""
    say: Callable[..., object]
    """Takes lines for the user."""
    complain: Callable[..., object]
    """Takes lines about what went wrong."""

    def bring_in(self, files: Sequence[Path], fund: str | None) -> int:
        """Import `files`; fund: the ticker of those that name none. Returns 0, or 1 where one was not imported."""
        failed = 0
        for path in files:
            try:
                found = read_flow_file(path, fund)
            except BadDataError as error:
                failed += 1
                self.complain(f"{error}; nothing of it was imported")
            else:
                if found.published:
                    self.say(self.keep_published(path.name, found.published))
                else:
                    line = self.keep(path.name, FundDays(found.format, found.days))
                    self.say("; ".join((line, *found.notes)))
        return 1 if failed else 0

    def fetch(self, config: Config, funds: Sequence[str]) -> int:
        """Fetch what may be fetched (SSGA's workbooks); says where to get the rest. Returns 0; 1 where one failed."""
        ours = ssga_funds(config)
        failed = asyncio.run(self._fetch(Border.of(config.network), tuple(funds) or ours))
        if not funds:
            self.say(*where_to_get([fund for fund in config.flows.funds if fund not in ours]))
        return 1 if failed else 0

    async def _fetch(self, border: Border, funds: Iterable[str]) -> int:
        failed = 0
        async with web(border) as client:
            for fund in funds:
                try:
                    found = await workbook(client, fund)
                except Exception as raised:
                    error: FeedError | None = translate(raised)
                    if error is None:
                        raise
                    failed += 1
                    hint = f"; or save it by hand: {GET_IT['ssga']}" if isinstance(error, TransientError) else ""
                    self.complain(f"{fund}: {error}{hint}")
                else:
                    self.say(self.keep(found.path, FundDays(found.format, found.days)))
        return failed


def where_to_get(funds: Sequence[str]) -> list[str]:
    """What a user does for the funds that no program may fetch."""
    if not funds:
        return []
    return [
        f"not fetched: {', '.join(funds)}",
        f"  iShares (IWM, IJR, IJH, IVV, IBIT …): {GET_IT['ishares']}; then `sizewatch flows import FILE`",
        "  others: a table with a date, a NAV and shares outstanding (as CSV: date,fund,nav,shares[,aum]);"
        " then `sizewatch flows import FILE`",
    ]
