"""The worker's own process: takes jobs from standard input, answers on standard output, and never outlives its parent.

When the input ends the process goes at once, whatever it is doing: a thread waits for that. Where a job holds Python's
lock all the time, the alarm that was set for it ends the process shortly after its time-out.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import queue
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any, Final

LENGTH: Final = struct.Struct("!Q")
"""Before each message: its length in bytes."""
GRACE_S: Final = 2.0
"""The alarm comes so long after the time-out that the parent enforces."""
TOO_MUCH_MEMORY: Final = 86
"""Exit code where the memory in use passed the limit, which no refused allocation had told."""
LOOK_S: Final = 0.05
NICE: Final = 5
"""The screen and the collector go first."""

Job = tuple[str, str, tuple[Any, ...], float, int]
"""Module and qualified name of a function, its arguments, seconds, greatest answer in bytes."""


def read(stream: IO[bytes]) -> bytes | None:
    """One message; None where the stream has ended."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def write(stream: IO[bytes], body: bytes) -> None:
    """One message; OSError where nobody reads."""
    stream.write(LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def limit_memory(memory_mb: int) -> None:
    """Refuse this process more than `memory_mb` of its own data, where the platform can; watch its peak elsewhere.

    RLIMIT_DATA counts what is written to. RLIMIT_AS would count what the libraries' allocators merely reserve.
    """
    try:
        import resource
    except ImportError:  # Windows: neither limit nor figure
        return
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))
    unit = 1 if sys.platform == "darwin" else 1024

    def watch() -> None:
        pause = threading.Event()
        while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit <= memory_mb << 20:
            pause.wait(LOOK_S)
        os._exit(TOO_MUCH_MEMORY)

    if sys.platform != "linux":
        threading.Thread(target=watch, name="memory", daemon=True).start()


def answer(body: bytes) -> bytes:
    """Do one job: what the function returned, or how it failed, ready to be sent."""
    try:
        module, name, arguments, seconds, most = _job(body)
        with _alarm(seconds + GRACE_S):
            function: Any = importlib.import_module(module)
            for part in name.split("."):
                function = getattr(function, part)
            made = pickle.dumps((True, function(*arguments)), pickle.HIGHEST_PROTOCOL)
        if len(made) > most:
            return _failed(f"its answer is too large ({len(made) >> 20:,} MB; at most {most >> 20:,} MB are taken)")
    except MemoryError:
        return _failed(None)
    except BaseException as error:  # noqa: BLE001 — the asker is told; polars' panics are no Exception
        return _failed(_words(error))
    return made


def _job(body: bytes) -> Job:
    made: Job = pickle.loads(body)
    return made


def _failed(words: str | None) -> bytes:
    """None: there was not enough memory."""
    return pickle.dumps((False, words), pickle.HIGHEST_PROTOCOL)


def _words(error: BaseException) -> str:
    from engine.errors import SizewatchError

    text = " ".join(str(error).split())
    if isinstance(error, SizewatchError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """What needs no lock of Python's: the signal's default ends the process."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def main(memory_mb: int) -> None:
    """Serve until the parent goes."""
    inward, outward = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand between the answers
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICE)
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory(memory_mb)
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        while (body := read(inward)) is not None:
            jobs.put(body)
        os._exit(0)

    threading.Thread(target=listen, name="listen", daemon=True).start()
    try:
        write(outward, b"ready")
        while True:
            write(outward, answer(jobs.get()))
    except OSError:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
