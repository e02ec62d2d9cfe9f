"""The `levels` table: support and resistance with what has happened at each, by closed bars and by ticks (METRICS §4).

half-width of a band max(0.25·ATR14, 0.25 %·L) · low, high its edges · distance_pct 100·(L − P)/P · distance_atr
(L − P)/ATR14 · position (P − S)/(R − S), S the highest configured support and R the lowest resistance above it ·
touches of the last 504 bars · strength 100·(1 − e^{−S/3}), S = Σ 2^{−age/126}·min(2, RVOL) + 1 for every other method
within 0.5 ATR · out_of_play where |P − L| > 8 ATR · state and role as `engine.level_states` has them: bars move them,
a tick only raises TESTING · status `warming` until there is an ATR.
Prices are closes, unadjusted for dividends; an index's RVOL is that of the fund that tracks it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from engine.bars import days_of
from engine.config import Band
from engine.grid import DAY, EPOCH, DailyGrid, Floats, usable, worst
from engine.level_sources import (
    DONCHIAN,
    Candidate,
    donchian,
    floor_pivots,
    from_pivots,
    from_profile,
    from_vwap,
    merge,
    prior_week,
)
from engine.level_states import Bar, LevelState, Life, half_width, on_tick, start, step
from engine.model import Status, asset_of
from engine.rows import table
from engine.technical import atr, high_low_close, relative_volume
from engine.view import View

BARS_BACK: Final = 504
HALF_LIFE_BARS: Final = 126
OUT_OF_PLAY_ATR: Final = 8.0
AUTO_LEVELS: Final = 12
PROFILE_SESSIONS: Final = 20
VOLUME_PROXY: Final[Mapping[str, str]] = {"^RUT": "IWM", "^GSPC": "SPY"}
"""An index has no tape: its relative volume is that of the fund that tracks it."""


class Level(NamedTuple):
    """A price to watch, and the methods that name it."""

    price: float
    side: int
    """+1 resistance, −1 support, as named; used only where the history begins exactly at the price."""
    sources: tuple[str, ...] = ("config",)


@dataclass(frozen=True)
class SymbolState:
    """One symbol's levels after its last closed bar."""

    symbol: str
    lives: tuple[tuple[Level, Life], ...]
    atr: float | None
    last: float | None
    """Last close."""
    last_index: int
    as_of: float | None
    support: float | None
    resistance: float | None
    trading: bool
    """Whether a price is to be expected now."""


@dataclass
class TickMemory:
    """Which levels a tick has raised since their last exit; the only thing here that outlives a close."""

    raised: dict[tuple[str, float], bool] = field(default_factory=dict)


@dataclass(frozen=True)
class LevelsState:
    """What `live` needs."""

    symbols: tuple[SymbolState, ...]


def configured(band: Band) -> tuple[Level, ...]:
    """The configured levels, each once, ascending."""
    named = dict.fromkeys(band.support, -1) | dict.fromkeys(band.resistance, 1)
    return tuple(Level(p, side) for p, side in sorted(named.items()) if p > 0 and math.isfinite(p))


def at_close(grid: DailyGrid, bands: Mapping[str, Band], *, sources: bool = True) -> LevelsState:
    """Every configured symbol's levels after its closed bars; sources: what the other methods name as well."""
    return LevelsState(tuple(_symbol(grid, symbol, band, sources) for symbol, band in bands.items()))


def live(state: LevelsState, view: View, memory: TickMemory) -> pl.DataFrame:
    """The `levels` table at one beat; `memory` is carried from beat to beat."""
    if len(memory.raised) > 1_000:  # prices that the sources no longer name
        memory.raised.clear()
    return table("levels", [row for symbol in state.symbols for row in _rows(symbol, view, memory)])


def lives_of(levels: tuple[Level, ...], bars: list[Bar]) -> tuple[tuple[Level, Life], ...]:
    """Each level's life through `bars`; before there is any, CLEAR.

    A level that is CLEAR, armed and on its own side of the price changes only with a bar that meets its band or closes
    beyond it: the bars between are not asked.
    """
    _, high, low, close, ranges, _ = (
        np.array(c, dtype=np.float64) for c in (zip(*bars, strict=True) if bars else [()] * 6)
    )
    made = []
    for level in levels:
        life = start(level.price, bars[0].close if bars else level.price, level.side)
        half = np.maximum(0.25 * ranges, 0.0025 * level.price)  # as `half_width`
        meets = (low <= level.price + half) & (high >= level.price - half)
        stirs = {side: np.flatnonzero(meets | (side * (close - level.price) > half)).tolist() for side in (1, -1)}
        at = 0
        while at < len(bars):
            if life.state is LevelState.CLEAR and life.armed:
                ahead = stirs[life.side]
                place = bisect_left(ahead, at)
                if place == len(ahead):
                    break
                at = ahead[place]
            life = step(life, bars[at], float(half[at]))
            at += 1
        made.append((level, life))
    return tuple(made)


def strength(life: Life, last_index: int, other_methods: int) -> float:
    """100·(1 − e^{−S/3}), 0–100."""
    touched = sum(weight * 2 ** (-(last_index - at) / HALF_LIFE_BARS) for at, weight in life.touches)
    return 100.0 * (1.0 - math.exp(-(touched + other_methods) / 3.0))


def position(price: float, support: float | None, resistance: float | None) -> float | None:
    """(P − S)/(R − S): 0 at the support, 1 at the resistance; None without a band."""
    if support is None or resistance is None or not resistance > support:
        return None
    return (price - support) / (resistance - support)


def bars_of(grid: DailyGrid, symbol: str) -> tuple[list[Bar], Floats]:
    """The last 504 closed bars that have an ATR, with their RVOL, and the ATR of every closed bar."""
    frame = grid.closed(symbol)
    ranges = atr(frame)
    rvol = _rvol(grid, symbol, frame)
    first = max(0, frame.height - BARS_BACK)
    columns = (v[first:].tolist() for v in (*high_low_close(frame), ranges, rvol))
    bars = [
        Bar(i, high, low, close, span, None if math.isnan(volume) else volume)
        for i, (high, low, close, span, volume) in enumerate(zip(*columns, strict=True), first)
        if not math.isnan(span)
    ]
    return bars, ranges


def found(grid: DailyGrid, symbol: str, band: Band, ranges: Floats) -> tuple[Level, ...]:
    """The configured levels, then what the other sources name within 8 ATR of the last close, the 12 nearest."""
    levels = configured(band)
    frame = grid.closed(symbol)
    if not len(ranges) or not np.isfinite(ranges[-1]) or not ranges[-1] > 0:
        return levels
    atr_, last = float(ranges[-1]), float(frame["close"][-1])
    # a coin's week ends with Sunday: on a weekend the session to come is of another week
    today = EPOCH + timedelta(days=int(grid.now // DAY)) if asset_of(symbol) == "crypto" else grid.date_of(-1)
    candidates = from_pivots(frame, atr_)
    week = prior_week(frame, today)
    if week is not None:
        candidates += [Candidate(p, "floor") for p in floor_pivots(*week).values()]
    for count in DONCHIAN:
        candidates += [Candidate(p, "donchian") for p in donchian(frame, count) or ()]
    proxy = VOLUME_PROXY.get(symbol, symbol)
    candidates += from_vwap(frame, _aligned(grid, symbol, frame, lambda f: f["volume"].to_numpy()), today)
    ratio = _ratio(grid, symbol, proxy)
    if ratio is not None:
        candidates += from_profile(grid.intraday(proxy, PROFILE_SESSIONS), ratio, atr_)
    merged = merge((level.price for level in levels), candidates, atr_)
    named = {m.price: m.methods for m in merged}
    auto = [m for m in merged if "config" not in m.methods and abs(m.price - last) <= OUT_OF_PLAY_ATR * atr_]
    nearest = sorted(sorted(auto, key=lambda m: abs(m.price - last))[:AUTO_LEVELS])
    kept = tuple(level._replace(sources=named[level.price]) for level in levels)
    return kept + tuple(Level(m.price, 1 if m.price > last else -1, m.methods) for m in nearest)


def _ratio(grid: DailyGrid, symbol: str, proxy: str) -> float | None:
    """Median of the last 20 closes of a symbol over its fund's; 1 where it is its own."""
    if symbol == proxy:
        return 1.0
    frame = grid.closed(symbol).tail(20)
    other = _aligned(grid, symbol, frame, lambda f: f["close"].to_numpy())
    known = np.isfinite(other)
    return float(np.median(frame["close"].to_numpy()[known] / other[known])) if known.any() else None


def _rvol(grid: DailyGrid, symbol: str, frame: pl.DataFrame) -> Floats:
    return _aligned(grid, symbol, frame, lambda f: relative_volume(f["volume"].to_numpy()))


def _aligned(grid: DailyGrid, symbol: str, frame: pl.DataFrame, column: Callable[[pl.DataFrame], Floats]) -> Floats:
    """A column of the symbol's own bars, or of its fund's by the same dates; NaN where that has none."""
    proxy = VOLUME_PROXY.get(symbol)
    if proxy is None:
        return column(frame)
    other = grid.closed(proxy)
    days, at = (days_of(f) for f in (frame, other))
    values = np.full(len(days), np.nan)
    if len(at):
        rows = np.minimum(np.searchsorted(at, days), len(at) - 1)
        same = at[rows] == days
        values[same] = column(other)[rows[same]]
    return values


def _symbol(grid: DailyGrid, symbol: str, band: Band, sources: bool) -> SymbolState:
    frame = grid.closed(symbol)
    bars, ranges = bars_of(grid, symbol)
    last = float(frame["close"][-1]) if frame.height else None
    as_of = grid.bar_end(symbol, int(days_of(frame)[-1])) if frame.height else None
    support = max(band.support, default=None)
    above = [p for p in band.resistance if support is None or p > support]
    row = grid.current(crypto=False)
    return SymbolState(
        symbol=symbol,
        lives=lives_of(found(grid, symbol, band, ranges) if sources else configured(band), bars),
        atr=float(ranges[-1]) if len(ranges) and np.isfinite(ranges[-1]) else None,
        last=last,
        last_index=frame.height - 1,
        as_of=as_of,
        support=support,
        resistance=min(above, default=None),
        trading=asset_of(symbol) == "crypto" or (row >= 0 and grid.now < grid.closes[row]),
    )


def _rows(state: SymbolState, view: View, memory: TickMemory) -> list[dict[str, Any]]:
    quote = view.live(state.symbol)
    price, as_of, status = state.last, state.as_of, Status.STALE if state.trading else Status.CLOSED
    if usable(quote.price):
        price, as_of, status = quote.price, quote.at, quote.status
    rows = []
    for level, life in state.lives:
        low, high = (level.price + s * half_width(level.price, state.atr) for s in (-1, 1))
        shown, key = life.state, (state.symbol, level.price)
        if price is not None:
            shown, raised = on_tick(life, memory.raised.get(key, False), price, state.atr or 0.0, high - level.price)
            memory.raised[key] = raised
        row: dict[str, Any] = {
            "symbol": state.symbol,
            "role": life.role if state.last is not None else ("resistance" if level.side > 0 else "support"),
            "price": level.price,
            "low": low,
            "high": high,
            "state": shown.value if price is not None else None,
            "position": position(price, state.support, state.resistance) if price is not None else None,
            "touches": len(life.touches) if state.last is not None else None,
            "strength": strength(life, state.last_index, len(level.sources) - 1) if state.last is not None else None,
            "sources": ", ".join(level.sources),
            "last": price,
            "atr": state.atr,
            "as_of": datetime.fromtimestamp(as_of, UTC) if as_of is not None else None,
            "status": (worst((status, Status.WARMING)) if state.atr is None else status).value,
            "simulated": view.simulated,
        }
        if price is not None:
            gap = level.price - price
            row["distance_pct"] = 100.0 * gap / price
            if state.atr:
                row["distance_atr"] = gap / state.atr
                row["out_of_play"] = abs(gap) > OUT_OF_PLAY_ATR * state.atr
        rows.append(row)
    return rows


__all__ = ["Level", "LevelState", "LevelsState", "TickMemory", "at_close", "configured", "live", "lives_of", "position"]
