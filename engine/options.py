"""What a run was asked for, and the few words that open the terminal: light, since the first paint waits for it.

The whole command line is `engine.command_line`'s: to build that parser takes 6 ms of processor time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.errors import SizewatchError
from engine.model import Mode

if TYPE_CHECKING:
    import argparse

NAME: Final = "sizewatch"
DEFAULT_SCENARIO: Final = "january-2026"
RECORDING: Final = Path(f"{NAME}.recording")
"""What a run without a screen records into where no file is named."""


class UsageError(SizewatchError):
    """The command line is wrong."""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line of a run."""

    config: Path | None = None
    demo: str | None = None
    """The scenario's name or file; None for a live run."""
    at: datetime | None = None
    record: Path | None = None
    """Where the run's raw messages are kept; None: nowhere."""
    replay: Path | None = None
    """The recording that is played; None for a live run or a demo."""
    speed: float | None = None
    """Of a replay: seconds of the recording in one of ours; None: as fast as it goes."""
    begin: datetime | None = None
    """Of a replay: the moment up to which nothing is waited for."""

    def turned_to(self, mode: Mode) -> Options:
        """The same, but a demo, or the recording that is here."""
        return replace(self, demo=DEFAULT_SCENARIO if mode is Mode.DEMO else None,
                       replay=RECORDING if mode is Mode.REPLAY else None, speed=1.0)  # fmt: skip

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Options:
        of_replay = [getattr(arguments, name, None) for name in ("record", "replay", "speed", "begin")]
        return cls(arguments.config, getattr(arguments, "demo", None), getattr(arguments, "at", None), *of_replay)


def zoned(text: str) -> datetime | None:
    """A time with its zone, from ISO 8601; None where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def usual(arguments: Sequence[str]) -> Options | None:
    """What opens the terminal and no more: `--demo`, `--config FILE`, `--at TIME`, each with its value after a space.

    None for all else, mistakes among it: the parser reads that, and says what is wrong. A test holds both together.
    """
    config, demo, at = None, None, None
    left = list(arguments)
    while left:
        word = left.pop(0)
        value = left.pop(0) if left and not left[0].startswith("-") else None
        if word == "--demo":
            demo = DEFAULT_SCENARIO if value is None else value
        elif word == "--config" and value is not None:
            config = Path(value)
        elif word == "--at" and value is not None and (at := zoned(value)) is not None:
            pass
        else:
            return None
    return Options(config, demo, at)
