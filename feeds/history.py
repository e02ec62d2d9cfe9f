"""Yahoo's bars: the whole past once, then only what is missing; all of it again when a split or dividend rewrote it.

The past is asked for in the order in which the screens need it: daily bars of the pairs' and levels' symbols first.
What could not be had is named and asked for again later; progress is kept over this feed's lives.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.config import Config, Regime
from engine.errors import BadDataError, BlockedError, FatalError, FeedError, RateLimitedError, TransientError
from engine.fed_funds import SUFFIX, fed_contract, fed_contracts, meeting_months
from engine.legs import pairs_funds, parsed_pairs
from engine.model import Bars, asset_of
from feeds.aside import aside
from feeds.link import Context, Link
from feeds.numbers import figure
from feeds.reach import reach
from feeds.translate import translate, words
from feeds.turns import YFINANCE, turn
from feeds.yahoo_units import in_units

if TYPE_CHECKING:
    import polars as pl

    from engine.sessions import Hours
    from feeds.yahoo_http import Yahoo

CHANNEL: Final = "yahoo-bars:bars"
WORKERS: Final = 3
PACE_S: Final = 0.05
"""Least seconds between the starts of two requests."""
GIVE_UP_AFTER: Final = 3
"""So many failures on the way in a row, and this life ends: Yahoo, or the network, is not there."""
SETTLE_S: Final = 15 * 60
"""A session's last bar is asked for so long after its close."""
OPENED_S: Final = 5 * 60
"""Daily bars are asked for again so long after a session's open."""
NO_REGIME: Final = Regime((), (), fed_funds=False)
BEGINNING: Final = datetime(1927, 1, 1, tzinfo=UTC)
"""Before Yahoo's oldest bar."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back an interval is fetched, and how much of what is stored is fetched again with what is missing."""

    back: timedelta | None
    overlap: timedelta


REACH: Final = {
    "1d": Reach(None, timedelta(days=7)),
    "5m": Reach(timedelta(days=59), timedelta(minutes=30)),  # Yahoo serves 60 days, counted by the second
    "1m": Reach(timedelta(days=7), timedelta(minutes=10)),
}


class Job(NamedTuple):
    """One symbol's bars at one interval."""

    interval: str
    symbol: str


class YahooBars:
    """Yahoo's price history as a feed."""

    source = "yahoo-bars"
    kind = "equity-bars"
    hosts = ("query2.finance.yahoo.com",)

    def __init__(self, config: Config) -> None:
        self._refresh_s = config.refresh.history_s
        self._jobs = tuple(Job(interval, symbol) for interval in REACH for symbol in _by_need(config))
        self._regime = config.regime if pairs_funds(config) else NO_REGIME
        self._looked: dict[Job, float] = {}
        """When each was last answered, on the run's clock."""
        self._failed: dict[Job, str] = {}
        self._wanted: frozenset[Job] = frozenset()
        """What the first download is made of."""
        self._answered = False
        """Whether Yahoo ever gave this feed a bar."""
        self._applied: dict[Job, float] = {}
        """The newest split or dividend that the stored bars are known to contain, epoch seconds."""

    async def run(self, context: Context, link: Link) -> None:
        """Fetch what is due, for ever."""
        if not self._jobs:
            raise FatalError("no equity symbols are configured")
        link.up(CHANNEL, math.inf)
        yahoo, hours = await aside(_prepare, context)
        while True:
            now = context.clock.now()
            wanted = (*self._jobs, *self._beside(context))
            self._wanted = self._wanted or frozenset(wanted)
            self._say(link)
            due = [job for job in wanted if self._due(job, hours, now)]
            if not due:
                await reach(context.border, self.hosts[0])
                link.reached(CHANNEL)
            for interval in REACH:  # daily bars of all symbols before any intraday ones
                await self._round([job for job in due if job.interval == interval], context, link, yahoo)
                if interval == "1d":
                    link.settled()
            link.rests(self._refresh_s)
            await context.clock.sleep(self._refresh_s)

    def _say(self, link: Link) -> None:
        """How far the first download is: what was answered once, or is named as missing."""
        had = sum(job in self._looked or job in self._failed for job in self._wanted)
        link.progress(had, len(self._wanted))

    def _beside(self, context: Context) -> Iterator[Job]:
        """What is not watched, and whose daily closes are evidence: funds for breadth, dated Fed funds futures."""
        regime = self._regime
        dated: tuple[str, ...] = ()
        if regime.fed_funds:
            meetings = map(fed_contract, meeting_months(context.clock.now(), regime.decisions))
            dated = (*fed_contracts(context.clock.utcnow().date()), *meetings)
        symbols = dict.fromkeys((*regime.small_funds, *regime.large_funds, *dated))
        watched = {job.symbol for job in self._jobs}
        yield from (Job("1d", symbol) for symbol in symbols if symbol not in watched)

    def _due(self, job: Job, hours: Hours, now: float) -> bool:
        """Whether a bar may have closed since the last look, or a split or dividend have rewritten the past."""
        looked = self._looked.get(job)
        if looked is None:
            return True
        if asset_of(job.symbol) == "future" and job.interval != "1d":
            return now - looked >= self._refresh_s
        at = bisect_right(hours.closes, now - SETTLE_S) - 1
        if at >= 0 and looked < hours.closes[at] + SETTLE_S:
            return True  # the first look after a close
        at = hours.last_opened(now)
        if at < 0 or now >= hours.closes[at]:
            return False
        if job.interval == "1d":  # a split or dividend of today rewrites the past, and today's bar tells of it
            return looked < hours.opens[at] + OPENED_S <= now
        return now - looked >= self._refresh_s

    async def _round(self, jobs: list[Job], context: Context, link: Link, yahoo: Yahoo) -> None:
        """Do `jobs` with a few workers; a refusal, or several failures on the way in a row, ends it by an error."""
        todo = iter(jobs)
        state = _Round()
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(min(WORKERS, len(jobs))):
                    group.create_task(self._work(todo, state, context, link, yahoo), name=f"history {number}")
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        link.note(self._missing())
        if state.answers:
            self._answered = True
            for job in state.useless:  # asked for again when the others are
                self._looked[job] = context.clock.now()
        elif state.last is not None and (isinstance(state.last, TransientError) or not self._answered):
            raise state.last

    async def _work(self, todo: Iterator[Job], state: _Round, context: Context, link: Link, yahoo: Yahoo) -> None:
        for job in todo:
            await state.pace(context)
            try:
                await self._fetch(job, context, link, yahoo)
            except (RateLimitedError, BlockedError):
                raise
            except Exception as raised:
                error = translate(raised)
                if error is None:
                    raise
                self._failed[job] = str(error)
                if state.failed(error):
                    raise error from None
                if isinstance(error, BadDataError):
                    state.useless.append(job)
            else:
                state.answered()
                self._failed.pop(job, None)
                self._looked[job] = context.clock.now()
            self._say(link)

    async def _fetch(self, job: Job, context: Context, link: Link, yahoo: Yahoo) -> None:
        """Ask for what is missing of `job` and hand it on; for all of it where the past was rewritten."""
        interval, symbol = job
        reach = REACH[interval]
        end = context.clock.utcnow() + timedelta(minutes=1)
        earliest = BEGINNING if reach.back is None else end - reach.back
        stored = context.sink.coverage(symbol, interval, self.source)
        start = earliest
        if stored is not None:
            start = max(earliest, datetime.fromtimestamp(stored.last, UTC) - reach.overlap)
        answer = await aside(history, yahoo, symbol, interval, start, end)
        link.heard(CHANNEL, None)
        acted = answer.action_at
        replace = stored is not None and acted is not None and acted >= self._applied.get(job, stored.last)
        if replace and start > earliest:
            answer = await aside(history, yahoo, symbol, interval, earliest, end)
        if acted is not None:
            self._applied[job] = acted + 1
        if answer.bars.height:
            context.sink.ingest_bars(Bars(symbol, interval, self.source, answer.currency, answer.bars, replace))
        elif stored is None:
            raise BadDataError(f"no {interval} bars")

    def _missing(self) -> str | None:
        """What could not be had, by its reason."""
        by_reason: dict[str, list[str]] = {}
        for job, reason in self._failed.items():
            if job.symbol.endswith(SUFFIX):  # the contract of a year on may not trade yet: `regime` says what it has
                continue
            by_reason.setdefault(reason, []).append(f"{job.symbol} {job.interval}")
        said = (f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())
        return words("no bars of " + "; ".join(said), 200) if by_reason else None


class _Round:
    """How a round of requests goes, shared by its workers."""

    def __init__(self) -> None:
        self.answers = 0
        self.last: FeedError | None = None
        self.useless: list[Job] = []
        """Those that were answered, but with nothing of use."""
        self._in_a_row = 0
        self._next = 0.0

    async def pace(self, context: Context) -> None:
        """Wait until the next request may start."""
        now = context.clock.monotonic()
        self._next = max(now, self._next + PACE_S)
        await context.clock.sleep(self._next - now)

    def answered(self) -> None:
        self.answers += 1
        self._in_a_row = 0

    def failed(self, error: FeedError) -> bool:
        """Whether the round is to be given up."""
        self.last = error
        self._in_a_row = self._in_a_row + 1 if isinstance(error, TransientError) else 0
        return self._in_a_row >= GIVE_UP_AFTER


class Answer(NamedTuple):
    """One answer of Yahoo's, in our shape."""

    bars: pl.DataFrame
    currency: str
    action_at: float | None
    """The newest split or dividend within, as its bar's time in epoch seconds."""


def bars_of(frame: Any, interval: str, unit: float = 1.0) -> tuple[pl.DataFrame, float | None]:
    """yfinance's DataFrame as `engine.tables.BARS`, and when its newest action was.

    `time` is the bar's open in UTC; of daily bars it is midnight UTC of the session's date, whatever the exchange's
    zone. A row without a close is dropped; of the others what is no price (missing, zero, negative, no number) is null.
    Raises BadDataError where times or whole columns are missing.
    """
    import numpy as np
    import polars as pl

    columns = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "adj_close": "Adj Close"}
    lacking = [theirs for theirs in (*columns.values(), "Volume") if theirs not in frame.columns]
    zone = getattr(frame.index, "tz", None)
    if lacking or zone is None:
        raise BadDataError(f"Yahoo's bars have no {', '.join(lacking) or 'times with a zone'}")
    index = frame.index.tz_localize(None) if interval == "1d" else frame.index.tz_convert("UTC").tz_localize(None)
    times = pl.Series("time", index.to_numpy().astype("datetime64[us]")).dt.replace_time_zone("UTC")
    prices = np.array([_floats(frame[theirs]) for theirs in columns.values()]) * unit
    volume = np.array(_floats(frame["Volume"]))
    prices[~(np.isfinite(prices) & (prices > 0))] = math.nan
    volume[~(np.isfinite(volume) & (volume >= 0))] = math.nan
    cells = dict(zip(columns, prices, strict=True)) | {"volume": volume}
    bars = (
        pl.DataFrame({"time": times, **cells}, nan_to_null=True)
        .filter(pl.col("close").is_not_null())
        .unique("time", keep="last")
        .sort("time")
    )
    # intraday prices know splits alone
    actions = ("Stock Splits",) if interval != "1d" else ("Dividends", "Stock Splits", "Capital Gains")
    sizes = [np.array(_floats(frame[name])) for name in actions if name in frame.columns]
    acted = [times.filter(np.isfinite(size) & (size != 0)).max() for size in sizes]
    newest = max((at.timestamp() for at in acted if isinstance(at, datetime)), default=None)
    return bars, newest


def _floats(column: Any) -> Any:
    """A column of pandas as floats; NaN where a cell is no number."""
    if column.dtype.kind in "iuf":
        return column.to_numpy(dtype="float64", copy=True)
    return [math.nan if (found := figure(cell)) is None else found for cell in column]


def history(yahoo: Yahoo, symbol: str, interval: str, start: datetime, end: datetime) -> Answer:
    """What Yahoo has of `symbol` from `start` to `end`; blocks. Raises a FeedError, or the network's own errors.

    What is dated a day after `end` or later is none: one such bar would stand for everything until then.
    """
    frame, code = yahoo.history(symbol, interval, start, end)
    currency, unit = in_units(code)
    if frame is None or frame.empty:
        return Answer(_nothing(), currency, None)
    frame = frame[frame.index <= end + timedelta(days=1)]
    bars, action_at = bars_of(frame, interval, unit)
    return Answer(bars, currency, action_at)


def _nothing() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame()


def _by_need(config: Config) -> tuple[str, ...]:
    """Every equity symbol, those of pairs and levels first."""
    legs = [symbol for pair in parsed_pairs(config.spreads.pairs, config) for symbol in pair.symbols]
    wanted = [s for s in (*legs, *config.levels) if s in config.equity.symbols]
    return tuple(dict.fromkeys((*wanted, *config.equity.symbols)))


def _prepare(context: Context) -> tuple[Yahoo, Hours]:
    """The imports and the calendar, which take a second at the first start."""
    from engine.sessions import xnys

    with turn(YFINANCE):
        from feeds.yahoo_http import shared

    return shared(context.border, context.cache), xnys()
