"""Yahoo's formats: the streamer's protobuf message, the rows of `quote`, and the answer of `chart`.

Written from recorded answers; the field numbers are those of yfinance's `pricing.proto`. The encoder is ours because
the protobuf runtime takes longer to import than the whole simulator takes to start.
"""

from __future__ import annotations

import base64
import struct
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np

from simulator.bars import Bars, grouped
from simulator.market import EquityQuote, Market
from simulator.scenario import Security
from simulator.sessions import DAY, Grid, Ints, local, utc_offset

QUOTE_TYPES: Final = {"share": ("EQUITY", 8), "etf": ("ETF", 20), "index": ("INDEX", 9), "future": ("FUTURE", 18)}
"""Kind → Yahoo's name of it, and the streamer's number of it."""
HOURS: Final = {"PRE": 0, "REGULAR": 1, "POST": 2, "CLOSED": 2}
RANGES: Final = ("1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max")
INTERVALS: Final = {
    "1m": 60, "2m": 120, "5m": 300, "15m": 900, "30m": 1800, "60m": 3600, "90m": 5400, "1h": 3600,
    "1d": DAY, "5d": DAY, "1wk": DAY, "1mo": DAY, "3mo": DAY,
}  # fmt: skip
_EXCHANGES: Final = {
    "PCX": "NYSEArca", "NGM": "NasdaqGM", "BTS": "Cboe US", "SNP": "SNP", "WCB": "Chicago Options",
    "CGI": "Cboe Indices", "CME": "CME", "CBT": "CBOT",
}  # fmt: skip
_VARINT, _WIDE, _TEXT, _FLOAT = 0, 1, 2, 5


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, kind: int, payload: bytes) -> bytes:
    return _varint(number << 3 | kind) + payload


def _text(number: int, value: str) -> bytes:
    data = value.encode()
    return _field(number, _TEXT, _varint(len(data)) + data)


def _float(number: int, value: float) -> bytes:
    return _field(number, _FLOAT, struct.pack("<f", value)) if value else b""


def _integer(number: int, value: int) -> bytes:
    return _field(number, _VARINT, _varint(value)) if value else b""


def _signed(number: int, value: int) -> bytes:
    return _integer(number, value << 1 if value >= 0 else (-value << 1) - 1)


def pricing(security: Security, quote: EquityQuote) -> str:
    """One streamer message, base64: price and change as float32; volume only in the regular session; no bid, no ask."""
    price = quote.price if quote.extended is None else quote.extended
    base = quote.price if quote.state in ("PRE", "POST") and quote.extended is not None else quote.previous
    when = quote.time if quote.extended_time is None else quote.extended_time
    volume = int(quote.volume) if quote.state == "REGULAR" else 0
    message = (
        _text(1, security.symbol)
        + _float(2, round(price, security.decimals))
        + _signed(3, int(when) * 1000)
        + _text(5, security.exchange)
        + _integer(6, QUOTE_TYPES[security.kind][1])
        + _integer(7, HOURS[quote.state])
        + _float(8, 100 * (price / base - 1))
        + _signed(9, volume)
        + _float(12, price - base)
        + _signed(27, 2)
    )
    return base64.b64encode(message).decode()


def quote_row(market: Market, security: Security, at: float) -> dict[str, Any]:
    """One row of `/v7/finance/quote`."""
    quote = market.equity_quote(security.symbol, at)
    digits = security.decimals
    year = market.bars(security.symbol, DAY, at - 365 * DAY, at + 1, at)
    closes, volumes = year.close[-200:], year.volume[:-1]
    price, previous = round(quote.price, digits), round(quote.previous, digits)
    low, high = float(year.low.min()), float(year.high.max())
    row: dict[str, Any] = {
        "language": "en-US",
        "region": "US",
        "quoteType": QUOTE_TYPES[security.kind][0],
        "quoteSourceName": "Nasdaq Real Time Price" if security.kind == "etf" else "Free Realtime Quote",
        "triggerable": True,
        "currency": "USD",
        "marketState": quote.state,
        "exchange": security.exchange,
        "fullExchangeName": _EXCHANGES.get(security.exchange, security.exchange),
        "exchangeTimezoneName": "America/New_York",
        "exchangeTimezoneShortName": zone_name(at),
        "gmtOffSetMilliseconds": utc_offset(datetime.fromtimestamp(at, UTC).date()) * 1000,
        "market": "us_market",
        "shortName": security.name,
        "longName": security.name,
        "symbol": security.symbol,
        "priceHint": 2,
        "sourceInterval": 15,
        "exchangeDataDelayedBy": 0,
        "tradeable": False,
        "regularMarketPrice": price,
        "regularMarketTime": int(quote.time),
        "regularMarketChange": price - previous,
        "regularMarketChangePercent": 100 * (price / previous - 1),
        "regularMarketPreviousClose": previous,
        "regularMarketOpen": round(quote.open, digits),
        "regularMarketDayHigh": round(quote.high, digits),
        "regularMarketDayLow": round(quote.low, digits),
        "regularMarketDayRange": f"{quote.low:.{digits}f} - {quote.high:.{digits}f}",
        "regularMarketVolume": int(quote.volume),
        "averageDailyVolume3Month": int(volumes[-63:].mean()) if len(volumes) else 0,
        "averageDailyVolume10Day": int(volumes[-10:].mean()) if len(volumes) else 0,
        "fiftyTwoWeekLow": round(low, digits),
        "fiftyTwoWeekHigh": round(high, digits),
        "fiftyDayAverage": float(closes[-50:].mean()),
        "twoHundredDayAverage": float(closes.mean()),
    }
    if security.kind in ("etf", "share"):
        spread = 10.0**-digits
        row |= {"bid": price, "ask": round(price + spread, digits), "bidSize": 9, "askSize": 11}
    if quote.extended is not None and quote.extended_time is not None:
        part = "preMarket" if quote.state == "PRE" else "postMarket"
        extended = round(quote.extended, digits)
        row |= {
            f"{part}Price": extended,
            f"{part}Time": int(quote.extended_time),
            f"{part}Change": extended - price,
            f"{part}ChangePercent": 100 * (extended / price - 1),
        }
    return row


def zone_name(at: float) -> str:
    """EST or EDT."""
    return "EDT" if utc_offset(datetime.fromtimestamp(at, UTC).date()) == -4 * 3600 else "EST"


def _period(day: date, start: int, end: int) -> dict[str, Any]:
    offset = utc_offset(day)
    return {"timezone": "EDT" if offset == -4 * 3600 else "EST", "start": start, "end": end, "gmtoffset": offset}


def trading_periods(grid: Grid, at: float) -> dict[str, Any]:
    """Pre-market, regular session and post-market of the session of a moment's day, else of the last one."""
    today = datetime.fromtimestamp(at + utc_offset(datetime.fromtimestamp(at, UTC).date()), UTC).date()
    index = max(grid.index_of(today), 0)
    day, opening, close = grid.days[index], int(grid.opens[index]), int(grid.closes[index])
    return {
        "pre": _period(day, local(day, 4), opening),
        "regular": _period(day, opening, close),
        "post": _period(day, close, close + 4 * 3600),
    }


def _merged(bars: Bars, interval: str) -> Bars:
    """Daily bars merged to weeks, months and quarters as Yahoo names them; `5d` is taken as weeks."""
    if interval == "1d":
        return bars
    months = {"1mo": 1, "3mo": 3}.get(interval)

    def key(times: Ints) -> Ints:
        days = [datetime.fromtimestamp(time, UTC).date() for time in times.tolist()]
        if months is None:
            firsts = [date.fromordinal(day.toordinal() - day.weekday()) for day in days]
        else:
            firsts = [date(day.year, (day.month - 1) // months * months + 1, 1) for day in days]
        return np.array([local(first, 0) for first in firsts], np.int64)

    return grouped(bars, key, 0.0)


def chart(
    market: Market, security: Security, interval: str, start: float, end: float, span: str, at: float
) -> dict[str, Any]:
    """One result of `/v8/finance/chart`: bars that open in [start, end), with dividends.

    While the session runs, the last daily bar bears the time of the last trade, as Yahoo's does."""
    seconds, digits = INTERVALS[interval], security.decimals
    bars = market.bars(security.symbol, seconds, start, end, at)
    before = market.bars(security.symbol, DAY, start - 10 * DAY, start, at)
    if seconds == DAY:
        bars = _merged(bars, interval)
        if interval == "1d" and len(bars.time) and market.state(at) == "REGULAR" and bars.time[-1] + DAY > at:
            bars = bars._replace(time=np.append(bars.time[:-1], int(at)))
    quote = market.equity_quote(security.symbol, at)
    series = market.series(security.symbol)
    periods = trading_periods(market.sessions, at)
    meta: dict[str, Any] = {
        "currency": "USD",
        "symbol": security.symbol,
        "exchangeName": security.exchange,
        "fullExchangeName": _EXCHANGES.get(security.exchange, security.exchange),
        "instrumentType": QUOTE_TYPES[security.kind][0],
        "firstTradeDate": int(series.grid.opens[series.first]),
        "regularMarketTime": int(quote.time),
        "hasPrePostMarketData": security.kind != "index",
        "gmtoffset": periods["regular"]["gmtoffset"],
        "timezone": periods["regular"]["timezone"],
        "exchangeTimezoneName": "America/New_York",
        "regularMarketPrice": round(quote.price, digits),
        "regularMarketDayHigh": round(quote.high, digits),
        "regularMarketDayLow": round(quote.low, digits),
        "regularMarketVolume": int(quote.volume),
        "longName": security.name,
        "shortName": security.name,
        "chartPreviousClose": round(float(before.close[-1] if len(before.close) else quote.previous), digits),
        "priceHint": 2,
        "currentTradingPeriod": periods,
        "dataGranularity": interval,
        "range": span,
        "validRanges": list(RANGES),
    }
    result: dict[str, Any] = {"meta": meta}
    if seconds < DAY:
        meta["previousClose"] = round(quote.previous, digits)
        meta["scale"] = 3
        meta["tradingPeriods"] = [
            [_period(day, int(opening), int(close))]
            for day, opening, close in zip(
                market.sessions.days, market.sessions.opens, market.sessions.closes, strict=True
            )
            if start < close and opening < min(end, at)
        ]
    if not len(bars.time):
        return result | {"indicators": {"quote": [{}]}}
    result["timestamp"] = bars.time.tolist()
    prices = {name: np.round(getattr(bars, name), digits).tolist() for name in ("open", "high", "low", "close")}
    indicators: dict[str, Any] = {"quote": [prices | {"volume": np.rint(bars.volume).astype(np.int64).tolist()}]}
    if seconds == DAY:
        indicators["adjclose"] = [{"adjclose": np.round(bars.adjusted, digits + 4).tolist()}]
    paid = market.dividends(security.symbol, max(start, float(bars.time[0]) - DAY), min(end, at))
    if paid:
        result["events"] = {"dividends": {str(day): {"amount": round(sum_, 6), "date": day} for day, sum_ in paid}}
    return result | {"indicators": indicators}
