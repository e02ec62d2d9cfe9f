"""An import of fund days, said in one line: what it changed, how late the issuer prints its counts, what was set aside.

Either every day of a file is kept or none is; the same file twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import polars as pl

from engine import sessions
from engine.database import Database
from engine.flow_lag import reporting_lag
from engine.flow_store import Imported, load_days, load_published, save_days, save_published
from engine.flows import FUND_DAYS, Lag, daily_flows, on_sessions
from engine.model import FundDays, PublishedFlow

NAMED: Final = 6
"""Funds that a line names; an issuer's one file may hold hundreds."""


class Keeper:
    """The database, open for imports."""

    def __init__(self, folder: Path) -> None:
        """folder: the data folder. Raises DatabaseError where its database cannot be used."""
        self._database = Database(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def keep(self, name: str, days: FundDays) -> str:
        """Keep `days`, which came as the file `name`; returns the line that says so. Raises DatabaseError."""
        done = save_days(self._database, days.days, days.source)
        return describe(name, days, done, load_published(self._database))

    def keep_published(self, name: str, flows: Sequence[PublishedFlow]) -> str:
        """Keep flows that somebody published, as evidence of how late counts are printed; returns the line."""
        done = save_published(self._database, flows)
        days, published = load_days(self._database), load_published(self._database)
        wanted = list(dict.fromkeys(flow.fund for flow in flows))
        open_days = _sessions_of(days)
        lags = {
            fund: reporting_lag(on_sessions(days.filter(fund=fund), open_days), published.filter(fund=fund))
            for fund in wanted
        }
        parts = [
            f"{len(flows):,} published flows of {_few(wanted)}",
            f"{done.added:,} added, {done.changed:,} changed, {done.same:,} same",
            _said(lags),
        ]
        return f"{name}: " + "; ".join(parts)


def _sessions_of(frame: pl.DataFrame) -> pl.Series:
    """The trading days from the first date of `frame` to its last."""
    first, last = frame["date"].min(), frame["date"].max()
    if not isinstance(first, date) or not isinstance(last, date):
        return pl.Series("date", [], dtype=pl.Date)
    return pl.Series("date", sessions.sessions_between(first, last), dtype=pl.Date)


def describe(name: str, days: FundDays, done: Imported, published: pl.DataFrame) -> str:
    """One line about an import."""
    rows = [(*day, days.source) for day in days.days]
    frame = pl.DataFrame(rows, schema=FUND_DAYS, orient="row")
    first, last = min(day.date for day in days.days), max(day.date for day in days.days)
    open_days = _sessions_of(frame)
    kept = frame.filter(pl.col("date").is_in(open_days.implode()))
    lags: dict[str, Lag] = {}
    aside = 0
    for (fund,), printed in kept.group_by("fund", maintain_order=True):
        part = on_sessions(printed, open_days)
        lags[str(fund)] = lag = reporting_lag(part, published.filter(fund=fund))
        aside += int(daily_flows(part, lag)["quarantined"].sum())
    funds = list(dict.fromkeys(frame["fund"]))
    whose = funds[0] if len(funds) == 1 else f"{len(funds)} funds"
    parts = [
        f"{whose}, {frame.height:,} rows of {days.source}, {first} to {last}",
        f"{done.added:,} added, {done.changed:,} changed, {done.same:,} same",
        _said(lags),
        f"{aside} set aside as implausible" if aside else "none set aside",
    ]
    closed = frame.height - kept.height
    parts += [f"{closed} on days without a session, not used"] if closed else []
    return f"{name}: " + "; ".join(parts)


def _said(lags: dict[str, Lag]) -> str:
    """How late the share counts are printed, in words."""
    unknown = [fund for fund, lag in lags.items() if lag.evidence == "none"]
    late = [_late(fund, lag) for fund, lag in lags.items() if lag.rows > 0 or (lag.earlier and not lag.rows)]
    early = [_late(fund, lag) for fund, lag in lags.items() if lag.rows < 0]
    if len(unknown) == len(lags):
        return "nothing in it shows how late its counts are: taken as of their own date"
    told = [f"counts are printed late: {_few(late)}"] if late else []
    told += [f"counts are ahead of the published flows: {_few(early)}"] if early else []
    told += [f"of {_few(unknown)} nothing shows it"] if unknown else []
    return "; ".join(told if late or early else ["counts are of their own date", *told])


def _late(fund: str, lag: Lag) -> str:
    """`IWM by 1 session (by 2 until 2024-05-28)`."""
    before = ", ".join(f"by {rows} until {until}" for until, rows in lag.earlier)
    return f"{fund} by {abs(lag.rows)} session{'s' * (abs(lag.rows) != 1)}{f' ({before})' if before else ''}"


def _few(words: Sequence[str]) -> str:
    """The first of many, and how many more there are."""
    return ", ".join(words[:NAMED]) + (f" and {len(words) - NAMED} more" if len(words) > NAMED else "")
