"""Live mode behind any proxy: what its far side serves is shown, and of the rest it is said why it is missing."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator.authority import Authority
from simulator.gateway import Gateway
from tests.feeds.yahoo_site import YahooSite
from tests.program import COMMAND, surroundings
from tests.realdata import DATA, needs_real_data
from tests.recorded.answers import Answers, http_of, messages_of

FRAMES = DATA / "frames"
YAHOO = DATA / "yahoo" / "answers"

pytestmark = needs_real_data


def recorded_quotes() -> dict[str, dict[str, Any]]:
    body = json.loads((YAHOO / "quote-AAPL-BABA.json").read_text(encoding="utf-8"))["response"]["bodyJson"]
    return {row["symbol"]: row for row in body["quoteResponse"]["result"]}


def recorded_tickers() -> list[dict[str, Any]]:
    """BTC/USDT on OKX, as its own messages say."""
    texts = [json.loads(text) for _, text in messages_of(FRAMES / "OKX.ws.1.0")]
    tickers = [text for text in texts if text.get("arg", {}).get("channel") == "tickers"]
    return [item for text in tickers for item in text.get("data", ()) if item["instId"] == "BTC-USDT"]


def okx() -> Answers:
    address = "https://www.okx.com/api/v5/public/instruments?instType=SPOT"
    return Answers(
        ["www.okx.com", "ws.okx.com"],
        {"/api/v5/public/instruments": http_of(FRAMES / "OKX.0")[address]},
        [text for _, text in messages_of(FRAMES / "OKX.ws.1.0")],
        wanted=lambda text: '"channel":"tickers"' in text,
    )


async def test_recorded_values_are_shown_and_what_is_refused_says_why(tmp_path: Path) -> None:
    yahoo = YahooSite()
    yahoo.rows = dict(recorded_quotes())
    folder = tmp_path / "authority"
    folder.mkdir()
    gateway = Gateway([yahoo, okx()], Authority(folder))
    await gateway.start()
    config = tmp_path / "own.toml"
    config.write_text(
        f"""
        [network]
        proxy = "{gateway.proxy}"
        ca_file = "{gateway.ca_file}"
        timeout = 5
        [crypto]
        exchanges = ["okx", "kraken"]
        [equity]
        symbols = ["AAPL", "BABA"]
        stream = false
        """
    )
    at = datetime(2025, 2, 18, 16, tzinfo=UTC)
    try:
        program = await asyncio.create_subprocess_exec(
            *COMMAND, "snapshot", "--json", "--config", str(config), "--at", at.isoformat(), "--wait", "40",
            cwd=tmp_path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=surroundings(tmp_path),
        )  # fmt: skip
        out, errors = await asyncio.wait_for(program.communicate(), 90)
    finally:
        await gateway.stop()
    assert program.returncode == 0, errors.decode()
    said = json.loads(out)
    assert said["mode"] == "live"
    assert said["as_of"].startswith("2025-02-18T16:0")
    quotes = {row["symbol"]: row for row in said["tables"]["quotes"]}
    feeds = {row["source"]: row for row in said["tables"]["feeds"]}

    for symbol, row in recorded_quotes().items():
        assert quotes[symbol]["last"] == row["regularMarketPrice"]
        assert quotes[symbol]["source"] == "yahoo-poll"
        assert quotes[symbol]["simulated"] is False
    ticker = recorded_tickers()[-1]
    assert (quotes["BTC/USD"]["source"], quotes["BTC/USD"]["venue_symbol"]) == ("okx", "BTC/USDT")
    assert quotes["BTC/USD"]["last"] == float(ticker["last"])
    assert quotes["BTC/USD"]["status"] in {"estimated", "stale"}  # nobody says what a USDT costs; and it is of 2022
    assert quotes["ETH/USD"]["last"] is None

    refused = [feeds[name] for name in ("kraken", "kraken-bars", "coingecko")]
    for feed in refused:
        assert feed["state"] in {"reconnecting", "connecting"}
        assert "proxy" in feed["error"], feed
    # one whose next try is under way at this moment has no time of it
    assert any(feed["retry_at"] is not None for feed in refused)
