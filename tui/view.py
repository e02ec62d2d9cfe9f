"""What a frame shows: one snapshot, the two clocks, and whether the collector still lives.

The frame clock makes one `View` a frame and hands the same to every pane, so that all panes show one moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.model import Mode, Snapshot, SnapshotSource

if TYPE_CHECKING:
    import polars as pl

    from engine.clock import Clock

STUCK_S = 1.6
"""Seconds without a beat after which the collector is called stuck: with beats at least every second and a frame to
show it, the screen says so within two."""


@dataclass(frozen=True, slots=True)
class View:
    """One moment, as the panes see it."""

    snapshot: Snapshot | None
    mode: Mode
    scenario: str | None
    now: float
    """The run's clock, epoch seconds."""
    beat_age: float | None
    """Seconds since the engine's last beat; None before the first."""
    waited: float
    """Seconds since the terminal opened."""
    failure: str | None = None
    frozen_since: float | None = None
    """When the user froze the screen, on the run's clock."""
    made: dict[str, tuple[pl.DataFrame, list[dict[str, Any]]]] = field(default_factory=dict, repr=False, compare=False)
    """Table → the frame whose rows were asked for last, and these; one a table, the same for every moment."""

    @property
    def stuck(self) -> bool:
        """True where the collector has ended or gives no sign of life: nothing on the screen can be believed fresh."""
        return self.failure is not None or (self.beat_age is not None and self.beat_age > STUCK_S)

    def table(self, name: str) -> pl.DataFrame | None:
        """A live table, or None where there is none yet."""
        return None if self.snapshot is None else self.snapshot.tables.get(name)

    def rows(self, name: str) -> Sequence[dict[str, Any]]:
        """The rows of a live table that has few; none where there is none yet. Made once, for all who ask."""
        frame = self.table(name)
        if frame is None:
            return ()
        held = self.made.get(name)
        if held is None or held[0] is not frame:
            held = self.made[name] = (frame, frame.to_dicts())
        return held[1]

    def row(self, name: str, **values: str) -> dict[str, Any] | None:
        """The first of these rows that has these values; None where none has."""
        wanted = values.items()
        return next((row for row in self.rows(name) if all(row[key] == value for key, value in wanted)), None)


class Eye:
    """Reads the source once a frame; keeps the frozen snapshot while the user holds the screen."""

    def __init__(self, source: SnapshotSource, clock: Clock, mode: Mode, scenario: str | None) -> None:
        self._source = source
        self._clock = clock
        self.mode = mode
        self._scenario = scenario
        self._opened = clock.pulse()
        self._held: View | None = None
        self._made: dict[str, tuple[pl.DataFrame, list[dict[str, Any]]]] = {}

    @property
    def frozen(self) -> bool:
        """True while the screen is held."""
        return self._held is not None

    def freeze(self, hold: bool) -> None:
        """Hold the screen as it is now, or let it go."""
        self._held = self.look() if hold else None

    def look(self) -> View:
        """This moment; while frozen, the held moment's data with the collector's health of now."""
        snapshot = self._source.latest()
        mono = self._clock.pulse()
        now = self._clock.now()
        beat_age = max(0.0, mono - snapshot.beat_at) if snapshot else None
        held = self._held
        return View(
            held.snapshot if held else snapshot,
            self.mode,
            self._scenario,
            held.now if held else now,
            beat_age,
            mono - self._opened,
            self._source.failure(),
            held.now if held else None,
            self._made,
        )
