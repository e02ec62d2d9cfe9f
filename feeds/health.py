"""What a running feed said of itself: its channels, when each was last heard, and how much came.

A channel that is subscribed but has not yet delivered is not up: old rows must not look alive because a socket opened.
A channel whose venue times stand still is silent, whatever it goes on sending, and stays so over reconnects.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from engine.clock import Clock
from engine.model import ChannelReport, Sink

RATE_WINDOW_S = 5.0
AHEAD_S = 900.0
"""A venue time further than this ahead of us is a defect, and says nothing about freshness."""

CLOCKS_DIFFER_S = 5.0
"""A venue's clock that is this close to ours is right."""


class _Channel:
    """One subscription: the unit of silence."""

    __slots__ = ("fresh_mono", "frozen_at", "limit", "name", "newest", "subscribed", "told", "up")

    def __init__(self, name: str, limit: float, now: float) -> None:
        self.name = name
        self.limit = limit
        self.fresh_mono = now
        """When something new was last heard."""
        self.newest: float | None = None
        """The newest venue time of this life."""
        self.frozen_at: float | None = None
        """The venue time that an earlier life froze at: nothing up to it is news."""
        self.up = False
        self.told = False
        """Whether it was ever reported."""
        self.subscribed = True


class Health:
    """The `Link` that a supervisor hands its feed, kept over all the feed's lives."""

    def __init__(self, source: str, sink: Sink, clock: Clock, changed: Callable[[], None]) -> None:
        self._source = source
        self._sink = sink
        self._clock = clock
        self._changed = changed
        self._channels: dict[str, _Channel] = {}
        self._counts: deque[tuple[float, int]] = deque(maxlen=16)
        self._count = 0
        self._heard_mono = float("-inf")
        self.last_message: float | None = None
        """Epoch seconds of the newest message, on the run's clock."""
        self.rate = 0.0
        self.noted: str | None = None
        self.trouble: str | None = None
        """Why some channel is down while others go on."""
        self.settled_once = False
        self.done: int | None = None
        self.wanted: int | None = None
        self.start()

    def start(self) -> None:
        """A new life begins: nothing is subscribed."""
        self.started = self._clock.monotonic()
        self.contact = False
        """Whether this life has subscribed, delivered or settled anything."""
        self.healthy_since: float | None = None
        """Monotonic time since when this life has been live without a break."""
        self.trouble = None
        self.rests_until: float | None = None
        """Epoch seconds of the next question, where the feed asks now and then."""

    # what the feed says

    def up(self, channel: str, silence_limit_s: float) -> None:
        """See `Link.up`."""
        self.contact = True
        now = self._clock.monotonic()
        known = self._channels.get(channel)
        if known is None:
            self._channels[channel] = _Channel(channel, silence_limit_s, now)
            return
        limit_changed = known.limit != silence_limit_s
        known.limit = silence_limit_s
        if not known.subscribed:
            known.subscribed = True
            known.fresh_mono = now
            known.newest = None
        elif known.up and limit_changed:
            self._sink.report_channel(ChannelReport(channel, self._source, True, silence_limit_s))

    def heard(self, channel: str, event_time: float | None) -> None:
        """See `Link.heard`. Runs at tick rate: a few comparisons, nothing kept."""
        now = self._clock.monotonic()
        self._count += 1
        self._heard_mono = now
        self.last_message = wall = self._clock.now()
        known = self._channels.get(channel)
        if known is None or not known.subscribed:
            return
        if event_time is not None:
            if event_time > wall + AHEAD_S:
                return
            right = abs(event_time - wall) <= CLOCKS_DIFFER_S
            for seen in (known.newest, known.frozen_at):
                # what is ahead of a clock that is right again was no time to measure by
                if seen is not None and event_time <= seen and not (right and seen > wall + CLOCKS_DIFFER_S):
                    return
            known.newest = event_time
        known.fresh_mono = now
        if not known.up:
            self._came_up(known, now)

    def _came_up(self, channel: _Channel, now: float) -> None:
        channel.up = channel.told = True
        channel.frozen_at = None
        self._sink.report_channel(ChannelReport(channel.name, self._source, True, channel.limit))
        if self.healthy_since is None:
            self.healthy_since = now
        self._changed()

    def reached(self, channel: str) -> None:
        """See `Link.reached`."""
        known = self._channels.get(channel)
        if known is not None and known.subscribed:
            known.fresh_mono = now = self._clock.monotonic()
            if not known.up:
                self._came_up(known, now)

    def rests(self, seconds: float) -> None:
        """See `Link.rests`."""
        self.rests_until = self._clock.now() + seconds
        self._changed()

    def down(self, channel: str, why: str) -> None:
        """See `Link.down`."""
        self.trouble = f"{channel}: {why}"
        if known := self._channels.get(channel):
            known.subscribed = False
            self._report_down(known)
            if not self.alive:
                self.healthy_since = None
        self._changed()

    def note(self, text: str | None) -> None:
        """See `Link.note`."""
        if text != self.noted:
            self.noted = text
            self._changed()

    def progress(self, done: int, wanted: int) -> None:
        """See `Link.progress`."""
        if (done, wanted) != (self.done, self.wanted):
            self.done, self.wanted = done, wanted
            self._changed()

    def settled(self) -> None:
        """See `Link.settled`."""
        self.contact = True
        if not self.settled_once:
            self.settled_once = True
            self._changed()

    # what the supervisor asks

    @property
    def alive(self) -> bool:
        """Whether any channel is up and has delivered."""
        return any(channel.up for channel in self._channels.values())

    def silent(self, now: float) -> str | None:
        """Why a subscribed channel counts as silent at `now` (monotonic), in words; None while all is well."""
        for channel in self._channels.values():
            quiet = now - channel.fresh_mono
            if not channel.subscribed or quiet <= channel.limit:
                continue
            if channel.newest is None or now - self._heard_mono > 0.5 * channel.limit:
                return f"no data for {int(quiet)} s"
            channel.frozen_at = channel.newest
            return f"the venue's times have stood still for {int(quiet)} s"
        return None

    def lost(self) -> None:
        """The connection is gone: every channel is down, at once."""
        for channel in self._channels.values():
            if channel.subscribed and not channel.told:  # what an earlier run kept has no connection behind it
                channel.up = True
            channel.subscribed = False
            self._report_down(channel)
        self.rests_until = None
        self.rate = 0.0
        self._counts.clear()

    def _report_down(self, channel: _Channel) -> None:
        if channel.up:
            channel.up, channel.told = False, True
            self._sink.report_channel(ChannelReport(channel.name, self._source, False, channel.limit))

    def measure(self, now: float) -> None:
        """Bring `rate` up to date, from the last few seconds' counts."""
        counts = self._counts
        counts.append((now, self._count))
        while len(counts) > 2 and now - counts[0][0] > RATE_WINDOW_S:
            counts.popleft()
        (begin, before), (end, after) = counts[0], counts[-1]
        self.rate = (after - before) / (end - begin) if end > begin else 0.0
