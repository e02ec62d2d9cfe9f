"""A link that keeps what a feed says of itself, and ways to wait for it; a meter of the event loop's lag."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field


@dataclass
class RecordingLink:
    """Everything that was said, in order."""

    ups: list[tuple[str, float]] = field(default_factory=list)
    heards: list[tuple[str, float | None]] = field(default_factory=list)
    downs: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str | None] = field(default_factory=list)
    rested: list[float] = field(default_factory=list)
    is_settled: bool = False
    progressed: list[tuple[int, int]] = field(default_factory=list)

    def up(self, channel: str, silence_limit_s: float) -> None:
        self.ups.append((channel, silence_limit_s))

    def heard(self, channel: str, event_time: float | None) -> None:
        self.heards.append((channel, event_time))

    def reached(self, channel: str) -> None:
        self.heards.append((channel, None))

    def rests(self, seconds: float) -> None:
        self.rested.append(seconds)

    def down(self, channel: str, why: str) -> None:
        self.downs.append((channel, why))

    def note(self, text: str | None) -> None:
        self.notes.append(text)

    def progress(self, done: int, wanted: int) -> None:
        self.progressed.append((done, wanted))

    def settled(self) -> None:
        self.is_settled = True


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until `condition()` holds; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for may be another thread's or process's
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """A feed's or supervisor's `run()` as a task, ended at the end; its own error comes out."""
    task: asyncio.Task[None] = asyncio.create_task(work)
    try:
        yield task
    finally:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Lag:
    """The longest that the event loop kept a ready task waiting, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def __aenter__(self) -> Lag:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.005
            await asyncio.sleep(0.005)
            self.longest = max(self.longest, loop.time() - due)
