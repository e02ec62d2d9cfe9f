"""The program as a user has it: a process of its own, with a home of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
COMMAND: Final = (sys.executable, "-m", "sizewatch")


def surroundings(home: Path) -> Mapping[str, str]:
    """Environment variables of a user who lives in `home`, with no proxy of the machine's in the way."""
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    folders = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_CACHE_HOME": home / ".cache",
        "TMPDIR": home / "tmp",
        "PYTHONPATH": ROOT,
    }
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    return {**inherited, **{name: str(value) for name, value in folders.items()}}


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below `folder` with its bytes, and every folder."""
    found = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}
