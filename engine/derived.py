"""Runs the maths: when each derived table is made, and what the others may lose when one of them breaks: nothing.

A table is made in two stages (`engine.view`): `at_close` when bars changed or a session turned, `live` at a beat where
something moved. The work of a close is bounded a beat, so that the quotes never wait for it. A table that comes out
equal to what was published stays the same object.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import polars as pl

from engine.errors import faults
from engine.model import Status
from engine.tables import TABLES, empty
from engine.view import View

log = logging.getLogger(__name__)

CLOSE_BUDGET_S: Final = 0.020
_DAILY: Final = ("markets", "baskets", "volumes", "correlations", "regime", "rotation", "claims", "flows", "facts")
SLOW: Final = frozenset({*_DAILY, "scanner", "plans", "whatifs"})
"""Tables of figures over a day or more: dear, slow to move, and made together because they share their inputs."""
INTRADAY: Final = frozenset({"volumes", "levels"})
"""Tables whose closes read 5-minute bars; all others read daily ones alone."""
SLOW_S: Final = 1.0
"""Seconds between two makings of one of those."""
SLOW_BUDGET_S: Final = 0.010
"""After this much of a beat, in seconds of the thread, those that are due wait for the next one; for one more second at
the most."""
QUIET_S: Final = 0.5
"""Closes wait until no bars came for so long…"""
PATIENCE_S: Final = 3.0
"""…but not longer than this after the first that did."""


class Maker(Protocol):
    """One derived table."""

    name: str

    def at_close(self, now: float) -> Any:
        """What depends on bars and the calendar alone; handed back to `live`."""
        ...

    def live(self, state: Any, view: View) -> pl.DataFrame:
        """The table at this beat, in the schema of `engine.tables`."""
        ...


@dataclass
class _Slot:
    maker: Maker
    table: pl.DataFrame
    state: Any = None
    ready: bool = False
    """Whether `state` exists, and is of the bars that its table may be made from."""
    due: bool = True
    """Whether the bars behind `state` have changed."""
    fresh: bool = False
    """Whether `state` is newer than the table."""
    moved: bool = False
    """Something that `live` reads has changed since it last ran."""
    closed_at: float = float("-inf")
    """Monotonic time of the beat at which its state was last made."""
    made_at: float = float("-inf")
    """Monotonic time of the beat at which it last ran."""
    broken: str | None = None
    """The fault in words, while there is one."""
    columns: list[str] = field(init=False)
    kinds: list[pl.DataType] = field(init=False)

    def __post_init__(self) -> None:
        self.columns, self.kinds = self.table.columns, self.table.dtypes


@dataclass
class Derived:
    """All derived tables. tell: takes a sentence for the user when one breaks."""

    makers: tuple[Maker, ...]
    tell: Callable[[str], None]
    budget_s: float = CLOSE_BUDGET_S
    """After this much of a beat no further table's close begins."""
    _slots: list[_Slot] = field(init=False)
    _first_change: float | None = field(default=None, init=False)
    _last_change: float = field(default=0.0, init=False)
    _daily: bool = field(default=False, init=False)
    """Whether more than 5-minute bars changed."""
    _closing_at: float | None = field(default=None, init=False)
    """The moment of the round of closes that is going on, one for all of its tables: they share what they are made of,
    though bars go on coming in between (which make the next round)."""

    def __post_init__(self) -> None:
        self._slots = [_Slot(maker, empty(maker.name)) for maker in self.makers]

    @property
    def pending(self) -> bool:
        """Whether some table has not yet seen the newest bars."""
        return self._first_change is not None or any(slot.due for slot in self._slots)

    def tables(self) -> dict[str, pl.DataFrame]:
        """The newest of each, by name."""
        return {slot.maker.name: slot.table for slot in self._slots}

    def bars_changed(self, mono: float, interval: str | None = None) -> None:
        """Bars of `interval` came, or a session turned (None), at monotonic `mono`."""
        if self._first_change is None:
            self._first_change = mono
        self._last_change = mono
        self._daily = self._daily or interval != "5m"

    def refresh(self, *names: str) -> None:
        """What these tables are made from has changed, though no bar did: the next beat makes them anew."""
        for slot in self._slots:
            slot.fresh = slot.fresh or slot.maker.name in names

    def run(self, view: View, mono: float, *, moved: bool) -> None:
        """One beat. moved: whether prices, facts or statuses changed since the last one."""
        self._close(view.now, mono)
        began, budget = time.thread_time(), SLOW_BUDGET_S if self.budget_s < math.inf else math.inf
        for place, slot in enumerate(self._slots):
            slot.moved = slot.moved or moved
            if not slot.ready or not (slot.moved or slot.fresh):
                continue
            if not slot.fresh and slot.maker.name in SLOW:
                waited = mono - slot.made_at
                if waited < SLOW_S or (waited < 2 * SLOW_S and time.thread_time() - began > budget):
                    continue
            slot.made_at = mono
            if self._live(slot, view):
                for later in self._slots[place + 1 :]:  # they may read it, and may have been made before it
                    later.moved = True

    def _close(self, now: float, mono: float) -> None:
        first = self._first_change
        if first is not None and (mono - self._last_change >= QUIET_S or mono - first >= PATIENCE_S):
            self._first_change = None
            for slot in self._slots:
                slot.due = slot.due or self._daily or slot.maker.name in INTRADAY
            self._daily, self._closing_at = False, now
        due = [slot for slot in self._slots if slot.due]
        if not due:
            return
        began = time.perf_counter()
        # those that waited longest come first: while bars go on coming, a round may begin before the last one is over
        for slot in sorted(due, key=lambda slot: slot.closed_at):
            slot.closed_at = mono
            self._close_one(slot, now if self._closing_at is None else self._closing_at)
            if time.perf_counter() - began > self.budget_s:
                return

    def _close_one(self, slot: _Slot, now: float) -> None:
        slot.due = False
        try:
            slot.state = slot.maker.at_close(now)
        except faults() as error:  # one table's fault must not take the others down; it is told
            slot.ready = False  # what there is was made of other bars: prices alone must not make it pass for new
            self._break(slot, error)
        else:
            slot.ready = slot.fresh = True

    def _live(self, slot: _Slot, view: View) -> bool:
        """Make one table; whether it came out different."""
        slot.fresh = slot.moved = False
        try:
            table = slot.maker.live(slot.state, view)
            if table.columns != slot.columns or table.dtypes != slot.kinds:  # two schemas compare six times as slowly
                schema = TABLES[slot.maker.name]
                raise TypeError(f"columns differ from the schema: {_difference(table.schema, schema)}")
        except faults() as error:  # as above
            self._break(slot, error)
            return False
        slot.broken = None
        if table.equals(slot.table):
            return False
        slot.table = table
        return True

    def _break(self, slot: _Slot, error: BaseException) -> None:
        """Keep the rows, say that they are stale, and tell the user once a fault."""
        text = f"table {slot.maker.name} cannot be made: {type(error).__name__}: {str(error)[:160]}"
        if slot.broken == text:
            return
        slot.broken = text
        log.error("table %s", slot.maker.name, exc_info=error)
        self.tell(text)
        slot.table = slot.table.with_columns(pl.lit(Status.STALE.value).alias("status"))


def _difference(got: pl.Schema, wanted: pl.Schema) -> str:
    wrong = [n for n in wanted.names() if got.get(n) != wanted[n]] + [n for n in got.names() if n not in wanted]
    return ", ".join(wrong[:6]) or "order"
