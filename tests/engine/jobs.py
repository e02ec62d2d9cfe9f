"""Jobs that the worker's tests have done: each is harmless to whoever asks, whatever it does to the process.

Light to import, since that counts towards a job's time.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import SizewatchError

if TYPE_CHECKING:
    import polars as pl


def double(number: float) -> float:
    return 2 * number


def pid() -> int:
    return os.getpid()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def sleep_locked(pid_file: str, seconds: int) -> None:
    """Sleeps without ever letting go of Python's lock: no thread of the process can run meanwhile."""
    Path(pid_file).write_text(str(os.getpid()))
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def announce_and_sleep(pid_file: str, seconds: float) -> None:
    Path(pid_file).write_text(str(os.getpid()))
    time.sleep(seconds)


def take_memory(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


def answer_of(megabytes: int) -> bytes:
    return bytes(megabytes << 20)


def end_with(code: int) -> None:
    os._exit(code)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def chatter() -> str:
    print("a library says something")
    os.write(1, b"and so does its C part\n")
    return "heard"


def refuse(words: str) -> None:
    raise SizewatchError(words)


def fail(words: str) -> None:
    raise LookupError(words)


def query(sql: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    import polars as pl

    return pl.SQLContext(tables, eager=True).execute(sql)
