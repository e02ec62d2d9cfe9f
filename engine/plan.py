"""The arithmetic of a trade plan: what it risks, how much to buy, and how likely a price is to be touched (METRICS §8).

A plan is refused rather than computed where its stop is no stop. The probability holds at constant volatility, without
jumps; a touch is no fill, and none of it says that there is an edge: driftless, P(target before stop) = R/(R + gain) is
just the win rate at which the plan breaks even.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.errors import SizewatchError
from engine.grid import Floats

STOP_ATR: Final = 2.0
TARGETS: Final = (0.10, 0.15)
VOL_BARS: Final = 63
YEAR_BARS: Final = 252


class PlanError(SizewatchError):
    """A plan that cannot be; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """One price to take profit at."""

    price: float
    r_multiple: float
    """Gain ÷ R."""
    break_even: float
    """R ÷ (R + gain), the driftless P(target before stop)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A long plan in full; money in USD."""

    entry: float
    stop: float
    risk: float
    """R = entry − stop, a unit."""
    quantity: float
    """Whole shares or contracts; of what is divided at will, steps of 1e-8."""
    notional: float
    at_risk: float
    """quantity · R · multiplier."""
    targets: tuple[Target, ...]


def make_plan(
    entry: float,
    atr: float | None,
    equity: float,
    risk_pct: float,
    *,
    stop: float | None = None,
    multiplier: float = 1.0,
    max_notional: float | None = None,
    stale: bool = False,
    targets: tuple[float, ...] = TARGETS,
    whole: bool = True,
) -> Plan:
    """Stop = E − 2·ATR (or the given one); R = E − stop; targets E·(1 + g); quantity ⌊equity·risk %/(R·multiplier)⌋.

    The notional is capped at `max_notional` (None: at `equity`). whole: False where parts of a unit are
    traded. Raises PlanError where the stop is not below the
    entry, there is no ATR, or the price is stale.
    """
    if stale:
        raise PlanError("the price is stale: a plan needs a current one")
    if not entry > 0 or not math.isfinite(entry):
        raise PlanError("there is no entry price")
    if atr is None or not (atr > 0 and math.isfinite(atr)):
        raise PlanError("there is no ATR yet: a plan needs 15 daily bars")
    level = entry - STOP_ATR * atr if stop is None else stop
    if not 0 < level < entry:
        raise PlanError(f"the stop {level:,.2f} must lie below the entry {entry:,.2f} and above zero")
    if not (equity > 0 and risk_pct > 0 and multiplier > 0):
        raise PlanError("equity, risk per cent and multiplier must be above zero")
    risk = entry - level
    cap = equity if max_notional is None else max_notional
    # a hair above the quotient: 1,000 ÷ 10 must not come out as 99 for the sake of a last bit
    parts, hair = (1.0, 1 + 1e-12) if whole else (1e8, 1.0)
    by_risk = math.floor(equity * risk_pct / 100.0 / (risk * multiplier) * parts * hair)
    quantity = max(0, min(by_risk, math.floor(cap / (entry * multiplier) * parts * hair))) / parts
    made = tuple(Target(entry * (1 + g), entry * g / risk, risk / (risk + entry * g)) for g in targets if g > 0)
    return Plan(entry, level, risk, quantity, quantity * entry * multiplier, quantity * risk * multiplier, made)


def realised_volatility(close: Floats, bars: int = VOL_BARS) -> float | None:
    """σ a year: sd (ddof 1) of the last `bars` daily log returns × √252; None without all of them."""
    if len(close) < bars + 1:
        return None
    steps = np.diff(np.log(close[-bars - 1 :]))
    if not np.isfinite(steps).all():
        return None
    sd = float(steps.std(ddof=1))
    return sd * math.sqrt(YEAR_BARS) if sd > 1e-12 else None


def touch_probability(price: float, barrier: float, sigma: float, years: float, mu: float = 0.0) -> float:
    """P(the price touches the barrier within `years`): N((−b + νT)/σ√T) + e^{2νb/σ²}·N((−b − νT)/σ√T).

    b = |ln(B/S)|, ν = ±(μ − σ²/2), + for a barrier above, − below; σ, μ a year. Geometric Brownian motion, by the
    reflection principle. 1 at the barrier, 0 elsewhere where σ or T is 0.
    """
    b = abs(math.log(barrier / price))
    if b == 0:
        return 1.0
    spread = sigma * math.sqrt(max(years, 0.0))
    if not spread > 0:
        return 0.0
    nu = (mu - sigma * sigma / 2) * (1 if barrier > price else -1)
    tail = _normal((-b - nu * years) / spread)
    scale = math.exp(min(2 * nu * b / (sigma * sigma), 700.0)) if tail > 0 else 0.0
    return min(1.0, max(0.0, _normal((-b + nu * years) / spread) + scale * tail))


def distance_atr(price: float, level: float, atr: float | None) -> float | None:
    """(L − P)/ATR."""
    return (level - price) / atr if atr is not None and atr > 0 else None


def rotation_price(iwm: float, spy_return: float, excess: float) -> float:
    """What IWM would stand at: IWM₀·(1 + R_SPY)·(1 + X), returns as fractions (METRICS §6, rotation what-if)."""
    return iwm * (1 + spy_return) * (1 + excess)


def _normal(z: float) -> float:
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
