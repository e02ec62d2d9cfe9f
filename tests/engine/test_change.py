"""The one percentage change: right where it can be, null where it cannot."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.change import change_pct, other_units

ANY = st.floats(allow_nan=True, allow_infinity=True) | st.none()


@pytest.mark.parametrize(
    ("price", "prev", "anchor", "expected"),
    [
        (110.0, 100.0, None, 10.0),
        (90.0, 100.0, 101.0, -10.0),
        (2624.22, 0.0001, 2600.0, None),  # yfinance#2704
        (2624.22, 0.0001, None, None),
        (2624.22, 17.0, 2600.0, None),
        (30.0, 20.0, 20.5, 50.0),  # ^VIX can
        (100.0, None, None, None),
        (None, 100.0, None, None),
        (100.0, 0.0, None, None),
        (100.0, -1.0, None, None),
    ],
)
def test_change(price: float | None, prev: float | None, anchor: float | None, expected: float | None) -> None:
    assert change_pct(price, prev, anchor) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("price", "prev", "anchor", "expected"),
    [
        (110.0, 109.0, 218.0, True),  # two for one
        (150.0, 147.0, 218.0, True),  # three for two
        (2180.0, 2190.0, 218.0, True),  # one for ten
        (110.0, 218.0, 218.0, False),  # a crash
        (2624.22, 0.0001, 2600.0, False),  # yfinance#2704
        (30.0, 20.0, 20.5, False),  # ^VIX can
        (219.0, 218.0, 218.0, False),
        (110.0, 109.0, None, False),
        (110.0, None, 218.0, False),
        (None, 109.0, 218.0, False),
    ],
)
def test_a_price_in_other_units_than_the_bars(
    price: float | None, prev: float | None, anchor: float | None, expected: bool
) -> None:
    assert other_units(price, prev, anchor) is expected


@given(ANY, ANY, ANY)
@example(2.2e268, 1.2e-38, 1.2e-38)  # each can be, what comes of them cannot
def test_it_is_a_number_or_null_and_never_raises(price: float | None, prev: float | None, anchor: float | None) -> None:
    assert other_units(price, prev, anchor) in (True, False)
    got = change_pct(price, prev, anchor)
    assert got is None or math.isfinite(got)
