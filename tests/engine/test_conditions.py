"""What a condition may say: refused in one line, in bounded time, or an expression whose unknowns stay unknown."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.conditions import ConditionError, compile_condition
from engine.tables import TABLES

SPREADS = TABLES["spreads"]
ROWS = pl.DataFrame({"a": [-1.0, 0.0, None, 4.0], "b": [1, 2, 3, 4], "s": ["x", "y", None, "B%"]})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a > 1", [False, False, None, True]),
        ("NOT a > 1", [True, True, None, False]),
        ("a IS NULL OR b = 1", [True, False, True, False]),
        ("a > 1 AND b > 0", [False, False, None, True]),
        ("a > 1 OR b > 0", [True, True, True, True]),
        ("LN(a) > -5", [None, None, None, True]),
        ("0 / a > -1", [True, None, None, True]),
        ("1 / a < 0", [True, None, None, False]),
        ("POWER(a, 0.5) BETWEEN 0 AND 5", [None, True, None, True]),
        ("SQRT(a) >= 0", [None, True, None, True]),
        ("EXP(a * 1000) > 1", [False, False, None, None]),
        ("ABS(a) = 1", [True, False, None, False]),
        ("s IN ('x', 'y')", [True, True, None, False]),
        ("s LIKE 'B%'", [False, False, None, True]),
        ("CASE WHEN a > 1 THEN TRUE ELSE b = 1 END", [True, False, False, True]),
        ("COALESCE(a, 9) > 5", [False, False, True, False]),
        ("ROUND(a, 1) = 4", [False, False, None, True]),
        ("b % 2 = 0", [False, True, False, True]),
        ("GREATEST(a, 1) > 1", [False, False, False, True]),
    ],
)
def test_admitted(condition: str, expected: list[bool | None]) -> None:
    expression = compile_condition(condition, "rows", ROWS.schema)
    assert ROWS.select(expression)[:, 0].to_list() == expected


def test_btc_above_60_000_and_30_billion_is_true_false_and_unknown() -> None:
    """§10: about 91,000 and $42.4 B on 2026-01-09 are true; 29.9 B is false; null is UNKNOWN."""
    price = pl.DataFrame({"last": [91_000.0, 60_000.0, None]})
    above = compile_condition("last > 60000", "quotes", TABLES["quotes"])
    assert price.select(above).to_series().to_list() == [True, False, None]
    traded = pl.DataFrame({"all_markets_usd": [42.4e9, 29.9e9, None]})
    busy = compile_condition("all_markets_usd > 30e9", "markets", TABLES["markets"])
    assert traded.select(busy).to_series().to_list() == [True, False, None]


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("", "empty"),
        ("zz252 > 2", "`zz252`: no column of spreads; nearest are z252"),
        ("\x1b", "no column of spreads"),
        ("z252", "gives Float64, not true or false"),
        ("z252 > 'a'", "cannot compare string with numeric"),
        ("pair + 1 > 2", "`pair + 1 > 2`"),
        ("recent > 1", "a list of values"),
        ("spreads.z252 > 1", "name the column alone"),
        ("z252 > 1; DROP TABLE spreads", "without `;`"),
        ("SELECT * FROM read_csv('/etc/passwd')", "not admitted"),
        ("read_csv('/etc/passwd') = 1", "not admitted"),
        ("read_parquet('x') IS NULL", "not admitted"),
        ("(SELECT 1) > 0", "not admitted"),
        ("z252 IN (SELECT z252 FROM spreads)", "not admitted"),
        ("EXISTS (SELECT 1 FROM spreads a, spreads b, spreads c)", "not admitted"),
        ("RPAD(pair, 20000000, 'x') = 'a'", "not admitted"),
        ("REPEAT(pair, 1000000000) = 'a'", "not admitted"),
        ("pair || pair = 'x'", "not admitted"),
        ("pair ~ '(a+)+$'", "not admitted"),
        ("CAST(z252 AS INT) > 1", "not admitted"),
        ("SUM(z252) > 1", "not admitted"),
        ("ROW_NUMBER() OVER () > 1", "not admitted"),
        ("z252 > ALL(ARRAY[1, 2])", "not admitted"),
        ("CREATE TABLE x AS SELECT 1", "not admitted"),
        ("COPY spreads TO 'x'", "not admitted"),
        ("(" * 900 + "z252 > 1" + ")" * 900, "nested too deeply"),
        ("NOT " * 400 + "z252 > 1", "nested too deeply"),
        ("z252 > " + "1 + " * 450 + "1", "nested too deeply"),
        ("z252 > 1 OR " * 160 + "z252 > 2", "too long"),
        ("x" * 3000, "at most 2,000"),
        ("z252 >", "not a condition: a value is missing"),
        ("z252 > 2 AND", "not a condition: a value is missing"),
        ("\x1b[31mz252 > 1", "not a condition"),
    ],
)
def test_refused_in_one_line_that_says_why(condition: str, says: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(condition, "spreads", SPREADS)
    message = str(caught.value)
    assert says in message
    assert "\n" not in message and "\x1b" not in message
    assert len(message) < 400


def test_no_text_reaches_a_log_or_the_terminal(caplog: pytest.LogCaptureFixture) -> None:
    for text in ("EXPLAIN \x1b[2J", "COPY spreads TO 'x'", "DROP TABLE"):
        with pytest.raises(ConditionError):
            compile_condition(text, "spreads", SPREADS)
    assert caplog.records == []


WORDS = [
    "z252", "pair", "nosuch", "'text'", "1", "0", "NULL", "TRUE", "(", ")", ",", "+", "-", "*", "/", "%", "=", "<>",
    ">", "AND", "OR", "NOT", "IS", "IN", "LIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "SELECT", "FROM",
    "WHERE", "spreads", "read_csv('/etc/passwd')", "read_parquet('x')", "scan_csv('x')",
    "RPAD(pair, 20000000, 'x')", "JOIN", "CROSS", "UNION", "LN(", "POWER(", "COALESCE(", "OVER ()", ";", "--", "/*",
    "*/", "::", "||", "~", "[", "]", "$1", "\x00", "\x1b[2J", "\u202e", "é", "1e999", "INTERVAL '1 day'", "EXPLAIN",
    "DROP TABLE", "ATTACH", "PRAGMA", "{", "}",
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), st.text(max_size=200)))
def test_hostile_text_is_refused_in_one_line_or_is_a_harmless_condition(text: str) -> None:
    try:
        expression = compile_condition(text, "spreads", SPREADS)
    except ConditionError as error:
        assert "\n" not in str(error) and "\x1b" not in str(error)
        return
    # what was admitted names only this table's columns and makes no more than a Boolean a row
    assert set(expression.meta.root_names()) <= set(SPREADS)
    verdict = pl.DataFrame(schema=SPREADS).select(expression)
    assert verdict.dtypes == [pl.Boolean]
