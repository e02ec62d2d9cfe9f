"""What a column means in one table where it means something else elsewhere, and what each named value is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GAUGES: Final[Mapping[str, str]] = {
    "D1": "z of the small fund over the large one, 252 sessions",
    "D2": "z of ALT over BTC, 252 days",
    "D3": "equity's z less crypto's, over what they usually differ by",
    "D4": "correlation of the two of 21 days against the 126 before",
    "D5": "20 days' move, where the volume does not carry it",
    "D6": "1: price fell further and RSI did not; −1: the reverse",
}
"""What the value of each gauge is."""
FACTS: Final[Mapping[str, str]] = {
    "btc_dominance": "BTC's share of all coins' capitalisation, %",
    "btc_dominance_30d": "its change over 30 days, percentage points",
    "category_ai": "capitalisation of AI coins, USD",
    "category_defi": "capitalisation of DeFi coins, USD",
    "category_meme": "capitalisation of meme coins, USD",
    "category_layer1": "capitalisation of layer-1 coins, USD",
    "category_layer2": "capitalisation of layer-2 coins, USD",
    "dex_volume_24h": "24 h volume of decentralised exchanges, USD",
    "defi_tvl": "value locked in all chains, USD",
    "btc_active_addresses": "BTC addresses in use on the day",
    "btc_transactions": "BTC transactions of the day",
    "eth_active_addresses": "ETH addresses in use on the day",
    "eth_transactions": "ETH transactions of the day",
    "fear_greed": "0: extreme fear, 100: extreme greed",
    "small_cap_etfs": "small-cap funds in Nasdaq's directory",
    "small_cap_etfs_new": "those of them first seen in 30 days",
    "fed_funds": "effective Fed funds rate, % a year",
    "treasury_10y": "yield of ten-year Treasuries, % a year",
    "breakeven_10y": "inflation that ten-year bonds price, % a year",
    "breakeven_proxy": "ln(TIP/IEF), in place of the break-even",
    "yield_3m": "yield of 3-month bills, % a year",
    "yield_10y": "yield of ten-year Treasuries, % a year",
    "fed_cut_probability": "chance of a 25 bp cut that futures price, %",
    "fed_rate_after": "rate after the meeting that futures price, %",
}
"""What the value of each fact is."""
EVIDENCE: Final[Mapping[str, str]] = {
    "5y relative": "five years' change of the ratio; .1: 10 %",
    "slope of SMA756": "ln ratio's mean of 756 sessions, less 21 earlier",
    "years since the ratio's high": "years; none under five years of history",
    "years led by large": "complete calendar years in a row",
    "small-cap share percentile": "rank of small caps' assets in ten years; .1: 10 %",
    "3m relative": "three months' change of the ratio; .1: 10 %",
    "ratio over SMA200": "ln ratio less its mean of 200 sessions",
    "small breadth50 over large": "share of small funds above SMA50, less large's",
    "cuts priced over 12 months, bp": "basis points that Fed funds futures price",
    "rows since a 252-bar low": "sessions since the ratio's low of 252",
}
"""What the value of each item of evidence is."""

NAMED: Final[Mapping[str, Mapping[str, str]]] = {"gauge": GAUGES, "fact": FACTS, "evidence": EVIDENCE}
"""The column that names what `value` is of → what that is."""

_SILENCE: Final = {
    "silenced": "snoozed or muted",
    "silent_until": "until when it is silent; none: till lifted",
    "severity": "critical, warning or info",
}
_ROW: Final = "the row of the table that it is about; *: of none"

ELSEWHERE: Final[Mapping[str, Mapping[str, str]]] = {
    "fund": {
        "group": "size group, or kind of fund",
        "flow_1d": "money in less money out, one session",
        "flow_5d": "the same over five sessions",
        "flow_20d": "the same over twenty sessions",
        "flow_ytd": "the same since the last year's close",
        "flow_1y": "the same over 252 sessions",
        "flow_total": "the same over all that is held",
        "flow_pct_aum": "of one session, against the assets",
        "aum": "assets of the fund, or of the group's funds",
        "share_of_group": "of the assets of its group",
        "share_of_all": "of the assets of all size groups",
        "percentile": "rank of that share in ten years; needs nine",
        "history": "whose figures, and how far back they go",
        "lag": "sessions by which counts come late; −: early",
        "lag_evidence": "how the lag was found; none: it is unknown",
        "quarantined": "days set aside as implausible",
        "coverage": "share of the group's funds that are in it",
        "recent": "the newest 20 daily flows",
        "as_of": "close of the day that the flows are of",
        "source": "where its days come from",
    },
    "fact": {
        "unit": "of the value",
        "change_pct": "over the time named below",
        "change_over": "days that the change is over",
        "source": "who says it",
    },
    "role": {
        "price": "where the level lies",
        "low": "lower edge of the band around the level",
        "high": "upper edge of the band around the level",
        "last": "newest price, which distances start from",
    },
    "breadth_members": {
        "volume_usd": "24 hours over the connected venues",
        "volume_yoy_pct": "30 days' USD volume against a year before",
        "volume_30d_pct": "30 days' USD volume against the 30 before",
        "coverage": "share of the members with data",
        "recent": "equal-weight index of 30 days and today, from 100",
        "as_of": "of the newest price in it",
    },
    "rvol": {
        "n": "sessions in the means, 63 at most",
    },
    "quadrant": {
        "n": "weeks in the history behind it",
    },
    "beta_ols": {
        "a": "what is held",
        "b": "what hedges it",
        "half_life": "sessions to half of the residual; ∞: never",
        "z": "of the residual, over 60 sessions",
        "n": "sessions with both, 252 at most",
    },
    "goal": {
        "last": "newest price of the symbol",
        "r_multiple": "gain at target ÷ loss at stop",
        "touch_probability": "chance to touch the target",
        "stop_probability": "chance to touch the stop",
        "break_even": "win rate that earns nothing",
        "distance_pct": "from the price to the target",
        "distance_atr": "to the target, in ATR",
        "sigma": "yearly volatility, 63 sessions",
        "origin": "own: here; config: settings",
        "detail": "why there is no plan",
    },
    "whatif": {
        "large_pct": "what the large fund does",
        "relative_pct": "what the ratio of small to large does",
        "small_pct": "what follows for the small fund",
        "last": "newest price of the small fund",
        "price": "where the small fund would stand",
        "large": "name of the large fund",
        "large_last": "newest price of the large fund",
        "large_price": "where the large fund would stand",
        "origin": "own: here; config: settings",
    },
    "gauge": {
        "state": "whether it warns",
        "detail": "what it is judged by",
        "recent": "newest 30 values, one a session",
    },
    "evidence": {
        "holds": "whether it passes threshold",
        "note": "how measured, or why not",
    },
    "said": {
        "source": "who said it",
        "unit": "of what is measured",
        "holds": "whether the measurement bears it out",
        "note": "how measured, or why not",
    },
    "lead_lag": {
        "corr": "of daily log returns, or of the session's ticks",
        "n": "returns in it; of ticks, of the leg with fewer",
    },
    "delivery": {
        "at": "when it happened",
        "kind": "fired, repeated or resolved",
        "row": _ROW,
        "severity": "critical, warning or info",
        "message": "what was told",
    },
    "watches": {
        "origin": "ready: built in; config; terminal: made here",
        "fired_at": "when it last fired",
        **_SILENCE,
    },
    "rule": {
        "state": "pending until it has lasted, then firing; latched till seen",
        "row": _ROW,
        "since": "when it came true",
        "value": "what was measured when it fired",
        "message": "what was told when it fired",
        "fired_at": "when it was told",
        "acknowledged": "seen: a, or a click",
        **_SILENCE,
    },
    "reconnects": {
        "source": "the feed's name",
        "kind": "what it brings",
        "state": "what it is doing",
        "rate": "messages a second",
        "last_message": "when it last said anything",
        "retry_at": "when it tries again",
        "next_at": "when it asks next",
        "error": "what went wrong last",
        "note": "what else is to know of it",
        "done": "series of history that are here",
        "wanted": "series of history that it fetches",
    },
    "sd252": {
        "interval": "how long a bar lasts",
        "volume": "traded within the bar: shares or coins",
        "z252": "ln ratio less mean252, over sd252",
    },
    "span": {
        "span": "how much of the past is charted",
        "volume": "traded within the newest bar",
    },
    "intervals": {
        "interval": "the one that is served",
        "kind": "candles or line",
        "rows": "bars that are served",
        "first": "when the oldest bar opened",
        "last": "when the newest bar opened",
        "source": "whose bars they are",
        "quote_ccy": "currency of the prices",
        "note": "why there is nothing",
    },
}
"""A column that only rows of one table have → what columns of that table mean which mean something else, or nothing,
elsewhere: a rule's state is not a level's. The first that says something of a column is heard."""
