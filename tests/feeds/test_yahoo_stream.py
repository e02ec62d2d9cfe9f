"""The streamer over real TLS: what its messages become, and that no way of ending leaves it dead, stuck or spinning."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.clock import Clock
from engine.config import Config, Equity
from engine.errors import BadDataError, TransientError
from engine.model import FeedState
from feeds.link import Context
from feeds.supervisor import Policy, Supervisor
from feeds.yahoo_stream import QuoteReader, YahooStream, shortest
from simulator.gateway import Gateway
from tests.feeds.fakes import RecordingSink
from tests.feeds.links import Lag, RecordingLink, running, until
from tests.feeds.yahoo_site import YahooSite, pricing

QUICK = Policy(floor=0.05, ceiling=0.2, tick=0.05)
ONE = Config(equity=Equity(symbols=("IWM",)))
ALLOWED_LAG = 0.1


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def tick(price: float = 259.46, **fields: object) -> str:
    now = fields.pop("time", None) or ms(datetime(2026, 1, 9, 15, 30, tzinfo=UTC))
    return pricing(id="IWM", price=price, time=now, market_hours=1, **fields)


@pytest.fixture
def read() -> QuoteReader:
    from yfinance.pricing_pb2 import PricingData

    return QuoteReader(("IWM", "^RUT", "OCDO.L"), PricingData, "yahoo-stream:quotes")


def test_a_message_becomes_a_quote_without_the_noise_of_float32(read: QuoteReader) -> None:
    quote = read.read(
        tick(232.35, change=1.06, day_high=233.1, day_low=230.2, day_volume=2**40, price_hint=2), 5.0, 6.0
    )
    assert quote is not None
    assert (quote.symbol, quote.source, quote.quote_ccy, quote.session) == ("IWM", "yahoo-stream", "USD", "regular")
    assert (quote.last, quote.prev, quote.high, quote.low, quote.volume) == (232.35, 231.29, 233.1, 230.2, float(2**40))
    assert (quote.bid, quote.ask, quote.received, quote.received_mono) == (None, None, 5.0, 6.0)
    assert quote.event_time == datetime(2026, 1, 9, 15, 30, tzinfo=UTC).timestamp()


def test_a_previous_close_has_as_many_decimals_as_the_price(read: QuoteReader) -> None:
    quote = read.read(tick(4.171, change=-0.013, price_hint=2), 5.0, 6.0)
    assert quote is not None
    assert (quote.last, quote.prev) == (4.171, 4.184)


@pytest.mark.parametrize("change", [147.0, -200.0, 198.2, 1e9])
def test_a_previous_close_that_cannot_be_one_is_none(read: QuoteReader, change: float) -> None:
    quote = read.read(tick(198.24, change=change, price_hint=2), 5.0, 6.0)
    assert quote is not None
    assert (quote.last, quote.prev) == (198.24, None)


def test_without_a_change_there_is_no_previous_close(read: QuoteReader) -> None:
    quote = read.read(tick(232.35), 5.0, 6.0)
    assert quote is not None
    assert (quote.prev, quote.high, quote.low, quote.volume) == (None, None, None, None)


@pytest.mark.parametrize(
    ("hours", "utc", "session"),
    [
        (1, (15, 30), "regular"),
        (2, (22, 0), "post"),
        (4, (3, 0), "overnight"),
        (0, (12, 0), "pre"),
        (0, (15, 30), None),
        (3, (15, 30), None),
    ],
)
def test_zero_market_hours_is_pre_market_only_where_the_clock_agrees(
    read: QuoteReader, hours: int, utc: tuple[int, int], session: str | None
) -> None:
    at = ms(datetime(2026, 1, 9, *utc, tzinfo=UTC))
    quote = read.read(pricing(id="IWM", price=259.46, time=at, market_hours=hours), 0.0, 0.0)
    assert quote is not None
    assert quote.session == session


def test_pence_become_pounds(read: QuoteReader) -> None:
    quote = read.read(pricing(id="OCDO.L", price=308.8, currency="GBp", change=-6.4, price_hint=2), 0.0, 0.0)
    assert quote is not None
    assert quote.quote_ccy == "GBP"
    assert quote.last == pytest.approx(3.088)
    assert quote.prev == pytest.approx(3.152)
    assert quote.event_time is None


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_price_is_no_quote(read: QuoteReader, price: float) -> None:
    assert read.read(pricing(id="IWM", price=price), 0.0, 0.0) is None


def test_a_time_beyond_the_calendar_is_none(read: QuoteReader) -> None:
    quote = read.read(pricing(id="IWM", price=259.46, time=257_000_000_000_000), 0.0, 0.0)
    assert quote is not None
    assert quote.event_time is None


def test_other_symbols_and_other_kinds_of_message_are_passed_over(read: QuoteReader) -> None:
    assert read.read(pricing(id="AAPL", price=1.0), 0.0, 0.0) is None
    assert read.read('{"type":"hello"}', 0.0, 0.0) is None


@pytest.mark.parametrize(
    "text", ["", "x", "[]", '{"message":"AAAA"}', '{"message":5}', '{"message":"é"}', '{"message":"!"}']
)
def test_what_cannot_be_read_is_bad_data(read: QuoteReader, text: str) -> None:
    with pytest.raises(BadDataError):
        read.read(text, 0.0, 0.0)


@pytest.mark.parametrize("value", [232.35, 0.00001234, 94745.08, 2624.22, 1.0, 16777217.0])
def test_shortest_is_the_same_float32(value: float) -> None:
    import numpy as np

    noisy = float(np.float32(value))
    assert np.float32(shortest(noisy)) == np.float32(noisy)
    assert str(np.float32(value)) == str(np.float32(shortest(noisy)))
    assert len(repr(shortest(noisy))) <= len(repr(noisy))


async def test_quotes_arrive_and_the_channel_lives(context: Context, yahoo: YahooSite, sink: RecordingSink) -> None:
    yahoo.greeting = [tick(), "rubbish", tick(259.5)]
    link = RecordingLink()
    async with running(YahooStream(ONE).run(context, link)):
        await until(lambda: len(sink.quotes) == 2 and len(link.ups) == 2)
    assert [quote.last for quote in sink.quotes] == [259.46, 259.5]
    assert yahoo.subscriptions == [["IWM"]]
    assert yahoo.requests[0].query == {"version": ("2",)}
    assert link.ups == [("yahoo-stream:quotes", math.inf), ("yahoo-stream:quotes", 45.0)]
    assert link.notes == ["1 messages could not be read"]


async def test_a_message_of_last_week_keeps_its_own_time(
    context: Context, yahoo: YahooSite, sink: RecordingSink
) -> None:
    old = datetime(2026, 1, 2, 21, 0, tzinfo=UTC)
    yahoo.greeting = [tick(time=ms(old))]
    async with running(YahooStream(ONE).run(context, RecordingLink())):
        await until(lambda: sink.quotes)
    quote = sink.quotes[0]
    assert quote.event_time == old.timestamp()
    assert quote.received - quote.event_time > 6 * 86400


async def test_more_than_a_hundred_symbols_take_several_connections(context: Context, yahoo: YahooSite) -> None:
    symbols = tuple(f"S{n}" for n in range(230))
    link = RecordingLink()
    async with running(YahooStream(Config(equity=Equity(symbols=symbols))).run(context, link)):
        await until(lambda: len(yahoo.subscriptions) == 3)
        await until(lambda: len({channel for channel, _ in link.ups}) == 3)
    assert sorted(len(part) for part in yahoo.subscriptions) == [30, 100, 100]
    assert {s for part in yahoo.subscriptions for s in part} == set(symbols)
    assert {channel for channel, _ in link.ups} == {f"yahoo-stream:quotes{n}" for n in ("", "-2", "-3")}


async def test_the_subscription_is_said_again(
    context: Context, yahoo: YahooSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.yahoo_stream.HEARTBEAT_S", 0.05)
    async with running(YahooStream(ONE).run(context, RecordingLink())):
        await until(lambda: len(yahoo.subscriptions) >= 3)


async def test_when_the_market_is_closed_silence_is_no_fault(context: Context) -> None:
    link = RecordingLink()
    saturday = replace(context, clock=Clock.starting_at(datetime(2026, 1, 10, 15, 0, tzinfo=UTC)))
    async with running(YahooStream(ONE).run(saturday, link)):
        await until(lambda: len(link.ups) == 2)
    assert link.ups[1][1] == math.inf


async def test_a_clean_close_ends_the_run_with_its_code(context: Context, yahoo: YahooSite, gateway: Gateway) -> None:
    link = RecordingLink()
    async with asyncio.timeout(10):
        run = asyncio.ensure_future(YahooStream(ONE).run(context, link))
        await until(lambda: yahoo.subscriptions)
        await gateway.close_sockets(1000, "see you")
        with pytest.raises(TransientError, match=r"Yahoo closed the stream \(code 1000, “see you”\)"):
            await run


async def _survives(
    context: Context, yahoo: YahooSite, sink: RecordingSink, gateway: Gateway, how: str
) -> tuple[Supervisor, float, float]:
    """Three times: live, then broken in the way `how`, then live again. The lag and the slowest recovery."""
    yahoo.greeting = [tick()]
    supervisor = Supervisor(YahooStream(ONE), context, policy=QUICK)
    loop = asyncio.get_running_loop()
    slowest = 0.0
    async with running(supervisor.run()):
        await until(lambda: sink.quotes and sink.state() is FeedState.LIVE)
        async with Lag() as lag:
            for number in range(1, 4):
                seen, connections = len(sink.quotes), len(yahoo.sockets)
                newer = ms(datetime(2026, 1, 9, 15, 30, number, tzinfo=UTC))
                yahoo.greeting = [tick(260.0 + number, time=newer)]
                broken = loop.time()
                if how == "clean":
                    await gateway.close_sockets(1000)
                elif how == "abort":
                    gateway.drop_all()
                else:
                    gateway.muted.add("streamer.finance.yahoo.com")
                    await until(lambda c=connections: len(yahoo.sockets) > c)  # type: ignore[misc]
                    gateway.muted.clear()
                await until(lambda s=seen: len(sink.quotes) > s)  # type: ignore[misc]
                slowest = max(slowest, loop.time() - broken)
                await until(lambda: sink.state() is FeedState.LIVE)
            await asyncio.sleep(0.3)
    return supervisor, lag.longest, slowest


@pytest.mark.parametrize("how", ["clean", "abort", "silence"])
async def test_it_comes_back_after_every_kind_of_end_without_holding_up_the_loop(
    how: str, context: Context, yahoo: YahooSite, sink: RecordingSink, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "silence":
        monkeypatch.setattr("feeds.yahoo_stream._Connection._limit", lambda _, hours: 0.4)
    lag, tries = math.inf, 0
    while lag >= ALLOWED_LAG and tries < 3:  # a loop that is held up is held up every time, a busy machine is not
        tries += 1
        supervisor, lag, slowest = await _survives(context, yahoo, sink, gateway, how)
    print(f"{how}: loop lag at most {lag * 1000:.1f} ms, back after at most {slowest:.2f} s")
    assert lag < ALLOWED_LAG
    assert supervisor.report.reconnects >= 3
    assert len(yahoo.sockets) <= 12 * tries  # it does not hammer, either
    assert all(isinstance(json.dumps(part), str) for part in yahoo.subscriptions)
    lost = [report for report in sink.channels if not report.up]
    assert len(lost) >= 3


async def test_a_connection_that_is_lost_before_it_was_made_is_no_error_of_ours() -> None:
    from websockets.client import ClientProtocol
    from websockets.uri import parse_uri

    from feeds.yahoo_socket import Socket

    Socket(ClientProtocol(parse_uri("wss://streamer.example"))).connection_lost(ConnectionResetError())
