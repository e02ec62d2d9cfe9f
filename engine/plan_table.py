"""The `plans` table, one row a target, and `whatifs`, one row a rotation (METRICS §8, §6).

entry: the plan's, or the newest price where it names none · stop: the plan's, or entry − 2·ATR14 · r_multiple:
gain ÷ R, R = entry − stop · quantity: ⌊account·risk %/(R·multiplier)⌋, its value capped · at_risk: what the stop
costs, notional: what the position is worth, USD · touch_probability, stop_probability: that the newest price touches
the target (the stop) by then, 1 where it is beyond it; σ of 63 rows, no drift, constant volatility, no jumps: a touch
is no fill and nothing here says that there is an edge · break_even: R ÷ (R + gain), the win rate that earns nothing
pnl: quantity·multiplier·(last − entry), of plans with an entry of their own · distance_pct 100·(L − P)/P and
distance_atr (L − P)/ATR of the target · detail: why there is no plan.
whatifs: price = IWM·(1 + R_SPY)·(1 + X), from the newest prices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from engine import plan as maths
from engine.config import Config, Plan
from engine.futures import multiplier
from engine.grid import DailyGrid, usable
from engine.model import Status, asset_of
from engine.plan_book import PlanBook
from engine.rows import table
from engine.technical import ATR_BARS, atr
from engine.view import Live, View

YEAR_DAYS: Final = 365.0
ATR_ROWS: Final = 400
"""Wilder's average forgets what lies further back."""
SMALL: Final = "IWM"
LARGE: Final = "SPY"


@dataclass(frozen=True)
class Past:
    """What a plan needs of a symbol's closed bars."""

    atr: float | None
    sigma: float | None
    """A year's."""


def past(grid: DailyGrid, symbol: str) -> Past:
    """ATR of the symbol's own bars; σ of its closes on the grid, so that a year has 252 for everything."""
    frame = grid.closed(symbol).tail(ATR_ROWS)
    ranges = atr(frame) if frame.height > ATR_BARS else np.zeros(0)
    newest = float(ranges[-1]) if len(ranges) and np.isfinite(ranges[-1]) else None
    closes = grid.symbol(symbol).values
    return Past(newest, maths.realised_volatility(closes[np.isfinite(closes)]))


def live(book: PlanBook, config: Config, known: Callable[[str], Past], view: View) -> pl.DataFrame:
    """The `plans` table at one beat. known: what the closed bars of a symbol say."""
    rows = []
    for name, plan in book.kept.plans.items():
        origin = "own" if book.own(name) else "config"
        made = _rows(plan, config, known(plan.symbol), view)
        rows += [{"plan": name, "symbol": plan.symbol, "origin": origin, **row} for row in made]
    return table("plans", rows)


def _rows(plan: Plan, config: Config, known: Past, view: View) -> list[dict[str, Any]]:
    quote = _believable(view.live(plan.symbol))
    until, years = _until(plan, config, view.now)
    shared: dict[str, Any] = {
        "goal": "1",
        "last": quote.price,
        "atr": known.atr,
        "sigma": known.sigma,
        "by": until.isoformat(),
        "as_of": None if quote.at is None else datetime.fromtimestamp(quote.at, UTC),
        "simulated": view.simulated,
        "status": quote.status.value,
    }
    price = quote.price
    try:
        made = _made(plan, config, known, quote)
    except maths.PlanError as error:
        status = Status.WARMING if known.atr is None and price is not None else quote.status
        given = {"entry": plan.entry or None, "stop": plan.stop or None}
        return [shared | given | {"detail": str(error), "status": status.value}]
    assert price is not None
    each = multiplier(plan.symbol)
    shared |= {
        "entry": made.entry,
        "stop": made.stop,
        "quantity": made.quantity,
        "notional": made.notional,
        "at_risk": made.at_risk,
        "stop_probability": 1.0 if price <= made.stop else _touch(price, made.stop, known.sigma, years),
        "pnl": made.quantity * each * (price - made.entry) if plan.entry else None,
    }
    if known.sigma is None and quote.status in (Status.OK, Status.ESTIMATED):
        shared["status"] = Status.WARMING.value
    return [
        shared
        | {
            "goal": str(number),
            "target": target.price,
            "target_pct": 100.0 * (target.price / made.entry - 1.0),
            "r_multiple": target.r_multiple,
            "break_even": target.break_even,
            "touch_probability": 1.0 if price >= target.price else _touch(price, target.price, known.sigma, years),
            "distance_pct": 100.0 * (target.price - price) / price,
            "distance_atr": maths.distance_atr(price, target.price, known.atr),
        }
        for number, target in enumerate(made.targets, 1)
    ]


def _made(plan: Plan, config: Config, known: Past, quote: Live) -> maths.Plan:
    price = quote.price
    if price is None:
        raise maths.PlanError("there is no price yet")
    entry = plan.entry or price
    rises = tuple(t / entry - 1.0 for t in plan.targets) or tuple(p / 100.0 for p in plan.targets_pct)
    if any(rise <= 0 for rise in rises):
        raise maths.PlanError(f"the target {plan.targets[0]:,.10g} must lie above the entry {entry:,.10g}")
    equity = plan.equity or config.planning.account
    return maths.make_plan(
        entry,
        known.atr,
        equity,
        plan.risk_pct or config.planning.at_risk_pct,
        stop=plan.stop or None,
        multiplier=multiplier(plan.symbol),
        max_notional=plan.max_notional or equity,
        stale=quote.status is Status.STALE,
        targets=rises or maths.TARGETS,
        whole=asset_of(plan.symbol) != "crypto",
    )


def _believable(quote: Live) -> Live:
    """`quote` without a price that cannot be computed with."""
    return quote if usable(quote.price) else quote._replace(price=None)


def _touch(price: float, barrier: float, sigma: float | None, years: float) -> float | None:
    return None if sigma is None else maths.touch_probability(price, barrier, sigma, years)


def _until(plan: Plan, config: Config, now: float) -> tuple[date, float]:
    """The day until which a touch counts, and the years until its end; 0 where it has passed."""
    moment = datetime.fromtimestamp(now, UTC)
    if not plan.by:
        days = config.planning.days
        return moment.date() + timedelta(days=days), days / YEAR_DAYS
    day = date.fromisoformat(plan.by)
    end = datetime.combine(day, time.max, UTC)
    return day, max((end - moment).total_seconds() / 86_400.0 / YEAR_DAYS, 0.0)


def whatifs(book: PlanBook, view: View) -> pl.DataFrame:
    """The `whatifs` table at one beat."""
    small, large = _believable(view.live(SMALL)), _believable(view.live(LARGE))
    order = list(Status)
    status = max((small.status, large.status), key=order.index)
    at = max((q.at for q in (small, large) if q.at is not None), default=None)
    rows = []
    for name, whatif in book.kept.whatifs.items():
        large_return, excess = whatif.large_pct / 100.0, whatif.relative_pct / 100.0
        grown = maths.rotation_price(1.0, large_return, excess)
        rows.append(
            {
                "whatif": name,
                "large_pct": whatif.large_pct,
                "relative_pct": whatif.relative_pct,
                "small_pct": 100.0 * (grown - 1.0),
                "symbol": SMALL,
                "last": small.price,
                "price": None if small.price is None else maths.rotation_price(small.price, large_return, excess),
                "large": LARGE,
                "large_last": large.price,
                "large_price": None if large.price is None else large.price * (1.0 + large_return),
                "origin": "own" if book.own(name, whatif=True) else "config",
                "as_of": None if at is None else datetime.fromtimestamp(at, UTC),
                "status": status.value,
                "simulated": view.simulated,
            }
        )
    return table("whatifs", rows)
