"""When a scenario's market opens and what it is called: all that is needed of it before the first paint.

To read and check a whole scenario takes as long as a quarter of the terminal's start; the child process does that. What
comes with the product is known to be right, so of it only the one line is read. Any other file is read as a whole:
it is to be refused before a screen is opened for it.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final

from simulator.reader import ScenarioError

__all__ = ["BUILT_IN", "ScenarioError", "built_in", "opening"]

BUILT_IN: Final = Path(__file__).with_name("scenarios")
"""Folder of the scenarios that come with the product."""
_LINE: Final = r"^(extends|start) = (\S+)$"


def built_in() -> tuple[str, ...]:
    """Names of the scenarios that come with the product."""
    return tuple(sorted(path.stem for path in BUILT_IN.glob("*.toml")))


def opening(which: str) -> tuple[str, datetime]:
    """Name and start of the scenario that `simulator.scenario.load` reads. Raises ScenarioError with every mistake."""
    if which in built_in():
        said = dict(re.findall(_LINE, (BUILT_IN / f"{which}.toml").read_text(encoding="utf-8"), re.MULTILINE))
        if "start" in said:
            return which, datetime.fromisoformat(said["start"])
        return which, opening(said["extends"].strip('"'))[1]
    from simulator.scenario import load

    scenario = load(which)
    return scenario.name, scenario.start
