"""Candles that are not as Yahoo and yfinance usually have them: what is valid is kept, the rest refused in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from engine.errors import BadDataError
from feeds.history import Answer, bars_of, history
from feeds.yahoo_http import Yahoo
from tests.feeds.yahoo_site import chart_answer

START = datetime(2026, 1, 1, tzinfo=UTC)
OPENED = int(datetime(2026, 1, 5, 14, 30, tzinfo=UTC).timestamp())
DAY = 86_400


def asked(answer: Mapping[str, Any]) -> Answer:
    """What is made of Yahoo's `answer` about the first twenty days of 2026."""
    import yfinance

    yfinance.config.debug.hide_exceptions = False  # as `Yahoo` has it
    said = SimpleNamespace(text=json.dumps(answer), json=lambda: json.loads(json.dumps(answer)))
    client = Yahoo.__new__(Yahoo)
    client._timeout = 1.0
    client._session = SimpleNamespace(consent_asked=False)  # type: ignore[assignment]
    client._data = SimpleNamespace(get=lambda **_: said, cache_get=lambda **_: said)
    return history(client, "IWM", "1d", START, START + timedelta(days=20))


def answered(days: int = 3, ahead: int = 0) -> dict[str, Any]:
    """A chart of so many days, the last of them moved on by `ahead` days."""
    rows = [(OPENED + DAY * n, 250.0, 252.0, 249.0, 251.0 + n, 1000.0) for n in range(days)]
    return chart_answer("IWM", [*rows[:-1], (rows[-1][0] + DAY * ahead, *rows[-1][1:])])


@pytest.mark.parametrize("lacks", ["timestamp", "indicators", "meta"])
def test_a_chart_of_another_shape_is_refused_in_words(lacks: str) -> None:
    answer = answered()
    del answer["chart"]["result"][0][lacks]
    with pytest.raises(BadDataError, match=r"Yahoo's answer about IWM cannot be read: KeyError"):
        asked(answer)


@pytest.mark.parametrize(
    "answer", [{"chart": {"result": [3], "error": None}}, {"chart": {"result": None}}, {"chart": 7}]
)
def test_a_chart_that_is_none_is_refused_in_words(answer: dict[str, Any]) -> None:
    with pytest.raises(BadDataError, match="Yahoo's answer about IWM cannot be read"):
        asked(answer)


def test_a_dividend_of_nothing_is_refused_in_words_and_is_no_failure_on_the_way() -> None:
    answer = answered()
    answer["chart"]["result"][0]["events"] = {"dividends": {str(OPENED): {"amount": None, "date": OPENED}}}
    with pytest.raises(BadDataError, match="cannot be read: YFException Data was lost"):
        asked(answer)


def test_a_currency_that_is_none_is_refused() -> None:
    answer = answered()
    answer["chart"]["result"][0]["meta"]["currency"] = "\x1b[2J"
    with pytest.raises(BadDataError, match="names no currency") as refused:
        asked(answer)
    assert str(refused.value).isprintable()


def test_a_bar_of_a_day_to_come_is_none() -> None:
    # the newest bar says from where on the next are asked for: one of the year 2053 would end a symbol's history
    assert asked(answered(ahead=10_000)).bars["close"].to_list() == [251.0, 252.0]
    assert asked(answered()).bars["close"].to_list() == [251.0, 252.0, 253.0]


def framed(columns: Mapping[str, list[Any]]) -> Any:
    import pandas as pd

    index = pd.DatetimeIndex([datetime(2026, 1, day, tzinfo=UTC) for day in (5, 6, 7)])
    plain = {name: [1.0, 2.0, 3.0] for name in ("Open", "High", "Low", "Close", "Adj Close", "Volume")}
    made = {name: pd.Series(cells, index=index, dtype="object") for name, cells in columns.items()}
    return pd.DataFrame({**plain, **made}, index=index)


def test_a_cell_that_is_no_number_is_missing_and_its_neighbours_stay() -> None:
    frame = framed({"High": [1.5, "\x1b[2J", {}], "Close": [1.0, [], 3.0], "Stock Splits": [None, "2:1", 2.0]})
    bars, acted = bars_of(frame, "1d")
    assert [time.day for time in bars["time"]] == [5, 7], "a bar without a close is none"
    assert bars["high"].to_list() == [1.5, None]
    assert bars["open"].to_list() == [1.0, 3.0]
    assert acted == datetime(2026, 1, 7, tzinfo=UTC).timestamp(), "a split that is no number is none"


def test_bars_without_a_column_or_without_a_zone_are_refused_in_words() -> None:
    frame = framed({})
    with pytest.raises(BadDataError, match="Yahoo's bars have no High, Volume"):
        bars_of(frame.drop(columns=["High", "Volume"]), "1d")
    with pytest.raises(BadDataError, match="no times with a zone"):
        bars_of(frame.tz_localize(None), "1d")
