"""A user's SQL reads the live tables and can do nothing else."""

from __future__ import annotations

import polars as pl
import pytest

from engine import sql
from engine.worker import Worker, WorkerMemoryError, WorkerTimeoutError
from tests.tui import fakes

TABLES = fakes.snapshot().tables


def test_questions_are_answered_and_long_answers_say_how_long_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "WITH a AS (SELECT basket, AVG(change_pct) AS mean FROM quotes GROUP BY basket) SELECT * FROM a WHERE mean > 0"
        " ORDER BY basket NULLS LAST"
    )
    assert sql.run(text, TABLES).frame.get_column("basket").to_list() == ["majors", None]
    assert sql.run("SELECT * EXCLUDE (recent) FROM quotes", TABLES).frame.width == TABLES["quotes"].width - 1
    assert sql.run("SELECT pair FROM spreads UNION ALL SELECT basket FROM baskets", TABLES).rows == 13
    assert sql.run("SELECT 'read_csv(''x'')' AS words", TABLES).frame.item() == "read_csv('x')"
    monkeypatch.setattr(sql, "ROWS", 5)
    answer = sql.run("SELECT symbol FROM quotes", TABLES)
    assert (answer.frame.height, answer.rows) == (5, TABLES["quotes"].height)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "no live table; nothing is read from files"),
        ("SELECT * FROM read_parquet('x') AS quotes", "no live table"),
        ("SELECT * FROM (SELECT * FROM read_ndjson('x')) t", "no live table"),
        ("WITH a AS (SELECT * FROM read_ipc('x')) SELECT * FROM a", "no live table"),
        ("SELECT * FROM quotes WHERE symbol IN (SELECT a FROM read_csv('x'))", "no live table"),
        ("SELECT scan_csv('x') FROM quotes", "SCAN_CSV is refused"),
        ("SELECT * FROM '/etc/passwd'", "no table “/etc/passwd”"),
        ("SELECT * FROM main.quotes", "no live table"),
        ("SELECT * INTO b FROM quotes", "only SELECT and WITH"),
        ("CREATE TABLE x AS SELECT 1", "only SELECT and WITH"),
        ("DROP TABLE quotes", "only SELECT and WITH"),
        ("DELETE FROM quotes", "only SELECT and WITH"),
        ("INSERT INTO quotes SELECT * FROM quotes", "only SELECT and WITH"),
        ("TRUNCATE TABLE quotes", "only SELECT and WITH"),
        ("EXPLAIN SELECT 1", "only SELECT and WITH"),
        ("SHOW TABLES", "only SELECT and WITH"),
        ("SELECT 1; SELECT 2", "one question at a time"),
        ("", "one question at a time"),
        ("SELECT FROM WHERE", "not SQL"),
        ("SELECT lst FROM quotes", "no column “lst”; did you mean last"),
        ("SELECT * FROM quote", "no table “quote”; there are quotes"),
        ("SELECT symbol + 1 FROM quotes", ""),
        ("SELECT nothing_such(symbol) FROM quotes", "nothing_such"),
        ("SELECT " + "(" * 5000, ""),
        ("x" * 9000, "at most 8,000"),
    ],
)
def test_what_is_no_question_to_the_live_tables_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(sql.SqlError) as refused:
        sql.run(text, TABLES)
    line = str(refused.value)
    assert words in line
    assert line.isprintable() and 0 < len(line) < 300


def test_only_the_tables_that_are_named_travel() -> None:
    assert sql.named("SELECT * FROM quotes q JOIN spreads s ON q.symbol = s.a", TABLES) == ["quotes", "spreads"]


def test_a_query_that_would_eat_the_machine_costs_one_line_and_the_next_one_works() -> None:
    worker = Worker(memory_mb=700)
    tables = {"quotes": pl.concat([TABLES["quotes"]] * 20)}
    try:
        huge = worker.submit(sql.run, "SELECT RPAD(symbol, 20000000, 'x') FROM quotes", tables, timeout_s=60.0)
        with pytest.raises(WorkerMemoryError, match="memory"):
            huge.result(120)
        cross = "SELECT a.symbol, b.last, c.bid FROM quotes a CROSS JOIN quotes b CROSS JOIN quotes c"
        with pytest.raises((WorkerMemoryError, WorkerTimeoutError)):
            worker.submit(sql.run, cross, tables, timeout_s=60.0).result(120)
        good = worker.submit(sql.run, "SELECT COUNT(*) AS n FROM quotes", tables, timeout_s=60.0)
        assert good.result(120).frame.item() == tables["quotes"].height
        refused = worker.submit(sql.run, "SELECT * FROM read_csv('x')", tables, timeout_s=60.0)
        with pytest.raises(Exception, match="no live table"):
            refused.result(120)
    finally:
        worker.close()
