"""How far behind the terminal is with what was written to it.

Two things tell: the system has taken what our writer had (a pseudo-terminal that nobody reads takes some kilobytes),
and the terminal itself has answered a question put after it (over ssh megabytes can lie between the two). A terminal
that answers is believed; of one that never does, only the first is known. Nothing here waits, and nothing grows.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Final, cast

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

if TYPE_CHECKING:
    from textual.app import App

WINDOW: Final = 3_000
"""Bytes that may be under way before the terminal counts as behind: 150 ms at 20 kB/s."""
GRACE_S: Final = 0.05
"""So long any terminal may take."""
ASK_BYTES: Final = 1_500
"""Bytes written between two questions; an idle screen asks none."""
ASKED: Final = 16
"""Questions that may be open."""
LATE_S: Final = 5.0
"""An answer later than this is not waited for: one frame is written, and asked after anew."""
FEW: Final = 4
"""Writes that may be under way before it counts as behind, however small they are."""
CROWDED: Final = 16
"""Writes under way from which on bells and messages to the terminal are dropped: the queue has room for 30, and a full
one would hold up the program."""
GOODBYE_S: Final = 0.5
"""How long an open question is waited for at the end."""
QUESTION: Final = "\x1b[6n"
"""Where is the cursor? Every terminal knows this one."""


class Ledger:
    """What was written, what the system took, and what the terminal said it has seen; bytes since the start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.written = 0
        self.taken = 0
        self.seen = 0
        self._asked: deque[tuple[int, float]] = deque(maxlen=ASKED)
        """(bytes written before it, when) of each question without an answer."""
        self._since: float | None = None
        """When the oldest write that the system has not taken yet was made."""
        self._answers = False
        self._asked_at = 0
        self._writes = self._taken_writes = 0
        self._lock = threading.Lock()
        """The writer's thread and the screen's meet here."""

    def wrote(self, count: int) -> None:
        """So many bytes are given to the writer."""
        with self._lock:
            if self.taken >= self.written:
                self._since = self._clock()
            self.written += count
            self._writes += 1

    def took(self, upto: int, writes: int) -> None:
        """The system has all bytes and writes up to these."""
        with self._lock:
            self.taken = max(self.taken, upto)
            self._taken_writes = writes
            self._since = None if self.taken >= self.written else self._clock()

    def due(self) -> bool:
        """True where it is time for a question."""
        if not self._answers and self._asked:
            return False  # one that was never answered is not repeated
        return len(self._asked) < ASKED and self.written - self._asked_at >= ASK_BYTES

    def asked(self, before: int = 0) -> None:
        """A question is about to be written, after so many bytes more."""
        self._asked_at = self.written + before
        self._asked.append((self._asked_at, self._clock()))

    def answered(self) -> None:
        """The terminal has come as far as its oldest open question."""
        self._answers = True
        if self._asked:
            self.seen = self._asked.popleft()[0]

    def crowded(self) -> bool:
        """True where so many writes are under way that one more might have to wait."""
        return self._writes - self._taken_writes >= CROWDED

    @property
    def open(self) -> bool:
        """True while an answer may still come."""
        return self._answers and bool(self._asked)

    def behind(self) -> bool:
        """True where more than a little is under way, for longer than any terminal takes."""
        now = self._clock()
        if self._since is not None and now - self._since > GRACE_S:
            return self.written - self.taken > WINDOW or self._writes - self._taken_writes > FEW
        if not (self._answers and self._asked):
            return False
        if now - self._asked[-1][1] > LATE_S:
            return False
        return self.written - self.seen > WINDOW and now - self._asked[0][1] > GRACE_S


class _Watched:
    """The file that the writer's thread writes to; says what the system took."""

    def __init__(self, file: IO[str], took: Callable[[int, int], None]) -> None:
        self._file = file
        self._took = took
        self._passed = self._writes = 0

    def write(self, text: str) -> int:
        self._passed += len(text.encode(errors="replace"))
        self._writes += 1
        return self._file.write(text)

    def flush(self) -> None:
        self._file.flush()
        self._took(self._passed, self._writes)

    def fileno(self) -> int:
        return self._file.fileno()


class LinkDriver(LinuxDriver):
    """Textual's driver, that knows how far behind its terminal is and is never held up by it."""

    class CaughtUp(Message):
        """The terminal takes more."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.ledger = Ledger()
        self.waiting = False
        """True while somebody wants to be told that the terminal has caught up."""
        self._file = cast("Any", _Watched(cast("IO[str]", self._file), self._took))
        self._leaving = False
        self._quiet = threading.Event()
        """Set whenever the terminal has answered."""

    def frame(self, data: str) -> None:
        """Write what a frame changes, and ask how far the terminal is where that is due.

        It is never dropped: what was written is all that is known of what stands there.
        """
        if self.ledger.due():
            self._quiet.clear()
            self.ledger.asked(len(data.encode(errors="replace")))
            data += QUESTION
        self._write(data)

    def write(self, data: str) -> None:
        if self._leaving or not self.ledger.crowded():
            self._write(data)

    def _write(self, data: str) -> None:
        self.ledger.wrote(len(data.encode(errors="replace")))
        super().write(data)

    def _took(self, upto: int, writes: int) -> None:
        self.ledger.took(upto, writes)
        self._tell()

    def _tell(self) -> None:
        if self.waiting and not self.ledger.behind():
            self.waiting = False
            self._app.post_message(self.CaughtUp())

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.CursorPosition):
            self.ledger.answered()
            self._quiet.set()
            self._tell()
            return
        super().process_message(message)

    def stop_application_mode(self) -> None:
        """Leave the terminal; an answer that is on its way must not end up in the shell."""
        self._leaving = True
        if self.ledger.open:
            self._quiet.wait(GOODBYE_S)
        super().stop_application_mode()

    def start_application_mode(self) -> None:
        """Take the terminal, for the first time or again."""
        self._leaving = False
        super().start_application_mode()  # type: ignore[no-untyped-call]
