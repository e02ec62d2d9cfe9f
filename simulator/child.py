"""The simulator as a child process, seen from its parent: it ends when the parent does, however that ends.

The pipe to the child's standard input is the lifeline: nothing is ever written to it, and when it closes,
the child goes.
Light to import: the front door starts the child before anything else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ready:
    """What the child says once it listens."""

    proxy: str
    """URL of the gateway."""
    ca_file: str
    """PEM file of the gateway's own authority."""


class ChildError(Exception):
    """The child ended before it listened; the text is its own last words."""


class Child:
    """One running simulator."""

    def __init__(self, scenario: str, folder: Path, offset: float) -> None:
        """Starts it and returns at once.

        scenario: a built-in scenario's name or a file's path. folder: for its temporary files. offset: seconds from
        the system's clock to the market's.
        """
        self._ready: Ready | None = None
        self._errors = folder / "simulator.log"
        root = str(Path(__file__).resolve().parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "simulator", "--scenario", scenario, f"--offset={offset!r}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(folder)},
                start_new_session=True,  # Ctrl+C in the terminal is the parent's to answer
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ready(self) -> Ready:
        """Waits until it listens. Raises ChildError with its last words where it ended instead."""
        if self._ready is None:
            assert self._process.stdout is not None
            line = b"" if self._process.stdout.closed else self._process.stdout.readline()
            if not line:
                self.stop()
                words = self._errors.read_text(errors="replace").strip().splitlines()
                raise ChildError(words[-1] if words else f"the simulator ended with code {self._process.returncode}")
            said = json.loads(line)
            self._ready = Ready(said["proxy"], said["ca_file"])
        return self._ready

    def stop(self) -> None:
        """Ends it, at the latest by force; harmless where it has ended already."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
