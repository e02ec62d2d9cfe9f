"""How late an issuer prints its share counts, from the data: evidence decides, and without evidence nothing is claimed.

Three kinds of evidence, the strongest first. Flows that somebody else published: the shift at which ours agree with
them. Assets that are not merely the printed count × NAV: the shift at which shares × NAV comes closest to them. Splits:
NAV shows a split on its day, a late count does so later. Every day on which the count moved casts its vote, so that a
few wild figures decide nothing; and an issuer that changed its ways has one lag before and another since.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.flows import SPLITS, Lag, daily_flows, is_split, usable

MAX_LAG: Final = 3
"""Rows. Settlement took three sessions until 2017, two until May 2024, and takes one since."""
SHIFTS: Final = range(-1, MAX_LAG + 1)
"""Rows that are tried against published flows: those dated by settlement are a session later than the counts."""
MERE_PRODUCT: Final = 1e-7
"""Assets closer than this to the printed count × NAV were computed from it: they say nothing of its date."""
OTHER_ASSETS: Final = 0.02
"""Assets further than this from shares × NAV are of something else, such as all share classes of the fund."""
COMMON_DAYS: Final = 10
"""Of our flows and published ones, at least; and half as many of them with a flow."""
MOVES: Final = 3
"""Days on which the count moved, at least, for assets to tell shifts apart."""
EXPLAINED: Final = 0.5
"""The correlation with published flows, at least, and the part of a usual move that assets may be off, at most."""
CLEARLY: Final = 0.75
"""The best shift's misses as a part of any other's, at most; or else"""
SURELY: Final = 3.0
"""by how many standard errors it must miss less than any other, in data that are noisy and many."""
CHANGE: Final = 6.0
"""How many days' votes a change of the lag must win, so that none is seen in noise."""
_Costs = NDArray[np.float64]


def reporting_lag(days: pl.DataFrame, published: pl.DataFrame | None = None) -> Lag:
    """Find, from the data, how late a fund's share counts are printed.

    days: one fund's `FUND_DAYS`, any order. published: frame (date, flow in any unit) that someone else published,
    optional. Without evidence the lag is 0 and its evidence `none`.
    """
    frame = usable(days)
    found = _by_flows(frame, published) if published is not None and published.height else None
    return found or _by_assets(frame) or _by_splits(frame) or Lag(0, "none", None)


def _by_flows(frame: pl.DataFrame, published: pl.DataFrame) -> Lag | None:
    """The lag at which flows agree best with published ones; None where none agrees clearly."""
    reference = published.select("date", pl.col("flow").alias("reference"))
    joined = frame.select("date").join(reference.unique("date"), on="date", how="left", maintain_order="left")
    theirs = joined["reference"].to_numpy()
    ours = np.array([daily_flows(frame, Lag(late, "", None))["flow"].to_numpy() for late in SHIFTS])
    known = np.isfinite(ours).all(axis=0) & np.isfinite(theirs)
    moved = known & (theirs != 0)
    if known.sum() < COMMON_DAYS or moved.sum() < COMMON_DAYS // 2 or not np.abs(ours[:, known]).sum():
        return None
    # sizes do not depend on the shift, so that they say the unit before the shift is known
    unit = np.abs(ours[0, known]).sum() / np.abs(theirs[known]).sum()
    usual = float(np.median(np.abs(theirs[moved]))) * unit
    costs = np.where(known, np.minimum(np.abs(ours - unit * theirs) / usual, 1.0), 0.0)
    course = _path(costs)
    flow = ours[course, np.arange(len(course))][known]
    if min(np.ptp(flow), np.ptp(theirs[known])) <= 0:
        return None
    # the root keeps one huge day from deciding for all others
    pair = [np.sign(each) * np.sqrt(np.abs(each)) for each in (flow, theirs[known])]
    correlation = float(np.corrcoef(pair)[0, 1])
    if correlation < EXPLAINED or not _clear(costs, course):
        return None
    return _lag(frame, course + SHIFTS.start, "published", 1 - correlation)


def _by_assets(frame: pl.DataFrame) -> Lag | None:
    """The lag at which shares × NAV comes closest to the printed assets; None where they do not show it."""
    nav, shares, aum = (frame[name].to_numpy() for name in ("nav", "shares", "aum"))
    counts = np.full((MAX_LAG + 1, len(shares)), np.nan)
    for late in range(min(MAX_LAG + 1, len(shares))):
        counts[late, : len(shares) - late] = shares[late:]
    misses = np.abs(counts * nav / aum - 1)
    own = misses[0][np.isfinite(misses[0])]
    moves = np.abs(np.diff(shares) / shares[:-1])
    moves = moves[np.isfinite(moves) & (moves > 0)]
    if len(own) < 5 or len(moves) < MOVES or np.median(own) > OTHER_ASSETS:
        return None
    # assets in whole dollars cannot be closer to a product than half a dollar
    rounding = np.maximum(MERE_PRODUCT, 0.51 / aum[np.isfinite(misses[0])])
    if np.mean(own <= rounding) > 0.98:
        return None
    known = np.isfinite(misses).all(axis=0) & (np.ptp(np.nan_to_num(counts), axis=0) > 0)
    if known.sum() < MOVES:
        return None
    costs = np.where(known, np.minimum(np.nan_to_num(misses) / float(np.median(moves)), 1.0), 0.0)
    rows = _path(costs)
    error = float(np.mean(costs[rows, np.arange(len(rows))][known]))
    return _lag(frame, rows, "assets", error) if error < EXPLAINED and _clear(costs, rows) else None


def _by_splits(frame: pl.DataFrame) -> Lag | None:
    """The lag at which the count follows NAV's splits; None without a split, or where they disagree."""
    known = frame.drop_nulls("nav")
    nav, shares = known["nav"].to_numpy(), known["shares"].to_numpy()
    found: set[int] = set()
    for at in range(1, len(nav)):
        ratio = nav[at - 1] / nav[at]
        if 1 / 1.3 < ratio < 1 / 0.75:
            continue
        for k in (k for k in SPLITS if is_split(ratio, k)):
            later = range(at, min(at + MAX_LAG + 1, len(shares)))
            found |= {here - at for here in later if is_split(shares[here] / shares[here - 1], k)}
    return Lag(found.pop(), "splits", 0.0) if len(found) == 1 else None


def _path(costs: _Costs) -> NDArray[np.int64]:
    """The shift of each day: the cheapest course over all days, where a change costs `CHANGE`.

    costs: shifts × days, 0 to 1 each. Days that are the same to every shift only pass the course on.
    """
    shifts, days = costs.shape
    telling = np.flatnonzero(np.ptp(costs, axis=0) > 0)
    course = np.zeros(days, dtype=np.int64)
    if not len(telling):
        return course
    total = costs[:, telling[0]].copy()
    came: list[NDArray[np.int64]] = []
    stay = np.arange(shifts)
    for day in telling[1:]:
        best = int(total.argmin())
        changed = total > total[best] + CHANGE
        came.append(np.where(changed, best, stay))
        total = np.where(changed, total[best] + CHANGE, total) + costs[:, day]
    at = int(total.argmin())
    chosen = [at]
    for back in reversed(came):
        at = int(back[at])
        chosen.append(at)
    chosen.reverse()
    # a day that tells nothing goes with the next one that does
    places = np.minimum(np.searchsorted(telling, np.arange(days)), len(telling) - 1)
    course[:] = np.array(chosen)[places]
    return course


def _clear(costs: _Costs, rows: NDArray[Any]) -> bool:
    """Whether the course misses much less than any other shift would in the days that tell shifts apart."""
    days = np.flatnonzero(np.ptp(costs, axis=0) > 0)
    if not len(days):
        return False
    mine = costs[rows[days], days]
    for shift in range(len(costs)):
        other = costs[shift, days]
        gain = other - mine
        if not gain.any():
            continue  # the course itself
        if mine.sum() > CLEARLY * other.sum() and gain.sum() < SURELY * np.sqrt(np.square(gain).sum()):
            return False
    return True


def _lag(frame: pl.DataFrame, rows: NDArray[np.int64], evidence: str, error: float) -> Lag:
    """The course as a lag: what holds now, and until when it was another."""
    dates = frame["date"].to_list()
    changes = np.flatnonzero(np.diff(rows)) + 1
    earlier = tuple((dates[at], int(rows[at - 1])) for at in changes)
    return Lag(int(rows[-1]), evidence, error, earlier)
