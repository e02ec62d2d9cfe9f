"""The journal: written before it is shown, whole or not at all; nothing owed is forgotten, nothing is sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.database import Database
from engine.journal import Journal
from engine.lifecycle import AlertState, Instance
from engine.model import Event


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


def event(number: int, kind: str = "fired", rule: str = "z") -> Event:
    return Event(
        f"id{number}", rule, "IWM/SPY", kind, float(number), "warning", "on", f"m{number}", {"z252": 2.5, "n": None}
    )


def test_an_event_comes_back_as_it_was(journal: Journal) -> None:
    assert journal.record([event(1)], [], {}) == [event(1)]
    (entry,) = journal.entries()
    assert entry.event == event(1) and entry.acknowledged_at is None


def test_the_same_event_twice_is_one(journal: Journal) -> None:
    journal.record([event(1)], [], {"id1": ["ntfy"]})
    assert journal.record([event(1)], [], {"id1": ["ntfy"]}) == []
    assert len(journal.entries()) == 1 and len(journal.owed(10.0)) == 1


def test_an_event_that_is_read_again_is_held_once(journal: Journal) -> None:
    journal.record([event(1), event(2)], [], {})
    first = journal.entries(limit=2)
    journal.record([event(3)], [], {})
    journal.acknowledge("z", "IWM/SPY", 9.0)
    again = journal.entries(limit=2)
    assert [entry.event for entry in again] == [event(3), event(2)]
    assert again[1].event is first[0].event and again[1].acknowledged_at == 9.0


def test_instances_stand_where_they_stood(journal: Journal) -> None:
    firing = Instance(AlertState.FIRING, since=5.0, fired_at=5.0, fired_bar=3, acknowledged=True)
    journal.record([], [("z", "IWM/SPY", firing), ("z", "b", Instance(AlertState.PENDING, 1.0, 2.0))], {})
    assert journal.instances() == [("z", "IWM/SPY", firing), ("z", "b", Instance(AlertState.PENDING, 1.0, 2.0))]
    journal.record([], [("z", "b", Instance())], {})
    assert [row for _, row, _ in journal.instances()] == ["IWM/SPY"]


def test_what_is_owed_is_found_again_after_a_restart(tmp_path: Path, journal: Journal) -> None:
    journal.record([event(1), event(2)], [], {"id1": ["ntfy", "mail"], "id2": ["ntfy"]})
    first, *_ = journal.owed(10.0)
    journal.delivered([first])
    again = Database(tmp_path)
    assert [(d.event.id, d.channel) for d in Journal(again).owed(10.0)] == [("id1", "ntfy"), ("id2", "ntfy")]
    again.close()


def test_a_failure_is_kept_with_its_reason_and_tried_again_in_time(journal: Journal) -> None:
    journal.record([event(1)], [], {"id1": ["ntfy"]})
    (owed,) = journal.owed(10.0)
    journal.failed([(owed, 70.0)], "503 from ntfy")
    assert journal.owed(69.0) == []
    (later,) = journal.owed(70.0)
    assert (later.attempts, later.error) == (1, "503 from ntfy")
    journal.failed([(later, None)], "gone for good")
    assert journal.owed(1e9) == []


def test_acknowledging_marks_what_was_not_seen(journal: Journal) -> None:
    journal.record([event(1), event(2)], [], {})
    assert journal.acknowledge("z", "IWM/SPY", 9.0) == 2
    assert journal.acknowledge("z", "IWM/SPY", 10.0) == 0
    assert {entry.acknowledged_at for entry in journal.entries()} == {9.0}


def test_a_snooze_ends_and_a_mute_does_not(journal: Journal) -> None:
    journal.silence("z", "IWM/SPY", 100.0)
    journal.silence("z", "*", None)
    assert journal.silenced(50.0) == {("z", "IWM/SPY"), ("z", "*")}
    assert journal.silenced(100.0) == {("z", "*")}
    journal.lift("z", "*")
    assert journal.silenced(100.0) == set()


def test_the_journal_is_bounded_but_keeps_what_is_owed(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.journal.MAX_EVENTS", 10)
    journal.record([event(0)], [], {"id0": ["ntfy"]})
    for number in range(1, 202):
        journal.record([event(number)], [], {})
    kept = [entry.event.id for entry in journal.entries()]
    assert len(kept) == 12 and kept[-1] == "id0"


def test_entries_are_filtered_and_newest_first(journal: Journal) -> None:
    journal.record([event(1), event(2, rule="other"), event(3)], [], {})
    assert [entry.event.id for entry in journal.entries(rule="z")] == ["id3", "id1"]
    assert [entry.event.id for entry in journal.entries(since=2.0)] == ["id3", "id2"]
    assert [entry.event.id for entry in journal.entries(limit=1)] == ["id3"]
