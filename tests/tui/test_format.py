"""Numbers and states as text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import format as fmt

INF = math.inf


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (90_884.1, 2, "90,884.10"), (-0.62, 2, "−0.62"), (0.0, 2, "0.00"), (-0.001, 2, "0.00"), (None, 2, "–"),
        (math.nan, 2, "–"), (INF, 2, "–"), (1234567.0, 0, "1,234,567"), (-1234.5, 1, "−1,234.5"),
    ],
)  # fmt: skip
def test_a_number_has_thousands_a_true_minus_and_never_a_zero_for_a_missing_value(
    value: float | None, digits: int, text: str
) -> None:
    assert fmt.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.31, "+0.31"), (-1.94, "−1.94"), (0.0, "0.00"), (0.004, "0.00"), (-0.004, "0.00"), (1234.5, "+1,234.50"),
     (None, "–")],
)  # fmt: skip
def test_a_change_always_has_its_sign_unless_it_rounds_to_nothing(value: float | None, text: str) -> None:
    assert fmt.signed(value) == text


def test_what_is_missing_while_history_warms_is_an_ellipsis() -> None:
    assert fmt.signed(None, 2, "warming") == fmt.number(None, 2, "warming") == fmt.compact(None, "warming") == "…"
    assert fmt.percent(None, 0, "warming") == fmt.price(None, "warming") == "…"


@pytest.mark.parametrize(
    ("value", "text"),
    [(90_884.1, "90,884.10"), (138.42, "138.42"), (13.842, "13.842"), (2.0912, "2.0912"), (0.2711, "0.2711"),
     (0.04021, "0.04021"), (0.00000612, "0.00000612"), (None, "–")],
)  # fmt: skip
def test_a_price_shows_the_digits_of_its_size(value: float | None, text: str) -> None:
    assert fmt.price(value) == text


def test_decimal_points_of_a_column_stand_below_each_other() -> None:
    texts = [fmt.on_point(fmt.price(v), 8).rjust(16) for v in (90_884.1, 0.2711, 0.00000612, None, 13.842)]
    points = {t.index(".") for t in texts if "." in t}
    assert len(points) == 1
    assert {len(t) for t in texts} == {16}
    assert fmt.on_point("12", 2).rjust(6) == " 12   "
    assert fmt.on_point("12", 0) == "12"


@pytest.mark.parametrize(
    ("value", "text"),
    [(31.4e9, "31.4 bn"), (612.0e6, "612.0 mn"), (4_200.0, "4.2 k "), (999.4, "999   "), (999_960.0, "1.0 mn"),
     (999.96e6, "1.0 bn"), (-3.3e6, "−3.3 mn"), (0.0, "0   "), (None, "–")],
)  # fmt: skip
def test_a_large_amount_names_its_magnitude(value: float | None, text: str) -> None:
    assert fmt.compact(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.9, "59 s"), (60, "1 m"), (3599, "59 m"), (3600, "1 h"), (172_800, "2 d"),
     (-3, "0 s"), (None, "–")],
)  # fmt: skip
def test_an_age_is_in_its_largest_whole_unit(seconds: float | None, text: str) -> None:
    assert fmt.age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(9, "9 s"), (252, "4 m 12 s"), (19_620, "5 h 27 m"), (273_600, "3 d 04 h"), (-1, "0 s"), (None, "–")],
)  # fmt: skip
def test_a_countdown_names_two_units(seconds: float | None, text: str) -> None:
    assert fmt.countdown(seconds) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.03, "3rd"), (0.01, "1st"), (0.02, "2nd"), (0.11, "11th"), (0.12, "12th"), (0.5, "50th"), (None, "–")],
)  # fmt: skip
def test_a_percentile_is_an_ordinal(fraction: float | None, text: str) -> None:
    assert fmt.ordinal(fraction) == text


def test_a_sparkline_spans_its_own_extremes_and_leaves_gaps() -> None:
    assert fmt.sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"
    assert fmt.sparkline([1, None, 8], 5) == "  ▁ █"
    assert fmt.sparkline([5, 5], 2) == "▄▄"
    assert fmt.sparkline(None, 4) == "    "
    assert fmt.sparkline([math.nan, INF], 3) == "   "


@pytest.mark.parametrize(
    ("z", "text"),
    [
        (None, "  ┼    │    ┼  "),
        (0.0, "  ┼    │    ┼  "),
        (-1.0, "  ┼  ▆▆│    ┼  "),
        (-1.94, "  ▆▆▆▆▆│    ┼  "),
        (2.0, "  ┼    │▆▆▆▆▆  "),
        (-9.0, "◀▆▆▆▆▆▆│    ┼  "),
        (9.0, "  ┼    │▆▆▆▆▆▆▶"),
    ],
)
def test_a_z_bar_grows_from_the_middle_and_says_when_it_leaves_the_scale(z: float | None, text: str) -> None:
    assert fmt.z_bar(z) == text


def test_the_z_scale_stands_over_its_marks() -> None:
    scale, bar = fmt.z_scale(), fmt.z_bar(None)
    assert len(scale) == len(bar)
    assert scale.index("0") == bar.index("│")
    assert scale.index("2") == bar.index("┼")
    assert scale.rindex("2") == bar.rindex("┼")


@pytest.mark.parametrize(
    ("position", "text"),
    [(0.0, "├●──────┤"), (0.5, "├───●───┤"), (1.0, "├──────●┤"), (-0.1, "◀───────┤"),
     (1.1, "├───────▶"), (None, "├       ┤")],
)  # fmt: skip
def test_a_range_bar_shows_the_place_between_two_bounds(position: float | None, text: str) -> None:
    assert fmt.range_bar(position, 9) == text


def test_a_position_without_a_range_is_none() -> None:
    assert fmt.position(5, 1, 9) == 0.5
    assert fmt.position(5, 9, 9) is None
    assert fmt.position(None, 1, 9) is None


def test_direction_names_the_role_of_a_change() -> None:
    assert [fmt.direction(v) for v in (1.0, -1.0, 0.0, None, math.nan)] == ["up", "down", "flat", "missing", "missing"]


def test_a_long_name_ends_in_an_ellipsis() -> None:
    assert fmt.shorten("yahoo-stream", 8) == "yahoo-s…"
    assert fmt.shorten("IWM", 8) == "IWM"


@given(st.floats(allow_nan=True, allow_infinity=True) | st.none())
def test_nothing_that_a_float_may_hold_raises_or_changes_a_width(value: float | None) -> None:
    for text in (fmt.number(value), fmt.signed(value), fmt.price(value), fmt.compact(value), fmt.age(value)):
        assert text
    assert len(fmt.z_bar(value)) == 15
    assert len(fmt.range_bar(value, 11)) == 11
    assert len(fmt.sparkline([value, 1.0], 5)) == 5
    fmt.ordinal(value), fmt.countdown(value), fmt.percent(value), fmt.direction(value)


@pytest.mark.parametrize(
    ("value", "text"), [(2300.0, "2,300"), (2300.5, "2,300.50"), (95.0, "95.000"), (0.1622, "0.1622"), (None, "–")]
)
def test_a_chosen_price_is_said_as_it_was_chosen(value: float | None, text: str) -> None:
    assert fmt.level(value) == text
