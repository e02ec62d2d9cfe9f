"""The market of `bench.soak_day` in a process of its own, as the demo has it: what grows in it is not the program's.

Its clock is the parent's, which runs faster than ours and stands still where the machine is busy: the parent writes the
moment into a small file that both have in memory. It ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from simulator.__main__ import sites
from simulator.authority import Authority
from simulator.gateway import Gateway
from simulator.scenario import load
from simulator.venue import VenueSite

CADENCE_S: Final = 0.1
"""Of ours, between two looks of an exchange's site at what moved."""


class Moment:
    """One number that two processes share."""

    def __init__(self, path: Path) -> None:
        """path: the file; made where there is none."""
        with path.open("a+b") as file:
            file.truncate(mmap.PAGESIZE)
            # stored whole, where a struct would be zeroed first, and be read so
            self._seconds = memoryview(mmap.mmap(file.fileno(), mmap.PAGESIZE)).cast("d")

    def write(self, seconds: float) -> None:
        """seconds: since 1970, of the world."""
        self._seconds[0] = seconds

    def read(self) -> float:
        """Seconds since 1970, of the world."""
        return float(self._seconds[0])


class DaySite:
    """The child, seen from its parent."""

    def __init__(self, scenario: str, folder: Path) -> None:
        """scenario: its name. folder: of its own; for the shared moment, its authority and its funds' file."""
        folder.mkdir()
        self.moment = Moment(folder / "moment")
        self._command = [sys.executable, "-m", "bench.day_site", scenario, str(folder)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> tuple[str, str]:
        """Starts it, and waits until it listens: its proxy's URL, and the file of its authority."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        proxy, ca_file = json.loads(self._process.stdout.readline())
        return proxy, ca_file

    def stop(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.communicate(timeout=10)


async def serve(scenario: str, folder: Path) -> None:
    """Until standard input closes."""
    moment = Moment(folder / "moment")
    served = sites(load(scenario), moment.read, folder / "funds.csv")
    for site in served:
        if isinstance(site, VenueSite):
            vars(site)["cadence"] = CADENCE_S
    gateway = Gateway(served, Authority(folder), now=moment.read)
    await gateway.start()
    sys.stdout.write(json.dumps([gateway.proxy, gateway.ca_file]) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(os.read, 0, 1)
    await gateway.stop()


if __name__ == "__main__":
    os.environ["SSL_CERT_FILE"] = os.devnull  # nothing here ever connects to the outside
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
