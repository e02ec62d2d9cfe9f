"""What `doctor` finds: a line each, and whether the user must put it right. Its own checks are those of files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.config_file import find, load
from engine.errors import ConfigError

ENOUGH_BYTES: Final = 200 * 2**20
"""Free space that price history wants at least."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    topic: str
    what: str
    fix: str = ""
    """What the user must do; empty where all is well or nothing can be done here."""
    good: bool = True
    """False where something does not work, even if it is not the user's to put right."""

    def line(self) -> str:
        """`✓ topic  what`, or `✗ topic  what — fix`; `!` where it does not work but nothing is to be done."""
        sign = "✗" if self.fix else "✓" if self.good else "!"
        return f"{sign} {self.topic:<10} {self.what}{' — ' + self.fix if self.fix else ''}"


def check_config(named: Path | None, actions: Mapping[str, str]) -> list[Finding]:
    """Which configuration file holds, and every mistake in it."""
    path = find(named)
    try:
        load(path, actions)
    except ConfigError as error:
        return [Finding("config", line, "correct it", good=False) for line in error.lines()]
    return [Finding("config", str(path) if path else "no file: the built-in values hold")]


def check_folder(folder: Path) -> list[Finding]:
    """Whether price history can be kept in `folder`, which is not created for it."""
    place = next((parent for parent in (folder, *folder.parents) if parent.exists()), folder)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return [Finding("data", str(folder), "make it a folder that you may write to, or set [store] path", good=False)]
    free = shutil.disk_usage(place).free
    what = f"{folder}: writable, {free / 2**30:,.1f} GiB free"
    if free < ENOUGH_BYTES:
        return [Finding("data", what, f"free at least {ENOUGH_BYTES // 2**20} MiB, or set [store] path", good=False)]
    return [Finding("data", what)]
