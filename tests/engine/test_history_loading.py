"""While older bars are still being fetched, a pair says so, and nothing that is shown jumps when they have come."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine import baskets, correlations, gauges, spreads
from engine.bars import BarBook
from engine.config import Config, Crypto, Equity
from engine.grid import daily_grid
from engine.legs import Pair, parse_pair
from engine.model import Status
from engine.view import DictView, Live
from tests.engine.market_data import bars, book_of, calendar_of, moment, ohlcv

CONFIG = Config(
    crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "x": ("AAA", "BBB", "CCC")}, alt=("x",)), equity=Equity(("IWM",))
)
PAIRS = tuple(parse_pair(text, CONFIG) for text in ("ALT/BTC", "ETH/BTC"))
NOW = moment("2026-01-09T17:00:00")
DAYS = pd.date_range("2018-06-01", "2026-01-08")
CALENDAR = calendar_of(pd.bdate_range("2018-06-01", "2026-01-09"))
FRAMES = {f"{base}/USD": ohlcv(seed, DAYS, 0.02) for seed, base in enumerate(("BTC", "ETH", "AAA", "BBB", "CCC"))}
VIEW = DictView(NOW, {s: Live(float(f["close"].iloc[-1]) * 1.01, Status.OK, NOW) for s, f in FRAMES.items()})
ALWAYS = ("rel_1d", "rel_5d", "rel_1m", "rel_3m", "rel_ytd", "rel_1y", "pp_1y", "z63", "z252", "half_life")
LATER = ("rel_5y", "pp_5y", "percentile", "drawdown")


def half_way(recent_days: int = 430) -> BarBook:
    """The newest days of every symbol, and the word that more is to come."""
    book = BarBook()
    for symbol, frame in FRAMES.items():
        book.merge(bars(frame.iloc[-recent_days:], symbol)._replace(older=True))
    return book


def rows(book: BarBook, pairs: tuple[Pair, ...] = PAIRS) -> dict[str, dict[str, object]]:
    grid = daily_grid(book, CALENDAR, NOW)
    return {r["pair"]: r for r in spreads.live(spreads.at_close(grid, pairs), VIEW).rows(named=True)}


def test_what_needs_all_history_is_null_and_warming_until_it_is_there_and_the_rest_does_not_jump() -> None:
    book = half_way()
    before = rows(book)
    for symbol, frame in FRAMES.items():
        book.merge(bars(frame, symbol)._replace(older=True))
    between = rows(book)
    for symbol in FRAMES:
        book.merge(bars(FRAMES[symbol].iloc[:0], symbol))
    after = rows(book)
    for pair in before:
        for row in (before[pair], between[pair]):
            assert row["status"] == "warming"
            assert [row[name] for name in LATER] == [None] * len(LATER)
            assert row["streak_leader"] is None
        assert after[pair]["status"] == "ok"
        assert None not in [after[pair][name] for name in LATER]
        for name in ("ratio", "log_ratio", *ALWAYS):
            assert before[pair][name] == pytest.approx(after[pair][name], rel=1e-9), name
        assert before[pair]["recent"] == pytest.approx(after[pair]["recent"], rel=1e-9)


def test_under_a_year_an_index_has_no_level_yet() -> None:
    row = rows(half_way(100))["ALT/BTC"]
    assert (row["status"], row["ratio"], row["log_ratio"]) == ("warming", None, None)
    assert row["rel_1m"] is not None


def test_an_index_is_100_at_the_last_close_of_the_year_before() -> None:
    grid = daily_grid(book_of(**{s.replace("/", "_"): f for s, f in FRAMES.items()}), CALENDAR, NOW)
    values = grid.leg(PAIRS[0].a).values
    at = np.searchsorted(grid.days, (pd.Timestamp("2025-12-31") - pd.Timestamp(0)).days)
    assert values[at] == pytest.approx(100.0, rel=1e-12)


def test_gauges_correlations_and_baskets_say_so_too() -> None:
    book = half_way(100)
    grid = daily_grid(book, CALENDAR, NOW)
    assert set(correlations.live(correlations.at_close(grid, PAIRS), VIEW)["status"]) == {"warming"}
    assert set(baskets.live(baskets.at_close(grid, CONFIG.crypto.baskets), {}, VIEW)["status"]) == {"warming"}
    assert gauges.live(gauges.at_close(grid, PAIRS), VIEW)["status"].to_list() == ["warming"]
    grid = daily_grid(half_way(), CALENDAR, NOW)
    assert set(correlations.live(correlations.at_close(grid, PAIRS), VIEW)["status"]) == {"ok"}
    assert set(baskets.live(baskets.at_close(grid, CONFIG.crypto.baskets), {}, VIEW)["status"]) == {"ok"}
    assert gauges.live(gauges.at_close(grid, PAIRS), VIEW)["status"].to_list() == ["warming"]


def test_word_of_older_bars_alone_is_a_change() -> None:
    book = half_way()
    generation = book.generation
    nothing = bars(FRAMES["BTC/USD"].iloc[:0], "BTC/USD")
    assert not book.merge(nothing._replace(older=True))
    assert book.merge(nothing)
    assert not book.merge(nothing)
    assert (book.generation, book.loading("BTC/USD", "1d")) == (generation + 1, False)
