"""The batched quote request over real TLS: what Yahoo's rows become, and that each refusal is said as what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.clock import Clock
from engine.config import Config, Equity, Refresh
from engine.errors import BadDataError, BlockedError, FeedError, RateLimitedError, TransientError
from feeds.link import Context
from feeds.translate import translate
from feeds.yahoo_poll import YahooPoll, quote_of
from feeds.yahoo_stream import YahooStream
from simulator.gateway import Gateway, Reply
from tests.feeds.asking import Sleeps
from tests.feeds.fakes import RecordingSink
from tests.feeds.links import RecordingLink, running, until
from tests.feeds.yahoo_site import YahooSite, html, quote_answer

SYMBOLS = ("IWM", "^RUT", "RTY=F")
CONFIG = Config(equity=Equity(symbols=SYMBOLS), refresh=Refresh(equity_poll_s=5.0))
AT = int(datetime(2026, 1, 9, 15, 29, 58, tzinfo=UTC).timestamp())


def row(symbol: str = "IWM", **fields: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "currency": "USD",
        "marketState": "REGULAR",
        "regularMarketPrice": 259.46,
        "regularMarketTime": AT,
        "regularMarketPreviousClose": 257.1,
        "regularMarketDayHigh": 260.0,
        "regularMarketDayLow": 256.5,
        "regularMarketVolume": 12_345_678,
        "bid": 259.45,
        "ask": 0,
        "exchangeDataDelayedBy": 0,
        "quoteSourceName": "Nasdaq Real Time Price",
        **fields,
    }


@pytest.fixture
def rows(yahoo: YahooSite) -> dict[str, Mapping[str, Any]]:
    yahoo.rows = {
        "IWM": row(),
        "^RUT": row("^RUT", regularMarketPrice=2624.22, regularMarketPreviousClose=0.0021, bid=0),
        "RTY=F": row("RTY=F", regularMarketPrice=2640.0, regularMarketPreviousClose=2630.0, exchangeDataDelayedBy=10),
    }
    return yahoo.rows


def test_in_the_session_the_change_is_from_the_close_before() -> None:
    quote = quote_of("IWM", row(), 5.0, 6.0)
    assert quote is not None
    assert (quote.last, quote.prev, quote.bid, quote.ask) == (259.46, 257.1, 259.45, None)
    assert (quote.high, quote.low, quote.volume) == (260.0, 256.5, 12_345_678.0)
    assert (quote.session, quote.event_time, quote.delayed) == ("regular", float(AT), False)


def test_before_the_open_the_price_is_pre_markets_and_the_old_days_range_is_left_out() -> None:
    quote = quote_of("IWM", row(marketState="PRE", preMarketPrice=261.0, preMarketTime=AT + 9), 5.0, 6.0)
    assert quote is not None
    assert (quote.last, quote.prev, quote.session, quote.event_time) == (261.0, 259.46, "pre", AT + 9.0)
    assert (quote.high, quote.low, quote.volume) == (None, None, None)


def test_after_the_close_the_price_is_post_markets() -> None:
    quote = quote_of("IWM", row(marketState="POST", postMarketPrice=258.0, postMarketTime=AT + 9), 5.0, 6.0)
    assert quote is not None
    assert (quote.last, quote.prev, quote.session, quote.volume) == (258.0, 259.46, "post", 12_345_678.0)


@pytest.mark.parametrize("state", ["CLOSED", "POSTPOST", "PREPRE", "PRE", "POST", None])
def test_otherwise_it_is_the_regular_sessions(state: str | None) -> None:
    quote = quote_of("IWM", row(marketState=state), 5.0, 6.0)
    assert quote is not None
    assert (quote.last, quote.prev, quote.session) == (259.46, 257.1, "regular")


@pytest.mark.parametrize("previous", [0.0021, 0, None, -3, float("nan"), "257", 2592.0, True])
def test_a_previous_close_that_cannot_be_one_is_dropped(previous: object) -> None:
    quote = quote_of("^RUT", row("^RUT", regularMarketPreviousClose=previous), 5.0, 6.0)
    assert quote is not None
    assert quote.prev is None


@pytest.mark.parametrize("price", [0, None, -1, float("inf"), "x"])
def test_without_a_price_there_is_no_quote(price: object) -> None:
    assert quote_of("IWM", row(regularMarketPrice=price), 5.0, 6.0) is None


def test_pence_become_pounds_and_delay_is_said() -> None:
    quote = quote_of("OCDO.L", row("OCDO.L", currency="GBp", quoteSourceName="Delayed Quote"), 5.0, 6.0)
    assert quote is not None
    assert (quote.quote_ccy, quote.delayed) == ("GBP", True)
    assert quote.last == pytest.approx(2.5946)


async def test_one_request_brings_every_symbol(
    context: Context, yahoo: YahooSite, sink: RecordingSink, rows: dict[str, Any]
) -> None:
    link = RecordingLink()
    async with running(YahooPoll(CONFIG).run(context, link)):
        await until(lambda: len(link.ups) == 2)
    assert {quote.symbol: (quote.last, quote.prev, quote.delayed) for quote in sink.quotes} == {
        "IWM": (259.46, 257.1, False),
        "^RUT": (2624.22, None, False),
        "RTY=F": (2640.0, 2630.0, True),
    }
    assert [request.first("symbols") for request in yahoo.asked("/v7/finance/quote")] == ["IWM,^RUT,RTY=F"]
    assert link.ups[-1] == ("yahoo-poll:quotes", 15.0)
    assert link.heards == [("yahoo-poll:quotes", float(AT))]
    assert (context.cache / "yfinance" / "cookies.db").exists()


async def test_what_yahoo_does_not_know_is_named(context: Context, yahoo: YahooSite, rows: dict[str, Any]) -> None:
    del rows["IWM"]
    rows["^RUT"] = row("^RUT", regularMarketPrice=None)
    link = RecordingLink()
    async with running(YahooPoll(CONFIG).run(context, link)):
        await until(lambda: link.is_settled)
    assert link.notes == ["unknown to Yahoo: IWM; without a price: ^RUT"]


async def test_it_slows_down_when_the_market_is_closed(
    context: Context, yahoo: YahooSite, rows: dict[str, Any]
) -> None:
    for symbol in ("IWM", "^RUT"):
        rows[symbol] = row(symbol, marketState="CLOSED")
    clock = Sleeps(Clock.starting_at(datetime(2026, 1, 10, 15, 0, tzinfo=UTC)).offset)
    link = RecordingLink()
    async with running(YahooPoll(CONFIG).run(replace(context, clock=clock), link)):
        await until(lambda: clock.slept)
    assert clock.slept == [300.0]
    assert link.ups[-1] == ("yahoo-poll:quotes", 900.0)
    assert link.heards == [("yahoo-poll:quotes", None)]  # times that stand still are no fault now


async def test_a_closed_markets_pause_ends_with_the_next_open(context: Context, rows: dict[str, Any]) -> None:
    for symbol in ("IWM", "^RUT"):
        rows[symbol] = row(symbol, marketState="CLOSED")
    clock = Sleeps(Clock.starting_at(datetime(2026, 1, 9, 14, 29, 0, tzinfo=UTC)).offset)
    async with running(YahooPoll(CONFIG).run(replace(context, clock=clock), RecordingLink())):
        await until(lambda: clock.slept)
    assert 50 < clock.slept[0] <= 60


async def _error(context: Context) -> FeedError:
    """What a life ends with, as the supervisor will understand it."""
    async with asyncio.timeout(20):
        with pytest.raises(Exception) as raised:
            await YahooPoll(CONFIG).run(context, RecordingLink())
    error = translate(raised.value)
    assert error is not None
    return error


async def test_an_expired_crumb_is_fetched_anew(
    context: Context, yahoo: YahooSite, sink: RecordingSink, rows: dict[str, Any]
) -> None:
    link = RecordingLink()
    quick = replace(CONFIG, refresh=Refresh(equity_poll_s=0.05))
    async with running(YahooPoll(quick).run(context, link)):
        await until(lambda: link.is_settled)
        yahoo.crumb = "second"
        seen = len(sink.quotes)
        await until(lambda: len(sink.quotes) > seen + 6)
    asked = [request.first("crumb") for request in yahoo.asked("/v7/finance/quote")]
    assert asked[0] == "first"
    assert asked[-1] == "second"
    assert asked.count("first") < len(asked)


async def test_a_crumb_that_is_refused_twice_is_said(context: Context, yahoo: YahooSite) -> None:
    refused = Reply.json({"finance": {"result": None, "error": {"code": "x", "description": "Invalid Crumb"}}}, 401)
    yahoo.said.extend([refused, refused])
    error = await _error(context)
    assert isinstance(error, TransientError)
    assert "Invalid Crumb" in str(error)


async def test_a_rate_limit_is_one_with_its_pause_and_is_not_asked_again(context: Context, yahoo: YahooSite) -> None:
    yahoo.said.append(Reply(429, b"Too Many Requests\r\n", {"Retry-After": "37"}, "text/plain"))
    error = await _error(context)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 37
    assert len(yahoo.asked("/v7/finance/quote")) == 1


async def test_a_rate_limit_on_the_crumb_does_not_stop_what_needs_none(
    context: Context, yahoo: YahooSite, sink: RecordingSink, rows: dict[str, Any]
) -> None:
    yahoo.crumb_said.extend([Reply(429, b"Too Many Requests", {}, "text/plain")] * 9)
    yahoo.said.append(Reply.json(quote_answer([row()])))
    link = RecordingLink()
    async with running(YahooPoll(CONFIG).run(context, link)):
        await until(lambda: link.is_settled)
    assert [quote.symbol for quote in sink.quotes] == ["IWM"]


async def test_a_consent_page_is_a_block(context: Context, yahoo: YahooSite) -> None:
    away = Reply(302, b"", {"Location": "https://consent.yahoo.com/v2/collectConsent?sessionId=1"}, "text/html")
    yahoo.crumb_said.extend([away] * 9)
    yahoo.said.extend([away] * 9)
    yahoo.consent = html("<form method=post action='/v2/collectConsent'><input name=csrfToken value=a></form>")
    error = await _error(context)
    assert isinstance(error, BlockedError)
    assert "consent" in str(error)


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(200, b"", {}), TransientError, "empty"),
        (Reply.json(quote_answer([])), BadDataError, "none of 3"),
        (Reply.json({"quoteResponse": None}), BadDataError, "no list"),
        (Reply.json([1, 2]), BadDataError, "no list"),
        (Reply(200, b'{"quoteResponse": {"res', {}), BadDataError, "no list"),
        (html("Something else"), BadDataError, "web page"),
        (html("Will be right back"), TransientError, "right back"),
        (html("Bad gateway", 502), TransientError, "502"),
        (html("Forbidden", 403), BlockedError, "403"),
        (Reply(451, b"no", {}), BlockedError, "geo-block"),
        (Reply(503, b"", {"Retry-After": "20"}), RateLimitedError, "20 s"),
        (
            Reply.json({"quoteResponse": {"result": None, "error": {"description": "Missing symbols"}}}, 400),
            BadDataError,
            "Missing symbols",
        ),
        (Reply.json(quote_answer([row(regularMarketPrice=0)])), BadDataError, "no price"),
    ],
)
async def test_what_is_no_answer_is_said_as_what_it_is(
    context: Context, yahoo: YahooSite, reply: Reply, kind: type[FeedError], words: str
) -> None:
    yahoo.said.append(reply)
    error = await _error(context)
    assert type(error) is kind, error
    assert words in str(error)


async def test_a_gateway_that_refuses_yahoo_is_a_failure_on_the_way(context: Context, gateway: Gateway) -> None:
    gateway.refused.update({"query1.finance.yahoo.com", "query2.finance.yahoo.com", "fc.yahoo.com", "guce.yahoo.com"})
    assert isinstance(await _error(context), TransientError)


async def test_when_the_streamer_is_lost_the_poll_does_not_wait(
    context: Context, yahoo: YahooSite, rows: dict[str, Any], gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.yahoo_poll.LEAST_PAUSE_S", 0.1)
    poll = YahooPoll(CONFIG)
    stream = YahooStream(CONFIG, lost=poll.ask_now)
    link = RecordingLink()
    async with running(poll.run(context, link)):
        await until(lambda: len(link.ups) == 2)
        streaming = asyncio.ensure_future(stream.run(context, RecordingLink()))
        await until(lambda: yahoo.subscriptions)
        gateway.drop_all()
        await until(lambda: len(yahoo.asked("/v7/finance/quote")) == 2, 2.0)
        with pytest.raises(TransientError, match="the stream broke off"):
            await streaming
        poll.ask_now()
        await until(lambda: len(yahoo.asked("/v7/finance/quote")) == 3, 2.0)
