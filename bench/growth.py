"""What a process holds, over time: memory, open files and tasks, so that a soak can say whether any of them grows."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PLANNED: Final = "planned"
"""The name of a bench's own tasks, which are not counted."""


@dataclass
class Growth:
    """Memory, open files and tasks over the run."""

    rows: list[tuple[float, float, int, int]] = field(default_factory=list)
    """(second of the world, MB resident, open files, tasks)."""

    def sample(self, now: float, others: int = 0) -> None:
        """Take a sample at second `now`. others: tasks of other loops, and threads, that count too."""
        tasks = others + sum(task.get_name() != PLANNED for task in asyncio.all_tasks())
        self.rows.append((now, resident_mb(), open_files(), tasks))

    def spread(self, column: int, warm: float) -> tuple[float, float]:
        """The middle value of a column in the first third after the warm-up, and in the last third."""
        warmed = [row[column] for row in self.rows if row[0] >= warm] or [row[column] for row in self.rows]
        third = max(1, len(warmed) // 3)
        first, last = sorted(warmed[:third]), sorted(warmed[-third:])
        return float(first[len(first) // 2]), float(last[len(last) // 2])


def resident_mb() -> float:
    """What this process holds now, in megabytes; its most so far where the system does not say."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)


def open_files() -> int:
    """Open file descriptors; 0 where the system does not say."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return len(os.listdir(folder))  # noqa: PTH208 (a Path a descriptor is of no use)
    return 0
