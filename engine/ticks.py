"""The ticks that lead-lag is measured on: one bounded ring a symbol, filled as quotes come, O(1) a tick.

Only symbols of configured pairs have one, and only streamed prices enter: a poll's or a delayed source's times say when
somebody asked, not when the market moved. At most one price a second is kept, which Hayashi–Yoshida does not mind: it
needs no grid, and lags are told in steps of five seconds.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.grid import Floats

if TYPE_CHECKING:
    from engine.board import Board
    from engine.model import Quote

CAPACITY: Final = 8_192
"""Ticks a symbol: two hours and a quarter where one is kept every second; the oldest go first."""
GAP_S: Final = 1.0
POLLED_SILENCE_S: Final = 60.0
"""A crypto channel that may be silent for so long is no stream: it polls."""
AHEAD_S: Final = 60.0
"""A venue's time that is further from ours than this is not believed; ours stands in for it."""


class Trace:
    """The newest streamed prices of one symbol, in USD, with their times in epoch seconds, ascending."""

    __slots__ = ("_count", "_prices", "_times", "last")

    def __init__(self) -> None:
        self.last = 0.0
        """Time of the newest."""
        self._times = array("d", bytes(8 * CAPACITY))
        self._prices = array("d", bytes(8 * CAPACITY))
        self._count = 0

    def take(self, quote: Quote, usd: float, silence_s: float) -> float:
        """A believable quote that speaks for its symbol, at `usd`. silence_s: what its channel may be silent for.

        Returns when, by our own time, the next one may come: what is received before need not be handed over.
        """
        received, venue = quote.received, quote.event_time
        again = received + GAP_S
        polled = quote.source.endswith("-poll") or ("/" in quote.symbol and silence_s >= POLLED_SILENCE_S)
        if polled or quote.delayed:
            return again
        at = venue if venue is not None and abs(received - venue) < AHEAD_S else received
        if at <= self.last:
            return again
        slot = self._count % CAPACITY
        self._times[slot] = self.last = at
        self._prices[slot] = usd
        self._count += 1
        return again

    def __len__(self) -> int:
        return min(self._count, CAPACITY)

    def since(self, start: float) -> tuple[Floats, Floats]:
        """Times and log prices from `start` on, ascending; copies."""
        n = len(self)
        order = np.arange(self._count - n, self._count) % CAPACITY
        times, prices = np.array(self._times)[order], np.array(self._prices)[order]
        first = int(np.searchsorted(times, start))
        return times[first:], np.asarray(np.log(prices[first:]))


def attach(board: Board, symbols: Iterable[str], held: Mapping[str, Trace]) -> dict[str, Trace]:
    """Have the board fill a trace for each of `symbols`, those of `held` going on; every other symbol has none."""
    wanted = frozenset(symbols)
    traces = {s: held.get(s) or Trace() for s in wanted if s in board.books}
    for symbol, book in board.books.items():
        book.trace = traces.get(symbol)
        book.due = math.inf if book.trace is None else 0.0
    return traces
