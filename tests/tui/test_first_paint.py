"""The first paint waits for no data library."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

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
