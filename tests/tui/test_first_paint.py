"""The first paint waits for no data library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
