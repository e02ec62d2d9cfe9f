"""The rules that need no configuration, over a scripted day: calm tells nothing, then each fires once in good words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from engine.alert_setup import read_rules
from engine.alerting import Alerting
from engine.config import Config
from engine.model import Event
from engine.ready_rules import READY
from engine.tables import TABLES

OPEN = 1_767_970_200.0
"""09:50 in New York on 2026-01-09."""
BAND = {"symbol": "^RUT", "role": "resistance", "sources": "config", "last": 2295.4, "atr": 37.4}

CALM: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "spreads": [
        {"pair": "IWM/SPY", "ratio": 0.3154, "z252": 0.26, "rel_ytd": -0.02, "streak_leader": "large",
         "streak_years": 5, "ytd_leader": "large"},
        {"pair": "ETH/BTC", "ratio": 0.0339, "z252": None},
    ],
    "levels": [{**BAND, "price": float(price), "state": "CLEAR"} for price in (2200, 2250, 2300, 2350)],
    "gauges": [
        {"gauge": "D3", "name": "cross-size gap", "value": 0.87, "percentile": 0.92, "state": "ok"},
        {"gauge": "D4", "name": "correlation break", "value": -1.2, "percentile": 0.2, "state": "ok"},
    ],
    "markets": [{"base": "BTC", "all_markets_usd": 27.1e9}, {"base": "*", "all_markets_usd": 90e9}],
    "baskets": [{"basket": "meme", "volume_yoy_pct": -12.0}, {"basket": "ai", "volume_yoy_pct": None}],
    "facts": [
        {"fact": "btc_dominance", "value": 58.9, "unit": "%"},
        {"fact": "btc_dominance_30d", "value": None, "unit": "pp"},
    ],
    "correlations": [{"a": "ai", "b": "IWM", "window": w, "corr": 0.2, "n": w} for w in (21, 63, 252)],
    "flows": [{"fund": "IWM", "group": "small", "flow_5d": 90e6, "flow_20d": 400e6, "aum": 70e9}],
    "feeds": [{"source": "kraken", "kind": "crypto-stream", "state": "live"}],
}  # fmt: skip

STIRRED: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "spreads": [
        {**CALM["spreads"][0], "z252": -2.31, "low_label": "15-year low", "rel_ytd": 0.021, "ytd_leader": "small"},
        CALM["spreads"][1],
    ],
    "levels": [
        {**BAND, "price": price, "state": state}
        for price, state in ((2200.0, "FALSE_BREAK"), (2250.0, "RETEST"), (2300.0, "TESTING"), (2350.0, "BROKEN"))
    ],
    "gauges": [
        {**CALM["gauges"][0], "value": 2.4, "percentile": 0.995, "state": "alert"},
        {**CALM["gauges"][1], "value": -2.9, "percentile": 0.001, "state": "alert"},
    ],
    "markets": [{"base": "BTC", "all_markets_usd": 42.4e9}, {"base": "*", "all_markets_usd": 120e9}],
    "baskets": [{"basket": "meme", "volume_yoy_pct": -25.0}, {"basket": "ai", "volume_yoy_pct": None}],
    "facts": [CALM["facts"][0], {"fact": "btc_dominance_30d", "value": 3.4, "unit": "pp"}],
    "correlations": [{"a": "ai", "b": "IWM", "window": w, "corr": 0.62, "n": w} for w in (21, 63, 252)],
    "flows": [{"fund": "IWM", "group": "small", "flow_5d": -333.3e6, "flow_20d": 400e6, "aum": 70e9}],
    "feeds": [{"source": "kraken", "kind": "crypto-stream", "state": "reconnecting", "error": None}],
}  # fmt: skip


def tables(script: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, pl.DataFrame]:
    """Live tables as the engine would publish them."""
    made = {}
    for name, rows in script.items():
        full = [{"status": "ok", "simulated": True} | dict(row) for row in rows]
        assert all(set(row) <= set(TABLES[name]) for row in full), name
        made[name] = pl.DataFrame(full, schema=TABLES[name])
    return made


@pytest.fixture(scope="module")
def day() -> tuple[list[Event], list[Event]]:
    """Events of half an hour of calm, and of half an hour after everything has turned; BTC falls through 60,000."""
    rules, mistakes = read_rules(Config())
    assert mistakes == []
    alerting = Alerting(rules)
    calm, stirred = tables(CALM), tables(STIRRED)
    told: tuple[list[Event], list[Event]] = ([], [])
    for second in range(0, 3600, 5):
        now = OPEN + second
        late = second >= 1800
        alerting.watchers["BTC/USD"](60_500.0 - second / 2, now)
        told[late].extend(alerting.beat(stirred if late else calm, now))
    return told


def test_a_calm_market_tells_nothing_but_what_was_crossed(day: tuple[list[Event], list[Event]]) -> None:
    assert [event.rule for event in day[0]] == ["btc-60k"]


@pytest.mark.parametrize("rule", list(READY))
def test_every_ready_rule_fires_once_with_a_message_that_reads_well(
    rule: str, day: tuple[list[Event], list[Event]]
) -> None:
    (event,) = [event for event in (*day[0], *day[1]) if event.rule == rule]
    assert event.kind == "fired"
    message = event.message
    assert "–" not in message and not re.search(r"\b(None|nan|inf|null)\b|[{}]", message), message
    assert re.search(r"\d", message) or rule == "source-stale", message
    assert 10 < len(message) < 120 and message == message.strip(), message


def test_the_messages_as_a_user_reads_them(day: tuple[list[Event], list[Event]]) -> None:
    assert {event.rule: event.message for event in (*day[0], *day[1])} == {
        "size-z": "IWM/SPY z −2.31: small caps stretched against large",
        "ratio-low": "IWM/SPY at a new 15-year low: ratio 0.3154",
        "band-testing": "^RUT 2,295.40 tests resistance 2,300",
        "band-break": "^RUT 2,295.40 breaks 2,350 (resistance, BROKEN)",
        "band-retest": "^RUT 2,295.40 retests 2,250 (RETEST)",
        "band-false-break": "^RUT 2,295.40: the break of 2,200 was false",
        "streak-turns": "IWM/SPY: small leads this year so far, after 5 years of large",
        "cross-size-gap": "size in shares and size in crypto stand apart: gap +2.40",
        "correlation-break": "equity and crypto size no longer move together as they did: test −2.90",
        "dominance-3pp": "BTC dominance +3.4 points in 30 days",
        "ai-with-small-caps": "AI tokens move with small caps: correlation 0.62 with IWM over 63 sessions",
        "flow-reversal": "IWM: flows have turned, −333.3 mn USD in 5 sessions against +400.0 mn in 20",
        "btc-60k": "BTC/USD down through 60,000: 59,997.50",
        "btc-volume-30bn": "BTC 24 h volume over all markets 42.4 bn USD, above 30 billion",
        "basket-volume": "meme: volume −25.0 % on the year",
        "source-stale": "kraken (crypto-stream) is reconnecting",
    }
