"""The `quotes` table: one row a watched symbol, always in the config's order, made from the board at the beat.

Only rows that a tick, a session or a rate touched are written anew; what time alone changes (age, status) is looked at
for every row. Money is in USD at the live rate, and a row says which book it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from engine.board import Board, Book, Cell
from engine.change import change_pct
from engine.config import Config
from engine.model import Quote, SessionState, Status, asset_of
from engine.tables import TABLES, TIME
from engine.view import NO_LIVE, Live

CLOCKS_DIFFER_S: Final = 5.0
"""A venue's clock may be this far from ours; a quote further behind was old when it came, and its age says so."""

_SCHEMA: Final = TABLES["quotes"]
_TIMES: Final = frozenset({"event_time", "received"})
_FIXED: Final = frozenset({"symbol", "asset", "basket", "simulated", "recent"})
_SESSION: Final = {
    SessionState.OPEN: "regular",
    SessionState.PRE: "pre",
    SessionState.POST: "post",
    SessionState.CLOSED: None,
}


class Quotes:
    """Keeps the columns of the table between beats."""

    def __init__(self, board: Board, config: Config, *, simulated: bool) -> None:
        self._board = board
        self._simulated = simulated
        self._anchors: Mapping[str, float] = {}
        self.reconfigure(config)

    def reconfigure(self, config: Config) -> None:
        """Rows for what the board now watches. Call after the board's own `reconfigure`."""
        symbols = self._board.symbols
        size = len(symbols)
        self.symbols = symbols
        self._books = [self._board.books[symbol] for symbol in symbols]
        for book in self._books:
            book.dirty = True
        self._index = {symbol: row for row, symbol in enumerate(symbols)}
        self._columns: dict[str, list[object]] = {name: [None] * size for name in _SCHEMA.names() if name not in _FIXED}
        self._mono = [0.0] * size
        self._behind = [0.0] * size
        self._live: list[Live] = [NO_LIVE] * size
        baskets: dict[str, list[str]] = {}
        for basket, bases in config.crypto.baskets.items():
            for base in bases:
                baskets.setdefault(f"{base}/USD", []).append(basket)
        self._kept: dict[str, pl.Series] = {
            "symbol": pl.Series("symbol", symbols, dtype=pl.String),
            "asset": pl.Series("asset", [asset_of(s) for s in symbols], dtype=pl.String),
            "basket": pl.Series(
                "basket", [", ".join(baskets[s]) if s in baskets else None for s in symbols], dtype=pl.String
            ),
            "simulated": pl.Series("simulated", [self._simulated] * size, dtype=pl.Boolean),
        }
        self.set_recent({})

    def set_recent(self, recent: Mapping[str, Sequence[float]]) -> None:
        """The last closes of each symbol, for sparklines; a symbol without has null."""
        self._kept["recent"] = pl.Series(
            "recent", [list(recent[s]) if s in recent else None for s in self.symbols], dtype=pl.List(pl.Float64)
        )

    def set_anchors(self, anchors: Mapping[str, float]) -> None:
        """Each equity's last daily close before its current session: the bound of its change (METRICS §0, Yahoo)."""
        self._anchors = anchors
        for book in self._books:
            book.dirty = True

    def live(self, symbol: str) -> Live:
        """The newest price of `symbol`, as of the last `build`."""
        row = self._index.get(symbol)
        return NO_LIVE if row is None else self._live[row]

    def changed(self, *, settled: bool) -> bool:
        """Whether the next `build` will change more than ages."""
        statuses, board = self._columns["status"], self._board
        return any(
            book.dirty or statuses[row] != _status(board, book, settled=settled) for row, book in enumerate(self._books)
        )

    def build(self, mono: float, *, settled: bool) -> tuple[pl.DataFrame, bool]:
        """The table as of monotonic `mono`, and whether anything but ages changed.

        settled: whether a symbol that nobody has served by now will not be served.
        """
        columns, board = self._columns, self._board
        statuses, ages, rows, behind = columns["status"], columns["age_s"], self._mono, self._behind
        changed: set[str] = set()
        moved = False
        for row, book in enumerate(self._books):
            cell = book.chosen
            if book.dirty:
                book.dirty = False
                moved = True
                if cell is not None:
                    self._write(row, book, cell, changed)
            status = _status(board, book, settled=settled)
            if cell is not None:
                age = mono - rows[row]
                ages[row] = (age if age > 0.0 else 0.0) + behind[row]
            if statuses[row] != status:
                statuses[row] = status  # a StrEnum: Polars takes it as the string that it is
                changed.add("status")
                moved = True
                if cell is not None:
                    self._live[row] = self._live[row]._replace(status=status)
        return self._frame(changed), moved

    def _frame(self, changed: set[str]) -> pl.DataFrame:
        series: list[pl.Series] = []
        for name, kind in _SCHEMA.items():
            if name in _FIXED:
                series.append(self._kept[name])
            elif kind == pl.Float64:
                series.append(pl.Series(name, self._columns[name], dtype=pl.Float64))
            elif name in _TIMES:
                micros = pl.Series(name, self._columns[name], dtype=pl.Int64)
                series.append(micros.cast(TIME))
            else:
                if name in changed or name not in self._kept:
                    self._kept[name] = pl.Series(name, self._columns[name], dtype=kind)
                series.append(self._kept[name])
        return pl.DataFrame(series)

    def _write(self, row: int, book: Book, cell: Cell, changed: set[str]) -> None:
        columns = self._columns
        quote = cell.quote if book.crypto else _filled(book, cell)
        usd = self._board.rate(quote.quote_ccy).usd
        price, last = cell.price, quote.last
        anchor = None if book.crypto else self._anchors.get(book.symbol)
        prev, volume = quote.prev, quote.volume
        if usd is None:
            columns["last"][row] = columns["price"][row] = columns["bid"][row] = columns["ask"][row] = None
            columns["high_24h"][row] = columns["low_24h"][row] = columns["volume_usd"][row] = None
            used = None
        else:
            used = None if price is None else price * usd
            last_usd = None if last is None else last * usd
            columns["last"][row] = last_usd
            columns["price"][row] = used
            columns["bid"][row] = quote.bid * usd if quote.bid else None
            columns["ask"][row] = quote.ask * usd if quote.ask else None
            columns["high_24h"][row] = None if quote.high is None else quote.high * usd
            columns["low_24h"][row] = None if quote.low is None else quote.low * usd
            columns["volume_usd"][row] = _volume_usd(quote, usd) if book.traded else None
            if not cell.old:
                for value in (used, last_usd):  # a rate that moved since the last tick moves the price too
                    if value is not None:
                        Board.stretch(book, value)
        columns["change_pct"][row] = change_pct(price if price is not None else last, prev, anchor)
        columns["volume"][row] = None if volume is None else float(volume)
        columns["high_since"][row] = book.high
        columns["low_since"][row] = book.low
        at = quote.event_time
        columns["event_time"][row] = None if at is None else int(at * 1e6)
        columns["received"][row] = int(quote.received * 1e6)
        self._mono[row] = quote.received_mono
        behind = 0.0 if at is None else quote.received - at
        self._behind[row] = behind if behind > CLOCKS_DIFFER_S else 0.0
        for name, text in (
            ("source", quote.source),
            ("preferred", self._board.preferred(book)),
            ("venue_symbol", quote.venue_symbol),
            ("quote_ccy", quote.quote_ccy),
            ("session", book.session.value),
        ):
            if columns[name][row] != text:
                columns[name][row] = text
                changed.add(name)
        session = None if book.crypto else (quote.session or _SESSION[book.session])
        self._live[row] = Live(used, self._live[row].status, at or quote.received, volume, session)


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
