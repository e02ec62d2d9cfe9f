"""The load gateway of the benchmarks: what it says it sent is what a real client receives, extremes included."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.simulator.still_market import At, overheard, soon, unloaded, until


@pytest.fixture
async def load() -> AsyncIterator[Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", "--symbols", "20", stdin=PIPE, stdout=PIPE
    )
    yield child
    assert child.stdin is not None
    child.stdin.close()
    assert await asyncio.wait_for(child.wait(), 10) == 0


async def said(child: Process) -> dict[str, Any]:
    assert child.stdout is not None
    found: dict[str, Any] = json.loads(await asyncio.wait_for(child.stdout.readline(), 15))
    return found


async def test_every_tick_that_it_counts_arrives(load: Process) -> None:
    ready = await said(load)

    async with unloaded("kraken", At(ready["proxy"], ready["ca_file"])) as kraken:
        await kraken.load_markets()
        heard = overheard(kraken)
        await soon(kraken.watch_tickers(ready["symbols"]))
        assert await said(load) == {"event": "subscribed", "symbols": 20}
        assert load.stdin is not None
        load.stdin.write(b'{"rate": 2000, "seconds": 0.5, "seed": 7}\n')
        done = await said(load)

        def updates() -> list[dict[str, Any]]:
            return [m["data"][0] for m in heard if m.get("channel") == "ticker" and m["type"] == "update"]

        await until(lambda: len(updates()) >= done["sent"])
    ticks = updates()
    assert [done["event"], done["sent"], len(ticks)] == ["done", 1000, 1000]
    assert Counter(tick["symbol"] for tick in ticks) == done["per_symbol"]
    for symbol in ready["symbols"]:
        prices = [tick["last"] for tick in ticks if tick["symbol"] == symbol]
        assert [max(prices), min(prices), prices[-1]] == [done[key][symbol] for key in ("high", "low", "last")]
        assert max(prices) > 900
        assert min(prices) < 11
