"""The simulator as a child process, seen from its parent: it ends when the parent does, however that ends.

The pipe to the child's standard input is the lifeline: nothing is ever written to it, and when it closes,
the child goes.
Light to import: the front door makes it before the first paint, and has it start after that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Ready(NamedTuple):
    """What the child says once it listens."""

    proxy: str
    """URL of the gateway."""
    ca_file: str
    """PEM file of the gateway's own authority."""
    funds: str
    """CSV file of the simulated funds' days."""


class ChildError(Exception):
    """The child ended before it listened; the text is its own last words."""


class Child:
    """One simulator, running once it is started or asked whether it is ready."""

    def __init__(
        self, scenario: str, temporary: Path, offset: float, *, port: int = 0, folder: Path | None = None
    ) -> None:
        """What it will be.

        scenario: a built-in scenario's name or a file's path. temporary: folder for its temporary files. offset:
        seconds from the system's clock to the market's. port: to listen on; 0 for a free one. folder: where it keeps
        its authority, for one that is to be started again.
        """
        self._ready: Ready | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = temporary / "simulator.log"
        root = str(Path(__file__).resolve().parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        command = [
            sys.executable,
            "-m",
            "simulator",
            f"--scenario={scenario}",
            f"--offset={offset!r}",
            f"--port={port}",
        ]
        command += [f"--folder={folder}"] if folder is not None else []
        self._command = command
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(temporary)}

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it, where it does not run, and returns at once."""
        if self._process is None:
            with self._errors.open("wb") as errors:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=self._environment,
                    start_new_session=True,  # Ctrl+C in the terminal is the parent's to answer
                )
        return self._process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.start().pid

    def ready(self) -> Ready:
        """Waits until it listens. Raises ChildError with its last words where it ended instead."""
        if self._ready is None:
            process = self.start()
            assert process.stdout is not None
            line = b"" if process.stdout.closed else process.stdout.readline()
            if not line:
                self.stop()
                words = self._errors.read_text(errors="replace").strip().splitlines()
                raise ChildError(words[-1] if words else f"the simulator ended with code {process.returncode}")
            said = json.loads(line)
            self._ready = Ready(said["proxy"], said["ca_file"], said["funds"])
        return self._ready

    def stop(self) -> None:
        """Ends it, at the latest by force; harmless where it has ended already or was never started."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
