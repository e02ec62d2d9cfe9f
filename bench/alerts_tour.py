"""Every rule that comes with sizewatch, fired once by a market that does not exist. JSON lines on standard output.

`python -m bench.alerts_tour [1,4,…]` (these visits alone): the scenario `alerts-tour`, served over the real wire
protocols, goes through the real feeds, engine, rules and journal. It is accelerated by leaving out the time between: a
few visits, days or months apart, on one store, so that what takes a month (a change of dominance, a level's break,
retest and false break) has its month. The first firing of every rule is printed as it was told; last comes what did not
fire, with exit code 1.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from bench.machine import machine
from engine.clock import Clock
from engine.config import Config
from engine.model import Event, Mode
from engine.news import News
from engine.options import Options
from engine.ready_rules import READY
from simulator.child import Child
from sizewatch import Run

SCENARIO: Final = "alerts-tour"


class Visit(NamedTuple):
    """One stay in the market. at: local time of New York, with its offset. rules: what it is there for."""

    at: str
    rules: tuple[str, ...]
    seconds: float = 240.0
    """The longest that it waits for them, once every source has delivered."""


VISITS: Final = (
    Visit("2024-10-09T11:00:00-04:00", ("correlation-break",)),
    Visit("2025-11-17T11:00:00-05:00", (), 5.0),
    Visit("2025-12-17T11:00:00-05:00", ("dominance-3pp",)),
    Visit(
        "2026-01-09T10:30:00-05:00",
        (
            "size-z", "ratio-low", "streak-turns", "band-break", "cross-size-gap", "ai-with-small-caps", "btc-60k",
            "btc-volume-30bn", "basket-volume", "flow-reversal", "source-stale",
        ),
        300.0,
    ),
    Visit("2026-01-12T11:00:00-05:00", ("band-testing",)),
    Visit("2026-02-05T11:00:00-05:00", ("band-retest",)),
    Visit("2026-03-03T11:00:00-05:00", ("band-false-break",)),
)  # fmt: skip
"""The second is there for what the third compares with: the dominance of a month before."""


def stay(visit: Visit, store: Path, config: Config, wanted: Sequence[str]) -> Iterator[Event]:
    """Every event of one visit, until each rule of `wanted` has fired or the time is up."""
    clock = Clock.starting_at(datetime.fromisoformat(visit.at))
    with tempfile.TemporaryDirectory(prefix="sizewatch-tour-") as name:
        folder = Path(name)
        child = Child(SCENARIO, folder, clock.offset)
        run = Run(config, clock, Mode.DEMO, store, folder / "cache", None, SCENARIO, child, Options())
        collector, news = run.collector(), News(clock.now())
        missing, ends = set(wanted), float("inf")
        collector.start()
        try:
            while (missing or not visit.rules) and time.monotonic() < ends and collector.failure() is None:
                time.sleep(0.1)
                latest = collector.latest()
                if latest is None:
                    continue
                if latest.settled and ends == float("inf"):
                    ends = time.monotonic() + visit.seconds
                for event in news.events(latest):
                    if event.kind == "fired":
                        missing.discard(event.rule)
                    yield event
        finally:
            collector.stop()
            child.stop()


def tour(visits: Sequence[Visit]) -> Iterator[tuple[Visit, Event]]:
    """The visits in order, on one store; every event with the visit that it came in."""
    config, fired = Config(), set[str]()
    with tempfile.TemporaryDirectory(prefix="sizewatch-tour-store-") as store:
        for visit in visits:
            for event in stay(visit, Path(store), config, [rule for rule in visit.rules if rule not in fired]):
                if event.kind == "fired":
                    fired.add(event.rule)
                yield visit, event


def main() -> None:
    began = time.monotonic()
    chosen = [int(number) - 1 for number in sys.argv[1].split(",")] if len(sys.argv) > 1 else range(len(VISITS))
    visits = [VISITS[number] for number in chosen]
    first: dict[str, Event] = {}
    events = 0
    for visit, event in tour(visits):
        events += 1
        if event.kind == "fired" and event.rule not in first:
            first[event.rule] = event
            at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds")
            told = {"visit": visit.at, "at": at, "rule": event.rule, "row": event.row, "severity": event.severity}
            print(json.dumps({**told, "message": event.message}, ensure_ascii=False), flush=True)
    wanted = READY if len(visits) == len(VISITS) else [rule for visit in visits for rule in visit.rules]
    never = [rule for rule in wanted if rule not in first]
    summary = {
        "bench": "alerts_tour",
        "machine": machine(),
        "visits": len(visits),
        "seconds": round(time.monotonic() - began, 1),
        "rules": len(READY),
        "fired": len(first),
        "never_fired": never,
        "events": events,
    }
    print(json.dumps(summary))
    sys.exit(1 if never else 0)


if __name__ == "__main__":
    main()
