"""Money in and out of funds, from share counts: one definition, aligned before it is compared, never guessed.

A fund's history is a frame of `FUND_DAYS`, one row a fund and as-of date. Flow = (S_t − S_{t−1}·split)·NAV_t in USD,
where S is shares outstanding: creations and redemptions at the day's net asset value. It equals AUM_t − AUM_{t−1}·(1+r)
only where r is NAV's *price* return; a total return would book distributions as outflow. Source: the identity itself;
issuers publish S and NAV, and many publish the S of one date under the next (see `engine.flow_lag`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
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
SPLITS: Final = tuple(
    sorted(k for n in (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100) for k in (float(n), 1 / n))
)
"""New shares for one old share."""
_SPLIT_TOLERANCE: Final = 0.12
"""A split day's own move of the market and flow of money."""
_SLIPS: Final = frozenset({10.0, 100.0, 1 / 10.0, 1 / 100.0})
_LEAP: Final = 2.0
"""NAV that moves by more than this factor without a split is an error of the source."""


class Lag(NamedTuple):
    """How many rows later an issuer prints the share count that belongs to a date.

    rows: 0 where the printed count belongs to its own date, negative where it is ahead of it. evidence: `published`,
    `assets`, `splits` or `none`, which is that nothing shows it. error: what is left unexplained at that lag, 0 to 1;
    None without evidence.
    """

    rows: int
    evidence: str
    error: float | None
    earlier: tuple[tuple[date, int], ...] = ()
    """Where the issuer has changed its ways: (first date that it no longer holds for, rows), oldest first."""


def split_factor(nav: float, prior_nav: float, shares: float, prior_shares: float) -> float:
    """New shares for one old share on this day; 1.0 where there was no split.

    A split moves NAV by 1/k **and** shares by k, each within 12 %. NAV moving alone means that the issuer has already
    restated the older share counts, so the counts need no factor.
    """
    if min(nav, prior_nav, shares, prior_shares) <= 0:
        return 1.0
    fitting = [
        k for k in SPLITS if is_split(prior_nav / nav, k) and abs(shares / (prior_shares * k) - 1) < _SPLIT_TOLERANCE
    ]
    return min(fitting, key=lambda k: abs(shares / (prior_shares * k) - 1), default=1.0)


def is_split(ratio: float, k: float) -> bool:
    """Whether counts or prices that changed by `ratio` may have changed by a split of k for one."""
    return abs(ratio / k - 1) < _SPLIT_TOLERANCE


def usable(days: pl.DataFrame) -> pl.DataFrame:
    """One fund's `FUND_DAYS` by date, each once; a NAV or count that is not positive and finite is null."""
    good = (
        pl.when((pl.col(name) > 0) & pl.col(name).is_finite()).then(name).alias(name)
        for name in ("nav", "shares", "aum")
    )
    return days.sort("date").unique("date", keep="last", maintain_order=True).with_columns(*good)


def on_sessions(days: pl.DataFrame, sessions: pl.Series) -> pl.DataFrame:
    """One fund's `FUND_DAYS` on each of `sessions` from its first to its last; empty figures where it has none.

    A row is then a session: a lag counts sessions, and a day that the issuer left out makes no day of two.
    """
    sorted_days = days.filter(pl.col("date").is_in(sessions.implode())).sort("date")
    if sorted_days.is_empty():
        return sorted_days
    first, last = sorted_days["date"][0], sorted_days["date"][-1]
    grid = pl.DataFrame({"date": sessions.filter(sessions.is_between(first, last))})
    return (
        grid.join(sorted_days, on="date", how="left", maintain_order="left")
        .with_columns(pl.col("fund", "source").forward_fill())
        .select(days.columns)
    )


def aligned(shares: pl.Series, dates: pl.Series, lag: Lag) -> pl.Series:
    """Printed share counts, moved to the dates that they belong to; null where they are not printed yet."""
    rows = np.full(len(shares), lag.rows)
    for until, earlier in reversed(lag.earlier):
        rows[(dates < until).to_numpy()] = earlier
    places = np.arange(len(shares)) + rows
    return shares.gather(pl.Series([int(p) if 0 <= p < len(shares) else None for p in places], dtype=pl.UInt32))


def daily_flows(days: pl.DataFrame, lag: Lag) -> pl.DataFrame:
    """Flows of one fund by date.

    Returns (date, nav, shares, aum, flow, booked, flow_pct_aum, quarantined), sorted by date; shares are moved to the
    date they belong to. flow is null on the first row, where NAV or shares are missing on the day or the one before,
    and where it is implausible (`quarantined`): |flow| > 15 % of the prior assets, or NAV has leapt without a split.
    booked is the flow since the newest earlier count, so that its sum misses nothing where a day is missing. aum is the
    issuer's, else shares × NAV.
    """
    frame = usable(days)
    navs, shares = frame["nav"].to_list(), aligned(frame["shares"], frame["date"], lag).to_list()
    rows: list[tuple[float | None, float | None, bool]] = []
    before: tuple[int, float, float] | None = None
    for at, (nav, count) in enumerate(zip(navs, shares, strict=True)):
        if nav is None or count is None:
            rows.append((None, None, False))
            continue
        booked = fraction = None
        odd = False
        if before is not None:
            since, old_nav, old_count = before
            split = 1.0 if 0.75 < nav / old_nav < 1.3 else split_factor(nav, old_nav, count, old_count)
            booked = (count - old_count * split) * nav
            fraction = booked / (old_count * old_nav)
            odd = abs(fraction) > QUARANTINE or (booked != 0 and split == 1.0 and _leapt(old_nav / nav))
            fraction = fraction if since == at - 1 else None
        rows.append((None, None, True) if odd else (booked, fraction, False))
        before = at, nav, count
    return (
        frame.with_columns(
            pl.Series("shares", shares, dtype=pl.Float64),
            pl.Series("booked", [row[0] for row in rows], dtype=pl.Float64),
            pl.Series("fraction", [row[1] for row in rows], dtype=pl.Float64),
            pl.Series("quarantined", [row[2] for row in rows], dtype=pl.Boolean),
        )
        .with_columns(
            pl.when(pl.col("fraction").is_not_null()).then("booked").alias("flow"),
            (100 * pl.col("fraction")).alias("flow_pct_aum"),
            pl.coalesce("aum", pl.col("shares") * pl.col("nav")).alias("aum"),
        )
        .select("date", "nav", "shares", "aum", "flow", "booked", "flow_pct_aum", "quarantined")
    )


def _leapt(ratio: float) -> bool:
    """Whether NAV has moved by a factor that neither a market nor a split, already restated in the counts, explains.

    A factor of 10 or 100 is taken for a slip of the decimal point.
    """
    restated = (k for k in SPLITS if k not in _SLIPS)
    return not 1 / _LEAP < ratio < _LEAP and not any(is_split(ratio, k) for k in restated)


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


def fund_window(flows: pl.DataFrame, n: int) -> float | None:
    """Sum of a fund's last n `daily_flows`; null unless the counts at both ends are there and no day was set aside."""
    tail, ends = flows.tail(n), flows["shares"].tail(n + 1)
    if ends.len() <= n or ends[0] is None or ends[-1] is None or tail["quarantined"].any():
        return None
    return float(tail["booked"].sum()) if n > 1 else tail["flow"][0]


def to_newest(flows: pl.DataFrame) -> pl.DataFrame:
    """`daily_flows` from the first to the newest date that has a count."""
    known = flows["shares"].is_not_null()
    if not known.any():
        return flows.clear()
    first, last = known.arg_max(), len(known) - 1 - (known.reverse().arg_max() or 0)
    return flows.slice(first or 0, last - (first or 0) + 1)


def summarise(days: pl.DataFrame, lag: Lag) -> FundFlows | None:
    """The horizons of one fund: 1, 5 and 20 sessions, year to date, and all there is; null where a day is missing."""
    flows = to_newest(daily_flows(days, lag))
    if flows.is_empty():
        return None
    newest = flows.row(-1, named=True)
    year = flows.filter(pl.col("date").dt.year() == newest["date"].year)["booked"]
    began = flows["date"][0].year < newest["date"].year
    counts = flows["shares"].drop_nulls().tail(FROZEN_SESSIONS + 1)
    return FundFlows(
        fund=str(days["fund"][0]),
        as_of=newest["date"],
        aum=newest["aum"],
        flow_1d=fund_window(flows, 1),
        flow_5d=fund_window(flows, 5),
        flow_20d=fund_window(flows, 20),
        # days set aside are left out of the long sums, and `quarantined` says that they are
        flow_ytd=float(year.sum()) if began and year.drop_nulls().len() else None,
        flow_total=float(flows["booked"].sum()) if flows["booked"].drop_nulls().len() else None,
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
