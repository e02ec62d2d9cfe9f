"""A program in a terminal of its own: what it draws, when, and what it is sent. For benchmarks and end-to-end tests."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte


class Terminal:
    """A child process on a pseudo-terminal, and the screen that it has drawn so far."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = bytearray()
        """The newest 256 KiB of what it wrote."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  one system call, and nothing else can make it the child's own
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, seconds: float) -> bool:
        """Take in what it writes within `seconds`; False once it has closed the terminal."""
        if self._master < 0:
            return False
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.raw += data
        del self.raw[:-262_144]
        # pyte knows no synchronized output, and takes the kitty keyboard's replies for text
        self._stream.feed(data)
        return bool(data)

    def text(self) -> str:
        """The screen, one line a row."""
        return "\n".join(self._screen.display)

    def until(self, seen: Callable[[str], bool], seconds: float) -> float:
        """Seconds from the start until the screen is as wanted. Raises TimeoutError with the screen."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            alive = self.read(0.05)
            if seen(self.text()):
                return time.monotonic() - self.started
            if not alive:
                break
        raise TimeoutError(f"not seen within {seconds:g} s:\n{self.text()}")

    def until_raw(self, mark: bytes | re.Pattern[bytes], seconds: float) -> float:
        """Seconds from the start until `mark` was written: exact, because the screen is not worked out."""
        seen = mark.search if isinstance(mark, re.Pattern) else lambda raw: mark in raw
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            ready, _, _ = select.select([self._master], [], [], 0.05)
            if ready:
                try:
                    self.raw += os.read(self._master, 65536)
                except OSError:
                    break
                if seen(self.raw):
                    return time.monotonic() - self.started
        raise TimeoutError(f"{mark!r} was not written within {seconds:g} s: {bytes(self.raw[-2000:])!r}")

    def wipe(self) -> None:
        """Take in what is written, then leave nothing of it on the screen: another program had it."""
        while select.select([self._master], [], [], 0.2)[0] and self.read(0):
            pass
        self._screen.reset()

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def wait(self, seconds: float) -> int:
        """Its exit code, once it has ended. Raises TimeoutError."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            open_ = self.read(0.05)
            code = self.process.poll()
            if code is not None:
                while self._master >= 0 and select.select([self._master], [], [], 0)[0] and self.read(0):
                    pass
                return code
            if not open_:
                time.sleep(0.02)
        raise TimeoutError(f"still running after {seconds:g} s:\n{self.text()}")

    def hang_up(self) -> None:
        """Close the terminal under the program, as closing its window does."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        """End it, in order if it can, by force where it still runs then."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                self.wait(5)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.hang_up()


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
