"""The recorder: raw messages as they came, with their times, in a file that a kill cannot spoil.

A recording is gzip members of JSON lines, `[time, source, kind, payload]`; a member is written at most a second after
its first line, so a kill loses a second and never the file. Parts and their number are bounded: the oldest go first.
A disk that is full ends the recording, in words, and nothing else.
"""

from __future__ import annotations

import atexit
import contextlib
import gzip
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_args, get_type_hints

import orjson

from engine.clock import Clock
from engine.errors import SizewatchError
from engine.model import Bars, ChannelReport, FeedReport, FeedState, FundDays, MarketFact, OutsideFact, Sink
from feeds.link import Context

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger(__name__)

FORMAT: Final = "sizewatch recording"
VERSION: Final = 1
FLUSH_S: Final = 1.0
"""What a kill can lose."""
MEMBER: Final = 256 * 1024
"""Bytes of lines after which a member is written whatever the time."""
PART: Final = 64 * 2**20
"""Bytes on disk after which the next part begins."""
PARTS: Final = 16
"""Parts that are kept beside the one that is being written: about 1 GB, days of a default configuration."""
_COLUMNS: Final = ("open", "high", "low", "close", "adj_close", "volume")

T = TypeVar("T")
Write = Callable[[str, str, Any], None]
"""(source, kind, payload): one raw message."""


class RecordError(SizewatchError):
    """A recording cannot be begun."""


def parts_of(file: Path) -> list[Path]:
    """The parts of a recording, oldest first, `file` itself last."""
    numbered = [
        (int(path.suffix[1:]), path) for path in file.parent.glob(f"{file.name}.*") if path.suffix[1:].isdigit()
    ]
    return [*(path for _, path in sorted(numbered, reverse=True)), file]


class Recorder:
    """Writes one recording; see the module's docstring. Used from the collector's thread alone."""

    def __init__(self, file: Path, clock: Clock, *, part: int = PART, parts: int = PARTS) -> None:
        """Raises OSError where the file cannot be made."""
        self.file = file
        self.messages = 0
        self.failed: str | None = None
        """Why nothing is recorded any more."""
        self._clock = clock
        self._part = part
        self._parts = parts
        self._lines: list[bytes] = []
        self._size = 0
        self._since = 0.0
        self._books: dict[str, Any] = {}
        """The newest list of markets of each venue: every part can be read by itself."""
        for old in parts_of(file)[:-1]:
            old.unlink()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._out = file.open("wb")
        self._begin()

    def write(self, source: str, kind: str, payload: Any) -> None:
        """Keep one message. At tick rate: a line more in memory, now and then a member on disk."""
        if self.failed is not None:
            return
        if kind == "books":
            if self._books.get(source) == payload:
                return
            self._books[source] = payload
        self.messages += 1
        self._line(source, kind, payload)

    def _line(self, source: str, kind: str, payload: Any) -> None:
        now = self._clock.now()
        if not self._lines:
            self._since = now
        try:
            line = orjson.dumps([now, source, kind, payload], default=str)
        except TypeError as error:
            log.warning("a message of %s cannot be recorded: %s", source, error)
            return
        self._lines.append(line)
        self._size += len(line)
        if self._size >= MEMBER or not 0 <= now - self._since < FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Put what is in memory on disk."""
        if not self._lines or self.failed is not None:
            return
        member = gzip.compress(b"\n".join(self._lines) + b"\n", 4)
        self._lines.clear()
        self._size = 0
        try:
            self._out.write(member)
            self._out.flush()
            if self._out.tell() >= self._part:
                self._rotate()
        except OSError as error:
            self.failed = f"{self.file}: recording ended: {error.strerror or error}"
            log.warning("%s", self.failed)

    def _rotate(self) -> None:
        """Begin a new part; the oldest beyond the limit goes."""
        self._out.close()
        numbered = parts_of(self.file)[:-1]
        for path in numbered[: max(0, len(numbered) - self._parts + 1)]:
            path.unlink()
        for path in parts_of(self.file)[:-1]:
            path.replace(path.with_suffix(f".{int(path.suffix[1:]) + 1}"))
        self.file.replace(self.file.with_name(f"{self.file.name}.1"))
        self._out = self.file.open("wb")
        self._begin()

    def _begin(self) -> None:
        self._line("", "begin", {"format": FORMAT, "version": VERSION})
        for source, books in self._books.items():
            self._line(source, "books", books)

    def tap(self, context: Context) -> Context:
        """`context` of feeds whose messages are to be recorded here."""
        return replace(context, sink=cast("Sink", RecordingSink(context.sink, self.write)), record=self.write)

    def close(self) -> None:
        """Write the rest and let go of the file."""
        self.flush()
        self._out.close()


class RecordingSink:
    """A sink before another: what is decoded already (bars, facts, reports) is recorded as it passes."""

    def __init__(self, sink: Sink, write: Write) -> None:
        self._sink = sink
        self._write = write
        self.ingest = sink.ingest  # quotes are recorded raw, by their feeds
        self.coverage = sink.coverage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)

    def ingest_bars(self, bars: Bars, /) -> None:
        self._write(
            bars.source,
            "bars",
            [bars.symbol, bars.interval, bars.quote_ccy, bars.replace, columns_of(bars.frame), bars.older],
        )
        self._sink.ingest_bars(bars)

    def ingest_fact(self, fact: MarketFact, /) -> None:
        self._write(fact.source, "fact", list(fact))
        self._sink.ingest_fact(fact)

    def ingest_outside(self, fact: OutsideFact, /) -> None:
        self._write("", "outside", list(fact))
        self._sink.ingest_outside(fact)

    def ingest_fund_days(self, days: FundDays, /) -> None:
        self._write(days.source, "funds", [[day.fund, day.date.isoformat(), *day[2:]] for day in days.days])
        self._sink.ingest_fund_days(days)

    def report_channel(self, report: ChannelReport, /) -> None:
        self._write(report.source, "channel", [report.channel, report.up, _finite(report.silence_limit_s)])
        self._sink.report_channel(report)

    def report_feed(self, report: FeedReport, /) -> None:
        self._write(report.source, "feed", list(report))
        self._sink.report_feed(report)


def _finite(seconds: float) -> float | None:
    """JSON knows no infinity."""
    return None if seconds == float("inf") else seconds


def columns_of(frame: pl.DataFrame) -> list[list[Any]]:
    """Bars as lists: times in microseconds, then the prices and the volume."""
    return [frame["time"].dt.epoch("us").to_list(), *(frame[name].to_list() for name in _COLUMNS)]


def frame_of(columns: list[list[Any]]) -> pl.DataFrame:
    """The reverse of `columns_of`. Raises what Polars raises where they are none."""
    import polars as pl

    from engine.tables import BARS

    named = dict(zip(("time", *_COLUMNS), columns, strict=True))
    schema = {"time": pl.Int64(), **dict.fromkeys(_COLUMNS, pl.Float64())}
    frame = pl.DataFrame(named, schema=schema)
    if frame.schema != schema:  # Polars makes a struct of a dict, whatever it was asked for
        raise TypeError("a column of bars holds something other than numbers")
    return frame.with_columns(pl.from_epoch("time", time_unit="us").dt.replace_time_zone("UTC").cast(BARS["time"]))


def made(kind: Callable[..., T], payload: Any) -> T:
    """A recorded tuple as the `kind` that it was: its dates, states and names again as such.

    Raises TypeError or ValueError where a field is of another type, or a number none that a table can hold.
    """
    hints = get_type_hints(kind).values()
    return kind(*(_field(value, hint) for value, hint in zip(payload, hints, strict=False)), *payload[len(hints) :])


def _field(value: Any, hint: Any) -> Any:
    """One field of a recorded tuple."""
    if hint == tuple[str, ...]:
        return tuple(_field(each, str) for each in value)
    if hint in (date, FeedState):
        return date.fromisoformat(value) if hint is date else FeedState(value)
    kinds = get_args(hint) or (hint,)
    sound = type(value) in kinds
    if type(value) in (int, float):
        sound = math.isfinite(value) if float in kinds else sound and abs(value) < 2**53
    if not sound:
        raise TypeError(f"{str(value)[:40]!r} is no {hint}")
    return value


def begin(file: Path, clock: Clock) -> Recorder:
    """A recorder of this run, closed as the process ends.

    Raises RecordError where the file cannot be made, or holds something: a recording is never written over.
    """
    with contextlib.suppress(OSError):  # said below, by who opens it
        if file.is_file() and file.stat().st_size:
            raise RecordError(f"{file}: is there already, and is not written over; give another name")
    try:
        recorder = Recorder(file, clock)
    except OSError as error:
        raise RecordError(f"{file}: cannot be written: {error.strerror or error}") from error
    atexit.register(recorder.close)
    return recorder
