"""A lease in the shared database: of several terminals on one store, one alone does what must be done once.

The holder renews it every few seconds. Where it has died, another takes over at once if it can see that; else when the
lease has run out. Whoever was held up longer than that finds out before it acts again, not after.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from engine.clock import Clock
from engine.database import Database

EVERY_S: Final = 2.0
"""Between two looks at it, or two renewals."""
LASTS_S: Final = 10.0
"""After so long without a renewal it is anybody's."""


class Holder(NamedTuple):
    """Who holds a lease. renewed: the system's time, epoch seconds."""

    owner: str
    host: str
    pid: int
    renewed: float
    note: str


class Lease:
    """One name's lease, for one holder.

    database: shared by all who want it. note: what others are told of the holder. clock: the system's time, which all
    processes of a machine share, whatever the run's own clock says. Raises DatabaseError where the disk refuses.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        note: str = "",
        *,
        clock: Clock | None = None,
        alive: Callable[[int], bool] | None = None,
    ) -> None:
        self._database = database
        self._name = name
        self.note = note
        self._clock = clock or Clock()
        self._alive = alive or _alive
        self._owner = secrets.token_hex(8)
        self._looked = float("-inf")
        self.held = False
        self.before: Holder | None = None
        """Who held it until it was taken over; None where nobody did, or had let go of it."""
        self.other: Holder | None = None
        """Who holds it while we do not."""

    def tend(self) -> bool:
        """Renew it, or take it where it is free; looks at the disk every `EVERY_S` alone. True while it is held."""
        mono = self._clock.monotonic()
        if 0 <= mono - self._looked < EVERY_S:
            return self.held
        now = self._clock.now()
        # who does not hold it only reads: a follower never keeps the holder from writing
        if not self.held and not self._free(self._read(), now):
            self._looked = mono
            return False
        with self._database.transaction() as connection:
            found = self._read()
            if not self._free(found, now):
                self.held, self._looked = False, mono
                return False
            connection.execute(
                "INSERT OR REPLACE INTO leases (name, owner, host, pid, renewed, note) VALUES (?, ?, ?, ?, ?, ?)",
                (self._name, self._owner, _HOST, os.getpid(), now, self.note),
            )
        if not self.held:
            self.before, self.other = found, None
        self.held, self._looked = True, mono
        return True

    def age_of(self, holder: Holder) -> float:
        """Seconds since a holder has renewed it for the last time."""
        return self._clock.now() - holder.renewed

    def release(self) -> None:
        """Let go of it, so that another need not wait."""
        if self.held:
            self.held = False
            self._database.execute("DELETE FROM leases WHERE name = ? AND owner = ?", (self._name, self._owner))

    def _read(self) -> Holder | None:
        rows = self._database.rows("SELECT owner, host, pid, renewed, note FROM leases WHERE name = ?", (self._name,))
        if not rows:
            return None
        owner, host, pid, renewed, note = map(str, rows[0])
        return Holder(owner, host, int(pid), float(renewed), note)

    def _free(self, found: Holder | None, now: float) -> bool:
        self.other = None if found is None or found.owner == self._owner else found
        if self.other is None:
            return True
        # a clock that was set back must not make a lease last for ever
        if not -LASTS_S <= now - self.other.renewed < LASTS_S:
            return True
        return self.other.host == _HOST and not self._alive(self.other.pid)


def _host() -> str:
    """This machine, and where a container counts its processes by itself, this container."""
    name = platform.node()
    with contextlib.suppress(OSError):
        name = f"{name} {Path('/proc/self/ns/pid').readlink()}"
    return name


def _alive(pid: int) -> bool:
    """Whether a process of this machine lives; True where that cannot be known."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


_HOST: Final = _host()
