"""The divergences D1–D6 as pure functions of closed series, and the states that they take (METRICS §2).

A z-score of a wandering ratio is no normal variate, so D1–D3 are judged by the percentile of the gauge over its own
past; every function looks back only, and a swing is known k bars after it was.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from engine.grid import Floats
from engine.technical import atr, high_low_close, pivots, rsi
from engine.windows import rolling_corr

OWN_HISTORY: Final = 1_260
"""Values, five years, from which on a gauge is judged by its own past."""
MAX_RHO: Final = 0.95
BREAK_FAST: Final = 21
BREAK_SLOW: Final = 126
BREAK_Z: Final = 2.58
BREAK_CLOSES: Final = 3
K: Final = 5
APART: Final = (5, 60)
SWING_ATR: Final = 0.25


class State(StrEnum):
    """How far out a gauge is."""

    OK = "ok"
    WARN = "warn"
    ALERT = "alert"


def percentile_state(prior: State, percentile: float) -> State:
    """By its own history: alert outside 1–99 %, warn outside 5–95 %, ok again inside 20–80 %, between as it was."""
    if not 0.01 <= percentile <= 0.99:
        return State.ALERT
    if not 0.05 <= percentile <= 0.95:
        return State.WARN
    return State.OK if 0.20 <= percentile <= 0.80 else prior


def fixed_state(prior: State, z: float) -> State:
    """With less history: alert beyond 2, warn beyond 1.5, ok again within 1, between as it was."""
    size = abs(z)
    if size > 2.0:
        return State.ALERT
    if size > 1.5:
        return State.WARN
    return State.OK if size <= 1.0 else prior


@dataclass(frozen=True)
class Past:
    """A gauge's closed values in order, and the state they left it in."""

    ordered: tuple[float, ...]
    state: State

    def judge(self, value: float) -> tuple[float, State]:
        """Percentile (average rank − 0.5)/n of a newest value among the past and itself, and its state; O(log n)."""
        n = len(self.ordered) + 1
        below, upto = bisect_left(self.ordered, value), bisect_right(self.ordered, value)
        percentile = (below + (upto - below + 1) / 2) / n
        if n >= OWN_HISTORY:
            return percentile, percentile_state(self.state, percentile)
        return percentile, fixed_state(self.state, value)

    @property
    def own(self) -> bool:
        """Whether a newest value is judged by the gauge's own history."""
        return len(self.ordered) + 1 >= OWN_HISTORY


def past_of(values: Floats) -> Past:
    """The past after `values`, each judged by those before it and itself alone; NaN is skipped."""
    return pasts_of(values)[1]


def pasts_of(values: Floats) -> tuple[Past, Past]:
    """The past before the newest of `values` and the one after it, as `past_of` has them."""
    ordered: list[float] = []
    state = State.OK
    before = Past((), state)
    known = values[np.isfinite(values)].tolist()
    for n, value in enumerate(known, 1):
        if n == len(known):
            before = Past(tuple(ordered), state)
        at = bisect_right(ordered, value)
        if n >= OWN_HISTORY:
            below = at if not at or ordered[at - 1] < value else bisect_left(ordered, value, 0, at)
            state = percentile_state(state, (below + (at + 1 - below) / 2) / n)
        else:
            state = fixed_state(state, value)
        ordered.insert(at, value)
    return before, Past(tuple(ordered), state)


def cross_gap(z_equity: float, z_crypto: float, rho: float | None) -> float | None:
    """D3: G = (z_eq − z_cr)/√(2 − 2ρ̂), ρ̂ clipped at ±.95; None without a ρ̂."""
    if rho is None:
        return None
    return (z_equity - z_crypto) / math.sqrt(2.0 - 2.0 * max(-MAX_RHO, min(MAX_RHO, rho)))


def cross_gaps(z_equity: Floats, z_crypto: Floats, returns_equity: Floats, returns_crypto: Floats) -> Floats:
    """D3 at every row; ρ̂ over 252 rows of the two pairs' daily log returns."""
    rho = np.clip(rolling_corr(returns_equity, returns_crypto, 252), -MAX_RHO, MAX_RHO)
    return np.asarray((z_equity - z_crypto) / np.sqrt(2.0 - 2.0 * rho), dtype=np.float64)


def fisher(fast: float | None, slow: float | None, n_fast: int = BREAK_FAST, n_slow: int = BREAK_SLOW) -> float | None:
    """(atanh ρ₁ − atanh ρ₂)/√(1/(n₁ − 3) + 1/(n₂ − 3)): 1/18 and 1/123 for 21 and 126. None at |ρ| = 1."""
    if fast is None or slow is None or not (abs(fast) < 1 and abs(slow) < 1):
        return None
    return (math.atanh(fast) - math.atanh(slow)) / math.sqrt(1 / (n_fast - 3) + 1 / (n_slow - 3))


def correlation_break(x: Floats, y: Floats) -> Floats:
    """D4 at every row: the last 21 returns of both spreads against the 126 before those, by Fisher's test.

    Both windows must be full of rows; NaN otherwise.
    """
    fast, slow = _full_corr(x, y, BREAK_FAST), _full_corr(x, y, BREAK_SLOW)
    slow = np.concatenate([np.full(BREAK_FAST, np.nan), slow])[: len(fast)]
    ok = (np.abs(fast) < 1) & (np.abs(slow) < 1)
    out = np.full(len(fast), np.nan)
    width = math.sqrt(1 / (BREAK_FAST - 3) + 1 / (BREAK_SLOW - 3))
    out[ok] = (np.arctanh(fast[ok]) - np.arctanh(slow[ok])) / width
    return out


def break_state(values: Floats) -> State:
    """Alert where |z| ≥ 2.58 at the last 3 closes, warn where at the last one."""
    tail = np.abs(values[-BREAK_CLOSES:])
    if len(tail) == BREAK_CLOSES and bool((tail >= BREAK_Z).all()):
        return State.ALERT
    return State.WARN if len(tail) and tail[-1] >= BREAK_Z else State.OK


class PriceVolume(NamedTuple):
    """D5: a move that its volume does not carry."""

    move: float | None
    """ROC20 ÷ (σ_d·√20), signed; σ_d the sd of 63 daily log returns, ROC20 the log return of 20 bars."""
    volume_pct: float | None
    """100·(ADV20/ADV60 − 1)."""
    state: State


def price_volume(close: Floats, volume: Floats) -> PriceVolume:
    """D5 after the last bar: alert where sign·ROC20 > σ_d·√20 and ADV20/ADV60 − 1 < −10 %."""
    move = change = None
    steps = np.diff(np.log(close[-64:]))
    if len(close) >= 64 and np.isfinite(steps).all():
        sd = float(steps.std(ddof=1))
        move = float(np.log(close[-1] / close[-21])) / (sd * math.sqrt(20)) if sd > 1e-12 else None
    sixty = volume[-60:]
    if len(sixty) == 60 and np.isfinite(sixty).all() and sixty.mean() > 0:
        change = 100.0 * (float(sixty[-20:].mean() / sixty.mean()) - 1.0)
    alert = move is not None and change is not None and abs(move) > 1 and change < -10.0
    return PriceVolume(move, change, State.ALERT if alert else State.OK)


class Swing(NamedTuple):
    """D6: two pivots at which price and RSI disagree."""

    kind: str
    """`regular bear`, `regular bull`, `hidden bear` or `hidden bull`."""
    first: int
    second: int
    """Bars of the two pivots; known at second + 5."""


def swings(frame: pl.DataFrame) -> list[Swing]:
    """All swing divergences of closed bars, by the bar at which they were known.

    Neighbouring pivots (k = 5) of highs or of lows, 5–60 bars apart, price apart by ≥ 0.25 ATR14 of the second, RSI14
    of the closes at the pivots' bars. Tops: HH/LH regular bear, LH/HH hidden bear; bottoms: LL/HL regular bull, HL/LL
    hidden bull (price/RSI).
    """
    close = frame["close"].to_numpy().astype(np.float64)
    strengths, ranges = rsi(close), atr(frame)
    found: list[Swing] = []
    high, low, _ = high_low_close(frame)
    for sign, values, regular, hidden in ((1.0, high, "regular bear", "hidden bear"),
                                        (-1.0, low, "regular bull", "hidden bull")):  # fmt: skip
        price = sign * values
        at = pivots(price, K).tolist()
        for first, second in pairwise(at):
            apart = APART[0] <= second - first <= APART[1]
            move, turn = price[second] - price[first], sign * (strengths[second] - strengths[first])
            if not apart or not np.isfinite([ranges[second], turn]).all() or abs(move) < SWING_ATR * ranges[second]:
                continue
            if move > 0 > turn:
                found.append(Swing(regular, first, second))
            elif move < 0 < turn:
                found.append(Swing(hidden, first, second))
    return sorted(found, key=lambda s: s.second)


def _full_corr(x: Floats, y: Floats, w: int) -> Floats:
    """Correlation over w rows, NaN unless all of them are there."""
    both = np.isfinite(x) & np.isfinite(y)
    made = rolling_corr(x, y, w)
    total = np.concatenate([np.zeros(w), np.cumsum(both)])
    return np.where(total[w:] - total[:-w] >= w, made, np.nan)
