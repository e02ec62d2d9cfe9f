"""A run with many alerts that can be killed at any moment: what it has shown goes to standard output, an id a line.

`python -m bench.alert_storm FOLDER SEED SECONDS PAUSE`, with the receiver's Apprise URL in `ALERT_STORM_HOOK`. A market
made from the seed passes the alerts of a run (journal and sender as a live run has them) as fast as it can. Where
another storm works the alerts of FOLDER, what that one tells comes as `heard ID`. With 0 SECONDS it only delivers what
is owed, and ends when nothing is.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import polars as pl

from engine.alerting import Alerting
from engine.clock import Clock
from engine.config import Channel, Notify
from engine.database import Database
from engine.journal import Journal
from engine.lease import Lease
from engine.rules import Cross, Rule
from engine.tables import TABLES
from notify.outside import Outside

PAIRS = [f"P{n}/Q" for n in range(6)]
RULES = [
    Rule(
        "z", on="spreads", when="z252 > 2", clear_when="z252 < 1", message="{pair} z {z252:+.2f}", severity="critical"
    ),
    Rule("held", on="spreads", when="z252 > 1", hold=1.0, message="{pair} held {z252:+.2f}"),
    Rule("again", on="spreads", when="z252 > 0", mode="level", cooldown=2.0, message="{pair} {z252:+.2f}"),
    *(Rule(f"up{n}", cross=Cross("^RUT", 2300.0 + n, "both"), max_age=60.0) for n in range(8)),
]
NOTIFY = Notify(
    per_minute=600,
    group_s=0.0,
    channels={"hook": Channel("apprise", "env:ALERT_STORM_HOOK", (), ("info", "warning", "critical"))},
)


def say(text: str) -> None:
    """A line at once: what is printed has been shown, whatever happens next."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def storm(folder: Path, seed: int, seconds: float, pause: float) -> None:
    """Alerts for `seconds`, a beat every `pause`; then, and only with 0 seconds, until nothing is owed."""
    clock, rng = Clock(), random.Random(seed)
    outside = Outside(NOTIFY, folder, clock, lambda severity, text: None)
    journal = Journal(Database(folder))
    lease = Lease(journal.database, "alerts", "storm")
    alerting = Alerting(RULES, journal=journal, lease=lease, channels=outside.channels)
    sending = asyncio.create_task(outside.run())
    import apprise  # noqa: F401 — half a second: a kill should find deliveries under way, not an import

    say("ready")
    price, ends = 2303.0, clock.now() + seconds
    while clock.now() < ends:
        for _ in range(20):
            price += rng.gauss(0, 1.0)
            alerting.watchers["^RUT"](price, clock.now())
        rows = [{"pair": pair, "z252": rng.gauss(0.5, 1.5), "status": "ok", "simulated": True} for pair in PAIRS]
        led = alerting.leads  # in the beat of a take-over the last words of the holder before are among the events
        for event in alerting.beat({"spreads": pl.DataFrame(rows, schema=TABLES["spreads"])}, clock.now()):
            say(event.id if led and alerting.leads else f"heard {event.id}")
        await asyncio.sleep(pause)
    reading = Journal(Database(folder))
    while seconds == 0 and reading.owed(float("inf"), limit=1):  # noqa: ASYNC110 — the journal tells nobody
        await asyncio.sleep(0.1)
    sending.cancel()
    await asyncio.wait({sending})
    alerting.close()
    reading.close()


if __name__ == "__main__":
    asyncio.run(storm(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
