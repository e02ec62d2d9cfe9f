"""What is known from outside the connected markets: funds' flows, facts, and the daily values that nobody else keeps.

The database is read and written by one thread of its own, because decades of fund days take longer than a beat may.
What it has worked out is handed over whole by swapping a reference; a beat only looks whether there is something new.
A fault there is told once and takes down nothing else.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from engine import sessions
from engine.config import Config
from engine.database import Database, DatabaseError
from engine.errors import SizewatchError, faults
from engine.flow_store import load_days, load_published, revision, save_days
from engine.flow_table import FlowRow, flow_rows
from engine.model import FundDays, MarketFact, OutsideFact

FACTS: Final = 200
"""Facts that are held; more are not taken."""
PATIENCE_S: Final = 60.0
"""The longest that a patient poll waits for the thread."""
WAITING: Final = 1_000
"""Jobs that may wait for the thread; what comes beyond is dropped and told."""
LOOK_S: Final = 1.0
"""How often the database is looked at for what another process imported."""
KEEP_VALUE_S: Final = 600.0
"""A daily value is written down again at most this often; the day's last one stays."""
DOMINANCE: Final = "btc_dominance"
DOMINANCE_DAYS: Final = 30
DOMINANCE_SLACK: Final = 5
"""A 30-day change is taken from the snapshot nearest to 30 days ago, if it is at most so many days off."""
NEW_DAYS: Final = 30
"""A member counts as new for so many days."""
_EPOCH: Final = date(1970, 1, 1)

Job = Callable[[Database], None]
_Jobs = queue.Queue[tuple[Job, bool] | None]


class Kept(NamedTuple):
    """What the database says. Replaced as a whole."""

    flows: tuple[FlowRow, ...] = ()
    dominance: Mapping[date, float] = {}
    """BTC's dominance by UTC day, per cent; the last 60 days."""
    newcomers: Mapping[str, tuple[int, int]] = {}
    """Of each fact with members: how many were first seen in the last `NEW_DAYS`, and the days since the first run."""


class Outside:
    """See the module's docstring.

    folder: of the database; None keeps and reads nothing. tell: takes a severity and a sentence for the user; called
    from `poll` alone, so in the engine's thread. patient: `poll` waits for the thread, so that a replay's beat sees the
    same whatever the machine was busy with.
    """

    def __init__(
        self, config: Config, folder: Path | None, tell: Callable[[str, str], None], *, patient: bool = False
    ) -> None:
        self.config = config
        self._patient = patient
        self._folder = folder
        self._tell = tell
        self._facts: dict[str, OutsideFact] = {}
        self._kept = Kept()
        self._jobs: _Jobs = queue.Queue(WAITING)
        """What to do, and whether it must be done again where the disk refused it."""
        self._refused: deque[Job] = deque(maxlen=WAITING)
        """What the disk refused; the thread's own."""
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._changed = True
        self._open = 0
        """Jobs that have not ended; changed under `_lock`."""
        self._lock = threading.Condition()
        self._looked = float("-inf")
        self._revision = -1
        self._wrote = float("-inf")
        self._loaded = folder is None

    # the Sink's part

    def ingest_outside(self, fact: OutsideFact, /) -> None:
        """Take a fact; one older than that held is dropped."""
        held = self._facts.get(fact.fact)
        if (held is None and len(self._facts) >= FACTS) or (held is not None and held.as_of > fact.as_of):
            return
        if held != fact:
            self._facts[fact.fact] = fact
            self._changed = True
            if fact.members:
                self._do(lambda database: self._see_members(database, fact), keep=True)

    def ingest_fund_days(self, days: FundDays, /) -> None:
        """Have days of funds kept, and the flows worked out anew where they say something new."""

        def save(database: Database) -> None:
            save_days(database, days.days, days.source)
            self._read(database)

        self._do(save, keep=True)

    # the engine's part

    @property
    def facts(self) -> Mapping[str, OutsideFact]:
        """The newest of each fact, by name."""
        return self._facts

    @property
    def kept(self) -> Kept:
        """What the database says."""
        return self._kept

    @property
    def pending(self) -> bool:
        """Whether something that came or that is stored has not been worked out and polled yet."""
        return self._open > 0 or not self._loaded or self._changed

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration: its groups of funds, its facts."""
        if config.flows.groups != self.config.flows.groups:
            self._revision = -1
            self._looked = float("-inf")
        self.config = config
        self._changed = True

    def poll(self, now: float, mono: float, market: Mapping[str, MarketFact]) -> bool:
        """One beat. Whether a table that is made from here must be made anew."""
        while not self._said.empty():
            self._tell("error", self._said.get_nowait())
        if mono - self._looked >= LOOK_S and self._open == 0:
            self._looked = mono
            self._do(lambda database: self._read(database, today=_EPOCH + timedelta(days=int(now // 86_400))))
        btc = market.get("BTC")
        if btc is not None and btc.dominance_pct is not None and mono - self._wrote >= KEEP_VALUE_S:
            self._wrote = mono
            day, value = datetime.fromtimestamp(btc.as_of, UTC).date(), btc.dominance_pct
            self._do(lambda database: self._keep_dominance(database, day, value))
        if self._patient:
            with self._lock:
                self._lock.wait_for(lambda: self._open == 0, PATIENCE_S)
        changed, self._changed = self._changed, False
        return changed

    @property
    def dominance(self) -> Mapping[date, float]:
        """BTC's dominance by UTC day, per cent; the same object until a day or its value is new."""
        return self._kept.dominance

    def dominance_change(self, now: float) -> tuple[float, int] | None:
        """BTC's dominance now less that of 30 days ago, in points, and how many days that really are; None: no past."""
        by_day = self._kept.dominance
        today = _EPOCH + timedelta(days=int(now // 86_400))
        held = sorted(day for day in by_day if day <= today)
        if not held:
            return None
        newest, target = held[-1], held[-1] - timedelta(days=DOMINANCE_DAYS)
        past = min(held, key=lambda day: abs((day - target).days))
        if abs((past - target).days) > DOMINANCE_SLACK:
            return None
        return by_day[newest] - by_day[past], (newest - past).days

    def close(self) -> None:
        """Let the thread end, what waits done first; it is not waited for long."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(5.0)
            self._thread = None

    # the thread's part

    def _do(self, job: Job, *, keep: bool = False) -> None:
        if self._folder is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="outside", daemon=True)
            self._thread.start()
        with self._lock:
            self._open += 1
        try:
            self._jobs.put_nowait((job, keep))
        except queue.Full:
            self._ended()
            self._said.put("fund days came faster than the disk takes them: some were dropped")

    def _ended(self) -> None:
        with self._lock:
            self._open -= 1
            self._lock.notify_all()

    def _work(self) -> None:
        """Runs in the thread: every job in turn, on one connection that is opened anew after a fault."""
        database: Database | None = None
        last = ""
        while (given := self._jobs.get()) is not None:
            job, keep = given
            try:
                database = database or self._opened()
                job(database)
                while self._refused:  # whoever comes first finds out whether there is room again
                    self._refused[0](database)
                    self._refused.popleft()
                last = ""
            except faults() as error:  # it is told; flows and facts are not worth the other tables
                words = str(error) if isinstance(error, SizewatchError) else f"{type(error).__name__}: {error}"
                if keep and isinstance(error, DatabaseError):
                    self._refused.append(job)
                if words != last:
                    self._said.put(f"flows: {words[:200]}")
                last = words
                self._loaded = True
                self._changed = True
            self._ended()
        if database is not None:
            database.close()

    def _opened(self) -> Database:
        assert self._folder is not None
        return Database(self._folder)

    def _read(self, database: Database, today: date | None = None) -> None:
        """Work the flows out anew where the store has changed."""
        number = revision(database)
        config = self.config
        if number != self._revision:
            if number:
                days = load_days(database)
                rows = flow_rows(
                    days, config.flows.groups, self._sessions(days["date"].min()), load_published(database)
                )
            else:
                rows = ()
            self._revision = number
            self._kept = self._kept._replace(flows=rows)
            self._changed = True
        if not self._loaded:
            since = (today or date.today()) - timedelta(days=60)
            self._kept = self._kept._replace(dominance=_dominance(database, since))
            self._loaded = self._changed = True

    @staticmethod
    def _sessions(first: object) -> Sequence[date]:
        begin = first if isinstance(first, date) else date(2000, 1, 1)
        return sessions.sessions_between(begin, date(2100, 1, 1))

    def _keep_dominance(self, database: Database, day: date, value: float) -> None:
        database.execute(
            "INSERT INTO daily_values (name, day, value) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            (DOMINANCE, day.isoformat(), value),
        )
        self._kept = self._kept._replace(dominance=_dominance(database, day - timedelta(days=60)))
        self._changed = True

    def _see_members(self, database: Database, fact: OutsideFact) -> None:
        day = datetime.fromtimestamp(fact.as_of, UTC).date()
        with database.transaction() as connection:
            connection.executemany(
                "INSERT INTO members (name, member, first_seen) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(fact.fact, member, day.isoformat()) for member in fact.members],
            )
        began = date.fromisoformat(
            str(database.rows("SELECT MIN(first_seen) FROM members WHERE name = ?", (fact.fact,))[0][0])
        )
        since = max(began, day - timedelta(days=NEW_DAYS)).isoformat()
        new = database.rows("SELECT COUNT(*) FROM members WHERE name = ? AND first_seen > ?", (fact.fact, since))[0][0]
        newcomers = {**self._kept.newcomers, fact.fact: (int(str(new)), (day - began).days)}
        self._kept = self._kept._replace(newcomers=newcomers)
        self._changed = True


def _dominance(database: Database, since: date) -> dict[date, float]:
    rows = database.rows(
        "SELECT day, value FROM daily_values WHERE name = ? AND day >= ? ORDER BY day", (DOMINANCE, since.isoformat())
    )
    return {date.fromisoformat(str(day)): float(str(value)) for day, value in rows}
