"""The player's side of a recording: each raw message goes through the code that decoded it live, in recorded order.

Nothing is connected, nothing is asked: an exchange object of ccxt gets the messages by hand. A message that cannot be
read is counted and passed over, as it was live. A recording that was cut off by a kill is read up to its last whole
member.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from engine.clock import Clock
from engine.config import Config
from engine.errors import BadDataError, SizewatchError, faults
from engine.model import Bars, ChannelReport, FeedReport, FundDay, FundDays, MarketFact, OutsideFact, Sink
from feeds.ccxt_tap import closed, standing
from feeds.crypto import Relay
from feeds.link import Context
from feeds.markets import choose
from feeds.network import Border
from feeds.numbers import DAY, stamp
from feeds.quirks import quirks_of
from feeds.record import FORMAT, VERSION, frame_of, made, parts_of
from feeds.yahoo_poll import quote_of
from feeds.yahoo_stream import QuoteReader, pricing_class

LONGEST_LINE: Final = 64 * 2**20
"""Bytes; a longer one is no recording of ours."""

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""No bar is older."""
LONGEST_WAIT_S: Final = 30 * DAY
"""Seconds that a feed waits at most before it asks again."""
F = TypeVar("F", MarketFact, OutsideFact)

Entry = tuple[float, str, str, Any]
"""(epoch seconds, source, kind, payload)."""


class RecordingError(SizewatchError):
    """The file is no recording that this version can play."""


def entries(file: Path) -> Iterator[Entry]:
    """Everything in a recording, oldest first. Raises RecordingError where it is none."""
    begun = False
    for part in parts_of(file):
        for line in _lines(part):
            entry = _entry(line, part)
            if entry is None:
                continue
            if entry[2] == "begin":
                _check(entry[3], part)
                begun = True
            elif begun:
                yield entry
            else:
                raise RecordingError(f"{part}: is no recording of sizewatch")
    if not begun:
        raise RecordingError(f"{file}: is no recording of sizewatch")


def _lines(part: Path) -> Iterator[bytes]:
    try:
        with gzip.open(part, "rb") as whole:
            while line := whole.readline(LONGEST_LINE):
                yield line
    except (EOFError, zlib.error):
        return  # cut off by a kill: what is whole has been read
    except gzip.BadGzipFile as error:
        raise RecordingError(f"{part}: is no recording of sizewatch ({error})") from error
    except OSError as error:
        raise RecordingError(f"{part}: cannot be read: {error.strerror or error}") from error


def _entry(line: bytes, part: Path) -> Entry | None:
    try:
        at, source, kind, payload = orjson.loads(line)
        sound = isinstance(at, float | int) and isinstance(source, str) and isinstance(kind, str) and math.isfinite(at)
    except (ValueError, TypeError):
        if not line.endswith(b"\n"):
            return None
        raise RecordingError(f"{part}: is no recording of sizewatch") from None
    return (float(at), source, kind, payload) if sound else None


def _check(begin: object, part: Path) -> None:
    if not isinstance(begin, dict) or begin.get("format") != FORMAT:
        raise RecordingError(f"{part}: is no recording of sizewatch")
    if begin.get("version") != VERSION:
        raise RecordingError(
            f"{part}: was made by another version (format {begin.get('version')}, this one: {VERSION})"
        )


class _Unheard:
    """A link that nobody listens to: how the feeds fared is in the recording."""

    def up(self, channel: str, silence_limit_s: float) -> None: ...
    def heard(self, channel: str, event_time: float | None) -> None: ...
    def reached(self, channel: str) -> None: ...
    def rests(self, seconds: float) -> None: ...
    def down(self, channel: str, why: str) -> None: ...
    def note(self, text: str | None) -> None: ...
    def progress(self, done: int, wanted: int) -> None: ...
    def settled(self) -> None: ...


class _Venue:
    """One exchange, unconnected."""

    def __init__(self, name: str, markets: list[dict[str, Any]], context: Context) -> None:
        relay = Relay(name, f"{name}:tickers", context, _Unheard())
        self.relay = relay
        self.exchange = standing(name, relay.tap)
        self.exchange.set_markets(markets)
        by_symbol = {str(market["symbol"]): market for market in markets}
        relay.begin(choose(by_symbol, context.config.crypto), quirks_of(name).polled_open_is_24h)

    def hear(self, payload: Any) -> None:
        url, message = payload
        client = self.exchange.client(url)
        client.on_message_callback(client, message)


class Replay:
    """Decodes a recording's entries into a sink."""

    def __init__(self, sink: Sink, config: Config, clock: Clock, folder: Path) -> None:
        """Make it in the event loop that it is played in."""
        self._context = Context(config, clock, sink, Border(None, None, 1.0), folder)
        self._venues: dict[str, _Venue] = {}
        self._pricing = pricing_class()
        self._readers: dict[str, QuoteReader] = {}
        self._kinds: dict[str, Callable[[str, Any], None]] = {
            "books": self._books,
            "ws": lambda source, payload: self._venues[source].hear(payload),
            "polled": lambda source, payload: self._venues[source].relay.polled(payload[0], payload[1]),
            "stream": self._stream,
            "rows": self._rows,
            "bars": self._bars,
            "fact": lambda _, payload: sink.ingest_fact(self._dated(made(MarketFact, payload))),
            "outside": lambda _, payload: sink.ingest_outside(self._dated(made(OutsideFact, payload))),
            "funds": lambda source, payload: sink.ingest_fund_days(
                FundDays(source, tuple(made(FundDay, day) for day in payload))
            ),
            "channel": self._channel,
            "feed": self._report,
        }
        self.unreadable = 0

    def play(self, entry: Entry) -> None:
        """One entry, at the moment that the clock stands at."""
        _, source, kind, payload = entry
        play = self._kinds.get(kind)
        if play is None:  # a newer version's
            self.unreadable += 1
            return
        try:
            play(source, payload)
        except faults():  # whatever the venue sent; live it was passed over, too
            self.unreadable += 1

    async def close(self) -> None:
        """Let go of what the exchange objects hold."""
        for venue in self._venues.values():
            await closed(venue.exchange)

    def _dated(self, fact: F) -> F:
        """`fact`, where it is of a day that it can be of. Raises ValueError."""
        if stamp(fact.as_of, self._context.clock.now() + DAY) is None:  # a day's count is dated with the day's end
            raise ValueError(f"a fact of {fact.as_of}")
        return fact

    def _channel(self, source: str, payload: Any) -> None:
        channel, up, limit = payload
        silence_s = math.inf if limit is None else limit
        report = made(ChannelReport, (channel, source, up, 0.0 if limit is None else limit))
        self._context.sink.report_channel(report._replace(silence_limit_s=silence_s))

    def _report(self, source: str, payload: Any) -> None:
        report, ahead = made(FeedReport, payload), self._context.clock.now() + LONGEST_WAIT_S
        if any(at is not None and stamp(at, ahead) is None for at in (report.last_message, report.retry_at)):
            raise ValueError(f"a report of {report.last_message}, to try again at {report.retry_at}")
        self._context.sink.report_feed(report._replace(next_at=stamp(report.next_at, ahead)))

    def _books(self, source: str, payload: Any) -> None:
        venue = _Venue(source, payload, self._context)  # books that cannot be read take none away
        old = self._venues.pop(source, None)
        self._venues[source] = venue
        if old is not None:
            self._venues[f"{source} before {len(self._venues)}"] = old

    def _stream(self, source: str, payload: Any) -> None:
        channel, text = payload
        if not isinstance(channel, str):
            raise TypeError(f"a channel called {str(channel)[:40]!r}")
        clock = self._context.clock
        reader = self._readers.get(channel)
        if reader is None:
            reader = QuoteReader(self._context.config.equity.symbols, self._pricing, channel)
            self._readers[channel] = reader
        try:
            quote = reader.read(text, clock.now(), clock.monotonic())
        except BadDataError:
            self.unreadable += 1
            return
        if quote is not None:
            self._context.sink.ingest(quote)

    def _rows(self, source: str, payload: Any) -> None:
        clock = self._context.clock
        known = {str(row.get("symbol")): row for row in payload if isinstance(row, dict)}
        self.unreadable += sum(not isinstance(row, dict) for row in payload)
        for symbol in self._context.config.equity.symbols:
            quote = quote_of(symbol, known[symbol], clock.now(), clock.monotonic()) if symbol in known else None
            if quote is not None:
                self._context.sink.ingest(quote)

    def _bars(self, source: str, payload: Any) -> None:
        symbol, interval, currency, replace, columns, *more = payload  # older recordings do not say what was to come
        older = bool(more and more[0])
        if not all(isinstance(word, str) for word in (symbol, interval, currency)) or not isinstance(replace, bool):
            raise TypeError(f"bars of {str(symbol)[:40]!r}")
        frame = frame_of(columns)
        now = datetime.fromtimestamp(self._context.clock.now(), UTC)
        frame = frame.filter(frame["time"].is_between(EARLIEST, now + timedelta(days=2)))  # a future's day begins early
        self._context.sink.ingest_bars(Bars(symbol, interval, source, currency, frame, replace, older))
