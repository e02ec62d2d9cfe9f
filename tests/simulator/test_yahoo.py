"""yfinance, unpatched, and a plain streamer client find the Yahoo that they know: crumb, quotes, charts and stream."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import websockets
from curl_cffi import requests as curl
from websockets.exceptions import ConnectionClosed

from simulator.authority import Authority
from simulator.gateway import Gateway
from simulator.market import Market
from simulator.scenario import load
from simulator.sessions import DAY
from simulator.yahoo import YahooSite

QUERY = "https://query1.finance.yahoo.com"


class Clock:
    """The scenario's start, and as much later as a test says."""

    def __init__(self) -> None:
        self.now = load("january-2026").start.timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def gateway(clock: Clock, tmp_path: Path) -> AsyncIterator[Gateway]:
    made = Gateway([YahooSite(Market(load("january-2026"), clock))], Authority(tmp_path))
    await made.start()
    yield made
    await made.stop()


def browser(gateway: Gateway) -> Any:
    session: Any = curl.Session(impersonate="chrome", proxy=gateway.proxy)
    session.verify = gateway.ca_file
    return session


def with_crumb(session: Any) -> str:
    session.get("https://fc.yahoo.com")
    return str(session.get(f"{QUERY}/v1/test/getcrumb").text)


@pytest.fixture
def yfinance(gateway: Gateway, tmp_path: Path) -> Iterator[Any]:
    import yfinance as yf

    yf.set_tz_cache_location(str(tmp_path / "yf"))
    yf.config.network.proxy = gateway.proxy
    from yfinance.data import YfData

    session = browser(gateway)
    data = YfData(session=session)
    data._cookie = data._crumb = None
    yield yf
    yf.config.network.proxy = None
    data._cookie = data._crumb = None
    session.close()


async def test_quotes_need_the_cookie_and_its_crumb(gateway: Gateway) -> None:
    def ask() -> tuple[int, int, int, Any]:
        with browser(gateway) as session:
            first = session.get(f"{QUERY}/v1/test/getcrumb").status_code
            crumb = with_crumb(session)
            without = session.get(f"{QUERY}/v7/finance/quote?symbols=IWM").status_code
            asked = {"symbols": "IWM,^RUT,NOPE,RTY=F", "crumb": crumb}
            answer = session.get(f"{QUERY}/v7/finance/quote", params=asked)
            return first, without, answer.status_code, answer.json()

    first, without, status, answer = await asyncio.to_thread(ask)
    assert (first, without, status) == (401, 401, 200)
    rows = {row["symbol"]: row for row in answer["quoteResponse"]["result"]}
    assert list(rows) == ["IWM", "^RUT", "RTY=F"]
    iwm = rows["IWM"]
    assert iwm["regularMarketPrice"] == 219.84
    assert iwm["regularMarketChangePercent"] == pytest.approx(0.31, abs=0.01)
    assert (iwm["marketState"], iwm["quoteType"], iwm["regularMarketTime"]) == ("REGULAR", "ETF", 1767972600)
    assert iwm["averageDailyVolume3Month"] == pytest.approx(25.5e6, rel=1e-3)
    assert rows["^RUT"]["regularMarketPrice"] == 2204.71
    assert "bid" not in rows["^RUT"]


async def test_before_the_open_a_price_stands_beside_the_last_close(gateway: Gateway, clock: Clock) -> None:
    clock.now -= 3 * 3600

    def ask() -> Any:
        with browser(gateway) as session:
            crumb = with_crumb(session)
            return session.get(f"{QUERY}/v7/finance/quote", params={"symbols": "SPY", "crumb": crumb}).json()

    row = (await asyncio.to_thread(ask))["quoteResponse"]["result"][0]
    assert row["marketState"] == "PRE"
    assert row["preMarketTime"] == clock.now
    assert row["regularMarketTime"] == clock.now - 15.5 * 3600
    assert abs(row["preMarketPrice"] / row["regularMarketPrice"] - 1) < 0.03


async def test_yfinance_reads_the_whole_daily_history(yfinance: Any, clock: Clock) -> None:
    def read() -> Any:
        end = datetime.fromtimestamp(clock.now + 1, UTC)
        return yfinance.Ticker("IWM").history(
            start=datetime(2010, 1, 1, tzinfo=UTC), end=end, interval="1d", auto_adjust=False, actions=True
        )

    frame = await asyncio.to_thread(read)
    assert len(frame) > 4000
    assert frame.index.is_unique
    assert str(frame.index[-1].date()) == "2026-01-09"
    assert frame["Close"].iloc[-1] == 219.84
    ends = frame["Adj Close"].groupby(frame.index.year).last()
    assert 100 * (ends[2025] / ends[2024] - 1) == pytest.approx(12.7, abs=0.001)
    assert 100 * (ends[2022] / ends[2021] - 1) == pytest.approx(-20.5, abs=0.001)
    volume = frame["Volume"].iloc[:-1]
    before = volume.iloc[: frame.index.searchsorted(frame.index[-2] - timedelta(365), side="right")]
    assert 100 * (volume.iloc[-63:].mean() / before.iloc[-63:].mean() - 1) == pytest.approx(-15, abs=0.01)
    assert (frame["Dividends"] > 0).sum() == 4 * 16


@pytest.mark.parametrize(("interval", "days", "bars"), [("1m", 7, 1950), ("5m", 58, 2970), ("1h", 700, 3348)])
async def test_yfinance_reads_intraday_bars(yfinance: Any, clock: Clock, interval: str, days: int, bars: int) -> None:
    def read() -> Any:
        end = datetime.fromtimestamp(clock.now + 1, UTC)
        start = end - timedelta(days)
        return yfinance.Ticker("^RUT").history(start=start, end=end, interval=interval, auto_adjust=False)

    frame = await asyncio.to_thread(read)
    assert abs(len(frame) - bars) <= (30 if interval == "1h" else 0)
    assert frame.index.is_unique
    assert frame["Close"].iloc[-1] == 2204.71
    assert frame.index[-1].hour == 10
    assert (frame["High"] >= frame["Low"]).all()


@pytest.mark.parametrize("interval", ["1wk", "1mo", "3mo"])
async def test_yfinance_reads_long_bars(yfinance: Any, interval: str) -> None:
    def read() -> Any:
        return yfinance.Ticker("SPY").history(
            start="2020-01-01", end="2026-01-01", interval=interval, auto_adjust=False
        )

    frame = await asyncio.to_thread(read)
    assert abs(len(frame) - {"1wk": 313, "1mo": 72, "3mo": 24}[interval]) <= 1


async def test_what_yahoo_would_refuse_is_refused(gateway: Gateway, clock: Clock) -> None:
    chart, now = f"{QUERY}/v8/finance/chart", int(clock.now)

    def ask(path: str) -> tuple[int, str]:
        with browser(gateway) as session:
            answer = session.get(f"{chart}/{path}")
            return answer.status_code, str((answer.json()["chart"]["error"] or {}).get("description"))

    async def said(path: str) -> tuple[int, str]:
        return await asyncio.to_thread(ask, path)

    assert await said("NOPE?range=1d") == (404, "No data found, symbol may be delisted")
    status, why = await said(f"IWM?interval=1m&period1={now - 9 * DAY}&period2={now}")
    assert (status, "Only 8 days" in why) == (422, True)
    status, why = await said(f"IWM?interval=5m&period1={now - 70 * DAY}&period2={now}")
    assert (status, "within the last 60 days" in why) == (422, True)
    assert (await said("IWM?interval=7m"))[0] == 422
    assert (await said("IWM?range=fortnight"))[0] == 422
    assert await said(f"IWM?interval=1d&period1={now + DAY}&period2={now + 2 * DAY}") == (200, "None")


@pytest.mark.parametrize(("span", "bars"), [("1d", 1), ("5d", 5), ("1mo", 20), ("1y", 251), ("ytd", 6), ("max", 4030)])
async def test_ranges(gateway: Gateway, span: str, bars: int) -> None:
    def ask() -> Any:
        with browser(gateway) as session:
            return session.get(f"{QUERY}/v8/finance/chart/SPY?range={span}&interval=1d").json()["chart"]["result"][0]

    result = await asyncio.to_thread(ask)
    assert abs(len(result["timestamp"]) - bars) <= 2
    assert result["meta"]["range"] == span
    assert result["meta"]["currentTradingPeriod"]["regular"]["start"] == 1767969000


async def test_the_streamer_speaks_yahoos_protobuf(gateway: Gateway, clock: Clock) -> None:
    from yfinance.pricing_pb2 import PricingData

    trust = ssl.create_default_context(cafile=gateway.ca_file)
    address = "wss://streamer.finance.yahoo.com/?version=2"
    async with websockets.connect(address, proxy=gateway.proxy, ssl=trust) as socket:
        await socket.send(json.dumps({"subscribe": ["IWM", "^RUT", "NOPE"]}))
        seen: dict[str, Any] = {}
        for _ in range(2):
            message = json.loads(await asyncio.wait_for(socket.recv(), 5))
            assert message["type"] == "pricing"
            data = PricingData()
            data.ParseFromString(base64.b64decode(message["message"]))
            seen[data.id] = data
        iwm = seen["IWM"]
        assert iwm.price == pytest.approx(219.84, rel=1e-6)
        assert iwm.change_percent == pytest.approx(0.31, rel=1e-4)
        assert iwm.time == int(clock.now) * 1000
        assert (iwm.exchange, iwm.quote_type, iwm.market_hours, iwm.price_hint) == ("PCX", 20, 1, 2)
        assert iwm.day_volume > 1e6
        assert seen["^RUT"].day_volume == 0
        clock.now += 4
        moved = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert moved["type"] == "pricing"


async def test_the_older_streamer_sends_bare_messages_and_a_broken_subscription_ends_it(gateway: Gateway) -> None:
    trust = ssl.create_default_context(cafile=gateway.ca_file)
    address = "wss://streamer.finance.yahoo.com/"
    async with websockets.connect(address, proxy=gateway.proxy, ssl=trust) as socket:
        await socket.send('{"subscribe":["SPY"]}')
        assert b"SPY" in base64.b64decode(await asyncio.wait_for(socket.recv(), 5))
        await socket.send("subscribe SPY")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
