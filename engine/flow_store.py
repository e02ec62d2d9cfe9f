"""Imported fund days, kept so that the same file twice changes nothing and a source never mixes with another.

Of several sources of one fund the best alone is read: an issuer's file, then a user's CSV, then Yahoo's estimate.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

import polars as pl

from engine.database import Database
from engine.flows import FUND_DAYS
from engine.model import FundDay, PublishedFlow

PREFERENCE: Final = ("ssga", "ishares", "csv", "yahoo")

REVISION: Final = "fund_days"


class Imported(NamedTuple):
    """What an import did, in rows."""

    added: int
    changed: int
    same: int


def save_days(database: Database, days: Iterable[FundDay], source: str) -> Imported:
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
        _tell(connection, added + changed)
    return Imported(added, changed, same)


def save_published(database: Database, flows: Iterable[PublishedFlow]) -> Imported:
    """Keep flows that somebody published, in one transaction. Raises DatabaseError."""
    added = changed = same = 0
    with database.transaction() as connection:
        for one in flows:
            key = (one.fund, str(one.date))
            old = connection.execute("SELECT flow FROM published_flows WHERE fund = ? AND date = ?", key).fetchone()
            if old == (one.flow,):
                same += 1
                continue
            connection.execute(
                "INSERT INTO published_flows (fund, date, flow) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET flow = excluded.flow",
                (*key, one.flow),
            )
            added, changed = added + (old is None), changed + (old is not None)
        _tell(connection, added + changed)
    return Imported(added, changed, same)


def load_published(database: Database) -> pl.DataFrame:
    """Every published flow: (fund, date, flow), sorted."""
    rows = database.rows("SELECT fund, date, flow FROM published_flows ORDER BY fund, date")
    schema = {"fund": pl.String(), "date": pl.String(), "flow": pl.Float64()}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("date").str.to_date())


def _tell(connection: sqlite3.Connection, changes: int) -> None:
    """Have every process that reads the store read it again, if there is something new."""
    if changes:
        connection.execute(
            "INSERT INTO revisions (name, number) VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1",
            (REVISION,),
        )


def revision(database: Database) -> int:
    """A number that grows with every import that changed something, whichever process did it. Cheap to ask."""
    rows = database.rows("SELECT number FROM revisions WHERE name = ?", (REVISION,))
    return int(str(rows[0][0])) if rows else 0


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
