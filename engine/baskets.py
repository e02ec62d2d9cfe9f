"""The `baskets` table: what each configured group of crypto assets has done, members alike (METRICS §3, §7).

return_H_pct: mean over the members of 100·(P/P_H − 1), P_H the close H UTC-day candles before the current one ·
volume_usd: Σ of the members' 24 h volume over the connected venues · volume_yoy_pct, volume_30d_pct: Σ of members' mean
daily USD volume (candle volume × close) over the last 30 closed days ÷ the same over the 30 days ending one year
earlier, or over the 30 before, − 1; only members alive in both windows (a volume on 24 of the 30 days) ·
breadth, breadth200: share of members with a price above their mean of 50 (200) daily closes, the price as the newest of
them · breadth_members: how many have those 50 closes and a price, so that their share is of that many ·
coverage: share of the members that have a price and the history for a one-day return; with a year's volume, the lesser
of that and the share alive in both years' windows · as_of: of the newest price in it · recent: the equal-weight index
of the last 30 closed days, chained by the mean of the members' moves from 100, and of today. status `warming` where no
member has a return, and while bars of the last year are still being fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from engine.bars import days_of
from engine.grid import DAY, EPOCH, DailyGrid, Floats, usable, worst
from engine.markets import Venues
from engine.model import Status
from engine.rows import table
from engine.spreads import months_back
from engine.view import View

BACK: Final = {"1d": 1, "7d": 7, "30d": 30}
VOLUME_DAYS: Final = 30
ALIVE_DAYS: Final = 24
SMA: Final = 50
SLOW: Final = 200
SPAN: Final = 30 + 366 + 5
RECENT: Final = 30
"""Closed UTC days in `recent`, before today's."""


@dataclass(frozen=True)
class Member:
    """One asset between two closes."""

    symbol: str
    base: str
    bases: dict[str, float]
    """Horizon → close there."""
    sum49: float | None
    """Sum of the last 49 closed daily closes; None where one is missing."""
    sum199: float | None


@dataclass(frozen=True)
class BasketState:
    """One basket between two closes."""

    basket: str
    members: tuple[Member, ...]
    yoy_pct: float | None
    month_pct: float | None
    loading: bool
    """Whether bars that its figures need are still being fetched."""
    alive: float | None
    """Share of the members alive in both years' windows; None without a year of history."""
    course: tuple[float, ...]
    """The equal-weight index of the last closed days, 100 at the first of them; empty where a day has no member."""


def at_close(grid: DailyGrid, baskets: Mapping[str, tuple[str, ...]]) -> tuple[BasketState, ...]:
    """Every basket after the closed UTC days."""
    today = int(grid.now // DAY)
    held: dict[str, tuple[Floats, Floats]] = {}
    for base in dict.fromkeys(b for members in baskets.values() for b in members):
        held[base] = _days(grid, f"{base}/USD", today)
    year_ago = (months_back(EPOCH + timedelta(days=today - 1), 12) - EPOCH).days
    states = []
    for name, bases in baskets.items():
        volumes = np.array([held[b][0] * held[b][1] for b in bases]).reshape(len(bases), SPAN)
        now = _windows(volumes, SPAN)
        year = _windows(volumes, SPAN - (today - 1 - year_ago))
        month = _windows(volumes, SPAN - VOLUME_DAYS)
        yoy, alive = _change(now, year)
        alive_share = alive / len(bases) if bases and np.isfinite(year).any() else None
        members = tuple(_member(b, held[b][0]) for b in bases)
        loading = not all(grid.reaches(f"{b}/USD", today - SPAN) for b in bases)
        course = _course(np.array([held[b][0][-RECENT:] for b in bases]).reshape(len(bases), RECENT))
        states.append(BasketState(name, members, yoy, _change(now, month)[0], loading, alive_share, course))
    return tuple(states)


def live(states: tuple[BasketState, ...], venues: Mapping[str, Venues], view: View) -> pl.DataFrame:
    """The `baskets` table at one beat."""
    return table("baskets", [_row(s, venues, view) for s in states])


def _days(grid: DailyGrid, symbol: str, today: int) -> tuple[Floats, Floats]:
    """Closes and volumes of the last `SPAN` closed UTC days, yesterday last; NaN where missing."""
    close, volume = np.full(SPAN, np.nan), np.full(SPAN, np.nan)
    frame = grid.closed(symbol).tail(SPAN)
    if frame.height:
        place = SPAN - (today - days_of(frame))
        keep = (place >= 0) & (place < SPAN)
        close[place[keep]] = frame["close"].to_numpy()[keep]
        volume[place[keep]] = frame["volume"].to_numpy()[keep]
    return close, volume


def _windows(volumes: Floats, end: int) -> Floats:
    """Each member's mean over the 30 days before index `end`; NaN where it was not alive."""
    part = volumes[:, max(0, end - VOLUME_DAYS) : max(0, end)]
    count = np.isfinite(part).sum(axis=1)
    total = np.where(np.isfinite(part), part, 0.0).sum(axis=1)
    return np.where(count >= ALIVE_DAYS, total / np.maximum(count, 1), np.nan)


def _change(now: Floats, then: Floats) -> tuple[float | None, int]:
    """100·(Σ now ÷ Σ then − 1) over the members alive in both, and how many those are."""
    both = np.isfinite(now) & np.isfinite(then)
    total = float(then[both].sum())
    return (100.0 * (float(now[both].sum()) / total - 1.0) if total > 0 else None), int(both.sum())


def _course(closes: Floats) -> tuple[float, ...]:
    """100 chained by the mean of the members' daily moves."""
    if not closes.size:
        return ()
    moves = closes[:, 1:] / closes[:, :-1]
    count = np.isfinite(moves).sum(axis=0)
    if not count.all():
        return ()
    mean = np.where(np.isfinite(moves), moves, 0.0).sum(axis=0) / count
    return tuple((100.0 * np.cumprod(np.concatenate([[1.0], mean]))).tolist())


def _member(base: str, close: Floats) -> Member:
    bases = {h: float(close[-d]) for h, d in BACK.items() if np.isfinite(close[-d])}
    fast, slow = close[-(SMA - 1) :], close[-(SLOW - 1) :]
    sums = [float(tail.sum()) if np.isfinite(tail).all() else None for tail in (fast, slow)]
    return Member(f"{base}/USD", base, bases, *sums)


def _row(state: BasketState, venues: Mapping[str, Venues], view: View) -> dict[str, Any]:
    returns: dict[str, list[float]] = {h: [] for h in BACK}
    above: list[bool] = []
    above200: list[bool] = []
    statuses: list[Status] = []
    newest: float | None = None
    usd, traded = 0.0, 0
    for member in state.members:
        volume = venues.get(member.base)
        if volume is not None and volume.usd is not None:
            usd, traded = usd + volume.usd, traded + 1
        quote = view.live(member.symbol)
        price = quote.price
        if price is None or not usable(price):
            continue
        for horizon, base in member.bases.items():
            returns[horizon].append(100.0 * (price / base - 1.0))
        if member.bases:
            statuses.append(quote.status)
            if quote.at is not None and (newest is None or quote.at > newest):
                newest = quote.at
        if member.sum49 is not None:
            above.append(price > (member.sum49 + price) / SMA)
        if member.sum199 is not None:
            above200.append(price > (member.sum199 + price) / SLOW)
    count = len(state.members)
    coverage = len(returns["1d"]) / count if count else 0.0
    status = Status.WARMING
    if returns["1d"]:
        stale = sum(s is Status.STALE for s in statuses)
        status = Status.STALE if stale > len(statuses) / 5 else worst(s for s in statuses if s is not Status.STALE)
    if state.loading:
        status = worst((status, Status.WARMING))
    today = 1.0 + sum(returns["1d"]) / len(returns["1d"]) / 100.0 if returns["1d"] else None
    return {
        "basket": state.basket,
        "members": count,
        **{f"return_{h}_pct": sum(r) / len(r) if r else None for h, r in returns.items()},
        "volume_usd": usd if traded else None,
        "volume_yoy_pct": state.yoy_pct,
        "volume_30d_pct": state.month_pct,
        "breadth": sum(above) / len(above) if above else None,
        "breadth_members": len(above),
        "breadth200": sum(above200) / len(above200) if above200 else None,
        "as_of": None if newest is None else datetime.fromtimestamp(newest, UTC),
        "coverage": min(coverage, state.alive) if state.alive is not None else coverage,
        "recent": [*state.course, state.course[-1] * today] if state.course and today is not None else None,
        "status": status.value,
        "simulated": view.simulated,
    }
