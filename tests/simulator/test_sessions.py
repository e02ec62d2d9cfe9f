"""New York's sessions by rule equal the published calendar, and lie right in UTC in summer and winter."""

from __future__ import annotations

import csv
from datetime import date, datetime
from zoneinfo import ZoneInfo

from simulator.sessions import closed_days, early_days, new_york
from tests.realdata import DATA, needs_real_data


@needs_real_data
def test_closed_and_early_days_are_those_of_the_exchange() -> None:
    with (DATA / "calendars" / "xnys_holidays_early_closes_2000_2027.csv").open() as file:
        rows = [(date.fromisoformat(row["date"]), row["kind"]) for row in csv.DictReader(file)]
    for year in range(2004, 2028):
        assert closed_days(year) == {day for day, kind in rows if day.year == year and kind == "closed"}
        assert early_days(year) == {day for day, kind in rows if day.year == year and kind == "early_close"}


def test_opens_and_closes_are_new_york_times() -> None:
    grid = new_york(date(2010, 1, 1), date(2027, 12, 31))
    zone = ZoneInfo("America/New_York")
    for day, opening, close in zip(grid.days, grid.opens, grid.closes, strict=True):
        assert opening == datetime(day.year, day.month, day.day, 9, 30, tzinfo=zone).timestamp()
        hour = 13 if day in early_days(day.year) else 16
        assert close == datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp()


def test_a_mourning_day_is_no_session() -> None:
    grid = new_york(date(2025, 1, 1), date(2025, 1, 31))
    assert date(2025, 1, 8) in grid.days
    assert date(2025, 1, 9) not in grid.days
    assert grid.days[grid.index_of(date(2025, 1, 9))] == date(2025, 1, 8)
