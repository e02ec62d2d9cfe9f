"""The FOMC's next meeting in `facts`: a known answer, a path of rates that is found again, what is not told."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from engine.config import Config, Regime
from engine.config_file import parse
from engine.errors import ConfigError
from engine.fed_funds import fed_contract, holds_none, meeting_months, month_after, told_at
from engine.fed_outlook import Close, Outlook, Published, outlook
from engine.grid import daily_grid
from engine.model import OutsideFact, Status
from engine.outside import Outside
from engine.outside_tables import FactsMaker
from engine.view import DictView
from tests.engine.market_data import bars, book_of, calendar_of, ohlcv, weekdays

DECISIONS = Regime().decisions
RATES = dict(zip(DECISIONS, (3.64, 3.39, 3.39, 3.14, 3.27, 3.27, 3.02, 2.9, 2.9), strict=False))
"""What holds from the day after each decision on, per cent."""
NAMES = ("fed_cut_probability", "fed_rate_after")


def rate_on(day: date) -> float:
    return next((RATES[d] for d in reversed(RATES) if day > d), 3.89)


def at(day: date, hour: int = 12) -> float:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()


def closes_of(months: Iterable[date], when: float) -> dict[date, Close]:
    """Each month's contract at 100 less the mean of its days' rates."""
    made = {}
    for month in months:
        days = calendar.monthrange(month.year, month.month)[1]
        mean = sum(rate_on(month + timedelta(days=n)) for n in range(days)) / days
        made[month] = Close(100.0 - mean, when)
    return made


def facts_of(
    now: str, prices: Mapping[str, float], fomc: tuple[str, ...], dff: tuple[str, float] | None = None, *, late: int = 0
) -> dict[str, dict[str, Any]]:
    """The table's two rows from daily closes of contracts, of a day before `now` or some more sessions."""
    when = datetime.fromisoformat(now).replace(tzinfo=UTC)
    days = pd.bdate_range(end=when.date(), periods=12)
    book = book_of(IWM=ohlcv(1, days), SPY=ohlcv(2, days))
    for symbol, price in prices.items():
        shown = days[: -1 - late]
        book.merge(bars(pd.DataFrame({"close": [price] * len(shown)}, index=shown), symbol))
    config = Config(regime=Regime(fomc=fomc))
    maker = FactsMaker(Outside(config, None, lambda *_: None), lambda now: daily_grid(book, calendar_of(days), now))
    if dff is not None:
        seen = at(date.fromisoformat(dff[0]), 0)
        maker.outside.ingest_outside(OutsideFact("fed_funds", dff[1], "%", seen, "fred", 10 * 86_400.0))
    table = maker.live(maker.at_close(when.timestamp()), DictView(when.timestamp(), simulated=True))
    rows = {row["fact"]: row for row in table.to_dicts() if row["fact"] in NAMES}
    assert all(row["simulated"] and row["unit"] == "%" for row in rows.values())
    return rows


KNOWN = {"ZQX26.CBT": 94.79}


def test_the_known_answer_stands_in_the_table() -> None:
    """§7: 94.79, 5.33, N 30, D 13: 5.118 %, 84.7 %; a decision on the 13th leaves 13 days at the old rate."""
    rows = facts_of("2026-11-03T12:00", KNOWN, ("2026-09-16", "2026-11-13"), ("2026-11-02", 5.33))
    assert rows["fed_rate_after"]["value"] == pytest.approx(5.118, abs=5e-4)
    assert rows["fed_cut_probability"]["value"] == pytest.approx(84.7, abs=0.05)
    for row in rows.values():
        assert (row["status"], row["source"]) == ("ok", "2026-11-13: ZQX26.CBT DFF")
        assert row["as_of"] == datetime(2026, 11, 2, 21, tzinfo=UTC), "the session's close"


def test_without_a_published_rate_it_is_an_estimate_by_a_month_without_a_meeting() -> None:
    fomc = ("2026-09-16", "2026-11-13", "2027-01-27")
    rows = facts_of("2026-11-03T12:00", KNOWN | {"ZQV26.CBT": 94.67}, fomc)
    assert rows["fed_rate_after"]["value"] == pytest.approx(5.118, abs=5e-4)
    assert {r["status"] for r in rows.values()} == {"estimated"}
    assert rows["fed_rate_after"]["source"] == "2026-11-13: ZQV26.CBT ZQX26.CBT"
    lost = facts_of("2026-11-20T12:00", {}, fomc, ("2026-11-19", 5.33))
    assert lost["fed_rate_after"]["source"] == "2027-01-27: no close of ZQF27.CBT"


@pytest.mark.parametrize(
    ("now", "prices", "fomc", "dff", "said"),
    [
        ("2026-11-20T12:00", KNOWN, ("2026-11-13",), None, "no meeting date known after 2026-11-13"),
        ("2026-11-03T12:00", KNOWN, (), None, "no meeting date in [regime] fomc"),
        ("2026-10-30T12:00", KNOWN, ("2026-11-13",), ("2026-10-29", 5.33),
         "meetings before 2026-11-13 are not in [regime] fomc"),
        ("2026-11-03T12:00", {}, ("2026-11-13",), ("2026-11-02", 5.33), "2026-11-13: no close of ZQX26.CBT"),
        ("2026-11-03T12:00", KNOWN, ("2026-09-16", "2026-11-13"), None,
         "2026-11-13: rate before it not known, no close of ZQV26.CBT"),
        ("2026-11-03T12:00", KNOWN, ("2026-10-28", "2026-11-13"), None,
         "2026-11-13: rate before it not known, 2026-10 holds one too"),
        ("2026-11-03T12:00", KNOWN, ("2026-11-13",), None,
         "2026-11-13: rate before it not known, 2026-10 is not covered by [regime] fomc"),
        ("2026-11-03T12:00", KNOWN, ("2026-09-16", "2026-11-13"), ("2026-09-16", 5.33),
         "2026-11-13: rate before it not known, no close of ZQV26.CBT"),
        ("2026-11-03T12:00", KNOWN, ("2026-11-25",), ("2026-11-02", 5.33),
         "2026-11-25: 5 days left, 2026-12 is not covered by [regime] fomc"),
        ("2026-11-03T12:00", KNOWN, ("2026-11-25", "2027-01-27"), ("2026-11-02", 5.33),
         "2026-11-25: 5 days left, no close of ZQZ26.CBT"),
        ("2026-11-06T12:00", KNOWN, ("2026-11-04", "2026-11-18"), ("2026-11-05", 5.33),
         "2026-11-18: its month holds another meeting"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_null_with_its_reason(
    now: str, prices: dict[str, float], fomc: tuple[str, ...], dff: tuple[str, float] | None, said: str
) -> None:
    rows = facts_of(now, prices, fomc, dff)
    assert list(rows) == list(NAMES)
    assert {(r["value"], r["status"], r["source"]) for r in rows.values()} == {(None, "stale", said)}


def test_a_close_that_should_be_newer_is_stale() -> None:
    fomc = ("2026-09-16", "2026-11-13")
    rows = facts_of("2026-11-04T12:00", KNOWN, fomc, ("2026-11-02", 5.33), late=1)
    assert {r["status"] for r in rows.values()} == {"stale"}
    assert {r["source"] for r in rows.values()} == {"2026-11-13: ZQX26.CBT DFF"}
    assert rows["fed_rate_after"]["value"] == pytest.approx(5.118, abs=5e-4), "it is shown with what it is worth"


def seen(now: float, *, whole: bool, published: bool) -> Outlook:
    """The market of `RATES`; whole: the contracts of months that are over are there too."""
    today = datetime.fromtimestamp(now, UTC).date()
    months = [m for m in meeting_months(now, DECISIONS) if whole or month_after(m) > today]
    known = Published(rate_on(today - timedelta(days=1)), today - timedelta(days=1)) if published else None
    return outlook(now, DECISIONS, closes_of(months, now), known)


@pytest.mark.parametrize("published", [True, False])
def test_a_known_path_of_meetings_is_found_again(published: bool) -> None:
    """On every day of eleven months; the answer is the same by whatever way it was reached."""
    found: set[date] = set()
    for n in range(340):
        today = date(2026, 1, 2) + timedelta(days=n)
        day = next(d for d in DECISIONS if d >= today)
        last = max(d for d in DECISIONS if d < today)
        made = seen(at(today), whole=True, published=published)
        if published and today - timedelta(days=1) <= last:
            assert made.status is not Status.OK, "what was published yesterday is of before the last decision"
        assert made.meeting is not None, (today, made.said)
        assert made.meeting.after == pytest.approx(RATES[day], abs=1e-9)
        assert made.meeting.cut_probability == pytest.approx(
            min(1.0, max(0.0, (RATES[last] - RATES[day]) / 0.25)), abs=1e-9
        )
        found.add(day)
    assert found == set(DECISIONS[1:9])


def test_without_the_contracts_that_are_over_a_meeting_at_a_months_end_is_still_found() -> None:
    """The month after it says what holds after it, and what is left of its own month what held before."""
    for day in DECISIONS[1:9]:
        made = seen(at(day), whole=False, published=False)
        if holds_none(month_after(day.replace(day=1)), DECISIONS):
            assert made.meeting is not None and made.status is Status.ESTIMATED
            assert made.meeting.after == pytest.approx(RATES[day], abs=1e-9)
        else:
            assert made.meeting is None and "rate before it not known" in made.said


def test_a_decision_is_over_when_it_is_told() -> None:
    day, following = DECISIONS[1:3]
    told = datetime(2026, 1, 28, 19, tzinfo=UTC).timestamp()
    assert told_at(day) == told, "14:00 in New York"
    assert seen(told - 1, whole=True, published=True).said.startswith(f"{day}: ")
    after = outlook(told, DECISIONS, closes_of(meeting_months(told, DECISIONS), told - 60), None)
    assert after.said.startswith(f"{following}: ")
    assert after.status is Status.STALE, "closes of before the decision know nothing of it"
    assert seen(told, whole=True, published=False).status is Status.ESTIMATED


def test_the_contracts_of_the_next_two_meetings_are_asked_for() -> None:
    def asked(when: str) -> list[str]:
        now = datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()
        return [fed_contract(m) for m in meeting_months(now, DECISIONS)]

    assert asked("2026-01-09T12:00") == ["ZQF26.CBT", "ZQG26.CBT", "ZQH26.CBT"]
    assert asked("2026-11-28T12:00") == ["ZQZ26.CBT", "ZQX26.CBT", "ZQF27.CBT", "ZQG27.CBT"]
    assert asked("2028-01-01T12:00") == []


def test_no_row_where_nothing_is_asked_for() -> None:
    days = weekdays("2026-01-01", 6)
    for config in (Config(regime=Regime(fed_funds=False)), parse(b"[spreads]\npairs = ['ETH/BTC']", Path("own.toml"))):
        maker = FactsMaker(
            Outside(config, None, lambda *_: None), lambda now: daily_grid(book_of(), calendar_of(days), now)
        )
        table = maker.live(maker.at_close(at(date(2026, 1, 9))), DictView(at(date(2026, 1, 9))))
        assert not set(NAMES) & set(table["fact"].to_list())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('fomc = ["2026-02-30"]', 'regime.fomc[0] = "2026-02-30": must be a day that there is, such as 2026-01-28'),
        ('fomc = ["soon"]', 'regime.fomc[0] = "soon": must be a day in quotes, such as "2026-01-28"'),
        ("fomc = [2026-01-28]", 'regime.fomc[0] = 2026-01-28: must be a day in quotes, such as "2026-01-28"'),
        ('fomc = "2026-01-28"', 'regime.fomc = "2026-01-28": must be a list in brackets, such as ["2026-01-28"]'),
        ('fomc = ["2026-03-18", "2026-01-28"]',
         'regime.fomc[1] = "2026-01-28": must come after 2026-03-18: the days stand in their order'),
        ('fomc = ["2026-03-18", "2026-03-18"]',
         'regime.fomc[1] = "2026-03-18": must come after 2026-03-18: the days stand in their order'),
    ],
)  # fmt: skip
def test_days_that_cannot_be_are_refused(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse(f"[regime]\n{text}".encode(), Path("own.toml"))
    assert [said.removeprefix("own.toml: ") for said in told.value.lines()] == [line]


def test_ones_own_days_stand_in_place_of_the_built_in_ones() -> None:
    own = parse(b'[regime]\nfomc = ["2028-01-26", "2028-03-15"]', Path("own.toml")).regime
    assert own.decisions == (date(2028, 1, 26), date(2028, 3, 15))
    assert parse(b"[regime]\nfomc = []", Path("own.toml")).regime.decisions == ()
