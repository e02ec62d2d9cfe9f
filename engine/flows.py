"""Money in and out of funds, from share counts: one definition, aligned before it is compared, never guessed.

A fund's history is a frame of `FUND_DAYS`, one row a fund and as-of date. Flow = (S_t − S_{t−1}·split)·NAV_t in USD,
where S is shares outstanding: creations and redemptions at the day's net asset value. It equals AUM_t − AUM_{t−1}·(1+r)
only where r is NAV's *price* return; a total return would book distributions as outflow. Source: the identity itself;
issuers publish S and NAV, and many publish the S of one date under the next (see `reporting_lag`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl

FUND_DAYS: Final = pl.Schema(
    {
        "fund": pl.String(),
        "date": pl.Date(),
        "nav": pl.Float64(),
        "shares": pl.Float64(),
        "aum": pl.Float64(),
        "source": pl.String(),
    }
)
"""What an issuer published: NAV in USD a share, shares outstanding, total net assets in USD where it says them."""

QUARANTINE: Final = 0.15
"""A day's |flow| beyond this fraction of the prior assets is set aside as an error of the source."""
FROZEN_SESSIONS: Final = 5
"""Share counts unchanged for so many sessions are stale."""
MAX_LAG: Final = 2
MERE_PRODUCT: Final = 1e-7
"""Assets closer than this to the printed count × NAV were computed from it: they say nothing of its date."""
_SPLITS: Final = tuple(
    sorted({k for n in (2.0, 3.0, 4.0, 5.0, 8.0, 10.0, 15.0, 20.0) for k in (n, 1 / n)} | {1.5, 2 / 3})
)


class Lag(NamedTuple):
    """How many rows later an issuer prints the share count that belongs to a date.

    rows: 0 where the printed count belongs to its own date. evidence: `assets`, `published` or `none`.
    error: median relative mismatch (assets) or 1 − correlation (published) at that lag; None without evidence.
    """

    rows: int
    evidence: str
    error: float | None


def split_factor(nav: float, prior_nav: float, shares: float, prior_shares: float) -> float:
    """New shares for one old share on this day; 1.0 where there was no split.

    A split moves NAV by 1/k **and** shares by k, each within 12 %. NAV moving alone means that the issuer has already
    restated the older share counts, so the counts need no factor.
    """
    if min(nav, prior_nav, shares, prior_shares) <= 0:
        return 1.0
    for k in _SPLITS:
        if abs(nav * k / prior_nav - 1) < 0.12 and abs(shares / (prior_shares * k) - 1) < 0.12:
            return k
    return 1.0


def reporting_lag(days: pl.DataFrame, published: pl.DataFrame | None = None) -> Lag:
    """Find, from the data, how late a fund's share counts are printed.

    days: one fund's `FUND_DAYS`, any order. published: frame (date, flow in USD) that someone else published, optional.
    With published flows the lag is the one whose flows correlate best with them (at least 10 common days and a
    correlation of .5). Otherwise, where the issuer prints assets that are not merely its own shares × NAV, it is the
    shift at which shares × NAV comes closest to them. Without either there is no evidence and the lag is 0.
    """
    frame = days.sort("date").drop_nulls(["nav", "shares"])
    if published is not None:
        best = _lag_by_flows(frame, published)
        if best is not None:
            return best
    return _lag_by_assets(frame)


def _lag_by_flows(frame: pl.DataFrame, published: pl.DataFrame) -> Lag | None:
    candidates: list[Lag] = []
    for rows in range(MAX_LAG + 1):
        joined = daily_flows(frame, Lag(rows, "published", None)).join(
            published.select("date", pl.col("flow").alias("reference")), on="date", how="inner"
        )
        pair = joined.select("flow", "reference").drop_nulls().to_numpy()
        if len(pair) < 10 or min(pair.std(axis=0)) <= 1e-12:
            continue
        correlation = float(np.corrcoef(pair.T)[0, 1])
        if correlation >= 0.5:
            candidates.append(Lag(rows, "published", 1 - correlation))
    return min(candidates, key=lambda lag: lag.error or 0.0, default=None)


def _lag_by_assets(frame: pl.DataFrame) -> Lag:
    candidates: list[Lag] = []
    for rows in range(MAX_LAG + 1):
        mismatch = frame.select(((pl.col("shares").shift(-rows) * pl.col("nav") / pl.col("aum")) - 1).abs().alias("e"))[
            "e"
        ].drop_nulls()
        # only days on which the count moved can tell one shift from another
        moved = frame.select((pl.col("shares").diff().abs() > 0).sum()).item()
        if mismatch.len() >= 5 and moved >= 3:
            # the mean tells shifts apart that the median cannot when counts move on few days
            candidates.append(Lag(rows, "assets", float(np.mean(mismatch.to_numpy()))))
    if not candidates:
        return Lag(0, "none", None)
    if candidates[0].rows == 0 and (candidates[0].error or 0.0) < MERE_PRODUCT:
        return Lag(0, "none", None)  # assets that are the printed count × NAV would be so at any lag
    best = min(candidates, key=lambda lag: lag.error or 0.0)
    own = next((lag for lag in candidates if lag.rows == 0), best)
    # a later shift must explain the assets clearly better than the printed date does
    return best if (best.error or 0.0) < 0.5 * (own.error or 0.0) else own


def daily_flows(days: pl.DataFrame, lag: Lag) -> pl.DataFrame:
    """Flows of one fund by date.

    Returns (date, nav, shares, aum, flow, flow_pct_aum, quarantined), sorted by date; shares are moved to the date they
    belong to. flow is null on the first row, where NAV or shares are missing, and where |flow| > 15 % of the prior
    assets (`quarantined`). aum is the issuer's, else shares × NAV.
    """
    frame = (
        days.sort("date")
        .unique("date", keep="last", maintain_order=True)
        .with_columns(
            pl.when((pl.col("nav") > 0) & pl.col("nav").is_finite()).then("nav").alias("nav"),
            pl.when((pl.col("shares") > 0) & pl.col("shares").is_finite()).then("shares").alias("shares"),
        )
        .drop_nulls(["nav", "shares"])
        .with_columns(pl.col("shares").shift(-lag.rows))
    )
    navs, shares = frame["nav"].to_list(), frame["shares"].to_list()
    splits: list[float | None] = [None]
    for i in range(1, len(navs)):
        now, before = shares[i], shares[i - 1]
        known = now is not None and before is not None
        usual = 0.75 < navs[i] / navs[i - 1] < 1.3  # no split of `_SPLITS` leaves NAV within that
        splits.append((1.0 if usual else split_factor(navs[i], navs[i - 1], now, before)) if known else None)
    flow = (pl.col("shares") - pl.col("shares").shift(1) * pl.col("split")) * pl.col("nav")
    prior = (pl.col("shares") * pl.col("nav")).shift(1)
    return (
        frame.with_columns(pl.Series("split", splits[: frame.height], dtype=pl.Float64))
        .with_columns(flow.alias("flow"), (flow / prior).alias("fraction"))
        .with_columns((pl.col("fraction").abs() > QUARANTINE).fill_null(False).alias("quarantined"))
        .with_columns(
            pl.when(~pl.col("quarantined")).then("flow").alias("flow"),
            pl.when(~pl.col("quarantined")).then(100 * pl.col("fraction")).alias("flow_pct_aum"),
            pl.coalesce("aum", pl.col("shares") * pl.col("nav")).alias("aum"),
        )
        .select("date", "nav", "shares", "aum", "flow", "flow_pct_aum", "quarantined")
    )


def without_frozen_estimates(days: pl.DataFrame) -> pl.DataFrame:
    """`days` (`FUND_DAYS`, several funds) without the shares of estimated days whose assets did not move.

    Yahoo's assets stand still for days or weeks while its NAV moves on: their quotient would then book every rise of
    the market as an outflow. A day that says nothing new has no share count, which is not zero flow.
    """
    frozen = (pl.col("source") == "yahoo") & (pl.col("aum") == pl.col("aum").shift(1).over("fund"))
    return days.sort("fund", "date").with_columns(pl.when(~frozen.fill_null(False)).then("shares").alias("shares"))


class FundFlows(NamedTuple):
    """One fund's flows as of its newest day; USD."""

    fund: str
    as_of: object
    aum: float | None
    flow_1d: float | None
    flow_5d: float | None
    flow_20d: float | None
    flow_ytd: float | None
    flow_total: float | None
    flow_pct_aum: float | None
    lag: Lag
    frozen: bool
    quarantined: int
    source: str


def window(flows: pl.Series, n: int) -> float | None:
    """Sum of the last n flows; null unless all n are there."""
    tail = flows.tail(n)
    return None if tail.len() < n or tail.null_count() else float(tail.sum())


def summarise(days: pl.DataFrame, lag: Lag) -> FundFlows | None:
    """The horizons of one fund: 1, 5 and 20 sessions, year to date, and all there is; null where a day is missing."""
    flows = daily_flows(days, lag).filter(pl.col("shares").is_not_null())
    if flows.is_empty():
        return None
    newest = flows.row(-1, named=True)
    year = flows.filter(pl.col("date").dt.year() == newest["date"].year)["flow"]
    began = flows["date"][0].year < newest["date"].year
    counts = flows["shares"].tail(FROZEN_SESSIONS + 1)
    return FundFlows(
        fund=str(days["fund"][0]),
        as_of=newest["date"],
        aum=newest["aum"],
        flow_1d=window(flows["flow"], 1),
        flow_5d=window(flows["flow"], 5),
        flow_20d=window(flows["flow"], 20),
        # days set aside are left out of the long sums, and `quarantined` says that they are
        flow_ytd=float(year.sum()) if began and year.drop_nulls().len() else None,
        flow_total=float(flows["flow"].sum()) if flows["flow"].drop_nulls().len() else None,
        flow_pct_aum=newest["flow_pct_aum"],
        lag=lag,
        frozen=counts.len() > FROZEN_SESSIONS and counts.n_unique() == 1,
        quarantined=int(flows["quarantined"].sum()),
        source=str(days.sort("date")["source"][-1]),
    )


def group_share(days: pl.DataFrame, groups: Mapping[str, Sequence[str]], group: str) -> pl.DataFrame:
    """Share of one group's assets in all groups' assets, by date: (date, share), where every fund that has data has it.

    A date counts only where each fund that is alive (between its own first and last date) has assets on it.
    """
    owner = {fund: name for name, funds in groups.items() for fund in funds}
    assets = (
        days.filter(pl.col("fund").is_in(list(owner)))
        .with_columns(pl.coalesce("aum", pl.col("shares") * pl.col("nav")).alias("assets"))
        .drop_nulls("assets")
        .with_columns(pl.col("fund").replace_strict(owner, return_dtype=pl.String).alias("group"))
    )
    if assets.is_empty():
        return pl.DataFrame(schema={"date": pl.Date(), "share": pl.Float64()})
    span = assets.group_by("fund").agg(pl.col("date").min().alias("first"), pl.col("date").max().alias("last"))
    dates = assets.select("date").unique().sort("date")
    alive = dates.join_where(span, pl.col("date") >= pl.col("first"), pl.col("date") <= pl.col("last"))
    due = alive.group_by("date").agg(pl.len().alias("due"))
    return (
        assets.group_by("date")
        .agg(
            pl.col("assets").filter(pl.col("group") == group).sum().alias("part"),
            pl.col("assets").sum().alias("whole"),
            pl.len().alias("there"),
        )
        .join(due, on="date")
        .filter((pl.col("there") == pl.col("due")) & (pl.col("whole") > 0))
        .select("date", (pl.col("part") / pl.col("whole")).alias("share"))
        .sort("date")
    )
