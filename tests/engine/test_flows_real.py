"""The estimator on what was really published of twenty funds: right within what the publication's rounding allows.

The snapshots round assets to 10 million (below 100 billion), shares to 10,000 and NAV to a cent; some rows repeat, some
have assets of another day than NAV.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

from engine.flow_lag import reporting_lag
from engine.flows import FUND_DAYS, Lag, daily_flows
from tests.realdata import DATA, needs_real_data

ASSETS, SHARES, NAV = 5e6, 5e3, 0.005
"""Half a unit of the last printed digit."""
FUNDS = ("IWM", "IJR", "VB", "VTWO", "MDY", "SPY", "IVV", "VOO", "QQQ", "DIA", "GLD", "TLT")


@cache
def snapshots() -> pl.DataFrame:
    """`FUND_DAYS` of every fund: a row a day, days on which nothing new was printed left out."""
    raw = pl.read_csv(DATA / "etf" / "aum_snapshots_2021_2022.csv", infer_schema=False)
    numbers = {"nav": 1.0, "shares_out_m": 1e6, "assets_usd_m": 1e6}
    return (
        raw.select(
            pl.col("ticker").alias("fund"),
            pl.col("commit_time").str.slice(0, 10).str.to_date().alias("date"),
            *(pl.col(name).cast(pl.Float64, strict=False) * unit for name, unit in numbers.items()),
            pl.lit("csv").alias("source"),
        )
        .rename({"shares_out_m": "shares", "assets_usd_m": "aum"})
        .drop_nulls()
        .unique(["fund", "date"], keep="last", maintain_order=True)
        .unique(["fund", "nav", "shares", "aum"], keep="first", maintain_order=True)
        .select(list(FUND_DAYS))
    )


def of(fund: str) -> pl.DataFrame:
    return snapshots().filter(fund=fund).sort("date")


def allowed(frame: pl.DataFrame) -> pl.Series:
    """How far shares × NAV may lie from the assets by rounding alone."""
    return frame.select(ASSETS + SHARES * pl.col("nav") + NAV * pl.col("shares") + NAV * SHARES).to_series()


@needs_real_data
@pytest.mark.parametrize("fund", FUNDS)
def test_the_share_form_equals_the_assets_form_within_the_rounding(fund: str) -> None:
    frame = of(fund).with_columns((pl.col("shares") * pl.col("nav") - pl.col("aum")).alias("off"))
    frame = frame.with_columns(allowed(frame).alias("allowed"))
    own = frame.with_columns((pl.col("off").abs() <= pl.col("allowed")).alias("consistent"))
    assert float(np.mean(own["consistent"].to_numpy())) > 0.9, "most rows are of one day"
    flows = daily_flows(own.select(list(FUND_DAYS)), Lag(0, "assets", None)).join(
        own.select("date", "aum", "consistent", "allowed"), on="date", suffix="_printed"
    )
    grown = pl.col("nav") / pl.col("nav").shift(1)
    checked = flows.with_columns(
        (pl.col("aum") - pl.col("aum").shift(1) * grown).alias("by_assets"),
        (pl.col("allowed") + pl.col("allowed").shift(1) * grown).alias("bound"),
        (pl.col("consistent") & pl.col("consistent").shift(1)).alias("both"),
    ).filter(pl.col("both") & pl.col("flow").is_not_null())
    error = (checked["flow"] - checked["by_assets"]).abs()
    assert checked.height > 50
    assert (error <= checked["bound"]).all()


@needs_real_data
@pytest.mark.parametrize("late", [0, 1, 2, 3])
def test_the_lag_is_found_in_real_figures_of_every_fund(late: int) -> None:
    for fund in sorted(snapshots()["fund"].unique()):
        frame = of(fund).with_columns(pl.col("shares").shift(late).fill_null(strategy="backward"))
        found = reporting_lag(frame)
        assert (fund, found.rows, found.evidence, found.earlier) == (fund, late, "assets", ())


@needs_real_data
def test_shares_from_assets_and_nav_estimate_real_flows() -> None:
    """Yahoo's way, assets ÷ NAV: its error is the assets' rounding, and it follows the true flows closely."""
    for fund in FUNDS:
        frame = of(fund)
        estimate = frame.with_columns((pl.col("aum") / pl.col("nav")).alias("shares"))
        true, guess = (daily_flows(each, Lag(0, "none", None)) for each in (frame, estimate))
        both = true.select("date", "flow").join(guess.select("date", pl.col("flow").alias("guess")), on="date")
        pair = both.drop_nulls().select("flow", "guess").to_numpy()
        typical = float(np.median(np.abs(pair[:, 0] - pair[:, 1])))
        assert typical <= 2 * float(np.median(allowed(frame))), fund
