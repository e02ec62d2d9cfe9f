"""A user's question in SQL: read-only by construction, one line where it is refused, bounded in rows.

Runs in the worker process, where memory and time are limited. Only SELECT and WITH over the live tables are admitted: a
table is a name, never a function (Polars would read files through `read_csv` and its kin). What runs is written anew
from the tree that was checked, never the user's own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.errors import SizewatchError, printable, sql_words

if TYPE_CHECKING:
    import polars as pl

LENGTH: Final = 8_000
"""Characters of a query."""
ROWS: Final = 2_000
"""Rows of an answer; more are cut off and said to be."""


class SqlError(SizewatchError):
    """A query that was refused or that failed; one line."""


class Answer(NamedTuple):
    """What a query gives. rows: those that it has in all, of which `frame` holds the first."""

    frame: pl.DataFrame
    rows: int


def named(text: str, tables: Iterable[str]) -> list[str]:
    """The tables whose names stand in the text: all that it can read, and perhaps some more."""
    words = set(re.findall(r"\w+", text.lower()))
    return [name for name in tables if name in words]


def checked(text: str, tables: Iterable[str]) -> str:
    """The query as it will run. Raises SqlError: not SQL, more than a question, a table that there is not."""
    import logging

    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    if len(text) > LENGTH:
        raise SqlError(f"the query has {len(text):,} characters; at most {LENGTH:,}")
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if tree is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        raise SqlError(f"not SQL: {sql_words(error)}") from error
    if len(trees) != 1:
        raise SqlError("one question at a time, such as SELECT symbol, last FROM quotes LIMIT 5")
    tree = trees[0]
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise SqlError("only SELECT and WITH: the tables can be read, not changed")
    known = set(tables)
    made = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    for node in tree.walk():
        if isinstance(node, exp.DDL | exp.DML | exp.Command | exp.Into | exp.Set | exp.Pragma) and not isinstance(
            node, exp.Select | exp.SetOperation | exp.Subquery
        ):
            raise SqlError("only SELECT and WITH: the tables can be read, not changed")
        if isinstance(node, exp.Table):
            if not isinstance(node.this, exp.Identifier) or node.args.get("db") or node.args.get("catalog"):
                raise SqlError(f"“{_short(node.sql())}” is no live table; nothing is read from files")
            if node.name not in known and node.name not in made:
                near = get_close_matches(node.name, known, n=3, cutoff=0.5) or sorted(known)
                raise SqlError(f"no table “{_short(node.name)}”; there are {', '.join(near)}")
        elif isinstance(node, exp.Func) and re.match(r"(read|scan)_", _name(node)):
            raise SqlError(f"{_name(node).upper()} is refused; nothing is read from files")
    return tree.sql(dialect="duckdb", comments=False)


def run(text: str, tables: Mapping[str, pl.DataFrame]) -> Answer:
    """The answer to a query over these tables. Raises SqlError. For the worker process: imports Polars."""
    import polars as pl

    sql = checked(text, tables)
    try:
        frame = pl.SQLContext(dict(tables)).execute(sql, eager=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SqlError(_explained(sql_words(error), text, tables)) from error
    if not isinstance(frame, pl.DataFrame):
        raise SqlError("that gives no rows")
    return Answer(frame.head(ROWS), frame.height)


def _explained(words: str, text: str, tables: Mapping[str, pl.DataFrame]) -> str:
    """The error with the columns that may have been meant, where one is unknown."""
    lost = re.search(r"unable to find column \"([^\"]+)\"|column '([^']+)' (?:was )?not found", words)
    if lost is None:
        return words
    name = lost[1] or lost[2]
    columns = dict.fromkeys(c for t in named(text, tables) for c in tables[t].columns)
    near = get_close_matches(name, columns, n=3, cutoff=0.5) or list(columns)[:12]
    return f"no column “{_short(name)}”; {'did you mean' if near else 'there are'} {', '.join(near)}"


def _name(node: object) -> str:
    """A function's name as it was written, in small letters."""
    return str(getattr(node, "name", "") or getattr(node, "key", "")).lower()


def _short(text: str) -> str:
    line = printable(text)
    return line if len(line) <= 60 else line[:59] + "…"
