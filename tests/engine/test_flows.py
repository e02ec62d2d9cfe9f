"""Fund flows: both forms of the identity, splits, quarantine, frozen counts, and the lag that the data itself shows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from engine.flows import FUND_DAYS, Lag, daily_flows, group_share, reporting_lag, split_factor, summarise

NONE = Lag(0, "none", None)


def fund(
    nav: list[float | None], shares: list[float | None], *, name: str = "IWM", aum: list[float | None] | None = None
) -> pl.DataFrame:
    days = [date(2025, 6, 2) + timedelta(days=i) for i in range(len(nav))]
    return pl.DataFrame(
        {
            "fund": [name] * len(nav),
            "date": days,
            "nav": nav,
            "shares": shares,
            "aum": aum or [None] * len(nav),
            "source": ["ssga"] * len(nav),
        },
        schema=FUND_DAYS,
    )


def test_known_answer_one_and_a_half_million_shares_redeemed() -> None:
    flows = daily_flows(fund([220.0, 222.2], [300e6, 298.5e6]), NONE)
    assert flows["flow"][0] is None
    assert flows["flow"][1] == pytest.approx(-333.3e6)
    price_return = 222.2 / 220 - 1
    assert flows["flow"][1] == pytest.approx(298.5e6 * 222.2 - 300e6 * 220 * (1 + price_return))
    assert flows["flow_pct_aum"][1] == pytest.approx(-100 * 333.3e6 / (300e6 * 220.0)), "of the assets before it"


def test_a_split_is_no_flow() -> None:
    flows = daily_flows(fund([220.0, 111.0, 112.0], [100e6, 200e6, 201e6]), NONE)
    assert flows["flow"].to_list() == [None, 0.0, pytest.approx(112e6)]


def test_counts_that_the_issuer_restated_need_no_factor() -> None:
    assert split_factor(111.0, 220.0, 200e6, 200e6) == 1.0
    assert split_factor(111.0, 220.0, 200e6, 100e6) == 2.0
    assert split_factor(2200.0, 220.0, 10e6, 100e6) == 0.1
    assert split_factor(0.0, 220.0, 10e6, 100e6) == 1.0


def test_an_implausible_day_is_set_aside_and_not_summed() -> None:
    flows = daily_flows(fund([100.0, 100.0, 100.0], [10e6, 13e6, 13.1e6]), NONE)
    assert flows["quarantined"].to_list() == [False, True, False]
    assert flows["flow"].to_list() == [None, None, pytest.approx(10e6)]


def test_missing_zero_and_infinite_input_gives_null_not_zero() -> None:
    flows = daily_flows(fund([100.0, None, float("nan"), float("inf"), 101.0], [1e6, 1e6, 1e6, 1e6, 0.0]), NONE)
    assert flows["flow"].to_list() == [None]


def test_unchanged_counts_are_frozen() -> None:
    known = summarise(fund([100.0] * 7, [5e6] * 7), NONE)
    assert known is not None and known.frozen
    moving = summarise(fund([100.0] * 7, [5e6 + i for i in range(7)]), NONE)
    assert moving is not None and not moving.frozen


def test_windows_need_all_their_days() -> None:
    known = summarise(fund([100.0] * 6, [1e6, 1.01e6, 1.02e6, 1.03e6, 1.04e6, 1.05e6]), NONE)
    assert known is not None
    assert known.flow_1d == pytest.approx(1e6)
    assert known.flow_5d == pytest.approx(5e6)
    assert known.flow_20d is None
    assert known.flow_ytd is None, "history begins within the year"


def _random_fund(seed: int, n: int = 250) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    nav = 200 * np.exp(np.cumsum(rng.normal(0, 0.012, n)))
    shares = 300e6 + np.cumsum(rng.choice([-1.5e6, 0, 0, 0.75e6, 2e6], n))
    return nav, shares


@pytest.mark.parametrize("late", [0, 1, 2])
@pytest.mark.parametrize("evidence", ["assets", "published"])
def test_the_reporting_lag_is_found_from_the_data(late: int, evidence: str) -> None:
    nav, shares = _random_fund(late + 5)
    printed = np.concatenate([np.full(late, shares[0]), shares[: len(shares) - late]])
    # printed to the cent and the million, as issuers do
    assets = np.round(nav * shares / 1e6) * 1e6 if evidence == "assets" else np.full(len(nav), np.nan)
    days = fund(list(nav), list(printed), aum=[None if np.isnan(a) else float(a) for a in assets])
    true_flow = np.concatenate([[np.nan], np.diff(shares) * nav[1:]])
    noise = np.random.default_rng(1).normal(0, 20e6, len(nav))
    published = pl.DataFrame({"date": days["date"], "flow": true_flow + noise}).filter(pl.col("flow").is_not_nan())
    found = reporting_lag(days, published if evidence == "published" else None)
    assert (found.rows, found.evidence) == (late, evidence)
    flows = daily_flows(days, found).drop_nulls("flow")
    reference = pl.DataFrame({"date": days["date"], "reference": true_flow})
    joined = flows.join(reference, on="date").filter(pl.col("reference").is_not_nan())
    assert joined.height > 240
    assert np.allclose(joined["flow"].to_numpy(), joined["reference"].to_numpy(), rtol=1e-9)


def test_without_evidence_no_lag_is_claimed() -> None:
    nav, shares = _random_fund(3)
    assert reporting_lag(fund(list(nav), list(shares))) == Lag(0, "none", None)


def test_cutting_off_the_future_never_changes_the_past() -> None:
    nav, shares = _random_fund(9, 60)
    whole = daily_flows(fund(list(nav), list(shares)), NONE)
    for cut in (2, 17, 59):
        assert daily_flows(fund(list(nav[:cut]), list(shares[:cut])), NONE).equals(whole.head(cut))


def test_share_of_a_group_skips_days_on_which_a_living_fund_is_missing() -> None:
    small = fund([10.0, 10.0, 10.0], [1e6, 1e6, 2e6], name="IWM")
    large = fund([10.0, None, 10.0], [3e6, None, 2e6], name="SPY")
    share = group_share(pl.concat([small, large]), {"small": ["IWM"], "large": ["SPY"]}, "small")
    assert share["share"].to_list() == [0.25, 0.5]
