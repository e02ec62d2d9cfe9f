"""Which bars a chart's span shows, and whether there are as many as it asks for."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from tests.tui import fake_bars
from tui.charts.data import beginning, course_of, late

RUSSELL = course_of(fake_bars.tables()["bars"], "^RUT", "1d")


def test_a_span_is_counted_back_from_the_last_bar() -> None:
    def first(span: str) -> datetime:
        return datetime.fromtimestamp(RUSSELL.time[beginning(RUSSELL.time, span)] / 1e6, UTC)

    assert first("1Y").date().isoformat() == "2025-01-09"
    assert first("3M").date().isoformat() == "2025-10-09"
    assert first("YTD").date().isoformat() == "2025-12-31"
    assert beginning(RUSSELL.time, "MAX") == 0 and beginning(RUSSELL.time[:0], "1Y") == 0
    five = np.array(fake_bars.stamps("5m", 130, False))
    assert {t // fake_bars.DAY_US for t in five[beginning(five, "1D") :].tolist()} == {five[-1] // fake_bars.DAY_US}
    hours = np.array(fake_bars.stamps("1h", 180, True))
    assert len(hours) - beginning(hours, "5D") == 120


def test_five_sessions_are_five_however_few_are_held() -> None:
    week = np.array(fake_bars.stamps("5m", 5 * 78, False))
    sessions = sorted({t // fake_bars.DAY_US for t in week.tolist()})
    assert len(sessions) >= 5
    five = week[week >= sessions[-5] * fake_bars.DAY_US]
    assert beginning(five, "5D") == 0, "the first of exactly five was left out"
    assert beginning(five[five >= sessions[-3] * fake_bars.DAY_US], "5D") == 0


def test_bars_that_begin_after_the_span_are_known_for_it() -> None:
    years = np.array(fake_bars.days(619))
    assert late(years, "1Y") is None and late(years, "YTD") is None and late(years, "MAX") is None
    assert late(years, "5Y") == int(years[0])
    begun = beginning(years, "1Y")
    assert late(years[begun:], "1Y") is None, "a year that begins on the day asked for, or after a holiday"
    assert late(years[begun + 10 :], "1Y") == int(years[begun + 10])
    assert late(years[-4:], "5D") == int(years[-4]) and late(years[-6:], "5D") is None
    five = np.array(fake_bars.stamps("5m", 5 * 78, False))
    sessions = sorted({t // fake_bars.DAY_US for t in five.tolist()})
    assert late(five, "5D") is None and late(five, "1D") is None
    two = five[five >= sessions[-2] * fake_bars.DAY_US]
    assert late(two, "5D") == int(two[0]) and late(two, "1Y") == int(two[0]) and late(two[-3:], "1D") is None
    hours = np.array(fake_bars.stamps("1h", 180, True))
    assert late(hours, "5D") is None and late(hours[-100:], "5D") == int(hours[-100])
    assert late(years[:0], "1Y") is None
