"""Killed at any moment of writing, every store opens whole and holds what it had said it held: `bench.soak_kills`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.soak_kills import soak


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
def test_ten_kills_lose_no_more_than_is_promised(tmp_path: Path) -> None:
    report = soak(10, tmp_path)
    assert report.wrong == []
    assert report.kills == 10
    assert report.transactions >= 10
    assert report.lines >= 10
