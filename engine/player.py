"""The player: a `SnapshotSource` over a recording, on the recording's own clock.

Beats fall on that clock alone, at fixed distances from the first entry, so the same recording gives the same tables at
any speed; speed decides only how long we wait between two of them. Nothing goes out and nothing is asked.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from engine.clock import ReplayClock
from engine.config import Config
from engine.errors import SizewatchError
from engine.model import Intent, Mode, Sink, Snapshot
from engine.worker import Worker

if TYPE_CHECKING:
    from engine.engine import Engine

log = logging.getLogger(__name__)

Entry = tuple[float, str, str, Any]
"""(epoch seconds, source, kind, payload); only the time is looked at here."""
YIELD_EVERY: Final = 64
"""Beats between two looks at the intents when nothing is waited for."""


class Decoder(Protocol):
    """What turns entries into values for a sink."""

    def play(self, entry: Entry) -> None:
        """One entry, at the moment that the clock stands at."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


class Player:
    """Plays one recording. Intents: `pause` (and on again), `step` (one beat), `seek` (argument `at`, epoch seconds,
    forwards), `speed` (argument `speed`, a number or `max`).

    entries: the recording, oldest first. decoder: made in the player's thread and loop. speed: seconds of the recording
    in one of ours; None: as fast as it goes. begin: play at the greatest speed up to there. store: folder that is the
    run's own, or None.
    """

    def __init__(
        self,
        entries: Callable[[], Iterator[Entry]],
        decoder: Callable[[Sink, Config, ReplayClock], Decoder],
        *,
        config: Config,
        clock: ReplayClock,
        scenario: str,
        store: Path | None = None,
        speed: float | None = 1.0,
        begin: float | None = None,
    ) -> None:
        self._entries = entries
        self._decoder = decoder
        self._config = config
        self._clock = clock
        self._scenario = scenario
        self._store = store
        self._speed = speed
        self._until = begin
        """No waiting before this moment."""
        self._paused = False
        self._steps = 0
        self._anchor = (0.0, 0.0)
        """A moment of the recording, and ours when it was played: what speed counts from."""
        self.worker = Worker(config.worker.memory_mb)
        """As the collector's."""
        self._snapshot: Snapshot | None = None
        self._failure: str | None = None
        self._intents: deque[Intent] = deque(maxlen=100)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self.finished = threading.Event()
        """Set once the whole recording has been played, or failed to."""

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 2.5) -> bool:
        """End it. True where it has ended within `timeout` seconds."""
        self._stopping = True
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def latest(self) -> Snapshot | None:
        """The newest snapshot, or None before the first beat."""
        return self._snapshot

    def send(self, intent: Intent, /) -> None:
        """Have a wish carried out before the next beat."""
        self._intents.append(intent)

    def ready(self) -> bool:
        """Whether the whole recording has been played."""
        return self.finished.is_set()

    def failure(self) -> str | None:
        """Why it ended, in words, where it could not go on."""
        return self._failure

    # the thread

    def _run(self) -> None:
        try:
            asyncio.run(self._play())
        except SizewatchError as error:
            self._failure = str(error)
        except Exception as error:
            log.exception("the replay ended")
            self._failure = f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            self.worker.close()
            self.finished.set()

    async def _play(self) -> None:
        from engine.engine import Engine

        entries = self._entries()
        first = next(entries, None)
        clock = self._clock
        if first is None:
            raise SizewatchError(f"{self._scenario}: nothing was recorded")
        clock.begin(first[0])
        engine = Engine(self._config, clock, mode=Mode.REPLAY, scenario=self._scenario, store=self._store)
        decoder = self._decoder(engine, self._config, clock)
        period = 1.0 / min(max(self._config.refresh.beat_hz, 1.0), 20.0)
        self._anchor = (first[0], time.monotonic())
        beats = 0
        try:
            entry: Entry | None = first
            while entry is not None and not self._stopping:
                while (due := first[0] + beats * period) <= entry[0] and not self._stopping:
                    await self._wait(engine, due, beats)
                    clock.set(due)
                    self._snapshot = engine.beat()
                    beats += 1
                clock.set(entry[0])
                decoder.play(entry)
                entry = next(entries, None)
            if not self._stopping:
                clock.set(first[0] + beats * period)
                self._snapshot = engine.beat()
                self.finished.set()
                await self._linger(engine)
        finally:
            await decoder.close()
            engine.close()

    async def _wait(self, engine: Engine, due: float, beats: int) -> None:
        """Until the beat at `due` is to be shown."""
        while not self._stopping:
            self._carry_out(engine)
            if self._paused and not self._steps:
                await asyncio.sleep(0.02)
                self._anchor = (due, time.monotonic())
                continue
            if self._steps:
                self._steps -= 1
                return
            if self._until is not None and due < self._until:
                self._anchor = (due, time.monotonic())
            elif self._speed is not None:
                moment, ours = self._anchor
                rest = ours + (due - moment) / self._speed - time.monotonic()
                if rest > 0:
                    await asyncio.sleep(min(rest, 0.05))
                    continue
            if beats % YIELD_EVERY == 0:
                await asyncio.sleep(0)
            return

    async def _linger(self, engine: Engine) -> None:
        """The end stays on the screen; the heartbeat goes on, time does not."""
        while not self._stopping:
            self._carry_out(engine)
            await asyncio.sleep(0.05)

    def _carry_out(self, engine: Engine) -> None:
        while self._intents:
            intent = self._intents.popleft()
            if intent.action == "pause":
                self._paused = not self._paused
            elif intent.action == "step":
                self._paused = True
                self._steps += 1
            elif intent.action == "seek":
                self._until = float(intent.arguments.get("at", "0"))
            elif intent.action == "speed":
                wanted = intent.arguments.get("speed", "max")
                self._speed = None if wanted == "max" else float(wanted)
                self._anchor = (self._clock.now(), time.monotonic())
            else:
                engine.notice("info", f"{intent.action!r} means nothing in a replay")
