"""What holds of spreads for any input: live equals closed, no unit, no look-ahead, no exception, honest statuses."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import spreads
from engine.config import Config
from engine.config_check import check
from engine.grid import DAY, chained, daily_grid
from engine.legs import LegError, Pair, parse_leg, parse_pair, parsed_pairs
from engine.model import Status
from engine.tables import TABLES
from engine.view import DictView, Live
from tests.engine.market_data import after, bars, book_of, calendar_of, ohlcv, weekdays

CONFIG = Config()
PAIR = parse_pair("IWM/SPY", CONFIG)
Row = dict[str, Any]


def prices(values: list[float | None], start: str = "2020-01-01") -> pd.DataFrame:
    """Closes on consecutive weekdays; None leaves the day's bar out."""
    days = weekdays(start, len(values))
    frame = pd.DataFrame({"close": [math.nan if v is None else v for v in values]}, index=days)
    return frame.assign(adj_close=frame["close"]).dropna()


def closed_row(a: pd.DataFrame, b: pd.DataFrame, days: pd.DatetimeIndex, pair: Pair = PAIR) -> Row:
    grid = daily_grid(book_of(IWM=a, SPY=b), calendar_of(days), after(days))
    return spreads.live(spreads.at_close(grid, (pair,)), DictView(grid.now)).row(0, named=True)


def live_row(a: pd.DataFrame, b: pd.DataFrame, days: pd.DatetimeIndex, price_a: float, price_b: float) -> Row:
    """The row in the session after the last bar but one, the last day's prices being live."""
    today = days[-1].timestamp()
    before = pd.DatetimeIndex(days[:-1])
    grid = daily_grid(
        book_of(IWM=a[a.index.isin(before)], SPY=b[b.index.isin(before)]), calendar_of(days), today + 60_000
    )
    quotes = {"IWM": Live(price_a, Status.OK, today + 59_990), "SPY": Live(price_b, Status.OK, today + 59_995)}
    return spreads.live(spreads.at_close(grid, (PAIR,)), DictView(grid.now, quotes)).row(0, named=True)


def same(one: Row, other: Row, *but: str) -> None:
    for name, value in one.items():
        if name in {"as_of", "status", *but}:
            continue
        expected = pytest.approx(other[name], rel=1e-9, abs=1e-9) if isinstance(value, float) else other[name]
        if name == "recent":
            expected = pytest.approx(other[name], rel=1e-12)
        assert value == expected, name


gappy = st.lists(st.one_of(st.none(), st.floats(20, 200)), min_size=2, max_size=330)


@settings(max_examples=40, deadline=None)
@given(gappy, gappy, st.integers(0, 2**32 - 1))
def test_a_live_value_gives_what_its_bar_gives_when_it_closes(
    one: list[float | None], other: list[float | None], seed: int
) -> None:
    n = min(len(one), len(other))
    rng = np.random.default_rng(seed)
    last_a, last_b = rng.uniform(20, 200, 2).tolist()
    a, b = prices([*one[: n - 1], last_a]), prices([*other[: n - 1], last_b])
    days = weekdays("2020-01-01", n)
    same(live_row(a, b, days, last_a, last_b), closed_row(a, b, days))


def test_live_equals_closed_after_every_bar_of_a_long_history() -> None:
    days = weekdays("2009-01-01", 2900)
    a, b = ohlcv(1, days), ohlcv(2, days)
    for n in (*range(2, 130, 9), *range(240, 270, 3), 1259, 1260, 1261, 2267, 2268, 2519, 2520, 2521, 2900):
        some = pd.DatetimeIndex(days[:n])
        x, y = a.loc[some], b.loc[some]
        same(live_row(x, y, some, float(x["close"].iloc[-1]), float(y["close"].iloc[-1])), closed_row(x, y, some))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_the_unit_of_a_leg_changes_neither_z_nor_percentile_nor_drawdown(seed: int, scale: float) -> None:
    days = weekdays("2018-01-01", 700)
    a, b = ohlcv(seed, days), ohlcv(seed + 1, days)
    same(closed_row(a, b, days), closed_row(a * scale, b, days), "ratio", "log_ratio", "recent")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_the_legs_flips_every_sign(seed: int) -> None:
    days = weekdays("2018-01-01", 700)
    a, b = ohlcv(seed, days), ohlcv(seed + 1, days)
    one, other = closed_row(a, b, days), closed_row(b, a, days)
    for name, value in one.items():
        if name in {"log_ratio", "z63", "z252"} or name.startswith("pp_"):
            assert other[name] == (None if value is None else pytest.approx(-value, rel=1e-9, abs=1e-9)), name
    assert one["percentile"] is None or other["percentile"] == pytest.approx(1 - one["percentile"], abs=1e-12)
    flip = {"small": "large", "large": "small", None: None}
    assert other["streak_leader"] == flip[one["streak_leader"]]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(300, 690))
def test_cutting_off_the_future_leaves_the_past_as_it_was(seed: int, cut: int) -> None:
    days = weekdays("2018-01-01", 700)
    a, b = ohlcv(seed, days), ohlcv(seed + 1, days)
    some = pd.DatetimeIndex(days[:cut])
    q = np.log((a["close"] / b["close"]).to_numpy())
    assert spreads.history(q)[:cut].equals(spreads.history(q[:cut]))
    book = book_of(IWM=a, SPY=b)
    grid = daily_grid(book, calendar_of(days), after(some))
    row = spreads.live(spreads.at_close(grid, (PAIR,)), DictView(grid.now)).row(0, named=True)
    same(row, closed_row(a.loc[some], b.loc[some], some))


bad = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -5.0])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(bad, st.floats(50, 150)), min_size=1, max_size=200), bad)
def test_bad_numbers_are_null_and_never_an_exception(closes: list[float], live: float) -> None:
    days = weekdays("2020-01-01", len(closes))
    a = pd.DataFrame({"close": closes, "adj_close": closes}, index=days)
    b = ohlcv(3, days)
    row = closed_row(a, b, days)
    assert all(not (isinstance(v, float) and math.isnan(v)) for v in row.values())
    for price in (live, 100.0):
        row = live_row(a, b, days, price, 100.0)
        assert row["ratio"] is None or row["ratio"] > 0
    assert closed_row(a.iloc[:0], b.iloc[:0], days)["status"] == "warming"


def test_a_flat_ratio_has_no_z_and_a_short_one_no_percentile() -> None:
    flat = closed_row(prices([100.0] * 300), prices([50.0] * 300), weekdays("2020-01-01", 300))
    assert flat["z252"] is flat["z63"] is flat["half_life"] is flat["percentile"] is None
    assert flat["ratio"] == 2.0 and flat["drawdown"] == 0.0


@pytest.mark.parametrize(
    ("count", "z252", "status"), [(125, False, "warming"), (126, True, "warming"), (252, True, "ok")]
)
def test_a_window_has_a_value_from_half_on_and_is_ok_from_the_whole_on(count: int, z252: bool, status: str) -> None:
    days = weekdays("2020-01-01", count)
    a, b = ohlcv(1, days), ohlcv(2, days)
    row = live_row(a, b, days, 100.0, 101.0)
    assert (row["z252"] is not None, row["status"], row["n"]) == (z252, status, count)


def test_an_equity_pair_is_closed_out_of_hours_and_stale_where_its_price_is() -> None:
    days = weekdays("2020-01-01", 300)
    a, b = ohlcv(1, days), ohlcv(2, days)
    assert closed_row(a, b, days)["status"] == "closed"
    today = days[-1].timestamp()
    grid = daily_grid(book_of(IWM=a.iloc[:-1], SPY=b.iloc[:-1]), calendar_of(days), today + 60_000)
    state = spreads.at_close(grid, (PAIR,))
    lost = {"IWM": Live(100.0, Status.STALE, today + 59_000), "SPY": Live(100.0, Status.OK, today + 59_000)}
    assert spreads.live(state, DictView(grid.now, lost))["status"].to_list() == ["stale"]
    row = spreads.live(state, DictView(grid.now)).row(0, named=True)
    assert (row["status"], row["as_of"]) == ("stale", datetime.fromtimestamp(today - DAY + 75_600, UTC))
    yesterday = {s: Live(100.0, Status.OK, today - DAY) for s in ("IWM", "SPY")}
    assert spreads.live(state, DictView(grid.now, yesterday)).row(0, named=True)["ratio"] == row["ratio"]


def test_total_returns_of_2021_to_2025_make_a_streak_of_five_for_large() -> None:
    """§10: the total returns of IWM and SPY; 2021–25 +33.5 % against +95.3 %, −61.8 pp, relative −31.7 %."""
    small = {2020: 20.0, 2021: 14.5, 2022: -20.5, 2023: 16.8, 2024: 11.4, 2025: 12.7}
    large = {2020: 18.3, 2021: 28.7, 2022: -18.2, 2023: 26.2, 2024: 24.9, 2025: 17.7}
    days = pd.DatetimeIndex(["2019-12-31", *(f"{y}-12-31" for y in small), "2026-01-09"])

    def grown(returns: dict[int, float]) -> pd.DataFrame:
        levels = np.cumprod([100.0, *(1 + r / 100 for r in returns.values()), 1.0])
        return pd.DataFrame({"close": levels, "adj_close": levels}, index=days)

    a, b = grown(small), grown(large)
    row = closed_row(a, b, days)
    assert (row["streak_leader"], row["streak_years"], row["streak_from"], row["streak_to"]) == ("large", 5, 2021, 2025)
    five_a, five_b = (f["close"].iloc[6] / f["close"].iloc[1] for f in (a, b))
    assert 100 * (five_a - 1) == pytest.approx(33.5, abs=0.1)
    assert 100 * (five_b - 1) == pytest.approx(95.3, abs=0.1)
    assert 100 * (five_a - five_b) == pytest.approx(-61.8, abs=0.1)
    assert 100 * (five_a / five_b - 1) == pytest.approx(-31.7, abs=0.1)


def test_a_crypto_pair_lives_on_weekends_inside_monday() -> None:
    """A Saturday's price is the provisional value of Monday's row, held against Friday's candle."""
    every = pd.date_range("2024-01-01", "2025-03-07", freq="D")  # a Friday
    a, b = ohlcv(1, pd.DatetimeIndex(every)), ohlcv(2, pd.DatetimeIndex(every))
    pair = parse_pair("ETH/BTC", CONFIG)
    saturday = every[-1].timestamp() + 1.5 * DAY
    grid = daily_grid(book_of(ETH_USD=a, BTC_USD=b), calendar_of(weekdays("2024-01-01", 400)), saturday)
    assert grid.date_of(grid.current(crypto=True)).isoformat() == "2025-03-10"
    quotes = {"ETH/USD": Live(50.0, Status.OK, saturday), "BTC/USD": Live(100.0, Status.OK, saturday)}
    row = spreads.live(spreads.at_close(grid, (pair,)), DictView(grid.now, quotes)).row(0, named=True)
    friday = float(a["close"].iloc[-1] / b["close"].iloc[-1])
    assert row["rel_1d"] == pytest.approx(0.5 / friday - 1)
    assert row["status"] == "ok"


def alt(members: int, count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    return np.asarray(np.exp(np.cumsum(rng.normal(0, 0.03, (members, count)), axis=1)), dtype=np.float64)


def test_an_equal_weight_index_is_chained_from_mean_returns() -> None:
    prices_ = alt(8, 300)
    expected = 100 * np.cumprod(1 + np.nanmean(prices_[:, 1:] / prices_[:, :-1] - 1, axis=0))
    np.testing.assert_allclose(chained(prices_).values[1:], expected, rtol=1e-12)


def test_a_joiner_counts_from_its_join_date_and_a_thin_day_is_null_and_bridged() -> None:
    prices_ = alt(10, 60)
    prices_[9, :30] = np.nan
    made = chained(prices_)
    assert np.isfinite(made.values).all()
    np.testing.assert_allclose(made.values[:31], chained(prices_[:9, :31]).values, rtol=1e-12)
    thin = prices_.copy()
    thin[:3, 40] = np.nan
    holed = chained(thin)
    assert np.isnan(holed.values[40]) and holed.coverage[40] == pytest.approx(0.7)
    step = (thin[:, 41] / thin[:, 39]).mean()
    assert holed.values[41] / holed.values[39] == pytest.approx(step, rel=1e-12)
    np.testing.assert_allclose(holed.values[:40], made.values[:40], rtol=1e-12)


def test_alt_against_half_btc_and_half_eth_lives_as_it_closes() -> None:
    every = pd.DatetimeIndex(pd.date_range("2023-01-01", "2024-06-28", freq="D"))
    pair = parse_pair("ALT/(0.5*BTC+0.5*ETH)", CONFIG)
    frames = {s: ohlcv(i, every) for i, s in enumerate(pair.symbols)}
    calendar = calendar_of(weekdays("2023-01-02", 420))
    end = after(every)

    def table(frames: dict[str, pd.DataFrame], now: float, quotes: dict[str, Live]) -> Row:
        book = book_of()
        for symbol, frame in frames.items():
            book.merge(bars(frame, symbol))
        state = spreads.at_close(daily_grid(book, calendar, now), (pair,))
        return spreads.live(state, DictView(now, quotes)).row(0, named=True)

    today = every[-1].timestamp() + 80_000
    quotes = {s: Live(float(f["close"].iloc[-1]), Status.OK, today) for s, f in frames.items()}
    closed = table(frames, end, {})
    same(table({s: f.iloc[:-1] for s, f in frames.items()}, today, quotes), closed)
    assert closed["z252"] is not None


def test_a_wrong_pair_is_refused_with_what_would_be_right() -> None:
    for text, hint in {
        "IWM": "must be A/B",
        "IWM/SPX": "SPX must be a watched .* did you mean STX or SPY",
        "^RUT/SPY": "pair ^RUT with ^GSPC",
        "ALT/(0.5*BTC+x*ETH)": "positive weights",
        "IWM/IWM": "two different legs",
        "ALT/(0.5*BTC+-1*ETH)": "positive weights",
    }.items():
        with pytest.raises(LegError, match=hint.replace("^", r"\^")):
            parse_pair(text, CONFIG)
    assert parse_leg("(½BTC + ½ETH)", CONFIG).parts[0][1] == 0.5
    assert parse_leg("RNDR", CONFIG).symbols == ("RENDER/USD",)


def test_a_configured_mix_is_a_row_of_its_own() -> None:
    days = weekdays("2023-01-02", 600)
    btc, eth, ada = (ohlcv(seed, days, 0.02) for seed in (1, 2, 3))
    raw = {
        "crypto": {"alt": ["large"], "baskets": {"majors": ["BTC", "ETH"], "large": ["ADA"]}},
        "spreads": {"pairs": ["ALT/(0.5*BTC + 0.5*ETH)"]},
    }
    config, mistakes = check(raw)
    assert not mistakes
    book = book_of(BTC_USD=btc, ETH_USD=eth, ADA_USD=ada)
    grid = daily_grid(book, calendar_of(days), after(days))
    made = spreads.live(spreads.at_close(grid, parsed_pairs(config.spreads.pairs, config)), DictView(grid.now))
    row = made.row(0, named=True)
    assert (row["pair"], row["b"], row["n"]) == ("ALT/(0.5*BTC+0.5*ETH)", "(0.5*BTC+0.5*ETH)", 600)
    growth = pd.DataFrame({"ada": ada["close"], "btc": btc["close"], "eth": eth["close"]}).pct_change().fillna(0.0)
    q: Any = np.log((1 + growth["ada"]).cumprod() / (1 + growth[["btc", "eth"]].mean(axis=1)).cumprod())
    assert row["rel_5d"] == pytest.approx(math.expm1(q.iloc[-1] - q.iloc[-6]), rel=1e-9)
    assert row["z252"] == pytest.approx((q.iloc[-1] - q[-252:].mean()) / q[-252:].std(), rel=1e-8)


def test_the_table_has_its_schema_even_without_a_pair() -> None:
    days = weekdays("2020-01-01", 5)
    grid = daily_grid(book_of(), calendar_of(days), after(days))
    assert spreads.live(spreads.at_close(grid, ()), DictView(grid.now)).schema == TABLES["spreads"]
    assert spreads.live(spreads.at_close(grid, (PAIR,)), DictView(grid.now))["status"].to_list() == ["warming"]
