"""`snapshot --json --demo`, end to end: sockets, feeds, engine, live tables; and nothing of the user's is touched."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.tables import TABLES
from tests.program import COMMAND, contents, surroundings

OTHER = """
extends = "january-2026"

[scenario]
title = "Small caps lead, the Russell has broken down"
seed = 7
start = 2025-03-12T11:00:00-04:00

[bands."^RUT"]
low = 1500.0
high = 2090.0

[equity.groups.large]
annual_pct = { 2021 = 20.0, 2022 = 6.0, 2023 = 5.0, 2024 = 7.0 }

[equity.groups.small]
annual_pct = { 2021 = 12.0, 2022 = 15.0, 2023 = 14.0, 2024 = 16.0 }

[equity.symbols.IWM]
price = 199.0
volume_yoy_pct = 30.0

[equity.symbols."^RUT"]
price = 1990.0

[crypto.groups.meme]
volume_yoy_pct = 60.0

[crypto.coins.BTC]
price = 45_000
volume_usd = 12_500_000_000
"""

LEAN = """
[crypto]
exchanges = ["kraken"]
alt = ["meme"]
[crypto.baskets]
large = []
ai = []
defi = []
mid = []
meme = ["DOGE", "SHIB", "PEPE"]
"""


@dataclass(frozen=True)
class Taken:
    """One run's outcome."""

    ended: subprocess.CompletedProcess[str]
    before: dict[str, bytes | None]
    after: dict[str, bytes | None]

    @property
    def said(self) -> Any:
        return json.loads(self.ended.stdout)

    def rows(self, table: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.said["tables"][table]
        return rows

    def row(self, table: str, **key: str) -> dict[str, Any]:
        return next(row for row in self.rows(table) if key.items() <= row.items())


def take(home: Path, *scenario: str) -> Taken:
    """A snapshot of the demo by a user who has files of his own."""
    for name in (".config/sizewatch/own.txt", ".local/share/sizewatch/bars/x.parquet", ".cache/py-yfinance/cookies.db"):
        path = home / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    environment = surroundings(home)
    before = contents(home)
    ended = subprocess.run(
        [*COMMAND, "snapshot", "--json", "--demo", *scenario, "--wait", "150"],
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=environment,
    )
    return Taken(ended, before, contents(home))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    yield take(tmp_path_factory.mktemp("demo"), "--bars", "IWM, IWM/SPY:1d")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    home = tmp_path_factory.mktemp("other")
    (home / "other.toml").write_text(OTHER)
    (home / "own.toml").write_text(LEAN)
    yield take(home, "other.toml", "--config", "own.toml")


def test_it_prints_one_object_and_nothing_else(demo: Taken) -> None:
    assert demo.ended.returncode == 0
    assert demo.ended.stderr == ""
    said = demo.said
    assert demo.ended.stdout.count("\n") == 1
    assert (said["schema_version"], said["mode"], said["settled"]) == (1, "demo", True)
    assert {"as_of", "clock", "tables"} <= said.keys()
    assert datetime.fromisoformat(said["as_of"]).utcoffset() is not None


def test_every_table_has_its_columns_and_every_row_its_status(demo: Taken) -> None:
    tables = demo.said["tables"]
    assert list(tables) == list(TABLES)
    only_wishes = {"plans", "whatifs", "alerts"}  # empty until somebody plans something, or something happens
    for name, rows in tables.items():
        assert rows or name in only_wishes, f"{name} is empty"
        for row in rows:
            assert list(row) == list(TABLES[name])
            assert row["status"] in {"ok", "warming", "estimated", "stale", "closed"}
            assert row["simulated"] is True


def test_bars_are_those_that_were_asked_for(demo: Taken) -> None:
    rows = demo.rows("bars")
    assert {(row["symbol"], row["interval"]) for row in rows} == {("IWM", "1d"), ("IWM/SPY", "1d")}
    assert all(row["low"] <= row["close"] <= row["high"] for row in rows if row["symbol"] == "IWM")
    pair = [row for row in rows if row["symbol"] == "IWM/SPY"]
    assert len(pair) > 2_000
    assert pair[-1]["close"] == pytest.approx(demo.row("spreads", pair="IWM/SPY")["ratio"])


def test_quotes_come_from_many_sources(demo: Taken) -> None:
    quotes = [row for row in demo.rows("quotes") if row["last"] is not None]
    assert len(quotes) >= 40
    assert len({row["source"] for row in quotes}) >= 4


def test_every_source_is_live(demo: Taken) -> None:
    assert {row["source"]: row["state"] for row in demo.rows("feeds")} == {
        row["source"]: "live" for row in demo.rows("feeds")
    }


def test_the_default_scenario_shows_its_own_values(demo: Taken) -> None:
    spread = demo.row("spreads", pair="IWM/SPY")
    assert (spread["streak_leader"], spread["streak_years"]) == ("large", 5)
    assert demo.row("levels", symbol="^RUT", role="support")["position"] == pytest.approx(0.52, abs=0.1)
    assert demo.row("quotes", symbol="BTC/USD")["last"] > 60_000
    assert demo.row("markets", base="BTC")["all_markets_usd"] > 30e9
    assert demo.row("volumes", symbol="IWM")["adv_yoy_pct"] == pytest.approx(-15, abs=1)
    assert demo.row("baskets", basket="meme")["volume_yoy_pct"] == pytest.approx(-25, abs=1)
    assert demo.row("baskets", basket="mid")["volume_yoy_pct"] == pytest.approx(-20, abs=1)
    cut, after = (demo.row("facts", fact=name) for name in ("fed_cut_probability", "fed_rate_after"))
    assert cut["value"] == pytest.approx(3.3, abs=2) and after["value"] == pytest.approx(3.635, abs=0.01)
    assert (cut["status"], cut["source"]) == ("estimated", "2026-01-28: ZQF26.CBT ZQG26.CBT"), "no key of FRED"


def test_another_scenario_shows_its_own_values(other: Taken) -> None:
    assert other.ended.returncode == 0, other.ended.stderr
    spread = other.row("spreads", pair="IWM/SPY")
    assert (spread["streak_leader"], spread["streak_years"]) == ("small", 3)
    band = next(row for row in other.rows("levels") if row["symbol"] == "^RUT" and row["price"] == 2100)
    assert band["last"] == pytest.approx(1990, rel=0.02) and band["position"] < 0
    assert (band["state"], band["role"]) == ("BROKEN", "resistance")  # long below it: the role has flipped
    assert other.row("quotes", symbol="BTC/USD")["last"] == pytest.approx(45_000, rel=0.03)
    assert other.row("markets", base="BTC")["all_markets_usd"] == pytest.approx(12.5e9, rel=0.05)
    assert other.row("volumes", symbol="IWM")["adv_yoy_pct"] == pytest.approx(30, abs=2)
    assert other.row("baskets", basket="meme")["volume_yoy_pct"] == pytest.approx(60, abs=2)
    assert other.said["as_of"].startswith("2025-03-12T15:0")


@pytest.mark.parametrize("run", ["demo", "other"])
def test_the_demo_leaves_the_users_folders_byte_for_byte(run: str, request: pytest.FixtureRequest) -> None:
    taken: Taken = request.getfixturevalue(run)
    assert taken.after == taken.before


def test_only_the_tables_that_were_asked_for(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, "snapshot", "--json", "--demo", "--wait", "3", "--tables", "feeds,levels"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=surroundings(tmp_path),
    )
    assert ended.returncode == 0
    assert list(json.loads(ended.stdout)["tables"]) == ["feeds", "levels"]
