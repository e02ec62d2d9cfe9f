"""Volumes, markets and baskets: the known answers, pandas as the oracle, and figures that are not to be believed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import baskets, markets, sessions, volume
from engine.bars import BarBook
from engine.config import Config, Crypto
from engine.derived import Derived
from engine.grid import DAY, daily_grid
from engine.makers import makers
from engine.markets import Twins, distinct, over_venues, volume_usd
from engine.model import Bars, MarketFact, Status
from engine.tables import BARS
from engine.view import Book24, DictView, Live, Rate, Session
from tests.engine.market_data import Weekdays, after, bars, book_of, calendar_of, ohlcv, real, weekdays
from tests.engine.runtime import HandClock, channel, engine, quote


def closed(frame: pd.DataFrame) -> pl.DataFrame:
    return bars(frame, "IWM").frame


def book24(volume: float | None = 10.0, quote_volume: float | None = None, **more: Any) -> Book24:
    made = Book24("coinbase", "BTC", "BTC/USD", "USD", 100.0, 110.0, 90.0, volume, quote_volume, None, 1.0)
    return made._replace(**more)


def test_thirty_million_to_twenty_five_and_a_half_is_minus_fifteen_per_cent() -> None:
    """§10: ADV 30.0 M → 25.5 M is −15 %; at a 13 % higher price that is about −4 % of dollars."""
    days = weekdays("2024-06-03", 400)
    frame = pd.DataFrame({"close": 100.0, "adj_close": 100.0, "volume": 30e6}, index=days)
    frame.loc[days[-63:], "volume"] = 25.5e6
    frame.loc[days[-63:], "close"] = 113.0
    adv = volume.average(closed(frame))
    assert adv.shares == pytest.approx(25.5e6)
    assert adv.yoy_pct == pytest.approx(-15.0)
    assert adv.usd_yoy_pct == pytest.approx(-3.95, abs=0.01)
    assert adv.n == 63


@pytest.mark.parametrize("cut", [-1, -200, -1500])
def test_adv_on_real_iwm_equals_pandas(cut: int) -> None:
    frame = real("iwm").iloc[:cut]
    at = frame.index.asof(frame.index[-1] - pd.DateOffset(years=1))
    made = volume.average(closed(frame))
    for mine, change, series in (
        (made.shares, made.yoy_pct, frame["volume"]),
        (made.usd, made.usd_yoy_pct, frame["volume"] * frame["close"]),
    ):
        rolled: Any = series.rolling(63).mean()
        assert mine == pytest.approx(rolled.iloc[-1], rel=1e-10)
        assert change == pytest.approx(100 * (rolled.iloc[-1] / rolled[at] - 1), rel=1e-10)


def test_a_forming_day_is_not_in_adv() -> None:
    days = weekdays("2024-06-03", 400)
    frame = pd.DataFrame({"close": 100.0, "volume": 10e6}, index=days)
    forming = frame.copy()
    forming.loc[days[-1], "volume"] = 1.0
    noon = days[-1].timestamp() + 60_000
    grid = daily_grid(book_of(IWM=forming), calendar_of(days), noon)
    assert volume.average(grid.closed("IWM")).shares == 10e6
    evening = days[-1].timestamp() + 76_000.0  # minutes after the close, hours before the UTC day ends
    grid = daily_grid(book_of(IWM=forming), calendar_of(days), evening)
    row = volume.live(volume.at_close(grid, book_of(), calendar_of(days), ("IWM",)), DictView(evening)).row(
        0, named=True
    )
    assert row["as_of"].timestamp() == days[-1].timestamp() + 75_600, "the session's close, which is not to come"


def five_minutes(sessions: list[Session], scale: np.ndarray[Any, Any], seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (s.open + 300 * k, float(k_scale * rng.uniform(1, 2)))
        for s, k_scale in zip(sessions, scale, strict=True)
        for k in range(int((s.close - s.open) // 300))
    ]
    times = pl.Series("time", [int(t * 1e6) for t, _ in rows], dtype=pl.Int64)
    frame = pl.DataFrame({"time": times, "volume": [v for _, v in rows]})
    ones = [pl.lit(1.0).alias(c) for c in BARS.names()[1:-1]]
    return frame.with_columns(pl.col("time").cast(BARS["time"]), *ones).select(BARS.names())


def test_rvol_is_todays_volume_over_the_mean_of_twenty_full_sessions_at_the_same_time() -> None:
    days = weekdays("2025-11-03", 40)
    sessions = [Session(int(d.timestamp()) // DAY, d.timestamp() + 52_200, d.timestamp() + 75_600) for d in days]
    sessions[30] = sessions[30]._replace(close=sessions[30].close - 3 * 3600, early=True)
    frame = five_minutes(sessions, np.linspace(1, 3, 40), 1)
    book = book_of(IWM=ohlcv(1, days))
    book.merge(Bars("IWM", "5m", "test", "USD", frame.filter(pl.col("time").dt.epoch("s") < sessions[39].open)))
    opened = sessions[39].open
    now = opened + 3600.0
    calendar = Weekdays(tuple(sessions))
    state = volume.at_close(daily_grid(book, calendar, now), book, calendar, ("IWM", "^RUT"))
    table = frame.with_columns(t=pl.col("time").dt.epoch("s")).to_dict(as_series=False)
    bars_of_day = list(zip(table["t"], table["volume"], strict=True))
    usual = [
        sum(v for t, v in bars_of_day if 0 <= t - sessions[i].open < 3600)
        for i in [k for k in range(39) if k != 30][-20:]
    ]
    view = DictView(now, {"IWM": Live(100.0, Status.OK, now, 2.5 * float(np.mean(usual)), "regular")})
    row = volume.live(state, view).row(0, named=True)
    assert row["rvol"] == pytest.approx(2.5, rel=1e-10)
    assert volume.live(state, view).height == 1, "an index has no tape"
    before = view.prices["IWM"]._replace(at=opened - 3600 * 40)
    assert volume.live(state, DictView(now, {"IWM": before}))["rvol"][0] != 2.5


def test_a_book_whose_figures_are_mixed_up_is_left_out_and_a_real_pump_is_not() -> None:
    one = Rate(1.0)
    assert volume_usd(book24(10.0, 1000.0), one) == 1000.0
    assert volume_usd(book24(1000.0, 10.0), one) is None, "base and quote inverted"
    assert volume_usd(book24(10.0, 3000.0, high=400.0, low=90.0, last=380.0), one) == 3000.0
    assert volume_usd(book24(10.0, None), one) == 1000.0
    assert volume_usd(book24(10.0, None, vwap=95.0), Rate(1.1)) == pytest.approx(1045.0)
    for bad in (math.nan, math.inf, -1.0, None):
        assert volume_usd(book24(bad, bad), one) is None
        assert volume_usd(book24(10.0), Rate(bad)) is None
    assert volume_usd(book24(None, 500.0), one) == 500.0


def test_two_names_of_one_book_count_once_and_a_missing_stable_coin_is_estimated() -> None:
    usd, usdc = book24(10.0, 1000.0), book24(10.0, 1000.0, venue_symbol="BTC/USDC", quote_ccy="USDC")
    usdt = book24(7.0, 700.0, venue_symbol="BTC/USDT", quote_ccy="USDT")
    eur = book24(10.0, 1000.0, venue_symbol="BTC/EUR", quote_ccy="EUR")
    other = book24(10.0, 1000.0, source="kraken")
    rates = {"USDC": Rate(1.0), "USDT": Rate(1.0, True), "EUR": Rate(1.2)}
    view = DictView(9.0, all_books=(usdt, usdc, usd, eur, other), rates=rates)
    made = over_venues(view, Twins())["BTC"]
    assert made.usd == pytest.approx(1000 + 700 + 1200 + 1000)
    assert (made.venues, made.status) == (2, Status.ESTIMATED)


def test_twins_once_seen_three_times_stay_one_while_one_name_lags() -> None:
    twins = Twins()
    usd, usdc = book24(10.0), book24(10.0, venue_symbol="BTC/USDC", quote_ccy="USDC")
    for moment in (1.0, 2.0, 3.0):
        assert len(distinct((usd._replace(at=moment), usdc), twins)) == 1
    assert len(distinct((usd._replace(at=4.0, volume=10.5), usdc), twins)) == 1
    apart = [len(distinct((usd._replace(at=5.0 + i, volume=11.0), usdc), twins)) for i in range(4)]
    assert apart[-1] == 2


def test_a_lost_venue_is_left_out_while_another_is_fresh() -> None:
    old = book24(10.0, 1000.0, stale=True)
    view = DictView(9.0, all_books=(old, book24(5.0, 500.0, source="kraken")))
    assert over_venues(view, Twins())["BTC"] == markets.Venues(500.0, 1, 1.0, Status.OK)
    assert over_venues(DictView(9.0, all_books=(old,)), Twins())["BTC"] == markets.Venues(1000.0, 1, 1.0, Status.STALE)


def test_venues_and_all_markets_stand_apart() -> None:
    facts = {
        "BTC": MarketFact("BTC", "coingecko", 5.0, 42.4e9, None, 58.9),
        "*": MarketFact("*", "coingecko", 5.0, 1e11),
    }
    view = DictView(9.0, all_books=(book24(10.0, 1000.0),), all_facts=facts)
    rows = {r["base"]: r for r in markets.live(over_venues(view, Twins()), ("BTC", "ETH"), view).to_dicts()}
    assert set(rows) == {"BTC", "*"}
    assert (rows["BTC"]["venues_usd"], rows["BTC"]["all_markets_usd"], rows["BTC"]["dominance_pct"]) == (
        1e3,
        42.4e9,
        58.9,
    )
    assert rows["BTC"]["all_markets_usd"] > 30e9
    assert rows["*"]["venues_usd"] is None


def crypto(days: pd.DatetimeIndex, volumes: Any, closes: Any = 100.0) -> pd.DataFrame:
    return pd.DataFrame({"close": closes, "adj_close": closes, "volume": volumes}, index=days)


@pytest.mark.parametrize(("then", "now", "change"), [(100.0, 80.0, -20.0), (100.0, 75.0, -25.0)])
def test_basket_volume_from_100_to_80_is_minus_20_and_to_75_minus_25_per_cent(
    then: float, now: float, change: float
) -> None:
    days = pd.DatetimeIndex(pd.date_range("2024-11-01", "2026-01-08", freq="D"))
    series = np.where(days > days[-31], now, then)
    frames = {"AAA_USD": crypto(days, series), "BBB_USD": crypto(days, 2 * series)}
    frames["NEW_USD"] = crypto(pd.DatetimeIndex(days[-60:]), 1e9)
    grid = daily_grid(book_of(**frames), calendar_of(weekdays("2024-11-01", 330)), after(days))
    (state,) = baskets.at_close(grid, {"x": ("AAA", "BBB", "NEW")})
    assert state.yoy_pct == pytest.approx(change)
    assert state.alive == pytest.approx(2 / 3), "the newcomer is not in the year's comparison"
    view = DictView(grid.now, {s: Live(110.0, Status.OK, grid.now) for s in ("AAA/USD", "BBB/USD", "NEW/USD")})
    row = baskets.live((state,), {}, view).row(0, named=True)
    assert row["return_1d_pct"] == pytest.approx(10.0)
    assert (row["breadth"], row["members"], row["status"]) == (1.0, 3, "ok")
    assert row["breadth_members"] == 3
    assert row["as_of"].timestamp() == grid.now
    assert row["coverage"] == pytest.approx(2 / 3)


def test_breadth_counts_the_members_above_their_means_of_50_and_200() -> None:
    days = pd.DatetimeIndex(pd.date_range("2024-06-01", "2026-01-08", freq="D"))
    frames = {f"{name}_USD": ohlcv(seed, days, sd=0.03) for seed, name in enumerate(("AAA", "BBB", "CCC", "DDD"))}
    frames["NEW_USD"] = ohlcv(9, pd.DatetimeIndex(days[-100:]))
    grid = daily_grid(book_of(**frames), calendar_of(weekdays("2024-06-03", 420)), after(days))
    last = {name.replace("_", "/"): float(f["close"].iloc[-1]) * 1.01 for name, f in frames.items()}
    view = DictView(grid.now, {s: Live(p, Status.OK, grid.now) for s, p in last.items()})
    row = baskets.live(baskets.at_close(grid, {"x": ("AAA", "BBB", "CCC", "DDD", "NEW")}), {}, view).row(0, named=True)
    for name, w in (("breadth", 50), ("breadth200", 200)):
        above = [
            last[n.replace("_", "/")] > np.append(f["close"].iloc[1 - w :], last[n.replace("_", "/")]).mean()
            for n, f in frames.items()
            if len(f) >= w - 1
        ]
        assert row[name] == pytest.approx(np.mean(above)), name
        assert w != 50 or row["breadth_members"] == len(above)
        assert len(above) == (5 if w == 50 else 4), "a young one has no mean of 200 days"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([math.nan, math.inf, 0.0, -1.0, 5.0, 120.0]), min_size=1, max_size=80))
def test_bad_volumes_and_prices_are_never_an_exception_nor_nan(values: list[float]) -> None:
    days = pd.DatetimeIndex(pd.date_range("2025-01-01", periods=len(values), freq="D"))
    frame = crypto(days, values, values)
    grid = daily_grid(book_of(AAA_USD=frame, IWM=frame), calendar_of(weekdays("2025-01-01", 90)), after(days))
    view = DictView(grid.now, {s: Live(values[0], Status.OK, grid.now, values[-1]) for s in ("AAA/USD", "IWM")})
    tables = (
        baskets.live(baskets.at_close(grid, {"x": ("AAA", "BBB"), "none": ()}), {}, view),
        volume.live(volume.at_close(grid, book_of(), calendar_of(days), ("IWM",)), view),
    )
    for table in tables:
        floats = [c for c, kind in table.schema.items() if kind == pl.Float64]
        lists = [table[c].explode() for c, kind in table.schema.items() if kind == pl.List(pl.Float64)]
        for column in (*(table[c] for c in floats), *lists):
            assert not column.is_nan().any() and not column.is_infinite().any()


def test_a_baskets_course_is_chained_from_the_mean_of_its_members_moves() -> None:
    days = pd.DatetimeIndex(pd.date_range("2024-11-01", "2026-01-08", freq="D"))
    rng = np.random.default_rng(5)
    closes = {b: 100.0 * np.exp(np.cumsum(rng.normal(0, 0.03, len(days)))) for b in ("AAA", "BBB", "NEW")}
    closes["NEW"] = closes["NEW"][-10:]
    frames = {f"{b}_USD": crypto(pd.DatetimeIndex(days[-len(c) :]), 1.0, c) for b, c in closes.items()}
    grid = daily_grid(book_of(**frames), calendar_of(weekdays("2024-11-01", 330)), after(days))
    view = DictView(grid.now, {f"{b}/USD": Live(1.02 * c[-1], Status.OK, grid.now) for b, c in closes.items()})
    row = baskets.live(baskets.at_close(grid, {"x": ("AAA", "BBB", "NEW")}), {}, view).row(0, named=True)
    moves = pd.DataFrame({b: pd.Series(c, index=days[-len(c) :]) for b, c in closes.items()}).iloc[-30:].pct_change()
    chained = 100.0 * (1 + moves.mean(axis=1).fillna(0.0)).cumprod()
    assert row["recent"] == pytest.approx([*chained, 1.02 * chained.iloc[-1]], rel=1e-12)


def a_venue_less(view: DictView, now: float) -> DictView:
    """The same a moment later, without the books of kraken."""
    left = tuple(book._replace(stale=book.source == "kraken") for book in view.all_books)
    return replace(view, now=now, all_books=left)


def test_a_basket_that_was_made_early_sees_a_lost_venue_though_nothing_moves_after() -> None:
    """Made anew out of turn, between two makings of the volumes; then the venues fall silent."""
    config = Config(crypto=Crypto(baskets={"majors": ("BTC",)}, alt=("majors",)))
    derived = Derived(tuple(makers(config, BarBook())), pytest.fail, budget_s=math.inf)
    view = DictView(9.0, all_books=(book24(10.0, 1000.0), book24(10.0, 1000.0, source="kraken")))
    derived.run(view, 9.0, moved=True)
    assert derived.tables()["baskets"]["volume_usd"].to_list() == [2000.0]
    view = a_venue_less(view, 9.5)
    derived.refresh("baskets")
    derived.run(view, 9.5, moved=True)
    for moment in (10.1, 10.6, 11.2):
        view = replace(view, now=moment)
        derived.run(view, moment, moved=False)
    assert derived.tables()["markets"]["venues_usd"].to_list() == [1000.0]
    assert derived.tables()["baskets"]["volume_usd"].to_list() == [1000.0]


def test_a_claim_that_was_made_before_what_it_reads_is_made_again() -> None:
    """Made out of turn at 9.5, before the volumes that it reads are due; nothing moves after."""
    derived = Derived(tuple(makers(Config(), BarBook())), pytest.fail, budget_s=math.inf)
    measured: list[float | None] = []
    for now, traded, moved in ((9.0, 20e9, True), (9.5, 40e9, True), (10.1, 40e9, False), (10.6, 40e9, False)):
        if now == 9.5:
            derived.refresh("claims")
        facts = {"BTC": MarketFact("BTC", "coingecko", now, traded)}
        derived.run(DictView(now, all_facts=facts), now, moved=moved)
        claim = derived.tables()["claims"].filter(claim="BTC 24 h volume over all markets above")
        measured.append(claim["measured"].item())
    assert measured[1] == 20e9
    assert measured[-1] == 40e9


@pytest.mark.parametrize("told", [True, False], ids=["told", "silent"])
def test_a_lost_venue_counts_no_more_though_another_speaks_for_every_price(*, told: bool) -> None:
    sessions.warm()
    clock = HandClock()
    run = engine(clock, makers=makers)
    for source in ("coinbase", "kraken"):
        run.report_channel(channel(source, up=True, limit=4.0 if source == "kraken" and not told else 15.0))
        run.ingest(quote(clock, source=source, quote_volume=1000.0))
    for _ in range(12):
        run.beat()
        clock.pass_(0.25)
    assert run.beat().tables["markets"]["venues"].to_list() == [2]
    if told:
        run.report_channel(channel("kraken", up=False))
    for _ in range(12):
        clock.pass_(0.25)
        tables = run.beat().tables
    assert tables["markets"].select("venues", "venues_usd").rows() == [(1, 1000.0)]
    assert tables["baskets"].filter(basket="majors")["volume_usd"].to_list() == [1000.0]
