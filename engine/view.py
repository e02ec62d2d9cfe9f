"""What the maths may see of the engine at one beat, and nothing more: a price, a volume, a clock, a calendar.

Every table is made in two stages. `at_close(book, …)` reads bars and is called when bars changed or a session turned;
`live(state, view)` reads a `View` and is called at every beat. Neither keeps a reference to the engine, so the same
functions serve a live run, a replay and a test with a view made of plain dicts (`DictView`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from engine.model import MarketFact, Status


class Live(NamedTuple):
    """The newest usable price of one symbol. Missing is None, never 0."""

    price: float | None = None
    """USD a unit as METRICS §0 "price used" has it (an index: points); None where no source has a usable one."""
    status: Status = Status.STALE
    """ok, estimated, stale or closed, as in the `quotes` table."""
    at: float | None = None
    """Epoch seconds of the observation: the venue's time, else ours."""
    volume: float | None = None
    """Equities: shares since this session's open. Crypto: base units of the last 24 h."""
    session: str | None = None
    """pre, regular, post, overnight for equities; None for crypto."""


NO_LIVE = Live()
"""What a view answers for a symbol that it does not know."""


class Book24(NamedTuple):
    """The newest 24 h figures of one book of one venue, in the venue's own units (see `engine.markets`)."""

    source: str
    base: str
    """Canonical base asset, `BTC`."""
    venue_symbol: str
    quote_ccy: str
    last: float | None
    high: float | None
    low: float | None
    volume: float | None
    """Base units."""
    quote_volume: float | None
    vwap: float | None
    at: float | None
    stale: bool = False


class Rate(NamedTuple):
    """USD for one unit of a quote currency."""

    usd: float | None
    estimated: bool = False
    """True where a missing stable coin was taken as 1.0."""


class Session(NamedTuple):
    """One regular session of XNYS."""

    day: int
    """Days since 1970-01-01."""
    open: float
    """Epoch seconds."""
    close: float
    """Epoch seconds."""
    early: bool = False
    """True for a half-day."""


class Calendar(Protocol):
    """The XNYS sessions in order. `engine.sessions` gives one; tests make their own."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        """All known sessions, past and some future, ascending by day."""
        ...


class View(Protocol):
    """One beat's state of the market, read-only. No method raises; what is unknown is None or empty."""

    @property
    def now(self) -> float:
        """Epoch seconds of the run's clock at this beat."""
        ...

    @property
    def simulated(self) -> bool:
        """True where the run is not live, for the flag that every row carries."""
        ...

    def live(self, symbol: str, /) -> Live:
        """The newest price of a canonical symbol (`BTC/USD`, `IWM`, `^RUT`); `NO_LIVE` where there is none."""
        ...

    def books(self) -> Iterable[Book24]:
        """Every spot book that a venue streams, several a base."""
        ...

    def rate(self, ccy: str, /) -> Rate:
        """USD for one `ccy`."""
        ...

    def facts(self) -> Mapping[str, MarketFact]:
        """Whole-market figures by base; `*` for the market as a whole."""
        ...

    def lost(self, source: str, /) -> bool:
        """Whether the connection to a source is lost, so that what it said is stale; False of one never heard of."""
        ...


@dataclass(slots=True)
class DictView:
    """A view made of dicts: for tests, benchmarks and what-ifs."""

    now: float
    prices: Mapping[str, Live] = field(default_factory=dict)
    all_books: tuple[Book24, ...] = ()
    rates: Mapping[str, Rate] = field(default_factory=dict)
    all_facts: Mapping[str, MarketFact] = field(default_factory=dict)
    simulated: bool = False
    all_lost: frozenset[str] = frozenset()

    def live(self, symbol: str, /) -> Live:
        return self.prices.get(symbol, NO_LIVE)

    def books(self) -> Iterable[Book24]:
        return self.all_books

    def rate(self, ccy: str, /) -> Rate:
        return self.rates.get(ccy, Rate(1.0) if ccy == "USD" else Rate(None))

    def facts(self) -> Mapping[str, MarketFact]:
        return self.all_facts

    def lost(self, source: str, /) -> bool:
        return source in self.all_lost
