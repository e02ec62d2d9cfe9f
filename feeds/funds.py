"""Where funds' days come from: files that the user saved, SSGA's workbooks, and Yahoo's estimate as the last resort.

An issuer's site is asked rarely, in our own name, and its no is taken for one: what cannot be fetched is to be saved by
hand, and `GET_IT` says where. A file that is damaged gives nothing of itself; what it gave before stays.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from engine.config import Config
from engine.errors import BadDataError, BlockedError, FeedError
from engine.model import FundDay, FundDays
from feeds.aside import aside
from feeds.flow_files import FlowFile, read_flow_bytes, read_flow_file
from feeds.link import Context, Link
from feeds.outside_answers import amount
from feeds.reach import reach
from feeds.translate import words
from feeds.turns import YFINANCE, turn
from feeds.web import Web, web

if TYPE_CHECKING:
    from feeds.network import Border

WORKBOOK: Final = "https://www.ssga.com/library-content/products/fund-data/etfs/us/navhist-us-en-{fund}.xlsx"
SSGA_FUNDS: Final = frozenset({"SPY", "MDY", "DIA", "SPSM", "SPMD", "SPYM", "SPTM", "GLD", "XRT", "KRE", "XBI"})
GET_IT: Final = {
    "ishares": "ishares.com: the fund's page, “Data Download”, and save the workbook (.xls)",
    "ssga": "ssga.com: the fund's page, “NAV History”, and save the workbook (.xlsx)",
}
SSGA_PAUSE_S: Final = 12 * 3600.0
YAHOO_PAUSE_S: Final = 8 * 3600.0
YAHOO: Final = "query1.finance.yahoo.com"
YAHOO_GAP_S: Final = 1.0
"""Between two questions to Yahoo, one a fund."""
FILES_PAUSE_S: Final = 30.0
"""How often the configured files are looked at."""


async def workbook(client: Web, fund: str) -> FlowFile:
    """SSGA's NAV history of `fund`. Raises a FeedError that says what to do where the site refuses."""
    name = f"navhist-us-en-{fund.lower()}.xlsx"
    try:
        blob = await client.read(WORKBOOK.format(fund=fund.lower()))
    except BlockedError as refused:
        raise BlockedError(f"ssga.com refuses ({refused}); save it by hand: {GET_IT['ssga']}") from refused
    return await aside(read_flow_bytes, name, blob, fund)


class Ssga:
    """SSGA's workbooks as a feed, once or twice a day."""

    source = "ssga"
    kind = "fund-days"
    hosts = (urlsplit(WORKBOOK).netloc,)

    def __init__(self, config: Config) -> None:
        self._funds = ssga_funds(config)

    async def run(self, context: Context, link: Link) -> None:
        """Fetch for ever; a fund that is refused is named, and ends this life where none came."""
        channel, stamp = "ssga:workbooks", context.cache / "ssga-asked"
        link.up(channel, 4 * SSGA_PAUSE_S)
        while True:
            asked = await aside(_stamped, stamp)
            age = context.clock.now() - asked if asked is not None else -1.0
            if 0 <= age < SSGA_PAUSE_S:
                await reach(context.border, self.hosts[0])
                link.reached(channel)
                link.settled()
                link.rests(SSGA_PAUSE_S - age)
                await context.clock.sleep(SSGA_PAUSE_S - age)
                continue
            failed: list[FeedError] = []
            async with web(context.border) as client:
                for fund in self._funds:
                    try:
                        found = await workbook(client, fund)
                    except FeedError as error:
                        failed.append(error)
                        continue
                    link.heard(channel, None)
                    context.sink.ingest_fund_days(FundDays(self.source, found.days))
            if len(failed) == len(self._funds):
                raise failed[0]
            link.note(words("; ".join(map(str, failed)), 200) if failed else None)
            await aside(_stamp, stamp, context.clock.now())
            link.settled()
            link.rests(SSGA_PAUSE_S)
            await context.clock.sleep(SSGA_PAUSE_S)


class FundFiles:
    """The configured files as a feed: read at the start and whenever one changes."""

    source = "fund-files"
    kind = "fund-days"

    def __init__(self, config: Config) -> None:
        self._files = tuple(map(Path, config.flows.files))
        self._seen: dict[Path, tuple[int, int]] = {}

    async def run(self, context: Context, link: Link) -> None:
        """Look for ever. A file that cannot be read is named and looked at again when it changes."""
        channel = "fund-files:files"
        wrong: dict[Path, str] = {}
        read_so: dict[Path, str] = {}
        link.up(channel, 1e9)  # files are silent by nature
        while True:
            for file in self._files:
                stamp = await aside(_file_stamp, file)
                if stamp is not None and self._seen.get(file) == stamp:
                    continue
                try:
                    found = await aside(read_flow_file, file)
                except BadDataError as error:
                    wrong[file] = str(error)
                else:
                    wrong.pop(file, None)
                    read_so.pop(file, None)
                    if found.notes:
                        read_so[file] = f"{file.name}: {'; '.join(found.notes)}"
                    if not found.days:
                        wrong[file] = f"{file.name}: published flows, for `sizewatch flows import`"
                        continue
                    context.sink.ingest_fund_days(FundDays(found.format, found.days))
                    link.heard(channel, None)
                if stamp is not None:
                    self._seen[file] = stamp
            told = [*wrong.values(), *(text for file, text in read_so.items() if file not in wrong)]
            link.note(words("; ".join(told), 200) if told else None)
            if wrong and len(wrong) == len(self._files):
                raise BadDataError(next(iter(wrong.values())))
            link.settled()
            await context.clock.sleep(FILES_PAUSE_S)


class YahooFunds:
    """Assets and NAV of the funds that no issuer's site is asked for, as Yahoo has them: an estimate of their shares.

    The days are kept as source `yahoo`, which is read only where a fund has no other, and marked estimated.
    """

    source = "yahoo-funds"
    kind = "fund-days"
    hosts = (YAHOO,)

    def __init__(self, config: Config) -> None:
        fetched = ssga_funds(config) if config.flows.ssga else ()
        self._funds = tuple(fund for fund in config.flows.funds if fund not in fetched)

    async def run(self, context: Context, link: Link) -> None:
        """Ask for ever, a fund at a time."""
        channel, stamp = "yahoo-funds:assets", context.cache / "yahoo-funds-asked"
        link.up(channel, 4 * YAHOO_PAUSE_S)
        while True:
            asked = await aside(_stamped, stamp)
            age = context.clock.now() - asked if asked is not None else -1.0
            wait = YAHOO_PAUSE_S - age
            if not 0 <= age < YAHOO_PAUSE_S:
                lacking = await self._round(context, link, channel)
                link.note(words("without assets or NAV: " + ", ".join(lacking), 200) if lacking else None)
                await aside(_stamp, stamp, context.clock.now())
                wait = YAHOO_PAUSE_S
            else:
                await reach(context.border, YAHOO)
                link.reached(channel)
            link.settled()
            link.rests(wait)
            await context.clock.sleep(wait)

    async def _round(self, context: Context, link: Link, channel: str) -> list[str]:
        """Ask for every fund once; returns those that Yahoo has nothing of."""
        link.settled()  # a guess is waited for by nobody
        day = await aside(last_session, context.clock.now())
        lacking: list[str] = []
        for fund in self._funds:
            try:
                row = await aside(_summary, context.border, context.cache, fund)
            except BadDataError:  # unknown to Yahoo, or no fund
                row = None
            link.heard(channel, None)
            estimate = estimated_day(fund, day, row)
            if estimate is None:
                lacking.append(fund)
            else:
                context.sink.ingest_fund_days(FundDays("yahoo", (estimate,)))
            await context.clock.sleep(YAHOO_GAP_S)
        return lacking


def ssga_funds(config: Config) -> tuple[str, ...]:
    """The configured funds that are SSGA's."""
    return tuple(fund for fund in config.flows.funds if fund in SSGA_FUNDS)


def estimated_day(fund: str, day: date, row: Any) -> FundDay | None:
    """Yahoo's assets and NAV of a fund as a day with the share count that they imply; None where one is missing.

    Never its own share counts: they have stood still for years. Assets and NAV may be of different days, and the assets
    freeze for weeks: `engine.flows.without_frozen_estimates` drops what says nothing new.
    """
    assets, nav = (amount(row.get(name)) for name in ("totalAssets", "navPrice")) if isinstance(row, dict) else (0, 0)
    if not assets or not nav:
        return None
    return FundDay(fund, day, nav, assets / nav, assets)


def last_session(now: float) -> date:
    """The newest session that has closed."""
    from engine import sessions

    hours = sessions.calendar()
    at = hours.last_opened(now)
    at -= at >= 0 and hours.closes[at] > now
    return date(1970, 1, 1) + timedelta(days=hours.sessions[max(at, 0)].day)


def _summary(border: Border, cache: Path, fund: str) -> Any:
    with turn(YFINANCE):
        from feeds.yahoo_http import shared

    return shared(border, cache).fund(fund)


def _file_stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _stamped(file: Path) -> float | None:
    """When an earlier run asked; None where none did."""
    try:
        return float(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _stamp(file: Path, now: float) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(repr(now), encoding="ascii")
