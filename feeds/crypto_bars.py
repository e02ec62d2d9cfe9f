"""Candles of one venue: for each symbol that no better venue serves, everything the store lacks, the daily ones first.

Pages have fixed windows, newest first, so that whatever is held is without a hole at its newer end, and an interrupted
fetch goes on where it stopped. A candle's time is its open; the running one is handed on too, and is known by its time.
"""

from __future__ import annotations

import asyncio
import importlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from engine.errors import BlockedError, RateLimitedError
from engine.model import Bars
from feeds.aside import aside
from feeds.ccxt_tap import closed, tapped
from feeds.crypto import explain
from feeds.link import Context, Link
from feeds.markets import Book, MarketLists
from feeds.quirks import quirks_of
from feeds.reach import reach
from feeds.translate import status_of, translate

if TYPE_CHECKING:
    import polars as pl

WORKERS: Final = 6
"""Requests under way at once; the library spaces their starts by the venue's own rate limit."""
ALLOT_WAIT_S: Final = 12.0
"""How long to wait for the other venues' market lists before taking over what they may serve."""
STRIKES: Final = 2
"""A symbol that failed so often, while others fared well, is named and left alone until the next look."""
FIRST_REACH_S: Final = 430 * 86_400.0
"""How many days' candles the first figures need: a month's mean, and the same a year earlier."""
EARLIEST: Final = 1_230_768_000  # 2009


@dataclass(frozen=True, slots=True)
class Interval:
    """How far back one kind of candle is wanted."""

    name: str
    seconds: int
    back_s: float


INTERVALS: Final = (
    Interval("1d", 86_400, math.inf),
    Interval("1h", 3_600, 90 * 86_400.0),
    Interval("1m", 60, 86_400.0),
)


class Job(NamedTuple):
    """One symbol's candles at one interval."""

    interval: Interval
    book: Book


@dataclass(slots=True)
class _Progress:
    """What this program has fetched of one job."""

    newest: int | None = None
    """Open of the newest candle, epoch seconds."""
    oldest: int | None = None
    complete: bool = False
    """Nothing older is to be had, or wanted."""
    told: bool = False
    """Whether the engine knows that older candles are to come."""
    strikes: int = 0


class CryptoBars:
    """One venue's candles."""

    kind = "crypto-bars"

    def __init__(self, name: str, lists: MarketLists) -> None:
        self.source = f"{name}-bars"
        self._name = name
        self._lists = lists
        self._channel = f"{name}:candles"
        self.hosts: tuple[str, ...] = ()
        """The venue's host for requests; known once it was asked."""
        self._progress: dict[tuple[str, str], _Progress] = {}
        self._failed: dict[tuple[str, str], str] = {}
        self._wanted: frozenset[tuple[str, str]] = frozenset()
        """Symbol and interval of what the first download is made of."""
        self._looked_once = False
        """Whether it has been gone through to its end."""
        self._heard = False
        """Whether the venue answered in this look."""

    async def run(self, context: Context, link: Link) -> None:
        """Fetch what is missing, then what closes, for ever."""
        exchange = await tapped(self._name, context.border, quirks_of(self._name), None)
        try:
            await aside(importlib.import_module, "polars")
            await self._lists.books(exchange, context)
            link.up(self._channel, math.inf)
            while True:
                mine = await self._lists.allotted(self._name, context, ALLOT_WAIT_S)
                self._heard = False
                await self._look(exchange, mine, context, link)
                if not self._heard:  # nothing was missing: a list from the disk says nothing of the venue
                    self.hosts = self.hosts or rest_hosts(exchange)
                    if self.hosts:
                        await reach(context.border, self.hosts[0])
                    link.reached(self._channel)
                link.rests(context.config.refresh.history_s)
                await context.clock.sleep(context.config.refresh.history_s)
        except Exception as error:
            explain(exchange, error)
            raise
        finally:
            await closed(exchange)

    async def _look(self, exchange: Any, books: Sequence[Book], context: Context, link: Link) -> None:
        """All that is missing now, in the order in which it is missed: a year of days of every symbol, the older days,
        which figures of five and ten years wait for; the last hours and minutes; then the rest of those."""
        offered = (exchange.timeframes or {}) if exchange.has.get("fetchOHLCV") else {}
        days, *finer = ([Job(i, book) for book in books] if i.name in offered else [] for i in INTERVALS)
        jobs_there = [*days, *(job for jobs in finer for job in jobs)]
        self._wanted = self._wanted or frozenset(map(_name, jobs_there))
        self._say(link)
        await self._round(exchange, days, context, link, reach_s=0.0)
        await self._round(exchange, days, context, link, reach_s=FIRST_REACH_S)
        await self._round(exchange, days, context, link, reach_s=math.inf)
        link.settled()
        for jobs in finer:
            await self._round(exchange, jobs, context, link, reach_s=0.0)
        for jobs in finer:
            await self._round(exchange, jobs, context, link, reach_s=math.inf)
        link.note(self._words(books, offered))
        self._looked_once = True  # what is still missing is named, or is not to be had
        self._say(link)

    def _say(self, link: Link) -> None:
        """How far the first download is: what is complete, or is named as missing."""
        wanted = self._wanted
        had = sum(self._progress[one].complete if one in self._progress else False for one in wanted)
        named = sum(one in self._failed for one in wanted)
        link.progress(len(wanted) if self._looked_once else min(len(wanted), had + named), len(wanted))

    def _words(self, books: Sequence[Book], offered: object) -> str | None:
        if not books:
            return "other venues serve every symbol"
        if not offered:
            return "this venue offers no candles"
        if not self._failed:
            return None
        names = sorted({f"{symbol.partition('/')[0]} {interval}" for symbol, interval in self._failed})
        why = next(iter(self._failed.values()))
        return f"no candles of {', '.join(names[:8])}{' …' if len(names) > 8 else ''} ({why})"

    async def _round(self, exchange: Any, jobs: list[Job], context: Context, link: Link, *, reach_s: float) -> None:
        # what failed before comes last, so that it cannot keep the rest from being answered
        todo = iter(sorted(jobs, key=lambda job: self._of(job).strikes))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(WORKERS, len(jobs))):
                    group.create_task(self._work(exchange, todo, context, link, reach_s), name=f"{self.source} worker")
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _work(self, exchange: Any, todo: Iterator[Job], context: Context, link: Link, reach_s: float) -> None:
        for job in todo:
            key = _name(job)
            progress = self._of(job)
            if reach_s and progress.oldest is None:
                continue  # its newest page failed in this look: that stays said
            try:
                if reach_s:
                    await self._older(exchange, job, progress, context, link, reach_s)
                else:
                    await self._newer(exchange, job, progress, context, link)
            except Exception as raised:
                if self._ends_all(exchange, raised, progress):
                    raise
                self._failed[key] = str(translate(raised) or type(raised).__name__)
            else:
                progress.strikes = 0
                self._failed.pop(key, None)
            self._say(link)

    def _of(self, job: Job) -> _Progress:
        return self._progress.setdefault(_name(job), _Progress())

    def _ends_all(self, exchange: Any, raised: Exception, progress: _Progress) -> bool:
        """Whether a failure is the venue's or the network's rather than one symbol's."""
        import ccxt

        explain(exchange, raised)
        error = translate(raised)
        if error is None or isinstance(error, BlockedError | RateLimitedError):
            return True
        if not isinstance(raised, ccxt.NetworkError):
            return False
        if status_of(raised) is None:  # nobody answered: that is no symbol's fault
            return True
        progress.strikes += 1
        others_fare_well = any(one.newest is not None and not one.strikes for one in self._progress.values())
        return progress.strikes < STRIKES or not others_fare_well

    async def _newer(self, exchange: Any, job: Job, progress: _Progress, context: Context, link: Link) -> None:
        """From the newest that is held to now; where nothing is held, the newest page."""
        step, now = job.interval.seconds, context.clock.now()
        if progress.newest is None and (held := context.sink.coverage(job.book.symbol, job.interval.name, self.source)):
            progress.newest, progress.oldest = int(held.last), int(held.first)
            progress.complete = self._begun(job, context)
        progress.complete |= not quirks_of(self._name).candles_reach_back
        self._tell(job, progress, context)
        if progress.newest is not None and now < progress.newest + step:
            return
        page = self._page()
        start = _floor(now, step) - (page - 1) * step
        if progress.newest is None:
            await self._fetch(exchange, job, start, progress, context, link)
            return
        begin = max(progress.newest, _floor(now - job.interval.back_s, step) if job.interval.back_s < now else 0)
        if not quirks_of(self._name).candles_reach_back:
            begin = max(begin, start)
        while begin <= now:
            await self._fetch(exchange, job, begin, progress, context, link)
            begin += page * step

    async def _older(
        self, exchange: Any, job: Job, progress: _Progress, context: Context, link: Link, reach_s: float
    ) -> None:
        """Page by page into the past: `reach_s` seconds of it, or until nothing older comes or is wanted."""
        if progress.oldest is None or progress.complete or not quirks_of(self._name).candles_reach_back:
            return
        step, page, now = job.interval.seconds, self._page(), context.clock.now()
        endless = math.isinf(job.interval.back_s)
        limit = EARLIEST if endless else now - job.interval.back_s
        end = progress.oldest
        while end > limit:
            if end <= now - reach_s:
                return
            start = max(end - page * step, _floor(limit, step))
            before = progress.oldest
            await self._fetch(exchange, job, start, progress, context, link)
            if endless and progress.oldest == before:
                await self._lists.note_began(self._name, _key(job), context)
                break
            end = start
        progress.complete = True
        self._tell(job, progress, context)

    def _begun(self, job: Job, context: Context) -> bool:
        """Whether an earlier look found that the venue has nothing older."""
        return math.isinf(job.interval.back_s) and self._lists.began(self._name, _key(job), context)

    def _tell(self, job: Job, progress: _Progress, context: Context) -> None:
        """Let the engine know whether older candles of an endless history are to come."""
        older = math.isinf(job.interval.back_s) and not progress.complete
        if older is not progress.told:
            progress.told = older
            book, interval = job.book, job.interval.name
            context.sink.ingest_bars(
                Bars(book.symbol, interval, self.source, book.quote_ccy, frame_of(()), older=older)
            )

    def _page(self) -> int:
        return quirks_of(self._name).candles or 500

    async def _fetch(
        self, exchange: Any, job: Job, start: int, progress: _Progress, context: Context, link: Link
    ) -> None:
        """One request: candles from `start` (epoch seconds) on, to the sink."""
        rows = await exchange.fetch_ohlcv(job.book.venue_symbol, job.interval.name, start * 1000, self._page())
        link.heard(self._channel, None)
        self._heard = True
        self.hosts = self.hosts or rest_hosts(exchange)
        frame = frame_of(rows)
        if frame.is_empty():
            return
        first, last = (int(moment.timestamp()) for moment in (frame["time"][0], frame["time"][-1]))
        progress.oldest = first if progress.oldest is None else min(progress.oldest, first)
        progress.newest = last if progress.newest is None else max(progress.newest, last)
        book, interval = job.book, job.interval.name
        context.sink.ingest_bars(Bars(book.symbol, interval, self.source, book.quote_ccy, frame, older=progress.told))


def rest_hosts(exchange: Any) -> tuple[str, ...]:
    """The host that the library last asked, else the first that it knows of this venue; none where it tells none."""
    asked = urlsplit(getattr(exchange, "last_request_url", None) or "").hostname
    if asked:
        return (asked,)
    found: list[Any] = [(exchange.urls or {}).get("api")]
    while found:
        one = found.pop(0)
        if isinstance(one, dict):
            found = [*one.values(), *found]
        elif isinstance(one, str) and one.startswith("https://"):
            host = urlsplit(exchange.implode_hostname(one)).hostname
            return (host,) if host else ()
    return ()


def frame_of(rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """The library's candles `[ms, open, high, low, close, volume]` as `engine.tables.BARS`, ascending in time."""
    import polars as pl

    from engine.tables import BARS

    good = sorted(
        (row for row in rows if len(row) >= 6 and isinstance(row[0], int) and row[4] is not None),
        key=lambda row: row[0],
    )
    columns = list(zip(*(row[:6] for row in good), strict=True)) if good else [()] * 6
    time, opened, high, low, close, volume = columns
    frame = pl.DataFrame(
        {"time": time, "open": opened, "high": high, "low": low, "close": close, "adj_close": close, "volume": volume},
        schema={**dict.fromkeys(BARS, pl.Float64()), "time": pl.Int64()},
        strict=False,
    )
    return frame.with_columns(pl.from_epoch("time", time_unit="ms").dt.replace_time_zone("UTC").cast(BARS["time"]))


def _name(job: Job) -> tuple[str, str]:
    return job.book.symbol, job.interval.name


def _key(job: Job) -> str:
    return f"{job.book.venue_symbol} {job.interval.name}"


def _floor(moment: float, step: int) -> int:
    return int(moment // step) * step
