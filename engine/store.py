"""Bars on disk: one Parquet file a (source, symbol, interval), written beside and renamed into place.

A kill at any moment leaves the old file or the new one, never half of one. Nothing here may stop the live view: a full
disk, a read-only folder or a damaged file becomes a notice. A damaged file is set aside, and where it cannot be moved
its partition is left alone: it is never overwritten in silence. Writing happens in a thread of its own, which holds at
most the newest frame of each partition.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

import polars as pl

from engine.clock import Clock
from engine.errors import faults
from engine.model import Bars, Notice
from engine.tables import BARS

RETRY_S: Final = 30.0
"""Pause after a failed write; what waits is kept, newest only."""
NOTICES: Final = 50
"""Notices held until somebody asks for them."""
ORPHAN_S: Final = 3600.0
"""A part-written file older than this belongs to nobody."""
_SUFFIX: Final = ".parquet"
_PART: Final = ".part"
SEAL: Final = b"sizewatch seal "
"""Stands before the check of a file's bytes."""


def data_folder() -> Path:
    """The user's data folder for this product."""
    import platformdirs

    return Path(platformdirs.user_data_dir("sizewatch", appauthor=False))


class Partition(NamedTuple):
    """What one file holds."""

    source: str
    symbol: str
    interval: str

    @property
    def file(self) -> Path:
        """Its place under the store's root."""
        return Path("bars") / quote(self.source, safe="") / f"{quote(self.symbol, safe='')}.{self.interval}{_SUFFIX}"

    @classmethod
    def of(cls, path: Path) -> Partition | None:
        """The partition that `path` is named for, or None where it is no such file."""
        if path.suffix != _SUFFIX:
            return None
        symbol, dot, interval = path.name.removesuffix(_SUFFIX).rpartition(".")
        return cls(unquote(path.parent.name), unquote(symbol), interval) if dot and symbol else None


def encoded(frame: pl.DataFrame, currency: str) -> bytes:
    """A file's bytes: Parquet, and a check of it between its pages and its footer, where readers look past it."""
    file = io.BytesIO()
    frame.write_parquet(file, compression="zstd", compression_level=1, metadata={"quote_ccy": currency})
    made = file.getvalue()
    foot = len(made) - 8 - int.from_bytes(made[-8:-4], "little")
    return b"".join((made[:foot], SEAL, zlib.crc32(made).to_bytes(4, "little"), made[foot:]))


def decoded(data: bytes) -> tuple[pl.DataFrame, str]:
    """The bars in a file's bytes, and their currency. Raises one of `faults()` where the file is damaged.

    The check comes first: of a turned bit the format's reader makes another price, a panic, or 20 GB of memory.
    """
    at = data.rfind(SEAL)
    if at >= 0:  # else of an earlier version, whose files have none until they are written again
        foot = at + len(SEAL) + 4
        said, data = int.from_bytes(data[foot - 4 : foot], "little"), data[:at] + data[foot:]
        if zlib.crc32(data) != said:
            raise ValueError("its bytes are not those that were written")
    frame = pl.read_parquet(data)
    if frame.schema != BARS:
        raise ValueError("its columns are not those of bars")
    return frame, pl.read_parquet_metadata(data).get("quote_ccy", "USD")


class Store:
    """The bars under one folder."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root = root
        self._clock = clock
        self._lock = threading.Condition()
        self._waiting: dict[Partition, tuple[str, pl.DataFrame]] = {}
        self._untouchable: set[Partition] = set()
        self._notices: list[Notice] = []
        self._told: set[str] = set()
        self._closing = False
        self._thread: threading.Thread | None = None

    # reading

    def load(self, symbols: Iterable[str] | None = None) -> Iterator[Bars]:
        """Everything held of `symbols` (None: of all), a damaged file set aside. Read it before writing begins."""
        wanted = None if symbols is None else set(symbols)
        for path in self._files():
            partition = Partition.of(path)
            if partition is None or (wanted is not None and partition.symbol not in wanted):
                continue
            bars = self._read(path, partition)
            if bars is not None:
                yield bars

    def _files(self) -> list[Path]:
        try:
            found = sorted((self.root / "bars").rglob("*"))
        except OSError as error:
            self._tell("warning", f"stored bars cannot be read: {error}")
            return []
        old = time.time() - ORPHAN_S
        for path in found:
            if path.suffix == _PART:
                with contextlib.suppress(OSError):  # somebody else's, or gone: nothing depends on it
                    if path.stat().st_mtime < old:
                        path.unlink()
        return [path for path in found if path.suffix == _SUFFIX]

    def _read(self, path: Path, partition: Partition) -> Bars | None:
        try:
            data = path.read_bytes()
        except OSError as error:
            self._untouchable.add(partition)
            self._tell("warning", f"{path}: cannot be read and is left alone: {error.strerror or error}")
            return None
        try:
            frame, currency = decoded(data)
        except faults() as error:  # a damaged file can fail in any way at all; it is set aside and told
            self._set_aside(path, partition, error)
            return None
        return Bars(partition.symbol, partition.interval, partition.source, currency, frame)

    def _set_aside(self, path: Path, partition: Partition, why: BaseException) -> None:
        aside = path.with_name(f"{path.name}.damaged-{int(self._clock.now())}")
        reason = str(why).splitlines()[0][:120] if str(why) else type(why).__name__
        try:
            path.replace(aside)
        except OSError as error:
            self._untouchable.add(partition)
            self._tell("error", f"{path}: damaged ({reason}), and cannot be set aside ({error}); it is left alone")
        else:
            self._tell("warning", f"{path.name}: damaged ({reason}); set aside as {aside.name}, fetched again")

    # writing

    def save(self, bars: Bars) -> None:
        """Have the whole of a partition written soon; a newer frame takes an unwritten one's place. Returns at once."""
        partition = Partition(bars.source, bars.symbol, bars.interval)
        with self._lock:
            if self._closing or partition in self._untouchable:
                return
            self._waiting[partition] = (bars.quote_ccy, bars.frame)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="store", daemon=True)
                self._thread.start()
            self._lock.notify()

    @property
    def waiting(self) -> int:
        """Partitions not yet on disk."""
        with self._lock:
            return len(self._waiting)

    def close(self, timeout: float = 1.5) -> None:
        """Write what waits, for `timeout` seconds at most, and stop."""
        with self._lock:
            self._closing = True
            self._lock.notify()
        if self._thread is not None:
            self._thread.join(timeout)

    def notices(self) -> list[Notice]:
        """What the user must be told since the last call."""
        with self._lock:
            taken, self._notices = self._notices, []
        return taken

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._waiting and not self._closing:
                    self._lock.wait()
                if not self._waiting:
                    return
                partition = next(iter(self._waiting))
                currency, frame = self._waiting.pop(partition)
            try:
                self._write(partition, currency, frame)
            except faults() as error:  # whatever fails in a write, the live view goes on; it is told
                words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                self._tell("warning", f"bars cannot be kept in {self.root}: {words}; the live view goes on")
                with self._lock:
                    self._waiting.setdefault(partition, (currency, frame))
                    if self._closing:
                        return
                    self._lock.wait_for(lambda: self._closing, RETRY_S)
            else:
                self._told.clear()

    def _write(self, partition: Partition, currency: str, frame: pl.DataFrame) -> None:
        path = self.root / partition.file
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}{_PART}")
        try:
            with part.open("wb") as file:
                file.write(encoded(frame, currency))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):  # the reason is already on its way; the rest of the part can stay
                part.unlink()
            raise

    def _tell(self, severity: str, text: str) -> None:
        with self._lock:
            if text in self._told or len(self._notices) >= NOTICES:
                return
            self._told.add(text)
            self._notices.append(Notice(self._clock.now(), severity, text))
