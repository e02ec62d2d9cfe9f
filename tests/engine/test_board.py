"""The board: what it believes, who speaks for a symbol, and when a row stops being live."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.board import FROZEN_POLLS, MAX_CELLS, Board
from engine.model import SessionState, Status
from tests.engine.runtime import SATURDAY, HandClock, channel, config, engine, quote, row

OPEN = {"IWM": SessionState.OPEN, "^RUT": SessionState.OPEN}
BAD = (0.0, -1.0, math.nan, math.inf, -math.inf, 1e308)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


# --- what is believed


@pytest.mark.parametrize("bad", BAD)
def test_an_impossible_price_leaves_the_last_good_one_standing(clock: HandClock, bad: float) -> None:
    run = engine(clock)
    run.ingest(quote(clock, last=100.0))
    run.ingest(quote(clock, last=bad))
    got = row(run.beat())
    assert (got["last"], got["high_since"], got["low_since"]) == (100.0, 100.0, 100.0)
    assert run.board.dropped == 1


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", ["bid", "ask", "prev", "high", "low", "volume", "quote_volume", "vwap"])
def test_an_impossible_companion_is_missing_not_believed(clock: HandClock, field: str, bad: float) -> None:
    run = engine(clock)
    companion: dict[str, Any] = {field: bad}
    run.ingest(quote(clock, last=100.0, **companion))
    got = row(run.beat())
    assert got["last"] == 100.0
    for name, value in got.items():
        assert not isinstance(value, float) or math.isfinite(value), name
    assert got["change_pct"] is None


@pytest.mark.parametrize(
    ("bid", "ask", "price"),
    [
        (99.9, 100.1, 100.0),
        (99.0, 100.5, 99.7),  # wider than 1 % of the mid: the last trade
        (100.2, 100.1, None),  # crossed
        (0.0, 100.1, None),  # an empty side
        (None, 100.1, 99.7),
        (math.nan, 100.1, 99.7),
        (100.0, 100.0, 100.0),
    ],
)
def test_the_price_used_is_the_mid_of_a_narrow_book(
    clock: HandClock, bid: float | None, ask: float | None, price: float | None
) -> None:
    run = engine(clock)
    run.ingest(quote(clock, last=99.7, bid=bid, ask=ask))
    got = row(run.beat())
    assert got["price"] == pytest.approx(price)
    assert got["last"] == 99.7


def test_a_quote_out_of_order_does_not_overwrite_a_newer_one(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, last=100.0))
    run.ingest(quote(clock, last=90.0, age=30.0))
    assert row(run.beat())["last"] == 100.0


def test_after_a_reconnection_a_venue_clock_that_went_back_is_believed(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, last=100.0))
    clock.pass_(1)
    run.report_channel(channel("kraken", up=False))
    clock.pass_(1)
    run.report_channel(channel("kraken", up=True))
    run.ingest(quote(clock, last=90.0, age=40.0))
    assert row(run.beat())["last"] == 90.0


def test_symbols_that_are_not_watched_and_endless_books_take_no_room(clock: HandClock) -> None:
    board = Board(config())
    board.ingest(quote(clock, "NOPE/USD"))
    for n in range(MAX_CELLS + 10):
        board.ingest(quote(clock, venue_symbol=f"BTC-{n}"))
    assert "NOPE/USD" not in board.books
    assert len(board.books["BTC/USD"].cells) == MAX_CELLS
    assert (board.ticks, board.dropped) == (MAX_CELLS + 11, 11)


PRICES = st.floats(1e-8, 1e9) | st.sampled_from(BAD) | st.none()


@settings(deadline=None, max_examples=50)  # the machine may be busy, and every example makes an engine
@given(st.lists(st.tuples(PRICES, PRICES, PRICES, st.booleans()), max_size=25))
def test_extremes_do_not_depend_on_where_the_beats_fall(ticks: list[tuple[float | None, ...]]) -> None:
    def run(beats: bool) -> tuple[float | None, float | None]:
        clock = HandClock()
        subject = engine(clock)
        for last, bid, ask, beat in ticks:
            subject.ingest(quote(clock, last=last, bid=bid, ask=ask))
            if beats and beat:
                subject.beat()
        got = row(subject.beat())
        return got["high_since"], got["low_since"]

    assert run(True) == run(False)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(1e-8, 1e9), min_size=1, max_size=25), st.lists(st.booleans(), min_size=25, max_size=25))
def test_no_extreme_of_a_last_price_is_ever_missed(lasts: list[float], beats: list[bool]) -> None:
    clock = HandClock()
    subject = engine(clock)
    for last, beat in zip(lasts, beats, strict=False):
        subject.ingest(quote(clock, last=last))
        if beat:
            subject.beat()
    got = row(subject.beat())
    assert (got["high_since"], got["low_since"], got["last"]) == (max(lasts), min(lasts), lasts[-1])


ANY = st.floats(allow_nan=True, allow_infinity=True) | st.none()


@settings(deadline=None)
@given(st.lists(st.tuples(*[ANY] * 10), max_size=20))
def test_whatever_a_venue_sends_nothing_raises_and_no_table_holds_a_nan(rows: list[tuple[float | None, ...]]) -> None:
    clock = HandClock()
    subject = engine(clock)
    names = ("last", "bid", "ask", "prev", "high", "low", "volume", "quote_volume", "vwap", "event_time")
    for values in rows:
        subject.ingest(quote(clock, **dict(zip(names, values, strict=True))))  # type: ignore[arg-type]
    for value in row(subject.beat()).values():
        assert not isinstance(value, float) or math.isfinite(value)


# --- money


def test_prices_are_in_usd_at_the_live_rate(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, "USDT/USD", last=0.99))
    run.ingest(
        quote(clock, source="binance", last=100.0, quote_ccy="USDT", venue_symbol="BTC/USDT", bid=99.9, ask=100.1)
    )
    got = row(run.beat())
    assert got["last"] == pytest.approx(99.0)
    assert got["bid"] == pytest.approx(98.901)
    assert (got["venue_symbol"], got["quote_ccy"], got["status"]) == ("BTC/USDT", "USDT", "ok")


def test_money_of_a_book_whose_volumes_are_mixed_up_is_not_shown(clock: HandClock) -> None:
    """One definition with `markets`: what quote_volume and volume imply must lie within the day's own range."""
    run = engine(clock)
    figures: dict[str, Any] = {"high": 105.0, "low": 95.0, "volume": 10.0, "quote_volume": 1000.0}
    run.ingest(quote(clock, last=100.0, **figures))
    assert row(run.beat(), "BTC/USD")["volume_usd"] == 1000.0
    run.ingest(quote(clock, last=100.0, **{**figures, "volume": 1000.0, "quote_volume": 10.0}))
    made = row(run.beat(), "BTC/USD")
    assert (made["volume"], made["volume_usd"], made["last"]) == (None, None, 100.0)


def test_a_rate_that_moves_moves_the_price_without_a_tick(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, "USDT/USD", last=1.0))
    run.ingest(quote(clock, source="binance", last=100.0, quote_ccy="USDT"))
    run.beat()
    run.ingest(quote(clock, "USDT/USD", last=0.5))
    got = row(run.beat())
    assert (got["last"], got["low_since"], got["high_since"]) == (50.0, 50.0, 100.0)


def test_a_stable_coin_without_a_rate_is_one_and_says_so(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, source="binance", last=100.0, quote_ccy="USDT"))
    got = row(run.beat())
    assert (got["last"], got["status"]) == (100.0, "estimated")


def test_the_first_live_rate_restates_extremes_that_were_made_without_one(clock: HandClock) -> None:
    run = engine(clock)
    for last in (100.0, 120.0, 110.0):
        run.ingest(quote(clock, source="binance", last=last, quote_ccy="USDT"))
    run.beat()
    run.ingest(quote(clock, "USDT/USD", last=0.5))
    got = row(run.beat())
    assert (got["high_since"], got["low_since"], got["last"], got["status"]) == (60.0, 50.0, 55.0, "ok")


def test_another_currency_without_a_rate_has_no_price(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, source="kraken", last=100.0, quote_ccy="EUR"))
    got = row(run.beat())
    assert (got["last"], got["price"], got["high_since"], got["status"]) == (None, None, None, "stale")
    run.ingest(quote(clock, "EUR/USD", last=1.1))
    assert row(run.beat())["last"] == pytest.approx(110.0)


def test_a_book_quoted_in_bitcoin_is_priced_through_it(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, "BTC/USD", last=90_000.0))
    run.ingest(quote(clock, "ETH/USD", last=0.03, quote_ccy="BTC", venue_symbol="ETH/BTC"))
    assert row(run.beat(), "ETH/USD")["last"] == pytest.approx(2_700.0)


def test_a_rate_whose_venue_is_lost_makes_its_rows_estimated(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, "USDT/USD", last=0.99))
    run.ingest(quote(clock, source="binance", last=100.0, quote_ccy="USDT"))
    run.report_channel(channel("kraken", up=False))
    got = row(run.beat())
    assert (got["last"], got["status"]) == (99.0, "estimated")


# --- live or not


def test_a_lost_connection_makes_its_rows_stale_at_once(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock))
    assert row(run.beat())["status"] == "ok"
    run.report_channel(channel("kraken", up=False))
    assert row(run.beat())["status"] == "stale"


def test_after_a_reconnection_a_row_is_live_only_with_news_of_its_own(clock: HandClock) -> None:
    run = engine(clock)
    for symbol in ("BTC/USD", "ETH/USD"):
        run.ingest(quote(clock, symbol))
    run.beat()
    run.report_channel(channel("kraken", up=False))
    clock.pass_(1)
    run.report_channel(channel("kraken", up=True))
    run.ingest(quote(clock, "BTC/USD", last=101.0))
    beat = run.beat()
    assert row(beat, "BTC/USD")["status"] == "ok"
    assert row(beat, "ETH/USD")["status"] == "stale"


def test_losing_and_regaining_a_channel_between_two_beats_is_still_seen(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock))
    run.beat()
    run.report_channel(channel("kraken", up=False))
    run.report_channel(channel("kraken", up=True))
    assert row(run.beat())["status"] == "stale"


def test_a_silent_channel_is_stale_past_its_limit(clock: HandClock) -> None:
    run = engine(clock)
    run.report_channel(channel("kraken", up=True, limit=15.0))
    run.ingest(quote(clock))
    clock.pass_(14.9)
    assert row(run.beat())["status"] == "ok"
    clock.pass_(0.2)
    assert row(run.beat())["status"] == "stale"


def test_a_quiet_symbol_on_a_live_channel_only_ages(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, "FET/USD"))
    for _ in range(60):
        clock.pass_(10)
        run.ingest(quote(clock, "BTC/USD"))
        run.beat()
    got = row(run.beat(), "FET/USD")
    assert (got["status"], got["age_s"]) == ("ok", 600.0)


def test_a_price_that_was_old_when_it_came_is_stale_and_makes_no_extreme(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, last=500.0, age=61.0))
    got = row(run.beat())
    assert (got["status"], got["high_since"], got["age_s"]) == ("stale", None, 61.0)


def test_a_first_message_of_days_ago_does_not_speak_for_an_equity(clock: HandClock) -> None:
    run = engine(clock)
    run.ingest(quote(clock, "IWM", "yahoo-stream", 150.0, age=3 * 86_400.0))
    assert row(run.beat(), "IWM")["status"] == "stale"
    run.ingest(quote(clock, "IWM", "yahoo-poll", 219.0, age=1.0))
    got = row(run.beat(), "IWM")
    assert (got["last"], got["source"], got["status"], got["high_since"]) == (219.0, "yahoo-poll", "ok", None)
    run.ingest(quote(clock, "IWM", "yahoo-poll", 219.5, age=1.0))
    assert row(run.beat(), "IWM")["high_since"] == 219.5


def test_ten_polls_that_say_the_same_in_session_are_frozen(clock: HandClock) -> None:
    board = Board(config())
    for _ in range(FROZEN_POLLS + 1):
        assert board.status(board.books["IWM"]) is not Status.STALE
        clock.pass_(15)
        board.ingest(quote(clock, "IWM", "yahoo-poll", 219.0, volume=5e6))
        board.settle(clock.monotonic(), OPEN)
    assert board.status(board.books["IWM"]) is Status.STALE
    board.ingest(quote(clock, "IWM", "yahoo-poll", 219.0, volume=5e6 + 1))
    board.settle(clock.monotonic(), OPEN)
    assert board.status(board.books["IWM"]) is Status.OK


def test_an_index_without_volume_is_frozen_only_where_its_clock_stands(clock: HandClock) -> None:
    for standing, expected in ((False, Status.OK), (True, Status.STALE)):
        board = Board(config())
        at = clock.now()
        for _ in range(FROZEN_POLLS + 1):
            clock.pass_(5)
            board.ingest(
                quote(clock, "^RUT", "yahoo-poll", 2204.0, volume=0.0, event_time=at if standing else clock.now())
            )
            board.settle(clock.monotonic(), OPEN)
        assert board.status(board.books["^RUT"]) is expected


def test_out_of_session_an_equity_is_closed_however_silent(clock: HandClock) -> None:
    clock = HandClock(SATURDAY)
    run = engine(clock)
    run.ingest(quote(clock, "IWM", "yahoo-poll", 219.0, age=18 * 3600.0))
    clock.pass_(7200)
    got = row(run.beat(), "IWM")
    assert (got["status"], got["session"]) == ("closed", "closed")


@pytest.mark.parametrize(
    ("delayed", "age", "status"),
    [(False, 5.0, "ok"), (False, 900.0, "stale"), (True, 5.0, "estimated"), (True, 900.0, "estimated"),
     (True, 1600.0, "stale")],
)  # fmt: skip
def test_a_price_that_its_source_delays_never_passes_for_live(
    clock: HandClock, delayed: bool, age: float, status: str
) -> None:
    run = engine(clock)
    run.beat()
    run.ingest(quote(clock, "IWM", "yahoo-poll", 219.0, age=age, delayed=delayed))
    run.ingest(quote(clock, "SPY", "yahoo-poll", 697.0))
    snapshot = run.beat()
    got = row(snapshot, "IWM")
    assert (got["status"], got["delayed"]) == (status, delayed)
    assert row(snapshot, "SPY")["delayed"] is False


def test_a_symbol_that_nobody_serves_is_warming_and_then_stale(clock: HandClock) -> None:
    board = Board(config())
    assert board.status(board.books["FET/USD"]) is Status.WARMING
