"""What Fed funds futures say of the FOMC's next meeting: the rate after it, and the chance of a cut (METRICS §7).

Nothing is guessed. Where neither a published rate nor a month without a meeting says what holds before it, or where
what holds after it stands on a few days of its month alone, there is no number, and the reason is told.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import numpy as np

from engine.fed_funds import (
    ANNOUNCED,
    ahead,
    fed_contract,
    holds_none,
    meeting_months,
    month_after,
    month_before,
    told_at,
)
from engine.grid import DUE_S, EPOCH, DailyGrid
from engine.model import Status
from engine.regime import Meeting, cut_probability, fed_meeting

LEAST_DAYS: Final = 7
"""A rate that holds on fewer days of a month is not solved for from that month's mean: with three of 31 days, half a
basis point in the price is five in the rate."""


class Close(NamedTuple):
    """A contract's newest close."""

    price: float
    at: float
    """Epoch seconds."""
    late: bool = False
    """Whether a session has closed since, in which the contract traded."""


class Published(NamedTuple):
    """The effective rate of a day, per cent, as the Federal Reserve published it."""

    rate: float
    day: date


class Outlook(NamedTuple):
    """The next meeting as the futures see it."""

    meeting: Meeting | None
    said: str
    """The meeting's day and what the numbers are made from; what is missing, where there are none."""
    at: float | None
    """Epoch seconds of the close of its month's contract."""
    status: Status


def meeting_closes(grid: DailyGrid, decisions: Sequence[date]) -> dict[date, Close]:
    """What of `meeting_months` has a close, by the month; a contract whose month is over has its last one."""
    found = {}
    due = int(np.searchsorted(grid.closes, grid.now - DUE_S, side="right")) - 1
    for month in meeting_months(grid.now, decisions):
        symbol = fed_contract(month)
        frame = grid.closed(symbol)
        if frame.height:
            day = (frame["time"][-1].date() - EPOCH).days
            last = int(np.searchsorted(grid.days, (month_after(month) - EPOCH).days)) - 1
            row = int(np.searchsorted(grid.days, day, side="right")) - 1
            found[month] = Close(float(frame["close"][-1]), grid.bar_end(symbol, day), min(due, last) > row)
    return found


def outlook(
    now: float, decisions: Sequence[date], closes: Mapping[date, Close], published: Published | None
) -> Outlook:
    """The meeting that is next at `now`, epoch seconds.

    r_post: by the mean of its month, or, with under `LEAST_DAYS` of it left, by that of the month after it, if no
    meeting is in that. r_pre: the published rate, if its day is after the last decision; else, as an estimate, the mean
    of the month before, if no meeting is in that; else what its own month's mean leaves once the month after, if no
    meeting is in that, has said r_post.
    """
    day = _next(now, decisions)
    if isinstance(day, str):
        return Outlook(None, day, None, Status.STALE)
    here, told = day.replace(day=1), [known for known in decisions if known < day]
    prior, following = month_before(here), month_after(here)
    close = closes.get(here)
    if close is None:
        return Outlook(None, f"{day}: no close of {fed_contract(here)}", None, Status.STALE)
    days, old = calendar.monthrange(day.year, day.month)[1], day.day
    few, implied = days - old < LEAST_DAYS, 100.0 - close.price
    earlier = closes.get(prior) if holds_none(prior, decisions) else None
    there = closes.get(following) if holds_none(following, decisions) else None
    after = None if there is None else 100.0 - there.price
    if few and after is None:
        return Outlook(None, f"{day}: {days - old} days left, {_want(following, decisions)}", close.at, Status.STALE)
    used, named = [here, following] if few else [here], ""
    if published is not None and (not told or published.day > told[-1]):
        before, status, named = published.rate, Status.OK, " DFF"
    elif earlier is not None:
        before, status = 100.0 - earlier.price, Status.ESTIMATED
        used = [prior, *used]
    elif after is not None and old >= LEAST_DAYS:
        before, status = (days * implied - (days - old) * after) / old, Status.ESTIMATED
        used = [here, following]
    else:
        return Outlook(None, f"{day}: rate before it not known, {_want(prior, decisions)}", close.at, Status.STALE)
    if few and after is not None:
        made: Meeting | None = Meeting(implied, after, cut_probability(before, after))
    else:
        made = fed_meeting(close.price, before, days, old)
    before_the_last = bool(told) and close.at < told_at(told[-1])
    if before_the_last or any(closes[month].late for month in used):
        status = Status.STALE
    return Outlook(made, f"{day}: {' '.join(map(fed_contract, used))}{named}", close.at, status)


def _next(now: float, decisions: Sequence[date]) -> date | str:
    """The next decision, or why the list says none that can be computed with."""
    day = next(ahead(now, decisions), None)
    if day is None:
        return f"no meeting date known after {decisions[-1]}" if decisions else "no meeting date in [regime] fomc"
    if datetime.fromtimestamp(now, ANNOUNCED.tzinfo).date() < decisions[0].replace(day=1):
        return f"meetings before {decisions[0]} are not in [regime] fomc"
    if sum(known.replace(day=1) == day.replace(day=1) for known in decisions) > 1:
        return f"{day}: its month holds another meeting"
    return day


def _want(month: date, decisions: Sequence[date]) -> str:
    """Why the contract of a month that would help does not."""
    if holds_none(month, decisions):
        return f"no close of {fed_contract(month)}"
    known = decisions[0].replace(day=1) <= month <= decisions[-1]
    return f"{month:%Y-%m} {'holds one too' if known else 'is not covered by [regime] fomc'}"
