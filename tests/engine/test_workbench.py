"""The tables of the workbench, whatever comes in: their schema, no NaN, no exception, and nothing of the future."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine import sessions
from engine.bars import BarBook
from engine.board import Board
from engine.config import Config, Crypto, Equity, Plan, Scanner, Spreads
from engine.grid import DailyGrid, daily_grid
from engine.model import Bars, Intent, Status
from engine.tables import BARS, TABLES
from engine.view import DictView, Live
from engine.workbench import PATIENCE_S, Workbench, makers
from tests.engine.market_data import after, book_of, calendar_of, moment, ohlcv, weekdays
from tests.engine.runtime import HandClock, quote
from tests.engine.test_ticks import Inline

CONFIG = replace(
    Config(
        crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "ai": ("FET",)}, alt=("ai",)),
        equity=Equity(symbols=("IWM", "SPY", "^RUT", "RTY=F")),
        spreads=Spreads(("IWM/SPY", "ETH/BTC", "ALT/BTC")),
        scanner=Scanner(("ETH/RTY=F",)),
    ),
    plans={"a": Plan("IWM"), "b": Plan("BTC/USD", 100.0, 90.0, (110.0,)), "c": Plan("RTY=F", stop=1e-9)},
)
NOON = moment("2025-12-10T17:00:00")
numbers = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-300, 1e300]), st.floats(80, 120), st.none()
)


@pytest.fixture(autouse=True, scope="module")
def calendars() -> None:
    sessions.warm()


def fail(severity: str, text: str) -> None:
    raise AssertionError(f"{severity}: {text}")


def tables(grid: DailyGrid, view: DictView) -> dict[str, pl.DataFrame]:
    bench = Workbench(CONFIG, Board(CONFIG), Inline(), None, fail, patient=True)
    made = {}
    states = {maker.name: (maker, maker.at_close(grid.now)) for maker in makers(bench, lambda now: grid)}
    bench.poll(view.now, 0.0)
    assert not bench.pending
    for name, (maker, state) in states.items():
        table = maker.live(state, view)
        assert table.schema == TABLES[name], name
        for column, kind in table.schema.items():
            if kind == pl.Float64:
                assert not table[column].is_nan().any(), (name, column)
                assert column == "half_life" or not table[column].is_infinite().any(), (name, column)
        assert table["status"].null_count() == table["simulated"].null_count() == 0
        made[name] = table
    return made


@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(numbers, min_size=0, max_size=80), numbers, st.sampled_from(list(Status)))
def test_no_input_makes_a_table_fail_or_hold_nan(closes: list[float | None], price: float | None, how: Status) -> None:
    stamps = [int(day.timestamp() * 1e6) for day in weekdays("2024-06-03", 380)]
    count = len(closes)
    tail = {"time": stamps[380 - count :], **dict.fromkeys(("open", "high", "low", "close", "adj_close"), closes)}
    book = BarBook()
    for n, symbol in enumerate(CONFIG.symbols):
        whole = book_of(x=ohlcv(n, weekdays("2024-06-03", 300))).frame("x", "1d")
        dirty = pl.DataFrame(tail | {"volume": closes}, schema=BARS, strict=False)
        book.merge(Bars(symbol, "1d", "test", "USD", pl.concat([whole, dirty])))
    grid = daily_grid(book, sessions.calendar(), NOON)
    made = tables(grid, DictView(NOON, dict.fromkeys(CONFIG.symbols, Live(price, how, NOON))))
    assert made["scanner"].height == 4
    assert made["plans"].height >= 3


def test_a_scan_knows_nothing_of_what_comes_after() -> None:
    days = weekdays("2024-06-03", 400)
    frames: dict[str, Any] = {name: ohlcv(n, days) for n, name in enumerate(("IWM", "SPY", "ETH_USD", "BTC_USD"))}
    some = pd.DatetimeIndex(days[:330])
    made = []
    for keep in (days, some):
        book = book_of(**{name: frame.loc[keep] for name, frame in frames.items()})
        made.append(tables(daily_grid(book, calendar_of(days), after(some)), DictView(after(some))))
    assert made[0]["scanner"].equals(made[1]["scanner"])
    assert made[0]["scanner"].filter(pl.col("pair") == "IWM/SPY")["z"].null_count() == 0


def test_heavy_work_waits_for_the_first_prices_but_not_for_ever() -> None:
    worker, board, clock = Inline(), Board(CONFIG), HandClock()
    days = weekdays("2024-06-03", 300)
    grid = daily_grid(book_of(IWM=ohlcv(1, days), SPY=ohlcv(2, days)), calendar_of(days), after(days))

    def begun(mono: float) -> int:
        bench.poll(clock.now(), mono)
        return worker.jobs

    bench = Workbench(CONFIG, board, worker, None, fail)
    for maker in makers(bench, lambda now: grid):
        maker.at_close(grid.now)
    assert [begun(mono) for mono in (0.0, 2.0, PATIENCE_S - 0.1)] == [0, 0, 0]
    assert bench.pending
    board.ingest(quote(clock, "IWM", "yahoo-stream"))
    assert [begun(mono) for mono in (PATIENCE_S - 0.05, PATIENCE_S + 1.0)] == [0, 1], "once it has stood still"
    other = Workbench(CONFIG, Board(CONFIG), worker, None, fail)
    for maker in makers(other, lambda now: grid):
        maker.at_close(grid.now)
    for mono in (0.0, PATIENCE_S, PATIENCE_S + 1.0):
        other.poll(clock.now(), mono)
    assert worker.jobs == 2, "with no price at all it begins after a while"


def test_without_a_worker_nothing_is_scanned_and_plans_go_on() -> None:
    bench = Workbench(CONFIG, Board(CONFIG), None, None, lambda severity, text: None)
    assert [maker.name for maker in makers(bench, lambda now: None)] == ["plans", "whatifs"]  # type: ignore[arg-type,return-value]
    assert not bench.pending
    view = DictView(NOON, {"IWM": Live(220.0, Status.OK, NOON)})
    assert bench.carry_out(Intent("plan", {"text": "mine: IWM stop 211"}), view) == ("plans", "whatifs")
    assert bench.carry_out(Intent("plan", {"text": "IWM stop 230"}), view) == ()
    assert bench.plans.own("mine")


def test_another_configuration_keeps_the_ticks_of_what_stays_watched() -> None:
    clock, board = HandClock(), Board(CONFIG)
    bench = Workbench(CONFIG, board, Inline(), None, fail)
    board.ingest(quote(clock))
    trace = board.books["BTC/USD"].trace
    assert trace is not None and len(trace) == 1
    changed = replace(CONFIG, spreads=Spreads(("ETH/BTC",)))
    board.reconfigure(changed)
    bench.reconfigure(changed)
    assert board.books["BTC/USD"].trace is trace
    assert board.books["SPY"].trace is None
