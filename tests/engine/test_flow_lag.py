"""How late counts are printed, found from the data: each kind of evidence, noise, changes, and honest ignorance."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from engine.flow_lag import reporting_lag
from engine.flows import FUND_DAYS, Lag, daily_flows, summarise

Numbers = NDArray[np.float64]
DAYS = [date(2024, 1, 1) + timedelta(days=day) for day in range(1200)]


def issuer(seed: int, n: int = 400) -> tuple[Numbers, Numbers]:
    """NAV and true counts of a fund whose flows lean on the day before, and rest on two days of five."""
    random = np.random.default_rng(seed)
    nav = 100 * np.exp(np.cumsum(random.normal(0, 0.015, n)))
    moves = random.normal(0, 1, n)
    for day in range(1, n):
        moves[day] += 0.4 * moves[day - 1]
    counts = 60e6 + np.cumsum(np.round(moves * 8) * 25_000 * (random.random(n) > 0.4))
    return np.round(nav, 2), counts


def printed(counts: Numbers, late: int) -> Numbers:
    return np.concatenate([np.full(late, counts[0]), counts[: len(counts) - late]])


def frame(nav: Numbers, counts: Numbers, aum: Numbers | None = None) -> pl.DataFrame:
    columns = {"fund": "X", "date": DAYS[: len(nav)], "nav": nav, "shares": counts, "aum": aum, "source": "csv"}
    return pl.DataFrame(columns, schema=FUND_DAYS)


def true_flows(nav: Numbers, counts: Numbers) -> Numbers:
    return np.concatenate([[np.nan], np.diff(counts)]) * nav


def flows_of_others(nav: Numbers, counts: Numbers, noise: float = 0.0, seed: int = 1) -> pl.DataFrame:
    """In USD millions to one decimal, as flows are published."""
    flow = true_flows(nav, counts) / 1e6
    flow += np.random.default_rng(seed).normal(0, noise * np.nanstd(flow), len(flow)) if noise else 0
    return pl.DataFrame({"date": DAYS[1 : len(nav)], "flow": np.round(flow[1:], 1)})


def agreement(days: pl.DataFrame, lag: Lag, truth: Numbers) -> tuple[float, float]:
    """Correlation with the true flows, and mean error as a part of the mean flow."""
    pair = np.array([daily_flows(days, lag)["flow"].to_numpy(), truth])
    ours, theirs = pair[:, np.isfinite(pair).all(axis=0)]
    return float(np.corrcoef(ours, theirs)[0, 1]), float(np.abs(ours - theirs).mean() / np.abs(theirs).mean())


@pytest.mark.parametrize("late", [0, 1, 2, 3])
@pytest.mark.parametrize("n", [30, 250])
def test_every_lag_is_found_from_assets_and_from_published_flows(late: int, n: int) -> None:
    for seed in range(5):
        nav, counts = issuer(seed, n)
        truth, shown = true_flows(nav, counts), printed(counts, late)
        by_assets = frame(nav, shown, np.round(nav * counts, -4))
        plain = frame(nav, shown)
        published = flows_of_others(nav, counts)
        for days, reference, evidence in ((by_assets, None, "assets"), (plain, published, "published")):
            lag = reporting_lag(days, reference)
            assert (lag.rows, lag.evidence, lag.earlier) == (late, evidence, ())
            correlation, error = agreement(days, lag, truth)
            assert correlation > 0.9999 and error < 1e-3


@pytest.mark.parametrize("late", [0, 1, 2, 3])
def test_noise_in_published_flows_of_half_their_size_does_not_mislead(late: int) -> None:
    for seed in range(5):
        nav, counts = issuer(seed)
        published = flows_of_others(nav, counts, noise=0.5, seed=seed)
        lag = reporting_lag(frame(nav, printed(counts, late)), published)
        assert (lag.rows, lag.evidence) == (late, "published")


def test_a_few_wild_figures_decide_nothing() -> None:
    for seed in range(5):
        nav, counts = issuer(seed)
        aum, shown = np.round(nav * counts, -4), printed(counts, 1).copy()
        wild = np.random.default_rng(seed).integers(5, len(nav) - 5, 8)
        aum[wild[:5]] *= 1000
        shown[wild[5:]] *= 10
        lag = reporting_lag(frame(nav, shown, aum))
        assert (lag.rows, lag.evidence, lag.earlier) == (1, "assets", ())


def test_flows_that_are_dated_by_settlement_are_a_session_later_than_the_counts() -> None:
    nav, counts = issuer(6)
    published = flows_of_others(nav, counts).with_columns(pl.col("date").shift(-1)).drop_nulls()
    lag = reporting_lag(frame(nav, counts), published)
    assert (lag.rows, lag.evidence) == (-1, "published")
    ours = daily_flows(frame(nav, counts), lag).join(published, on="date", suffix="_published").drop_nulls()
    assert np.corrcoef(ours["flow"].to_numpy(), ours["flow_published"].to_numpy())[0, 1] > 0.99


def test_published_flows_outweigh_assets() -> None:
    nav, counts = issuer(3)
    # the books hold an order on the day after it: assets say 0, flows by the day of the order say 1
    days = frame(nav, printed(counts, 1), np.round(nav * printed(counts, 1), -4))
    assert reporting_lag(days)[:2] == (0, "assets")
    assert reporting_lag(days, flows_of_others(nav, counts))[:2] == (1, "published")


@pytest.mark.parametrize(("before", "since"), [(2, 1), (1, 0), (0, 1), (3, 1)])
@pytest.mark.parametrize("evidence", ["assets", "published"])
def test_an_issuer_that_changed_its_ways_has_one_lag_before_and_another_since(
    before: int, since: int, evidence: str
) -> None:
    nav, counts = issuer(before + 5, 900)
    shown = np.concatenate([printed(counts, before)[:600], printed(counts, since)[600:]])
    days = frame(nav, shown, np.round(nav * counts, -4) if evidence == "assets" else None)
    lag = reporting_lag(days, flows_of_others(nav, counts) if evidence == "published" else None)
    assert (lag.rows, lag.evidence) == (since, evidence)
    ((until, rows),) = lag.earlier
    assert rows == before and abs((until - DAYS[600]).days) <= 5
    correlation, error = agreement(days, lag, true_flows(nav, counts))
    assert correlation > 0.995 and error < 0.02, "but for the counts that were never printed"
    known = summarise(days, lag)
    assert known is not None
    assert known.as_of == DAYS[899 - since], "the newest dates' counts are not printed yet"


@pytest.mark.parametrize("late", [0, 1, 2])
def test_a_split_shows_how_late_counts_are(late: int) -> None:
    nav, counts = issuer(4, 120)
    nav[60:] /= 4
    counts[60:] *= 4
    days = frame(nav, printed(counts, late))
    lag = reporting_lag(days)
    assert (lag.rows, lag.evidence) == (late, "splits")
    flows = daily_flows(days, lag)
    assert not flows["quarantined"].any() and abs(flows["flow"][60]) < 0.05 * 60e6 * 100
    restated = counts.copy()
    restated[:60] *= 4
    assert reporting_lag(frame(nav, printed(restated, late))).evidence == "none", (
        "counts that were restated show nothing"
    )


def test_ignorance_is_admitted() -> None:
    nav, counts = issuer(1)
    other = issuer(99)[1]
    random = np.random.default_rng(1).normal(1, 1e-3, len(nav))
    shown = printed(counts, 1)
    unknown = Lag(0, "none", None)
    assert reporting_lag(frame(nav, shown)) == unknown
    assert reporting_lag(frame(nav, shown, np.round(nav * shown))) == unknown, "a mere product, in whole dollars"
    assert reporting_lag(frame(nav, shown, nav * counts * 3)) == unknown, "all share classes' assets"
    assert reporting_lag(frame(nav, shown, nav * np.roll(counts, 9) * random)) == unknown, "assets of another time"
    assert reporting_lag(frame(nav, shown), flows_of_others(nav, other)) == unknown, "another fund's flows"
    assert reporting_lag(frame(nav, shown), flows_of_others(nav, counts).head(9)) == unknown, "too few"
    assert reporting_lag(frame(nav, np.full(len(nav), 5e6)), flows_of_others(nav, counts)) == unknown
    assert reporting_lag(frame(nav[:2], shown[:2], nav[:2] * 6e7)) == unknown
    assert reporting_lag(frame(nav[:0], shown[:0])) == unknown
