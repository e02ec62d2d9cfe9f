"""The player's side of a recording for `bench.fuzz_targets`: mangled entries of every kind, each played to its end.

What a replay hands on goes into tables that know one type a column: what it hands on is looked at for that.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import math
import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from bench.fuzz_samples import Target, mangled
from engine.clock import ReplayClock
from engine.config import Config
from engine.model import Bars, ChannelReport, FeedReport, FundDays, MarketFact, OutsideFact, Quote
from engine.tables import BARS
from feeds.ccxt_tap import closed
from feeds.replay import Entry, RecordingError, Replay, _entry

NOW: Final = 1_767_972_600.0
FAR: Final = NOW + 31 * 86_400.0
VENUE: Final = "kraken"
RARELY: Final = 0.002
"""Lists of books are so many of the entries: an exchange object takes a tenth of a second."""
DAY: Final = 86_400
URL: Final = "wss://ws.kraken.com/v2"
_MARKET: Final = {
    "id": "XBTUSD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "spot": True, "type": "spot", "active": True,
    "info": {},
}  # fmt: skip
_BOOKS: Final = (NOW, VENUE, "books", [_MARKET])


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _moment(value: object, latest: float = NOW + 3 * DAY) -> bool:
    return isinstance(value, int | float) and 0 <= value <= latest


def _quote(quote: Quote) -> None:
    assert all(isinstance(word, str) for word in quote[:5]), quote
    assert all(value is None or _number(value) for value in quote[5:17]), quote


def _bars(bars: Bars) -> None:
    assert all(isinstance(word, str) for word in bars[:4]), bars
    assert bars.frame.schema == BARS, bars
    assert all(_moment(at.timestamp() + 3e9, NOW + 4e9) for at in bars.frame["time"]), bars


def _fact(fact: MarketFact) -> None:
    assert isinstance(fact.base, str), fact
    assert isinstance(fact.source, str), fact
    assert _moment(fact.as_of), fact
    assert all(value is None or _number(value) for value in fact[3:]), fact


def _outside(fact: OutsideFact) -> None:
    assert all(isinstance(word, str) for word in (fact.fact, fact.unit, fact.source, *fact.members)), fact
    assert all(value is None or _number(value) for value in (fact.value, fact.change_pct)), fact
    assert _moment(fact.as_of), fact
    assert _number(fact.lasts_s), fact
    assert isinstance(fact.members, tuple), fact


def _fund_days(days: FundDays) -> None:
    for day in days.days:
        assert isinstance(day.fund, str), day
        assert day.date.year, day
        assert all(value is None or _number(value) for value in day[2:]), day


def _channel(report: ChannelReport) -> None:
    assert isinstance(report.channel, str), report
    assert isinstance(report.up, bool), report
    assert _number(report.silence_limit_s) or report.silence_limit_s == math.inf, report


def _feed(report: FeedReport) -> None:
    assert isinstance(report.source, str), report
    assert report.state.value, report
    assert _number(report.rate), report
    assert abs(report.reconnects) < 2**63, report
    assert all(at is None or _moment(at, FAR) for at in (report.last_message, report.retry_at, report.next_at))


class _Taker:
    """Takes what is handed on: a replay would take a complaint for the entry's own, so it is looked at afterwards."""

    def __init__(self) -> None:
        self.handed: list[tuple[Callable[[Any], None], Any]] = []

    def ingest(self, quote: Quote, /) -> None:
        self.handed.append((_quote, quote))

    def ingest_bars(self, bars: Bars, /) -> None:
        self.handed.append((_bars, bars))

    def ingest_fact(self, fact: MarketFact, /) -> None:
        self.handed.append((_fact, fact))

    def ingest_outside(self, fact: OutsideFact, /) -> None:
        self.handed.append((_outside, fact))

    def ingest_fund_days(self, days: FundDays, /) -> None:
        self.handed.append((_fund_days, days))

    def report_channel(self, report: ChannelReport, /) -> None:
        self.handed.append((_channel, report))

    def report_feed(self, report: FeedReport, /) -> None:
        self.handed.append((_feed, report))

    def coverage(self, symbol: str, interval: str, source: str, /) -> None:
        """Nothing is held."""


@cache
def _standing() -> SimpleNamespace:
    """A replay that knows one venue's books, and the loop that it is played in."""
    loop, clock, taker = asyncio.new_event_loop(), ReplayClock(), _Taker()
    clock.begin(NOW)

    async def begun() -> Replay:
        replay = Replay(taker, Config(), clock, Path("never"))
        replay.play(_BOOKS)
        assert replay.unreadable == 0
        return replay

    replay = loop.run_until_complete(begun())
    atexit.register(_end, loop, replay)
    return SimpleNamespace(loop=loop, replay=replay, taker=taker)


def _end(loop: asyncio.AbstractEventLoop, replay: Replay) -> None:
    loop.run_until_complete(replay.close())
    loop.close()


def _played(line: bytes) -> None:
    """One line of a recording, as it is read and played."""
    entry = _entry(line, Path("run"))
    if entry is not None:
        held = _standing()
        held.taker.handed.clear()
        held.loop.run_until_complete(_play(held.replay, entry))
        for look, handed in held.taker.handed:
            look(handed)


async def _play(replay: Replay, entry: Entry) -> None:
    before: Mapping[str, Any] = dict(replay._venues)
    replay.play(entry)
    for name in [name for name, venue in replay._venues.items() if venue not in before.values()]:
        await closed(replay._venues[name].exchange)
    replay._venues = dict(before)
    for venue in before.values():  # an address that was mangled makes a client each time
        for url in [url for url in venue.exchange.clients if url != URL]:
            del venue.exchange.clients[url]


def _line(entry: Any, chance: random.Random) -> bytes:
    chosen = _BOOKS if chance.random() < RARELY else entry
    return json.dumps(mangled(list(chosen), chance)).encode() + b"\n"


def of_replay(ticker: Any, row: Any, streamed: str) -> tuple[Target, ...]:
    """All of them. ticker: a message of Kraken's. row: a row of Yahoo's quotes. streamed: a message of its streamer."""
    times = [int((NOW - DAY * n) * 1e6) for n in (3, 2, 1)]
    polled = {
        "symbol": "BTC/USD",
        "last": 91_000.0,
        "bid": 90_999.0,
        "ask": 91_001.0,
        "timestamp": NOW * 1000,
        "info": {},
    }
    outside = ["fear_greed", 40.0, "0-100", NOW, "alternative.me", 9e4, 1.5, "1d", ["a", "b"]]
    report = ["kraken", "crypto-stream", "live", NOW, 3.5, 0, None, NOW + 5, True, None, NOW + 60, 3, 9]
    entries: tuple[Entry, ...] = (
        (NOW, VENUE, "ws", [URL, ticker]),
        (NOW, VENUE, "polled", ["BTC/USD", polled]),
        (NOW, "yahoo-stream", "stream", ["yahoo-stream:quotes", streamed]),
        (NOW, "yahoo-poll", "rows", [row, row]),
        (NOW, "yahoo-bars", "bars", ["IWM", "1d", "USD", False, [times, *([1.0, 2.0, None],) * 6], False]),
        (NOW, "coingecko", "fact", ["BTC", "coingecko", NOW, 3e10, 1.8e12, 58.1]),
        (NOW, "", "outside", outside),
        (NOW, "ssga", "funds", [["SPY", "2026-01-08", 600.5, 9e8, None], ["MDY", "2026-01-08", 1.5, None, 2e10]]),
        (NOW, VENUE, "channel", ["kraken:tickers", True, 15.0]),
        (NOW, "yahoo-poll", "channel", ["yahoo-poll:quotes", True, None]),
        (NOW, VENUE, "feed", report),
    )
    return (Target("played", entries, _played, (RecordingError,), _line),)
