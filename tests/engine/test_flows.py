"""Fund flows: both forms of the identity, splits, quarantine, frozen counts, and the lag that the data itself shows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from engine.flows import FUND_DAYS, Lag, daily_flows, group_share, split_factor, summarise

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


def test_of_splits_that_lie_close_the_nearest_is_taken() -> None:
    assert split_factor(220.0 / 7, 220.0, 7.2e6, 1e6) == 7.0
    assert split_factor(220.0 / 8, 220.0, 7.9e6, 1e6) == 8.0
    assert split_factor(2200.0 * 2.5, 220.0, 4.1e6, 100e6) == pytest.approx(1 / 25)


def test_a_slip_in_nav_is_set_aside_unless_it_is_a_split() -> None:
    slip = daily_flows(fund([100.0, 100.0, 10_070.0, 100.0], [10e6, 10.01e6, 10.011e6, 10.012e6]), NONE)
    assert slip["quarantined"].to_list() == [False, False, True, True]
    assert slip["flow"].to_list() == [None, pytest.approx(1e6), None, None]
    restated = daily_flows(fund([100.0, 25.1, 25.2], [40e6, 40.04e6, 40.04e6]), NONE)
    assert restated["flow"].to_list() == [None, pytest.approx(0.04e6 * 25.1), 0.0]


def test_a_day_without_a_count_has_no_flow_and_the_long_sums_miss_nothing() -> None:
    days = fund([100.0] * 8, [1e6, 1.01e6, None, None, 1.04e6, 1.05e6, 1.06e6, 1.07e6])
    flows = daily_flows(days, NONE)
    assert flows["flow"].to_list() == [None, *(None if i in {2, 3, 4} else pytest.approx(1e6) for i in range(1, 8))]
    assert flows["booked"].to_list()[4] == pytest.approx(3e6)
    known = summarise(days, NONE)
    assert known is not None and known.flow_total == pytest.approx(7e6)
    assert known.flow_5d is None, "the count before the five days is not there"
    later = summarise(fund([100.0] * 7, [1e6, 1.01e6, 1.02e6, None, 1.04e6, 1.05e6, 1.06e6]), NONE)
    assert later is not None and later.flow_5d == pytest.approx(5e6), "both its ends are"


def test_counts_are_moved_over_days_without_one() -> None:
    # printed a row late: the count of the third day stands in the fourth row
    days = fund([100.0] * 5, [9e5, 1e6, None, 1.02e6, 1.03e6])
    assert daily_flows(days, Lag(1, "assets", 0.0))["shares"].to_list() == [1e6, None, 1.02e6, 1.03e6, None]


def test_missing_zero_and_infinite_input_gives_null_not_zero() -> None:
    flows = daily_flows(fund([100.0, None, float("nan"), float("inf"), 101.0], [1e6, 1e6, 1e6, 1e6, 0.0]), NONE)
    assert flows["flow"].to_list() == [None] * 5


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
