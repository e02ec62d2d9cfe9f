"""The rows of `flows`: one a fund, one a group, each with what its history can bear and a label of what it cannot.

A group's figures are of the day that all its current funds have reached: a fund whose file ends earlier holds the whole
group back rather than drop out of the sum in silence. A size group's share is taken over one set of funds for the whole
history, because a share to which funds are added over the years measures the adding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import polars as pl

from engine.flow_lag import reporting_lag
from engine.flows import (
    FundFlows,
    daily_flows,
    fund_window,
    group_share,
    on_sessions,
    summarise,
    to_newest,
    window,
    without_frozen_estimates,
)
from engine.model import Status

SIZE_GROUPS: Final = ("small", "mid", "large")
"""Together they are the whole that a size group's share is of."""
DECADE: Final = 2520
NINE_YEARS: Final = 2268
"""Sessions; a percentile needs so many of the last `DECADE`."""
SESSIONS_A_YEAR: Final = 252
RECENT: Final = 20
"""Newest daily flows in `recent`; null where a day has none."""
CURRENT_DAYS: Final = 30
"""A fund whose newest day is further behind its group's newest is no current member of the group."""
LATE_SESSIONS: Final = 5
"""Rows whose newest day lies further back are stale: issuers publish every session, a day or two later."""
ESTIMATE: Final = "yahoo"
ISSUERS: Final[Mapping[str, str]] = {"ssga": "SSGA", "ishares": "iShares", "csv": "CSV", "yahoo": "Yahoo's estimate"}


class FlowRow(NamedTuple):
    """A row of `flows` before its age is known. day: as-of date. worth: its status if it is not too old."""

    cells: Mapping[str, Any]
    day: date
    worth: Status


class _Fund(NamedTuple):
    """One fund's days, flows and summary."""

    name: str
    source: str
    flows: pl.DataFrame
    known: FundFlows


def flow_rows(
    days: pl.DataFrame,
    groups: Mapping[str, Sequence[str]],
    sessions: Sequence[date],
    published: pl.DataFrame | None = None,
) -> tuple[FlowRow, ...]:
    """Every row that `days` allow: funds in the order of `groups` (others last), each group before its funds.

    days: `FUND_DAYS`. sessions: the exchange's trading days; rows of other dates are dropped.
    published: (fund, date, flow) that somebody else published, as evidence of how late counts are printed.
    """
    open_days = pl.Series("date", list(sessions), dtype=pl.Date)
    days = without_frozen_estimates(days.filter(pl.col("date").is_in(open_days.implode())))
    funds: dict[str, _Fund] = {}
    for (name,), printed in days.group_by("fund", maintain_order=True):
        part = on_sessions(printed, open_days)
        lag = reporting_lag(part, None if published is None else published.filter(fund=name))
        known = summarise(part, lag)
        if known is not None:
            flows = to_newest(daily_flows(part, lag))
            funds[str(name)] = _Fund(str(name), known.source, flows, known)
    rows: list[FlowRow] = []
    for group, members in groups.items():
        present = [funds[name] for name in members if name in funds]
        if not present:
            continue
        share = _share(funds, groups, group) if group in SIZE_GROUPS else None
        rows.append(_group_row(group, members, present, share))
        shares = _shares_of_group(present)
        rows += [_fund_row(fund, group, shares.get(fund.name)) for fund in present]
    grouped = {name for members in groups.values() for name in members}
    return (*rows, *(_fund_row(fund, None, None) for fund in funds.values() if fund.name not in grouped))


def _fund_row(fund: _Fund, group: str | None, share: float | None) -> FlowRow:
    known = fund.known
    assert isinstance(known.as_of, date)
    cells = {
        "fund": fund.name,
        "group": group,
        **{name: getattr(known, name) for name in ("flow_1d", "flow_5d", "flow_20d", "flow_ytd", "flow_total")},
        "flow_1y": fund_window(fund.flows, SESSIONS_A_YEAR),
        "recent": fund.flows["flow"].tail(RECENT).to_list(),
        "flow_pct_aum": known.flow_pct_aum,
        "aum": known.aum,
        "share_of_group": share,
        "history": _label({fund.source}, fund.flows["shares"].count()),
        "lag": known.lag.rows if known.lag.evidence != "none" else None,
        "lag_evidence": known.lag.evidence,
        "quarantined": known.quarantined,
        "coverage": 1.0,
        "source": fund.source,
    }
    return FlowRow(cells, known.as_of, _worth(fund))


def _shares_of_group(present: Sequence[_Fund]) -> dict[str, float]:
    """Each current fund's part of the group's assets, all of the newest day that each of them has reached."""
    current = _current(present)
    day: date = min(fund.flows["date"][-1] for fund in current)
    found = {fund.name: fund.flows.filter(pl.col("date") == day)["aum"].to_list() for fund in current}
    assets = {name: aum[0] for name, aum in found.items() if aum and aum[0]}
    return {name: aum / sum(assets.values()) for name, aum in assets.items()} if len(assets) == len(current) else {}


def _worth(fund: _Fund) -> Status:
    """What a fund's figures are worth, leaving their age aside."""
    recent = fund.flows.tail(20)["quarantined"].any()
    this_year = fund.flows.filter(pl.col("date").dt.year() == fund.flows["date"][-1].year)["quarantined"].any()
    if fund.known.frozen:
        return Status.STALE
    if fund.source == ESTIMATE or recent or this_year:
        return Status.ESTIMATED
    return Status.WARMING if fund.known.flow_20d is None else Status.OK


class Share(NamedTuple):
    """A size group's share of the size groups' assets: the newest, its rank in the last decade, and its coverage."""

    newest: float
    percentile: float | None
    label: str


def _share(funds: Mapping[str, _Fund], groups: Mapping[str, Sequence[str]], group: str) -> Share | None:
    """The share of `group`, over those funds whose history is long enough; None without funds of another size."""
    sizes = {name: [f for f in groups.get(name, ()) if f in funds] for name in SIZE_GROUPS}
    printed = {name: [f for f in members if funds[f].source != ESTIMATE] for name, members in sizes.items()}
    long = {
        name: [f for f in members if funds[f].flows["shares"].count() >= NINE_YEARS]
        for name, members in printed.items()
    }
    for basis in (long, printed, sizes):
        if basis[group] and sum(bool(members) for members in basis.values()) > 1:
            break
    else:
        return None
    chosen = [funds[name] for members in basis.values() for name in members]
    begin = max(fund.flows["date"][0] for fund in chosen)
    current = _current(chosen)
    end = min(fund.flows["date"][-1] for fund in current)
    days = pl.concat(
        [fund.flows.select(pl.lit(fund.name).alias("fund"), "date", "nav", "shares", "aum") for fund in current]
    ).filter(pl.col("date").is_between(begin, end))
    share = group_share(days, basis, group)["share"].tail(DECADE)
    if share.is_empty():
        return None
    newest = float(share[-1])
    percentile = None
    if share.len() >= NINE_YEARS:
        below, equal = (share < newest).to_numpy().sum(), (share == newest).to_numpy().sum()
        percentile = float((below + 0.5 * equal) / share.len())
    label = _label({fund.source for fund in current}, share.len())
    lacking = [name for name in SIZE_GROUPS if groups.get(name) and not basis[name]]
    return Share(newest, percentile, f"{label}, without {' and '.join(lacking)}" if lacking else label)


def _label(sources: set[str], sessions: int) -> str:
    """Whose figures, and how far back: `iShares only, 4 years`."""
    names = [ISSUERS.get(source, source) for source in sorted(sources)]
    whose = f"{names[0]} only" if len(names) == 1 else ", ".join(names)
    years = round(sessions / SESSIONS_A_YEAR)
    span = f"{years} year{'s' * (years != 1)}" if sessions >= SESSIONS_A_YEAR else f"{sessions} sessions"
    return f"{whose}, {span}"


def _current(funds: Sequence[_Fund]) -> list[_Fund]:
    newest = max(fund.flows["date"][-1] for fund in funds)
    return [fund for fund in funds if newest - fund.flows["date"][-1] <= timedelta(days=CURRENT_DAYS)]


def _group_row(group: str, members: Sequence[str], present: Sequence[_Fund], share: Share | None) -> FlowRow:
    """The sum of a group's current funds, as of the newest day that each of them has reached.

    Estimated funds count only in a group that has no others: a few days of guesses must not bend years of figures.
    """
    current = _current([fund for fund in present if fund.source != ESTIMATE] or present)
    day: date = min(fund.flows["date"][-1] for fund in current)
    parts = pl.concat(
        [
            fund.flows.filter(pl.col("date") <= day)
            .with_columns(pl.col("flow").is_null().alias("missing"), pl.int_range(pl.len()).alias("place"))
            # what was booked after a missing day belongs into the long sums, and to no single day
            .select("date", pl.col("booked").alias("flow"), "aum", "shares", "missing", "place")
            for fund in current
        ]
    )
    # a fund's own first day has no flow and is no gap; a day that a fund lacks or that was set aside is one
    daily = (
        parts.group_by("date")
        .agg(
            pl.col("flow").sum(),
            pl.col("aum").sum(),
            ((~pl.col("missing")) | (pl.col("place") == 0)).all().alias("whole"),
            (~pl.col("missing")).sum().alias("flows"),
            pl.col("shares").count().alias("there"),
        )
        .sort("date")
    )
    due = pl.sum_horizontal(*(pl.col("date") >= fund.flows["date"][0] for fund in current)).cast(pl.Int64)
    daily = daily.with_columns((pl.col("there") == due).alias("all"))
    daily = daily.with_columns((pl.col("all") & pl.col("whole") & (pl.col("flows") > 0)).alias("whole"))
    complete = daily.select(pl.when("whole").then("flow")).to_series()
    year = daily.filter(pl.col("date").dt.year() == day.year)["flow"]
    began = all(fund.flows["date"][0].year < day.year for fund in current)
    before = (
        daily["aum"][-2] if daily.height > 1 and daily["all"][-2] and daily["there"][-2] == daily["there"][-1] else None
    )
    newest = window(complete, 1)
    worths = [_worth(fund) for fund in current]
    stale = all(worth is Status.STALE for worth in worths)
    doubtful = any(worth in {Status.STALE, Status.ESTIMATED} for worth in worths)
    warming = window(complete, 20) is None
    cells = {
        "fund": group,
        "group": group,
        "flow_1d": newest,
        "flow_5d": window(complete, 5),
        "flow_20d": window(complete, 20),
        "flow_ytd": float(year.sum()) if began and year.len() else None,
        "flow_1y": window(complete, SESSIONS_A_YEAR),
        "recent": complete.tail(RECENT).to_list(),
        "flow_total": float(daily["flow"].sum()) if daily["flows"].sum() else None,
        "flow_pct_aum": 100 * newest / before if newest is not None and before else None,
        "aum": float(daily["aum"][-1]) if daily["all"][-1] else None,
        "share_of_all": share.newest if share is not None else None,
        "percentile": share.percentile if share is not None else None,
        "history": share.label if share is not None else _label({f.source for f in current}, daily.height),
        "quarantined": sum(fund.known.quarantined for fund in current),
        "coverage": len(current) / len(members),
        "source": ", ".join(sorted({fund.source for fund in current})),
    }
    worth = Status.STALE if stale else Status.ESTIMATED if doubtful else Status.WARMING if warming else Status.OK
    return FlowRow(cells, day, worth)
