"""The table of docs/reliability.md: every fault has its row, and every row names the tests that hold it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from simulator.faults import KINDS
from tests.faults.conftest import Run
from tests.faults.test_crypto import PROMISES
from tests.faults.test_yahoo import POLL, STREAM

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
ROW = re.compile(r"^\| `([a-z-]+)` \|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`(test_[a-z_]+)\[([a-z-]+)\]`")
HELD: dict[str, Mapping[str, object]] = {"test_crypto": PROMISES, "test_streamer": STREAM, "test_poll": POLL}


def test_every_fault_has_a_row_and_every_row_its_tests() -> None:
    rows = dict(ROW.findall(DOCUMENT.read_text(encoding="utf-8")))
    assert list(rows) == list(KINDS)
    for kind, row in rows.items():
        held = TEST.findall(row)
        assert held, kind
        assert {(name, kind) for name, promises in HELD.items() if kind in promises} == set(held), kind


def test_no_fault_of_a_source_is_an_error_of_ours(run: Run) -> None:
    assert run.faults == []
