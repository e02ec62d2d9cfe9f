"""Every column of `spreads` equals pandas, scipy and statsmodels, on real IWM and SPY and on seeded random series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import quantstats as qs
import statsmodels.api as sm
from scipy.stats import percentileofscore
from statsmodels.tsa.stattools import adfuller

from engine import spreads
from engine.config import Config
from engine.grid import daily_grid
from engine.legs import parse_pair
from engine.model import Status
from engine.view import DictView, Live
from tests.engine.market_data import after, book_of, calendar_of, ohlcv, real, weekdays

Row = dict[str, Any]
PAIR = parse_pair("IWM/SPY", Config())
pytestmark = pytest.mark.filterwarnings("ignore:adfuller currently returns:FutureWarning")


def row_at_close(a: pd.DataFrame, b: pd.DataFrame, days: pd.DatetimeIndex) -> Row:
    grid = daily_grid(book_of(IWM=a, SPY=b), calendar_of(days), after(days))
    state = spreads.at_close(grid, (PAIR,))
    return spreads.live(state, DictView(grid.now)).row(0, named=True)


def row_live(a: pd.DataFrame, b: pd.DataFrame, days: pd.DatetimeIndex) -> Row:
    """The same row, where the last day's bar has not come and its close is the live price."""
    today = float(days[-1].timestamp())
    factor = {s: float(f["adj_close"].iloc[-2] / f["close"].iloc[-2]) for s, f in (("IWM", a), ("SPY", b))}
    grid = daily_grid(book_of(IWM=a.iloc[:-1], SPY=b.iloc[:-1]), calendar_of(days), today + 60_000)
    state = spreads.at_close(grid, (PAIR,))
    prices = {
        s: Live(float(f["adj_close"].iloc[-1]) / factor[s], Status.OK, today + 59_999)
        for s, f in (("IWM", a), ("SPY", b))
    }
    return spreads.live(state, DictView(grid.now, prices)).row(0, named=True)


def oracle(a: Any, b: Any) -> Row:
    """The same columns by pandas, scipy, statsmodels and quantstats; written from METRICS §1, not from the engine."""
    q: Any = np.log(a / b)
    day = q.index[-1]
    row: Row = {"ratio": (a / b).iloc[-1], "log_ratio": q.iloc[-1], "n": len(q), "coverage": 1.0}

    def horizon(name: str, base: Any) -> None:
        row[f"rel_{name}"] = np.exp(q.iloc[-1] - q[base]) - 1
        row[f"pp_{name}"] = 100 * ((a.iloc[-1] / a[base] - 1) - (b.iloc[-1] / b[base] - 1))

    for name, back in (("1d", 1), ("5d", 5)):
        horizon(name, q.index[-1 - back])
    for name, months in (("1m", 1), ("3m", 3), ("1y", 12), ("5y", 60)):
        at = q.index.asof(day - pd.DateOffset(months=months))
        if not pd.isna(at):
            horizon(name, at)
    horizon("ytd", q.index[q.index.year < day.year][-1])
    for w in (63, 252):
        row[f"z{w}"] = ((q - q.rolling(w).mean()) / q.rolling(w).std(ddof=1)).iloc[-1]
    row["percentile"] = percentileofscore(q.iloc[-2520:], q.iloc[-1], kind="mean") / 100
    drawdowns: Any = qs.stats.to_drawdown_series
    row["drawdown"] = drawdowns((a / b).pct_change(fill_method=None).fillna(0.0)).iloc[-1]
    window = q.iloc[-252:]
    x, y = window.shift(1).iloc[1:], window.diff().iloc[1:]
    slope = sm.OLS(y.to_numpy(), sm.add_constant(x.to_numpy())).fit().params[1]
    p = adfuller(window.to_numpy(), maxlag=0, autolag=None)[1]
    row["half_life"] = -np.log(2) / np.log1p(slope) if -1 < slope < 0 and p < 0.10 else np.inf
    low = q.iloc[-1] <= q.rolling(2520, min_periods=2268).min().iloc[-1]
    row["low_label"] = "decade low" if low else None
    yearly: Any = pd.DataFrame({"a": a, "b": b}).groupby(q.index.year).last().pct_change(fill_method=None)
    sides = np.sign(yearly["a"] - yearly["b"]).loc[: day.year - 1]
    runs = (sides != sides.shift()).cumsum()
    last = sides[runs == runs.iloc[-1]]
    row["streak_leader"] = "small" if last.iloc[-1] > 0 else "large"
    row["streak_years"], row["streak_from"], row["streak_to"] = len(last), int(last.index[0]), int(last.index[-1])
    row["ytd_leader"] = "small" if row["pp_ytd"] > 0 else "large"
    return row


def agree(row: Row, expected: Row) -> None:
    for name, value in expected.items():
        if isinstance(value, str) or value is None:
            assert row[name] == value, name
        else:
            assert row[name] == pytest.approx(value, rel=1e-8, abs=1e-10), name
    untold = {"pair", "a", "b", "as_of", "recent", "status", "simulated"}
    assert {k for k, v in row.items() if v is not None} - set(expected) <= untold


CUTS = (-1, -2, -40, -300, -777, -1300, -2500)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("form", [row_at_close, row_live])
def test_every_column_on_real_iwm_and_spy_equals_the_oracles(form: Any, cut: int) -> None:
    a, b = real("iwm"), real("spy")
    days = a.index.intersection(b.index)[:cut]
    a, b = a.loc[days], b.loc[days]
    agree(form(a, b, days), oracle(a["adj_close"], b["adj_close"]))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("form", [row_at_close, row_live])
def test_every_column_on_random_series_equals_the_oracles(form: Any, seed: int) -> None:
    days = weekdays("2011-12-01", 2800 + 37 * seed)
    a, b = ohlcv(2 * seed, days), ohlcv(2 * seed + 1, days)
    agree(form(a, b, days), oracle(a["adj_close"], b["adj_close"]))


def test_a_mean_reverting_ratio_has_its_half_life() -> None:
    rng = np.random.default_rng(5)
    x = np.zeros(2600)
    for i in range(1, len(x)):
        x[i] = 0.85 * x[i - 1] + rng.normal(0, 0.01)
    days = weekdays("2012-01-02", len(x))
    b = ohlcv(1, days)
    a = b.assign(close=b["close"] * np.exp(x), adj_close=b["close"] * np.exp(x))
    row = row_at_close(a, b, days)
    agree(row, oracle(a["adj_close"], b["adj_close"]))
    assert 2 < row["half_life"] < 12


@pytest.mark.parametrize("count", [3000])
def test_history_in_polars_equals_pandas_in_every_row(count: int) -> None:
    days = weekdays("2008-01-01", count)
    q: Any = np.log(ohlcv(3, days)["close"] / ohlcv(4, days)["close"])
    q[q.index[500:520]] = np.nan
    made = {name: column.to_numpy() for name, column in spreads.history(q.to_numpy()).to_dict().items()}
    for w in (63, 252):
        r = q.rolling(w, min_periods=w // 2)
        np.testing.assert_allclose(made[f"z{w}"], (q - r.mean()) / r.std(ddof=1), rtol=1e-8, atol=1e-10)
    r = q.rolling(2520, min_periods=1260)
    np.testing.assert_allclose(made["percentile"], (r.rank() - 0.5) / r.count(), rtol=1e-12)
    np.testing.assert_allclose(made["drawdown"], np.exp(q - q.cummax()) - 1, atol=1e-14)


def test_a_young_pair_at_its_low_is_said_to_be_at_an_n_year_low() -> None:
    days = weekdays("2018-01-01", 3 * 252 + 9)
    a = ohlcv(7, days)
    a["close"] = a["adj_close"] = np.linspace(100, 50, len(days))
    b = ohlcv(8, days)
    b["close"] = b["adj_close"] = 100.0
    row = row_at_close(a, b, days)
    assert row["low_label"] == "3-year low"
    assert row["status"] == "closed"
