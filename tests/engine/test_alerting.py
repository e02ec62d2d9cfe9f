"""Alerts in the engine: the journal first, then the world; and after a restart neither twice nor never."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from engine.alert_setup import in_session, in_words, read_rules
from engine.alerting import Alerting
from engine.config import Config
from engine.database import Database
from engine.journal import Journal
from engine.model import Event
from engine.ready_rules import READY
from engine.rules import Cross, Rule
from engine.tables import TABLES

SPREADS = TABLES["spreads"]


def spreads(**z: float) -> dict[str, pl.DataFrame]:
    rows = [{"pair": pair, "z252": value, "status": "ok", "simulated": False} for pair, value in z.items()]
    return {"spreads": pl.DataFrame(rows, schema=SPREADS)}


Z = Rule("z", on="spreads", when="z252 > 2", message="{pair} {z252:+.2f}")
UP = Rule("up", cross=Cross("^RUT", 2300.0, "up"), max_age=60.0)


def test_every_ready_rule_can_be_read() -> None:
    rules, mistakes = read_rules(Config())
    assert mistakes == []
    assert [rule.id for rule in rules] == list(READY)


def test_a_users_rule_changes_a_ready_one_of_its_name() -> None:
    own: dict[str, dict[str, object]] = {"size-z": {"enabled": False}, "mine": {"on": "spreads", "when": "nosuch > 1"}}
    rules, mistakes = read_rules(Config(rules=own))
    lines = [in_words(mistake) for mistake in mistakes]
    assert not next(rule for rule in rules if rule.id == "size-z").enabled
    assert len(lines) == 1 and lines[0].startswith("rules.mine.when") and "nosuch" in lines[0]


def test_an_event_is_in_the_journal_before_it_is_told(tmp_path: Path) -> None:
    database = Database(tmp_path)
    told: list[tuple[str, list[str]]] = []

    def channels(event: Event, silenced: bool) -> tuple[str, ...]:
        told.append((event.id, [entry.event.id for entry in journal.entries()]))
        return ("phone",)

    journal = Journal(database)
    alerting = Alerting([Z], journal=journal, channels=channels)
    (event,) = alerting.beat(spreads(a=3.0), 100.0)
    assert [entry.event for entry in journal.entries()] == [event]
    assert [owed.event.id for owed in journal.owed(100.0)] == [event.id]
    assert list(alerting.events) == [event]
    alerting.close()


def test_a_restart_fires_nothing_twice_and_forgets_nothing(tmp_path: Path) -> None:
    first = Alerting([Z, UP], journal=Journal(Database(tmp_path)))
    first.watchers["^RUT"](2299.0, 99.0)
    first.watchers["^RUT"](2301.0, 99.5)
    assert [event.rule for event in first.beat(spreads(a=3.0, b=3.0), 100.0)] == ["up", "z", "z"]
    first.close()
    second = Alerting([Z, UP], journal=Journal(Database(tmp_path)))
    assert [event.row for event in second.events] == ["^RUT", "a", "b"]
    row = second.tables(101.0, simulated=False)["alerts"].row(2, named=True)
    assert (row["rule"], row["state"], row["value"], row["status"]) == ("up", "firing", 2301.0, "ok")
    assert [(event.kind, event.row) for event in second.beat(spreads(a=3.0, b=1.0), 200.0)] == [("resolved", "b")]
    second.close()


def test_what_a_full_disk_refused_stays_on_the_screen_and_is_kept_and_owed_once_there_is_room(tmp_path: Path) -> None:
    database, said = Database(tmp_path), list[str]()
    journal = Journal(database)
    alerting = Alerting([Z], journal=journal, channels=lambda *_: ("phone",), complain=said.append)
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.execute("CREATE TABLE ballast (x BLOB)")
    database.execute(f"PRAGMA max_page_count = {pages}")  # as on a disk without room: SQLITE_FULL
    told = [event for n in range(40) for event in alerting.beat(spreads(**{f"p{n}": 3.0 + n}), 100.0 + n)]
    kept = {entry.event.id for entry in journal.entries()}
    lost = [event for event in told if event.id not in kept]
    assert len(told) == 40 and lost
    assert any("not being kept" in text and "full" in text for text in said)
    assert [event.id for event in alerting.events] == [event.id for event in told]
    database.execute("PRAGMA max_page_count = 100000")
    assert alerting.beat(spreads(), 200.0) == []  # they are told once
    assert {entry.event.id for entry in journal.entries()} >= {event.id for event in told}
    assert {owed.event.id for owed in journal.owed(200.0)} == {event.id for event in told}
    assert "kept again" in said[-1]
    alerting.close()
    again = Alerting([Z], journal=Journal(Database(tmp_path)))
    assert {row for _, row, _ in again.book.instances()} == {f"p{n}" for n in range(40)}


def test_the_table_shows_what_fires_with_its_number() -> None:
    alerting = Alerting([Z, UP])
    alerting.watchers["^RUT"](2299.0, 99.0)
    alerting.watchers["^RUT"](2301.0, 99.5)
    alerting.beat(spreads(a=3.0), 100.0)
    table = alerting.tables(100.0, simulated=True)["alerts"]
    assert table.schema == TABLES["alerts"]
    assert table.select("rule", "row", "state", "value", "simulated").rows() == [
        ("z", "a", "firing", 3.0, True),
        ("up", "^RUT", "firing", 2301.0, True),
    ]
    assert alerting.tables(100.0 + 3600, simulated=False)["alerts"]["rule"].to_list() == ["z"]


def test_a_ratio_is_crossed_by_a_tick_of_either_leg() -> None:
    alerting = Alerting([Rule("r", cross=Cross("IWM", 0.32, "up", over="SPY"), max_age=60.0)])
    alerting.watchers["IWM"](220.0, 0.0)
    alerting.watchers["SPY"](700.0, 1.0)
    alerting.watchers["SPY"](680.0, 2.0)
    (event,) = alerting.beat({}, 3.0)
    assert event.row == "IWM/SPY" and event.values["price"] == 220.0 / 680.0


def test_a_snoozed_rule_is_journalled_but_owed_to_nobody(tmp_path: Path) -> None:
    journal = Journal(Database(tmp_path))
    alerting = Alerting([Z], journal=journal, channels=lambda event, silenced: () if silenced else ("phone",))
    alerting.silence("z", "*", 500.0)
    assert len(alerting.beat(spreads(a=3.0), 100.0)) == 1
    assert journal.owed(1e9) == []
    assert alerting.acknowledge("z", "a", 101.0)
    alerting.close()


def test_sessions_of_a_rule() -> None:
    friday_noon, friday_evening, sunday = 1_767_978_000.0, 1_767_999_600.0, 1_768_150_800.0
    assert in_session("RTH", friday_noon) and not in_session("RTH", friday_evening)
    assert in_session("ETH", friday_evening) and not in_session("ETH", sunday)
    assert in_session("24x7", sunday)


def test_a_reload_keeps_a_crossing_that_waits_for_its_beat_and_the_price_before_the_next(tmp_path: Path) -> None:
    first = Alerting([UP], journal=Journal(Database(tmp_path)))
    first.watchers["^RUT"](2299.0, 99.0)
    first.watchers["^RUT"](2301.0, 99.5)
    first.watchers["^RUT"](2290.0, 99.6)
    first.close()
    other = Rule("other", cross=Cross("^RUT", 2295.0, "up"), max_age=60.0)
    second = Alerting([UP, other], journal=Journal(Database(tmp_path)))
    assert [event.rule for event in second.events] == ["up"]
    second.adopt(first)
    second.watchers["^RUT"](2296.0, 100.0)
    assert [event.rule for event in second.beat({}, 100.0)] == ["other"]
    second.close()
