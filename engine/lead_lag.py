"""Correlation and lead-lag of ticks where both legs are streamed: the rows of `correlations` whose window is 0.

Measured by the worker every few minutes over the session so far (the UTC day where neither leg has sessions), as far
back as the ring of ticks reaches (`engine.ticks`). Both legs need 200 increments (METRICS §6); until then the row says
`warming` and how many there are. Where a leg is not streamed there is no row: the daily lead-lag stands for the couple.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from engine import sessions
from engine.cross import LEAST_INCREMENTS, LeadLag, hy_lead_lag
from engine.errors import SizewatchError
from engine.grid import DAY, Floats
from engine.legs import Pair
from engine.model import SessionState, Status
from engine.ticks import Trace
from engine.view import Live
from engine.worker import Worker

EVERY_S: Final = 300.0
FIRST_S: Final = 30.0
"""Until a couple has its first figures it is looked at this often."""
TIMEOUT_S: Final = 120.0
LATE_S: Final = 3 * EVERY_S
"""Figures that are older are stale."""
TICKS: Final = 0
"""`window` of these rows."""
FRESH: Final = Live(status=Status.OK)

Series = tuple[Floats, Floats, Floats, Floats]


class Measured(NamedTuple):
    """One couple's figures."""

    lead: LeadLag
    n: int
    """Increments of the leg that has fewer."""
    at: float
    """Epoch seconds of the newest tick in it."""


def measure(couples: Sequence[Series]) -> list[LeadLag]:
    """The worker's job: of every couple (times and log prices of a, then of b)."""
    return [hy_lead_lag(*couple) for couple in couples]


class Leads:
    """Looks now and then at what the traces hold of each couple, has it measured, and makes its rows.

    tell: takes a severity and a sentence for the user. patient: wait for each measurement (a replay).
    """

    def __init__(self, worker: Worker | None, tell: Callable[[str, str], None], *, patient: bool = False) -> None:
        self._worker = worker
        self._tell = tell
        self._patient = patient
        self._pairs: tuple[Pair, ...] = ()
        self._measured: dict[str, Measured] = {}
        self._starts: dict[str, float] = {}
        """Since when each couple's session runs, as of the last look."""
        self._due = -math.inf
        self._running: Future[list[LeadLag]] | None = None
        self._asked: list[tuple[str, int, float]] = []

    def watch(self, pairs: Iterable[Pair]) -> None:
        """These couples from now on; those of single symbols are looked at."""
        self._pairs = tuple(p for p in pairs if p.a.kind == p.b.kind == "symbol")
        names = {p.name for p in self._pairs}
        self._measured = {name: made for name, made in self._measured.items() if name in names}

    @property
    def symbols(self) -> tuple[str, ...]:
        """Whose ticks are needed."""
        return tuple(dict.fromkeys(s for pair in self._pairs for s in pair.symbols))

    def poll(self, now: float, mono: float, traces: Mapping[str, Trace]) -> bool:
        """One beat. True where the rows are to be made anew."""
        news = self._take()
        if mono < self._due or self._running is not None:
            return news
        series: list[Series] = []
        self._asked = []
        for pair in self._pairs:
            news = self._look(pair, now, traces, series) or news
        if series and self._worker is not None:
            self._running = self._worker.submit(measure, series, timeout_s=TIMEOUT_S)
        waits = any(made.lead.at_zero is None for made in self._measured.values())
        self._due = mono + (FIRST_S if waits else EVERY_S)
        return self._take() or news

    def _look(self, pair: Pair, now: float, traces: Mapping[str, Trace], series: list[Series]) -> bool:
        """What there is of one couple; True where its row changes at once."""
        start, opened = session_start(pair, now)
        began = start != self._starts.get(pair.name)
        if began:
            self._starts[pair.name] = start
            began = self._measured.pop(pair.name, None) is not None
        a, b = (traces.get(leg.symbols[0]) for leg in (pair.a, pair.b))
        if not opened or a is None or b is None or min(a.last, b.last) < start:
            return began
        t, x = a.since(start)
        s, y = b.since(start)
        n, at = min(len(t), len(s)) - 1, max(a.last, b.last)
        held = self._measured.get(pair.name)
        if n < LEAST_INCREMENTS:
            self._measured[pair.name] = Measured(LeadLag(None, None, None), n, at)
            return True
        if held is None or at > held.at or held.lead.at_zero is None:
            self._asked.append((pair.name, n, at))
            series.append((t, x, s, y))
        return began

    def _take(self) -> bool:
        running = self._running
        if running is None or not (running.done() or self._patient):
            return False
        self._running = None
        try:
            found = running.result()
        except SizewatchError as error:
            self._tell("error", f"who leads whom was not measured: {error}")
            return False
        for (name, n, at), lead in zip(self._asked, found, strict=True):
            self._measured[name] = Measured(lead, n, at)
        return True

    def rows(
        self, now: float, *, simulated: bool, live: Callable[[str], Live] = lambda _: FRESH
    ) -> list[dict[str, Any]]:
        """The rows of `correlations` that come from ticks; stale at once where a leg's price is. live: a view's."""
        made = []
        for pair in self._pairs:
            measured = self._measured.get(pair.name)
            if measured is None:
                continue
            lead, known = measured.lead, measured.lead.at_zero is not None
            found = lead.lag is not None
            made.append(
                {
                    "a": pair.a.text,
                    "b": pair.b.text,
                    "window": TICKS,
                    "corr": lead.at_zero,
                    "lead_lag_s": lead.lag,
                    "lead_lag_corr": lead.corr if found else None,
                    "lead_lag": (f"{lead.lag:+.0f} s" if found else "none") if known else None,
                    "as_of": datetime.fromtimestamp(measured.at, UTC),
                    "n": measured.n,
                    "status": self._status(pair, measured, now, live).value,
                    "simulated": simulated,
                }
            )
        return made

    @staticmethod
    def _status(pair: Pair, measured: Measured, now: float, live: Callable[[str], Live]) -> Status:
        _, opened = session_start(pair, now)
        if not opened:
            return Status.CLOSED
        if now - measured.at > LATE_S or any(live(symbol).status is Status.STALE for symbol in pair.symbols):
            return Status.STALE
        return Status.OK if measured.lead.at_zero is not None else Status.WARMING


def session_start(pair: Pair, now: float) -> tuple[float, bool]:
    """Since when the session runs that both legs share, and whether it is under way; else the last one's start."""
    starts, opened = [], True
    for symbol in pair.symbols:
        market = sessions.market_of(symbol)
        if market == sessions.ALWAYS:
            continue
        hours = sessions.hours(market)
        at = hours.last_opened(now)
        starts.append(hours.opens[at] if at >= 0 else 0.0)
        opened = opened and sessions.market_clock(market, now).state is SessionState.OPEN
    return (max(starts) if starts else now // DAY * DAY), opened
