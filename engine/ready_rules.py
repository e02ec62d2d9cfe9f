"""Rules that work with no config: what a trader of size wants to be told. Written as a user would write them.

A user's rule of the same name takes the place of one of these; `enabled = false` alone switches it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

READY: Final[Mapping[str, Mapping[str, object]]] = {
    "size-z": {
        "on": "spreads",
        "when": "pair = 'IWM/SPY' AND ABS(z252) > 2",
        "clear_when": "ABS(z252) < 1",
        "for": "30s",
        "message": "{pair} z {z252:+.2f}: small caps stretched against large",
    },
    "ratio-low": {
        "on": "spreads",
        "when": "low_label IS NOT NULL",
        "cooldown": "1d",
        "severity": "critical",
        "message": "{pair} at a new {low_label}: ratio {ratio:.4f}",
    },
    "band-testing": {
        "on": "levels",
        "when": "state = 'TESTING'",
        "cooldown": "15m",
        "severity": "info",
        "message": "{symbol} {last:,.2f} tests {role} {price:,.0f}",
    },
    "band-break": {
        "on": "levels",
        "when": "state IN ('BREAK_PENDING', 'BROKEN')",
        "cooldown": "15m",
        "severity": "critical",
        "message": "{symbol} {last:,.2f} breaks {role} {price:,.0f} ({state})",
    },
    "band-retest": {
        "on": "levels",
        "when": "state IN ('RETEST', 'HELD')",
        "cooldown": "15m",
        "message": "{symbol} {last:,.2f} retests {price:,.0f} ({state})",
    },
    "band-false-break": {
        "on": "levels",
        "when": "state = 'FALSE_BREAK'",
        "cooldown": "15m",
        "severity": "critical",
        "message": "{symbol} {last:,.2f}: the break of {price:,.0f} was false",
    },
    "streak-turns": {
        "on": "spreads",
        "when": "pair = 'IWM/SPY' AND ytd_leader <> streak_leader",
        "for": "1m",
        "severity": "info",
        "message": "{pair}: {ytd_leader} leads this year so far, after {streak_years} years of {streak_leader}",
    },
    "btc-60k": {
        "cross": {"symbol": "BTC/USD", "level": 60_000, "direction": "both"},
        "severity": "critical",
        "message": "{symbol} {direction} through {level:,.0f}: {price:,.0f}",
    },
    "btc-volume-30bn": {
        "on": "markets",
        "when": "base = 'BTC' AND all_markets_usd > 30000000000",
        "clear_when": "all_markets_usd < 28000000000",
        "severity": "info",
        "message": "{base} 24 h volume over all markets {all_markets_usd:,.0f} USD, above 30 billion",
    },
    "basket-volume": {
        "on": "baskets",
        "when": "ABS(ROUND(volume_yoy_pct, 1)) >= 25",
        "clear_when": "ABS(volume_yoy_pct) < 20",
        "cooldown": "1d",
        "message": "{basket}: volume {volume_yoy_pct:+.1f} % on the year",
    },
    "source-stale": {
        "on": "feeds",
        "when": "state IN ('stale', 'reconnecting', 'rate-limited', 'blocked', 'failed')",
        "for": "60s",
        "message": "{source} is {state}: {error}",
    },
}
