"""CoinGecko says what the scenario states of the whole market, by coin and in all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from simulator.coingecko import CoinGeckoSite
from simulator.gateway import Request
from simulator.market import Market


async def asked(market: Market, path: str, query: Mapping[str, str] | None = None) -> tuple[int, Any]:
    parts = {name: (value,) for name, value in (query or {}).items()}
    request = Request("GET", "api.coingecko.com", f"/api/v3{path}", parts, {})
    reply = await CoinGeckoSite(market).http(request)
    return reply.status, orjson.loads(reply.body)


async def test_global_states_dominance_and_volume(january: Market) -> None:
    status, answer = await asked(january, "/global")
    data = answer["data"]
    assert status == 200
    assert data["market_cap_percentage"]["btc"] == pytest.approx(58.9)
    assert sum(data["market_cap_percentage"].values()) <= 100
    assert data["total_volume"]["usd"] > 42.4e9
    assert data["total_market_cap"]["usd"] == pytest.approx(january.capitalisation("BTC") / 0.589)
    assert data["updated_at"] == int(january.now())


async def test_markets_state_the_volume_over_all_markets(january: Market, opposite: Market) -> None:
    for market, volume, price in ((january, 42.4e9, 90_884.10), (opposite, 18.5e9, 45_000.0)):
        _, rows = await asked(market, "/coins/markets", {"vs_currency": "usd", "ids": "bitcoin,pepe"})
        assert [row["symbol"] for row in rows] == ["btc", "pepe"]
        assert rows[0]["total_volume"] == pytest.approx(volume)
        assert rows[0]["current_price"] == pytest.approx(price)
        assert rows[0]["market_cap_rank"] == 1


async def test_markets_come_in_pages_by_size(january: Market) -> None:
    query = {"vs_currency": "usd", "per_page": "15"}
    pages = [(await asked(january, "/coins/markets", {**query, "page": str(page)}))[1] for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [15, 15, 11, 0]
    ranks = [row["market_cap_rank"] for page in pages for row in page]
    assert ranks == list(range(1, 42))


async def test_other_paths(january: Market) -> None:
    assert (await asked(january, "/ping"))[0] == 200
    _, prices = await asked(january, "/simple/price", {"ids": "ethereum", "vs_currencies": "usd"})
    assert prices["ethereum"]["usd"] == pytest.approx(3081.55)
    _, listed = await asked(january, "/coins/list")
    assert {"id": "fetch-ai", "symbol": "fet", "name": "Artificial Superintelligence Alliance"} in listed
    assert (await asked(january, "/coins/markets"))[0] == 422
    assert (await asked(january, "/nothing"))[0] == 404
