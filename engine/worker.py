"""Heavy work in a process of its own: what it costs, breaks or never finishes, costs its asker one line and no more.

One process, started at the first job and again after it was ended, with a limit on its memory and a time-out a job; it
goes when idle and when its parent goes, however that ends. Arguments and answers are pickled in the worker's thread, so
a job never holds up whoever asks. Light to import: nothing heavy is loaded on this side.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from engine.errors import SizewatchError, one_line
from engine.worker_child import TOO_MUCH_MEMORY, read, write

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

MEMORY_MB: Final = 1_024
WAITING: Final = 8
"""Jobs that may wait; a further one is refused."""
ANSWER_BYTES: Final = 32 << 20
"""No answer is larger."""
START_S: Final = 60.0
"""What a process has to get ready in."""
IDLE_S: Final = 120.0
"""Without work for so long, the process is ended; the next job starts another."""
WORDS: Final = 300
"""Characters of an error."""


class WorkerError(SizewatchError):
    """A job was not done; the text is one line for whoever asked."""


class WorkerTimeoutError(WorkerError):
    """It took too long and was ended."""


class WorkerMemoryError(WorkerError):
    """It needed more memory than it may have."""


class _Job(NamedTuple):
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    timeout_s: float
    future: Future[Any]


class Worker:
    """Jobs one at a time, in the order in which they were asked for. Every method may be called from any thread.

    memory_mb: what the process may use in all, its libraries (about 200 MB) included.
    """

    def __init__(self, memory_mb: int = MEMORY_MB, *, idle_s: float = IDLE_S) -> None:
        self.memory_mb = memory_mb
        """Holds for the next process; the one that runs keeps its own."""
        self._idle_s = idle_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._process: _Process | None = None

    def submit(self, function: Callable[..., Answer], *arguments: Any, timeout_s: float) -> Future[Answer]:
        """Have `function(*arguments)` done; returns at once.

        function: a function of a module (it is sent by name). timeout_s: seconds from when the process takes it up; the
        wait for other jobs does not count. The future fails with WorkerError: too long, too much memory, refused, or
        the function's own error in words.
        """
        future: Future[Answer] = Future()
        with self._lock:
            if self._closed or self._waiting >= WAITING:
                words = "the worker has ended" if self._closed else f"too much to do: {self._waiting} jobs wait"
                future.set_exception(WorkerError(words))
                return future
            self._waiting += 1
            self._jobs.put(_Job(function, arguments, timeout_s, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="worker", daemon=True)
                self._thread.start()
        return future

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        process = self._process
        return process.pid if process is not None else None

    def close(self) -> None:
        """End it; what waits fails. Harmless where it has ended already."""
        with self._lock:
            self._closed = True
            thread, process = self._thread, self._process
        self._jobs.put(None)
        if process is not None:
            process.kill()
        if thread is not None and thread is not threading.current_thread():
            thread.join(START_S)

    # the worker's thread

    def _serve(self) -> None:
        while not self._closed:
            try:
                job = self._jobs.get(timeout=self._idle_s if self._process is not None else None)
            except queue.Empty:
                self._end()
                continue
            if job is not None:
                with self._lock:
                    self._waiting -= 1
                if job.future.set_running_or_notify_cancel():
                    self._do(job)
        self._end()
        with contextlib.suppress(queue.Empty):
            while True:
                left = self._jobs.get_nowait()
                if left is not None and left.future.set_running_or_notify_cancel():
                    left.future.set_exception(WorkerError("the worker has ended"))

    def _do(self, job: _Job) -> None:
        try:
            done, answer = self._ask(job)
        except WorkerError as error:
            self._end()
            job.future.set_exception(error)
        except Exception as error:
            log.exception("a job could not be sent or its answer not be read")
            self._end()
            job.future.set_exception(WorkerError(_line(f"{type(error).__name__}: {error}")))
        else:
            if done:
                job.future.set_result(answer)
            elif answer is None:
                self._end()  # what it holds on to is not worth knowing
                job.future.set_exception(self._too_much())
            else:
                job.future.set_exception(WorkerError(_line(answer)))

    def _ask(self, job: _Job) -> tuple[bool, Any]:
        """Raises WorkerError where the process did not live to answer."""
        function, seconds = job.function, job.timeout_s
        body = pickle.dumps(
            (function.__module__, function.__qualname__, job.arguments, seconds, ANSWER_BYTES), pickle.HIGHEST_PROTOCOL
        )
        if self._process is not None and self._process.ended:
            self._end()
        if self._process is None:
            with self._lock:  # `close` sees either no process or this one
                if self._closed:
                    raise WorkerError("the worker has ended")
                self._process = _Process(self.memory_mb)
            if self._process.exchange(None, START_S) is None:
                raise self._why(START_S)
        got = self._process.exchange(body, seconds)
        if got is None:
            raise self._why(seconds)
        made: tuple[bool, Any] = pickle.loads(got)
        return made

    def _why(self, seconds: float) -> WorkerError:
        """Why there was no answer within `seconds`."""
        process = self._process
        assert process is not None
        if self._closed:
            return WorkerError("the worker has ended")
        if process.late:
            return WorkerTimeoutError(f"it took longer than {seconds:g} s and was ended")
        code, words = process.last_words()
        if code == TOO_MUCH_MEMORY or "memory allocation" in words or "MemoryError" in words or "bad_alloc" in words:
            return self._too_much()
        if -code == getattr(signal, "SIGALRM", 0):
            return WorkerTimeoutError(f"it took longer than {seconds:g} s and was ended")
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return WorkerError(_line(f"its process was ended {how}" + (f": {words}" if words else "")))

    def _too_much(self) -> WorkerMemoryError:
        return WorkerMemoryError(f"it needed more than {self.memory_mb:,} MB of memory and was ended")

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.end()


class _Process:
    """One child, and the pipes to it."""

    def __init__(self, memory_mb: int) -> None:
        root = str(Path(__file__).resolve().parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.worker_child", str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                # one core is the screen's and the collector's; more threads cost memory besides
                "POLARS_MAX_THREADS": "2",
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
            start_new_session=True,  # Ctrl+C in the terminal is the parent's to answer
        )
        self._words: deque[bytes] = deque(maxlen=20)
        self.late = False
        """Whether it was ended because time was up."""
        self._drain = threading.Thread(target=self._listen, name="worker-words", daemon=True)
        self._drain.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def ended(self) -> bool:
        return self._child.poll() is not None

    def exchange(self, body: bytes | None, seconds: float) -> bytes | None:
        """Send `body` (None: nothing) and wait for a message; None where the process ended, at the latest in time."""
        child = self._child
        assert child.stdin is not None and child.stdout is not None
        timer = threading.Timer(seconds, self._time_up)
        timer.daemon = True
        timer.start()
        got = None
        with contextlib.suppress(OSError, ValueError):
            if body is not None:
                write(child.stdin, body)
            got = read(child.stdout)
        timer.cancel()
        timer.join()  # it may be ending the process at this moment
        return None if self.late else got

    def _time_up(self) -> None:
        self.late = True
        self.kill()

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(OSError):
            self._child.kill()

    def end(self) -> None:
        """End it and let go of everything of it."""
        self.kill()
        self._child.wait()
        self._drain.join()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()

    def last_words(self) -> tuple[int, str]:
        """Exit code, and the last line that it wrote beside its answers."""
        self.kill()  # it closed its output: it is as good as gone
        code = self._child.wait()
        self._drain.join()
        lines = [line.decode(errors="replace").strip() for line in self._words]
        told = [line for line in lines if line]
        # Rust says what was wrong first, and what it does about it after that
        memory = [line for line in told if "memory allocation" in line]
        return code, (memory or told or [""])[-1]

    def _listen(self) -> None:
        stream = self._child.stderr
        assert stream is not None
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(1_000):
                self._words.append(line)


def _line(text: str) -> str:
    """One printable line, not endless."""
    line = one_line(text)
    return line if len(line) <= WORDS else line[: WORDS - 1] + "…"
