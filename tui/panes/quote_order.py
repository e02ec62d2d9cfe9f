"""Which rows of the quotes are shown and in what order: filtered by text or condition, sorted stably, grouped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui.format import position

if TYPE_CHECKING:
    import polars as pl

DESCENDING: Final = {"change_pct", "volume_usd", "last", "bid", "ask", "range"}
"""What is sorted by with the greatest first."""
RANGE: Final = ("last", "low_24h", "high_24h", "low_since", "high_since")
"""What `place_in_range` follows from."""


def place_in_range(last: float | None, low: float | None, high: float | None,
                   low_since: float | None, high_since: float | None) -> float | None:  # fmt: skip
    """Where a price stands from the day's low, 0, to its high, 1; None where that is not known.

    The day's bounds are the venue's where it says both, else what has been seen since the start.
    """
    venues = low is not None and high is not None
    return position(last, low if venues else low_since, high if venues else high_since)


def cells_of(frame: pl.DataFrame, names: Sequence[str], rows: Sequence[int]) -> list[list[Any]]:
    """The cells of these rows, a list a column; a slice where the rows are neighbours."""
    first, count = (rows[0], len(rows)) if rows else (0, 0)
    if all(row == first + i for i, row in enumerate(rows)):
        return [frame.get_column(name).slice(first, count).to_list() for name in names]
    return [frame.get_column(name)[rows].to_list() for name in names]


def is_condition(text: str) -> bool:
    """Whether a filter is a condition in SQL rather than a text to look for."""
    return re.search(r"[<>=]|\b(is|like|in|between|and|or|not)\b", text, re.IGNORECASE) is not None and " " in text


def matching(frame: pl.DataFrame, needle: str) -> frozenset[int] | None:
    """Rows that hold a text or that a condition is true for; None: all. Raises ValueError: what is wrong with it."""
    if not needle:
        return None
    if is_condition(needle):
        from engine.conditions import ConditionError, compile_condition

        try:
            hits = frame.select(compile_condition(needle, "quotes", frame.schema).fill_null(value=False)).to_series()
        except ConditionError as error:
            raise ValueError(str(error)) from error
        return frozenset(hits.arg_true().to_list())
    low = needle.lower()
    texts = frame.select("symbol", "basket", "source", "status").rows()
    return frozenset(i for i, row in enumerate(texts) if any(low in text.lower() for text in row if text))


def order(frame: pl.DataFrame, assets: str, kept: frozenset[int] | None, sort: str, reverse: bool) -> list[int]:
    """Indices of the rows to show, in order: of one kind, those kept, sorted stably, missing values last.

    assets: `crypto`, `equity` or `all`.
    """
    kinds = frame.get_column("asset").to_list()
    indices = [i for i, kind in enumerate(kinds) if assets == "all" or (kind == "crypto") == (assets == "crypto")]
    if kept is not None:
        indices = [i for i in indices if i in kept]
    if sort:
        values = _sorted_by(frame, sort)
        known = [i for i in indices if values[i] is not None]
        known.sort(key=lambda i: values[i], reverse=(sort in DESCENDING) != reverse)
        indices = known + [i for i in indices if values[i] is None]
    elif reverse:
        indices.reverse()
    return indices


def _sorted_by(frame: pl.DataFrame, sort: str) -> list[Any]:
    """What each row is sorted by: a column of the table, or what a column of the grid is made of."""
    if sort == "range":
        return [place_in_range(*row) for row in zip(*(frame.get_column(n).to_list() for n in RANGE), strict=True)]
    return frame.get_column("age_s" if sort == "age" else sort).to_list()


def grouped(frame: pl.DataFrame, indices: Sequence[int], baskets: Sequence[str]) -> tuple[list[int], list[str]]:
    """Rows by basket: the rows' indices with −1−k before those of the k-th of the baskets that are returned.

    Rows of no basket come last, under an empty name. The order within a basket stays.
    """
    of_row = frame.get_column("basket").to_list()
    members: dict[str, list[int]] = {name: [] for name in (*baskets, "")}
    for i in indices:
        members[of_row[i] if of_row[i] in members else ""].append(i)
    shown = [name for name, found in members.items() if found]
    return [at for k, name in enumerate(shown) for at in (-1 - k, *members[name])], shown


def below(ordered: Sequence[int], group: int) -> list[int]:
    """The rows that stand below a group's line, as `grouped` made them."""
    start = ordered.index(group) + 1
    end = next((at for at in range(start, len(ordered)) if ordered[at] < 0), len(ordered))
    return list(ordered[start:end])


class Total(NamedTuple):
    """What the rows of a group come to: of the columns that they show, not of a table that counts otherwise."""

    change: float | None
    """Mean of their changes, every row weighing the same; None where none is known."""
    volume: float | None
    status: str
    """The worst of theirs."""


_WORSE: Final = ("ok", "warming", "estimated", "closed", "stale")


def total_of(frame: pl.DataFrame, rows: Sequence[int]) -> Total:
    """The total of some rows."""
    changes, volumes, states = cells_of(frame, ("change_pct", "volume_usd", "status"), rows)
    moves, sums = ([v for v in values if v is not None] for values in (changes, volumes))
    return Total(
        sum(moves) / len(moves) if moves else None,
        sum(sums) if sums else None,
        max(states, key=lambda s: _WORSE.index(s) if s in _WORSE else 0, default="ok"),
    )
