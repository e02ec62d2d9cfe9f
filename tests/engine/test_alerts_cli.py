"""What `sizewatch alerts` prints: every rule, what matches now, the journal as lines and as data."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from engine.alerts_cli import UnknownRuleError, export, find_rule, history, list_rules
from engine.alerts_cli import test_rule as matching
from engine.config import Config
from engine.database import Database
from engine.journal import Journal
from engine.lifecycle import AlertState, Instance
from engine.model import Event
from engine.ready_rules import READY
from engine.tables import TABLES

AT = datetime(2026, 1, 9, 15, 30, tzinfo=UTC).timestamp()


def event(number: int, rule: str = "size-z", message: str = "IWM/SPY z -2.31") -> Event:
    return Event(f"id{number}", rule, "IWM/SPY", "fired", AT + number, "warning", "on", message, {"z252": -2.31})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    database = Database(tmp_path)
    journal = Journal(database)
    journal.record([event(1), event(2, "mine", 'a, "b"')], [("size-z", "IWM/SPY", Instance(AlertState.FIRING))], {})
    journal.acknowledge("size-z", "IWM/SPY", AT)
    database.close()
    return tmp_path


def spreads(*rows: tuple[str, float | None]) -> dict[str, pl.DataFrame]:
    made = [{"pair": pair, "z252": z, "status": "ok", "simulated": True} for pair, z in rows]
    return {"spreads": pl.DataFrame(made, schema=TABLES["spreads"])}


def test_every_rule_is_listed_with_its_state_and_every_mistake_below(folder: Path) -> None:
    wrong: dict[str, dict[str, object]] = {"mine": {"on": "spreads", "when": "zz > 1"}, "ratio-low": {"enabled": False}}
    lines = list(list_rules(Config(rules=wrong), folder))
    assert [line.split()[0] for line in lines[:-1]] == list(READY)
    assert "1 firing" in lines[0] and " off " in lines[1]
    assert lines[-1].startswith("✗ rules.mine.when: `zz`: no column of spreads; nearest are")


def test_without_a_journal_there_is_none_afterwards_either(tmp_path: Path) -> None:
    assert len(list(list_rules(Config(), tmp_path))) == len(READY)
    assert list(history(tmp_path, None, None)) == ["nothing has been told yet"]
    assert list(tmp_path.iterdir()) == []


def test_the_rows_that_match_now_are_shown_with_the_message_and_unknown_ones_as_such() -> None:
    lines = list(matching(Config(), "size-z", spreads(("IWM/SPY", -2.31), ("ETH/BTC", 3.0))))
    assert lines == [
        "size-z: 1 of 2 rows of spreads match now",
        "  ▲ IWM/SPY  IWM/SPY z −2.31: small caps stretched against large",
    ]
    assert list(matching(Config(), "size-z", spreads(("IWM/SPY", None))))[1:] == ["  ? IWM/SPY  a value is missing"]


def test_a_crossing_says_how_far_the_price_is() -> None:
    row = {"symbol": "BTC/USD", "price": 90_000.0, "status": "ok", "simulated": True}
    quotes = {"quotes": pl.DataFrame([row], schema=TABLES["quotes"])}
    (line,) = matching(Config(), "btc-60k", quotes)
    assert line == "btc-60k: BTC/USD stands at 90,000; fires on passing 60,000, −33.33 % away"


def test_a_rule_that_is_not_there_or_wrong_is_said() -> None:
    with pytest.raises(UnknownRuleError, match="no rule 'nosuch'; the rules are size-z, "):
        find_rule(Config(), "nosuch")
    with pytest.raises(UnknownRuleError, match=r"rules\.mine\.when: `zz`: no column"):
        find_rule(Config(rules={"mine": {"on": "spreads", "when": "zz > 1"}}), "mine")


def test_history_is_a_line_an_event_oldest_first(folder: Path) -> None:
    assert list(history(folder, None, None)) == [
        "2026-01-09 15:30:01Z  ▲ warning   size-z  IWM/SPY z -2.31  (acknowledged)",
        '2026-01-09 15:30:02Z  ▲ warning   mine  a, "b"',
    ]
    assert len(list(history(folder, AT + 2, None))) == 1
    assert len(list(history(folder, None, "mine"))) == 1


def test_the_export_holds_every_field_in_both_forms(folder: Path) -> None:
    told = [json.loads(line) for line in export(folder, "json", None, None)]
    rows = list(csv.DictReader(export(folder, "csv", None, None)))
    assert [each["id"] for each in told] == [row["id"] for row in rows] == ["id1", "id2"]
    assert told[0]["at"] == rows[0]["at"] == "2026-01-09T15:30:01.000+00:00"
    assert told[1]["message"] == rows[1]["message"] == 'a, "b"'
    assert told[0]["values"] == json.loads(rows[0]["values"]) == {"z252": -2.31}
    assert set(told[0]) == set(rows[0])
