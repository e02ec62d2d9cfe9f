"""A beat that looks again only at what may have changed comes to what a beat that looks at everything does."""

from __future__ import annotations

import random

import hypothesis.strategies as st
import polars as pl
from hypothesis import example, given, settings

from engine.bars import BarBook
from engine.board import Board
from engine.config import Config, Crypto, Equity
from engine.derived import INTRADAY, Derived
from engine.grid import DailyGrid
from engine.makers import Shared
from engine.model import Bars, ChannelReport, Quote, SessionState
from engine.quotes import Quotes
from engine.tables import TABLES, empty
from engine.view import DictView, View
from tests.engine.market_data import after, book_of, ohlcv, weekdays

CONFIG = Config(
    crypto=Crypto(exchanges=("a", "b"), quotes=("USD", "USDT", "EUR"), baskets={"one": ("BTC", "ETH")}),
    equity=Equity(symbols=("IWM", "^RUT")),
)
BOOKS = (
    ("BTC/USD", "a", "USD"), ("BTC/USD", "a", "USDT"), ("BTC/USD", "b", "EUR"), ("ETH/USD", "b", "USDT"),
    ("USDT/USD", "a", "USD"), ("EUR/USD", "b", "USD"), ("IWM", "yahoo-stream", "USD"), ("IWM", "yahoo-poll", "USD"),
    ("^RUT", "yahoo-poll", "USD"),
)  # fmt: skip
START = 1_768_000_000.0


def play(seed: int, *, everything: bool) -> list[tuple[pl.DataFrame, list[tuple[str, str] | None]]]:
    """What the beats of one random run come to. everything: every book is looked at anew at every beat."""
    chance = random.Random(seed)
    board = Board(CONFIG)
    quotes = Quotes(board, CONFIG, simulated=False)
    mono, beats = 1000.0, []
    for _ in range(25):
        for _ in range(chance.randrange(6)):
            mono += chance.choice((0.0, 0.1, 1.0))
            symbol, source, ccy = chance.choice(BOOKS)
            if chance.random() < 0.2:
                board.report_channel(ChannelReport(f"{source}:x", source, chance.random() < 0.6, 5.0), mono)
                continue
            price = chance.choice((1.0, 1.01, 1.1, 100.0, None))
            at = START + mono - chance.choice((0.0, 0.0, 0.0, 70.0, 400.0))
            board.ingest(
                Quote(
                    symbol, source, f"{source}:x", f"{symbol}{ccy}", ccy, price, None, None, 1.0, 2.0, 0.5,
                    chance.choice((None, 7.0)), None, None, chance.choice((at, at, None)), START + mono, mono,
                )
            )  # fmt: skip
        mono += chance.choice((0.25, 0.25, 2.0, 10.0))
        state = chance.choice((SessionState.OPEN, SessionState.OPEN, SessionState.CLOSED))
        if everything:
            for book in board.books.values():
                book.review = True
            quotes.reconfigure(CONFIG)
        board.settle(mono, None if chance.random() < 0.1 else dict.fromkeys(CONFIG.equity.symbols, state))
        table, _ = quotes.build(mono, settled=chance.random() < 0.5)
        chosen = [
            None if book.chosen is None else (book.chosen.quote.source, book.chosen.quote.venue_symbol)
            for book in board.books.values()
        ]
        beats.append((table, chosen))
    return beats


@settings(max_examples=25, deadline=None)
@example(1_000_000_000)  # a first rate that came with a tick
@example(5_228_836)  # a channel that came back, and had been silent too long when anybody looked
@given(st.integers(0, 10**9))
def test_a_beat_that_skips_comes_to_what_one_that_does_not_does(seed: int) -> None:
    for (table, chosen), (whole, expected) in zip(
        play(seed, everything=False), play(seed, everything=True), strict=True
    ):
        assert chosen == expected
        assert table.equals(whole)


class _Counted:
    """A maker that tells of its closes."""

    def __init__(self, name: str, closed: list[tuple[str, float]]) -> None:
        self.name = name
        self._closed = closed

    def at_close(self, now: float) -> None:
        self._closed.append((self.name, now))

    def live(self, state: None, view: View) -> pl.DataFrame:
        return empty(self.name)


def test_five_minute_bars_close_the_tables_that_read_them_alone() -> None:
    closed: list[tuple[str, float]] = []
    names = ("spreads", "levels", "gauges", "volumes")
    derived = Derived(tuple(_Counted(name, closed) for name in names), lambda text: None)
    derived.run(DictView(1.0), 1.0, moved=True)
    assert {name for name, _ in closed} == set(names)
    closed.clear()
    derived.bars_changed(2.0, "5m")
    derived.run(DictView(4.0), 4.0, moved=False)
    assert {name for name, _ in closed} == INTRADAY & set(names)
    closed.clear()
    derived.bars_changed(5.0, "5m")
    derived.bars_changed(5.0, "1d")
    derived.run(DictView(7.0), 7.0, moved=False)
    assert {name for name, _ in closed} == set(names)


def test_a_round_of_closes_is_of_one_moment_and_nobody_waits_for_ever() -> None:
    closed: list[tuple[str, float]] = []
    names = [name for name in TABLES if name not in INTRADAY]
    derived = Derived(tuple(_Counted(name, closed) for name in names), lambda text: None, budget_s=0.0)
    mono = 10.0
    derived.bars_changed(mono)
    for _ in range(3 * len(names)):  # one close a beat, and bars never stop coming: rounds begin before one is over
        mono += 0.4
        derived.run(DictView(mono), mono, moved=False)
        derived.bars_changed(mono)
    assert {name for name, _ in closed[: len(names)]} == set(names)
    counts = [sum(name == one for name, _ in closed) for one in names]
    assert max(counts) - min(counts) <= 1
    assert len({now for _, now in closed}) < len(closed)


def test_a_grid_is_kept_while_only_other_bars_than_daily_ones_come() -> None:
    days = weekdays("2025-11-03", 30)
    book: BarBook = book_of(IWM=ohlcv(1, days))
    shared = Shared(book)
    now = after(days)
    first: DailyGrid = shared.grid(now)
    frame = book.frame("IWM", "1d").tail(1)
    book.merge(Bars("IWM", "5m", "x", "USD", frame))
    assert shared.grid(now + 1.0) is first
    book.merge(Bars("SPY", "1d", "x", "USD", frame))
    assert shared.grid(now) is first, "a round that began before these bars goes on with its own"
    assert shared.grid(now + 1.0) is not first
