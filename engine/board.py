"""The board: the newest quote of every book of every venue, and for each symbol which of them speaks for it.

Latest wins: however many ticks arrive between two beats, a cell holds one quote and the run's extremes miss none of
them. `ingest` is O(1), allocates nothing that grows and never raises on a bad price. Which venue speaks is decided at
the beat (`settle`), so a failover can be seen, and comes from the channels' liveness alone, never from the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.books import AHEAD_S, MAX_PRICE, MAX_VOLUME, Book, Cell, Channel, clean
from engine.config import Config
from engine.model import ChannelReport, Quote, SessionState, Status
from engine.view import Book24, Rate

WIDE_SPREAD: Final = 0.01
"""From this share of the mid on a crypto book's mid is no price; its last trade is."""
LATE_S: Final = 5.0
"""A venue's clock that is this close to ours is right; one further ahead says nothing about order."""
DELAY_S: Final = 1200.0
"""How far behind a source may be that says its prices are delayed."""
CRYPTO_SILENCE_S: Final = 15.0
"""Limit of a channel that never reported one."""
RETURN_S: Final = 5.0
"""A source that was lost speaks again only after this long without a fault."""
STREAM_BEHIND_S: Final = 30.0
"""In session a better-ranked equity source may be this far behind a worse one and still speak."""
FROZEN_POLLS: Final = 10
EQUITY_SOURCES: Final = ("yahoo-stream", "yahoo-poll")
"""Sources of equities, in order of preference."""
STABLE: Final = frozenset({"USDT", "USDC", "DAI", "FDUSD", "PYUSD", "USDS", "TUSD", "USDP"})
"""Coins that are taken as 1.0, and marked `estimated`, while no live rate is known."""
RATES: Final = ("USDT", "USDC", "EUR", "BTC", "ETH")
"""Rates that are always listened for, as `USDT/USD`, beside the configured quote currencies."""
MAX_CELLS: Final = 48
"""Books held a symbol; later ones are dropped and counted."""


class Board:
    """All books of the watched symbols and of the rates between currencies."""

    def __init__(self, config: Config) -> None:
        self.books: dict[str, Book] = {}
        self.channels: dict[str, Channel] = {}
        self.ticks = 0
        """Quotes taken in, good or bad."""
        self.dropped = 0
        """Of those: of no watched symbol, out of order, or without one believable price."""
        self._usd: dict[str, float] = {"USD": 1.0}
        self._fresh_rates: set[str] = {"USD"}
        self._usd_settled: dict[str, float] = {}
        self._exchange_rank: dict[str, int] = {}
        self._quote_rank: dict[str, int] = {}
        self._equity_limit = 45.0
        self._hours_known = True
        self._turned = False
        """Whether a first rate, a channel or other settings have changed what is live since the last `settle`."""
        self.turns = 0
        """Grows whenever a `settle` finds something that may change the status of a book without a tick."""
        self.symbols: tuple[str, ...] = ()
        """The watched ones, in the config's order; rates that are not watched are no rows."""
        self.reconfigure(config)

    def reconfigure(self, config: Config) -> None:
        """Watch what `config` names; what stays watched keeps its quotes and extremes."""
        self._exchange_rank = {name: rank for rank, name in enumerate(config.crypto.exchanges)}
        self._quote_rank = {ccy: rank for rank, ccy in enumerate(config.crypto.quotes)}
        self._equity_limit = 3.0 * config.refresh.equity_poll_s
        self.symbols = tuple(dict.fromkeys(config.symbols))
        rates = {f"{ccy}/USD": ccy for ccy in (*RATES, *config.crypto.quotes) if ccy != "USD"}
        self._turned = True
        old = self.books
        self.books = {}
        for symbol in (*self.symbols, *rates):
            if symbol in self.books:
                continue
            book = self.books[symbol] = old.get(symbol) or Book(symbol)
            book.rate_of = rates.get(symbol)
            book.dirty = book.review = True
            for key, cell in list(book.cells.items()):
                if book.crypto and key[0] not in self._exchange_rank:
                    del book.cells[key]
                    if cell is book.chosen:
                        book.chosen = None
                else:
                    cell.rank = self._rank(book, cell.quote)
            book.best = min((cell.rank[0] for cell in book.cells.values()), default=0)
        self._rate_books = [self.books[symbol] for symbol in rates]  # in the order in which one is priced by another

    def _rank(self, book: Book, quote: Quote) -> tuple[int, int]:
        if not book.crypto:
            known = EQUITY_SOURCES.index(quote.source) if quote.source in EQUITY_SOURCES else len(EQUITY_SOURCES)
            return known, 0
        return self._exchange_rank.get(quote.source, 999), self._quote_rank.get(quote.quote_ccy, 999)

    # the way in

    def ingest(self, quote: Quote) -> None:  # noqa: PLR0912, PLR0915 — one body, because a call costs as much as a tick
        """Take one quote. At tick rate: no loop, no growth, no exception for what a venue may send."""
        self.ticks += 1
        (symbol, source, name, venue_symbol, ccy, last, bid, ask, prev, high, low, volume, quote_volume, vwap,
         event_time, received, mono, _session, delayed) = quote  # fmt: skip
        book = self.books.get(symbol)
        if book is None:
            self.dropped += 1
            return
        if not (
            (last is None or 0.0 < last < MAX_PRICE)
            and (bid is None or 0.0 < bid < MAX_PRICE)
            and (ask is None or 0.0 < ask < MAX_PRICE)
            and (last is not None or (bid is not None and ask is not None))
            and (prev is None or 0.0 < prev < MAX_PRICE)
            and (high is None or 0.0 < high < MAX_PRICE)
            and (low is None or 0.0 < low < MAX_PRICE)
            and (volume is None or 0.0 <= volume < MAX_VOLUME)
            and (quote_volume is None or 0.0 <= quote_volume < MAX_VOLUME)
            and (vwap is None or 0.0 < vwap < MAX_PRICE)
            and (event_time is None or 0.0 < event_time < received + AHEAD_S)
        ):
            cleaned = clean(quote)
            if cleaned is None:
                self.dropped += 1
                return
            quote = cleaned
            last, bid, ask, event_time = quote.last, quote.bid, quote.ask, quote.event_time
        channel = self.channels.get(name)
        if channel is None:
            limit = CRYPTO_SILENCE_S if book.crypto else self._equity_limit
            channel = self.channels[name] = Channel(limit, mono)
        channel.heard = mono
        cell = book.cells.get((source, venue_symbol))
        if cell is None:
            if len(book.cells) >= MAX_CELLS:
                self.dropped += 1
                return
            cell = book.cells[source, venue_symbol] = Cell(quote, channel, self._rank(book, quote))
            book.best = min(other.rank[0] for other in book.cells.values())
            if book.chosen is None:
                book.chosen = cell
        elif event_time is not None:
            held = cell.quote
            if (
                held.event_time is not None
                and event_time < held.event_time
                and held.received_mono > channel.lost_at
                # a venue whose clock was ahead and is right again is not late
                and (held.event_time <= received + LATE_S or event_time < received - LATE_S)
            ):
                self.dropped += 1
                return
        cell.quote = quote
        if cell.channel is not channel:
            cell.channel, book.review = channel, True
        if not book.crypto or bid is None or ask is None:
            price = last
        elif 0.0 < bid <= ask:
            mid = 0.5 * (bid + ask)
            price = mid if ask - bid < WIDE_SPREAD * mid else last
        else:
            price = None
        cell.price = price
        book.dirty = True
        cell.old = old = event_time is not None and received - event_time > (
            book.old_s + DELAY_S if delayed else book.old_s
        )
        if old or not cell.usable:
            book.review = True
        if cell is not book.chosen or old:
            return
        rate = self._usd.get(ccy)
        if rate is None:
            if ccy not in STABLE:
                return
            rate = 1.0
            book.assumed = True
        if price is not None:
            usd = price * rate
            self.stretch(book, usd)
            if book.rate_of is not None:
                self._turned |= book.rate_of not in self._usd
                self._usd[book.rate_of] = usd
            watch = book.watch
            if watch is not None:  # as `Fence.__call__`, without the call
                if watch.low < usd < watch.high:
                    watch.last = usd
                    watch.last_at = received
                else:
                    watch.look(usd, received)
            if received >= book.due and book.trace is not None:
                book.due = book.trace.take(quote, usd, channel.limit)
        if last is not None:
            self.stretch(book, last * rate)

    @staticmethod
    def stretch(book: Book, usd: float) -> None:
        if book.high is None or usd > book.high:
            book.high = usd
        if book.low is None or usd < book.low:
            book.low = usd

    def report_channel(self, report: ChannelReport, mono: float) -> None:
        """A channel went up or down, at monotonic `mono`."""
        channel = self.channels.get(report.channel)
        if channel is None:
            channel = self.channels[report.channel] = Channel(report.silence_limit_s, mono)
        channel.limit = report.silence_limit_s
        if report.up and not channel.up:
            channel.heard = max(channel.heard, mono)
        if not report.up and channel.up:
            channel.lost_at = mono
        self._turned |= channel.up is not report.up
        channel.up = report.up

    # the beat

    def settle(self, mono: float, sessions: Mapping[str, SessionState] | None) -> None:
        """Decide who is live and who speaks, as of monotonic `mono`.

        sessions: the state of each watched equity's market, by symbol; one that is missing is closed. None: not known
        yet, so that of an equity nothing can be said but that it is `warming`.
        """
        turned = self._turned or self._hours_known is not (sessions is not None)
        self._hours_known, self._turned = sessions is not None, False
        for channel in self.channels.values():
            live = channel.up and mono - channel.heard <= channel.limit
            if live is not channel.live:
                channel.live = live
                turned = True
        self.turns += turned
        for book in self.books.values():
            if book.crypto:
                if not (book.review or turned or book.waits) or not book.cells:
                    continue
            elif not book.cells:
                continue
            elif sessions is not None:
                session = sessions.get(book.symbol, SessionState.CLOSED)
                if session is not book.session:
                    book.session = session
                    book.dirty = True
                self._count_frozen(book)
            book.review = False
            was = book.chosen
            self._choose(book, mono)
            if book.chosen is not was:
                book.dirty = True
        self._settle_rates()

    def _count_frozen(self, book: Book) -> None:
        """A poll that goes on saying the same in session has stopped looking at the market."""
        for cell in book.cells.values():
            quote, before = cell.quote, cell.counted
            if quote is before or not quote.source.endswith("-poll"):
                continue
            cell.counted = quote
            same = (
                before is not None
                and book.session is SessionState.OPEN
                and quote.last == before.last
                and quote.volume == before.volume
                # without a volume only a clock that stands still tells frozen from quiet
                and (bool(quote.volume) or quote.event_time == before.event_time)
            )
            cell.same = cell.same + 1 if same else 0

    def _choose(self, book: Book, mono: float) -> None:
        best: Cell | None = None
        closed = not book.crypto and book.session is SessionState.CLOSED
        for cell in book.cells.values():
            channel, quote = cell.channel, cell.quote
            usable = (
                channel.up
                and quote[16] > channel.lost_at  # received_mono
                and (closed or (channel.live and not cell.old and cell.same < FROZEN_POLLS))
                and (quote[4] in self._usd or quote[4] in STABLE)  # quote_ccy
            )
            if usable and not cell.usable:
                cell.since = mono
            elif cell.usable and not usable:
                cell.lost = True
            cell.usable = usable
            if usable and (best is None or self._before(book, cell, best)):
                best = cell
        chosen = book.chosen
        if chosen is None:
            book.chosen = best or min(book.cells.values(), key=lambda c: c.rank)
        elif best is None or best is chosen:
            book.waits = False
        elif not chosen.usable or not best.lost or mono - best.since >= RETURN_S:
            book.chosen = best
            book.waits = False
        else:
            book.waits = True

    @staticmethod
    def _before(book: Book, cell: Cell, other: Cell) -> bool:
        """Whether `cell` should speak rather than `other`; both are usable."""
        if book.crypto:
            return cell.rank < other.rank
        behind = _time(other.quote) - _time(cell.quote)
        allowed = 0.0 if book.session is SessionState.CLOSED else STREAM_BEHIND_S
        if cell.rank < other.rank:
            return behind <= allowed
        return behind < -allowed

    def _settle_rates(self) -> None:
        """Take the rates from those who speak for them; what is priced with one that moved is priced anew."""
        fresh = {"USD"}
        for book in self._rate_books:
            ccy = book.rate_of
            if ccy is None or book.chosen is None or not book.chosen.usable:
                continue
            price, through = book.chosen.price, book.chosen.quote.quote_ccy
            usd = self.rate(through).usd
            if price is not None and usd is not None:
                self._usd[ccy] = price * usd
            if ccy in self._usd and through in fresh:
                fresh.add(ccy)
        moved = fresh ^ self._fresh_rates
        moved |= {ccy for ccy, usd in self._usd.items() if self._usd_settled.get(ccy) != usd}
        if not moved:
            return
        self._fresh_rates = fresh
        news = self._usd.keys() - self._usd_settled.keys()
        self._usd_settled = dict(self._usd)
        for book in self.books.values():
            if news:
                book.review = True  # what is priced in these may speak now
            if book.chosen is not None and (priced_in := book.chosen.quote[4]) in moved:  # quote_ccy
                book.dirty = True
                if book.assumed:
                    self._restate(book, priced_in)

    def _restate(self, book: Book, ccy: str) -> None:
        """Put extremes that were made at 1.0 to the first live rate."""
        rate = self._usd.get(ccy)
        if rate is not None and book.high is not None and book.low is not None:
            book.high, book.low, book.assumed = book.high * rate, book.low * rate, False

    # the way out

    def usd(self, ccy: str) -> float | None:
        """As `rate`, the number alone."""
        usd = self._usd.get(ccy)
        return 1.0 if usd is None and ccy in STABLE else usd

    def rate(self, ccy: str) -> Rate:
        """USD for one `ccy`; a stable coin without a rate is 1.0, and that or an old rate is `estimated`."""
        usd = self.usd(ccy)
        return Rate(usd, usd is not None and ccy not in self._fresh_rates)

    def preferred(self, book: Book) -> bool:
        """Whether nobody who serves this symbol is ranked before the one who speaks.

        Outside the session the newest close speaks, whoever has it: that is no failover.
        """
        chosen = book.chosen
        if chosen is None or chosen.rank[0] <= book.best:
            return True
        return not book.crypto and book.session is SessionState.CLOSED

    def status(self, book: Book) -> Status:
        """What the row of `book` is worth, as of the last `settle`."""
        cell = book.chosen
        if cell is None or not (self._hours_known or book.crypto):
            return Status.WARMING
        channel = cell.channel
        if not channel.up or cell.quote[16] <= channel.lost_at:  # received_mono
            return Status.STALE
        alive = channel.live and not cell.old
        best = Status.ESTIMATED if cell.quote[18] else Status.OK  # delayed: no trade of now, as its source says
        if not book.crypto and book.session is not SessionState.OPEN:
            return best if alive and book.session is not SessionState.CLOSED else Status.CLOSED
        if not alive or cell.same >= FROZEN_POLLS:
            return Status.STALE
        ccy = cell.quote[4]
        if ccy in self._fresh_rates:
            return best
        return Status.ESTIMATED if ccy in self._usd or ccy in STABLE else Status.STALE

    def books24(self) -> list[Book24]:
        """Every crypto book's newest 24 h figures, in the venue's own units."""
        found: list[Book24] = []
        for book in self.books.values():
            if not book.crypto:
                continue
            base = book.symbol.split("/", 1)[0]
            for cell in book.cells.values():
                channel, q = cell.channel, cell.quote
                stale = cell.old or not channel.live or q[16] <= channel.lost_at  # received_mono
                at = q[14] if q[14] is not None else q[15]  # event_time, received
                found.append(Book24(q[1], base, q[3], q[4], q[5], q[9], q[10], q[11], q[12], q[13], at, stale))
        return found


def _time(quote: Quote) -> float:
    return quote.event_time if quote.event_time is not None else quote.received
