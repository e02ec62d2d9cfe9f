"""The life of one support or resistance, bar by bar, and what a tick may say of it before the bar closes.

    CLEAR → TESTING → BREAK_PENDING → BROKEN → RETEST → HELD | FALSE_BREAK

With d = +1 for a resistance and −1 for a support, a close is *beyond* where d·(close − L) > half, and *back through*
where d·(close − L) < −half. All bars and prices are judged by the ATR and half-width of their own bar, so nothing that
comes later changes what was said (METRICS §4).

- A **touch** is a bar whose range meets the band and whose close is not beyond; the next one counts once a bar has
  closed ≥ 1 ATR outside the band.
- TESTING: a touch, or a tick inside; it ends with a close ≥ 0.5 ATR outside the near edge.
- BREAK_PENDING: one close beyond. BROKEN: the second in a row, or one that is ≥ 0.5 ATR beyond with RVOL ≥ 1.2; the
  role flips there. A pending break that lies in the band for 5 bars is TESTING again.
- RETEST: within 10 bars of BROKEN a bar meets the band; HELD: a close ≥ 0.5 ATR away from it after that.
- FALSE_BREAK: within 5 bars of the first close beyond, a close back through; a flipped role flips back.
- BROKEN without a retest in 10 bars is CLEAR; HELD and FALSE_BREAK are CLEAR after 5 bars, or go on as if they were.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

EXIT_ATR: Final = 0.5
REARM_ATR: Final = 1.0
STRONG_ATR: Final = 0.5
STRONG_RVOL: Final = 1.2
RETEST_BARS: Final = 10
FALSE_BARS: Final = 5
OUTCOME_BARS: Final = 5


class LevelState(StrEnum):
    """Where a level is in its life."""

    CLEAR = "CLEAR"
    TESTING = "TESTING"
    BREAK_PENDING = "BREAK_PENDING"
    BROKEN = "BROKEN"
    RETEST = "RETEST"
    HELD = "HELD"
    FALSE_BREAK = "FALSE_BREAK"


S = LevelState


class Bar(NamedTuple):
    """One closed bar with what it is judged by."""

    number: int
    high: float
    low: float
    close: float
    atr: float
    rvol: float | None = None


class Life(NamedTuple):
    """A level's state after a bar."""

    price: float
    side: int
    """+1 resistance, −1 support."""
    state: LevelState = S.CLEAR
    since: int = -1
    """Bar in which the state began."""
    broke: int = -1
    """Bar of the first close beyond, of the break that is going on."""
    flipped: bool = False
    """Whether the break that is going on has turned the role."""
    armed: bool = True
    """Whether the next touch counts."""
    touches: tuple[tuple[int, float], ...] = ()
    """Bar and weight min(2, RVOL) of each touch; an unknown RVOL weighs 1."""

    @property
    def role(self) -> str:
        """support or resistance, as it is now."""
        return "resistance" if self.side > 0 else "support"


def start(price: float, close: float, side: int) -> Life:
    """A level before its first bar: resistance above the close, support below it; at it, the `side` that was named."""
    return Life(price, side if close == price else (1 if price > close else -1))


def half_width(price: float, atr: float | None) -> float:
    """Half-width of the band in price units: max(0.25·ATR14, 0.25 %·L); without an ATR the second alone."""
    return max(0.25 * (atr or 0.0), 0.0025 * price)


def step(life: Life, bar: Bar, half: float) -> Life:
    """The level after `bar`; half: half-width of its band at that bar, see `half_width`."""
    life = _touched(life, bar, half)
    beyond = life.side * (bar.close - life.price)
    if life.state is S.BREAK_PENDING:
        return _pending(life, bar, half, beyond)
    if life.state in (S.BROKEN, S.RETEST):
        return _broken(life, bar, half)
    return _break(life, bar, half, beyond) if beyond > half else _inside(life, bar, half, -beyond - half)


def _inside(life: Life, bar: Bar, half: float, gap: float) -> Life:
    """No break is going on; gap: how far the close is outside the near edge."""
    if life.state is S.TESTING:
        return _to(life, S.CLEAR, bar) if gap >= EXIT_ATR * bar.atr else life
    if _meets(life, bar, half):
        return _to(life, S.TESTING, bar)
    over = life.state is not S.CLEAR and bar.number - life.since >= OUTCOME_BARS
    return _to(life, S.CLEAR, bar) if over else life


def on_tick(life: Life, raised: bool, price: float, atr: float, half: float) -> tuple[LevelState, bool]:
    """What to show at a live price, and whether a tick has raised TESTING since; ticks can do nothing else.

    raised is kept until the price is ≥ 0.5 ATR outside the band, so that it does not flicker at the edge.
    """
    gap = abs(price - life.price) - half
    raised = gap <= 0 or (raised and gap < EXIT_ATR * atr)
    quiet = life.state in (S.CLEAR, S.HELD, S.FALSE_BREAK)
    return (S.TESTING if raised and quiet else life.state), raised


def _to(life: Life, state: LevelState, bar: Bar) -> Life:
    if state is life.state:
        return life
    # as `_replace`, which takes three times as long; a close takes thousands of steps
    return Life(life.price, life.side, state, bar.number, life.broke, life.flipped, life.armed, life.touches)


def _meets(life: Life, bar: Bar, half: float) -> bool:
    """Whether the bar's range meets the band."""
    return bar.low <= life.price + half and bar.high >= life.price - half


def _touched(life: Life, bar: Bar, half: float) -> Life:
    """Count a touch, or arm the next one."""
    gap = abs(bar.close - life.price) - half
    if not life.armed:
        return _armed(life, True, life.touches) if gap >= REARM_ATR * bar.atr else life
    beyond = life.side * (bar.close - life.price)
    if _meets(life, bar, half) and beyond <= half:
        weight = 1.0 if bar.rvol is None else min(2.0, bar.rvol)
        return _armed(life, gap >= REARM_ATR * bar.atr, (*life.touches, (bar.number, weight)))
    return life


def _armed(life: Life, armed: bool, touches: tuple[tuple[int, float], ...]) -> Life:
    return Life(life.price, life.side, life.state, life.since, life.broke, life.flipped, armed, touches)


def _break(life: Life, bar: Bar, half: float, beyond: float) -> Life:
    """The first close beyond."""
    life = life._replace(broke=bar.number, flipped=False)
    strong = beyond - half >= STRONG_ATR * bar.atr and bar.rvol is not None and bar.rvol >= STRONG_RVOL
    return _confirm(life, bar) if strong else _to(life, S.BREAK_PENDING, bar)


def _confirm(life: Life, bar: Bar) -> Life:
    return life._replace(state=S.BROKEN, since=bar.number, side=-life.side, flipped=True)


def _pending(life: Life, bar: Bar, half: float, beyond: float) -> Life:
    if beyond > half:
        strong = beyond - half >= STRONG_ATR * bar.atr and bar.rvol is not None and bar.rvol >= STRONG_RVOL
        consecutive = bar.number - life.since == 1
        return _confirm(life, bar) if consecutive or strong else life._replace(since=bar.number)
    if beyond < -half:
        return _to(life, S.FALSE_BREAK if bar.number - life.broke <= FALSE_BARS else S.CLEAR, bar)
    return _to(life, S.TESTING, bar) if bar.number - life.broke >= FALSE_BARS else life


def _broken(life: Life, bar: Bar, half: float) -> Life:
    """After the flip: `away` is how far the close is on the new side."""
    away = -life.side * (bar.close - life.price)
    if away < -half:
        if bar.number - life.broke <= FALSE_BARS:
            return _to(life, S.FALSE_BREAK, bar)._replace(side=-life.side, flipped=False)
        return _break(life, bar, half, -away)
    if life.state is S.RETEST:
        return _to(life, S.HELD, bar) if away - half >= EXIT_ATR * bar.atr else life
    if bar.number - life.since > RETEST_BARS:
        return _to(life, S.CLEAR, bar)
    return _to(life, S.RETEST, bar) if _meets(life, bar, half) else life
