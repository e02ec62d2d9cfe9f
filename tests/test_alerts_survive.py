"""Kill -9 at random moments: what was shown is in the journal, what arrived is too, and all that was owed arrives."""

from __future__ import annotations

import pytest

from bench.soak_alerts import Report, soak


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return soak(10, tmp_path_factory.mktemp("soak"), seed=7)


def test_the_journal_opens_whole_after_ten_kills(report: Report) -> None:
    assert report.kills == 10 and report.integrity == "ok"
    assert len(report.journalled) > 20, "a run in which little happens proves little"


def test_nothing_that_was_shown_as_fired_is_lost(report: Report) -> None:
    assert report.shown and not report.lost


def test_nothing_is_delivered_that_is_not_in_the_journal(report: Report) -> None:
    assert report.arrived and not report.unknown


def test_each_event_that_was_owed_arrives_at_least_once(report: Report) -> None:
    assert report.owed and not report.undelivered
