"""`record` and `replay` as a user has them: a demo recorded, played twice, and what is said of files that are none."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from engine.clock import Clock
from feeds.record import RecordError, begin
from tests.program import COMMAND, contents, surroundings


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=home,
        env=surroundings(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_recorded_demo_is_played_the_same_way_twice_and_touches_nothing(tmp_path: Path) -> None:
    file = tmp_path / "demo.recording"
    with subprocess.Popen(
        [*COMMAND, "record", str(file), "--demo"],
        cwd=tmp_path,
        env=surroundings(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as recording:
        assert recording.stdout is not None
        for line in recording.stdout:
            said = json.loads(line)
            if said.get("source") == "kraken" and said.get("state") == "live":
                break
        recording.send_signal(signal.SIGTERM)
        recording.communicate(timeout=30)
    assert recording.returncode == 0
    before = contents(tmp_path)
    first = run(tmp_path, "replay", str(file), "--speed", "max", "--json")
    second = run(tmp_path, "replay", str(file), "--speed", "500", "--json")
    assert first.returncode == 0, first.stderr
    tables = json.loads(first.stdout)["tables"]
    assert json.loads(second.stdout)["tables"] == tables
    assert json.loads(first.stdout)["mode"] == "replay"
    assert all(row["simulated"] for row in tables["quotes"])
    assert {row["source"] for row in tables["feeds"]} >= {"kraken", "yahoo-poll"}
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("content", "said"), [(b"hello", "is no recording of sizewatch"), (None, "cannot be read")])
def test_what_is_no_recording_is_said_in_a_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "x"
    if content is not None:
        file.write_bytes(content)
    ended = run(tmp_path, "replay", str(file), "--json")
    assert ended.returncode == 1
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "monday.recording"
    file.write_bytes(b"kept")
    with pytest.raises(RecordError, match="not written over"):
        begin(file, Clock())
    assert file.read_bytes() == b"kept"


@pytest.mark.parametrize("speed", ["0", "fast", "-3"])
def test_a_speed_that_is_none_is_refused(tmp_path: Path, speed: str) -> None:
    ended = run(tmp_path, "replay", "x", f"--speed={speed}")
    assert ended.returncode == 2
    assert "must be a number above 0" in ended.stderr


def test_a_recording_that_cannot_be_begun_is_said_at_once(tmp_path: Path) -> None:
    ended = run(tmp_path, "record", str(tmp_path), "--demo")
    assert ended.returncode == 1
    assert "cannot be written" in ended.stderr
