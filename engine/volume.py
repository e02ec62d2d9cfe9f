"""The `volumes` table: how much is traded, against a year ago and against this time of day (METRICS §3).

adv_shares: mean V of the last 63 full sessions; adv_usd: mean V·close of the same
adv_yoy_pct, adv_usd_yoy_pct: 100·(that ÷ the mean of the 63 full sessions ending on or before a year before − 1)
rvol: cumulative V today at t ÷ mean over 20 full sessions of the same at t, from 5-minute buckets since the open,
straight between bucket ends

A full session is one that has closed, with a volume; the curve leaves half-days out as well. Shares and dollars stand
side by side, because a fall in shares at a higher price is less of a fall in dollars. n: sessions in adv; from 31 on
there is a value (`warming`), from 63 on it is `ok`. Funds only: an index has no tape.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from engine.bars import BarBook, days_of, times_us
from engine.grid import EPOCH, DailyGrid, Floats
from engine.model import Status, asset_of
from engine.rows import table
from engine.spreads import months_back
from engine.view import Calendar, Session, View

ADV: Final = 63
ADV_REACH: Final = 400
CURVE_SESSIONS: Final = 20
BUCKET_S: Final = 300
FULL_BUCKETS: Final = 78
LEAST_BUCKETS: Final = 62
"""A session with fewer 5-minute bars than this is left out of the curve."""


class Adv(NamedTuple):
    """Average daily volume; None where there is too little."""

    shares: float | None
    usd: float | None
    yoy_pct: float | None
    usd_yoy_pct: float | None
    n: int
    day: int | None
    """The newest session's date, days since 1970."""


@dataclass(frozen=True)
class SymbolVolume:
    """One fund between two closes."""

    symbol: str
    adv: Adv
    as_of: float | None
    """When the newest session of `adv` closed."""
    curves: dict[int, Floats]
    """Session day → mean cumulative volume at each bucket's end, 0 first, of the 20 full sessions before it."""


@dataclass(frozen=True)
class VolumeState:
    """What `live` needs."""

    symbols: tuple[SymbolVolume, ...]
    sessions: tuple[Session, ...]
    opens: tuple[float, ...]


def at_close(grid: DailyGrid, book: BarBook, calendar: Calendar, symbols: Iterable[str]) -> VolumeState:
    """Every fund's volumes after its closed bars, and the day's curves."""
    known = [s for s in calendar.sessions if s.open <= grid.now]
    recent = known[-3 * CURVE_SESSIONS :]
    made = []
    for symbol in symbols:
        if asset_of(symbol) == "etf":
            adv = average(grid.closed(symbol).tail(ADV_REACH))
            as_of = None if adv.day is None else grid.bar_end(symbol, adv.day)
            made.append(SymbolVolume(symbol, adv, as_of, curves(book.frame(symbol, "5m"), recent)))
    return VolumeState(tuple(made), tuple(recent), tuple(s.open for s in recent))


def average(frame: pl.DataFrame) -> Adv:
    """ADV of closed daily bars `frame`."""
    days = days_of(frame)
    volume = frame["volume"].to_numpy()
    keep = np.isfinite(volume) & (volume > 0)
    days, volume, close = days[keep], volume[keep], frame["close"].to_numpy()[keep]
    if not len(days):
        return Adv(None, None, None, None, 0, None)
    last = EPOCH + timedelta(days=int(days[-1]))
    year_ago = (months_back(last, 12) - EPOCH).days
    upto = int(np.searchsorted(days, year_ago, side="right"))
    now, then = slice(max(0, len(days) - ADV), None), slice(max(0, upto - ADV), upto)
    n = min(ADV, len(days))
    means: list[float | None] = []
    changes: list[float | None] = []
    for series in (volume, volume * close):
        mean = float(series[now].mean()) if n >= ADV // 2 else None
        before = series[then]
        # the window a year ago must be whole and really end there, not where the history happens to begin
        fits = len(before) == ADV and year_ago - days[upto - 1] <= 10
        means.append(mean)
        changes.append(100.0 * (mean / float(before.mean()) - 1.0) if mean is not None and fits else None)
    return Adv(means[0], means[1], changes[0], changes[1], n, int(days[-1]))


def curves(frame: pl.DataFrame, sessions: Iterable[Session]) -> dict[int, Floats]:
    """The mean curve for each of the two newest sessions, from the 20 full ones before it that have their bars."""
    known = list(sessions)
    if frame.is_empty() or not known:
        return {}
    times = times_us(frame) / 1e6
    volume = frame["volume"].fill_null(0.0).to_numpy()
    opens = np.array([s.open for s in known])
    at = np.searchsorted(opens, times, side="right") - 1
    bucket = np.where(at >= 0, (times - opens[np.maximum(at, 0)]) // BUCKET_S, -1).astype(int)
    inside = (at >= 0) & (bucket < FULL_BUCKETS)
    table = np.zeros((len(known), FULL_BUCKETS))
    count = np.zeros((len(known), FULL_BUCKETS))
    np.add.at(table, (at[inside], bucket[inside]), volume[inside])
    np.add.at(count, (at[inside], bucket[inside]), 1)
    whole = ((count > 0).sum(axis=1) >= LEAST_BUCKETS) & np.array([not s.early for s in known])
    made = {}
    for row in range(max(0, len(known) - 2), len(known)):
        before = np.flatnonzero(whole[:row])[-CURVE_SESSIONS:]
        if len(before) >= CURVE_SESSIONS // 2:
            mean = table[before].mean(axis=0)
            made[known[row].day] = np.concatenate([[0.0], np.cumsum(mean)])
    return made


def rvol(curve: Floats, elapsed_s: float, volume: float) -> float | None:
    """`volume` since the open ÷ the curve at `elapsed_s` seconds after it; None at the open itself. O(1)."""
    place = min(max(elapsed_s / BUCKET_S, 0.0), float(FULL_BUCKETS))
    k = min(int(place), FULL_BUCKETS - 1)
    usual = float(curve[k] + (place - k) * (curve[k + 1] - curve[k]))
    return volume / usual if usual > 0 else None


def live(state: VolumeState, view: View) -> pl.DataFrame:
    """The `volumes` table at one beat."""
    return table("volumes", [_row(s, state, view) for s in state.symbols])


def _row(symbol: SymbolVolume, state: VolumeState, view: View) -> dict[str, Any]:
    quote, adv = view.live(symbol.symbol), symbol.adv
    value = None
    if quote.volume is not None and quote.volume >= 0 and quote.at is not None:
        at = bisect_right(state.opens, quote.at) - 1
        curve = symbol.curves.get(state.sessions[at].day) if at >= 0 else None
        if curve is not None:
            session = state.sessions[at]
            # a half-day has no usual curve of its own; its volume would be held against a full day's
            value = None if session.early else rvol(curve, min(quote.at, session.close) - session.open, quote.volume)
    as_of = quote.at if value is not None and quote.at is not None else symbol.as_of
    status = Status.OK if adv.n >= ADV else Status.WARMING
    if status is Status.OK and quote.status in (Status.STALE, Status.CLOSED):
        status = quote.status
    return {
        "symbol": symbol.symbol,
        "adv_shares": adv.shares,
        "adv_usd": adv.usd,
        "adv_yoy_pct": adv.yoy_pct,
        "adv_usd_yoy_pct": adv.usd_yoy_pct,
        "rvol": value,
        "as_of": None if as_of is None else datetime.fromtimestamp(as_of, UTC),
        "n": adv.n,
        "status": status.value,
        "simulated": view.simulated,
    }
