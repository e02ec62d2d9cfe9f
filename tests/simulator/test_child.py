"""`python -m simulator` as its parent knows it: says that it listens, serves, and never outlives its lifeline."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import ccxt.pro
import pytest

READY_S = 20


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"TMPDIR": str(folder), "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with start(tmp_path) as process:
        yield process
        if process.poll() is None:
            process.kill()


def ready(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.readline())
    return said


def test_it_opens_at_the_scenarios_start_and_ends_with_its_input(
    child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    said = ready(child)
    assert said["scenario"] == "january-2026"
    assert said["start"] == "2026-01-09T10:30:00-05:00"
    assert said["now"] == pytest.approx(1_767_972_600, abs=0.1)
    assert time.time() + said["offset"] == pytest.approx(1_767_972_600, abs=READY_S)
    assert Path(said["ca_file"]).is_relative_to(tmp_path)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(60) == 0
    assert list(tmp_path.iterdir()) == []


def test_it_ends_on_sigterm_too(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    ready(child)
    child.send_signal(signal.SIGTERM)
    assert child.wait(60) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_given_offset_is_kept(tmp_path: Path) -> None:
    with start(tmp_path, "--offset", "-1000.5", "--scenario", "small-caps-lead") as process:
        said = ready(process)
        assert (said["offset"], said["scenario"]) == (-1000.5, "small-caps-lead")
        process.terminate()


def test_a_bad_scenario_is_told_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('extends = "january-2026"\n[scenario]\nsede = 1\n[market]\ndominance_pct = 900\n')
    with start(tmp_path, "--scenario", str(path)) as process:
        _, errors = process.communicate(timeout=READY_S)
    lines = errors.decode().splitlines()
    assert process.returncode == 2
    assert len(lines) == 2
    assert all(line.startswith(f"{path}: ") for line in lines)


def test_a_taken_port_is_told(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    port = ready(child)["proxy"].rpartition(":")[2]
    with start(tmp_path, "--port", port) as second:
        _, errors = second.communicate(timeout=READY_S)
    assert second.returncode == 1
    assert b"cannot listen" in errors


def test_a_kept_folder_keeps_the_trust_over_a_restart(tmp_path: Path) -> None:
    texts = []
    for _ in range(2):
        with start(tmp_path, "--folder", str(tmp_path)) as process:
            texts.append(Path(ready(process)["ca_file"]).read_text())
            process.terminate()
    assert texts[0] == texts[1]


async def test_ccxt_pro_watches_every_venue_of_it(child: subprocess.Popen[bytes]) -> None:
    said = ready(child)
    where = {"httpsProxy": said["proxy"], "wssProxy": said["proxy"], "cafile": said["ca_file"]}
    for name, symbol in (("kraken", "BTC/USD"), ("coinbase", "ETH/USD"), ("binance", "SOL/USDT")):
        exchange = getattr(ccxt.pro, name)(where)
        try:
            await exchange.load_markets()
            ticker = await exchange.watch_ticker(symbol)
        finally:
            await exchange.close()
        expected = {"BTC/USD": 90_884.10, "ETH/USD": 3081.55, "SOL/USDT": 136.42 / 0.9994}[symbol]
        assert ticker["last"] == pytest.approx(expected, rel=0.02)


async def test_coingecko_answers_through_it(child: subprocess.Popen[bytes]) -> None:
    said = ready(child)
    trust = ssl.create_default_context(cafile=said["ca_file"])
    url = "https://api.coingecko.com/api/v3/global"
    async with aiohttp.ClientSession() as session, session.get(url, proxy=said["proxy"], ssl=trust) as answer:
        data = (await answer.json())["data"]
    assert data["market_cap_percentage"]["btc"] == pytest.approx(58.9, abs=0.2)
