"""The `quotes` table: one row a watched symbol, always in the config's order, made from the board at the beat.

Only rows that a tick, a session or a rate touched are written anew, and all statuses where a channel turned; ages are
made for every row. Money is in USD at the live rate, and a row says which book it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from engine.board import Board
from engine.books import Book, Cell
from engine.change import change_pct, other_units
from engine.config import Config
from engine.markets import mixed_up
from engine.model import Quote, SessionState, Status, asset_of
from engine.tables import TABLES, TIME
from engine.view import NO_LIVE, Live

CLOCKS_DIFFER_S: Final = 5.0
"""A venue's clock may be this far from ours; a quote further behind was old when it came, and its age says so."""

_SCHEMA: Final = TABLES["quotes"]
_ROW: Final = (
    "last", "price", "bid", "ask", "change_pct", "volume", "volume_usd", "high_since", "low_since", "high_24h",
    "low_24h", "source", "preferred", "venue_symbol", "quote_ccy", "event_time", "received", "session",
    "delayed",
)  # fmt: skip
"""What `_row` makes, in this order; the other columns are fixed or look at time."""
_UNSERVED: Final = (None,) * len(_ROW)
_SESSION: Final = {SessionState.OPEN: "regular", SessionState.PRE: "pre", SessionState.POST: "post"}

Row = tuple[float | str | bool | int | None, ...]


class Quotes:
    """Keeps the rows of the table between beats."""

    def __init__(self, board: Board, config: Config, *, simulated: bool) -> None:
        self._board = board
        self._simulated = simulated
        self._anchors: Mapping[str, float] = {}
        self.reconfigure(config)

    def reconfigure(self, config: Config) -> None:
        """Rows for what the board now watches. Call after the board's own `reconfigure`."""
        symbols = self._board.symbols
        self.symbols = symbols
        self._books = [self._board.books[symbol] for symbol in symbols]
        for book in self._books:
            book.dirty = True
        self._rows: list[Row] = [_UNSERVED] * len(symbols)
        self._statuses: list[Status] = [Status.WARMING] * len(symbols)
        self._seen: tuple[int, bool] | None = None
        """The board's `turns` and what was settled when all statuses were last looked at."""
        self._came: list[float | None] = [None] * len(symbols)
        """Monotonic time of each row's quote."""
        self._behind = [0.0] * len(symbols)
        """Seconds that it had aged before, where that is more than clocks may differ."""
        self._newest: dict[str, tuple[Sequence[object], pl.Series]] = {}
        """The columns as they were last made."""
        baskets: dict[str, list[str]] = {}
        for basket, bases in config.crypto.baskets.items():
            for base in bases:
                baskets.setdefault(f"{base}/USD", []).append(basket)
        self._fixed: dict[str, pl.Series] = {
            "symbol": pl.Series("symbol", symbols, dtype=pl.String),
            "asset": pl.Series("asset", [asset_of(s) for s in symbols], dtype=pl.String),
            "basket": pl.Series(
                "basket", [", ".join(baskets[s]) if s in baskets else None for s in symbols], dtype=pl.String
            ),
            "simulated": pl.Series("simulated", [self._simulated] * len(symbols), dtype=pl.Boolean),
        }
        self.set_recent({})

    def set_recent(self, recent: Mapping[str, Sequence[float]]) -> None:
        """The last closes of each symbol, for sparklines; a symbol without has null."""
        self._fixed["recent"] = pl.Series(
            "recent", [list(recent[s]) if s in recent else None for s in self.symbols], dtype=pl.List(pl.Float64)
        )

    def set_anchors(self, anchors: Mapping[str, float]) -> None:
        """Each equity's last daily close before its current session: the bound of its change (METRICS §0, Yahoo)."""
        self._anchors = anchors
        for book in self._books:
            book.dirty = True

    def live(self, symbol: str) -> Live:
        """The newest price of `symbol`, as of the board's last `settle`; none where the bars are in other units."""
        book = self._board.books.get(symbol)
        if book is None or book.chosen is None:
            return NO_LIVE
        cell = book.chosen
        quote = cell.quote if book.crypto else _filled(book, cell)
        usd = self._board.rate(quote.quote_ccy).usd
        at = quote.event_time or quote.received
        if not book.crypto and other_units(cell.price, quote.prev, self._anchors.get(symbol)):
            # a split: against bars of the units before it, price and volume would be a crash that did not happen
            return Live(None, Status.STALE, at)
        return Live(
            None if usd is None or cell.price is None else cell.price * usd,
            self._board.status(book),
            at,
            quote.volume,
            None if book.crypto else quote.session or _SESSION.get(book.session),
        )

    def changed(self, *, settled: bool) -> bool:
        """Whether the next `build` may change more than ages."""
        return self._seen != (self._board.turns, settled) or any(book.dirty for book in self._books)

    def build(self, mono: float, *, settled: bool) -> tuple[pl.DataFrame, bool]:
        """The table as of monotonic `mono`, and whether anything but ages changed; a venue that came or went counts,
        also where none of the rows is its own: volumes are summed over all.

        settled: whether a symbol that nobody has served by now will not be served.
        """
        board, rows, statuses, came, behind = self._board, self._rows, self._statuses, self._came, self._behind
        moved = False
        for row, book in enumerate(self._books):
            if book.dirty:
                book.dirty = False
                moved = True
                cell = book.chosen
                statuses[row] = _status(board, book, settled=settled)
                if cell is None:
                    rows[row], came[row] = _UNSERVED, None
                else:
                    rows[row] = self._row(book, cell)
                    came[row], behind[row] = _came(cell.quote)
        seen = (board.turns, settled)
        if seen != self._seen:
            self._seen, moved = seen, True
            self._statuses = [_status(board, book, settled=settled) for book in self._books]
        ages = np.maximum(mono - np.array(came, dtype=np.float64), 0.0) + np.array(behind)
        return self._frame(ages, self._statuses), moved

    def _frame(self, ages: np.ndarray[tuple[int], np.dtype[np.float64]], statuses: list[Status]) -> pl.DataFrame:
        columns: dict[str, Sequence[object]] = dict(zip(_ROW, zip(*self._rows, strict=True), strict=True))
        columns["status"] = tuple(statuses)  # a StrEnum: Polars takes it as the string that it is
        series: list[pl.Series] = []
        for name, kind in _SCHEMA.items():
            if name in self._fixed:
                series.append(self._fixed[name])
            elif name == "age_s":
                series.append(pl.Series(name, ages, nan_to_null=True))
            else:
                series.append(self._column(name, columns.get(name, ()), kind))
        return pl.DataFrame(series)

    def _column(self, name: str, values: Sequence[object], kind: pl.DataType) -> pl.Series:
        """The column of `values`, the same one while they are the same: names and venues seldom move."""
        held = self._newest.get(name)
        if held is not None and held[0] == values:
            return held[1]
        if kind == TIME:
            made = (pl.Series(name, values, dtype=pl.Float64) * 1e6).cast(pl.Int64).cast(TIME)
        else:
            made = pl.Series(name, values, dtype=kind)
        self._newest[name] = (values, made)
        return made

    def _row(self, book: Book, cell: Cell) -> Row:
        (_symbol, source, _channel, venue_symbol, ccy, last, bid, ask, prev, high, low, volume, quote_volume, vwap,
         event_time, received, _mono, _session, delayed) = (
            cell.quote if book.crypto else _filled(book, cell)
        )  # fmt: skip
        usd = 1.0 if ccy == "USD" else self._board.usd(ccy)
        price = cell.price
        change = change_pct(
            price if price is not None else last, prev, None if book.crypto else self._anchors.get(book.symbol)
        )
        volume_usd = None
        if usd is None:
            last = price = bid = ask = high = low = None
        else:
            if book.traded:
                if quote_volume and volume and mixed_up(volume, quote_volume, low, high):
                    volume = quote_volume = None  # which of the two is which, nobody can tell
                volume_usd = _volume_usd(quote_volume, volume, vwap, last, usd)
            price = None if price is None else price * usd
            last = None if last is None else last * usd
            bid = bid * usd if bid else None
            ask = ask * usd if ask else None
            if bid is not None and ask is not None and bid > ask:  # nobody can trade there: it is no book
                bid = ask = None
            high = None if high is None else high * usd
            low = None if low is None else low * usd
            if ccy != "USD" and not cell.old:  # a rate that moved since the last tick moves the price too
                if price is not None:
                    Board.stretch(book, price)
                if last is not None:
                    Board.stretch(book, last)
        return (
            last, price, bid, ask, change, None if volume is None else float(volume), volume_usd, book.high, book.low,
            high, low, source, self._board.preferred(book), venue_symbol, ccy,
            event_time, received, book.session, delayed,
        )  # fmt: skip


def _came(quote: Quote) -> tuple[float, float]:
    """Monotonic time of its arrival, and seconds that it had aged before."""
    event_time, received = quote[14], quote[15]
    behind = 0.0 if event_time is None else received - event_time
    return quote[16], behind if behind > CLOCKS_DIFFER_S else 0.0


def _status(board: Board, book: Book, *, settled: bool) -> Status:
    if book.chosen is None and settled:
        return Status.STALE
    return board.status(book)


def _filled(book: Book, cell: Cell) -> Quote:
    """An equity's quote with what its source does not send (Yahoo's streamer: mostly the day's figures) from the other.

    Never a price: only what holds for the whole session, from a quote of about the same time that is no worse.
    """
    quote = cell.quote
    for other in book.cells.values():
        if other is cell or abs(_at(other.quote) - _at(quote)) > 6 * 3600 or _doubtful(book, other, cell):
            continue
        more = other.quote
        quote = quote._replace(
            prev=quote.prev if quote.prev is not None else more.prev,
            high=quote.high if quote.high is not None else more.high,
            low=quote.low if quote.low is not None else more.low,
            volume=quote.volume if quote.volume is not None else more.volume,
        )
    return quote


def _doubtful(book: Book, other: Cell, cell: Cell) -> bool:
    """Whether a quote was out of date when it came, where the speaking one was not: it may be as wrong as its time is.

    A poll repeats the last trade for as long as there is none, so its time grows old by itself; where the market is
    open, both have seen the same trade.
    """
    if not other.old or cell.old:
        return False
    behind = _at(cell.quote) - _at(other.quote)
    return not other.quote.source.endswith("-poll") or (book.session is SessionState.OPEN and behind > book.old_s)


def _at(quote: Quote) -> float:
    return quote.event_time if quote.event_time is not None else quote.received


def _volume_usd(
    quote_volume: float | None, volume: float | None, vwap: float | None, last: float | None, usd: float
) -> float | None:
    """Traded money in USD: the venue's own figure, else volume × vwap, else volume × last (METRICS §3)."""
    if quote_volume is not None:
        return quote_volume * usd
    if volume is None:
        return None
    price = vwap if vwap is not None else last
    return None if price is None else volume * price * usd
