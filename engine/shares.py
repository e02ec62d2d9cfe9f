"""BTC's share of all coins' capitalisation as a chart's course: one value a UTC day, kept by every run that saw it.

Nobody serves its history for nothing: it begins with the first run on this store, and a day without a run is a hole.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Protocol

import polars as pl

from engine import candles
from engine.candles import SCHEMA, US, Looked
from engine.grid import DAY, DailyGrid
from engine.model import Status
from engine.outside_tables import DOMINANCE_LASTS_S
from engine.view import View

NAME: Final = "BTC.D"
"""What a chart calls it."""
_EPOCH: Final = date(1970, 1, 1)


class Holder(Protocol):
    """Who keeps the days; `engine.outside.Outside` does."""

    @property
    def dominance(self) -> Mapping[date, float]: ...


class Dominance:
    """The kept days and today's value."""

    kind = "line"
    interval = "1d"

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._held: Mapping[date, float] | None = None
        self._rows = pl.DataFrame(schema=SCHEMA)
        self._first: int | None = None

    def look(self, view: View, grid: DailyGrid | None) -> Looked:
        """The rows at this beat."""
        today = int(view.now // DAY)
        held = self._holder.dominance
        if held is not self._held:
            self._held = held
            self._build({(day - _EPOCH).days: value for day, value in held.items()}, today, simulated=view.simulated)
        fact = view.facts().get("BTC")
        words: dict[str, Any] = {"interval": "1d", "kind": self.kind, "first": self._first, "quote_ccy": "%"}
        if fact is None or fact.dominance_pct is None:
            return Looked(self._rows, None, words | {"status": Status.STALE.value, "note": "no source has said it yet"})
        stale = view.now - fact.as_of > DOMINANCE_LASTS_S
        status = (Status.STALE if stale else Status.OK).value
        day = int(fact.as_of // DAY)
        row = {"symbol": NAME, "interval": "1d", "time": day * DAY * US, "close": fact.dominance_pct, "status": status}
        words |= {"last": day * DAY * US, "as_of": int(fact.as_of * US), "source": fact.source, "status": status}
        return Looked(self._rows, row if day >= today else None, words)

    def _build(self, by_day: Mapping[int, float], today: int, *, simulated: bool) -> None:
        """Rows of every day from the first kept one up to yesterday; one that nobody saw is a hole."""
        known = sorted(day for day in by_day if day < today)
        days = range(known[0], known[-1] + 1) if known else range(0)
        columns = {"time": [day * DAY * US for day in days], "close": [by_day.get(day, float("nan")) for day in days]}
        self._rows = candles.rows(NAME, "1d", columns, simulated=simulated)
        self._first = days[0] * DAY * US if known else None
