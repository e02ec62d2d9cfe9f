"""From the socket to the board: ticks a second through TLS, ccxt.pro and the feed, what they cost, if any is lost.

`python -m bench.ingest`. JSON on stdout. The sender is `bench.load` in a process of its own; the receiver is measured
in another, alone. Beside our way stands the plain one, a loop over `watch_tickers`, in the same run.

Each symbol's n-th price of a round is 100 + n / 10,000, but for one planted high and one planted low: so the board's
last, highest and lowest price of every symbol prove that nothing was lost, and the engine's own count says it again.
`ticks_a_core_s` is what a whole core would take at what a tick cost; where the machine does other things too, that
says more than the rate at which the receiver, or the sender beside it, fell behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.machine import machine
from engine import garbage
from engine.board import Board
from engine.clock import Clock
from engine.config import Config, Crypto
from engine.engine import Engine
from engine.model import Quote
from feeds.ccxt_tap import closed
from feeds.crypto import CryptoStream
from feeds.link import Context
from feeds.markets import MarketLists
from feeds.network import Border
from feeds.supervisor import Supervisor

TARGET_RATE, SYMBOLS, SECONDS = 5_000, 1_000, 10.0
CEILING_RATES = (10_000, 15_000, 20_000, 25_000, 30_000)
QUIET_S = 3.0
"""Nothing for so long after the sender is done: what is not there by then is lost."""
BEHIND_S = 0.25
"""A round of which more than this is left over when the sender is done has fallen behind."""


class Load:
    """The sender, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, ready: dict[str, Any]) -> None:
        self._process = process
        self.proxy: str = ready["proxy"]
        self.ca_file: str = ready["ca_file"]
        self.symbols: list[str] = ready["symbols"]

    @classmethod
    async def start(cls, symbols: int) -> Load:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.load", "--symbols", str(symbols),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24,
        )  # fmt: skip
        assert process.stdout is not None
        return cls(process, json.loads(await process.stdout.readline()))

    async def event(self, name: str) -> dict[str, Any]:
        """The next event called `name`."""
        assert self._process.stdout is not None
        while True:
            said: dict[str, Any] = json.loads(await self._process.stdout.readline())
            if said["event"] == name:
                return said

    def order(self, rate: float, seconds: float, seed: int) -> None:
        """Send one round."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"rate": rate, "seconds": seconds, "seed": seed}).encode() + b"\n")

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


async def plain(context: Context, symbols: list[str]) -> None:
    """The tutorial's way: ask for tickers in a loop, take what is returned."""
    import ccxt.pro

    exchange: Any = ccxt.pro.kraken(
        {"httpsProxy": context.border.proxy, "wssProxy": context.border.proxy, "cafile": context.border.ca_file}
    )
    clock = context.clock
    try:
        while True:
            for symbol, t in (await exchange.watch_tickers(symbols)).items():
                context.sink.ingest(
                    Quote(
                        symbol,
                        "kraken",
                        "kraken:tickers",
                        symbol,
                        "USD",
                        t["last"],
                        t["bid"],
                        t["ask"],
                        t["open"],
                        t["high"],
                        t["low"],
                        t["baseVolume"],
                        t["quoteVolume"],
                        t["vwap"],
                        None,
                        clock.now(),
                        clock.monotonic(),
                    )
                )
    finally:
        await closed(exchange)


Held = Mapping[str, tuple[float | None, float | None, float | None]]
"""Symbol → its last, highest and lowest price."""


def held(board: Board) -> Held:
    """What the board holds."""
    return {
        symbol: (book.chosen.quote.last if book.chosen else None, book.high, book.low)
        for symbol, book in board.books.items()
    }


def proof(found: Held, done: dict[str, Any]) -> dict[str, int]:
    """What the board lacks of what was sent: last prices, highs and lows that are not there."""
    missing = {"last": 0, "high": 0, "low": 0}
    for symbol, sent in done["last"].items():
        last, high, low = found[symbol]
        missing["last"] += last != sent
        missing["high"] += (high or 0.0) < done["high"][symbol] - 1e-9
        missing["low"] += (low or 1e9) > done["low"][symbol] + 1e-9
    return missing


async def receive(way: str, rate: float, seconds: float, seed: int) -> dict[str, Any]:
    """One round in this process: start the sender, take everything in, count."""
    garbage.seldom()
    load = await Load.start(SYMBOLS)
    bases = tuple(symbol.partition("/")[0] for symbol in load.symbols)
    config = Config(crypto=Crypto(("kraken",), ("USD",), {}, {"majors": bases}, ()))
    engine = Engine(config, Clock())
    with tempfile.TemporaryDirectory(prefix="sizewatch-bench-") as folder:
        context = Context(config, engine.clock, engine, Border(load.proxy, load.ca_file, 10.0), Path(folder))
        run = (
            plain(context, load.symbols)
            if way == "plain"
            else Supervisor(CryptoStream("kraken", MarketLists()), context).run()
        )
        task = asyncio.create_task(run)
        await load.event("subscribed")
        await asyncio.sleep(2.0)
        garbage.keep()  # as a run does that has settled
        before, cpu, began = engine.board.ticks, time.process_time(), time.perf_counter()
        load.order(rate, seconds, seed)
        done = await load.event("done")
        expected = int(done["sent"])
        ended = time.perf_counter()
        counted, moved = engine.board.ticks, ended
        while engine.board.ticks - before < expected and time.perf_counter() - moved < QUIET_S:
            await asyncio.sleep(0.005)
            if engine.board.ticks != counted:
                counted, moved = engine.board.ticks, time.perf_counter()
        over = time.perf_counter() - ended
        spent, took = time.process_time() - cpu, time.perf_counter() - began
        seen = engine.board.ticks - before
        missing = proof(held(engine.board), done)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await load.stop()
    return {
        "way": way,
        "rate_asked": rate,
        "rate_sent": done["rate"],
        "sent": expected,
        "seen": seen,
        "lost": expected - seen,
        "missing": missing,
        "seen_per_s": round(seen / took, 1),
        "cpu_pct_of_a_core": round(100.0 * spent / took, 1),
        "cpu_us_per_tick": round(1e6 * spent / max(seen, 1), 1),
        "ticks_a_core_s": round(seen / spent),
        "sender_cpu_pct_of_a_core": round(100.0 * done["cpu_s"] / done["seconds"], 1),
        "behind_s": round(float(done["behind_s"]) + (over if seen == expected else 0.0), 3),
        "kept_up": seen == expected and done["behind_s"] + over < BEHIND_S and done["rate"] > 0.97 * rate,
    }


def measured(way: str, rate: float, seconds: float, seed: int) -> dict[str, Any]:
    """One round in a fresh process."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "bench.ingest", "--way", way),
            *("--rate", str(rate), "--seconds", str(seconds), "--seed", str(seed)),
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def report(rounds: int, seconds: float) -> dict[str, Any]:
    """All figures: the target rate both ways, medians of `rounds`, then rising rates until ours falls behind."""
    ours = [measured("tap", TARGET_RATE, seconds, seed) for seed in range(1, rounds + 1)]
    theirs = [measured("plain", TARGET_RATE, seconds, seed) for seed in range(1, rounds + 1)]
    low = [measured(way, 500, seconds, 1) for way in ("tap", "plain")]
    ceiling: list[dict[str, Any]] = []
    for rate in CEILING_RATES:
        ceiling.append(measured("tap", rate, min(seconds, 5.0), 1))
        if not ceiling[-1]["kept_up"]:
            break
    return {
        "benchmark": "ingest: socket -> ccxt.pro -> board",
        "machine": machine(),
        "symbols": SYMBOLS,
        "ours": _summary(ours),
        "plain": _summary(theirs),
        "at_500_a_second": low,
        "ceiling_per_s": max((r["rate_sent"] for r in ceiling if r["kept_up"]), default=None),
        "ceiling": ceiling,
        "rounds": [*ours, *theirs],
    }


def _summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    keys = ("rate_sent", "seen_per_s", "cpu_pct_of_a_core", "cpu_us_per_tick", "ticks_a_core_s", "behind_s")
    return {
        **{key: statistics.median(r[key] for r in rounds) for key in keys},
        "lost": sum(r["lost"] for r in rounds),
        "missing": {key: sum(r["missing"][key] for r in rounds) for key in ("last", "high", "low")},
        "sent": sum(r["sent"] for r in rounds),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description="Socket to board, counted.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--way", choices=("tap", "plain"), help="one round in this process")
    parser.add_argument("--rate", type=float, default=TARGET_RATE)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(asyncio.run(receive(given.way, given.rate, given.seconds, given.seed))))
    else:
        print(json.dumps(report(given.rounds, given.seconds), indent=2))
