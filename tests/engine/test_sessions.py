"""When markets trade: fixed days that are known, and every closed day and half-day of 28 years."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine import sessions
from engine.model import SessionState
from tests.realdata import DATA, needs_real_data

NEW_YORK = ZoneInfo("America/New_York")
CHICAGO = ZoneInfo("America/Chicago")
S = SessionState


def at(text: str, zone: ZoneInfo = NEW_YORK) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("moment", "state", "turns"),
    [
        ("2026-01-09 10:30", S.OPEN, "2026-01-09 16:00"),
        ("2026-01-09 09:30", S.OPEN, "2026-01-09 16:00"),
        ("2026-01-09 16:00", S.POST, "2026-01-12 09:30"),
        ("2026-01-09 20:00", S.CLOSED, "2026-01-12 09:30"),
        ("2026-01-09 03:59", S.CLOSED, "2026-01-09 09:30"),
        ("2026-01-09 04:00", S.PRE, "2026-01-09 09:30"),
        ("2026-01-10 12:00", S.CLOSED, "2026-01-12 09:30"),  # Saturday
        ("2026-01-19 12:00", S.CLOSED, "2026-01-20 09:30"),  # Martin Luther King's day
        ("2025-11-28 12:59", S.OPEN, "2025-11-28 13:00"),  # the day after Thanksgiving
        ("2025-11-28 13:00", S.POST, "2025-12-01 09:30"),
        ("2025-11-28 17:00", S.CLOSED, "2025-12-01 09:30"),
        ("2026-03-09 09:30", S.OPEN, "2026-03-09 16:00"),  # the first session of daylight saving time
    ],
)
def test_new_york(moment: str, state: SessionState, turns: str) -> None:
    clock = sessions.market_clock(sessions.XNYS, at(moment))
    assert (clock.state, clock.next_change) == (state, at(turns))


def test_a_half_day_says_so() -> None:
    assert sessions.market_clock(sessions.XNYS, at("2025-11-28 10:00")).early_close
    assert not sessions.market_clock(sessions.XNYS, at("2025-11-26 10:00")).early_close


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-01-08 15:59", S.OPEN),
        ("2026-01-08 16:00", S.CLOSED),  # the daily break
        ("2026-01-08 16:59", S.CLOSED),
        ("2026-01-08 17:00", S.OPEN),
        ("2026-01-09 03:00", S.OPEN),
        ("2026-01-09 16:30", S.CLOSED),
        ("2026-01-09 18:00", S.CLOSED),  # Friday evening
        ("2026-01-11 16:59", S.CLOSED),
        ("2026-01-11 17:00", S.OPEN),  # Sunday evening
        ("2025-11-27 11:59", S.OPEN),  # Thanksgiving: until noon
        ("2025-11-27 12:01", S.CLOSED),
    ],
)
def test_equity_futures_in_chicago(moment: str, state: SessionState) -> None:
    assert sessions.session_of("RTY=F", at(moment, CHICAGO)) is state


def test_crypto_never_closes() -> None:
    assert sessions.session_of("BTC/USD", at("2025-12-25 03:00")) is S.OPEN


def test_funds_and_indices_keep_new_yorks_hours() -> None:
    for symbol in ("IWM", "^RUT", "^IRX"):
        assert sessions.market_of(symbol) == sessions.XNYS


def test_beyond_the_known_grid_nothing_is_claimed() -> None:
    clock = sessions.market_clock(sessions.XNYS, at("2199-01-02 12:00"))
    assert (clock.state, clock.next_change) == (S.CLOSED, None)


def test_sessions_between_takes_both_ends() -> None:
    got = sessions.sessions_between(date(2025, 12, 24), date(2026, 1, 2))
    assert got == [date(2025, 12, d) for d in (24, 26, 29, 30, 31)] + [date(2026, 1, 2)]


@pytest.mark.parametrize("hours", [sessions.xnys(), sessions.cmes()], ids=["XNYS", "CMES"])
def test_spans_are_ascending_and_disjoint(hours: sessions.Hours) -> None:
    edges = [edge for s in hours.sessions for edge in (s.open, s.close)]
    assert edges == sorted(set(edges))


@needs_real_data
def test_every_closed_day_and_half_day_since_2000() -> None:
    with (DATA / "calendars" / "xnys_holidays_early_closes_2000_2027.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    closed = {date.fromisoformat(r["date"]) for r in rows if r["kind"] == "closed"}
    early = {date.fromisoformat(r["date"]): r["close_et"] for r in rows if r["kind"] != "closed"}
    first, last = date(2000, 1, 1), date(2027, 12, 31)
    weekdays = {d for n in range((last - first).days + 1) if (d := first + timedelta(n)).weekday() < 5}
    ours = {date(1970, 1, 1) + timedelta(s.day): s for s in sessions.xnys().sessions}
    assert {d for d in ours if first <= d <= last} == weekdays - closed
    halves = {d: s for d, s in ours.items() if first <= d <= last and s.early}
    assert {d: f"{datetime.fromtimestamp(s.close, NEW_YORK):%H:%M}" for d, s in halves.items()} == early


def test_midday_utc_of_a_session_is_its_own_date() -> None:
    for session in sessions.xnys().sessions[-600:]:
        assert datetime.fromtimestamp(session.open, UTC).date() == date(1970, 1, 1) + timedelta(session.day)
