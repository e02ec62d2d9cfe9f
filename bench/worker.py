"""What heavy work costs the beat: nothing may hold it up by more than 5 ms. JSON on stdout.

`python -m bench.worker`. Three jobs, as large as they come: a scan of 60 pairs, lead-lag of 10 couples with full rings
of ticks, and a query over `quotes` of 2,000 symbols and `spreads` of 60. `cpu_ms` is the work itself. `submit_ms` is
what asking costs the asker. `held_ms` is what one call of the worker's thread keeps Python's lock for while a job is
sent and its answer taken, the longest that anything here can keep a beat waiting. `gap_ms` is measured: the longest
time between two turns of a thread that does nothing but look at the clock, with the jobs under way and without, in
turns: the machine has gaps of its own.
"""

from __future__ import annotations

import json
import math
import pickle
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

import numpy as np
import polars as pl

from bench.machine import machine
from engine import sql
from engine.lead_lag import measure
from engine.scanner import BARS, scan
from engine.tables import TABLES
from engine.ticks import CAPACITY
from engine.worker import Worker

PAIRS: Final = 60
COUPLES: Final = 10
SYMBOLS: Final = 2_000
ROUNDS: Final = 9
SPIN_S: Final = 1.0
TIMEOUT_S: Final = 120.0


QUERY: Final = "SELECT q.symbol, q.last, s.z252 FROM quotes AS q LEFT JOIN spreads AS s ON q.symbol = s.pair"


def jobs() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Each job's function and its arguments."""
    rng = np.random.default_rng(1)
    levels = {f"P{n}": tuple(np.cumsum(rng.normal(0, 0.01, (2, BARS)), axis=1)) for n in range(PAIRS)}
    couples = []
    for _ in range(COUPLES):
        times = [np.sort(rng.uniform(0, CAPACITY, CAPACITY)) for _ in range(2)]
        prices = np.cumsum(rng.normal(0, 1e-4, (2, CAPACITY)), axis=1)
        couples.append((times[0], prices[0], times[1], prices[1]))
    tables = {"quotes": _filled(TABLES["quotes"], SYMBOLS), "spreads": _filled(TABLES["spreads"], PAIRS)}
    return {"scan": (scan, (levels,)), "lead_lag": (measure, (couples,)), "query": (sql.run, (QUERY, tables))}


def _filled(schema: pl.Schema, rows: int) -> pl.DataFrame:
    """Rows of a table's types, as large as they are in a run."""
    values: dict[Any, Any] = {pl.Float64: 1.2345, pl.Int64: 7, pl.String: "BTC/USD", pl.Boolean: False}
    columns = [
        pl.Series(
            name, [[1.0] * 30] * rows if isinstance(kind, pl.List) else [values.get(type(kind))] * rows, dtype=kind
        )
        for name, kind in schema.items()
    ]
    return pl.DataFrame(columns)


def held(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[float, float, float]:
    """Milliseconds: the work; and what the worker's thread has the lock for, sending, and taking the answer."""
    function(*arguments)
    began = time.process_time()
    made = function(*arguments)
    work = (time.process_time() - began) * 1e3
    answer = pickle.dumps((True, made), pickle.HIGHEST_PROTOCOL)
    sending, taking = [], []
    for _ in range(ROUNDS):
        began = time.thread_time()
        pickle.dumps(arguments, pickle.HIGHEST_PROTOCOL)
        sent = time.thread_time()
        pickle.loads(answer)
        sending.append((sent - began) * 1e3)
        taking.append((time.thread_time() - sent) * 1e3)
    return work, statistics.median(sending), statistics.median(taking)


def gaps(seconds: float) -> list[float]:
    """Milliseconds between turns of a thread that only looks at the clock, the longest first."""
    found: list[float] = []
    last = time.perf_counter()
    end = last + seconds
    while last < end:
        now = time.perf_counter()
        if now - last > 2e-4:
            found.append((now - last) * 1e3)
        last = now
    return sorted(found, reverse=True)


def busy(worker: Worker, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[list[float], list[float]]:
    """Gaps while the job is asked for again and again, and what asking took, ms."""
    asked: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            began = time.perf_counter()
            future: Future[Any] = worker.submit(function, *arguments, timeout_s=TIMEOUT_S)
            asked.append((time.perf_counter() - began) * 1e3)
            future.result()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    found = gaps(SPIN_S)
    stop.set()
    thread.join()
    return found, asked


def main() -> None:
    worker = Worker()
    report: dict[str, Any] = {"machine": machine(), "limit_ms": 5.0}
    began = time.perf_counter()
    worker.submit(math.hypot, 3.0, 4.0, timeout_s=TIMEOUT_S).result()
    report["start_ms"] = round((time.perf_counter() - began) * 1e3, 1)
    for name, (function, arguments) in jobs().items():
        first = time.perf_counter()
        worker.submit(function, *arguments, timeout_s=TIMEOUT_S).result()
        again = time.perf_counter()
        worker.submit(function, *arguments, timeout_s=TIMEOUT_S).result()
        done = time.perf_counter()
        work, sending, taking = held(function, arguments)
        with_job, without, asked = [], [], []
        for _ in range(3):
            without += gaps(SPIN_S)[:1]
            found, took = busy(worker, function, arguments)
            with_job += found[:1]
            asked += took
        report[name] = {
            "cpu_ms": round(work, 1),
            "first_ms": round((again - first) * 1e3, 1),
            "again_ms": round((done - again) * 1e3, 1),
            "submit_ms": round(statistics.median(asked), 3),
            "held_ms": {"sending": round(sending, 2), "taking": round(taking, 2)},
            "gap_ms": {"with": round(min(with_job), 2), "without": round(min(without), 2)},
            "within_limit": max(sending, taking) <= 5.0,
        }
    worker.close()
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    from bench.worker import main as run  # a job's function is known by its module's name, which `__main__` is not

    run()
