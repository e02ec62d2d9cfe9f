"""The one percentage change: right where it can be, null where it cannot."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.change import change_pct

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


@given(ANY, ANY, ANY)
def test_it_is_a_number_or_null_and_never_raises(price: float | None, prev: float | None, anchor: float | None) -> None:
    got = change_pct(price, prev, anchor)
    assert got is None or math.isfinite(got)
