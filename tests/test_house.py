"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
ROOMS: Final = ("engine", "feeds", "notify", "tui", "simulator", "tests", "bench")
LONGEST: Final = 400
"""Lines of a file of code; a longer one says `more than 400 lines because …` in its module docstring."""

NOT_BEFORE_FIRST_PAINT: Final = (
    "polars", "numpy", "pandas", "scipy", "statsmodels", "ccxt", "yfinance", "aiohttp", "websockets", "curl_cffi",
    "orjson", "exchange_calendars", "trustme", "sqlite3", "requests", "google.protobuf", "sqlglot",
)  # fmt: skip
"""What the terminal may not have imported when it paints first: together they take seconds."""


def code() -> list[Path]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return [ROOT / "sizewatch.py", *sorted(files)]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", code(), ids=relative)
def test_a_file_is_not_long_without_a_reason(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST or f"more than {LONGEST} lines because" in text


@pytest.mark.parametrize("path", code(), ids=relative)
def test_a_file_says_what_it_keeps_and_leaves_nothing_for_later(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name != "__init__.py":
        assert text.startswith('"""'), "a module begins with its docstring"
    later = re.search(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b", text)
    assert later is None, later


@pytest.mark.parametrize("path", [*code(), ROOT / "pyproject.toml", ROOT / "README.md", ROOT / ".ci/run"], ids=relative)
def test_no_file_knows_one_persons_machine(path: Path) -> None:
    if path.is_file():
        found = re.search(r"(?<![\w.])/(home|Users|root|work)/\w+", path.read_text(encoding="utf-8"))
        assert found is None, found


def imported_by(statement: str) -> set[str]:
    """Every module that is loaded after `statement` has run in a fresh interpreter."""
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys\n{statement}\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(ended.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("import sizewatch", id="the front door"),
        pytest.param(
            "from pathlib import Path\n"
            "from engine.config_file import load\n"
            "import sizewatch\n"
            "load(Path('config.toml'), sizewatch.actions())",
            id="a checked configuration",
        ),
        pytest.param(
            "import tui.app, engine.collector, engine.config_file, simulator.child", id="the terminal's parts"
        ),
    ],
)
def test_first_paint_waits_for_no_heavy_library(statement: str) -> None:
    loaded = imported_by(statement)
    assert not loaded.intersection(NOT_BEFORE_FIRST_PAINT)
