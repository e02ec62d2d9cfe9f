"""Two thousand mangled inputs for every decoder and importer: only the errors that it owns ever leave it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.fuzz_targets import Target, targets


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_no_exception_escapes(target: Target) -> None:
    # seeds alone are drawn, twenty at a time: a mangled message shrinks to no smaller one, and drawing it piece by
    # piece takes longer than reading it
    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**63))
    def read(seed: int) -> None:
        for each in range(20):
            target.feed(seed + each)

    read()
