"""A clock that only moves when told to, and a sink that keeps what it is given."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque

from engine.clock import Clock
from engine.model import (
    Bars,
    ChannelReport,
    Coverage,
    FeedReport,
    FeedState,
    FundDays,
    MarketFact,
    OutsideFact,
    Quote,
)


class FakeClock(Clock):
    """Time stands still until `advance`."""

    def __init__(self, start: float = 1_768_000_000.0) -> None:
        super().__init__()
        self._wall = start
        self._mono = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = 0

    def now(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._mono

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (self._mono + seconds, self._order, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass: everybody who sleeps until then wakes at the right moment and gets to run."""
        until = self._mono + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._wall += at - self._mono
            self._mono = at
            future.set_result(None)
            await self.settle()
        self._wall += until - self._mono
        self._mono = until
        await self.settle()

    def jump(self, seconds: float) -> None:
        """The wall clock is another at once, and no timer knows: a machine slept, or was set."""
        self._wall += seconds

    @staticmethod
    async def settle() -> None:
        """Let every task run until it waits for something else."""
        for _ in range(12):
            await asyncio.sleep(0)


class RecordingSink:
    """Keeps everything; `limit` newest quotes."""

    def __init__(self, limit: int = 200_000) -> None:
        self.quotes: deque[Quote] = deque(maxlen=limit)
        self.bars: list[Bars] = []
        self.facts: list[MarketFact] = []
        self.outside: list[OutsideFact] = []
        self.fund_days: list[FundDays] = []
        self.channels: list[ChannelReport] = []
        self.reports: list[FeedReport] = []
        self.covered: dict[tuple[str, str, str], Coverage] = {}

    def ingest(self, quote: Quote, /) -> None:
        self.quotes.append(quote)

    def ingest_bars(self, bars: Bars, /) -> None:
        self.bars.append(bars)

    def ingest_fact(self, fact: MarketFact, /) -> None:
        self.facts.append(fact)

    def ingest_outside(self, fact: OutsideFact, /) -> None:
        self.outside.append(fact)

    def ingest_fund_days(self, days: FundDays, /) -> None:
        self.fund_days.append(days)

    def report_channel(self, report: ChannelReport, /) -> None:
        self.channels.append(report)

    def report_feed(self, report: FeedReport, /) -> None:
        self.reports.append(report)

    def coverage(self, symbol: str, interval: str, source: str, /) -> Coverage | None:
        return self.covered.get((symbol, interval, source))

    @property
    def last(self) -> FeedReport:
        return self.reports[-1]

    def state(self) -> FeedState:
        """The newest reported state."""
        return self.reports[-1].state if self.reports else FeedState.CONNECTING

    def states(self) -> list[str]:
        """The states in the order in which they were entered."""
        states = [report.state.value for report in self.reports]
        return [state for i, state in enumerate(states) if i == 0 or states[i - 1] != state]
