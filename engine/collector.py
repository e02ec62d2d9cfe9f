"""The collector: one thread with its own loop, in which feeds and engine live; the screen never waits for it.

The two meet at the newest snapshot (a reference) and at a queue of intents. Whatever breaks in here is seen: the feeds'
runner is started again with a notice, and what ends the thread itself stands in `failure()`. Light to import: the heavy
libraries come in with the thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from engine import errors, garbage
from engine.clock import Clock
from engine.config import Config
from engine.model import Intent, Mode, Notice, Sink, Snapshot
from engine.own_levels import with_level
from engine.sending import MakeSender, Sending
from engine.worker import Worker

if TYPE_CHECKING:
    from engine.engine import Engine

log = logging.getLogger(__name__)

INTENTS: Final = 100
"""Intents that may wait; more push out the oldest."""
RELOAD_S: Final = 1.0
TIDY_S: Final = 600.0
"""How often what stands free is given back to the system."""
LEAVE_S: Final = 1.5
"""What the feeds have to end in once they are told to."""
LEFT_S: Final = 0.5
"""What tasks have to end in that libraries left behind."""
RESTART_S: Final = (1.0, 30.0)
"""First and longest pause before the feeds' runner is started again; doubles."""
SOONEST_S: Final = 0.03
"""Two beats are never closer than this."""
PLAN_ACTIONS: Final = frozenset({"plan", "drop-plan", "whatif", "drop-whatif"})
ALERT_ACTIONS: Final = frozenset(
    {"acknowledge", "snooze", "mute", "unmute", "save-rule", "delete-rule", "enable-rule", "disable-rule"}
)
FAULTS: Final = 20
"""So many failing beats in a row end the collector."""


class Feeds(Protocol):
    """All feeds under their supervisors."""

    async def run(self) -> None:
        """Run them until cancelled."""
        ...

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration."""
        ...

    def retry(self) -> int:
        """Try now whatever waits for a retry; how many sources that are."""
        ...


Prepare = Callable[[Sink, Config, Clock], Feeds]
"""Builds the feeds. Called in the collector's thread, inside its loop: heavy imports belong in it."""


class Collector:
    """A `SnapshotSource` with a life: `start`, then `stop`.

    store: folder for bars and the journal, or None to keep nothing. reload: asked about once a second for a changed
    configuration. sender: builds what takes alerts to the outside, None where nothing goes out. calendars: folders
    that may hold built calendars; the first is written.
    """

    def __init__(
        self,
        prepare: Prepare,
        *,
        config: Config,
        mode: Mode,
        scenario: str | None,
        clock: Clock,
        store: Path | None,
        reload: Callable[[], Config | Notice | None] | None = None,
        sender: MakeSender | None = None,
        calendars: Sequence[Path] = (),
    ) -> None:
        self._prepare = prepare
        self._config = config
        self._mode = mode
        self._scenario = scenario
        self._clock = clock
        self._store = store
        self._reload = reload
        self._refused: tuple[str, str] | None = None
        """What was said of the newest configuration, where it is not in force."""
        self._sender = sender
        self._calendars = calendars
        self._sending: Sending | None = None
        self.worker = Worker(config.worker.memory_mb)
        """Where heavy work is done; its process starts with the first job and ends with the collector."""
        self._snapshot: Snapshot | None = None
        self._failure: str | None = None
        self._intents: deque[Intent] = deque(maxlen=INTENTS)
        self._stopping = False
        self._kept = False
        self._feeds: Feeds | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    # for any thread

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 2.5) -> bool:
        """End it, the feeds first. True where it has ended within `timeout` seconds."""
        self._stopping = True
        self._nudge()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def latest(self) -> Snapshot | None:
        """The newest snapshot, or None before the first beat."""
        return self._snapshot

    def send(self, intent: Intent, /) -> None:
        """Have a wish carried out at the next turn."""
        self._intents.append(intent)
        self._nudge()

    def ready(self) -> bool:
        """Whether every source has delivered or failed at what it first had to."""
        latest = self._snapshot
        return latest is not None and latest.settled

    def failure(self) -> str | None:
        """Why it ended, in words, where it ended by itself; else None."""
        return self._failure

    def _nudge(self) -> None:
        """Cut short the wait for the next beat."""
        with self._lock:
            if self._loop is not None and self._wake is not None:
                self._loop.call_soon_threadsafe(self._wake.set)

    # the thread

    def _run(self) -> None:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(_log_unhandled)
        try:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(self._live(loop))
        except BaseException as error:
            log.exception("the collector ended")
            self._failure = f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            with self._lock:
                self._loop = None
            self.worker.close()
            _end_rest(loop)
            asyncio.set_event_loop(None)
            loop.close()

    async def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        from engine import sessions
        from engine.engine import Engine

        with self._lock:
            self._loop, self._wake = loop, asyncio.Event()
        wake = self._wake
        garbage.seldom()
        engine = Engine(
            self._config, self._clock, mode=self._mode, scenario=self._scenario, store=self._store, worker=self.worker
        )
        engine.urgent = wake.set
        sessions.keep_in(*self._calendars)
        warmth = _Warmth(sessions.recall())
        engine.calendars_ready = warmth.ready
        engine.load()
        self._snapshot = engine.beat()
        self._sending = sending = Sending(self._sender, engine, self._clock)
        sending.use(self._config)
        feeds = loop.create_task(self._keep_feeds(engine, warmth), name="feeds")
        try:
            await self._beats(engine, wake)
        finally:
            feeds.cancel()
            await asyncio.wait({feeds}, timeout=LEAVE_S)
            await sending.stop()
            engine.close()

    async def _beats(self, engine: Engine, wake: asyncio.Event) -> None:
        clock, faults, asked, due = self._clock, 0, float("-inf"), self._clock.monotonic()
        tidied = due
        while not self._stopping:
            mono = clock.monotonic()
            self._carry_out(engine)
            if mono - asked >= RELOAD_S:
                asked = mono
                self._look_for_config(engine)
            if mono - tidied >= TIDY_S:
                tidied = mono
                garbage.give_back()
            try:
                self._snapshot = engine.beat()
                faults = 0
                if self._snapshot.settled and not self._kept:
                    self._kept = True
                    garbage.keep()
            except errors.faults() as error:
                faults += 1
                log.exception("a beat failed")
                engine.notice("error", f"a beat failed: {type(error).__name__}: {str(error)[:160]}")
                if faults >= FAULTS:
                    raise
            period = 1.0 / min(max(engine.config.refresh.beat_hz, 1.0), 20.0)
            now = clock.monotonic()
            due = due + period if due + period > now else now + SOONEST_S
            wake.clear()
            if self._stopping:
                return
            await asyncio.sleep(SOONEST_S)
            if (rest := due - clock.monotonic()) > 0.0:
                await _first(wake, rest)

    def _carry_out(self, engine: Engine) -> None:
        while self._intents:
            intent = self._intents.popleft()
            if intent.action == "reload-config":
                # twice: a change counts from the second look on, and who asks for it has saved it
                if not (self._look_for_config(engine) or self._look_for_config(engine)):
                    engine.notice(*(self._refused or ("info", "the configuration is as it was at the last look")))
            elif intent.action == "retry":
                tried = 0 if self._feeds is None else self._feeds.retry()
                engine.notice("info", f"sources tried again now: {tried}" if tried else "no source waits for a retry")
            elif intent.action == "bars":
                if (refused := engine.desk.ask(intent.arguments)) is not None:
                    engine.notice("warning", refused)
            elif intent.action == "level":
                made = with_level(engine.config, intent.arguments)
                if isinstance(made, Config):
                    self._apply(engine, made)
                else:
                    engine.notice("warning", made)
            elif intent.action in PLAN_ACTIONS:
                engine.plan(intent)
            elif intent.action in ALERT_ACTIONS:
                engine.wish(intent)
            else:
                engine.notice("warning", f"nobody carries out {intent.action!r}")

    def _look_for_config(self, engine: Engine) -> bool:
        """Whether there was anything to say of it."""
        if self._reload is None:
            return False
        try:
            found = self._reload()
            if isinstance(found, Config):
                self._refused = None
                self._apply(engine, found)
            elif found is not None:
                self._refused = found.severity, found.text
                engine.add_notice(found)
        except errors.faults() as error:
            log.exception("a configuration could not be applied")
            engine.notice("error", f"the configuration could not be applied: {type(error).__name__}: {error}")
            return True
        return found is not None

    def _apply(self, engine: Engine, config: Config) -> None:
        from engine.alert_setup import refusal

        refused = refusal(config)
        if refused is not None:
            engine.notice("error", refused)
            return
        self._config = config
        self.worker.memory_mb = config.worker.memory_mb
        if self._sending is not None:
            self._sending.use(config)
        engine.reconfigure(config)
        if self._feeds is not None:
            self._feeds.reconfigure(config)
        engine.notice("info", "the changed configuration is in force")

    async def _keep_feeds(self, engine: Engine, warmth: _Warmth) -> None:
        """Run the feeds; their runner does not end by itself, so where it does, say so and start it again."""
        pause = RESTART_S[0]
        while True:
            began = self._clock.monotonic()
            try:
                self._feeds = self._prepare(engine, self._config, self._clock)
                warmth.begin()
                await self._feeds.run()
                why = "they ended"
            except errors.faults() as error:
                log.exception("the feeds' runner failed")
                why = f"{type(error).__name__}: {str(error)[:160]}"
            finally:
                self._feeds = None
                warmth.begin()
            pause = RESTART_S[0] if self._clock.monotonic() - began > 2 * RESTART_S[1] else pause
            engine.notice("error", f"the feeds stopped ({why}); started again in {pause:.0f} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, RESTART_S[1])


class _Warmth:
    """Builds the calendars beside the loop, after the feeds had their turn at the imports."""

    def __init__(self, done: bool) -> None:
        """done: they were on disk."""
        self._done = threading.Event()
        self._error: BaseException | None = None
        self._begun = done
        if done:
            self._done.set()

    def begin(self) -> None:
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._warm, name="calendars", daemon=True).start()

    def _warm(self) -> None:
        from engine import sessions

        try:
            sessions.warm()
        except Exception as error:  # noqa: BLE001 — raised again in the collector, by the next beat
            self._error = error
        self._done.set()

    def ready(self) -> bool:
        if self._error is not None:
            raise RuntimeError(f"the exchange calendars cannot be built: {self._error}")
        return self._done.is_set()


def _end_rest(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what libraries left running in the loop, such as ccxt's throttlers; nobody else owns those."""
    rest = asyncio.all_tasks(loop)
    for task in rest:
        task.cancel()
    if rest:
        loop.run_until_complete(asyncio.wait(rest, timeout=LEFT_S))


async def _first(event: asyncio.Event, seconds: float) -> None:
    """Wait for `event`, but no longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _log_unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    log.error("%s", context.get("message"), exc_info=error if isinstance(error, BaseException) else None)
