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
        "when": "state = 'TESTING' AND sources LIKE 'config%'",
        "cooldown": "15m",
        "severity": "info",
        "message": "{symbol} {last:,.2f} tests {role} {price:,.0f}",
    },
    "band-break": {
        "on": "levels",
        "when": "state IN ('BREAK_PENDING', 'BROKEN') AND sources LIKE 'config%'",
        "cooldown": "15m",
        "severity": "critical",
        "message": "{symbol} {last:,.2f} breaks {price:,.0f} ({role}, {state})",
    },
    "band-retest": {
        "on": "levels",
        "when": "state IN ('RETEST', 'HELD') AND sources LIKE 'config%'",
        "cooldown": "15m",
        "message": "{symbol} {last:,.2f} retests {price:,.0f} ({state})",
    },
    "band-false-break": {
        "on": "levels",
        "when": "state = 'FALSE_BREAK' AND sources LIKE 'config%'",
        "cooldown": "15m",
        "severity": "critical",
        "message": "{symbol} {last:,.2f}: the break of {price:,.0f} was false",
    },
    "streak-turns": {
        "on": "spreads",
        "when": "pair = 'IWM/SPY' AND ytd_leader <> streak_leader AND ABS(rel_ytd) > 0.01",
        "clear_when": "ytd_leader = streak_leader AND ABS(rel_ytd) > 0.01",
        "for": "1m",
        "severity": "info",
        "message": "{pair}: {ytd_leader} leads this year so far, after {streak_years} years of {streak_leader}",
    },
    "cross-size-gap": {
        "on": "gauges",
        "when": "gauge = 'D3' AND state = 'alert' AND value IS NOT NULL",
        "clear_when": "state = 'ok'",
        "for": "30s",
        "message": "size in shares and size in crypto stand apart: gap {value:+.2f}",
    },
    "correlation-break": {
        "on": "gauges",
        "when": "gauge = 'D4' AND state = 'alert' AND value IS NOT NULL",
        "clear_when": "state = 'ok'",
        "message": "equity and crypto size no longer move together as they did: test {value:+.2f}",
    },
    "dominance-3pp": {
        "on": "facts",
        "when": "fact = 'btc_dominance_30d' AND ABS(value) >= 3",
        "clear_when": "ABS(value) < 2",
        "cooldown": "1d",
        "message": "BTC dominance {value:+.1f} points in 30 days",
    },
    "ai-with-small-caps": {
        "on": "correlations",
        "when": "a = 'ai' AND b = 'IWM' AND window = 63 AND corr > 0.5",
        "clear_when": "corr < 0.4",
        "for": "1m",
        "cooldown": "1d",
        "severity": "info",
        "message": "AI tokens move with small caps: correlation {corr:.2f} with {b} over {window} sessions",
    },
    "flow-reversal": {
        "on": "flows",
        "when": "flow_5d * flow_20d < 0 AND ABS(flow_5d) >= 0.002 * aum",
        "clear_when": "flow_5d * flow_20d > 0",
        "cooldown": "1d",
        "message": "{fund}: flows have turned, {flow_5d:+compact} USD in 5 sessions against {flow_20d:+compact} in 20",
    },
    "btc-60k": {
        "cross": {"symbol": "BTC/USD", "level": 60_000, "direction": "both"},
        "severity": "critical",
        "message": "{symbol} {direction} through {level:,.0f}: {price:,.2f}",
    },
    "btc-volume-30bn": {
        "on": "markets",
        "when": "base = 'BTC' AND all_markets_usd > 30000000000",
        "clear_when": "all_markets_usd < 28000000000",
        "severity": "info",
        "message": "{base} 24 h volume over all markets {all_markets_usd:compact} USD, above 30 billion",
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
        "message": "{source} ({kind}) is {state}",
    },
}
