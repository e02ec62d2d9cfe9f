"""The `quotes` table: one row a watched symbol, always in the config's order, made from the board at the beat.

Only rows that a tick, a session or a rate touched are written anew; what time alone changes (age, status) is looked at
for every row. Money is in USD at the live rate, and a row says which book it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from engine.board import Board
from engine.books import Book, Cell
from engine.change import change_pct
from engine.config import Config
from engine.model import Quote, SessionState, Status, asset_of
from engine.tables import TABLES, TIME
from engine.view import NO_LIVE, Live

CLOCKS_DIFFER_S: Final = 5.0
"""A venue's clock may be this far from ours; a quote further behind was old when it came, and its age says so."""

_SCHEMA: Final = TABLES["quotes"]
_ROW: Final = (
    "last", "price", "bid", "ask", "change_pct", "volume", "volume_usd", "high_since", "low_since", "high_24h",
    "low_24h", "source", "preferred", "venue_symbol", "quote_ccy", "event_time", "received", "session",
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
        """The newest price of `symbol`, as of the board's last `settle`."""
        book = self._board.books.get(symbol)
        if book is None or book.chosen is None:
            return NO_LIVE
        cell = book.chosen
        quote = cell.quote if book.crypto else _filled(book, cell)
        usd = self._board.rate(quote.quote_ccy).usd
        return Live(
            None if usd is None or cell.price is None else cell.price * usd,
            self._board.status(book),
            quote.event_time or quote.received,
            quote.volume,
            None if book.crypto else quote.session or _SESSION.get(book.session),
        )

    def changed(self, *, settled: bool) -> bool:
        """Whether the next `build` will change more than ages."""
        board, statuses = self._board, self._statuses
        return any(
            book.dirty or statuses[row] is not _status(board, book, settled=settled)
            for row, book in enumerate(self._books)
        )

    def build(self, mono: float, *, settled: bool) -> tuple[pl.DataFrame, bool]:
        """The table as of monotonic `mono`, and whether anything but ages changed.

        settled: whether a symbol that nobody has served by now will not be served.
        """
        board, rows, old = self._board, self._rows, self._statuses
        ages: list[float | None] = []
        statuses: list[Status] = []
        moved = False
        for row, book in enumerate(self._books):
            cell = book.chosen
            if book.dirty:
                book.dirty = False
                moved = True
                rows[row] = _UNSERVED if cell is None else self._row(book, cell)
            statuses.append(_status(board, book, settled=settled))
            ages.append(None if cell is None else _age(cell.quote, mono))
        moved = moved or statuses != old
        self._statuses = statuses
        return self._frame(ages, statuses), moved

    def _frame(self, ages: list[float | None], statuses: list[Status]) -> pl.DataFrame:
        columns: dict[str, Sequence[object]] = dict(zip(_ROW, zip(*self._rows, strict=True), strict=True))
        columns["age_s"], columns["status"] = ages, statuses  # a StrEnum: Polars takes it as the string that it is
        series: list[pl.Series] = []
        for name, kind in _SCHEMA.items():
            if name in self._fixed:
                series.append(self._fixed[name])
            elif kind == TIME:
                seconds = pl.Series(name, columns.get(name), dtype=pl.Float64)
                series.append((seconds * 1e6).cast(pl.Int64).cast(TIME))
            else:
                series.append(pl.Series(name, columns.get(name), dtype=kind))
        return pl.DataFrame(series)

    def _row(self, book: Book, cell: Cell) -> Row:
        (_symbol, source, _channel, venue_symbol, ccy, last, bid, ask, prev, high, low, volume, _quote_volume, _vwap,
         event_time, received, _mono, _session, _delayed) = quote = (
            cell.quote if book.crypto else _filled(book, cell)
        )  # fmt: skip
        usd = 1.0 if ccy == "USD" else self._board.rate(ccy).usd
        change = change_pct(
            cell.price if cell.price is not None else last,
            prev,
            None if book.crypto else self._anchors.get(book.symbol),
        )
        money: tuple[float | None, ...] = (None,) * 7
        if usd is not None:
            price = None if cell.price is None else cell.price * usd
            last = None if last is None else last * usd
            if not cell.old and ccy != "USD":
                for value in (price, last):  # a rate that moved since the last tick moves the price too
                    if value is not None:
                        Board.stretch(book, value)
            money = (
                last, price, bid * usd if bid else None, ask * usd if ask else None,
                _volume_usd(quote, usd) if book.traded else None,
                None if high is None else high * usd, None if low is None else low * usd,
            )  # fmt: skip
        last, price, bid, ask, volume_usd, high, low = money
        return (
            last, price, bid, ask, change, None if volume is None else float(volume), volume_usd, book.high, book.low,
            high, low, source, self._board.preferred(book), venue_symbol, ccy,
            event_time, received, book.session.value,
        )  # fmt: skip


def _age(quote: Quote, mono: float) -> float:
    """Seconds since it came, and what it had aged before where that is more than clocks may differ."""
    age = mono - quote[16]
    event_time = quote[14]
    behind = 0.0 if event_time is None else quote[15] - event_time
    return max(age, 0.0) + (behind if behind > CLOCKS_DIFFER_S else 0.0)


def _status(board: Board, book: Book, *, settled: bool) -> Status:
    if book.chosen is None and settled:
        return Status.STALE
    return board.status(book)


def _filled(book: Book, cell: Cell) -> Quote:
    """An equity's quote with what its source does not send (Yahoo's streamer: mostly the day's figures) from the other.

    Never a price: only what holds for the whole session, from a quote of about the same time.
    """
    quote = cell.quote
    for other in book.cells.values():
        if other is cell or abs(_at(other.quote) - _at(quote)) > 6 * 3600:
            continue
        more = other.quote
        quote = quote._replace(
            prev=quote.prev if quote.prev is not None else more.prev,
            high=quote.high if quote.high is not None else more.high,
            low=quote.low if quote.low is not None else more.low,
            volume=quote.volume if quote.volume is not None else more.volume,
        )
    return quote


def _at(quote: Quote) -> float:
    return quote.event_time if quote.event_time is not None else quote.received


def _volume_usd(quote: Quote, usd: float) -> float | None:
    """Traded money in USD: the venue's own figure, else volume × vwap, else volume × last (METRICS §3)."""
    if quote.quote_volume is not None:
        return quote.quote_volume * usd
    if quote.volume is None:
        return None
    price = quote.vwap if quote.vwap is not None else quote.last
    return None if price is None else quote.volume * price * usd
