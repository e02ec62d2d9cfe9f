"""Imported fund days, kept so that the same file twice changes nothing and a source never mixes with another.

Of several sources of one fund the best alone is read: an issuer's file, then a user's CSV, then Yahoo's estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

import polars as pl

from engine.database import Database
from engine.flows import FUND_DAYS

PREFERENCE: Final = ("ssga", "ishares", "csv", "yahoo")


class Day(Protocol):
    """What one printed row must offer; `feeds.flow_files.FundDay` does."""

    @property
    def fund(self) -> str: ...
    @property
    def date(self) -> object: ...
    @property
    def nav(self) -> float | None: ...
    @property
    def shares(self) -> float | None: ...
    @property
    def aum(self) -> float | None: ...


class Imported(NamedTuple):
    """What an import did, in rows."""

    added: int
    changed: int
    same: int


def save_days(database: Database, days: Iterable[Day], source: str) -> Imported:
    """Keep every day in one transaction: all of them or, on an error, none. Raises DatabaseError."""
    added = changed = same = 0
    with database.transaction() as connection:
        for day in days:
            key, figures = (day.fund, str(day.date), source), (day.nav, day.shares, day.aum)
            old = connection.execute(
                "SELECT nav, shares, aum FROM fund_days WHERE fund = ? AND date = ? AND source = ?", key
            ).fetchone()
            if old == figures:
                same += 1
                continue
            connection.execute(
                "INSERT INTO fund_days (fund, date, source, nav, shares, aum) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET nav = excluded.nav, shares = excluded.shares, aum = excluded.aum",
                key + figures,
            )
            added, changed = added + (old is None), changed + (old is not None)
    return Imported(added, changed, same)


def load_days(database: Database) -> pl.DataFrame:
    """Every fund's days from its best source: `FUND_DAYS`, sorted by fund and date."""
    rows = database.rows("SELECT fund, date, nav, shares, aum, source FROM fund_days ORDER BY fund, date")
    frame = pl.DataFrame(rows, schema={**FUND_DAYS, "date": pl.String()}, orient="row").with_columns(
        pl.col("date").str.to_date()
    )
    order = {name: rank for rank, name in enumerate(PREFERENCE)}
    rank = pl.col("source").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    return (
        frame.with_columns(rank.alias("rank"))
        .filter(pl.col("rank") == pl.col("rank").min().over("fund"))
        .drop("rank")
        .sort("fund", "date")
    )
