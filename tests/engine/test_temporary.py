"""A run's own folder goes with it; what a killed run left goes at the next start, and nobody else's ever does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.temporary import own_folder, remove_orphans
from tests.program import ROOT

HELD = """
import sys, time
from engine.temporary import own_folder
with own_folder("demo") as folder:
    (folder / "store").mkdir()
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_it_goes_with_the_run_even_where_that_fails() -> None:
    with pytest.raises(ValueError), own_folder("demo") as folder:
        (folder / "store").mkdir()
        raise ValueError
    assert not folder.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without file locks nothing is removed")
def test_what_a_killed_run_left_goes_and_a_living_ones_stays() -> None:
    with subprocess.Popen([sys.executable, "-c", HELD], stdout=subprocess.PIPE, cwd=ROOT, text=True) as killed:
        assert killed.stdout is not None
        left = Path(killed.stdout.readline().strip())
        with own_folder("demo") as mine:
            assert left.exists()  # its owner lives
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            assert remove_orphans("replay") == []
            assert remove_orphans("demo") == [left]
            assert mine.exists()
    assert not left.exists()


def test_what_is_not_ours_is_left_alone(temporary: Path) -> None:
    new, link, other = temporary / "sizewatch-demo-new", temporary / "sizewatch-demo-link", temporary / "sizewatch-mine"
    old = temporary / "sizewatch-demo-old"
    for folder in (new, other, old):
        folder.mkdir()
    link.symlink_to(other)
    (temporary / "sizewatch-demo-file").write_text("a file")
    os.utime(old, (0, 0))
    expected = [old] if hasattr(os, "getuid") else []
    assert remove_orphans("demo") == expected  # of an older version: no lock, and nobody could still be making it
    assert new.exists() and link.exists() and other.exists() and (temporary / "sizewatch-demo-file").exists()
