"""Rows for the desk: scanned pairs, plans, rotations, the journal and the rules; `fakes` makes tables of them."""

from __future__ import annotations

import math
from typing import Any

from tests.tui.fake_pages import Rows, filled


def scanner() -> Rows:
    """One that passes and is stretched, one that passes and is calm, one that nothing brings back, one too young."""
    names = "pair a b beta_ols beta_tls beta_kalman p_value half_life z signal admitted units hedge hedge_units n"
    return filled(names, (
        ("ETH/M2K=F", "ETH", "M2K=F", 0.55, 0.71, 0.48, 0.012, 8.4, -2.31, "long", True, 10.0, "M2K=F", 1.30, 252),
        ("RSP/SPY", "RSP", "SPY", 0.57, 0.59, 0.88, 0.031, 21.0, 1.75, "flat", True, 100.0, "SPY", 15.83, 252),
        ("IWM/QQQ", "IWM", "QQQ", 0.59, 1.11, 0.35, 0.802, math.inf, 1.21, "short", False, 100.0, "QQQ", 20.57, 252),
        ("ETH/RTY=F", "ETH", "RTY=F", -1.63, -15.23, -2.55, 0.614, 8.1, 0.33, "flat", False, 10.0, "RTY=F", -0.45, 252),
        ("ALT/BTC", "ALT", "BTC", *[None] * 11, 41),
    ))  # fmt: skip


def plans() -> Rows:
    """A plan with two targets, one of a coin whose price has other digits, and one that is refused."""
    names = (
        "plan goal symbol entry stop target target_pct r_multiple touch_probability stop_probability break_even pnl "
        "quantity notional at_risk distance_pct distance_atr last atr sigma by origin"
    )
    made = filled(names, (
        ("iwm", "1", "IWM", 220.0, 211.2, 242.0, 10.0, 2.5, 0.368, 0.7249, 0.2857, -113.0, 113.0, 24_860.0, 994.4, 10.5,
         5.2, 219.0, 4.4, 0.22, "2026-04-10", "own"),
        ("iwm", "2", "IWM", 220.0, 211.2, 253.0, 15.0, 3.75, 0.1899, 0.7249, 0.2105, -113.0, 113.0, 24_860.0, 994.4,
         15.5, 7.7, 219.0, 4.4, 0.22, "2026-04-10", "own"),
        ("fet", "1", "FET/USD", 0.2650, 0.2412, 0.2915, 10.0, 1.11, 0.512, 0.6412, 0.4735, 256.2, 4_201.6807, 1_113.4,
         100.0, 7.5, 0.9, 0.2711, 0.0119, 0.91, "2026-04-10", "config"),
    ))  # fmt: skip
    bare: dict[str, Any] = dict.fromkeys(names.split())
    why = "the price is stale: a plan needs a current one"
    return [*made, bare | {"plan": "rut", "goal": "1", "symbol": "^RUT", "origin": "own", "detail": why}]


def whatifs() -> Rows:
    """The preset of 2000–09, and one of the user's."""
    names = "whatif large_pct relative_pct small_pct symbol last price large large_last large_price origin"
    return filled(names, (
        ("2000-09", -9.1, 55.4, 41.26, "IWM", 219.84, 310.54, "SPY", 697.02, 633.59, "config"),
        ("flat", 0.0, -5.0, -5.0, "IWM", 219.84, 208.85, "SPY", 697.02, 697.02, "own"),
    ))  # fmt: skip


def journal() -> Rows:
    """One that did not arrive, one that was seen days ago, and one that is over; `ago` holds their age in seconds."""
    return filled("event_id ago rule row kind severity notify message delivery delivery_detail seen", (
        ("e3", 15, "crypto-size-z", "ALT/BTC", "fired", "critical", "on", "ALT/BTC z −2.31 below −2.00", "failed",
         "phone failed (3 tries): no answer", False),
        ("e2", 3 * 86_400, "btc-60k", "BTC/USD", "fired", "warning", "on", "BTC/USD down through 60,000", "arrived",
         "", True),
        ("e1", 127, "btc-volume", "BTC", "resolved", "info", "on", "over: BTC 24 h volume above 30 bn", "", "", True),
    ))  # fmt: skip


def rules() -> Rows:
    """One that fires, one that is about to, one at rest, one that is silent and one that is off."""
    names = "rule origin enabled severity watches firing pending silenced saved"
    made = filled(names, (
        ("crypto-size-z", "ready", True, "critical", "spreads: ABS(z252) > 2", 1, 0, False, False),
        ("russell-band", "config", True, "warning", "levels: state = 'TESTING'", 0, 1, False, False),
        ("basket-volume", "ready", True, "warning", "baskets: volume_yoy_pct < -20", 0, 0, False, True),
        ("btc-volume", "ready", True, "info", "markets: all_markets_usd > 3e10", 0, 0, True, False),
        ("btc-60k", "terminal", False, "critical", "BTC/USD through 60,000", 0, 0, False, True),
    ))  # fmt: skip
    return [row | {"notify": "on", "definition": "{}"} for row in made]
