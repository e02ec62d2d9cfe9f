"""The first line: mode, the run's clock, the market's session, sources, ticks and the engine's heartbeat.

What is wrong is said first when the line is too short: mode and heartbeat stay, the rest drops in order of importance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from engine.model import MarketClock, Mode, Playing, SessionState, Snapshot
from tui import format as fmt
from tui.lines import BLANK, Line, Span, width_of
from tui.view import View
from tui.widgets.bar import Bar
from tui.widgets.message import in_trouble

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SESSIONS = {
    SessionState.OPEN: ("open", "good"),
    SessionState.PRE: ("pre-market", "closed"),
    SessionState.POST: ("after hours", "closed"),
    SessionState.CLOSED: ("closed", "closed"),
}


def badge(mode: Mode, scenario: str | None, view: View | None = None) -> Span:
    """What kind of data this is: LIVE in plain, anything else as a badge that cannot be overlooked.

    view: where nothing of it is live, it is not said to be.
    """
    name = f" {scenario}" if scenario else ""
    if mode is Mode.LIVE:
        said = None if view is None else view.table("quotes")
        states = set() if said is None else set(said.get_column("status").to_list())
        if "stale" in states and not states & {"ok", "estimated"}:
            return "NOTHING LIVE", "badge-alert"
        if states == {"warming"}:
            return "starting", "dim"
        return "LIVE", "good"
    return f"▏{fmt.SIMULATED} SIMULATED{name}▕" if mode is Mode.DEMO else f"▏REPLAY{name}▕", "badge"


def playing(how: Playing) -> Line:
    """How a recording is played: its speed, or why its time stands still."""
    if how.ended:
        return (("END", "badge-warn"),)
    if how.seeking:
        return (("SEEKING", "badge-warn"),)
    if how.paused:
        return (("PAUSED, p goes on", "badge-warn"),)
    return (("max speed" if how.speed is None else f"{how.speed:g}×", "text"),)


def clock(now: float, terse: bool = False, dated: bool = True) -> str:
    """The run's time in New York: `Fri 09 Jan 10:32:07 New York`. Names are English, whatever the locale."""
    moment = fmt.new_york(now)
    if not dated:
        return f"{moment:%H:%M:%S} NY"
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day} {moment:%d} {month} {moment:%H:%M:%S} {'NY' if terse else 'New York'}"


def session(market: MarketClock, now: float, terse: bool = False) -> Line:
    """NYSE's state and when that changes: `NYSE open, closes in 5 h 27 m`; `…` while its calendar is not there yet."""
    if market.next_change is None:
        return (("NYSE …", "dim"),)
    word, role = _SESSIONS[market.state]
    spans: list[Span] = [("NYSE ", "dim"), (word, role)]
    verb = "closes" if market.state is SessionState.OPEN else "opens"
    left = fmt.countdown(market.next_change - now)
    spans.append((f", {left}" if terse else f", {verb} in {left}", "dim"))
    if market.early_close:
        spans.append((" half-day", "warn"))
    return tuple(spans)


def data_age(view: View) -> Line:
    """How old the newest price is, and how many are delayed by their source; empty while there is none."""
    quotes = view.table("quotes")
    newest = None if quotes is None else quotes.get_column("age_s").min()
    if quotes is None or not isinstance(newest, float):
        return BLANK
    old = newest >= OLD_S
    late = int(quotes.get_column("delayed").sum())
    shown: list[Span] = [("data ", "dim"), (fmt.age(newest), "warn" if old else "text")]
    return (*shown, (f" {late} delayed", "estimated")) if late else tuple(shown)


def worst(view: View) -> Line:
    """The source that is worst off; empty where all is well."""
    rows = in_trouble(view)
    return ((f"{rows[0]['source']} {rows[0]['state']}", "warn"),) if rows else BLANK


def sources(snapshot: Snapshot, terse: bool = False) -> Line:
    """Live sources of all: `feeds 5/5`; another colour and `!` when one is missing."""
    frame = snapshot.tables.get("feeds")
    if frame is None or not frame.height:
        return (("feeds –", "dim"),)
    states = frame.get_column("state").to_list()
    live, total = states.count("live"), len(states)
    missing = (f"{live}/{total}{'' if terse else ' '}!", "warn")
    return (("feeds ", "dim"), (f"{live}/{total}", "text") if live == total else missing)


OLD_S = 60.0
"""From this age on the newest price is remarkable: all else is older."""
GONE = ("name", "ticks", "scenario", "date", "worst", "age", "screen", "feeds", "session", "clock")
"""What gives way when the line is too short, first first. The mode and the heartbeat never do."""


class Measured(NamedTuple):
    """What the tables are looked through for: once a moment, however often the line is tried for its width."""

    mode: Span
    worst: Line
    age: Line


def measured(view: View) -> Measured:
    """The figures of this moment; the mode without its scenario."""
    return Measured(badge(view.mode, None, view), worst(view), data_age(view))


def header(
    view: View, beat: Line, terse: bool, without: Sequence[str], title: str = "", known: Measured | None = None
) -> Line:
    """The line with all its pieces but those named, in long or in short words. title: the screen's."""
    known = known or measured(view)
    scenario = None if "scenario" in without else view.scenario
    snapshot = view.snapshot
    pieces: dict[str, Line] = {
        "name": (("sizewatch", "bright"),),
        "screen": ((title, "bright"),),
        "mode": (badge(view.mode, scenario) if scenario and view.mode is not Mode.LIVE else known.mode,),
    }
    if snapshot is not None:
        if snapshot.playing is not None:
            pieces["playing"] = playing(snapshot.playing)
        pieces["clock"] = ((clock(view.now, terse, "date" not in without), "text"),)
        pieces["session"] = session(snapshot.nyse, view.now, terse)
        pieces["feeds"] = sources(snapshot, terse)
        pieces["worst"], pieces["age"] = known.worst, known.age
        pieces["ticks"] = ((f"{snapshot.ticks_per_s:,.0f}".rjust(5), "text"), (" t/s", "dim"))
    if view.frozen_since is not None:
        pieces["frozen"] = (("FROZEN, Space goes on", "badge-warn"),)
    pieces["beat"] = beat
    out: list[Span] = [(" ", "dim")]
    for name, piece in pieces.items():
        if name not in without and piece and piece != (("", "bright"),):
            out += [(("  " if terse else "   ") if len(out) > 1 else "", "dim"), *piece]
    return tuple(out)


class Header(Bar):
    """The status line at the top."""

    ground = "surface"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.titled = ""
        """The screen's title, where no other line says it."""
        self._beats: deque[tuple[float, int]] = deque(maxlen=12)
        """(time of beat, its number) of the newest beats."""

    def heartbeat(self, view: View) -> Line:
        """Beats a second while the engine lives; how long it has been silent when it does not."""
        if view.failure is not None:
            return (("engine ended", "badge-alert"),)
        if view.stuck:
            return ((f"no beat {fmt.age(view.beat_age)}", "badge-alert"),)
        snapshot = view.snapshot
        if snapshot is None:
            return (("starting", "dim"),)
        beats = self._beats
        if not beats or beats[-1][1] != snapshot.seq:
            if beats and snapshot.seq < beats[-1][1]:
                beats.clear()
            beats.append((snapshot.beat_at, snapshot.seq))
        span = beats[-1][0] - beats[0][0]
        rate = (beats[-1][1] - beats[0][1]) / span if span > 0 else 0.0
        return (("♥ ", "good"), (f"{rate:.0f}/s" if rate else "ok", "dim"))

    def paint(self, view: View, width: int) -> Line:
        beat, known = self.heartbeat(view), measured(view)
        for terse in (False, True):
            line = header(view, beat, terse, GONE[:0], self.titled, known)
            if width_of(line) <= width:
                return line
        gone: list[str] = []
        for name in GONE:
            gone.append(name)
            line = header(view, beat, True, gone, self.titled, known)
            if width_of(line) <= width:
                break
        for name in gone[-2::-1]:  # what went last may have made room for more than it had to
            fuller = header(view, beat, True, [n for n in gone if n != name], self.titled, known)
            if width_of(fuller) <= width:
                gone.remove(name)
                line = fuller
        return line
