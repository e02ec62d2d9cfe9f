"""What each column of the live tables means, in a few words beside its value; docs/metrics.md has them at length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.meanings import ELSEWHERE, NAMED

_HORIZONS: Final = {
    "1d": "one session", "5d": "five sessions", "1m": "a month", "3m": "three months", "ytd": "the last year's close",
    "1y": "a year", "5y": "five years",
}  # fmt: skip

WORDS: Final[Mapping[str, str]] = {
    "value": "what is measured now",
    "base": "the coin; *: all coins together",
    "basket": "the group of coins",
    "item": "a pair, or a basket against BTC",
    "asset": "crypto, etf, index or future",
    "last": "the newest trade, in USD",
    "price": "mid of bid and ask where close, else last trade; USD",
    "bid": "the best that buyers offer, in USD",
    "ask": "the best that sellers ask, in USD",
    "change_pct": "against 24 hours ago (crypto) or the previous close",
    "volume": "of 24 hours (crypto, units) or of the session (shares)",
    "volume_usd": "the same in money",
    "high_since": "the highest price since the start of this run",
    "low_since": "the lowest price since the start of this run",
    "high_24h": "of 24 hours, or of the session",
    "low_24h": "of 24 hours, or of the session",
    "source": "who prices it now",
    "preferred": "whether that is the source of first choice",
    "delayed": "whether the source says that it is some minutes late",
    "venue_symbol": "the book that the price comes from",
    "quote_ccy": "its currency, turned into USD at the live rate",
    "event_time": "when the venue says it happened",
    "received": "when it came here",
    "age_s": "seconds since then",
    "session": "of its exchange: pre, regular, post; none: closed",
    "recent": "newest values, one a session or day",
    "a": "the first side; of sizes the small one",
    "b": "the second side, which A is measured against",
    "ratio": "A over B; funds by prices with dividends",
    "log_ratio": "its natural logarithm",
    "z63": "deviations of the log ratio from its mean of 63 sessions",
    "z252": "deviations of the log ratio from its mean of 252 sessions",
    "percentile": "rank of the value in its own history",
    "drawdown": "below the highest ratio there was",
    "half_life": "sessions in which half of a deviation fades; ∞: it does not",
    "low_label": "the lowest in so long",
    "streak_leader": "who led every complete year of the streak",
    "streak_years": "complete years led in a row",
    "streak_from": "first year of the streak",
    "streak_to": "last year of the streak",
    "ytd_leader": "who leads the current year so far",
    "n": "values in the history behind it",
    "coverage": "share of the history, or of the members, that is there",
    "role": "above the price it resists, below it supports",
    "state": "clear → testing → broken → retest → held, or a false break",
    "position": "0 at the support, 1 at the resistance",
    "distance_pct": "from the price to the level",
    "distance_atr": "the same in average true ranges",
    "low": "the lowest price in it",
    "high": "the highest price in it",
    "touches": "bars that met the band and closed on this side",
    "strength": "0 to 100, of touches and of methods that name it",
    "sources": "what names it",
    "atr": "average true range of 14 sessions",
    "out_of_play": "more than 8 ranges away",
    "breadth": "share of members above their mean of 50 days",
    "breadth200": "the same of 200 days",
    "breadth_members": "members that have 50 days",
    "members": "assets in the basket",
    "window": "sessions; 0: ticks of this session",
    "corr": "correlation of daily log returns",
    "beta": "what A did for one of B",
    "ewma_corr": "correlation, recent days weighing more (λ .94)",
    "lead_lag": "by how much B lags A; −: leads; none: no lag",
    "lead_lag_s": "seconds by which B lags A; −: leads",
    "lead_lag_corr": "correlation at that lag",
    "rs_ratio": "strength against the benchmark; 100 is its mean of 14 weeks",
    "rs_momentum": "change of that strength, likewise",
    "quadrant": "where strength and momentum put it",
    "tail_ratio": "strength of the last 8 weeks",
    "tail_momentum": "momentum of the last 8 weeks",
    "adv_shares": "mean daily volume, shares",
    "adv_usd": "mean daily volume in money",
    "adv_yoy_pct": "against the same a year before",
    "adv_usd_yoy_pct": "against the same a year before",
    "rvol": "volume over its mean of 20 sessions",
    "venues_usd": "24 hours over the connected venues",
    "all_markets_usd": "24 hours over all markets",
    "venues": "exchanges that count in it",
    "dominance_pct": "share of the capitalisation of all coins",
    "as_of": "moment the values belong to",
    "status": "what the values are worth",
    "simulated": "yes: of a market that does not exist",
    "side": "turn that it is evidence for",
    "threshold": "the value is held against it",
    "said": "the claim's own figure",
    "said_on": "when it was said",
    "measured": "what is measured now, in the unit",
    "beta_ols": "hedge ratio by least squares of ln A on ln B",
    "beta_tls": "hedge ratio by total least squares",
    "beta_kalman": "hedge ratio now, filtered day by day",
    "p_value": "of no cointegration, adjusted over all pairs",
    "signal": "in at z ±2, out within .5, stopped at 3.5",
    "admitted": "p below .05 and a half-life of 2 to 60",
    "units": "held of A: shares, coins or contracts",
    "hedge": "what is sold against A",
    "hedge_units": "of the hedge to sell; −: to buy",
    "goal": "which of the plan's targets",
    "entry": "given, or the newest price; USD",
    "stop": "given, or entry less 2 ATR; USD",
    "target": "given, or entry + 10 %, + 15 %; USD",
    "target_pct": "from the entry to the target",
    "pnl": "gain so far, USD, at the newest price",
    "quantity": "shares, coins or contracts to buy",
    "notional": "worth of the position, USD",
    "at_risk": "what the stop costs, USD",
    "by": "last day that a touch counts",
    "event_id": "its name in the journal",
    "notify": "on; silent: shown alone; off: journal alone",
    "acknowledged_at": "when it was seen",
    "delivery": "owed, trying, arrived or failed",
    "delivery_detail": "by which way, how often tried, why not",
    "enabled": "whether it is looked at",
    "watches": "what it looks at",
    "firing": "rows that it fires for now",
    "pending": "rows where it is true, not yet long enough",
    "definition": "as it is written, in JSON",
    "saved": "whether the store holds it, or changes to it",
    "reconnects": "times that it began anew",
    "time": "when the bar opened",
    "open": "the first price in it",
    "close": "the last price in it",
    "mean252": "mean of ln(A/B) over 252 sessions",
    "sd252": "standard deviation of ln(A/B), 252 sessions",
    "z": "deviations of the log ratio from its mean of 252 sessions",
    "asked": "intervals that were asked for, best first",
    "intervals": "those that there are, coarsest first",
}


def definition(column: str, record: Mapping[str, object] | None = None) -> str:
    """The meaning of a column in a few words; empty where its name says all. record: the row that it is of."""
    for mark, named in NAMED.items():
        if column == "value" and record is not None and mark in record:
            return named.get(str(record[mark]), WORDS[column])
    for mark, words in ELSEWHERE.items():
        if record is not None and mark in record and column in words:
            return words[column]
    kind, _, horizon = column.partition("_")
    if kind == "rel" and horizon in _HORIZONS:
        return f"change of the ratio over {_HORIZONS[horizon]}"
    if kind == "pp" and horizon in _HORIZONS:
        return f"return of A less return of B over {_HORIZONS[horizon]}"
    if kind == "return":
        return "of the basket, its members weighing the same"
    return WORDS.get(column, "")
