"""Several faults at once, drawn from a seed: the short form of `bench.soak_faults`."""

from __future__ import annotations

from pathlib import Path

from bench.soak_faults import soak


def test_mixed_faults_tell_no_lie_and_miss_no_alert(tmp_path: Path) -> None:
    told = soak(tmp_path, hours=70 / 3600, speed=8.0, coins=4, seed=3, at_once=2)
    assert told["faults"] >= 8
    assert told["rows_looked_at"] > 500
    assert told["alerts_told"] > 0
    found = ("first_wrong", "first_stale", "first_missed", "first_errors", "first_late", "beyond_the_venues_limits")
    assert {name: told[name] for name in found} == {name: [] for name in found}
    assert told["alerts_in_the_journal"] == told["alerts_told"]
