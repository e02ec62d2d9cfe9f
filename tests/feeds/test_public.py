"""CoinGecko over real TLS: whole-market facts on a budget, names looked up once, refusals said as what they are."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.config import Config, Crypto
from engine.errors import BadDataError, BlockedError, FeedError, RateLimitedError, TransientError
from feeds.link import Context
from feeds.public import IDS, CoinGecko
from feeds.translate import translate
from simulator.gateway import Reply, Request, Socket
from tests.feeds.asking import Sleeps, asking
from tests.feeds.conftest import IN_SESSION
from tests.feeds.fakes import RecordingSink
from tests.feeds.links import RecordingLink, running, until
from tests.feeds.yahoo_site import html

CONFIG = Config(crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "odd": ("ZZZ", "NEWCOIN")}, alt=("odd",)))
GLOBAL = {
    "data": {
        "updated_at": 1_767_972_000,
        "total_volume": {"usd": 155.5e9, "eur": 1.0},
        "total_market_cap": {"usd": 3.2e12},
        "market_cap_percentage": {"btc": 57.1, "eth": 11.9, "usdt": "x"},
    }
}
COINS = [
    {
        "id": "bitcoin",
        "symbol": "btc",
        "total_volume": 42.4e9,
        "market_cap": 1.82e12,
        "last_updated": "2026-01-09T15:20:00.123Z",
    },
    {"id": "ethereum", "symbol": "eth", "total_volume": 20e9, "market_cap": None, "last_updated": None},
    {"id": "new-2", "symbol": "newcoin", "total_volume": 5e6, "market_cap": 9e6, "last_updated": "soon"},
    {"id": "new-1", "symbol": "newcoin", "total_volume": 1e3, "market_cap": 1e4, "last_updated": None},
]
LIST = [{"id": coin["id"], "symbol": coin["symbol"]} for coin in COINS] + ["rubbish", {"id": "x", "symbol": None}]


class Gecko:
    hosts = frozenset({"api.coingecko.com"})

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.said: deque[Reply] = deque()

    async def http(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.said:
            return self.said.popleft()
        path = request.path.removeprefix("/api/v3")
        if path == "/global":
            return Reply.json(GLOBAL)
        if path == "/coins/list":
            return Reply.json(LIST)
        assert request.first("vs_currency") == "usd"
        asked = request.first("ids").split(",")
        return Reply.json([coin for coin in COINS if coin["id"] in asked])

    async def socket(self, request: Request, socket: Socket) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        await asyncio.Event().wait()

    @property
    def paths(self) -> list[str]:
        return [request.path.removeprefix("/api/v3") for request in self.requests]


@pytest.fixture
def gecko() -> Gecko:
    return Gecko()


@pytest.fixture
async def context(gecko: Gecko, sink: RecordingSink, tmp_path: Path) -> AsyncIterator[Context]:
    async with asking(gecko, CONFIG, sink, tmp_path) as made:
        yield made


def slept(context: Context) -> list[float]:
    assert isinstance(context.clock, Sleeps)
    return context.clock.slept


async def test_the_whole_market_and_each_base(context: Context, gecko: Gecko, sink: RecordingSink) -> None:
    link = RecordingLink()
    async with running(CoinGecko(CONFIG).run(context, link)):
        await until(lambda: slept(context))
    whole, *rest = sink.facts
    facts = {fact.base: fact for fact in rest}
    assert (whole.base, whole.all_markets_usd, whole.market_cap_usd, whole.dominance_pct) == (
        "*",
        155.5e9,
        3.2e12,
        None,
    )
    assert whole.as_of == 1_767_972_000
    btc = facts["BTC"]
    assert (btc.all_markets_usd, btc.market_cap_usd, btc.dominance_pct) == (42.4e9, 1.82e12, 57.1)
    assert btc.as_of == datetime(2026, 1, 9, 15, 20, 0, 123000, tzinfo=UTC).timestamp()
    assert (facts["ETH"].market_cap_usd, facts["ETH"].dominance_pct) == (None, 11.9)
    assert facts["ETH"].as_of == pytest.approx(IN_SESSION.timestamp(), abs=20)
    assert (facts["NEWCOIN"].all_markets_usd, facts["NEWCOIN"].dominance_pct) == (5e6, None)
    assert set(facts) == {"BTC", "ETH", "NEWCOIN"}
    assert link.is_settled
    assert link.heards == [("coingecko:facts", None)]


async def test_of_several_coins_with_one_ticker_the_biggest_is_taken_and_remembered(
    context: Context, gecko: Gecko, sink: RecordingSink
) -> None:
    async with running(CoinGecko(CONFIG).run(context, RecordingLink())):
        await until(lambda: slept(context))
    assert gecko.paths == ["/global", "/coins/list", "/coins/markets", "/coins/markets"]
    assert gecko.requests[-1].first("ids") == "bitcoin,ethereum,new-2"
    gecko.requests.clear()
    async with running(CoinGecko(CONFIG).run(context, RecordingLink())):
        await until(lambda: len(slept(context)) == 2)
    assert gecko.paths == ["/global", "/coins/markets"]


async def test_without_a_key_the_budget_is_slower_and_said(context: Context, gecko: Gecko) -> None:
    link = RecordingLink()
    async with running(CoinGecko(CONFIG).run(context, link)):
        await until(lambda: slept(context))
    assert slept(context) == [480.0]
    assert link.notes == ["no key in COINGECKO_DEMO_API_KEY, so every 480 s; unknown to CoinGecko: ZZZ"]
    assert "x-cg-demo-api-key" not in gecko.requests[0].headers


async def test_with_a_key_it_is_sent_and_the_rounds_are_closer(
    context: Context, gecko: Gecko, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    config = replace(CONFIG, coingecko=replace(CONFIG.coingecko, key_env="MY_KEY"))
    async with running(CoinGecko(config).run(context, RecordingLink())):
        await until(lambda: slept(context))
    assert slept(context) == [120.0]
    assert {request.headers["x-cg-demo-api-key"] for request in gecko.requests} == {"secret"}


async def test_the_default_universe_needs_no_look_up(context: Context, gecko: Gecko) -> None:
    assert set(Config().crypto.bases) <= set(IDS)
    assert len(set(IDS.values())) == len(IDS)
    async with running(CoinGecko(Config()).run(context, RecordingLink())):
        await until(lambda: slept(context))
    assert gecko.paths == ["/global", "/coins/markets"]


@pytest.mark.parametrize("text", ["", "{", '{"at": 1, "ids": {}}', '{"at": "x"}', "[]"])
async def test_a_damaged_or_old_file_of_names_is_made_anew(context: Context, gecko: Gecko, text: str) -> None:
    context.cache.mkdir()
    (context.cache / "coingecko-ids.json").write_text(text)
    async with running(CoinGecko(CONFIG).run(context, RecordingLink())):
        await until(lambda: slept(context))
    assert "/coins/list" in gecko.paths


def without(name: str) -> Any:
    return {"data": {key: value for key, value in GLOBAL["data"].items() if key != name}}


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(429, b"", {"Retry-After": "61"}), RateLimitedError, "61 s"),
        (Reply(429, b"Throttled"), RateLimitedError, "rate limit"),
        (html("Attention Required! | Cloudflare", 403), BlockedError, "403"),
        (html("oops", 502), TransientError, "502"),
        (html("hello"), BadDataError, "no JSON"),
        (Reply(200, b""), BadDataError, "no JSON"),
        (Reply.json([]), BadDataError, "no whole-market figures"),
        (Reply.json({"data": None}), BadDataError, "no whole-market figures"),
        (Reply.json(without("total_volume")), BadDataError, "no whole-market figures"),
    ],
)
async def test_what_is_no_answer_is_said_as_what_it_is(
    context: Context, gecko: Gecko, reply: Reply, kind: type[FeedError], words: str
) -> None:
    gecko.said.append(reply)
    async with asyncio.timeout(10):
        with pytest.raises(Exception) as raised:
            await CoinGecko(CONFIG).run(context, RecordingLink())
    error = translate(raised.value)
    assert type(error) is kind, error
    assert words in str(error)


async def test_a_host_that_is_refused_is_a_failure_on_the_way(context: Context) -> None:
    nowhere = replace(context, border=replace(context.border, proxy="http://127.0.0.1:9"))
    with pytest.raises(Exception) as raised:
        await CoinGecko(CONFIG).run(nowhere, RecordingLink())
    assert isinstance(translate(raised.value), TransientError)
