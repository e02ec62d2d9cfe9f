"""Rows into a frame, quickly: the same frame as the plain way makes, whatever was made before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given, settings

from engine.rows import table
from engine.tables import TABLES

MOMENTS = st.integers(-(10**15), 10**16).map(lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
FLOATS = st.floats(allow_nan=True, allow_infinity=True)


def values(kind: pl.DataType) -> st.SearchStrategy[Any]:
    """Values of a column, missing ones among them."""
    of: st.SearchStrategy[Any]
    if isinstance(kind, pl.Float64):
        of = st.sampled_from([0.0, 1.5]) | FLOATS
    elif isinstance(kind, pl.String):
        of = st.sampled_from(["a", "b"])
    elif isinstance(kind, pl.Boolean):
        of = st.booleans()
    elif isinstance(kind, pl.Datetime):
        of = MOMENTS
    elif isinstance(kind, pl.List):
        of = st.integers(0, 3).flatmap(lambda n: st.lists(FLOATS | st.none(), min_size=n, max_size=n))
    else:
        of = st.integers(0, 3)
    return of | st.none()


@st.composite
def two_beats(draw: st.DrawFn) -> tuple[str, list[list[dict[str, Any]]]]:
    """A table's name and its rows at two beats, of which most is the same."""
    name = draw(st.sampled_from(["spreads", "markets", "feeds", "rotation", "baskets"]))
    kinds = {column: values(kind) for column, kind in TABLES[name].items()}
    first = draw(st.lists(st.fixed_dictionaries({}, optional=kinds), max_size=4))
    second = [dict(row) for row in first]
    for row in second:
        for column in draw(st.lists(st.sampled_from(list(kinds)), max_size=2)):
            row[column] = draw(kinds[column])
    return name, [first, second]


def plain(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([pl.Series(c, [row.get(c) for row in rows], dtype=k) for c, k in TABLES[name].items()])


@settings(max_examples=50, deadline=None)
@given(two_beats())
def test_every_beat_s_table_is_what_the_plain_way_makes(beats: tuple[str, list[list[dict[str, Any]]]]) -> None:
    name, both = beats
    for rows in both:
        made, expected = table(name, rows), plain(name, rows)
        assert made.schema == expected.schema == TABLES[name]
        assert made.equals(expected)


@pytest.mark.parametrize("wrong", [{"base": 1.5}, {"venues_usd": "1"}, {"as_of": 5}, {"as_of": datetime(2026, 1, 9)}])
def test_a_value_of_a_wrong_type_is_refused(wrong: dict[str, Any]) -> None:
    table("markets", [{}])
    with pytest.raises(TypeError):
        table("markets", [wrong])
