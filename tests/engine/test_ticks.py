"""Ticks for lead-lag: what enters the ring, what does not, and who is then found to lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from engine import sessions
from engine.board import Board
from engine.cross import LeadLag, hy_lead_lag
from engine.lead_lag import EVERY_S, FIRST_S, FRESH, LATE_S, TICKS, Leads, Measured, session_start
from engine.legs import parse_pair
from engine.model import Status
from engine.ticks import CAPACITY, GAP_S, Trace, attach
from engine.view import Live
from engine.worker import Worker, WorkerError
from tests.engine.market_data import moment
from tests.engine.runtime import HandClock, channel, config, quote

ETH_BTC = parse_pair("ETH/BTC", config())
IWM_SPY = parse_pair("IWM/SPY", config())
OPEN = moment("2026-01-09T14:30:00")


@pytest.fixture(autouse=True, scope="module")
def calendars() -> Iterator[None]:
    sessions.warm()
    return iter((None,))


class Inline(Worker):
    """Does its jobs at once, here; or says why not."""

    def __init__(self, fails: str = "") -> None:
        super().__init__()
        self.fails = fails
        self.jobs = 0

    def submit(self, function: Callable[..., Any], *arguments: Any, timeout_s: float) -> Future[Any]:
        self.jobs += 1
        future: Future[Any] = Future()
        if self.fails:
            future.set_exception(WorkerError(self.fails))
        else:
            future.set_result(function(*arguments))
        return future


def filled(times: Any, prices: Any) -> Trace:
    clock = HandClock()
    trace = Trace()
    for at, price in zip(times, prices, strict=True):
        trace.take(quote(clock)._replace(received=float(at), event_time=None), float(price), 15.0)
    return trace


def no_words(severity: str, text: str) -> None:
    raise AssertionError(f"{severity}: {text}")


# --- the ring


def board_of_two() -> tuple[Board, HandClock, dict[str, Trace]]:
    clock, board = HandClock(), Board(config())
    traces = attach(board, ("BTC/USD", "IWM", "nobody"), {})
    assert set(traces) == {"BTC/USD", "IWM"}
    assert board.books["ETH/USD"].trace is None
    return board, clock, traces


def test_streamed_prices_enter_in_usd_at_most_one_a_second() -> None:
    board, clock, traces = board_of_two()
    for n in range(40):
        board.ingest(quote(clock, last=100.0 + n))
        clock.pass_(0.25)
    times, logs = traces["BTC/USD"].since(0.0)
    assert len(times) == 10
    assert np.exp(logs).tolist() == pytest.approx([100.0 + 4 * n for n in range(10)])
    assert np.diff(times).tolist() == [GAP_S] * 9


@pytest.mark.parametrize(
    ("symbol", "source", "more", "kept"),
    [
        ("IWM", "yahoo-stream", {}, 1),
        ("IWM", "yahoo-poll", {}, 0),
        ("IWM", "yahoo-stream", {"delayed": True}, 0),
        ("BTC/USD", "kraken", {}, 1),
        ("BTC/USD", "kraken", {"last": float("nan")}, 0),
    ],
)
def test_a_poll_and_a_delayed_price_are_no_ticks(symbol: str, source: str, more: dict[str, Any], kept: int) -> None:
    board, clock, traces = board_of_two()
    board.ingest(quote(clock, symbol, source, **more))
    assert len(traces[symbol]) == kept


def test_a_venue_that_is_polled_gives_no_ticks() -> None:
    board, clock, traces = board_of_two()
    board.report_channel(channel("kraken", up=True, limit=60.0), clock.monotonic())
    board.ingest(quote(clock))
    assert len(traces["BTC/USD"]) == 0


def test_a_time_that_goes_back_or_is_far_off_is_not_believed() -> None:
    clock, trace = HandClock(), Trace()
    trace.take(quote(clock, age=0.5), 100.0, 15.0)
    clock.pass_(2.0)
    trace.take(quote(clock, age=3.0), 101.0, 15.0)  # before the one that is held
    trace.take(quote(clock, age=500.0), 102.0, 15.0)  # ours stands in
    times, logs = trace.since(0.0)
    assert times.tolist() == [clock.now() - 2.5, clock.now()]
    assert np.exp(logs).tolist() == pytest.approx([100.0, 102.0])


def test_the_ring_is_bounded_and_keeps_the_newest() -> None:
    count = CAPACITY + 100
    trace = filled(OPEN + 2.0 * np.arange(count), 100.0 + np.arange(count))
    assert len(trace) == CAPACITY
    times, logs = trace.since(0.0)
    assert (np.diff(times) > 0).all()
    assert np.exp(logs[[0, -1]]).tolist() == pytest.approx([200.0, 100.0 + count - 1])
    assert len(trace.since(times[10])[0]) == CAPACITY - 10


def test_what_stays_watched_keeps_its_ticks() -> None:
    board, clock, traces = board_of_two()
    board.ingest(quote(clock))
    again = attach(board, ("BTC/USD", "ETH/USD"), traces)
    assert again["BTC/USD"] is traces["BTC/USD"]
    assert board.books["IWM"].trace is None
    assert len(again["BTC/USD"]) == 1


# --- who leads


def couple(seed: int, lag: float, count: int = 1_200) -> tuple[Trace, Trace]:
    """A common path seen by two legs at their own times, the second `lag` seconds late."""
    rng = np.random.default_rng(seed)
    grid = np.arange(-400.0, count + 400.0)
    path = np.cumsum(rng.normal(0, 2e-4, len(grid)))
    a, b = (np.sort(rng.uniform(0, count, count // 2)) for _ in range(2))
    x = 3000.0 * np.exp(np.interp(a, grid, path))
    y = 91_000.0 * np.exp(np.interp(b - lag, grid, path))
    return filled(OPEN + a, x), filled(OPEN + b, y)


def leads(worker: Worker, *pairs: Any) -> Leads:
    made = Leads(worker, no_words)
    made.watch(pairs)
    return made


def test_a_planted_lead_is_found_and_its_figures_are_those_of_the_ticks() -> None:
    a, b = couple(1, 30.0)
    made = leads(Inline(), ETH_BTC)
    now = OPEN + 1_200
    assert made.poll(now, 0.0, {"ETH/USD": a, "BTC/USD": b})
    (row,) = made.rows(now, simulated=True)
    assert (row["a"], row["b"], row["window"], row["status"]) == ("ETH", "BTC", TICKS, "ok")
    assert row["lead_lag_s"] == pytest.approx(30.0, abs=5.0)
    assert row["lead_lag"] == f"{row['lead_lag_s']:+.0f} s"
    expected = hy_lead_lag(*a.since(0.0), *b.since(0.0))
    assert (row["corr"], row["lead_lag_corr"]) == (expected.at_zero, expected.corr)
    assert row["n"] == min(len(a), len(b)) - 1


def test_where_nothing_leads_it_says_none() -> None:
    a, b = couple(2, 0.0)
    made = leads(Inline(), ETH_BTC)
    made.poll(OPEN + 1_200, 0.0, {"ETH/USD": a, "BTC/USD": b})
    (row,) = made.rows(OPEN + 1_200, simulated=False)
    assert (row["lead_lag"], row["lead_lag_s"], row["lead_lag_corr"]) == ("none", None, None)
    assert row["corr"] > 0.5


def test_two_hundred_moves_of_each_leg_are_needed() -> None:
    a, b = couple(3, 0.0, count=300)
    worker = Inline()
    made = leads(worker, ETH_BTC)
    assert made.poll(OPEN + 300, 0.0, {"ETH/USD": a, "BTC/USD": b})
    (row,) = made.rows(OPEN + 300, simulated=False)
    assert (row["status"], row["corr"], row["lead_lag"]) == ("warming", None, None)
    assert 0 < row["n"] < 200
    assert worker.jobs == 0
    assert not made.poll(OPEN + 301, FIRST_S / 2, {}), "not before its time"


def test_a_couple_with_a_leg_that_is_not_streamed_has_no_row() -> None:
    a, _ = couple(4, 0.0)
    made = leads(Inline(), ETH_BTC, parse_pair("ai/IWM", config()))
    made.poll(OPEN + 1_200, 0.0, {"ETH/USD": a, "BTC/USD": Trace()})
    assert made.rows(OPEN + 1_200, simulated=False) == []
    assert made.symbols == ("ETH/USD", "BTC/USD"), "a basket has no ticks of its own"


def test_it_is_measured_now_and_then_and_grows_old() -> None:
    a, b = couple(5, 0.0)
    worker, traces = Inline(), {"ETH/USD": a, "BTC/USD": b}
    made = leads(worker, ETH_BTC)
    for mono in (0.0, 10.0, EVERY_S - 1):
        made.poll(OPEN + 1_200 + mono, mono, traces)
    assert worker.jobs == 1
    made.poll(OPEN + 1_200 + EVERY_S, EVERY_S, traces)
    assert worker.jobs == 1, "no new tick: nothing to measure"
    (row,) = made.rows(OPEN + 1_300 + LATE_S, simulated=False)
    assert row["status"] == "stale"


def test_each_session_begins_anew_and_a_closed_one_rests() -> None:
    a, b = couple(6, 0.0)
    made, traces = leads(Inline(), IWM_SPY), {"IWM": a, "SPY": b}
    made.poll(OPEN + 1_200, 0.0, traces)
    assert [r["status"] for r in made.rows(OPEN + 1_200, simulated=False)] == ["ok"]
    closed = moment("2026-01-09T22:00:00")
    made.poll(closed, 5_000.0, traces)
    assert [r["status"] for r in made.rows(closed, simulated=False)] == ["closed"]
    monday = moment("2026-01-12T14:40:00")
    assert made.poll(monday, 9_000.0, traces), "the rows of Friday go"
    assert made.rows(monday, simulated=False) == []
    assert session_start(IWM_SPY, monday) == (moment("2026-01-12T14:30:00"), True)
    assert session_start(ETH_BTC, monday) == (moment("2026-01-12T00:00:00"), True)
    future = parse_pair("ETH/RTY=F", config())
    assert session_start(future, moment("2026-01-12T22:30:00")) == (moment("2026-01-11T23:00:00"), False)


def test_figures_of_a_lost_leg_are_stale_at_once() -> None:
    measured = Measured(LeadLag(None, None, 0.4), 300, OPEN + 1_200)
    lost = Live(91_000.0, Status.STALE)
    assert Leads._status(ETH_BTC, measured, OPEN + 1_201, lambda _: FRESH) is Status.OK
    assert Leads._status(ETH_BTC, measured, OPEN + 1_201, lambda s: lost if s == "BTC/USD" else FRESH) is Status.STALE


def test_a_failure_is_told_and_tried_again() -> None:
    a, b = couple(7, 0.0)
    said: list[str] = []
    worker = Inline("it took longer than 120 s and was ended")
    made = Leads(worker, lambda severity, text: said.append(text))
    made.watch((ETH_BTC,))
    traces = {"ETH/USD": a, "BTC/USD": b}
    made.poll(OPEN + 1_200, 0.0, traces)
    assert said == ["who leads whom was not measured: it took longer than 120 s and was ended"]
    worker.fails = ""
    made.poll(OPEN + 1_200, EVERY_S, traces)
    assert [r["status"] for r in made.rows(OPEN + 1_200, simulated=False)] == ["ok"]
