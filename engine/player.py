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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from engine.clock import ReplayClock
from engine.collector import ALERT_ACTIONS, PLAN_ACTIONS
from engine.config import Config
from engine.errors import SizewatchError, faults
from engine.model import Intent, Mode, Playing, Sink, Snapshot
from engine.worker import Worker

if TYPE_CHECKING:
    from engine.engine import Engine

log = logging.getLogger(__name__)

Entry = tuple[float, str, str, Any]
"""(epoch seconds, source, kind, payload); only the time is looked at here."""
YIELD_EVERY: Final = 64
"""Beats between two turns of the loop when nothing is waited for."""
HEART_S: Final = 0.4
"""Where no beat falls for so long, as time stands still or goes slowly, the heartbeat is shown all the same."""
SPEEDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, None)
"""What faster and slower step through; None: as fast as it goes."""


class Decoder(Protocol):
    """What turns entries into values for a sink."""

    def play(self, entry: Entry) -> None:
        """One entry, at the moment that the clock stands at."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


class Player:
    """Plays one recording. Intents: `pause` (and on again), `step` (one beat), `seek` (argument `at`, epoch seconds, or
    `by`, seconds from here; what lies behind is played again from the start, as fast as it goes), `speed` (argument
    `speed`, a number or `max`, or `by`, places in `SPEEDS`).

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
        self._shown = float("-inf")
        """The moment of the newest beat."""
        self._rewind = False
        """Begin anew: what was asked for lies behind."""
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
        except faults() as error:
            log.exception("the replay ended")
            self._failure = f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            self.worker.close()
            self.finished.set()

    async def _play(self) -> None:
        passes = 0
        while not self._stopping and (passes == 0 or self._rewind):
            self._rewind = False
            # a second pass must know nothing of the first: a store of its own
            store = self._store / f"pass-{passes}" if self._store is not None and passes else self._store
            await self._once(store)
            passes += 1

    async def _once(self, store: Path | None) -> None:
        """The recording from its start to its end, or until something that lies behind is asked for."""
        from engine.engine import Engine

        entries = self._entries()
        first = next(entries, None)
        clock = self._clock
        if first is None:
            raise SizewatchError(f"{self._scenario}: nothing was recorded")
        clock.begin(first[0])
        self._shown = float("-inf")
        engine = Engine(self._config, clock, mode=Mode.REPLAY, scenario=self._scenario, store=store)
        decoder = self._decoder(engine, self._config, clock)
        period = 1.0 / min(max(self._config.refresh.beat_hz, 1.0), 20.0)
        self._anchor = (first[0], time.monotonic())
        beats = 0
        try:
            entry: Entry | None = first
            while entry is not None and self._goes_on:
                while (due := first[0] + beats * period) <= entry[0] and self._goes_on:
                    await self._wait(engine, due, beats)
                    if not self._goes_on:
                        break
                    clock.set(due)
                    self._publish(engine.beat())
                    beats += 1
                clock.set(entry[0])
                decoder.play(entry)
                entry = next(entries, None)
            if self._goes_on:
                clock.set(first[0] + beats * period)
                self._publish(engine.beat(), ended=True)
                self.finished.set()
                await self._linger(engine)
        finally:
            await decoder.close()
            engine.close()

    @property
    def _goes_on(self) -> bool:
        return not (self._stopping or self._rewind)

    def _publish(self, snapshot: Snapshot, *, ended: bool = False) -> None:
        self._shown = snapshot.as_of
        self._snapshot = replace(snapshot, playing=self._playing(ended))

    def _playing(self, ended: bool) -> Playing:
        seeking = not ended and self._until is not None and self._shown < self._until
        return Playing(self._speed, self._paused and not (seeking or ended), seeking, ended)

    def _beat_heart(self, *, ended: bool = False) -> None:
        """No time passes, and it is not stuck."""
        held, now = self._snapshot, time.monotonic()
        if held is not None and (now - held.beat_at > HEART_S or held.playing != self._playing(ended)):
            self._publish(replace(held, beat_at=now), ended=ended)

    async def _wait(self, engine: Engine, due: float, beats: int) -> None:
        """Until the beat at `due` is to be shown."""
        while not self._stopping:
            self._carry_out(engine)
            if self._rewind:
                return
            if self._steps:
                self._steps -= 1
                return
            if self._until is not None and self._shown >= self._until:
                self._until = None
            if self._until is not None:
                self._anchor = (due, time.monotonic())
            elif self._paused:
                self._beat_heart()
                await asyncio.sleep(0.02)
                self._anchor = (due, time.monotonic())
                continue
            elif self._speed is not None:
                moment, ours = self._anchor
                rest = ours + (due - moment) / self._speed - time.monotonic()
                if rest > 0:
                    self._beat_heart()
                    await asyncio.sleep(min(rest, 0.05))
                    continue
            if beats % YIELD_EVERY == 0:
                await asyncio.sleep(0)
            return

    async def _linger(self, engine: Engine) -> None:
        """The end stays on the screen; the heartbeat goes on, time does not."""
        while self._goes_on:
            self._carry_out(engine)
            self._beat_heart(ended=True)
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
                self._seek(intent)
            elif intent.action == "speed":
                self._set_speed(intent)
            elif intent.action == "bars":
                if (refused := engine.desk.ask(intent.arguments)) is not None:
                    engine.notice("warning", refused)
            elif intent.action in PLAN_ACTIONS:
                engine.plan(intent)
            elif intent.action in ALERT_ACTIONS:
                engine.wish(intent)
            else:
                engine.notice("info", f"{intent.action!r} means nothing in a replay")

    def _seek(self, intent: Intent) -> None:
        now = self._clock.now()
        to = intent.arguments.get("at")
        self._until = float(to) if to is not None else now + float(intent.arguments.get("by", "0"))
        self._rewind = self._until < now

    def _set_speed(self, intent: Intent) -> None:
        wanted, by = intent.arguments.get("speed", "max"), intent.arguments.get("by")
        if by is not None:
            # from a speed between two of them, to the next in that direction
            at = next((n for n, s in enumerate(SPEEDS) if s is None or (self._speed or 1e9) <= s), 0)
            if self._speed is None:
                at = len(SPEEDS) - 1
            self._speed = SPEEDS[min(max(at + int(by), 0), len(SPEEDS) - 1)]
        else:
            self._speed = None if wanted == "max" else float(wanted)
        self._anchor = (self._clock.now(), time.monotonic())
