"""The first paint waits for no data library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from engine.config import Config, Refresh
from engine.config_looks import Appearance
from engine.model import Mode
from tests.tui import fakes
from tui.app import SizewatchApp
from tui.lines import plain
from tui.widgets.footer import Footer
from tui.widgets.header import Header
from tui.widgets.linepane import LinePane

ROOT = Path(__file__).parents[2]
HEAVY = {"polars", "numpy", "pandas", "ccxt", "yfinance", "aiohttp", "exchange_calendars", "scipy", "statsmodels"}
SCRIPT = """
import json, sys
from engine.config import Config
from engine.model import Mode
from tui.app import SizewatchApp

class Nothing:
    def latest(self): return None
    def send(self, intent): pass
    def failure(self): return None

class Once(SizewatchApp):
    async def on_ready(self):
        self.frame()
        self.call_after_refresh(self.exit)

app = Once(Nothing(), Config(), Mode.DEMO, "january-2026")
app.run(headless=True, size=(120, 40))
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_at_first_paint_no_heavy_library_has_been_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "tui" in loaded
    assert not loaded & HEAVY


FRONT_DOOR = """
import json, sys
import sizewatch
from engine.options import usual
from tui.app import SizewatchApp

class Once(SizewatchApp):
    async def on_ready(self):
        self.frame()
        self.call_after_refresh(self.exit)

with sizewatch.prepared(usual(sys.argv[3:])) as run:
    def painted():
        print(json.dumps(sorted(sys.modules)))
    app = Once(run.collector(), run.config, run.mode, run.scenario, run.clock, painted)
    app.run(headless=True, size=(int(sys.argv[1]), int(sys.argv[2])))
"""
"""What the front door does, up to the first paint."""
OWN: Final = ("engine", "feeds", "notify", "simulator", "tui")
AFTERWARDS: Final = frozenset({
    "argparse", "zoneinfo", "tomllib",
    "engine.command_line", "engine.config_check", "engine.legs", "engine.news",
    "simulator.scenario", "simulator.faults",
    "tui.announce", "tui.commands", "tui.definitions", "tui.export", "tui.meanings", "tui.palette", "tui.screens.help",
    "tui.screens.welcome", "tui.widgets.commandline", "tui.widgets.prompt",
})  # fmt: skip
"""What took a part of the first paint's time once."""
MODULES: Final = 60
"""Modules of our own that it may wait for: each costs half a millisecond."""


@pytest.mark.parametrize(
    ("columns", "lines", "words", "more"),
    [(80, 24, (), 0), (200, 55, (), 3), (120, 40, ("--demo",), 4)],
    ids=["small", "large", "demo"],
)
def test_the_first_paint_waits_for_nothing_that_can_come_after_it(
    columns: int, lines: int, words: tuple[str, ...], more: int, tmp_path: Path
) -> None:
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(tmp_path))
    command = [sys.executable, "-c", FRONT_DOOR, str(columns), str(lines), *words]
    surroundings = {**os.environ, **homes}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True, env=surroundings)
    found = next(line for line in done.stdout.splitlines() if line.startswith("["))
    loaded = json.loads(found)
    assert not (AFTERWARDS | HEAVY).intersection(loaded)
    own = [name for name in loaded if name.partition(".")[0] in OWN]
    assert "tui.panes.spreads" in own, "the panes stand there"
    assert not [name for name in own if name.startswith(("feeds", "notify"))]
    assert len(own) <= MODULES + more, own


NEVER = Config(refresh=Refresh(frame_hz=1e-6))
"""The frame clock does not come round."""


async def test_the_first_paint_shows_the_whole_screen_before_the_frame_clock_comes_round() -> None:
    app = SizewatchApp(fakes.FakeSource(None), NEVER, Mode.LIVE, None, fakes.FixedClock())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "starting" in plain(app.screen.query_one(Header)._line)
        assert "quit" in plain(app.screen.query_one(Footer)._line)
        panes = [pane for pane in app.screen.query(LinePane) if pane.is_on_screen]
        assert len(panes) > 5
        assert all(pane._drawn for pane in panes), "each says what it waits for"


@pytest.mark.parametrize("name", ["dark", "light", "contrast", "blue-orange-light"])
async def test_the_first_theme_is_in_force_from_the_first_paint(name: str) -> None:
    config = replace(NEVER, appearance=Appearance(theme=name))
    app = SizewatchApp(fakes.FakeSource(None), config, Mode.LIVE, None, fakes.FixedClock())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.theme == f"sizewatch-{name}"
        ground = app.current_theme.background
        assert ground is not None
        assert app.screen.styles.background.hex.lower() == ground.lower()
        assert app.has_class("-light-mode") == name.endswith("light")
