"""Funds of the simulated market: NAV and shares outstanding a session, in the formats in which issuers publish them.

Shares move in whole creation units and end where the scenario's assets say; what the scenario states of money in and
out holds over the last years. As issuers do, nothing is published of a session before it has closed.
"""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import numpy as np

from simulator.gateway import Reply, Request, Socket
from simulator.market import Market
from simulator.paths import generator

UNIT: Final = 50_000
"""Shares are created and redeemed in units of so many."""
YEARS: Final = 5
"""For so long before the start money has flowed as the scenario states; before that `EARLIER_PCT` a year."""
EARLIER_PCT: Final = 4.0
SESSIONS: Final = 2600
"""Sessions that are published, newest; more than ten years."""
_YEAR: Final = 252
_PATH: Final = re.compile(r"/library-content/products/fund-data/etfs/us/navhist-us-en-([a-z]{1,6})\.xlsx")
_TYPES: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_LINK: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>'
)
_BOOK: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="navhist" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_SHEET: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData>'
    "</worksheet>"
)


class FundDay(NamedTuple):
    """What an issuer publishes of one session."""

    day: date
    nav: float
    shares: int
    aum: float


def fund_days(market: Market, symbol: str, at: float | None = None) -> list[FundDay]:
    """The published sessions of a fund up to now, or to `at`, oldest first; [] for what is no fund."""
    security = market.security(symbol)
    if security is None or not security.assets_usd:
        return []
    at = market.now() if at is None else at
    series = market.series(symbol)
    grid = series.grid
    last = grid.index(at)
    last -= int(last >= 0 and grid.closes[last] > at)
    start = grid.index(market.start)
    start -= int(start >= 0 and grid.closes[start] > market.start)
    first = max(series.first, start - SESSIONS + 1)
    if last < first:
        return []
    size = last - first + 1
    nav = np.round(np.exp(series.days.close[first : last + 1]), 2)
    random = generator(market.scenario.seed, symbol, "creations")
    whole = len(grid.days) - first
    active = random.random(whole) < 0.6
    noise = (0.0009 * random.standard_normal(whole) * active)[:size]
    age = start - first - np.arange(size)
    yearly = np.where(age < YEARS * _YEAR, security.flow_pct, EARLIER_PCT)
    path = np.cumsum(noise + np.log1p(yearly / 100) / _YEAR)
    anchor = min(start - first, size - 1)
    scale = security.assets_usd / float(np.exp(series.days.close[start]))
    shares = np.maximum(np.rint(scale * np.exp(path - path[anchor]) / UNIT), 1) * UNIT
    return [
        FundDay(day, float(n), int(s), round(float(n) * int(s), 2))
        for day, n, s in zip(grid.days[first : last + 1], nav, shares, strict=True)
    ]


class SsgaSite:
    """www.ssga.com: the NAV-history workbooks of the funds whose name begins with SPDR."""

    hosts = frozenset({"www.ssga.com"})

    def __init__(self, market: Market) -> None:
        self._market = market

    async def http(self, request: Request) -> Reply:
        match = _PATH.fullmatch(request.path)
        security = self._market.security(match[1].upper()) if match else None
        days = fund_days(self._market, security.symbol) if security and security.name.startswith("SPDR") else []
        if security is None or not days:
            return Reply(404, b"<!DOCTYPE html><html><title>Page not found</title></html>", {}, "text/html")
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Reply(200, workbook(security.name, security.symbol, days), {}, kind)

    async def socket(self, request: Request, socket: Socket) -> None:
        """There is none."""
        await socket.close(1008, "no websocket here")

    async def run(self) -> None:
        """Nothing to do between requests."""


def workbook(name: str, symbol: str, days: list[FundDay]) -> bytes:
    """SSGA's NAV history as .xlsx: title rows, the heading, then the days, newest first, and a footer."""

    def rows() -> Iterator[tuple[str | float, ...]]:
        yield from (("Fund Name:", name), ("Ticker Symbol:", symbol), ())
        yield ("Date", "NAV", "Shares Outstanding", "Total Net Assets")
        for day in reversed(days):
            yield (day.day.strftime("%d-%b-%Y"), day.nav, float(day.shares), day.aum)
        yield from ((), ("A simulated market: nothing here is a quotation of a real fund.",))

    lines = "".join(
        f'<row r="{number}">{"".join(_cell(number, column, cell) for column, cell in enumerate(row))}</row>'
        for number, row in enumerate(rows(), start=1)
    )
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _LINK.format(kind="officeDocument", target="xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", _BOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", _LINK.format(kind="worksheet", target="worksheets/sheet1.xml"))
        archive.writestr("xl/worksheets/sheet1.xml", _SHEET.format(rows=lines))
    return blob.getvalue()


def _cell(row: int, column: int, value: str | float) -> str:
    place = f"{'ABCD'[column]}{row}"
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


class FundFile:
    """The file of `write_csv`, written when it is made and again after every session; it serves no host."""

    hosts: frozenset[str] = frozenset()

    def __init__(self, market: Market, path: Path) -> None:
        self._market = market
        self._path = path
        self._session = self._last()
        write_csv(market, path)

    def _last(self) -> int:
        grid, now = self._market.sessions, self._market.now()
        index = grid.index(now)
        return index - int(index >= 0 and grid.closes[index] > now)

    async def http(self, request: Request) -> Reply:
        return Reply.json({"error": "nothing is served here"}, 404)

    async def socket(self, request: Request, socket: Socket) -> None:
        """There is none."""
        await socket.close(1008, "no websocket here")

    async def run(self) -> None:
        """Write it anew once a session has closed."""
        while True:
            await asyncio.sleep(60)
            if (last := self._last()) != self._session:
                self._session = last
                await asyncio.to_thread(write_csv, self._market, self._path)


def write_csv(market: Market, path: Path) -> None:
    """The funds of other issuers as a plain CSV, `date,fund,nav,shares`: what a user would have saved from their sites.

    Written beside and renamed into place, so that it is whole for whoever finds it.
    """
    lines = ["date,fund,nav,shares"]
    for security in market.scenario.securities.values():
        if not security.name.startswith("SPDR"):
            days = fund_days(market, security.symbol)
            lines += [f"{day.day.isoformat()},{security.symbol},{day.nav!r},{day.shares}" for day in days]
    beside = path.with_suffix(".new")
    beside.write_text("\n".join(lines) + "\n", encoding="ascii")
    beside.replace(path)
