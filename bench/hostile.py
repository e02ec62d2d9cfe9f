"""Hostile texts for the condition of a rule: how many are refused, how long the slowest takes, what they reach."""

from __future__ import annotations

import random
import sys
import time
from typing import Any, Final

import polars as pl

from engine.conditions import ConditionError, compile_condition
from engine.tables import TABLES

WORDS: Final = (
    "z252", "pair", "nosuch", "'text'", "1", "0", "NULL", "TRUE", "(", ")", ",", "+", "-", "*", "/", "%", "=", "<>",
    ">", "AND", "OR", "NOT", "IS", "IN", "LIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "SELECT", "FROM",
    "WHERE", "spreads", "read_csv('/etc/passwd')", "read_parquet('http://127.0.0.1:9/x')", "scan_csv('x')", "JOIN",
    "RPAD(pair, 20000000, 'x')", "REPEAT(pair, 1000000000)", "CROSS", "UNION", "LN(", "POWER(", "COALESCE(", "OVER ()",
    ";", "--", "/*", "*/", "::", "||", "~ '(a+)+$'", "[", "]", "$1", "\x00", "\x1b[2J", "\u202e", "é", "1e999",
    "EXPLAIN", "DROP TABLE", "ATTACH", "PRAGMA", "COPY spreads TO 'x'", "(" * 300, "NOT " * 300, "1 + " * 300,
    "x" * 100_000,
)  # fmt: skip
WHOLE: Final = (
    "SELECT * FROM read_csv('/etc/passwd')", "read_csv('/etc/passwd') = 1", "RPAD(pair, 20000000, 'x') = 'a'",
    "EXISTS (SELECT 1 FROM spreads a, spreads b, spreads c)", "CREATE TABLE x AS SELECT 1", "DROP TABLE spreads",
    "z252 > 1; DROP TABLE spreads", "COPY spreads TO 'x'", "z252 IN (SELECT z252 FROM spreads)", "(" * 100_000,
)  # fmt: skip
_REACHING: Final = ("open", "socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn", "shutil.", "urllib.")


def hostile_texts(count: int, seed: int = 1) -> dict[str, Any]:
    """Try `count` texts; what they refused, admitted and reached, and the slowest in milliseconds."""
    rng, schema = random.Random(seed), TABLES["spreads"]
    compile_condition("z252 > 1", "spreads", schema)  # what the libraries load at first is not the texts' doing
    reached: list[str] = []
    watching = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event.startswith(_REACHING) and not str(arguments[0]).endswith((".py", ".pyc")):
            reached.append(f"{event} {arguments[:1]}"[:100])

    sys.addaudithook(hook)
    refused = admitted = 0
    slowest, worst = 0.0, ""
    many_lines: list[str] = []
    for number in range(count):
        text = WHOLE[number] if number < len(WHOLE) else " ".join(rng.choices(WORDS, k=rng.randrange(1, 40)))
        began = time.perf_counter()
        try:
            expression = compile_condition(text, "spreads", schema)
        except ConditionError as error:
            refused += 1
            if "\n" in str(error) or "\x1b" in str(error) or len(str(error)) > 500:
                many_lines.append(str(error))
        else:
            admitted += 1
            assert set(expression.meta.root_names()) <= set(schema)
            assert pl.DataFrame(schema=schema).select(expression).dtypes == [pl.Boolean]
        took = (time.perf_counter() - began) * 1e3
        if took > slowest:
            slowest, worst = took, text[:60]
    watching = False
    return {
        "texts": count,
        "refused": refused,
        "admitted": admitted,
        "refused_in_more_than_a_line": len(many_lines),
        "reached_files_network_processes": reached[:10],
        "slowest_ms": round(slowest, 1),
        "slowest": worst,
    }
