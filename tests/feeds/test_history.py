"""Yahoo's bars over real TLS: all of the past once, then what is missing, and all again when the past was rewritten."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from engine.clock import Clock
from engine.config import Band, Config, Equity, Refresh, Regime, Spreads
from engine.errors import BlockedError, FeedError, RateLimitedError, TransientError
from engine.fed_funds import fed_contracts
from engine.model import Bars, Coverage
from engine.tables import BARS
from feeds.history import NO_REGIME, YahooBars, bars_of
from feeds.link import Context
from feeds.translate import translate
from simulator.gateway import Gateway, Reply, Request
from tests.feeds.conftest import IN_SESSION
from tests.feeds.fakes import RecordingSink
from tests.feeds.links import Lag, RecordingLink, running, until
from tests.feeds.yahoo_site import YahooSite, chart_answer, html, unknown_symbol

CONFIG = Config(
    equity=Equity(symbols=("QQQ", "IWM", "SPY", "^RUT")),
    spreads=Spreads(pairs=("IWM/SPY", "ETH/BTC")),
    levels={"^RUT": Band((2100.0,), (2300.0,))},
    regime=NO_REGIME,
)
ONE = Config(equity=Equity(symbols=("IWM",)), spreads=Spreads(pairs=()), levels={})
Row = tuple[int, float, float, float, float, float]


def days(last: datetime, count: int) -> list[Row]:
    """Daily bars of `count` weekdays up to the day of `last`, each at its open, 14:30 UTC."""
    rows: list[Row] = []
    day = datetime(last.year, last.month, last.day, 14, 30, tzinfo=UTC)
    while len(rows) < count:
        if day.weekday() < 5:
            price = 200 + len(rows) / 8
            rows.insert(0, (int(day.timestamp()), price, price + 1, price - 1, price + 0.5, 1000.0))
        day -= timedelta(days=1)
    return rows


def minutes(last: datetime, count: int, step: int) -> list[Row]:
    end = int(last.timestamp()) // step * step
    return [(end - step * n, 200.0, 201.0, 199.0, 200.5, 10.0) for n in reversed(range(count))]


class Charts:
    """Serves one symbol's history between period1 and period2, as Yahoo does."""

    def __init__(self, symbol: str, daily: Sequence[Row], kind: str = "ETF") -> None:
        self.symbol = symbol
        self.kind = kind
        self.rows: dict[str, Sequence[Row]] = {
            "1d": daily,
            "5m": minutes(IN_SESSION, 40, 300),
            "1m": minutes(IN_SESSION, 40, 60),
        }
        self.events: Mapping[str, Any] = {}
        self.asked: list[tuple[str, float, float]] = []

    def __call__(self, request: Request) -> Reply:
        interval = request.first("interval")
        start, end = float(request.first("period1")), float(request.first("period2"))
        self.asked.append((interval, start, end))
        rows = [row for row in self.rows[interval] if start <= row[0] <= end]
        events = {
            name: {at: event for at, event in found.items() if start <= int(at) <= end}
            for name, found in self.events.items()
        }
        return Reply.json(chart_answer(self.symbol, rows, kind=self.kind, interval=interval, events=events))

    def of(self, interval: str) -> list[tuple[float, float]]:
        return [(start, end) for asked, start, end in self.asked if asked == interval]


@pytest.fixture
def charts(yahoo: YahooSite) -> dict[str, Charts]:
    made = {symbol: Charts(symbol, days(IN_SESSION, 600)) for symbol in CONFIG.equity.symbols}
    made["^RUT"].kind = "INDEX"
    yahoo.charts.update({symbol.replace("^", "%5E"): chart for symbol, chart in made.items()})
    yahoo.charts.update(made)
    return made


def of(sink: RecordingSink, interval: str, symbol: str = "IWM") -> list[Bars]:
    return [bars for bars in sink.bars if (bars.symbol, bars.interval) == (symbol, interval)]


async def test_daily_bars_come_first_and_those_of_pairs_and_levels_before_the_rest(
    context: Context, sink: RecordingSink, charts: dict[str, Charts]
) -> None:
    link = RecordingLink()
    settled_after: list[int] = []
    link.settled = lambda: settled_after.append(len(sink.bars))  # type: ignore[method-assign]
    async with running(YahooBars(CONFIG).run(context, link)):
        await until(lambda: len(sink.bars) == 12)
    assert [bars.interval for bars in sink.bars] == ["1d"] * 4 + ["5m"] * 4 + ["1m"] * 4
    assert {bars.symbol for bars in sink.bars[:3]} == {"IWM", "SPY", "^RUT"}
    assert settled_after[0] == 4
    assert link.progressed[:2] == [(0, 12), (1, 12)]
    assert sorted(link.progressed) == link.progressed
    assert link.progressed[-1] == (12, 12)
    assert all(bars.source == "yahoo-bars" and bars.quote_ccy == "USD" and not bars.replace for bars in sink.bars)
    assert all(bars.frame.schema == BARS for bars in sink.bars)
    daily = of(sink, "1d")[0].frame
    assert daily.height == 600
    assert daily["time"][-1] == datetime(2026, 1, 9, tzinfo=UTC)  # midnight UTC of the session's date
    assert daily.row(0, named=True)["close"] == charts["IWM"].rows["1d"][0][4]
    five = of(sink, "5m")[0].frame
    assert five["time"][-1] == IN_SESSION
    assert five["volume"].sum() == 400
    assert five["adj_close"].to_list() == five["close"].to_list()
    assert link.notes[-1] is None


async def test_how_far_back_each_interval_is_asked_for(
    context: Context, sink: RecordingSink, charts: dict[str, Charts]
) -> None:
    async with running(YahooBars(ONE).run(context, RecordingLink())):
        await until(lambda: len(sink.bars) == 3)
    now = IN_SESSION.timestamp()
    for interval, back in (("1d", 98 * 365), ("5m", 59), ("1m", 7)):
        ((start, end),) = charts["IWM"].of(interval)
        assert (now - start) / 86400 == pytest.approx(back, rel=0.02)
        assert end - now == pytest.approx(60, abs=20)  # the run's clock, not the machine's


async def test_what_is_stored_is_not_asked_for_again(
    context: Context, sink: RecordingSink, charts: dict[str, Charts]
) -> None:
    last = datetime(2026, 1, 7, tzinfo=UTC).timestamp()
    sink.covered["IWM", "1d", "yahoo-bars"] = Coverage(0.0, last, 598)
    sink.covered["IWM", "1m", "yahoo-bars"] = Coverage(0.0, IN_SESSION.timestamp() - 300, 7)
    async with running(YahooBars(ONE).run(context, RecordingLink())):
        await until(lambda: len(sink.bars) == 3)
    ((start, _),) = charts["IWM"].of("1d")
    assert start == last - 7 * 86400
    (daily,) = of(sink, "1d")
    assert daily.replace is False
    assert [time.day for time in daily.frame["time"]] == [31, 1, 2, 5, 6, 7, 8, 9]
    assert of(sink, "1m")[0].frame.height == 16


@pytest.mark.parametrize("event", ["dividends", "splits"])
async def test_a_dividend_or_a_split_since_the_stored_part_rewrites_the_past(
    event: str, context: Context, sink: RecordingSink, charts: dict[str, Charts]
) -> None:
    at = charts["IWM"].rows["1d"][-2][0]
    value = {"amount": 0.7} if event == "dividends" else {"numerator": 2, "denominator": 1, "splitRatio": "2:1"}
    charts["IWM"].events = {event: {str(at): {"date": at, **value}}}
    sink.covered["IWM", "1d", "yahoo-bars"] = Coverage(0.0, datetime(2026, 1, 7, tzinfo=UTC).timestamp(), 598)
    async with running(YahooBars(ONE).run(context, RecordingLink())):
        await until(lambda: of(sink, "1d"))
    (daily,) = of(sink, "1d")
    assert daily.replace is True
    assert daily.frame.height == 600
    assert len(charts["IWM"].of("1d")) == 2


async def test_an_old_dividend_inside_what_is_fetched_again_rewrites_nothing(
    context: Context, sink: RecordingSink, charts: dict[str, Charts]
) -> None:
    at = charts["IWM"].rows["1d"][-4][0]
    charts["IWM"].events = {"dividends": {str(at): {"date": at, "amount": 0.7}}}
    sink.covered["IWM", "1d", "yahoo-bars"] = Coverage(0.0, datetime(2026, 1, 7, tzinfo=UTC).timestamp(), 598)
    async with running(YahooBars(ONE).run(context, RecordingLink())):
        await until(lambda: of(sink, "1d"))
    assert of(sink, "1d")[0].replace is False
    assert len(charts["IWM"].of("1d")) == 1


async def test_in_session_only_intraday_bars_are_looked_for_again_and_after_the_close_daily_ones_once(
    context: Context, sink: RecordingSink, charts: dict[str, Charts]
) -> None:
    clock = _Steps(IN_SESSION)
    feed = YahooBars(replace(ONE, refresh=Refresh(history_s=300)))
    async with running(feed.run(replace(context, clock=clock), RecordingLink())):
        await until(lambda: clock.pauses and len(sink.bars) == 3)
        charts["IWM"].asked.clear()
        await clock.step(300)
        assert [asked[0] for asked in charts["IWM"].asked] == ["5m", "1m"]
        charts["IWM"].asked.clear()
        await clock.step(6 * 3600)  # 16:35 in New York
        assert [asked[0] for asked in charts["IWM"].asked] == ["1d", "5m", "1m"]
        charts["IWM"].asked.clear()
        await clock.step(3600)
        await clock.step(24 * 3600)  # Saturday
        assert charts["IWM"].asked == []


class _Steps(Clock):
    """Stands still between steps; only long sleeps wait for one."""

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self.at = start.timestamp()
        self._stepped = asyncio.Event()
        self.pauses = 0

    def now(self) -> float:
        return self.at

    def utcnow(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    async def sleep(self, seconds: float) -> None:
        if seconds > 1:
            self.pauses += 1
            await self._stepped.wait()
            self._stepped.clear()

    async def step(self, seconds: float) -> None:
        before = self.pauses
        self.at += seconds
        self._stepped.set()
        await until(lambda: self.pauses > before)


async def test_daily_bars_are_asked_for_again_minutes_after_the_open_which_tells_of_splits_and_dividends(
    context: Context, sink: RecordingSink, charts: dict[str, Charts]
) -> None:
    clock = _Steps(IN_SESSION)
    feed = YahooBars(replace(ONE, refresh=Refresh(history_s=300)))

    def daily() -> int:
        return [asked[0] for asked in charts["IWM"].asked].count("1d")

    async with running(feed.run(replace(context, clock=clock), RecordingLink())):
        await until(lambda: clock.pauses and len(sink.bars) == 3)
        await clock.step(6 * 3600)  # Friday's close
        assert daily() == 2
        monday = datetime(2026, 1, 12, 14, 31, tzinfo=UTC)
        await clock.step(monday.timestamp() - clock.at)
        assert daily() == 2, "today's bar is not there in the first minutes"
        await clock.step(300)
        assert daily() == 3
        await clock.step(300)
        assert daily() == 3, "once a session"


async def test_a_symbol_that_yahoo_does_not_know_is_named_and_the_rest_goes_on(
    context: Context, sink: RecordingSink, charts: dict[str, Charts], yahoo: YahooSite
) -> None:
    for name in ("SPY",):
        yahoo.charts[name] = lambda _: unknown_symbol()
    link = RecordingLink()
    async with running(YahooBars(CONFIG).run(context, link)):
        await until(lambda: len(link.notes) >= 3)
    assert {bars.symbol for bars in sink.bars} == {"IWM", "QQQ", "^RUT"}
    assert link.progressed[-1] == (12, 12), "what is named as missing is waited for no longer"
    assert link.notes[0] == "no bars of SPY 1d: Yahoo: No data found, symbol may be delisted"
    assert link.is_settled


async def _error(context: Context, config: Config = CONFIG) -> FeedError:
    async with asyncio.timeout(20):
        with pytest.raises(Exception) as raised:
            await YahooBars(config).run(context, RecordingLink())
    error = translate(raised.value)
    assert error is not None
    return error


async def test_a_rate_limit_ends_the_round_with_its_pause(
    context: Context, yahoo: YahooSite, charts: dict[str, Charts]
) -> None:
    for name in list(yahoo.charts):
        yahoo.charts[name] = lambda _: Reply(429, b"Too Many Requests", {"Retry-After": "60"})
    error = await _error(context)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 60


async def test_a_consent_page_is_a_block(context: Context, yahoo: YahooSite, charts: dict[str, Charts]) -> None:
    away = Reply(302, b"", {"Location": "https://consent.yahoo.com/v2/collectConsent?sessionId=1"}, "text/html")
    for name in list(yahoo.charts):
        yahoo.charts[name] = lambda _: away
    yahoo.consent = html("<form method=post action='/v2/collectConsent'><input name=csrfToken value=a></form>")
    assert isinstance(await _error(context), BlockedError)


async def test_when_nothing_can_be_reached_it_does_not_ask_for_everything_first(
    context: Context, gateway: Gateway
) -> None:
    hosts = {"query1.finance.yahoo.com", "query2.finance.yahoo.com", "fc.yahoo.com", "guce.yahoo.com"}
    gateway.refused.update(hosts)
    assert isinstance(await _error(context), TransientError)


@pytest.mark.parametrize(
    "reply", [html("Will be right back"), html("oops"), Reply(200, b""), Reply(200, b'{"chart": '), html("bad", 503)]
)
async def test_what_is_no_answer_ends_the_only_symbols_life_with_an_error(
    reply: Reply, context: Context, yahoo: YahooSite, charts: dict[str, Charts]
) -> None:
    yahoo.charts["IWM"] = lambda _: reply
    await _error(context, ONE)


async def test_progress_is_kept_over_lives(
    context: Context, sink: RecordingSink, yahoo: YahooSite, charts: dict[str, Charts]
) -> None:
    feed = YahooBars(CONFIG)
    working = yahoo.charts["QQQ"]
    yahoo.charts["QQQ"] = lambda _: Reply(429, b"", {"Retry-After": "1"})
    with pytest.raises(RateLimitedError):
        await feed.run(context, RecordingLink())
    assert len(of(sink, "1d", "IWM")) == 1
    yahoo.charts["QQQ"] = working
    link = RecordingLink()
    async with running(feed.run(context, link)):
        await until(lambda: len(sink.bars) == 12)
    assert link.progressed[0][0] >= 1
    assert len(of(sink, "1d", "IWM")) == 1
    assert len(of(sink, "1d", "QQQ")) == 1


async def test_the_loop_stays_free_while_decades_are_fetched(
    context: Context, sink: RecordingSink, charts: dict[str, Charts]
) -> None:
    for chart in charts.values():
        chart.rows["1d"] = days(IN_SESSION, 6500)
    async with Lag() as lag, running(YahooBars(CONFIG).run(context, RecordingLink())):
        await until(lambda: len(sink.bars) == 12, 30)
    print(f"loop lag at most {lag.longest * 1000:.1f} ms, the gateway's own work included")
    assert lag.longest < 0.5


def test_rows_without_a_close_are_dropped_and_what_is_no_price_is_null() -> None:
    import pandas as pd

    index = pd.date_range("2026-01-05", periods=5, tz="America/New_York", name="Date")
    frame = pd.DataFrame(
        {
            "Open": [1.0, math.nan, 0.0, 4.0, 5.0],
            "High": [2.0, math.nan, 3.0, 5.0, -1.0],
            "Low": [0.5, math.nan, 2.0, 3.0, 4.0],
            "Close": [1.5, math.nan, 2.5, 0.0, 5.0],
            "Adj Close": [1.4, math.nan, 2.4, 4.0, 5.0],
            "Volume": [10, 0, 30, 40, 50],
            "Dividends": [0.0, 0.2, 0.0, 0.0, 0.0],
            "Stock Splits": [0.0, 0.0, 0.0, 0.0, 0.0],
        },
        index=index,
    )
    bars, acted = bars_of(frame, "1d")
    assert bars.schema == BARS
    assert [time.day for time in bars["time"]] == [5, 7, 9]
    assert bars["open"].to_list() == [1.0, None, 5.0]
    assert bars["high"].to_list() == [2.0, 3.0, None]
    assert bars["adj_close"].to_list() == [1.4, 2.4, 5.0]
    assert bars["time"].dtype == pl.Datetime("us", "UTC")
    assert acted == datetime(2026, 1, 6, tzinfo=UTC).timestamp()
    assert bars_of(frame, "1d", 0.01)[0]["close"].to_list() == pytest.approx([0.015, 0.025, 0.05])


async def test_evidence_that_is_not_watched_is_fetched_day_by_day_and_a_contract_that_is_not_there_is_no_trouble(
    context: Context,
) -> None:
    config = replace(CONFIG, regime=Regime(("IWM", "PSCT"), ("SPY",)))
    jobs = list(YahooBars(config)._beside(context))
    assert [job.symbol for job in jobs] == [
        "PSCT",
        *fed_contracts(context.clock.utcnow().date()),
        "ZQG26.CBT",
        "ZQH26.CBT",
    ]
    assert {job.interval for job in jobs} == {"1d"}
    assert list(YahooBars(replace(config, spreads=Spreads(())))._beside(context)) == []
    feed = YahooBars(config)
    feed._failed = {jobs[0]: "unknown", jobs[2]: "unknown"}
    said = feed._missing()
    assert said == "no bars of PSCT 1d: unknown"
