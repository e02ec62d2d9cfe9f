"""Simulated funds publish as issuers do; outside facts come from the same market."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from python_calamine import CalamineWorkbook

from simulator.coingecko import CoinGeckoSite
from simulator.funds import SESSIONS, UNIT, FundFile, SsgaSite, fund_days
from simulator.gateway import Reply, Request
from simulator.market import Market
from simulator.outside import OutsideSite
from simulator.scenario import load
from simulator.sessions import DAY


def asked(host: str, path: str, query: Mapping[str, str] | None = None) -> Request:
    return Request("GET", host, path, {name: (value,) for name, value in (query or {}).items()}, {})


def test_assets_at_the_start_and_money_over_five_years_are_as_stated(january: Market, opposite: Market) -> None:
    for market, fund in ((january, "IWM"), (january, "SPY"), (opposite, "IWM"), (opposite, "SPY")):
        security = market.scenario.securities[fund]
        days = fund_days(market, fund)
        assert len(days) == SESSIONS
        assert days[-1].aum == pytest.approx(security.assets_usd, rel=1e-3)
        assert days[-1].day < market.scenario.start.date(), "the session of the start has not closed"
        assert all(day.shares % UNIT == 0 for day in days)
        years = days[-1260:]
        grown = 100 * ((years[-1].shares / years[0].shares) ** (1 / 5) - 1)
        assert grown == pytest.approx(security.flow_pct, abs=4)
        assert days[-1].nav == pytest.approx(
            market.bars(fund, DAY, market.start - 4 * DAY, market.start).close[-2], abs=0.01
        )
    assert fund_days(january, "^RUT") == fund_days(january, "QQQ") == fund_days(january, "NOPE") == []


def test_the_past_does_not_change_as_time_goes_on() -> None:
    scenario = load("january-2026")
    now = [scenario.start.timestamp()]
    market = Market(scenario, lambda: now[0])
    before = fund_days(market, "IWM")
    now[0] += 10 * DAY
    after = fund_days(market, "IWM")
    assert len(after) > len(before)
    assert after[: len(before)] == before


async def test_ssgas_workbook(january: Market) -> None:
    path = "/library-content/products/fund-data/etfs/us/navhist-us-en-{}.xlsx"
    site = SsgaSite(january)
    reply = await site.http(asked("www.ssga.com", path.format("mdy")))
    rows = CalamineWorkbook.from_filelike(io.BytesIO(reply.body)).get_sheet_by_name("navhist").to_python()
    assert rows[1][:2] == ["Ticker Symbol:", "MDY"]
    assert rows[3] == ["Date", "NAV", "Shares Outstanding", "Total Net Assets"]
    newest = fund_days(january, "MDY")[-1]
    assert rows[4] == ["08-Jan-2026", newest.nav, newest.shares, newest.aum]
    for other in ("iwm", "qqq", "zzz"):
        assert (await site.http(asked("www.ssga.com", path.format(other)))).status == 404


def test_the_file_of_the_other_issuers(january: Market, tmp_path: Path) -> None:
    file = tmp_path / "funds.csv"
    FundFile(january, file)
    lines = file.read_text().splitlines()
    assert lines[0] == "date,fund,nav,shares"
    assert {line.split(",")[1] for line in lines[1:]} == {"IWM", "IJR", "VB", "IBIT", "FBTC", "GBTC"}
    assert list(tmp_path.iterdir()) == [file]


async def said(site: Any, host: str, path: str, query: Mapping[str, str] | None = None) -> Any:
    reply: Reply = await site.http(asked(host, path, query))
    assert reply.status == 200
    return orjson.loads(reply.body)


async def test_outside_facts_are_of_the_same_market(january: Market) -> None:
    site = OutsideSite(january)
    chains = await said(site, "api.llama.fi", "/v2/historicalChainTvl")
    assert chains[-1]["tvl"] == pytest.approx(0.04 * january.all_capitalisation(chains[-1]["date"]))
    dexs = await said(site, "api.llama.fi", "/overview/dexs")
    assert dexs["total24h"] / dexs["total48hto24h"] == pytest.approx(1 + dexs["change_1d"] / 100)
    query = {"assets": "btc,eth", "metrics": "AdrActCnt,TxCnt", "limit_per_asset": "9"}
    rows = (await said(site, "community-api.coinmetrics.io", "/v4/timeseries/asset-metrics", query))["data"]
    assert len(rows) == 18 and all(isinstance(row["AdrActCnt"], str) for row in rows)
    mood = (await said(site, "api.alternative.me", "/fng/", {"limit": "10"}))["data"]
    assert len(mood) == 10 and all(0 <= int(row["value"]) <= 100 for row in mood)
    assert [int(row["timestamp"]) for row in mood] == sorted((int(row["timestamp"]) for row in mood), reverse=True)
    query = {"series_id": "DGS10", "api_key": "x", "limit": "10"}
    values = [
        row["value"]
        for row in (await said(site, "api.stlouisfed.org", "/fred/series/observations", query))["observations"]
    ]
    assert "." in values, "a weekend has no value"
    assert np.mean([float(value) for value in values if value != "."]) == pytest.approx(january.price("^TNX"), rel=0.2)
    keyless = await site.http(asked("api.stlouisfed.org", "/fred/series/observations", {"series_id": "DFF"}))
    assert keyless.status == 400
    reply = await site.http(asked("www.nasdaqtrader.com", "/dynamic/symdir/nasdaqtraded.txt"))
    text = reply.body.decode().splitlines()
    assert text[-1].startswith("File Creation Time: 01092026")
    assert any(line.startswith("Y|IWM|iShares Russell 2000 ETF|") for line in text)
    assert (await site.http(asked("api.llama.fi", "/nothing"))).status == 404


async def test_categories_are_the_groups_of_coins(january: Market) -> None:
    rows = await said(CoinGeckoSite(january), "api.coingecko.com", "/api/v3/coins/categories")
    memes = next(row for row in rows if row["id"] == "meme-token")
    coins = [base for base, coin in january.scenario.coins.items() if coin.group == "meme"]
    assert memes["market_cap"] == pytest.approx(sum(january.capitalisation(base) for base in coins))
