"""When markets trade: one answer for the whole product, from an exchange calendar, half-days included.

XNYS for shares, funds and indices; CMES for equity futures, whose daily break of 16:00–17:00 in Chicago the library
leaves out and this file subtracts; crypto never closes. Building a calendar imports pandas and takes up to a second, so
it happens at the first question, in whatever thread asks it: call `warm` where that must not be later, and `keep_in`
before it where a calendar that was built once may be read from disk.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final
from zoneinfo import ZoneInfo

from engine import calendar_file
from engine.model import MarketClock, SessionState, asset_of
from engine.view import Session

XNYS: Final = "XNYS"
CMES: Final = "CMES"
ALWAYS: Final = "24/7"

FIRST_DAY: Final = date(1990, 1, 1)
"""The grids begin here; older bars have no session."""
FIRST_DAY_CMES: Final = date(2000, 1, 3)
YEARS_AHEAD: Final = 2
PRE_OPENS_S: Final = 5.5 * 3600
"""Pre-market begins this long before the open: 04:00 in New York."""
POST_LASTS_S: Final = 4 * 3600
"""Post-market ends this long after the close: 20:00 in New York, 17:00 on half-days."""

_EPOCH: Final = date(1970, 1, 1)
_CHICAGO: Final = ZoneInfo("America/Chicago")
_FOLDERS: Final[list[Path]] = []
_KNOWN: Final[dict[str, Hours]] = {}
_BUILDING: Final = {XNYS: Lock(), CMES: Lock()}
"""Three threads ask for a calendar while the program starts: one builds it, the others wait."""


def market_of(symbol: str) -> str:
    """The market whose hours a canonical symbol keeps."""
    asset = asset_of(symbol)
    if asset == "crypto":
        return ALWAYS
    return CMES if asset == "future" else XNYS


@dataclass(frozen=True)
class Hours:
    """One market's spans of trading, ascending and disjoint; times are epoch seconds."""

    market: str
    sessions: tuple[Session, ...]
    opens: tuple[float, ...]
    closes: tuple[float, ...]

    @classmethod
    def of(cls, market: str, sessions: tuple[Session, ...]) -> Hours:
        """The grid of `sessions`, which are ascending."""
        return cls(market, sessions, tuple(s.open for s in sessions), tuple(s.close for s in sessions))

    def last_opened(self, now: float) -> int:
        """Index of the newest span that has opened at `now`; -1 before the first."""
        return bisect_right(self.opens, now) - 1

    def clock(self, now: float) -> MarketClock:
        """The market's state at `now`. An open belongs to its session, a close no longer does."""
        at = self.last_opened(now)
        if at >= 0 and now < self.closes[at]:
            return MarketClock(self.market, SessionState.OPEN, self.closes[at], self.sessions[at].early)
        following = at + 1
        if following >= len(self.opens):
            return MarketClock(self.market, SessionState.CLOSED, None)
        opens, early = self.opens[following], self.sessions[following].early
        state = SessionState.CLOSED
        if self.market == XNYS:
            if now >= opens - PRE_OPENS_S:
                state = SessionState.PRE
            elif at >= 0 and now < self.closes[at] + POST_LASTS_S:
                state = SessionState.POST
        return MarketClock(self.market, state, opens, early)


def _seconds(column: Iterable[datetime]) -> list[float]:
    """A column of instants as epoch seconds."""
    return [stamp.timestamp() for stamp in column]


def last_day() -> date:
    """The last day of every grid."""
    return date(datetime.now(UTC).year + YEARS_AHEAD, 12, 31)  # how far a calendar is known is a fact of today


def keep_in(*folders: Path) -> None:
    """Read calendars from these folders where they hold them, and keep what is built in the first of them."""
    _FOLDERS[:] = folders


def xnys() -> Hours:
    """The New York Stock Exchange: regular sessions with half-days."""
    with _BUILDING[XNYS]:
        if XNYS not in _KNOWN:
            _KNOWN[XNYS] = kept(XNYS, FIRST_DAY, build_xnys, _FOLDERS)
        return _KNOWN[XNYS]


def cmes() -> Hours:
    """CME equity index futures: each session without the break that precedes the next one's opening."""
    with _BUILDING[CMES]:
        if CMES not in _KNOWN:
            _KNOWN[CMES] = kept(CMES, FIRST_DAY_CMES, build_cmes, _FOLDERS)
        return _KNOWN[CMES]


def recall() -> bool:
    """Take both calendars from disk; False where one has to be built."""
    for market, first in ((XNYS, FIRST_DAY), (CMES, FIRST_DAY_CMES)):
        with _BUILDING[market]:
            if market not in _KNOWN:
                sessions = calendar_file.read(_FOLDERS, market, first.isoformat(), last_day().isoformat())
                if sessions is None:
                    return False
                _KNOWN[market] = Hours.of(market, sessions)
    return True


def kept(market: str, first: date, build: Callable[[], tuple[Session, ...]], folders: Sequence[Path]) -> Hours:
    """A market's hours from `first` on, as a folder holds them, else as `build` makes them, which is then kept."""
    days = first.isoformat(), last_day().isoformat()
    sessions = calendar_file.read(folders, market, *days)
    if sessions is None:
        sessions = build()
        calendar_file.write(folders, market, *days, sessions)
    return Hours.of(market, sessions)


def build_xnys() -> tuple[Session, ...]:
    """Every session of the New York Stock Exchange from `FIRST_DAY`, from the library."""
    from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar

    calendar = XNYSExchangeCalendar(start=FIRST_DAY.isoformat(), end=last_day().isoformat())
    early = {stamp.date() for stamp in calendar.early_closes}
    schedule = calendar.schedule
    days = [stamp.date() for stamp in schedule.index]
    return tuple(
        Session((day - _EPOCH).days, opens, closes, day in early)
        for day, opens, closes in zip(days, _seconds(schedule["open"]), _seconds(schedule["close"]), strict=True)
    )


def build_cmes() -> tuple[Session, ...]:
    """Every session of CME's equity futures from `FIRST_DAY_CMES`, from the library, without the daily break."""
    from exchange_calendars.exchange_calendar_cmes import CMESExchangeCalendar

    calendar = CMESExchangeCalendar(start=FIRST_DAY_CMES.isoformat(), end=last_day().isoformat())
    schedule = calendar.schedule
    spans = []
    for stamp, opens, closes in zip(
        schedule.index, _seconds(schedule["open"]), _seconds(schedule["close"]), strict=True
    ):
        day = stamp.date()
        break_from = datetime(day.year, day.month, day.day, 16, tzinfo=_CHICAGO).timestamp()
        spans.append(Session((day - _EPOCH).days, opens, min(closes, break_from), closes < break_from))
    return tuple(spans)


def hours(market: str) -> Hours:
    """The hours of XNYS or CMES."""
    return cmes() if market == CMES else xnys()


def calendar() -> Hours:
    """XNYS as `engine.view.Calendar`: the one daily grid of every spread, gauge and correlation."""
    return xnys()


def warm() -> None:
    """Build both calendars now."""
    xnys()
    cmes()


def market_clock(market: str, now: float) -> MarketClock:
    """What `market` (XNYS, CMES or 24/7) does at `now`, epoch seconds, and when it next opens or closes."""
    if market == ALWAYS:
        return MarketClock(ALWAYS, SessionState.OPEN, None)
    return hours(market).clock(now)


def session_of(symbol: str, now: float) -> SessionState:
    """What the market of a canonical symbol does at `now`."""
    return market_clock(market_of(symbol), now).state


def sessions_between(first: date, last: date, market: str = XNYS) -> list[date]:
    """The trading days of `market` from `first` to `last`, both included."""
    low, high = (first - _EPOCH).days, (last - _EPOCH).days
    return [_EPOCH + timedelta(days=s.day) for s in hours(market).sessions if low <= s.day <= high]


def close_of(day: date) -> datetime:
    """When New York's session of a date closes; of a date without one, that of the session before it."""
    found = xnys()
    at = bisect_right(found.sessions, (day - _EPOCH).days, key=lambda session: session.day) - 1
    return datetime.fromtimestamp(found.closes[max(at, 0)], UTC)
