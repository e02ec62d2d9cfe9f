"""What Yahoo really sent reaches the sink, and the live tables, whole: counts and values are the recordings' own.

The expected values are read from the raw answers here, not by the code under test. Everything passes a gateway over
TLS: nothing in `feeds` knows that this is not Yahoo.
"""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from bisect import bisect_left
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import talib
from scipy.stats import percentileofscore

from engine.clock import Clock
from engine.config import Band, Config, Crypto, Equity, Spreads
from engine.engine import Engine
from engine.model import Coverage, Sink, Snapshot
from feeds.history import NO_REGIME, YahooBars
from feeds.link import Context, Feed
from feeds.yahoo_poll import YahooPoll
from feeds.yahoo_stream import YahooStream
from simulator.authority import Authority
from simulator.gateway import Gateway, Reply, Request
from tests.engine.test_spreads_oracles import agree, oracle
from tests.feeds.fakes import RecordingSink
from tests.feeds.live import context_of, running
from tests.feeds.yahoo_site import YahooSite, chart_answer
from tests.realdata import DATA, needs_real_data
from tests.recorded.answers import until

pytestmark = needs_real_data

ANSWERS = DATA / "yahoo" / "answers"
NEW_YORK = ZoneInfo("America/New_York")


def body_of(file: Path) -> Any:
    """The recorded body, with or without the recorder's envelope."""
    recorded = json.loads(file.read_text(encoding="utf-8"))
    return recorded["response"]["bodyJson"] if "response" in recorded else recorded


def config_of(*symbols: str, pairs: tuple[str, ...] = ()) -> Config:
    crypto = Crypto(baskets={}, alt=())
    return Config(
        equity=Equity(symbols=symbols), spreads=Spreads(pairs=pairs), levels={}, crypto=crypto, regime=NO_REGIME
    )


@asynccontextmanager
async def at_yahoo(
    site: YahooSite,
    sink: Sink,
    folder: Path,
    config: Config,
    at: datetime,
    *feeds: type[YahooPoll | YahooBars | YahooStream],
) -> AsyncIterator[Context]:
    """The feeds under their supervisors, at the time of the recording."""
    authority = folder / "authority"
    authority.mkdir()
    gateway = Gateway([site], Authority(authority))
    await gateway.start()
    try:
        context = context_of(gateway, sink, folder, config, at=at.timestamp())
        made: list[Feed] = [feed(config) for feed in feeds]
        async with _all(made, context):
            yield context
    finally:
        await gateway.stop()


@asynccontextmanager
async def _all(feeds: list[Feed], context: Context) -> AsyncIterator[None]:
    if not feeds:
        yield
        return
    async with running(feeds[0], context), _all(feeds[1:], context):
        yield


def settled(sink: RecordingSink, source: str) -> bool:
    return any(report.settled for report in sink.reports if report.source == source)


def recorded_rows() -> dict[str, dict[str, Any]]:
    """Every symbol of the recorded v7 answers; of several recordings of one the fullest."""
    rows: dict[str, dict[str, Any]] = {}
    for file in sorted(ANSWERS.glob("quote-*.json")):
        for row in body_of(file)["quoteResponse"]["result"]:
            if len(row) > len(rows.get(row["symbol"], {})):
                rows[row["symbol"]] = row
    return rows


async def test_every_recorded_quote_arrives_with_its_own_values(tmp_path: Path) -> None:
    site, sink, rows = YahooSite(), RecordingSink(), recorded_rows()
    site.rows = dict(rows)
    assert len(rows) == 30
    config = config_of(*rows, "NOSUCH")
    monday = datetime(2025, 2, 17, 10, 55, tzinfo=UTC)  # Presidents' Day: New York is closed, London is not
    async with at_yahoo(site, sink, tmp_path, config, monday, YahooPoll):
        await until(lambda: settled(sink, "yahoo-poll"))
    quotes = {quote.symbol: quote for quote in sink.quotes}
    priced = {symbol for symbol, row in rows.items() if row.get("regularMarketPrice")}
    assert set(quotes) == priced
    assert len(priced) == 26
    pence = {"GBp": 0.01}
    for symbol, quote in quotes.items():
        row = rows[symbol]
        unit = pence.get(row.get("currency", "USD"), 1.0)
        extended = row["marketState"] in {"PRE", "POST"} and row.get(f"{row['marketState'].lower()}MarketPrice")
        if not extended:
            assert quote.last == pytest.approx(row["regularMarketPrice"] * unit, rel=1e-12), symbol
            assert quote.event_time == row["regularMarketTime"], symbol
            assert quote.session == "regular", symbol
        assert quote.volume == (row.get("regularMarketVolume") or None), symbol
        assert quote.delayed == (row["exchangeDataDelayedBy"] > 0 or "Delayed" in row.get("quoteSourceName", "")), (
            symbol
        )
        change = row.get("regularMarketChangePercent")
        if row["quoteType"] == "CRYPTOCURRENCY":
            continue  # its change is over 24 hours, its previous close the last UTC day's
        if quote.prev is not None and quote.last is not None and change is not None and not extended:
            assert 100 * (quote.last / quote.prev - 1) == pytest.approx(change, abs=1e-3), symbol
    assert (quotes["AAPL"].last, quotes["AAPL"].prev) == (244.6, 241.53)
    assert quotes["OCDO.L"].quote_ccy == "GBP"
    assert quotes["OCDO.L"].last == pytest.approx(3.088)
    assert quotes["GC=F"].delayed
    note = sink.last.note
    assert note is not None
    assert note.startswith("unknown to Yahoo: NOSUCH; without a price: ")


async def test_every_recorded_daily_chart_becomes_its_bars(tmp_path: Path) -> None:
    site, sink = YahooSite(), RecordingSink()
    recorded: dict[str, dict[str, Any]] = {}
    for file in sorted(ANSWERS.glob("*chart*.json")):
        result = body_of(file)["chart"]["result"][0]
        meta = result["meta"]
        if meta["dataGranularity"] == "1d" and len(result["timestamp"]) >= len(
            recorded.get(meta["symbol"], {}).get("timestamp", ())
        ):
            recorded[meta["symbol"]] = result
    assert len(recorded) == 21
    for symbol, result in recorded.items():
        site.charts[symbol] = _daily(result)
    config = config_of(*recorded)
    async with at_yahoo(site, sink, tmp_path, config, datetime(2025, 10, 30, 12, tzinfo=UTC), YahooBars):
        await until(lambda: settled(sink, "yahoo-bars"))
    bars = {one.symbol: one for one in sink.bars if one.interval == "1d"}
    assert set(bars) == set(recorded)
    for symbol, result in recorded.items():
        zone = ZoneInfo(result["meta"]["exchangeTimezoneName"])
        (quote,), (adjusted,) = result["indicators"]["quote"], result["indicators"]["adjclose"]
        expected = {
            datetime.fromtimestamp(at, zone).date(): (close, adjusted["adjclose"][i], quote["volume"][i])
            for i, (at, close) in enumerate(zip(result["timestamp"], quote["close"], strict=True))
            if close is not None
        }
        frame = bars[symbol].frame
        assert [at.date() for at in frame["time"]] == list(expected), symbol
        assert all(at.time() == time() for at in frame["time"]), symbol
        got = list(zip(frame["close"], frame["adj_close"], frame["volume"], strict=True))
        unit = 0.01 if result["meta"]["currency"] == "GBp" else 1.0
        for (close, adj, volume), (want, want_adj, want_volume) in zip(got, expected.values(), strict=True):
            assert close == pytest.approx(want * unit, rel=1e-12), symbol
            assert adj == pytest.approx(want_adj * unit, rel=1e-12), symbol
            assert volume == (want_volume or 0), symbol
    assert (bars["MSFT"].frame.height, bars["OCDO.L"].quote_ccy, bars["WSU.DE"].quote_ccy) == (127, "GBP", "EUR")


def _daily(result: Mapping[str, Any]) -> Any:
    def answer(request: Request) -> Reply:
        if request.first("interval") != "1d":
            empty = {"meta": result["meta"] | {"tradingPeriods": []}, "indicators": {"quote": [{}]}}
            return Reply.json({"chart": {"result": [empty], "error": None}})
        return Reply.json({"chart": {"result": [result], "error": None}})

    return answer


async def test_a_recorded_split_and_dividend_make_the_stored_past_be_fetched_again(tmp_path: Path) -> None:
    site, sink = YahooSite(), RecordingSink()
    result = body_of(ANSWERS / "chart-AAPL-2020-08-31-to-2020-11-07.json")["chart"]["result"][0]
    assert set(result["events"]) == {"dividends", "splits"}
    site.charts["AAPL"] = _daily(result)
    sink.covered["AAPL", "1d", "yahoo-bars"] = Coverage(0.0, datetime(2020, 8, 28, tzinfo=UTC).timestamp(), 9999)
    config = config_of("AAPL")
    async with at_yahoo(site, sink, tmp_path, config, datetime(2020, 11, 8, 12, tzinfo=UTC), YahooBars):
        await until(lambda: settled(sink, "yahoo-bars"))
    (daily,) = [bars for bars in sink.bars if bars.interval == "1d"]
    assert daily.replace
    assert daily.frame.height == 49
    starts = [int(r.first("period1")) for r in site.asked("/AAPL") if r.first("interval") == "1d"]
    assert len(starts) == 2
    assert starts[1] < 0 < starts[0]  # first what is missing, then from the very beginning


async def test_every_recorded_streamer_message_becomes_its_quote(tmp_path: Path) -> None:
    text = (DATA / "yahoo" / "streamer_frames.jsonl").read_text(encoding="utf-8")
    frames = [json.loads(line) for line in text.splitlines()]
    site, sink = YahooSite(), RecordingSink()
    site.greeting = [json.dumps({"type": "pricing", "message": frame["base64"]}) for frame in frames]
    config = config_of("AAPL", "BTC-USD")
    async with at_yahoo(site, sink, tmp_path, config, datetime(2026, 5, 22, 8, 11, tzinfo=UTC), YahooStream):
        await until(lambda: len(sink.quotes) == len(frames))
    assert len(sink.quotes) == 3
    assert [quote.session for quote in sink.quotes] == ["regular", "regular", "pre"]
    for quote, frame in zip(sink.quotes, frames, strict=True):
        decoded = frame["decoded"]
        assert quote.symbol == decoded["id"]
        assert np.float32(quote.last) == np.float32(decoded["price"])
        assert quote.event_time == decoded["time"] / 1000
        assert quote.event_time == datetime.fromisoformat(frame["time_utc"]).replace(tzinfo=UTC).timestamp()
        assert quote.prev == pytest.approx(decoded["price"] - decoded["change"], abs=0.01)
        assert quote.volume == decoded.get("day_volume")
        assert quote.prev is not None
        assert quote.last is not None
        assert 100 * (quote.last / quote.prev - 1) == pytest.approx(decoded["change_percent"], abs=0.005)
    assert (sink.quotes[2].last, sink.quotes[2].prev) == (305.76, 304.99)
    ages = [quote.received - (quote.event_time or math.nan) for quote in sink.quotes]
    assert ages[0] > 400 * 86400  # what is old says so
    assert ages[2] < 120


def real_history(name: str) -> list[tuple[date, float, float, float, float, float, float]]:
    """Day, open, high, low, close, volume as Yahoo words them (split-adjusted), and the close adjusted for both."""
    folder = DATA / "equities_daily"
    with zipfile.ZipFile(folder / f"{name}.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode()
    with (folder / f"{name}_factor.csv").open(encoding="utf-8") as lines:
        factors = [(row[0], float(row[1]), float(row[2])) for row in csv.reader(lines)]
    days = [factor[0] for factor in factors]
    bars = []
    for at, *values in csv.reader(io.StringIO(text)):
        _, price, split = factors[min(bisect_left(days, at[:8]), len(days) - 1)]
        o, h, low, c = (float(value) / 10_000 * split for value in values[:4])
        day = datetime.strptime(at[:8], "%Y%m%d").replace(tzinfo=UTC).date()
        bars.append((day, o, h, low, c, float(values[4]), c * price))
    return bars


@pytest.mark.filterwarnings("ignore:adfuller currently returns:FutureWarning")
async def test_real_history_reaches_the_live_tables_and_every_figure_equals_its_oracle(tmp_path: Path) -> None:
    site = YahooSite()
    history = {name.upper(): real_history(name) for name in ("iwm", "spy", "qqq", "eem")}
    for symbol, bars in history.items():
        rows = [(_opened(day), *prices) for day, *prices, _ in bars]
        answer = chart_answer(symbol, rows, adjusted=[bar[-1] for bar in bars])
        site.charts[symbol] = _daily(answer["chart"]["result"][0])
        last, before = bars[-1], bars[-2]
        site.rows[symbol] = {
            "symbol": symbol,
            "currency": "USD",
            "marketState": "REGULAR",
            "regularMarketPrice": last[4],
            "regularMarketPreviousClose": before[4],
            "regularMarketTime": int(datetime(2021, 3, 31, 19, 39, 50, tzinfo=UTC).timestamp()),
            "regularMarketVolume": last[5],
            "exchangeDataDelayedBy": 0,
        }
    at = datetime(2021, 3, 31, 19, 39, 55, tzinfo=UTC)
    config = replace(config_of(*history, pairs=("IWM/SPY", "IWM/QQQ")), levels={"IWM": Band((200.0,), (240.0,))})
    engine = Engine(config, Clock.starting_at(at))
    async with at_yahoo(site, engine, tmp_path, config, at, YahooPoll, YahooBars):
        await until(lambda: _filled(engine, history))
        snapshot = engine.beat()
    quotes = {row["symbol"]: row for row in snapshot.tables["quotes"].rows(named=True)}
    assert set(quotes) == set(history)
    for symbol, bars in history.items():
        row = quotes[symbol]
        assert row["last"] == pytest.approx(bars[-1][4], rel=1e-9)
        assert row["change_pct"] == pytest.approx(100 * (bars[-1][4] / bars[-2][4] - 1), rel=1e-9)
        assert (row["source"], row["status"]) == ("yahoo-poll", "ok")
    frames = {name: _frame(bars) for name, bars in history.items()}
    days = frames["IWM"].index.intersection(frames["SPY"].index)
    a, b = (frames[name].loc[days, "adj"] for name in ("IWM", "SPY"))
    agree(_row(snapshot, "spreads", pair="IWM/SPY"), oracle(a, b))
    q: Any = np.log(a / b)
    z = ((q - q.rolling(252, min_periods=126).mean()) / q.rolling(252, min_periods=126).std()).dropna()
    gauge = _row(snapshot, "gauges", gauge="D1")
    assert gauge["value"] == pytest.approx(z.iloc[-1], abs=1e-8)
    assert gauge["percentile"] == pytest.approx(percentileofscore(z, z.iloc[-1], kind="mean") / 100, abs=1e-12)
    _price_against_volume(_row(snapshot, "gauges", gauge="D5"), frames["IWM"].iloc[:-1])
    _levels(snapshot, frames["IWM"])
    _volumes(_row(snapshot, "volumes", symbol="IWM"), frames["IWM"].iloc[:-1])


def _frame(bars: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    names = ("day", "open", "high", "low", "close", "volume", "adj")
    frame = pd.DataFrame(bars, columns=list(names))
    return frame.set_index(pd.DatetimeIndex(frame.pop("day")))


def _row(snapshot: Snapshot, table: str, **key: str) -> dict[str, Any]:
    rows = snapshot.tables[table].rows(named=True)
    return next(row for row in rows if key.items() <= row.items())


def _price_against_volume(row: Mapping[str, Any], closed: pd.DataFrame) -> None:
    """D5: the log return of 20 sessions in units of σ_d·√20."""
    steps: Any = np.log(closed["close"]).diff()
    assert row["value"] == pytest.approx(steps.iloc[-20:].sum() / (steps.iloc[-63:].std() * math.sqrt(20)), rel=1e-8)
    volume = closed["volume"]
    change = 100 * (volume.iloc[-20:].mean() / volume.iloc[-60:].mean() - 1)
    assert f"volume {change:+.1f} %" in row["detail"]


def _levels(snapshot: Snapshot, frame: pd.DataFrame) -> None:
    """ATR by TA-Lib, distances and position by their formulas; Donchian's extremes are among what was found."""
    closed, last = frame.iloc[:-1], float(frame["close"].iloc[-1])
    high, low, close = (closed[column].to_numpy() for column in ("high", "low", "close"))
    atr = float(talib.ATR(high, low, close, timeperiod=14)[-1])
    rows = [row for row in snapshot.tables["levels"].rows(named=True) if row["symbol"] == "IWM"]
    assert [row["price"] for row in rows[:2]] == [200.0, 240.0]
    for row in rows:
        assert row["atr"] == pytest.approx(atr, rel=1e-10)
        assert row["distance_pct"] == pytest.approx(100 * (row["price"] - last) / last, rel=1e-9)
        assert row["distance_atr"] == pytest.approx((row["price"] - last) / atr, rel=1e-9)
        assert row["position"] == pytest.approx((last - 200.0) / 40.0, rel=1e-9)
        assert row["high"] - row["price"] == pytest.approx(max(0.25 * atr, 0.0025 * row["price"]), rel=1e-9)
    named = [row for row in rows if "donchian" in row["sources"]]
    for extreme in (closed["high"].iloc[-55:].max(), closed["low"].iloc[-55:].min()):
        assert any(abs(row["price"] - extreme) <= 0.5 * atr for row in named)


def _volumes(row: Mapping[str, Any], closed: pd.DataFrame) -> None:
    at = closed.index.asof(closed.index[-1] - pd.DateOffset(years=1))
    for name, change, series in (
        ("adv_shares", "adv_yoy_pct", closed["volume"]),
        ("adv_usd", "adv_usd_yoy_pct", closed["volume"] * closed["close"]),
    ):
        rolled: Any = series.rolling(63).mean()
        assert row[name] == pytest.approx(rolled.iloc[-1], rel=1e-10)
        assert row[change] == pytest.approx(100 * (rolled.iloc[-1] / rolled[at] - 1), rel=1e-10)


def _opened(day: date) -> int:
    return int(datetime.combine(day, time(9, 30), NEW_YORK).timestamp())


def _filled(engine: Engine, symbols: Mapping[str, object]) -> bool:
    tables = engine.beat().tables
    feeds = {row["source"] for row in tables["feeds"].rows(named=True)}
    return (
        tables["quotes"].filter(tables["quotes"]["last"].is_not_null()).height == len(symbols)
        and {"yahoo-poll", "yahoo-bars"} <= feeds
        and tables["spreads"].height > 0
        and tables["spreads"]["z252"][0] is not None
        and engine.settled
        and tables["gauges"].height > 1
        and tables["levels"].height > 2
        and tables["volumes"]["adv_yoy_pct"].null_count() == 0
        and all(engine.coverage(symbol, "1d", "yahoo-bars") is not None for symbol in symbols)
    )
