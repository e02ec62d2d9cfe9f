"""Rows for the screens beside the dashboard, as a run of the demo publishes them; `fakes` makes tables of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Rows = list[dict[str, Any]]


def filled(names: str, rows: Iterable[tuple[Any, ...]]) -> Rows:
    """Rows from tuples; a row without a value is warming."""
    made = [dict(zip(names.split(), row, strict=True)) for row in rows]
    return [{"status": "warming", **row} if None in row.values() else row for row in made]


def regime() -> Rows:
    """Four of five for a secular turn, two of five for a cyclical one; three that nothing measures."""
    rows = filled("side evidence value threshold holds", (
        ("secular", "5y relative", -0.3124, 0.0, True), ("secular", "slope of SMA756", -0.006226, 0.0, True),
        ("secular", "years since the ratio's high", 15.1, 5.0, True), ("secular", "years led by large", 5.0, 5.0, True),
        ("secular", "small-cap share percentile", None, 0.1, None), ("cyclical", "3m relative", 0.0033, 0.0, True),
        ("cyclical", "ratio over SMA200", 0.0214, 0.0, True), 
        ("cyclical", "small breadth50 over large", None, 0.0, None),
        ("cyclical", "cuts priced over 12 months, bp", None, 25.0, None),
        ("cyclical", "rows since a 252-bar low", 46.0, 126.0, False),
    ))  # fmt: skip
    notes = {"small breadth50 over large": "1 of 3 (IWM) against 3 of 3 (SPY QQQ RSP)"}
    return [row | {"note": notes.get(row["evidence"])} for row in rows]


def claims() -> Rows:
    """Some that hold, one that does not, two that nothing here measures."""
    rows = filled("claim said measured unit holds", (
        ("large caps ahead of small caps, years in a row", "5", 5.0, "years", True),
        ("small-cap volume, year on year (IWM)", "-15 %", -15.0, "%", True),
        ("mid-cap crypto volume, year on year", "-20 %", -8.1, "%", False),
        ("Russell 2000 between support and resistance", "2,100 to 2,300", 2205.06, "points", True),
        ("BTC above", "60,000", 90_827.83, "USD", True),
        ("BTC 24 h volume over all markets above", "30 billion", 42.4e9, "USD", True),
        ("inflows into funds", "1.5 trillion", None, "USD", None),
        ("allocation to small caps", "a decade low", None, "", None),
    ))  # fmt: skip
    return [row | {"source": "the article that sizewatch starts from", "said_on": "2026-01"} for row in rows]


def rotation() -> Rows:
    """One item in each quadrant, and one that is too young for any."""
    items = (
        ("IWM/SPY", 100.68, 99.92, "Weakening"), ("IJR/SPY", 100.74, 100.11, "Leading"),
        ("ALT/BTC", 100.09, 101.89, "Leading"), ("ETH/BTC", 98.16, 99.91, "Lagging"),
        ("large/BTC", 99.05, 100.60, "Improving"),
    )  # fmt: skip
    rows = [
        {"item": item, "rs_ratio": ratio, "rs_momentum": momentum, "quadrant": quadrant, "n": 105,
         "tail_ratio": [100 + (ratio - 100) * (k - 3) / 4 for k in range(8)],
         "tail_momentum": [100 + (momentum - 100) * (k % 4 - 2) for k in range(7)] + [momentum]}
        for item, ratio, momentum, quadrant in items
    ]  # fmt: skip
    return [*rows, {"item": "meme/BTC", "n": 9, "status": "warming"}]


def correlations() -> Rows:
    """Three couples over three windows; only the two spreads have a lead between them. Ticks tell of one couple."""
    ticks = {"a": "ETH", "b": "BTC", "window": 0, "corr": 0.62, "lead_lag": "+30 s", "lead_lag_corr": 0.71,
             "lead_lag_s": 30.0, "n": 812}  # fmt: skip
    days = ticks | {"window": 252, "corr": 0.89, "beta": 1.4, "ewma_corr": 0.82, "lead_lag": "none",
                    "lead_lag_corr": None, "lead_lag_s": None, "n": 252}  # fmt: skip
    return [
        ticks,
        days,
        *_of_days(),
    ]


def _of_days() -> Rows:
    return [
        {"a": a, "b": b, "window": window, "corr": corr, "beta": beta, "ewma_corr": ewma, "n": window,
         "lead_lag": lead if window == 252 else None, "lead_lag_corr": 0.107 if lead != "none" else None,
         "lead_lag_s": -172_800.0 if lead != "none" else None}
        for a, b, corrs, beta, ewma, lead in (
            ("IWM", "SPY", (0.92, 0.85, 0.81), 1.06, 0.89, "none"),
            ("ALT", "BTC", (0.86, 0.83, 0.86), 1.26, 0.85, "none"),
            ("IWM/SPY", "ALT/BTC", (-0.42, -0.14, 0.07), 0.02, -0.35, "-2 d"),
        )
        for window, corr in zip((21, 63, 252), corrs, strict=True)
    ]  # fmt: skip


def flows() -> Rows:
    """Two groups with their funds; one fund's figures are an estimate."""
    whole = {"flow_total": -51.3e9, "quarantined": 0, "coverage": 0.6, "history": "CSV, SSGA, 10 years",
             "source": "csv, ssga"}  # fmt: skip
    rows = filled("group fund flow_1d flow_5d flow_20d flow_ytd aum flow_pct_aum", (
        ("small", "small", -97.3e6, 60.8e6, -1.09e9, 60.8e6, 234.0e9, -0.042),
        ("small", "IWM", -164.4e6, -317.3e6, -618.8e6, -317.3e6, 74.0e9, -0.222),
        ("small", "IJR", -23.5e6, 53.5e6, -580.4e6, 53.5e6, 89.0e9, -0.026),
        ("spot-btc", "spot-btc", 115.6e6, 553.8e6, None, 553.8e6, 101.5e9, 0.114),
        ("spot-btc", "IBIT", 125.3e6, 629.3e6, None, 629.3e6, 69.0e9, 0.182),
    ))  # fmt: skip
    groups = [row | whole | {"share_of_all": 0.243 if row["group"] == "small" else None,
                             "percentile": 0.022 if row["group"] == "small" else None} for row in rows]  # fmt: skip
    funds = {"IWM": 0.316, "IJR": 0.380, "IBIT": 0.680}
    made = [
        row | {"share_of_group": funds[row["fund"]], "share_of_all": None, "percentile": None, "lag": 0}
        if row["fund"] in funds else row
        for row in groups
    ]  # fmt: skip
    made[1]["status"] = "estimated"
    for row in made:
        if row["flow_20d"] is not None:
            row["recent"] = [row["flow_20d"] / 20 * (1 + day % 5 - 2) for day in range(20)]
    return made


def facts() -> Rows:
    """Of every unit one, and one that has never come."""
    rows: Rows = [
        {"fact": fact, "value": value, "unit": unit, "change_pct": change, "change_over": over, "source": source}
        for fact, value, unit, change, over, source in (
            ("btc_dominance", 58.903, "%", None, None, "coingecko"),
            ("btc_dominance_30d", 1.1, "pp", None, None, "coingecko"),
            ("btc_active_addresses", 763_597.0, "count", 0.676, "7d", "coinmetrics"),
            ("breakeven_proxy", 0.1353, "ln", None, None, "TIP/IEF"),
            ("category_layer1", 2.4114e12, "USD", 0.3, "1d", "coingecko"),
            ("category_ai", 10.28e9, "USD", -1.423, "1d", "coingecko"),
            ("fear_greed", 57.0, "0-100", 42.5, "7d", "alternative.me"),
        )
    ]  # fmt: skip
    none = {
        "fact": "fed_funds",
        "unit": "%",
        "as_of": None,
        "source": "fred: no key in FRED_API_KEY",
        "status": "stale",
    }
    return [*rows, none]
