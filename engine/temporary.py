"""The folder of a run that is not live: it goes with the run, and what a killed one left goes at the next start.

A lock inside it says that its owner lives, whatever became of process ids meanwhile; without locks (Windows) nothing of
others is removed. Light to import.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

_PREFIX: Final = "sizewatch-"
_LOCK: Final = ".alive"
_NEW_S: Final = 60.0
"""A folder that is younger may be about to get its lock."""


@contextlib.contextmanager
def own_folder(kind: str) -> Iterator[Path]:
    """A temporary folder for a `demo` or a `replay`, gone afterwards; what killed runs of this user left goes first."""
    remove_orphans(kind)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-"))
    lock = (folder / _LOCK).open("w")
    try:
        _taken(lock)
        yield folder
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def remove_orphans(kind: str) -> list[Path]:
    """Remove the folders of this kind whose owner is gone; those that were removed."""
    removed = []
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}{kind}-*"):
        with contextlib.suppress(OSError):  # another's, or gone meanwhile: then it is not ours to remove
            if _orphaned(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
    return removed


def _orphaned(folder: Path) -> bool:
    about = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or not hasattr(os, "getuid") or about.st_uid != os.getuid():
        return False
    try:
        with (folder / _LOCK).open("r+") as lock:
            return _taken(lock)
    except FileNotFoundError:
        return time.time() - about.st_mtime > _NEW_S


def _taken(lock: IO[str]) -> bool:
    """Take the lock; False where somebody holds it, or where there are no locks."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
