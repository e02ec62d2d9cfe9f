"""The `bars` and `charts` tables: the bars that somebody asked for, updated at their close and provisionally at a beat.

`bars` holds every asked series once, by symbol and interval; `charts` says of each request which interval is served,
which there are, and in words why there is nothing. An interval that is not stored is made from finer bars where that
can be, and never replaced in silence: the row names what is served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from engine import candles, courses, shares
from engine.bars import BarBook
from engine.bars_desk import Desk, Request
from engine.candles import Looked
from engine.config import Config
from engine.grid import DailyGrid
from engine.legs import Leg, LegError, Pair, parse_leg, parse_pair
from engine.model import Status
from engine.tables import TABLES, TIME, empty
from engine.view import View

Look = candles.Candles | courses.Daily | courses.Finer | shares.Dominance
NOTHING: Final[Mapping[str, Any]] = {"rows": 0, "status": Status.WARMING.value}


@dataclass
class Served:
    """What stands for the requests at one beat; `ChartsMaker` reads what `BarsMaker` wrote."""

    said: list[dict[str, Any]] = field(default_factory=list)


def subject(text: str, config: Config) -> Pair | Leg | str:
    """What a request names: a canonical symbol, else a pair or leg. Raises LegError with what would be right."""
    if text in config.symbols or text == shares.NAME:
        return text
    if "/" in text:
        what: Pair | Leg = parse_pair(text, config)
    else:
        what = parse_leg(text, config)
    return what.symbols[0] if isinstance(what, Leg) and what.kind == "symbol" else what


def intervals_of(what: Pair | Leg | str, book: BarBook) -> tuple[str, ...]:
    """The intervals that it can be charted at, coarsest first."""
    if isinstance(what, str):
        return ("1d",) if what == shares.NAME else candles.intervals_of(book, what)
    if isinstance(what, Leg):
        return courses.intervals_of(book, what)
    other = courses.intervals_of(book, what.b)
    return tuple(i for i in courses.intervals_of(book, what.a) if i in other)


@dataclass
class BarsMaker:
    """`bars`."""

    grid_at: Any
    """A function from epoch seconds to the daily grid."""
    book: BarBook
    config: Config
    desk: Desk
    served: Served
    outside: shares.Holder | None = None
    """Who keeps BTC's dominance; None: nobody."""
    name: str = "bars"
    _looks: dict[tuple[str, str], Look] = field(default_factory=dict)
    _subjects: dict[str, tuple[int, Pair | Leg | str | None, tuple[str, ...]]] = field(default_factory=dict)
    _grid: DailyGrid | None = None
    _table: pl.DataFrame = field(default_factory=lambda: empty("bars"))
    _closed: list[pl.DataFrame] = field(default_factory=list)
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def at_close(self, now: float) -> DailyGrid:
        """The grid that daily courses stand on."""
        self._grid = self.grid_at(now)
        return self._grid

    def live(self, state: DailyGrid, view: View) -> pl.DataFrame:
        """Every asked series with its provisional bar; the same object while nothing in it moved."""
        said: list[dict[str, Any]] = []
        done: dict[tuple[str, str], Looked] = {}
        for request in self.desk.standing():
            words = self._serve(request, state, view, done)
            said.append({**NOTHING, **words, **request._asdict(), "simulated": view.simulated})
        for key in [k for k in self._looks if k not in done]:
            del self._looks[key]
        named = {row["symbol"] for row in said}
        for text in [t for t in self._subjects if t not in named]:
            del self._subjects[text]
        self.served.said = said
        rows = [one.row for one in done.values() if one.row is not None]
        closed = [one.closed for one in done.values() if one.closed is not None and one.closed.height]
        same = len(closed) == len(self._closed) and all(a is b for a, b in zip(closed, self._closed, strict=True))
        if not same or rows != self._rows:
            self._closed, self._rows = closed, rows
            pieces = [*closed, candles.provisional(rows, simulated=view.simulated)] if rows else closed
            self._table = pl.concat(pieces, rechunk=False) if pieces else empty("bars")
        return self._table

    def _serve(
        self, request: Request, grid: DailyGrid, view: View, done: dict[tuple[str, str], Looked]
    ) -> dict[str, Any]:
        """What to say of a request; its rows go into `done`, once by symbol and interval."""
        what, have = self._known(request.symbol)
        if what is None:
            return {"note": have[0], "status": Status.STALE.value}
        words: dict[str, Any] = {"intervals": " ".join(have)}
        interval = next((i for i in request.intervals if i in have), None)
        if interval is None:
            asked = " or ".join(request.intervals)
            if not have:
                return words | {"note": f"no bars of {request.symbol} have come yet"}
            note = f"no {asked} bars of {request.symbol} are stored: there are {', '.join(have)}"
            return words | {"note": note, "status": Status.STALE.value}
        key = (request.symbol, interval)
        if key not in done:
            look = self._looks.get(key)
            if look is None:
                look = self._looks[key] = self._new(what, request.symbol, interval)
            done[key] = look.look(view, grid)
        found = done[key]
        height = (0 if found.closed is None else found.closed.height) + (found.row is not None)
        return words | {"rows": height} | found.words

    def _known(self, text: str) -> tuple[Pair | Leg | str | None, tuple[str, ...]]:
        """What a text names and the intervals that there are of it; None and the reason where it names nothing."""
        held = self._subjects.get(text)
        if held is None or held[0] != self.book.generation:
            try:
                what = subject(text, self.config)
                held = (self.book.generation, what, intervals_of(what, self.book))
            except LegError as error:
                held = (self.book.generation, None, (str(error),))
            self._subjects[text] = held
        return held[1], held[2]

    def _new(self, what: Pair | Leg | str, name: str, interval: str) -> Look:
        if what == shares.NAME and self.outside is not None:
            return shares.Dominance(self.outside)
        if isinstance(what, str):
            return candles.Candles(what, name, interval, self.book)
        return courses.Daily(what, name) if interval == "1d" else courses.Finer(what, name, interval, self.book)


@dataclass
class ChartsMaker:
    """`charts`; made after `bars`."""

    served: Served
    name: str = "charts"
    _said: list[dict[str, Any]] = field(default_factory=list)
    _table: pl.DataFrame = field(default_factory=lambda: empty("charts"))

    def at_close(self, now: float) -> None:
        """Nothing of it depends on bars alone."""

    def live(self, state: None, view: View) -> pl.DataFrame:
        """One row a request; the same object while they say the same."""
        if self.served.said != self._said:
            self._said = self.served.said
            self._table = pl.DataFrame([_column(n, kind, self._said) for n, kind in TABLES["charts"].items()])
        return self._table


def _column(name: str, kind: pl.DataType, said: Sequence[Mapping[str, Any]]) -> pl.Series:
    """A column of `charts`; times are said in microseconds, since Polars takes 0.15 ms for a zoned datetime."""
    values = [row.get(name) for row in said]
    return pl.Series(name, values, dtype=pl.Int64).cast(TIME) if kind == TIME else pl.Series(name, values, dtype=kind)


__all__ = ["BarsMaker", "ChartsMaker", "Served", "intervals_of", "subject"]
