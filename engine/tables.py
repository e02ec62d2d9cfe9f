"""The live tables: their names, columns and types, in one place.

Every table that the engine publishes has exactly these columns in this order; every row carries `status` and
`simulated`. Units: `*_pct` per cent; `rel_*`, `drawdown`, `breadth`, `percentile`, `position`, `coverage` fractions;
`pp_*` percentage points; money in USD; times UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from engine import schemas

TIME: Final = schemas.TIME
_live = schemas.live

BARS: Final = pl.Schema(
    {
        "time": TIME,
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "adj_close": pl.Float64(),
        "volume": pl.Float64(),
    }
)
"""Closed and forming bars of one symbol at one interval; `time` is the bar's open."""

HORIZONS: Final = ("1d", "5d", "1m", "3m", "ytd", "1y", "5y")

TABLES: Final[Mapping[str, pl.Schema]] = {
    "quotes": _live(
        {
            "symbol": pl.String(),
            "asset": pl.String(),
            "last": pl.Float64(),
            "price": pl.Float64(),
            "bid": pl.Float64(),
            "ask": pl.Float64(),
            "change_pct": pl.Float64(),
            "volume": pl.Float64(),
            "volume_usd": pl.Float64(),
            "high_since": pl.Float64(),
            "low_since": pl.Float64(),
            "high_24h": pl.Float64(),
            "low_24h": pl.Float64(),
            "source": pl.String(),
            "preferred": pl.Boolean(),
            "venue_symbol": pl.String(),
            "quote_ccy": pl.String(),
            "event_time": TIME,
            "received": TIME,
            "age_s": pl.Float64(),
            "session": pl.String(),
            "delayed": pl.Boolean(),
            "basket": pl.String(),
            "recent": pl.List(pl.Float64()),
        }
    ),
    "spreads": _live(
        {
            "pair": pl.String(),
            "a": pl.String(),
            "b": pl.String(),
            "ratio": pl.Float64(),
            "log_ratio": pl.Float64(),
            **{f"rel_{h}": pl.Float64() for h in HORIZONS},
            **{f"pp_{h}": pl.Float64() for h in HORIZONS},
            "z63": pl.Float64(),
            "z252": pl.Float64(),
            "percentile": pl.Float64(),
            "drawdown": pl.Float64(),
            "half_life": pl.Float64(),
            "low_label": pl.String(),
            "streak_leader": pl.String(),
            "streak_years": pl.Int64(),
            "streak_from": pl.Int64(),
            "streak_to": pl.Int64(),
            "ytd_leader": pl.String(),
            "as_of": TIME,
            "n": pl.Int64(),
            "coverage": pl.Float64(),
            "recent": pl.List(pl.Float64()),
        }
    ),
    "levels": _live(
        {
            "symbol": pl.String(),
            "role": pl.String(),
            "price": pl.Float64(),
            "low": pl.Float64(),
            "high": pl.Float64(),
            "state": pl.String(),
            "position": pl.Float64(),
            "distance_pct": pl.Float64(),
            "distance_atr": pl.Float64(),
            "touches": pl.Int64(),
            "strength": pl.Float64(),
            "sources": pl.String(),
            "last": pl.Float64(),
            "atr": pl.Float64(),
            "out_of_play": pl.Boolean(),
            "as_of": TIME,
        }
    ),
    "baskets": _live(
        {
            "basket": pl.String(),
            "members": pl.Int64(),
            "return_1d_pct": pl.Float64(),
            "return_7d_pct": pl.Float64(),
            "return_30d_pct": pl.Float64(),
            "volume_usd": pl.Float64(),
            "volume_yoy_pct": pl.Float64(),
            "volume_30d_pct": pl.Float64(),
            "breadth": pl.Float64(),
            "breadth_members": pl.Int64(),
            "breadth200": pl.Float64(),
            "as_of": TIME,
            "coverage": pl.Float64(),
            "recent": pl.List(pl.Float64()),
        }
    ),
    "volumes": _live(
        {
            "symbol": pl.String(),
            "adv_shares": pl.Float64(),
            "adv_usd": pl.Float64(),
            "adv_yoy_pct": pl.Float64(),
            "adv_usd_yoy_pct": pl.Float64(),
            "rvol": pl.Float64(),
            "as_of": TIME,
            "n": pl.Int64(),
        }
    ),
    "markets": _live(
        {
            "base": pl.String(),
            "venues_usd": pl.Float64(),
            "all_markets_usd": pl.Float64(),
            "dominance_pct": pl.Float64(),
            "venues": pl.Int64(),
            "as_of": TIME,
        }
    ),
    "flows": _live(
        {
            "fund": pl.String(),
            "group": pl.String(),
            "flow_1d": pl.Float64(),
            "flow_5d": pl.Float64(),
            "flow_20d": pl.Float64(),
            "flow_ytd": pl.Float64(),
            "flow_1y": pl.Float64(),
            "flow_total": pl.Float64(),
            "flow_pct_aum": pl.Float64(),
            "aum": pl.Float64(),
            "share_of_group": pl.Float64(),
            "share_of_all": pl.Float64(),
            "percentile": pl.Float64(),
            "history": pl.String(),
            "lag": pl.Int64(),
            "lag_evidence": pl.String(),
            "quarantined": pl.Int64(),
            "coverage": pl.Float64(),
            "as_of": TIME,
            "source": pl.String(),
            "recent": pl.List(pl.Float64()),
        }
    ),
    "facts": _live(
        {
            "fact": pl.String(),
            "value": pl.Float64(),
            "unit": pl.String(),
            "change_pct": pl.Float64(),
            "change_over": pl.String(),
            "as_of": TIME,
            "source": pl.String(),
        }
    ),
    "alerts": _live(
        {
            "rule": pl.String(),
            "row": pl.String(),
            "state": pl.String(),
            "severity": pl.String(),
            "since": TIME,
            "value": pl.Float64(),
            "message": pl.String(),
            "fired_at": TIME,
            "acknowledged": pl.Boolean(),
            "event_id": pl.String(),
            "silenced": pl.Boolean(),
            "silent_until": TIME,
        }
    ),
    "journal": _live(
        {
            "event_id": pl.String(),
            "at": TIME,
            "rule": pl.String(),
            "row": pl.String(),
            "kind": pl.String(),
            "severity": pl.String(),
            "notify": pl.String(),
            "message": pl.String(),
            "acknowledged_at": TIME,
            "delivery": pl.String(),
            "delivery_detail": pl.String(),
        }
    ),
    "rules": _live(
        {
            "rule": pl.String(),
            "origin": pl.String(),
            "enabled": pl.Boolean(),
            "severity": pl.String(),
            "notify": pl.String(),
            "watches": pl.String(),
            "firing": pl.Int64(),
            "pending": pl.Int64(),
            "fired_at": TIME,
            "silenced": pl.Boolean(),
            "silent_until": TIME,
            "definition": pl.String(),
            "saved": pl.Boolean(),
        }
    ),
    "regime": _live(
        {
            "side": pl.String(),
            "evidence": pl.String(),
            "value": pl.Float64(),
            "threshold": pl.Float64(),
            "holds": pl.Boolean(),
            "note": pl.String(),
            "as_of": TIME,
        }
    ),
    "rotation": _live(
        {
            "item": pl.String(),
            "rs_ratio": pl.Float64(),
            "rs_momentum": pl.Float64(),
            "quadrant": pl.String(),
            "tail_ratio": pl.List(pl.Float64()),
            "tail_momentum": pl.List(pl.Float64()),
            "as_of": TIME,
            "n": pl.Int64(),
        }
    ),
    **schemas.DESK,
    "claims": _live(
        {
            "claim": pl.String(),
            "source": pl.String(),
            "said": pl.String(),
            "said_on": pl.String(),
            "measured": pl.Float64(),
            "unit": pl.String(),
            "holds": pl.Boolean(),
            "note": pl.String(),
            "as_of": TIME,
        }
    ),
    "correlations": _live(
        {
            "a": pl.String(),
            "b": pl.String(),
            "window": pl.Int64(),
            "corr": pl.Float64(),
            "beta": pl.Float64(),
            "ewma_corr": pl.Float64(),
            "lead_lag_s": pl.Float64(),
            "lead_lag_corr": pl.Float64(),
            "lead_lag": pl.String(),
            "as_of": TIME,
            "n": pl.Int64(),
        }
    ),
    "gauges": _live(
        {
            "gauge": pl.String(),
            "name": pl.String(),
            "value": pl.Float64(),
            "percentile": pl.Float64(),
            "state": pl.String(),
            "detail": pl.String(),
            "as_of": TIME,
            "n": pl.Int64(),
            "recent": pl.List(pl.Float64()),
        }
    ),
    "feeds": _live(
        {
            "source": pl.String(),
            "kind": pl.String(),
            "state": pl.String(),
            "last_message": TIME,
            "rate": pl.Float64(),
            "reconnects": pl.Int64(),
            "error": pl.String(),
            "retry_at": TIME,
            "next_at": TIME,
            "note": pl.String(),
            "done": pl.Int64(),
            "wanted": pl.Int64(),
        }
    ),
    "matrix": _live(
        {
            "a": pl.String(),
            "b": pl.String(),
            "window": pl.Int64(),
            "corr": pl.Float64(),
            "as_of": TIME,
            "n": pl.Int64(),
        }
    ),
    "bars": _live(
        {
            "symbol": pl.String(),
            "interval": pl.String(),
            "time": TIME,
            "open": pl.Float64(),
            "high": pl.Float64(),
            "low": pl.Float64(),
            "close": pl.Float64(),
            "volume": pl.Float64(),
            "mean252": pl.Float64(),
            "sd252": pl.Float64(),
            "z252": pl.Float64(),
        }
    ),
    "charts": _live(
        {
            "symbol": pl.String(),
            "asked": pl.String(),
            "interval": pl.String(),
            "intervals": pl.String(),
            "kind": pl.String(),
            "rows": pl.Int64(),
            "first": TIME,
            "last": TIME,
            "source": pl.String(),
            "quote_ccy": pl.String(),
            "note": pl.String(),
            "as_of": TIME,
        }
    ),
}


def empty(name: str) -> pl.DataFrame:
    """The table `name` with no rows."""
    return pl.DataFrame(schema=TABLES[name])
