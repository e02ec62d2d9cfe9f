"""The terminal is the program's alone: what a library writes to its descriptors is in the log and not on the screen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.logs import FILE_NAME
from tests.program import ROOT

PROGRAM = """
import os, sys
from pathlib import Path
from engine.logs import kept
from engine.standard_output import only_ours_on_screen
print("before")
with kept(Path(sys.argv[1])):
    with only_ours_on_screen():
        os.write(2, b"thread panicked at \\x1b[2J somewhere\\n  in Rust\\n")
        os.write(1, b"a line of C\\n")
        sys.__stderr__.write("a frame")
        print("printed")
    for piece in range(40):
        with only_ours_on_screen():
            os.write(2, b"x" * 200_000 if piece == 0 else b"")  # more than a pipe holds: nobody waits
print("after")
os.write(2, b", the end")
"""


def test_what_libraries_write_to_the_terminal_is_in_the_log_and_not_on_the_screen(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, timeout=30, check=True
    )
    assert done.stdout == "before\nprinted\nafter\n"
    assert done.stderr == "a frame, the end"
    log = (tmp_path / FILE_NAME).read_text()
    assert "a library wrote to the terminal: thread panicked at  [2J somewhere" in log
    assert "in Rust" in log
    assert "a line of C" in log
    assert "\x1b" not in log
