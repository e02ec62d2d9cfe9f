"""Yahoo's candles for `bench.fuzz_targets`: an answer as its text, and the DataFrame that yfinance makes of one."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

from bench.fuzz_samples import NASTY, Target, text_of
from engine.errors import FeedError
from engine.tables import BARS
from feeds.history import Answer, bars_of, history
from feeds.yahoo_http import Yahoo

DAY: Final = 86_400
OPENED: Final = 1_767_623_400
"""2026-01-05 14:30 UTC, a Monday."""
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS: Final = ("Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits", "Capital Gains")
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _chart(interval: str) -> dict[str, Any]:
    """A v8 chart of a fund: five days with a dividend and a split, or five minutes."""
    step = DAY if interval == "1d" else 60
    times = [OPENED + step * n for n in range(5)]
    prices = {name: [250.0 + n + i for n in range(5)] for i, name in enumerate(("low", "open", "close", "high"))}
    period = {"timezone": "EST", "start": OPENED, "end": OPENED + 23_400, "gmtoffset": -18_000}
    meta: dict[str, Any] = {
        "currency": "USD", "symbol": "IWM", "instrumentType": "ETF", "exchangeTimezoneName": "America/New_York",
        "timezone": "EST", "gmtoffset": -18_000, "priceHint": 2, "dataGranularity": interval, "range": "",
        "validRanges": ["1d", "5d", "max"],
        "currentTradingPeriod": {name: dict(period) for name in ("pre", "regular", "post")},
    }  # fmt: skip
    result: dict[str, Any] = {
        "meta": meta,
        "timestamp": times,
        "indicators": {"quote": [{**prices, "volume": [1000, 2000, None, 4000, 5000]}]},
    }
    if interval == "1d":
        result["indicators"]["adjclose"] = [{"adjclose": prices["close"]}]
        result["events"] = {
            "dividends": {str(times[1]): {"amount": 0.7, "date": times[1]}},
            "splits": {
                str(times[3]): {"date": times[3], "numerator": 2.0, "denominator": 1.0, "splitRatio": "2:1"},
            },
        }
    else:
        meta["tradingPeriods"] = [[period]]
    return {"chart": {"result": [result], "error": None}}


REFUSED: Final = {
    "chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}
}


def _answered(text: str) -> None:
    """Has Yahoo's client, and yfinance in it, read an answer with that text."""
    import yfinance

    yfinance.config.debug.hide_exceptions = False  # as `Yahoo` has it
    answer = SimpleNamespace(text=text, json=lambda: json.loads(text))
    client = Yahoo.__new__(Yahoo)
    client._timeout = 1.0
    client._session = SimpleNamespace(consent_asked=False)  # type: ignore[assignment]
    client._data = SimpleNamespace(get=lambda **_: answer, cache_get=lambda **_: answer)
    interval = "1m" if '"1m"' in text else "1d"
    _sound(history(client, "IWM", interval, START, START + timedelta(days=20)))


def _sound(answer: Answer) -> None:
    """What is handed on are bars, whatever came."""
    bars, acted = answer.bars, answer.action_at
    assert acted is None or 0 <= acted <= LATEST.timestamp(), acted
    assert isinstance(answer.currency, str), answer.currency
    if bars.height:
        assert bars.schema == BARS, bars.schema
        times, *columns = bars.to_dict(as_series=False).values()
        assert times == sorted(set(times))
        for cells in columns[:-1]:
            assert all(cell is None or 0.0 < cell < math.inf for cell in cells), cells
        assert all(cell is None or 0.0 <= cell < math.inf for cell in columns[-1]), columns[-1]


@cache
def _index(interval: str) -> Any:
    import pandas as pd

    times = pd.to_datetime([OPENED + (DAY if interval == "1d" else 60) * n for n in range(6)], unit="s")
    return times.tz_localize("UTC").tz_convert("America/New_York")


def _framed(sample: Mapping[str, Any], chance: random.Random) -> tuple[Any, str]:
    """yfinance's DataFrame of `sample`, some of whose cells are nasty, whose columns or rows are gone or come twice."""
    import pandas as pd

    interval = str(sample["interval"])
    columns = {name: [250.0 + n for n in range(6)] for name in COLUMNS[:5]}
    columns |= {"Volume": [1000.0] * 6, **{name: [0.0] * 6 for name in COLUMNS[6:]}}
    cells: dict[str, Any] = dict(columns)
    for name in COLUMNS:
        if chance.random() < 0.3:
            strange = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e308, 5e-324, *NASTY)
            mixed = [chance.choice(strange) if chance.random() < 0.4 else cell for cell in columns[name]]
            plain = all(isinstance(cell, float) for cell in mixed)
            cells[name] = pd.Series(mixed, index=_index(interval), dtype="float64" if plain else "object")
        if chance.random() < 0.03:
            del cells[name]
    frame: Any = pd.DataFrame(cells, index=_index(interval))
    if chance.random() < 0.3:
        frame = frame.iloc[[chance.randrange(6) for _ in range(chance.randrange(8))]]
    if chance.random() < 0.05:
        frame.index = chance.choice((frame.index.tz_localize(None), pd.Index(range(len(frame)))))
    return frame, interval


def _framed_bars(made: tuple[Any, str]) -> None:
    _sound(Answer(*_pair(bars_of(*made))))


def _pair(read: tuple[Any, float | None]) -> tuple[Any, str, float | None]:
    return read[0], "USD", read[1]


def of_history() -> tuple[Target, ...]:
    """All of them."""
    charts = (_chart("1d"), _chart("1d"), _chart("1m"), REFUSED)
    samples = ({"interval": "1d"}, {"interval": "1m"})
    return (
        Target("yahoo-history", charts, _answered, (FeedError,), text_of),
        Target("yahoo-bars", samples, _framed_bars, (FeedError,), _framed),
    )
