"""Plans, regime, rotation and claims: known answers, simulation and pandas as oracles, and what nothing measures."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from engine import claims, plan, regime, regime_tables
from engine.config import Config, Crypto, Regime
from engine.fed_funds import fed_contracts
from engine.flow_table import FlowRow
from engine.grid import daily_grid
from engine.legs import parse_pair
from engine.model import Status
from engine.plan import PlanError, make_plan, realised_volatility, rotation_price, touch_probability
from engine.view import DictView
from tests.engine.market_data import after, bars, book_of, calendar_of, moment, ohlcv, real, weekdays

PAIRS = (parse_pair("IWM/SPY", Config()),)


def test_the_plan_of_220_with_an_atr_of_4_40() -> None:
    """§10: E 220, ATR 4.4, $100k, 1 %: stop 211.2, 113 shares, 242 = 2.5 R, 253 = 3.75 R."""
    made = make_plan(220.0, 4.4, 100_000.0, 1.0)
    assert made.stop == pytest.approx(211.2)
    assert made.quantity == 113
    assert [t.price for t in made.targets] == pytest.approx([242.0, 253.0])
    assert [t.r_multiple for t in made.targets] == pytest.approx([2.5, 3.75])
    assert made.targets[0].break_even == pytest.approx(8.8 / (8.8 + 22.0))
    assert make_plan(220.0, 4.4, 100_000.0, 1.0, max_notional=10_000.0).quantity == 45
    assert make_plan(2624.2, 30.0, 100_000.0, 1.0, multiplier=5.0).quantity == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [({"atr": None}, "no ATR"), ({"stale": True}, "stale"), ({"stop": 220.0}, "below the entry"),
     ({"stop": 230.0}, "below the entry"), ({"atr": math.nan}, "no ATR"), ({"entry": math.nan}, "no entry"),
     ({"atr": 200.0}, "above zero"), ({"risk_pct": 0.0}, "above zero")],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused_with_its_reason(change: dict[str, Any], why: str) -> None:
    with pytest.raises(PlanError, match=why):
        make_plan(**{"entry": 220.0, "atr": 4.4, "equity": 100_000.0, "risk_pct": 1.0, **change})


def test_the_touch_probabilities_of_three_prices() -> None:
    """§10: σ .22, T .25, μ 0, from 220: 242 .3680, 253 .1899, 211.2 .7249."""
    made = [touch_probability(220.0, b, 0.22, 0.25) for b in (242.0, 253.0, 211.2)]
    assert made == pytest.approx([0.3680, 0.1899, 0.7249], abs=5e-5)
    assert touch_probability(220.0, 220.0, 0.22, 0.25) == 1.0
    assert touch_probability(220.0, 242.0, 0.0, 0.25) == touch_probability(220.0, 242.0, 0.22, 0.0) == 0.0


@settings(max_examples=100, deadline=None)
@given(st.floats(0.3, 3), st.floats(0.01, 2), st.floats(0.01, 5), st.floats(-0.5, 0.5))
def test_the_touch_probability_is_its_formula_and_a_probability(k: float, sigma: float, t: float, mu: float) -> None:
    made = touch_probability(100.0, 100.0 * k, sigma, t, mu)
    assert 0.0 <= made <= 1.0
    b, nu = abs(math.log(k)), (mu - sigma**2 / 2) * (1 if k > 1 else -1)
    if b > 0 and 2 * nu * b / sigma**2 < 30:
        root = sigma * math.sqrt(t)
        exact = norm.cdf((-b + nu * t) / root) + math.exp(2 * nu * b / sigma**2) * norm.cdf((-b - nu * t) / root)
        assert made == pytest.approx(min(1.0, exact), abs=1e-9)


def test_the_touch_probability_is_what_simulated_paths_do() -> None:
    rng = np.random.default_rng(1)
    sigma, years, steps = 0.22, 0.25, 2_000
    moves = rng.normal(-(sigma**2) / 2 * years / steps, sigma * math.sqrt(years / steps), (4_000, steps))
    touched = (np.cumsum(moves, axis=1).max(axis=1) >= math.log(242 / 220)).mean()
    assert touch_probability(220.0, 242.0, sigma, years) == pytest.approx(touched, abs=0.03)


def test_realised_volatility_and_the_rotation_what_if() -> None:
    close = ohlcv(1, weekdays("2024-01-01", 200))["close"]
    expected = np.log(close).diff().iloc[-63:].std(ddof=1) * math.sqrt(252)
    assert realised_volatility(close.to_numpy()) == pytest.approx(expected, rel=1e-10)
    assert realised_volatility(close.to_numpy()[:40]) is None
    assert rotation_price(220.0, -0.091, 0.554) == pytest.approx(220 * 0.909 * 1.554)


def test_2000_to_2009_small_led_by_50_points() -> None:
    """§10: +41.3 % against −9.1 %: 50.4 pp, relative +55.4 %."""
    assert pytest.approx(50.4) == 41.3 - -9.1
    assert pytest.approx(0.554, abs=5e-4) == 1.413 / 0.909 - 1
    assert rotation_price(100.0, -0.091, 1.413 / 0.909 - 1) == pytest.approx(141.3)


def test_fed_funds_futures_say_what_a_meeting_is_worth() -> None:
    """§7: 94.79, 5.33, N 30, D 13: 5.118 %, 84.7 %."""
    made = regime.fed_meeting(94.79, 5.33, 30, 13)
    assert made is not None
    assert made.after == pytest.approx(5.118, abs=5e-4)
    assert made.cut_probability == pytest.approx(0.847, abs=1e-3)
    assert regime.fed_meeting(94.79, 5.33, 30, 30) is None
    assert fed_contracts(date(2026, 1, 9)) == ("ZQF26.CBT", "ZQF27.CBT", "ZQZ26.CBT")
    assert fed_contracts(date(2026, 5, 9)) == ("ZQK26.CBT", "ZQK27.CBT", "ZQJ27.CBT")
    prices = {date(2026, 1, 1): 96.3, date(2027, 1, 1): 96.8}
    assert regime.cuts_priced_bp(prices, date(2026, 1, 9)) == pytest.approx(50.0)
    assert regime.cuts_priced_bp({date(2026, 1, 1): 96.3}, date(2026, 1, 9)) is None
    short = {date(2026, 1, 1): 96.3, date(2026, 12, 1): 96.7}
    assert regime.cuts_priced_bp(short, date(2026, 1, 9)) == pytest.approx(40.0), (
        "the month before, where there is no other"
    )
    assert (regime.yield_pct(41.5), regime.yield_pct(4.15), regime.yield_pct(math.nan)) == (4.15, 4.15, None)


def test_rotation_equals_pandas_and_names_its_quadrant() -> None:
    ratio = ohlcv(3, weekdays("2020-01-01", 200))["close"]

    def z(x: Any) -> Any:
        return (x - x.rolling(14).mean()) / x.rolling(14).std(ddof=1)

    rsr: Any = 100 + z(100 * ratio)
    made = regime.rotation(ratio.to_numpy())
    np.testing.assert_allclose(made.rs_ratio, rsr, atol=1e-8)
    np.testing.assert_allclose(made.rs_momentum, 100 + z(rsr.diff()), atol=1e-8)
    corners = [(100, 100), (101, 99), (99, 99), (99, 100)]
    assert [regime.quadrant(*c) for c in corners] == ["Leading", "Weakening", "Lagging", "Improving"]


def test_weekly_values_are_the_last_of_each_week() -> None:
    frame = ohlcv(4, weekdays("2024-01-03", 60))
    days = frame.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    _, values = regime.weekly(days, frame["close"].to_numpy())
    np.testing.assert_array_equal(values, frame["close"].resample("W-SUN").last().to_numpy())
    assert regime.weekly(days[:0], frame["close"].to_numpy()[:0])[1].size == 0


def test_breadth_counts_valid_members_only() -> None:
    up, down = np.arange(1.0, 61.0), np.arange(60.0, 0.0, -1)
    assert regime.breadth([up, down, up[:20], np.full(60, np.nan)], 50) == (0.5, 2)
    assert regime.breadth([], 50) == (None, 0)


def test_evidence_on_real_iwm_and_spy_equals_pandas() -> None:
    a, b = real("iwm"), real("spy")
    days = pd.DatetimeIndex(a.index.intersection(b.index))
    a, b = a.loc[days], b.loc[days]
    grid = daily_grid(book_of(IWM=a, SPY=b), calendar_of(days), after(days))
    rows = {r["evidence"]: r for r in regime_tables.regime_at_close(grid, PAIRS).rows}
    q: Any = np.log(a["adj_close"] / b["adj_close"])
    slow = q.rolling(756).mean()
    assert rows["slope of SMA756"]["value"] == pytest.approx(slow.iloc[-1] - slow.iloc[-22], abs=1e-12)
    assert rows["ratio over SMA200"]["value"] == pytest.approx(q.iloc[-1] - q.rolling(200).mean().iloc[-1], abs=1e-12)
    low = q[q <= q.rolling(252).min()].index[-1]
    assert rows["rows since a 252-bar low"]["value"] == len(q) - 1 - q.index.get_loc(low)
    assert rows["years since the ratio's high"]["value"] == pytest.approx((q.index[-1] - q.idxmax()).days / 365.25)
    assert rows["3m relative"]["holds"] is True, "small caps led at the turn of 2020 to 2021"
    assert rows["cuts priced over 12 months, bp"]["holds"] is None
    assert {r["side"] for r in rows.values()} == {"secular", "cyclical"} and len(rows) == 10


def test_a_day_without_a_value_does_not_hide_the_lows_after_it() -> None:
    falling = np.linspace(1.0, 0.0, 600)
    falling[450] = np.nan
    assert regime.rows_since_low(falling) == 0.0, "every day is a new low, one that is missing or not"
    turned = np.concatenate([falling, np.linspace(0.01, 0.2, 130)])
    assert regime.rows_since_low(turned) == 130.0
    assert regime.rows_since_low(falling[:251]) is None
    late = np.concatenate([np.full(300, np.nan), np.linspace(1.0, 0.0, 100), np.linspace(0.01, 0.2, 200)])
    assert regime.rows_since_low(late) == 600.0, "100 values are no 252: the low of a young ratio is not one of a year"


def test_evidence_says_what_its_history_cannot_bear() -> None:
    days = weekdays("2022-01-03", 700)  # less than five years, less than 756 sessions
    grid = daily_grid(book_of(IWM=ohlcv(1, days), SPY=ohlcv(2, days)), calendar_of(days), after(days))
    rows = {r["evidence"]: r for r in regime_tables.regime_at_close(grid, PAIRS).rows}
    high = rows["years since the ratio's high"]
    assert (high["value"], high["holds"], high["status"]) == (None, None, "warming"), "a higher one may lie before"
    assert rows["slope of SMA756"]["value"] is not None
    assert (rows["slope of SMA756"]["status"], rows["ratio over SMA200"]["status"]) == ("warming", "ok")


@pytest.mark.parametrize("cut", [400, 640])
def test_regime_and_rotation_do_not_know_the_future(cut: int) -> None:
    days = weekdays("2022-01-03", 700)
    a, b = ohlcv(1, days), ohlcv(2, days)
    some = pd.DatetimeIndex(days[:cut])
    made = []
    for keep in (days, some):
        grid = daily_grid(book_of(IWM=a.loc[keep], SPY=b.loc[keep]), calendar_of(days), after(some))
        made.append(
            (regime_tables.regime_at_close(grid, PAIRS), regime_tables.rotation_at_close(grid, PAIRS, Config()))
        )
    assert made[0] == made[1]


def test_closed_days_are_stale_once_the_next_is_overdue() -> None:
    days = weekdays("2021-06-01", 855)
    book = book_of(IWM=ohlcv(1, days[:-1]), SPY=ohlcv(2, days[:-1]))
    closed = days[-1].timestamp() + 75_600.0
    for now, late in ((closed - 60, False), (closed + 3600, False), (closed + 7 * 3600, True)):
        grid = daily_grid(book, calendar_of(days), now)
        rows = regime_tables.regime_at_close(grid, PAIRS).rows
        assert {r["status"] for r in rows if r["value"] is not None} == ({"stale"} if late else {"ok"})
        (turn,) = regime_tables.rotation_at_close(grid, PAIRS, Config(crypto=Crypto(baskets={}, alt=()))).rows
        assert turn["status"] == ("stale" if late else "ok")


def test_tables_without_bars_have_their_schema_and_are_warming() -> None:
    days = weekdays("2024-01-01", 5)
    grid = daily_grid(book_of(), calendar_of(days), after(days))
    view = DictView(grid.now)
    for name, state in (
        ("regime", regime_tables.regime_at_close(grid, PAIRS)),
        ("rotation", regime_tables.rotation_at_close(grid, PAIRS, Config())),
    ):
        made = regime_tables.live(name, state, view)
        assert set(made["status"]) <= {"warming", "stale"}
        assert name == "regime" or set(made["status"]) == {"warming"}


def test_a_claim_stands_beside_its_measurement_and_never_becomes_it() -> None:
    view = DictView(0.0)
    bare = claims.live({}, view)
    assert bare["measured"].null_count() == bare["holds"].null_count() == len(claims.CLAIMS)
    volumes = pl.DataFrame({"symbol": ["IWM"], "adv_yoy_pct": [-14.2], "as_of": [None], "status": ["ok"]})
    large = pl.DataFrame(
        {"pair": ["IWM/SPY"], "streak_years": [5], "streak_leader": ["small"], "as_of": [None], "status": ["ok"]}
    )
    rows = {r["claim"]: r for r in claims.live({"volumes": volumes, "spreads": large}, view).to_dicts()}
    volume = rows["small-cap volume, year on year (IWM)"]
    assert (volume["said"], volume["measured"], volume["holds"]) == ("-15 %", -14.2, True)
    assert rows["large caps ahead of small caps, years in a row"]["holds"] is False, "it is the small side that led"
    inflows = rows["inflows into funds"]
    assert (inflows["measured"], inflows["status"]) == (None, "stale")
    assert inflows["note"] == "no history of funds' flows: sizewatch flows import"


def flow(fund: str, **cells: object) -> FlowRow:
    return FlowRow({"fund": fund, "history": "iShares only, 10 years", **cells}, date(2026, 1, 8), Status.OK)


def test_flows_measure_two_claims_and_one_item_of_evidence() -> None:
    rows = (flow("small", flow_1y=-9e9, percentile=0.004), flow("IWM", flow_1y=-3e9), flow("large", flow_1y=84e9))
    made = {r["claim"]: r for r in claims.live({"flows": claims.size_flows(rows)}, DictView(0.0)).to_dicts()}
    inflows, allocation = made["inflows into funds"], made["allocation to small caps"]
    assert (inflows["measured"], inflows["holds"], inflows["status"]) == (75e9, None, "ok"), "other funds than it is of"
    assert "of all funds" in inflows["note"]
    assert (allocation["measured"], allocation["holds"]) == (0.004, True)
    days = weekdays("2024-01-01", 300)
    symbols = {s: ohlcv(i, days) for i, s in enumerate(("IWM", "SPY", "IJR", "QQQ", "ZQF26.CBT"))}
    book = book_of(**symbols)
    for contract, price in (("ZQF26.CBT", 96.3), ("ZQZ26.CBT", 96.9)):
        book.merge(bars(pd.DataFrame({"close": [price, price]}, index=days[-2:]), contract, replace=True))
    grid = daily_grid(book, calendar_of(days), moment("2026-01-09T22:00:00"))
    state = regime_tables.regime_at_close(grid, PAIRS, Regime(("IWM", "IJR"), ("SPY", "QQQ", "GONE")))
    found = {r["evidence"]: r for r in regime_tables.regime_live(state, rows, DictView(grid.now)).to_dicts()}
    share = found["small-cap share percentile"]
    assert (share["value"], share["holds"], share["note"]) == (0.004, True, "iShares only, 10 years")
    assert share["as_of"] == inflows["as_of"] == datetime(2026, 1, 8, 21, tzinfo=UTC), "the session's close, as flows"
    assert found["cuts priced over 12 months, bp"]["value"] == pytest.approx(60.0)
    above = {
        s: symbols[s]["close"].iloc[-1] > symbols[s]["close"].tail(50).mean() for s in ("IWM", "IJR", "SPY", "QQQ")
    }
    wide = (above["IWM"] + above["IJR"]) / 2 - (above["SPY"] + above["QQQ"]) / 2
    assert found["small breadth50 over large"]["value"] == pytest.approx(wide)
    slow = {s: symbols[s]["close"].iloc[-1] > symbols[s]["close"].tail(200).mean() for s in above}
    assert (
        f"of 2 (IWM IJR), SMA200 {int(slow['IWM']) + int(slow['IJR'])} of 2 against"
        in found["small breadth50 over large"]["note"]
    )
    assert {r["status"] for r in found.values()} <= {"ok", "warming"}
    bare = {r["evidence"]: r for r in regime_tables.regime_live(state, (), DictView(grid.now)).to_dicts()}
    assert (bare["small-cap share percentile"]["status"], bare["small-cap share percentile"]["holds"]) == (
        "stale",
        None,
    )


def test_distance_in_atr() -> None:
    assert plan.distance_atr(220.0, 231.0, 4.4) == pytest.approx(2.5)
    assert plan.distance_atr(220.0, 231.0, None) is None
