"""How a live table's schema is made, and those of what is scanned and planned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

TIME: Final = pl.Datetime("us", "UTC")


def live(columns: Mapping[str, pl.DataType]) -> pl.Schema:
    """A live table's schema: its own columns, then what every row owes the reader."""
    schema = pl.Schema(columns)
    schema["status"] = pl.String()
    schema["simulated"] = pl.Boolean()
    return schema


DESK: Final[Mapping[str, pl.Schema]] = {
    "scanner": live(
        {
            "pair": pl.String(),
            "a": pl.String(),
            "b": pl.String(),
            "beta_ols": pl.Float64(),
            "beta_tls": pl.Float64(),
            "beta_kalman": pl.Float64(),
            "p_value": pl.Float64(),
            "half_life": pl.Float64(),
            "z": pl.Float64(),
            "signal": pl.String(),
            "admitted": pl.Boolean(),
            "units": pl.Float64(),
            "hedge": pl.String(),
            "hedge_units": pl.Float64(),
            "as_of": TIME,
            "n": pl.Int64(),
        }
    ),
    "plans": live(
        {
            "plan": pl.String(),
            "goal": pl.String(),
            "symbol": pl.String(),
            "entry": pl.Float64(),
            "stop": pl.Float64(),
            "target": pl.Float64(),
            "target_pct": pl.Float64(),
            "r_multiple": pl.Float64(),
            "touch_probability": pl.Float64(),
            "stop_probability": pl.Float64(),
            "break_even": pl.Float64(),
            "pnl": pl.Float64(),
            "quantity": pl.Float64(),
            "notional": pl.Float64(),
            "at_risk": pl.Float64(),
            "distance_pct": pl.Float64(),
            "distance_atr": pl.Float64(),
            "last": pl.Float64(),
            "atr": pl.Float64(),
            "sigma": pl.Float64(),
            "by": pl.String(),
            "origin": pl.String(),
            "detail": pl.String(),
            "as_of": TIME,
        }
    ),
    "whatifs": live(
        {
            "whatif": pl.String(),
            "large_pct": pl.Float64(),
            "relative_pct": pl.Float64(),
            "small_pct": pl.Float64(),
            "symbol": pl.String(),
            "last": pl.Float64(),
            "price": pl.Float64(),
            "large": pl.String(),
            "large_last": pl.Float64(),
            "large_price": pl.Float64(),
            "origin": pl.String(),
            "as_of": TIME,
        }
    ),
}
