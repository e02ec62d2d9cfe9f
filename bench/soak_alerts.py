"""Kills a run with many alerts at random moments, and counts what that lost; tries hostile rule texts. JSON on stdout.

`python -m bench.soak_alerts [KILLS] [TEXTS]` (200 and 5,000). A receiver on loopback records every delivery. Nothing
that was shown may be missing in the journal, nothing may arrive that is not in it, and what was owed must arrive.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.hostile import hostile_texts
from bench.machine import machine
from engine.database import FILE_NAME

ROOT = Path(__file__).parent.parent
PATIENCE_S = 60.0
IDENTITY = re.compile(r"\[([0-9a-f]{20})\]")


class Receiver:
    """A webhook on loopback that keeps the ids of the events that arrived; refuses some, as services do."""

    def __init__(self, seed: int = 1) -> None:
        self.arrived: Counter[str] = Counter()
        self.refused = 0
        self._rng = random.Random(seed)
        self.came = threading.Event()
        """Set by every request."""
        self.patient = False
        """True once nothing is to be refused any more."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.set()
                refuse = not receiver.patient and receiver._rng.random() < 0.1
                if refuse:
                    receiver.refused += 1
                else:
                    receiver.arrived.update(IDENTITY.findall(body.decode()))
                self.send_response(503 if refuse else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Standard error is for what is wrong."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address as Apprise writes it."""
        return f"json://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Report:
    """What the kills did."""

    kills: int = 0
    shown: set[str] = field(default_factory=set)
    journalled: set[str] = field(default_factory=set)
    owed: set[str] = field(default_factory=set)
    arrived: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    integrity: str = ""

    @property
    def lost(self) -> set[str]:
        """Shown as fired, but not in the journal."""
        return self.shown - self.journalled

    @property
    def unknown(self) -> set[str]:
        """Delivered, but not in the journal."""
        return set(self.arrived) - self.journalled

    @property
    def undelivered(self) -> set[str]:
        """Owed, but never arrived."""
        return self.owed - set(self.arrived)


def soak(kills: int, folder: Path, seed: int = 1) -> Report:
    """Start and kill `kills` times, then let what is owed go out.

    Half of the kills come some alerts after it was ready, half while a delivery is under way; both by what has
    happened and not by the clock, so that a busy machine proves as much.
    """
    rng, receiver, report = random.Random(seed), Receiver(seed), Report()
    environment = {**os.environ, "ALERT_STORM_HOOK": receiver.url, "PYTHONPATH": str(ROOT)}
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        environment.pop(name, None)
    shown = folder / "shown.txt"

    def start(seconds: float) -> subprocess.Popen[bytes]:
        arguments = (str(folder), str(rng.randrange(10**9)), str(seconds), str(rng.choice((0.0, 0.02, 0.2))))
        with shown.open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "bench.alert_storm", *arguments], stdout=out, env=environment, cwd=ROOT
            )

    try:
        for number in range(kills):
            receiver.came.clear()
            child = start(3600.0)
            if number % 2:
                receiver.came.wait(PATIENCE_S)
            else:
                _until_shown(shown, 1 + rng.randrange(40), child)
            time.sleep(rng.uniform(0.0, 0.03))
            child.send_signal(signal.SIGKILL)
            child.wait()
            # the last line may be cut: an id that was not whole was not shown
            report.shown.update(line for line in shown.read_text().splitlines() if re.fullmatch("[0-9a-f]{20}", line))
            report.kills += 1
        _forget_back_off(folder)
        receiver.patient = True
        start(0.0).wait(300)
    finally:
        receiver.close()
    report.arrived, report.refused = receiver.arrived, receiver.refused
    connection = sqlite3.connect(folder / FILE_NAME)
    report.integrity = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    report.journalled = {str(row[0]) for row in connection.execute("SELECT id FROM events")}
    report.owed = {str(row[0]) for row in connection.execute("SELECT event FROM deliveries")}
    connection.close()
    return report


def _until_shown(file: Path, lines: int, child: subprocess.Popen[bytes]) -> None:
    """Wait until a child has printed so many lines, or has waited in vain."""
    ends = time.monotonic() + PATIENCE_S
    while file.read_bytes().count(b"\n") < lines and child.poll() is None and time.monotonic() < ends:
        time.sleep(0.005)


def _forget_back_off(folder: Path) -> None:
    """Have what was refused tried again at once, rather than minutes later."""
    connection = sqlite3.connect(folder / FILE_NAME)
    connection.execute("UPDATE deliveries SET next_at = 0 WHERE state = 'owed'")
    connection.commit()
    connection.close()


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    texts = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
    with tempfile.TemporaryDirectory() as folder:
        report = soak(kills, Path(folder))
    result = {
        "bench": "soak_alerts",
        "machine": machine(),
        "kills": report.kills,
        "shown": len(report.shown),
        "journalled": len(report.journalled),
        "shown_but_not_in_the_journal": len(report.lost),
        "delivered_but_not_in_the_journal": len(report.unknown),
        "owed_but_never_delivered": len(report.undelivered),
        "delivered_more_than_once": sum(count > 1 for count in report.arrived.values()),
        "refused_by_the_receiver": report.refused,
        "integrity": report.integrity,
        "hostile_texts": hostile_texts(texts),
    }
    print(json.dumps(result, indent=2))
    whole = not (report.lost or report.unknown or report.undelivered) and report.integrity == "ok"
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
