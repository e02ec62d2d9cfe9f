"""The worker: whatever a job does, its asker gets one line, the next job is done, and no process is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.worker import WAITING, Worker, WorkerError, WorkerMemoryError, WorkerTimeoutError
from tests.engine import jobs
from tests.program import ROOT

LONG_S = 60.0
"""Seconds that no test comes near unless something hangs."""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """One for all tests that leave it able to work, as each must."""
    made = Worker()
    yield made
    pid = made.pid
    made.close()
    assert pid is None or not alive(pid)


def alive(pid: int) -> bool:
    """Whether a process of this number runs; one that ended and waits for its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat")
        if stat.parent.parent.joinpath("self").exists():
            return stat.read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
        os.kill(pid, 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    return True


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


def done(worker: Worker, function: Callable[..., Any], *arguments: Any, timeout_s: float = LONG_S) -> Any:
    return worker.submit(function, *arguments, timeout_s=timeout_s).result(LONG_S)


def test_it_does_jobs_in_another_process_that_starts_with_the_first() -> None:
    worker = Worker()
    assert worker.pid is None
    worker.close()


def test_what_goes_there_and_comes_back_is_the_same(worker: Worker) -> None:
    assert done(worker, jobs.double, 21.0) == 42.0
    assert done(worker, jobs.pid) == worker.pid != os.getpid()
    frame = pl.DataFrame({"symbol": ["IWM", None], "last": [220.5, None]})
    assert done(worker, jobs.query, "SELECT * FROM t", {"t": frame}).equals(frame)


def test_a_job_that_takes_too_long_is_ended_and_the_next_is_done(worker: Worker) -> None:
    assert done(worker, jobs.double, 1.0) == 2.0
    first = worker.pid
    with pytest.raises(WorkerTimeoutError, match=r"^it took longer than 0\.2 s and was ended$"):
        done(worker, jobs.sleep, LONG_S, timeout_s=0.2)
    assert first is not None
    assert not alive(first)
    assert done(worker, jobs.pid) != first


def test_too_much_memory_costs_one_line() -> None:
    worker = Worker(memory_mb=400)
    try:
        words = r"^it needed more than 400 MB of memory and was ended$"
        with pytest.raises(WorkerMemoryError, match=words):
            done(worker, jobs.take_memory, 4096)
        table = pl.DataFrame({"symbol": [f"S{n}" for n in range(100)]})
        with pytest.raises(WorkerMemoryError, match=words):  # Polars ends the process where it gets no memory
            done(worker, jobs.query, "SELECT RPAD(symbol, 20000000, 'x') FROM t", {"t": table})
        assert done(worker, jobs.take_memory, 50) == 50 << 20
    finally:
        worker.close()


def test_a_query_without_end_costs_one_line(worker: Worker) -> None:
    table = pl.DataFrame({"symbol": [f"S{n}" for n in range(2_000)]})
    triple = "SELECT COUNT(*) FROM t AS a CROSS JOIN t AS b CROSS JOIN t AS c WHERE a.symbol || b.symbol > c.symbol"
    with pytest.raises(WorkerError, match=r"and was ended$"):
        done(worker, jobs.query, triple, {"t": table}, timeout_s=1.0)
    assert done(worker, jobs.query, "SELECT COUNT(*) FROM t", {"t": table}).item() == 2_000


def test_an_answer_that_is_too_large_is_refused(worker: Worker) -> None:
    with pytest.raises(WorkerError, match=r"^its answer is too large \(40 MB; at most 32 MB are taken\)$"):
        done(worker, jobs.answer_of, 40)
    assert len(done(worker, jobs.answer_of, 20)) == 20 << 20


@pytest.mark.parametrize(
    ("job", "arguments", "words"),
    [
        (jobs.end_with, (3,), "its process was ended with code 3"),
        (jobs.crash, (), f"its process was ended by signal {int(signal.SIGSEGV)}"),
        (jobs.refuse, ("the table has no such column",), "the table has no such column"),
        (jobs.fail, ("two\nlines \x1b[31m",), "LookupError: two lines [31m"),
        (jobs.fail, ("x" * 1_000,), "LookupError: " + "x" * 286 + "…"),
    ],
)
def test_a_failure_is_one_printable_line(
    worker: Worker, job: Callable[..., None], arguments: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(WorkerError) as told:
        done(worker, job, *arguments)
    assert str(told.value) == words
    assert done(worker, jobs.double, 2.0) == 4.0


def test_what_libraries_print_is_no_answer(worker: Worker) -> None:
    assert done(worker, jobs.chatter) == "heard"
    assert done(worker, jobs.double, 3.0) == 6.0


def test_arguments_that_cannot_be_sent_are_said(worker: Worker) -> None:
    with pytest.raises(WorkerError, match="pickle"):
        done(worker, jobs.double, threading.Lock())
    assert done(worker, jobs.double, 4.0) == 8.0


def test_no_more_than_a_few_jobs_wait_and_a_waiting_one_can_be_called_off(worker: Worker) -> None:
    running = worker.submit(jobs.sleep, LONG_S, timeout_s=1.0)
    until(running.running)
    waiting = [worker.submit(jobs.double, 1.0, timeout_s=LONG_S) for _ in range(WAITING)]
    with pytest.raises(WorkerError, match=f"^too much to do: {WAITING} jobs wait$"):
        worker.submit(jobs.double, 1.0, timeout_s=LONG_S).result(0)
    assert waiting[0].cancel()
    with pytest.raises(CancelledError):
        waiting[0].result(0)
    assert waiting[-1].result(LONG_S) == 2.0


def test_an_idle_process_is_ended_and_started_again_when_needed() -> None:
    worker = Worker(idle_s=0.05)
    try:
        assert done(worker, jobs.double, 1.0) == 2.0
        until(lambda: worker.pid is None)
        assert done(worker, jobs.double, 2.0) == 4.0
    finally:
        worker.close()


def test_closing_ends_what_runs_and_what_waits() -> None:
    worker = Worker()
    assert done(worker, jobs.double, 1.0) == 2.0
    pid = worker.pid
    running = worker.submit(jobs.sleep, LONG_S, timeout_s=LONG_S)
    waiting = worker.submit(jobs.double, 1.0, timeout_s=LONG_S)
    until(running.running)
    worker.close()
    for future in (running, waiting, worker.submit(jobs.double, 1.0, timeout_s=LONG_S)):
        with pytest.raises(WorkerError, match=r"^the worker has ended$"):
            future.result(LONG_S)
    assert pid is not None
    assert not alive(pid)


@pytest.mark.parametrize(("job", "timeout_s"), [("announce_and_sleep", 600.0), ("sleep_locked", 3.0)])
def test_nothing_outlives_a_killed_parent(tmp_path: Path, job: str, timeout_s: float) -> None:
    """A job in Python ends with the pipe; one that holds Python's lock ends by the alarm that was set for it."""
    file = tmp_path / "pid"
    program = (
        "import sys\nfrom engine.worker import Worker\nfrom tests.engine import jobs\n"
        f"Worker().submit(jobs.{job}, sys.argv[1], 600, timeout_s={timeout_s}).result()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(file)], env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT
    )
    until(lambda: file.exists() and file.read_text() != "")
    child = int(file.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait(LONG_S)
    until(lambda: not alive(child))
