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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte
from pyte.screens import Char

SIZE = ("COLUMNS", "LINES")
"""What a parent's environment says of the size is not true of the child's terminal."""


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
        self.total = 0
        """Bytes that `read` took in."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started = time.monotonic()
        surroundings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={name: value for name, value in surroundings.items() if name not in SIZE},
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  one system call, and nothing else can make it the child's own
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, seconds: float, most: int = 65536) -> bool:
        """Take in what it writes within `seconds`, no more bytes than `most`; False once it has closed the terminal."""
        if self._master < 0:
            return False
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._master, most)
        except OSError:
            return False
        self.total += len(data)
        self.raw += data
        del self.raw[:-262_144]
        # pyte knows no synchronized output, and takes the kitty keyboard's replies for text
        self._stream.feed(data)
        return bool(data)

    def text(self) -> str:
        """The screen, one line a row."""
        return "\n".join(self._screen.display)

    def wipe(self) -> None:
        """Empty the screen, as another program that writes to the terminal might."""
        self._screen.erase_in_display(2)

    def cells(self, columns: int) -> list[list[Char]]:
        """So many cells of each line, with their colours."""
        buffer = self._screen.buffer
        return [[buffer[y][x] for x in range(columns)] for y in range(self._screen.lines)]

    def at(self) -> tuple[int, int]:
        """Line and column of the cursor."""
        return self._screen.cursor.y, self._screen.cursor.x

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
        """Seconds from the start until `mark` was written: exact, because the screen is worked out only afterwards."""
        seen = mark.search if isinstance(mark, re.Pattern) else lambda raw: mark in raw
        unseen = bytearray()
        try:
            for at, data in self._chunks(seconds):
                self.raw += data
                unseen += data
                if seen(self.raw):
                    return at
        finally:
            self._stream.feed(bytes(unseen))
        raise TimeoutError(f"{mark!r} was not written within {seconds:g} s: {bytes(self.raw[-2000:])!r}")

    def until_shown(self, seen: Callable[[], bool], seconds: float) -> float:
        """Seconds from the start until the bytes came that made the screen as wanted. Raises TimeoutError with it."""
        for at, data in self._chunks(seconds):
            self.raw += data
            self._stream.feed(data)
            if seen():
                return at
        raise TimeoutError(f"not seen within {seconds:g} s:\n{self.text()}")

    def _chunks(self, seconds: float) -> Iterator[tuple[float, bytes]]:
        """What it writes, and when it came, in seconds from the start."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if select.select([self._master], [], [], 0.05)[0]:
                try:
                    data = os.read(self._master, 65536)
                except OSError:
                    return
                yield time.monotonic() - self.started, data

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
