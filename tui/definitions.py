"""What each column of the live tables means, in a few words beside its value; docs/metrics.md has them at length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_HORIZONS: Final = {
    "1d": "one session", "5d": "five sessions", "1m": "a month", "3m": "three months", "ytd": "the last year's close",
    "1y": "a year", "5y": "five years",
}  # fmt: skip

WORDS: Final[Mapping[str, str]] = {
    "last": "the newest trade, in USD",
    "price": "mid of bid and ask where they are close, else the last trade; in USD",
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
    "ytd_leader": "who leads the current year so far",
    "n": "values in the history behind it",
    "coverage": "share of the history, or of the members, that is there",
    "role": "above the price it resists, below it supports",
    "state": "where the level is in its life: clear, testing, broken, retest, held",
    "position": "0 at the support, 1 at the resistance",
    "distance_pct": "from the price to the level",
    "distance_atr": "the same in average true ranges",
    "touches": "bars that met the band and closed on this side",
    "strength": "0 to 100, of touches and of methods that name it",
    "sources": "what names it",
    "atr": "average true range of 14 sessions",
    "out_of_play": "more than 8 ranges away",
    "breadth": "share of members above their mean of 50 days",
    "breadth200": "the same of 200 days",
    "breadth_members": "members that have 50 days",
    "members": "assets in the basket",
    "corr": "correlation of daily log returns",
    "beta": "what A did for one of B",
    "ewma_corr": "correlation, recent days weighing more (λ .94)",
    "lead_lag": "by how much B lags A; −: leads",
    "rs_ratio": "strength against the benchmark; 100 is its mean of 14 weeks",
    "rs_momentum": "change of that strength, likewise",
    "quadrant": "where strength and momentum put it",
    "adv_shares": "mean daily volume, shares",
    "adv_usd": "mean daily volume in money",
    "adv_yoy_pct": "against the same a year before",
    "adv_usd_yoy_pct": "against the same a year before",
    "rvol": "volume over its mean of 20 sessions",
    "venues_usd": "24 hours over the connected venues",
    "all_markets_usd": "24 hours over all markets",
    "dominance_pct": "share of the capitalisation of all coins",
    "as_of": "the moment that the values belong to",
    "status": "what the values are worth",
}


GAUGES: Final[Mapping[str, str]] = {
    "D1": "z of the small fund over the large one, 252 sessions",
    "D2": "z of ALT over BTC, 252 days",
    "D3": "equity's z less crypto's, over what they usually differ by",
    "D4": "correlation of the two of 21 days against the 126 before",
    "D5": "20 days' move, where the volume does not carry it",
    "D6": "1: price fell further and RSI did not; −1: the reverse",
}
"""What the value of each gauge is."""

ELSEWHERE: Final[Mapping[str, Mapping[str, str]]] = {
    "fund": {
        "flow_1d": "money in less money out, one session",
        "flow_5d": "the same over five sessions",
        "flow_20d": "the same over twenty sessions",
        "flow_ytd": "the same since the last year's close",
        "flow_1y": "the same over a year",
        "flow_total": "the same over all that is held",
        "flow_pct_aum": "of one session, against the assets",
        "aum": "assets of the fund, or of the group's funds",
        "share_of_group": "of the assets of its group",
        "share_of_all": "of the assets of all groups of shares",
        "source": "where its days come from",
    },
    "fact": {
        "source": "who says it",
    },
    "role": {
        "price": "where the level lies",
    },
    "goal": {
        "r_multiple": "what the target earns for one at the stop",
        "touch_probability": "that the target is touched by then",
        "stop_probability": "that the stop is touched by then",
        "break_even": "share of trades that must reach it",
        "distance_pct": "from the price to the target",
        "sigma": "volatility, a year's, of 63 sessions",
    },
    "whatif": {
        "large_pct": "what the large fund does",
        "relative_pct": "what the ratio of small to large does",
        "small_pct": "what follows for the small fund",
        "price": "where the small fund would stand",
        "large_price": "where the large fund would stand",
    },
    "gauge": {
        "state": "whether it warns",
        "detail": "what it is judged by",
    },
    "rule": {
        "state": "pending until it has lasted, then firing; latched until it is seen",
        "row": "the row of the table that it is about; *: of none",
        "since": "when it came true",
        "value": "what was measured when it fired",
        "fired_at": "when it was told",
        "acknowledged": "seen: a, or a click",
        "silenced": "snoozed or muted",
    },
    "reconnects": {
        "source": "the feed's name",
        "state": "what it is doing",
        "rate": "messages a second",
        "last_message": "when it last said anything",
        "retry_at": "when it tries again",
        "next_at": "when it asks next",
        "done": "series of history that are here",
        "wanted": "series of history that it fetches",
    },
}
"""A column that only rows of one table have → what columns of that table mean which mean something else, or nothing,
elsewhere: a rule's state is not a level's."""


def definition(column: str, record: Mapping[str, object] | None = None) -> str:
    """The meaning of a column in a few words; empty where its name says all. record: the row that it is of."""
    for mark, words in ELSEWHERE.items():
        if record is not None and mark in record:
            if mark == "gauge" and column == "value":
                return GAUGES.get(str(record[mark]), "")
            if column in words:
                return words[column]
    kind, _, horizon = column.partition("_")
    if kind == "rel" and horizon in _HORIZONS:
        return f"change of the ratio over {_HORIZONS[horizon]}"
    if kind == "pp" and horizon in _HORIZONS:
        return f"return of A less return of B over {_HORIZONS[horizon]}"
    if kind == "return":
        return "of the basket, its members weighing the same"
    return WORDS.get(column, "")
