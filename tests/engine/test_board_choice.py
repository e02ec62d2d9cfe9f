"""Who speaks for a symbol: the configured order, visible failover, and a return that has to prove itself."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from engine.board import RETURN_S, Board
from engine.model import Quote, SessionState, Status
from tests.engine.runtime import SATURDAY, HandClock, channel, config, engine, quote, row

OPEN = {"IWM": SessionState.OPEN, "^RUT": SessionState.OPEN}
BAD = (0.0, -1.0, math.nan, math.inf, -math.inf, 1e308)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def _choice(board: Board, clock: HandClock, symbol: str = "BTC/USD") -> tuple[str, bool]:
    board.settle(clock.monotonic(), OPEN)
    book = board.books[symbol]
    assert book.chosen is not None
    return book.chosen.quote.source, board.preferred(book)


def _tick(board: Board, clock: HandClock, *sources: str) -> None:
    for source in sources:
        board.ingest(quote(clock, source=source))


def test_the_configured_order_decides_whoever_came_first(clock: HandClock) -> None:
    board = Board(config())
    _tick(board, clock, "binance")
    assert _choice(board, clock) == ("binance", True)
    _tick(board, clock, "kraken")
    assert _choice(board, clock) == ("kraken", True)
    _tick(board, clock, "coinbase")
    assert _choice(board, clock) == ("coinbase", True)


def test_failover_is_visible_and_its_end_needs_proof(clock: HandClock) -> None:
    board = Board(config())
    _tick(board, clock, "coinbase", "kraken")
    assert _choice(board, clock) == ("coinbase", True)
    board.report_channel(channel("coinbase", up=False), clock.monotonic())
    assert _choice(board, clock) == ("kraken", False)
    clock.pass_(1)
    board.report_channel(channel("coinbase", up=True), clock.monotonic())
    _tick(board, clock, "coinbase", "kraken")
    assert _choice(board, clock) == ("kraken", False)
    clock.pass_(RETURN_S - 0.1)
    _tick(board, clock, "coinbase", "kraken")
    assert _choice(board, clock) == ("kraken", False)
    clock.pass_(0.2)
    assert _choice(board, clock) == ("coinbase", True)


def test_a_source_that_flaps_does_not_take_the_row_with_it(clock: HandClock) -> None:
    board = Board(config())
    _tick(board, clock, "coinbase", "kraken")
    _choice(board, clock)
    spoke = []
    for n in range(20):
        board.report_channel(channel("coinbase", up=bool(n % 2)), clock.monotonic())
        clock.pass_(1)
        _tick(board, clock, "coinbase", "kraken")
        spoke.append(_choice(board, clock)[0])
    assert set(spoke) == {"kraken"}


def test_when_the_speaker_dies_during_a_return_the_better_one_speaks_at_once(clock: HandClock) -> None:
    board = Board(config())
    _tick(board, clock, "coinbase", "kraken")
    board.report_channel(channel("coinbase", up=False), clock.monotonic())
    assert _choice(board, clock)[0] == "kraken"
    clock.pass_(1)
    board.report_channel(channel("coinbase", up=True), clock.monotonic())
    _tick(board, clock, "coinbase")
    board.report_channel(channel("kraken", up=False), clock.monotonic())
    assert _choice(board, clock)[0] == "coinbase"


def test_with_everybody_gone_the_last_speaker_stays_and_is_stale(clock: HandClock) -> None:
    board = Board(config())
    _tick(board, clock, "coinbase", "kraken")
    for source in ("coinbase", "kraken"):
        board.report_channel(channel(source, up=False), clock.monotonic())
    assert _choice(board, clock)[0] == "coinbase"
    assert board.status(board.books["BTC/USD"]) is Status.STALE


def test_within_a_venue_the_configured_quote_currency_speaks(clock: HandClock) -> None:
    board = Board(config())
    for ccy in ("USDC", "USDT", "USD"):
        board.ingest(quote(clock, quote_ccy=ccy, venue_symbol=f"BTC/{ccy}"))
    board.settle(clock.monotonic(), OPEN)
    chosen = board.books["BTC/USD"].chosen
    assert chosen is not None
    assert chosen.quote.venue_symbol == "BTC/USD"
    assert len(board.books24()) == 3


def test_in_session_the_stream_speaks_while_it_keeps_up(clock: HandClock) -> None:
    board = Board(config())

    def say(source: str, age: float) -> tuple[str, bool]:
        board.ingest(quote(clock, "IWM", source, 219.0, age=age))
        return _choice(board, clock, "IWM")

    assert say("yahoo-poll", 1) == ("yahoo-poll", True)
    assert say("yahoo-stream", 1) == ("yahoo-stream", True)
    clock.pass_(45)
    assert say("yahoo-poll", 0) == ("yahoo-poll", False)
    assert say("yahoo-stream", 0) == ("yahoo-stream", True)


def test_out_of_session_the_newest_close_speaks_and_that_is_no_failover(clock: HandClock) -> None:
    clock = HandClock(SATURDAY)
    board = Board(config())
    board.ingest(quote(clock, "IWM", "yahoo-stream", 150.0, age=5 * 86_400.0))
    board.ingest(quote(clock, "IWM", "yahoo-poll", 219.0, age=18 * 3600.0))
    board.settle(clock.monotonic(), {"IWM": SessionState.CLOSED})
    book = board.books["IWM"]
    assert book.chosen is not None
    assert (book.chosen.quote.source, board.preferred(book)) == ("yahoo-poll", True)


def test_what_the_stream_lacks_comes_from_the_poll_but_never_a_price(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(
        quote(clock, "IWM", "yahoo-poll", 218.0, prev=200.0, high=221.0, low=215.0, volume=1e6, bid=1.0, ask=2.0)
    )
    run.ingest(quote(clock, "IWM", "yahoo-stream", 220.0))
    got = row(run.beat(), "IWM")
    assert (got["source"], got["last"], got["change_pct"]) == ("yahoo-stream", 220.0, pytest.approx(10.0))
    assert (got["high_24h"], got["low_24h"], got["volume"], got["bid"]) == (221.0, 215.0, 1e6, None)


def test_what_was_out_of_date_when_it_came_lends_nothing_to_what_is_not(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, "IWM", "yahoo-stream", 198.2, age=3600.0, prev=50.8, high=199.0, volume=1e6))
    run.ingest(quote(clock, "IWM", "yahoo-poll", 396.5))
    got = row(run.beat(), "IWM")
    assert (got["source"], got["last"], got["change_pct"]) == ("yahoo-poll", 396.5, None)
    assert (got["high_24h"], got["volume"]) == (None, None)


@pytest.mark.parametrize(
    ("at", "later", "session"),
    [
        ("2026-01-09T20:59:50", 20 * 60.0, SessionState.POST),
        ("2026-01-09T22:03:00", 15 * 60.0, SessionState.POST),
        ("2026-01-10T00:59:00", 3600.0, SessionState.CLOSED),
        ("2026-01-09T17:00:00", 600.0, SessionState.OPEN),
    ],
)
def test_a_poll_that_repeats_the_last_trade_goes_on_lending_the_days_figures(
    at: str, later: float, session: SessionState
) -> None:
    clock = HandClock(datetime.fromisoformat(at).replace(tzinfo=UTC))
    run = engine(clock)
    run.beat()
    run.ingest(quote(clock, "IWM", "yahoo-stream", 220.0))
    for minute in range(int(later / 60)):
        clock.pass_(60.0)
        day = {"prev": 200.0, "high": 221.0, "low": 215.0, "volume": 1e6 + minute}
        run.ingest(quote(clock, "IWM", "yahoo-poll", 220.0, age=60.0 * (minute + 1), **day))
        got = row(run.beat(), "IWM")
        assert (got["session"], got["high_24h"], got["low_24h"]) == (session, 221.0, 215.0), minute
        assert got["change_pct"] == pytest.approx(10.0)
        assert got["volume"] == 1e6 + minute


def test_a_new_configuration_drops_what_it_does_not_name_and_keeps_the_rest(clock: HandClock) -> None:
    run = engine(clock)
    _tick(run.board, clock, "coinbase", "kraken")
    run.beat()
    run.reconfigure(config(exchanges=("kraken", "binance")))
    got = row(run.beat())
    assert (got["source"], got["preferred"], got["high_since"]) == ("kraken", True, 100.0)
    run.reconfigure(config(exchanges=("binance",)))
    got = row(run.beat())
    assert (got["source"], got["last"], got["status"]) == (None, None, "warming")


def test_a_quote_is_what_the_board_keeps(clock: HandClock) -> None:
    board = Board(config())
    one: Quote = quote(clock)
    board.ingest(one)
    chosen = board.books["BTC/USD"].chosen
    assert chosen is not None
    assert chosen.quote is one
