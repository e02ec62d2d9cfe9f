"""What the free sources of outside facts answer, read into facts: pure functions, each of one site's format.

A figure that is missing, or none, makes no fact; an answer without any figure is an error that says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from engine.errors import BadDataError
from engine.model import OutsideFact
from feeds.numbers import DAY, stamp

HOUR: Final = 3600.0
CATEGORIES: Final = {
    "artificial-intelligence": "category_ai",
    "decentralized-finance-defi": "category_defi",
    "meme-token": "category_meme",
    "layer-1": "category_layer1",
    "layer-2": "category_layer2",
}
"""CoinGecko's id of a category → the fact's name."""
ON_CHAIN: Final = {"AdrActCnt": ("active_addresses", "count"), "TxCnt": ("transactions", "count")}
SERIES: Final = {
    "DFF": ("fed_funds", "%"),
    "DGS10": ("treasury_10y", "%"),
    "T10YIE": ("breakeven_10y", "%"),
}
"""FRED's series → the fact's name and unit."""
_SMALL: Final = re.compile(r"\bsmall[ -]?cap|\bsmallcap|\bsmall[ -]?mid|\brussell 2000|\bs&p 600|\bsmall company", re.I)
_NO_FUND: Final = re.compile(r"\b(bear|short|inverse|ultra|[23]x|leveraged)\b", re.I)


def categories(answer: Any, now: float) -> Iterator[OutsideFact]:
    """CoinGecko `/coins/categories`: capitalisation of a few, with their change over 24 hours."""
    for row in answer if isinstance(answer, list) else ():
        name = CATEGORIES.get(str(row.get("id"))) if isinstance(row, dict) else None
        cap = amount(row.get("market_cap")) if name is not None else None
        if name is not None and cap is not None:
            at = stamp(moment(row.get("updated_at")), now) or now
            change = number(row.get("market_cap_change_24h"))
            yield OutsideFact(name, cap, "USD", at, "coingecko", 6 * HOUR, change, "1d" if change is not None else None)


def dex_volume(answer: Any, now: float) -> Iterator[OutsideFact]:
    """DefiLlama `/overview/dexs`: volume of 24 hours over all decentralised exchanges."""
    value = amount(answer.get("total24h")) if isinstance(answer, dict) else None
    if value is not None:
        change = number(answer.get("change_1d"))
        over = "1d" if change is not None else None
        yield OutsideFact("dex_volume_24h", value, "USD", now, "defillama", 6 * HOUR, change, over)


def locked(answer: Any, now: float) -> Iterator[OutsideFact]:
    """DefiLlama `/v2/historicalChainTvl`: value locked in all chains, with its change over seven days."""
    days = [
        (at, value)
        for row in (answer if isinstance(answer, list) else ())
        if isinstance(row, dict)
        and (at := stamp(number(row.get("date")), now)) is not None
        and (value := amount(row.get("tvl"))) is not None
    ]
    yield from _newest("defi_tvl", "USD", days, "defillama", 3 * DAY)


def on_chain(answer: Any, now: float) -> Iterator[OutsideFact]:
    """Coin Metrics `timeseries/asset-metrics`: daily counts an asset, with their change over seven days."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    series: dict[str, list[tuple[float, float]]] = {}
    for row in rows if isinstance(rows, list) else ():
        at = stamp(moment(row.get("time")), now) if isinstance(row, dict) else None
        for metric, (name, _) in ON_CHAIN.items():
            value = amount(row.get(metric)) if at is not None else None
            if at is not None and value is not None:
                series.setdefault(f"{str(row.get('asset')).lower()}_{name}", []).append((at, value))
    for name, days in sorted(series.items()):
        # a day's count is stamped with the day's begin and is complete a day later
        yield from _newest(name, "count", [(at + DAY, value) for at, value in days], "coinmetrics", 4 * DAY)


def sentiment(answer: Any, now: float) -> Iterator[OutsideFact]:
    """alternative.me `/fng/`: fear (0) and greed (100), with its change over seven days. Its numbers are texts."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    days = [
        (at, value)
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
        and (at := stamp(number(row.get("timestamp")), now)) is not None
        and (value := amount(row.get("value"))) is not None
        and value <= 100
    ]
    yield from _newest("fear_greed", "0-100", days, "alternative.me", 2 * DAY)


def rates(series: str, answer: Any, now: float) -> Iterator[OutsideFact]:
    """FRED `series/observations`: the newest value; a dot means missing. A rate's change in per cent says nothing."""
    rows = answer.get("observations") if isinstance(answer, dict) else None
    days = [
        (at, value)
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
        and (at := stamp(moment(row.get("date")), now)) is not None
        and (value := number(row.get("value"))) is not None
    ]
    if days:
        (at, value), (name, unit) = max(days), SERIES[series]
        yield OutsideFact(name, value, unit, at, "fred", 10 * DAY)


def small_cap_etfs(text: str, now: float) -> Iterator[OutsideFact]:
    """Nasdaq's `nasdaqtraded.txt`: the exchange-traded funds whose name says small caps, leveraged ones left out."""
    lines = text.splitlines()
    head = lines[0].split("|") if lines else []
    try:
        symbol, name, etf, test = (head.index(c) for c in ("Symbol", "Security Name", "ETF", "Test Issue"))
    except ValueError as broken:
        raise BadDataError("the symbol directory has no such columns any more") from broken
    found = []
    for line in lines[1:]:
        cells = line.split("|")
        if len(cells) < len(head) or cells[etf] != "Y" or cells[test] == "Y":
            continue
        if _SMALL.search(cells[name]) and not _NO_FUND.search(cells[name]):
            found.append(cells[symbol])
    created = re.search(r"File Creation Time: ?(\d{2})(\d{2})(\d{4})", lines[-1]) if lines else None
    if not found or created is None:
        raise BadDataError("the symbol directory is not whole")
    month, day, year = map(int, created.groups())
    try:
        at = min(datetime(year, month, day, tzinfo=UTC).timestamp() + DAY / 2, now)
    except ValueError as broken:
        raise BadDataError(f"the symbol directory is of no day: {month:02}/{day:02}/{year:04}") from broken
    yield OutsideFact("small_cap_etfs", len(found), "count", at, "nasdaqtrader", 5 * DAY, members=tuple(found))


def _newest(
    name: str, unit: str, days: list[tuple[float, float]], source: str, lasts_s: float
) -> Iterator[OutsideFact]:
    """The newest of `days` (time, value), and its change since the value of seven days before where there is one."""
    if not days:
        return
    at, value = max(days)
    past = [old for then, old in days if abs(at - 7 * DAY - then) < DAY / 2 and old > 0]
    change = number(100 * (value / past[0] - 1)) if past else None
    yield OutsideFact(name, value, unit, at, source, lasts_s, change, "7d" if change is not None else None)


def whole(read: Callable[[Any, float], Iterator[OutsideFact]], answer: Any, now: float) -> list[OutsideFact]:
    """What `read` finds in `answer`; BadDataError where that is nothing."""
    found = list(read(answer, now))
    if not found:
        raise BadDataError("an answer without the figures that were asked for")
    return found


def number(value: object) -> float | None:
    """A finite number from JSON, written as a number or as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def amount(value: object) -> float | None:
    """The same, where less than nothing is none."""
    found = number(value)
    return found if found is not None and found >= 0 else None


def moment(text: object) -> float | None:
    """Epoch seconds of an ISO 8601 date or time, UTC where it names no zone; nanoseconds are cut off."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
