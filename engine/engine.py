"""The engine: data in through the `Sink`, one immutable `Snapshot` out at every beat, and nothing between that waits.

It belongs to one thread, the collector's. A fault in one table stays in that table; a fault on the disk is a notice.
A table in which nothing changed is the same object as in the snapshot before.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from engine import logs, sessions
from engine.alerting import Alerting
from engine.bars import RECENT_INTERVALS, BarBook, closes_before, recent_closes
from engine.bars_desk import Desk
from engine.board import Board
from engine.clock import Clock
from engine.config import Config
from engine.derived import CLOSE_BUDGET_S, Derived, Maker
from engine.engine_view import EngineView
from engine.errors import faults, printable
from engine.feeds_table import feeds_table
from engine.makers import makers as default_makers
from engine.model import (
    Bars,
    ChannelReport,
    Coverage,
    Event,
    FeedReport,
    FeedState,
    Intent,
    MarketClock,
    MarketFact,
    Mode,
    Notice,
    SessionState,
    Snapshot,
    Status,
)
from engine.outside import Outside
from engine.quotes import Quotes
from engine.store import Store
from engine.tables import TABLES, empty
from engine.workbench import Workbench
from engine.worker import Worker

log = logging.getLogger(__name__)

NOTICES: Final = 20
"""Notices in a snapshot; the oldest go first."""
RATE_WINDOW_S: Final = 5.0
AGES_S: Final = 1.0
"""With nothing else to say, `quotes` is made anew this often, for its ages."""
FACTS: Final = 2_000
"""Bases with whole-market figures; more are not taken."""
FEEDS: Final = 100
UNREAD: Final = frozenset({"1m", "1h"})
"""Bars that are kept and charted, but that no derived table is made from: they cause no close."""

MakeMakers = Callable[[Config, BarBook], Iterable[Maker]]


class Engine:
    """See the module's docstring.

    store: folder for bars; None keeps nothing. makers: what the derived tables are made by; None: those of
    `engine.makers`. worker: where heavy work is done; None: it is not done.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        *,
        mode: Mode = Mode.LIVE,
        scenario: str | None = None,
        store: Path | None = None,
        makers: MakeMakers | None = None,
        worker: Worker | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.mode = mode
        self.scenario = scenario
        self.simulated = mode is not Mode.LIVE
        self.board = Board(config)
        self.ingest = self.board.ingest  # no call between: this runs at tick rate
        self.bars = BarBook([f"{name}-bars" for name in config.crypto.exchanges])
        replayed = mode is Mode.REPLAY
        self._outside = Outside(config, store, self.notice, patient=replayed)
        self.ingest_outside = self._outside.ingest_outside
        self.ingest_fund_days = self._outside.ingest_fund_days
        self.desk = Desk(clock)
        """Takes what charts ask for."""
        self.bench = Workbench(config, self.board, worker, store, self.notice, patient=replayed)
        self._make_makers = makers or partial(default_makers, outside=self._outside, desk=self.desk, bench=self.bench)
        self._store = Store(store, clock) if store is not None else None
        self._folder = store
        self._alerting: Alerting | None = None
        self._quotes = Quotes(self.board, config, simulated=self.simulated)
        self._facts: dict[str, MarketFact] = {}
        self._view = EngineView(self.board, self._quotes, self._facts, simulated=self.simulated)
        self._derived = self._new_derived()
        self._reports: dict[tuple[str, str], FeedReport] = {}
        self._reports_changed = True
        self._leaving: set[tuple[str, str]] = set()
        """Feeds from before the last reconfiguration: where one closes, its row goes."""
        self._notices: deque[Notice] = deque(maxlen=NOTICES)
        self._tables: dict[str, pl.DataFrame] = {name: empty(name) for name in TABLES}
        self._snapshot: Snapshot | None = None
        self._broken: dict[str, str] = {}
        """The fault of each table that has one now."""
        self._seq = 0
        self._facts_changed = False
        self._bars_new = False
        self._quotes_built = float("-inf")
        self._ticks_seen = 0
        self._counts: deque[tuple[float, int]] = deque(maxlen=128)
        self._turn: tuple[object, ...] = ()
        self.urgent: Callable[[], None] | None = None
        """Called when the next beat should not wait: a connection was lost."""
        self.channels: Callable[[Event, bool], Sequence[str]] = _none
        """To which channels an event is owed, and whether it is silenced; asked as events are journalled."""
        self.calendars_ready: Callable[[], bool] = _yes
        """False while the exchange calendars are being built elsewhere: until then nothing is said of sessions."""

    # the Sink

    def ingest_bars(self, bars: Bars, /) -> None:
        """Merge bars, have them kept, and let the derived tables follow."""
        try:
            if not self.bars.merge(bars):
                return
        except faults() as error:  # one wrong frame of one source is told, not fatal
            self.notice("error", f"bars of {bars.symbol} by {bars.source} refused: {str(error)[:160]}")
            return
        self._bars_came(bars.interval)
        if self._store is not None:
            held = self.bars.of(bars.symbol, bars.interval, bars.source)
            if held is not None:
                self._store.save(bars._replace(frame=held.frame, quote_ccy=held.quote_ccy, replace=False))

    def ingest_fact(self, fact: MarketFact, /) -> None:
        """Take whole-market figures of one base; older than those held, they are dropped."""
        held = self._facts.get(fact.base)
        if (held is None and len(self._facts) >= FACTS) or (held is not None and held.as_of > fact.as_of):
            return
        if held != fact:
            self._facts[fact.base] = fact
            self._facts_changed = True

    def report_channel(self, report: ChannelReport, /) -> None:
        """A channel went up or down; down shows at once."""
        self.board.report_channel(report, self.clock.monotonic())
        self._view.channel(report)
        self._facts_changed = True
        if not report.up and self.urgent is not None:
            self.urgent()

    def report_feed(self, report: FeedReport, /) -> None:
        """A feed's newest word on itself."""
        key = (report.source, report.kind)
        if report.state is FeedState.CLOSED and key in self._leaving:
            self._leaving.discard(key)
            self._reports_changed |= self._reports.pop(key, None) is not None
            return
        if self._reports.get(key) != report and (key in self._reports or len(self._reports) < FEEDS):
            self._reports[key] = report
            self._reports_changed = True

    def coverage(self, symbol: str, interval: str, source: str, /) -> Coverage | None:
        """What is held already, so that a feed fetches only what is missing."""
        return self.bars.coverage(symbol, interval, source)

    # the rest of its life

    def load(self) -> None:
        """Take in the stored bars. Call it before any feed starts, so that coverage is right."""
        if self._store is None:
            return
        for bars in self._store.load(self.config.symbols):
            self.bars.merge(bars)
        self._bars_came()

    def close(self) -> None:
        """Write what waits and let go of the disk."""
        if self._alerting is not None:
            self._alerting.close()
        self._outside.close()
        self.bench.close()
        if self._store is not None:
            self._store.close()

    def notice(self, severity: str, text: str) -> None:
        """Tell the user something that is no row of a table; said twice in a row it stands once, as said now."""
        self.add_notice(Notice(self.clock.now(), severity, logs.redacted(printable(text))))

    def add_notice(self, notice: Notice) -> None:
        """As `notice`, for one that is made already."""
        if self._notices and self._notices[-1].text == notice.text:
            self._notices.pop()
        self._notices.append(notice)

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration; what is watched by both keeps its state."""
        self.config = config
        self.board.reconfigure(config)
        self._quotes.reconfigure(config)
        self._outside.reconfigure(config)
        self.bench.reconfigure(config)
        self._derived = self._new_derived()
        if self._alerting is not None:
            self._alerting = self._new_alerting()
        self._leaving = set(self._reports)
        self._bars_came()

    def latest(self) -> Snapshot | None:
        """The newest snapshot."""
        return self._snapshot

    def beat(self) -> Snapshot:
        """Make and publish one snapshot."""
        cpu = time.thread_time()
        mono, now = self.clock.monotonic(), self.clock.now()
        nyse = self._settle(mono, now)
        moved = True
        with self._alone("quotes"):
            moved = self._make_quotes(mono)
        with self._alone("feeds"):
            self._make_feeds()
        self._view.begin(now)
        if nyse.next_change is not None:  # without a calendar there is no grid
            if self._outside.poll(now, mono, self._facts):
                self._derived.refresh("flows", "facts", "regime", "claims", "gauges")
            with self._alone("scanner"):
                self._derived.refresh(*self.bench.poll(now, mono))
            self._derived.run(self._view, mono, moved=moved or self._facts_changed or self.desk.taken())
            self._facts_changed = False
        self._tables.update(self._derived.tables())
        with self._alone("alerts"):
            self._alert(now)
        if self._store is not None:
            self._notices.extend(self._store.notices())
        self._seq += 1
        snapshot = Snapshot(
            seq=self._seq,
            mode=self.mode,
            scenario=self.scenario,
            as_of=now,
            clock_offset=self.clock.offset,
            beat_at=time.monotonic(),
            beat_ms=(time.thread_time() - cpu) * 1000.0,
            ticks_per_s=self._tick_rate(mono),
            ticks=self.board.ticks,
            tables=dict(self._tables),
            nyse=nyse,
            config=self.config,
            notices=tuple(self._notices),
            events=tuple(self._alerting.events) if self._alerting is not None else (),
            settled=self.settled,
            store=self._folder,
        )
        self._snapshot = snapshot
        return snapshot

    @property
    def settled(self) -> bool:
        """Whether every feed has delivered or failed at what it first had to, and every table has seen it."""
        reported = bool(self._reports) and all(report.settled for report in self._reports.values())
        return reported and not self._derived.pending and not self._outside.pending and not self.bench.pending

    # parts of a beat

    def _settle(self, mono: float, now: float) -> MarketClock:
        if not self.calendars_ready():
            self.board.settle(mono, None)
            return MarketClock(sessions.XNYS, SessionState.CLOSED, None)
        nyse = sessions.market_clock(sessions.XNYS, now)
        futures = sessions.market_clock(sessions.CMES, now).state
        states: dict[str, SessionState] = {
            symbol: futures if sessions.market_of(symbol) == sessions.CMES else nyse.state
            for symbol in self.config.equity.symbols
        }
        self.board.settle(mono, states)
        turn = (nyse.state, nyse.next_change, now // 86_400)
        if turn != self._turn:
            self._turn = turn
            self._bars_new = True  # the day before is another one
            self._derived.bars_changed(mono)
        return nyse

    def _make_quotes(self, mono: float) -> bool:
        """Make `quotes` anew where something moved or its ages are a second old. True where more than ages changed."""
        if self._bars_new:
            self._bars_new = False
            self._quotes.set_recent(recent_closes(self.bars, self.config.symbols))
            self._quotes.set_anchors(closes_before(self.bars, self.config.equity.symbols, self.clock.now()))
        elif (
            self.board.ticks == self._ticks_seen
            and mono - self._quotes_built < AGES_S
            and not self._quotes.changed(settled=self.settled)
        ):
            return False
        self._ticks_seen = self.board.ticks
        self._quotes_built = mono
        self._tables["quotes"], moved = self._quotes.build(mono, settled=self.settled)
        return moved

    def _alert(self, now: float) -> None:
        """Step the rules; they begin with the first tick, since reading them takes a parser that takes time to load."""
        if self._alerting is None and not self.board.ticks:
            return
        if self._alerting is None or self._alerting.outdated:
            self._alerting = self._new_alerting()
        self._alerting.beat(self._tables, now)
        for name, table in self._alerting.tables(now, simulated=self.simulated).items():
            self._keep(name, table)

    def _new_alerting(self) -> Alerting:
        from engine.alert_setup import run_up

        return run_up(self._alerting, self.config, self.board, self._folder, self.notice, self.channels)

    def plan(self, intent: Intent) -> None:
        """What a user wants of a plan."""
        self._derived.refresh(*self.bench.carry_out(intent, self._view))

    def wish(self, intent: Intent) -> None:
        """What a user wants of an alert."""
        from engine.alert_wishes import carry_out

        now, alerting = self.clock.now(), self._alerting
        words = (
            "the rules begin with the first price"
            if alerting is None
            else carry_out(alerting, intent, now, self.config)
        )
        if words is not None:
            self.notice("info", words)

    def _make_feeds(self) -> None:
        if self._reports_changed:
            self._keep("feeds", feeds_table(list(self._reports.values()), simulated=self.simulated))
            self._reports_changed = False

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """A fault in here takes down the table `name` alone: its rows turn stale and the user is told, once a fault."""
        try:
            yield
        except faults() as error:
            text = f"table {name} cannot be made: {type(error).__name__}: {str(error)[:160]}"
            if self._broken.get(name) != text:
                log.exception("table %s", name)
                self.notice("error", text)
            self._broken[name] = text
            self._keep(name, self._tables[name].with_columns(pl.lit(Status.STALE.value).alias("status")))
        else:
            self._broken.pop(name, None)

    def _keep(self, name: str, table: pl.DataFrame) -> None:
        if not table.equals(self._tables[name]):
            self._tables[name] = table

    def _bars_came(self, interval: str | None = None) -> None:
        """Bars of `interval` changed, or of any (None)."""
        if interval not in UNREAD:
            self._derived.bars_changed(self.clock.monotonic(), interval)
        if interval is None or interval in RECENT_INTERVALS:
            self._bars_new = True

    def _new_derived(self) -> Derived:
        budget = math.inf if self.mode is Mode.REPLAY else CLOSE_BUDGET_S  # a replay's beat does all that is due
        makers = tuple(self._make_makers(self.config, self.bars))
        return Derived(makers, lambda text: self.notice("error", text), budget)

    def _tick_rate(self, mono: float) -> float:
        counts = self._counts
        counts.append((mono, self.board.ticks))
        while len(counts) > 1 and mono - counts[0][0] > RATE_WINDOW_S:
            counts.popleft()
        (since, before), span = counts[0], mono - counts[0][0]
        return (self.board.ticks - before) / span if span > 0.0 and since < mono else 0.0


def _yes() -> bool:
    return True


def _none(event: Event, silenced: bool) -> Sequence[str]:
    return ()
