"""Two thousand mangled inputs for every decoder and importer: only the errors that it owns ever leave it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.fuzz_samples import Target
from bench.fuzz_targets import targets
from engine.config_file import parse
from engine.errors import ConfigError
from simulator.scenario import ScenarioError, load
from tui.saved import SavedError, queries


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


@pytest.mark.parametrize("content", [b"a=" + b"[" * 20_000, b"a=" + b"{a=" * 5_000])
def test_what_is_nested_without_end_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="deep"):
        parse(content, file)
    with pytest.raises(ScenarioError, match="deep"):
        load(str(file))
    (tmp_path / "queries.toml").write_bytes(content)
    with pytest.raises(SavedError, match="recursion"):
        queries(tmp_path)
