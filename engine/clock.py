"""The only source of "now": no other module reads the system's time for data, beats or timers.

A live run's clock is the system's. The demo's and a replay's start elsewhere and run on from there, so that everything
derived from time (sessions, ages, calendars) is right for the data that is shown.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """Wall time shifted by a constant, and a monotonic time for intervals.

    offset: seconds added to the system's wall time; 0 for a live run.
    """

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    @classmethod
    def starting_at(cls, moment: datetime) -> Clock:
        """A clock that reads `moment` (zone-aware) now and runs on from there."""
        return cls(moment.timestamp() - time.time())

    def now(self) -> float:
        """Seconds since the epoch, on this run's clock."""
        return time.time() + self.offset

    def utcnow(self) -> datetime:
        """`now()` as a zone-aware datetime in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        return time.monotonic()

    def pulse(self) -> float:
        """Seconds by which a heartbeat is measured: this machine's, whatever moment the run's clock stands at."""
        return self.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Pause the calling task for `seconds` of this clock."""
        await asyncio.sleep(seconds)


class ReplayClock(Clock):
    """A clock that stands still but for `set`: a replay's, whose every moment is the recording's."""

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self._now = self._start = start

    def begin(self, moment: float) -> None:
        """The recording's first moment, from which `monotonic` counts."""
        self._now = self._start = moment
        self.offset = moment - time.time()

    def set(self, moment: float) -> None:
        """It is `moment` now, epoch seconds; time never goes back."""
        self._now = max(self._now, moment)
        self.offset = self._now - time.time()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now - self._start

    def pulse(self) -> float:
        return time.monotonic()
