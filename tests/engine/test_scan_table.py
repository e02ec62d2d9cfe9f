"""The scanner's table: live z equals the batch, hedges in contracts, and what a scan that fails leaves standing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine import scan_table, sessions
from engine.config import Config, Crypto, Equity, Scanner, Spreads
from engine.futures import roll_clean
from engine.grid import DailyGrid, daily_grid
from engine.legs import parsed_pairs
from engine.model import Status
from engine.scan_table import AGAIN_S, QUIET_S, Scans, entries
from engine.scanner import hedge_units, ols, residual_z, scan
from engine.tables import TABLES
from engine.view import DictView, Live
from tests.engine.market_data import after, book_of, calendar_of, ohlcv, weekdays
from tests.engine.test_ticks import Inline

CONFIG = Config(
    crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "ai": ("FET",)}, alt=("ai",)),
    equity=Equity(symbols=("IWM", "SPY", "^RUT", "RTY=F", "M2K=F", "ES=F")),
    spreads=Spreads(("IWM/SPY", "ETH/BTC", "^RUT/RTY=F")),
    scanner=Scanner(("ETH/M2K=F", "ETH/ES=F", "IWM/SPY", "ai/IWM")),
)
PAIRS = parsed_pairs((*CONFIG.spreads.pairs, *CONFIG.scanner.pairs), CONFIG)
DAYS = weekdays("2024-06-03", 400)


@pytest.fixture(autouse=True, scope="module")
def calendars() -> None:
    sessions.warm()


def frames() -> dict[str, pd.DataFrame]:
    made = {name: ohlcv(n, DAYS) for n, name in enumerate(("IWM", "SPY", "ETH_USD", "BTC_USD", "FET_USD", "^RUT"))}
    made["ETH_USD"] *= 31.0
    made["^RUT"] *= 20.0
    basis = np.exp(np.random.default_rng(3).normal(0, 1e-3, len(DAYS)))
    made["RTY=F"] = made["^RUT"] * 1.001
    made["M2K=F"] = made["^RUT"].mul(basis, axis=0)
    made["ES=F"] = ohlcv(9, DAYS, start=6000.0)
    return made


def grid_at(count: int, into: float) -> DailyGrid:
    """`into` seconds after the open of the day after `count` whole ones."""
    days = pd.DatetimeIndex(DAYS[:count])
    now = float(DAYS[count].timestamp()) + 52_200.0 + into if into else after(days)
    book = book_of(**{name: frame.iloc[:count] for name, frame in frames().items()})
    return daily_grid(book, calendar_of(DAYS), now)


def scanned(grid: DailyGrid, worker: Inline | None = None) -> tuple[Any, Scans, list[str]]:
    said: list[str] = []
    scans = Scans(worker or Inline(), lambda severity, text: said.append(text))
    made, levels = entries(grid, PAIRS, CONFIG.scanner)
    scans.want(levels)
    scans.poll(0.0)
    scans.poll(QUIET_S)
    return made, scans, said


def rows(made: Any, scans: Scans, view: DictView) -> dict[str, dict[str, Any]]:
    table = scan_table.live(made, scans, view)
    assert table.schema == TABLES["scanner"]
    return {row["pair"]: row for row in table.to_dicts()}


def test_a_closed_row_is_what_the_scan_of_the_grid_says() -> None:
    grid = grid_at(399, 0.0)
    made, scans, _ = scanned(grid)
    by_hand = scan({p.name: tuple(np.log(grid.leg(leg).values[-300:]) for leg in (p.b, p.a)) for p in PAIRS})  # type: ignore[misc]
    for name, row in rows(made, scans, DictView(grid.now)).items():
        if name == "^RUT/RTY=F":
            assert (row["n"], row["z"], row["p_value"], row["status"]) == (252, None, None, "closed"), "one thing"
            continue
        expected = by_hand[name]
        assert (row["beta_ols"], row["beta_tls"], row["beta_kalman"]) == pytest.approx(expected[1:4], rel=1e-9)
        assert (row["p_value"], row["z"]) == pytest.approx((expected.p_value, expected.z), rel=1e-7)
        assert row["admitted"] is expected.admitted
        assert (row["n"], row["status"]) == (252, "stale" if name == "ETH/BTC" else "closed"), "crypto never closes"


def test_a_live_z_is_that_of_the_residuals_with_the_live_one_in_them() -> None:
    grid = grid_at(390, 3_600.0)
    made, scans, _ = scanned(grid)
    prices = {s: Live(p, Status.OK, grid.now) for s, p in (("IWM", 101.5), ("SPY", 99.0))}
    row = rows(made, scans, DictView(grid.now, prices))["IWM/SPY"]
    legs = [np.log(grid.leg(leg).values[:390]) for leg in (PAIRS[0].b, PAIRS[0].a)]
    fit = ols(legs[0][-252:], legs[1][-252:])
    assert fit is not None
    factors = [grid.symbol(s).factor for s in ("SPY", "IWM")]
    x, y = (np.append(leg[-252:], math.log(p * f)) for leg, p, f in zip(legs, (99.0, 101.5), factors, strict=True))
    assert row["z"] == pytest.approx(residual_z(y - fit.alpha - fit.beta * x), rel=1e-9)
    assert row["status"] == "ok"
    assert row["as_of"].timestamp() == pytest.approx(grid.now)
    again = rows(made, scans, DictView(grid.now, prices))["IWM/SPY"]
    assert again == row, "asking twice changes nothing"


def test_hedges_are_in_contracts_and_none_where_a_leg_is_no_symbol() -> None:
    grid = grid_at(399, 0.0)
    made, scans, _ = scanned(grid)
    view = DictView(grid.now, {"ETH/USD": Live(3100.0, Status.OK, grid.now), "M2K=F": Live(2624.22, Status.OK, 0.0)})
    made_rows = rows(made, scans, view)
    row = made_rows["ETH/M2K=F"]
    assert (row["units"], row["hedge"]) == (10.0, "M2K=F")
    assert row["hedge_units"] == pytest.approx(hedge_units(10, 3100.0, row["beta_ols"], 5.0, 2624.22))
    assert made_rows["ai/IWM"]["hedge"] is made_rows["ai/IWM"]["hedge_units"] is None
    assert made_rows["^RUT/RTY=F"]["units"] is None, "an index is held by nobody"
    assert made_rows["IWM/SPY"]["units"] == 100.0
    assert made_rows["IWM/SPY"]["hedge_units"] is None, "no price of it now"


def test_before_the_scan_and_with_too_little_history_it_is_warming() -> None:
    grid = grid_at(399, 0.0)
    made, levels = entries(grid, PAIRS, CONFIG.scanner)
    scans = Scans(Inline(), lambda severity, text: None)
    assert {r["status"] for r in rows(made, scans, DictView(grid.now)).values()} == {"warming"}
    scans.want(levels)
    assert scans.pending
    worker = Inline()
    short, some, _ = scanned(grid_at(200, 0.0), worker)
    assert (worker.jobs, some.pending) == (0, False), "there is nothing to scan"
    assert {(r["status"], r["n"], r["z"]) for r in rows(short, some, DictView(0.0)).values()} == {
        ("warming", 200, None)
    }


def test_a_scan_that_fails_leaves_the_rows_stale_and_is_tried_again() -> None:
    grid = grid_at(399, 0.0)
    worker = Inline("it took longer than 180 s and was ended")
    made, scans, said = scanned(grid, worker)
    assert said == ["the pairs were not scanned: it took longer than 180 s and was ended"]
    assert not scans.pending, "what failed is not waited for"
    assert {r["status"] for r in rows(made, scans, DictView(grid.now)).values()} == {"stale"}
    worker.fails = ""
    assert not scans.poll(QUIET_S + 1.0)
    mono = QUIET_S + AGAIN_S + 1.0
    scans.poll(mono)
    assert scans.poll(mono + QUIET_S) or scans.found
    assert {r["status"] for r in rows(made, scans, DictView(grid.now)).values()} == {"closed", "stale"}


def test_the_same_levels_are_scanned_once_and_new_ones_when_they_stand_still() -> None:
    worker = Inline()
    _, scans, _ = scanned(grid_at(390, 0.0), worker)
    _, same = entries(grid_at(390, 0.0), PAIRS, CONFIG.scanner)
    scans.want(same)
    assert not scans.pending
    _, other = entries(grid_at(391, 0.0), PAIRS, CONFIG.scanner)
    scans.want(other)
    scans.poll(10.0)
    assert worker.jobs == 1, "they might change again at once"
    scans.poll(10.0 + QUIET_S)
    assert worker.jobs == 2


def test_the_grid_has_futures_without_their_rolls() -> None:
    made = frames()
    spliced = made["RTY=F"].copy()
    roll = next(i for i, day in enumerate(DAYS) if i > 300 and day.month % 3 == 0 and 15 <= day.day <= 21)
    columns = ["open", "high", "low", "close", "adj_close"]
    seam = np.where(np.arange(len(DAYS)) < roll, 1.0, 1.02)
    noise = np.exp(np.random.default_rng(5).normal(0, 1e-4, len(DAYS)))
    for column in columns:
        spliced[column] = spliced[column] * noise * seam
    book = book_of(**{**made, "RTY=F": spliced})
    grid = daily_grid(book, calendar_of(DAYS), after(DAYS))
    cleaned = grid.symbol("RTY=F").values
    assert cleaned[-1] == spliced["close"].iloc[-1]
    step = math.log(cleaned[roll] / cleaned[roll - 1])
    assert step == pytest.approx(math.log(made["^RUT"]["close"].iloc[roll] / made["^RUT"]["close"].iloc[roll - 1]))
    holed = {**made, "RTY=F": spliced, "^RUT": made["^RUT"].drop(DAYS[roll - 30 : roll - 20])}
    bridged = daily_grid(book_of(**holed), calendar_of(DAYS), after(DAYS)).symbol("RTY=F").values
    np.testing.assert_allclose(bridged, cleaned, rtol=2e-3)
    alone = daily_grid(book_of(**{"RTY=F": spliced}), calendar_of(DAYS), after(DAYS)).symbol("RTY=F").values
    np.testing.assert_array_equal(alone, spliced["close"])


@pytest.mark.parametrize("cut", [320, 380])
def test_the_past_of_a_cleaned_future_does_not_know_what_comes(cut: int) -> None:
    """Levels are told from the newest backwards, so it is the returns that stay."""
    made = frames()
    noise = np.exp(np.random.default_rng(6).normal(0, 1e-3, len(DAYS)))
    future, index = (made["RTY=F"]["close"] * noise).to_numpy(), made["^RUT"]["close"].to_numpy()
    days = DAYS.to_numpy().astype("datetime64[D]").astype(np.int64)
    whole = roll_clean(days, future, index)
    some = roll_clean(days[:cut], future[:cut], index[:cut])
    np.testing.assert_allclose(np.diff(np.log(some)), np.diff(np.log(whole[:cut])), atol=1e-12)


def test_a_future_whose_index_is_not_watched_makes_its_row_estimated() -> None:
    grid = grid_at(390, 3_600.0)
    made, scans, _ = scanned(grid)
    prices = {s: Live(p, Status.OK, grid.now) for s, p in (("ETH/USD", 3100.0), ("ES=F", 6900.0), ("M2K=F", 2200.0))}
    found = rows(made, scans, DictView(grid.now, prices))
    assert (found["ETH/ES=F"]["status"], found["ETH/M2K=F"]["status"]) == ("estimated", "ok")


def test_units_come_from_the_configuration() -> None:
    grid = grid_at(399, 0.0)
    made, _ = entries(grid, PAIRS, replace(CONFIG.scanner, units={"IWM": 40.0}))
    assert {e.pair.name: e.units for e in made}["IWM/SPY"] == 40.0
    assert {e.pair.name: e.units for e in made}["ETH/BTC"] == 1.0
