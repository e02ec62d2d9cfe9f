"""The values that cross the rooms' borders: immutable, light to import, and the same for every source.

Feeds make `Quote`, `Bars`, `MarketFact`, `FundDays`, `OutsideFact`, `ChannelReport` and `FeedReport` and hand them to a
`Sink`; screens read a `Snapshot` from a `SnapshotSource` and send an `Intent`. Nothing here imports Polars at run time,
so that the terminal can know these types before the heavy libraries are loaded.
Annotations are evaluated as they stand: put off, every field of a tuple is compiled by itself, before the first paint.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from engine.config import Config


class Mode(StrEnum):
    """Where a run's data comes from; given once by the front door."""

    LIVE = "live"
    DEMO = "demo"
    REPLAY = "replay"


class Status(StrEnum):
    """What a value is worth, worst last; carried by every row of every live table."""

    OK = "ok"
    WARMING = "warming"
    ESTIMATED = "estimated"
    CLOSED = "closed"
    STALE = "stale"


class FeedState(StrEnum):
    """The life of a feed under its supervisor."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    RECONNECTING = "reconnecting"
    RATE_LIMITED = "rate-limited"
    BLOCKED = "blocked"
    CLOSED = "closed"
    FAILED = "failed"


class SessionState(StrEnum):
    """What a market is doing at a moment."""

    OPEN = "open"
    PRE = "pre"
    POST = "post"
    CLOSED = "closed"


def asset_of(symbol: str) -> str:
    """The kind of thing a canonical symbol names: crypto, index, future or etf.

    Canonical symbols: `BTC/USD` (crypto), `^RUT` (index), `RTY=F` (future), `IWM` (etf, or any share).
    """
    if "/" in symbol:
        return "crypto"
    if symbol.startswith("^"):
        return "index"
    return "future" if symbol.endswith("=F") else "etf"


class Quote(NamedTuple):
    """One observation of one symbol by one source, in the venue's own quote currency.

    Prices and volumes are as the venue sent them; the engine turns them into USD. Missing is None, never 0.
    """

    symbol: str
    """Canonical name, `BTC/USD` or `IWM`, whatever the venue calls it."""
    source: str
    """Who sent it: `binance`, `kraken`, `yahoo-stream`, `yahoo-poll`."""
    channel: str
    """The subscription that it came by, as in `ChannelReport.channel`: the unit of silence."""
    venue_symbol: str
    """The venue's book or listing, e.g. `BTC/USDT`."""
    quote_ccy: str
    """Currency of every price here: USD, USDT, EUR, BTC…"""
    last: float | None
    bid: float | None
    ask: float | None
    prev: float | None
    """The price that the change is measured from: 24 h ago for crypto, the previous close for equities."""
    high: float | None
    """24 h (crypto) or session (equities) high."""
    low: float | None
    volume: float | None
    """24 h (crypto, base units) or session (equities, shares) volume."""
    quote_volume: float | None
    """24 h volume in `quote_ccy` where the venue says it."""
    vwap: float | None
    event_time: float | None
    """The venue's own time of this observation, epoch seconds; None where it names none."""
    received: float
    """This run's clock when it arrived, epoch seconds."""
    received_mono: float
    """Monotonic seconds when it arrived."""
    session: str | None = None
    """pre, regular, post, overnight for equities; None for crypto."""
    delayed: bool = False
    """True where the source says that its prices are delayed."""


class Bars(NamedTuple):
    """Bars of one symbol at one interval, for the engine to merge into what it holds.

    `frame` has the columns of `engine.tables.BARS`: `time` (the bar's *open*, UTC), open, high, low, close, adj_close,
    volume. `quote_ccy` prices; `adj_close` equals `close` where the source does not adjust.
    """

    symbol: str
    interval: str
    """`1d`, `1h`, `5m` or `1m`."""
    source: str
    quote_ccy: str
    frame: "pl.DataFrame"
    replace: bool = False
    """True where all older bars of this source must be dropped first (a split or dividend changed the past)."""
    older: bool = False
    """True while older bars are still being fetched: what needs the whole past is not known yet."""


class MarketFact(NamedTuple):
    """Whole-market figures for one base asset (`BTC`), or for the market as a whole (`*`), in USD."""

    base: str
    source: str
    as_of: float
    """Epoch seconds that the source names, else the time of arrival."""
    all_markets_usd: float | None
    """24 h volume over all markets."""
    market_cap_usd: float | None = None
    dominance_pct: float | None = None
    """Share of the whole market's capitalisation, per cent."""


class FundDay(NamedTuple):
    """One printed row of a fund: NAV in USD a share, shares outstanding, total net assets in USD; None: not printed."""

    fund: str
    date: date
    nav: float | None
    shares: float | None
    aum: float | None


class PublishedFlow(NamedTuple):
    """A fund's flow of a day as somebody else published it, in whatever unit: evidence of a lag, never shown."""

    fund: str
    date: date
    flow: float


class FundDays(NamedTuple):
    """Days of funds as one source printed them, to be kept beside those of other sources."""

    source: str
    """`ssga`, `ishares`, `csv` or `yahoo`."""
    days: tuple[FundDay, ...]


class OutsideFact(NamedTuple):
    """One figure of the world outside the connected markets; one row of the `facts` table."""

    fact: str
    """Its name, such as `fear_greed`."""
    value: float | None
    unit: str
    """`USD`, `%`, `pp`, `count` or `0-100`."""
    as_of: float
    """Epoch seconds that the source names, else the time of arrival."""
    source: str
    lasts_s: float
    """Older than this it is stale."""
    change_pct: float | None = None
    """Its change over `change_over`, per cent."""
    change_over: str | None = None
    """`1d`, `7d`."""
    members: tuple[str, ...] = ()
    """Names that the value counts, where newcomers among them matter."""


class ChannelReport(NamedTuple):
    """A channel went up or down. While it is down, every row that came by it is stale."""

    channel: str
    source: str
    up: bool
    silence_limit_s: float
    """Seconds without a message after which its rows are stale, though the connection stands (METRICS: stale)."""


class FeedReport(NamedTuple):
    """What one feed's supervisor says of it; one row of the `feeds` table."""

    source: str
    kind: str
    """crypto-stream, crypto-bars, equity-stream, equity-poll, equity-bars, market-facts, fund-days, outside-facts."""
    state: FeedState
    last_message: float | None
    """Epoch seconds of the newest message."""
    rate: float
    """Messages a second over the last few seconds."""
    reconnects: int
    error: str | None
    """The last error in words, kept until the feed has been healthy again for a while."""
    retry_at: float | None
    """Epoch seconds of the next attempt, where one is scheduled."""
    settled: bool
    """True once the feed has delivered all it first had to, or has failed at it: nothing more is to be waited for."""
    note: str | None = None
    """What a user may want to know that is no error: symbols that the venue lacks, a slower budget."""
    next_at: float | None = None
    """Epoch seconds of the next question of a live source that asks now and then; between two it rests."""
    done: int | None = None
    """Series of the history's first download that are held, or are named as not to be had; None: no history."""
    wanted: int | None = None
    """Series of it in all."""


class Coverage(NamedTuple):
    """What the store already holds of one symbol, interval and source: first and last bar's open, epoch seconds."""

    first: float
    last: float
    rows: int


class Sink(Protocol):
    """The one way in for data. Every method is called from the collector's thread and returns at once."""

    def ingest(self, quote: Quote, /) -> None: ...

    def ingest_bars(self, bars: Bars, /) -> None: ...

    def ingest_fact(self, fact: MarketFact, /) -> None: ...

    def ingest_outside(self, fact: OutsideFact, /) -> None: ...

    def ingest_fund_days(self, days: FundDays, /) -> None: ...

    def report_channel(self, report: ChannelReport, /) -> None: ...

    def report_feed(self, report: FeedReport, /) -> None: ...

    def coverage(self, symbol: str, interval: str, source: str, /) -> Coverage | None:
        """What is already stored, so that a feed fetches only what is missing."""
        ...


class Notice(NamedTuple):
    """Something that the user must be told and that is no row of a table: a refused config, a full disk."""

    at: float
    severity: str
    """info, warning or error."""
    text: str


Value = str | float | int | bool | None
"""A cell as JSON can carry it."""


class Event(NamedTuple):
    """Something that happened to an alert; kept in the journal and sent out. Times: epoch seconds, the run's clock."""

    id: str
    rule: str
    row: str
    kind: str
    """fired, repeated or resolved."""
    at: float
    severity: str
    notify: str
    message: str
    values: Mapping[str, Value]
    """The row as it was, or the crossing's price, level and direction."""


@dataclass(frozen=True, slots=True)
class MarketClock:
    """A market's state at a moment, and when that next changes."""

    market: str
    state: SessionState
    next_change: float | None
    """Epoch seconds of the next open or close of the regular session."""
    early_close: bool = False


@dataclass(frozen=True, slots=True)
class Playing:
    """How a recording is being played."""

    speed: float | None
    """Seconds of the recording in one of ours; None: as fast as it goes."""
    paused: bool = False
    seeking: bool = False
    """On the way to a moment that was asked for, as fast as it goes."""
    ended: bool = False
    """All of it has been played."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One published state of everything; replaced as a whole, never changed."""

    seq: int
    mode: Mode
    scenario: str | None
    """Name of the demo's scenario or of the replayed file."""
    as_of: float
    """Epoch seconds of the run's clock at this beat."""
    clock_offset: float
    """Seconds from the system's wall time to the run's clock, so that a screen can show the running time."""
    beat_at: float
    """`time.monotonic()` at this beat: the engine's heartbeat."""
    beat_ms: float
    """What this beat cost, in milliseconds of its thread's CPU."""
    ticks_per_s: float
    ticks: int
    """Quotes taken in since the start."""
    tables: Mapping[str, "pl.DataFrame"]
    """The live tables by name. A table that did not change since the last snapshot is the same object."""
    nyse: MarketClock
    config: "Config"
    notices: tuple[Notice, ...] = ()
    events: tuple[Event, ...] = ()
    """The newest alert events, oldest first; a screen shows those whose id it has not seen."""
    settled: bool = False
    """True once every feed has delivered all it first had to, or has failed at it."""
    store: "Path | None" = None
    """The folder in which this run keeps bars and journal; None: nowhere."""
    playing: Playing | None = None
    """Of a replay alone."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A wish of the user's that the engine or a feed must carry out."""

    action: str
    """`reload-config`, `retry`, …"""
    arguments: Mapping[str, str] = field(default_factory=dict)


class SnapshotSource(Protocol):
    """What the screens know of the collector: its newest snapshot, and a way to send it wishes."""

    def latest(self) -> Snapshot | None:
        """The newest snapshot, or None before the first beat. Never blocks."""
        ...

    def send(self, intent: Intent, /) -> None: ...

    def failure(self) -> str | None:
        """Why the collector ended, in words, where it has ended; else None."""
        ...
