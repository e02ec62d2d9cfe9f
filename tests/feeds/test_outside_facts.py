"""Outside facts: each site's format read right, dirt left out, the budget kept over restarts, refusals told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.config import Config
from engine.config import Facts as Wanted
from engine.errors import BadDataError, BlockedError, FeedError, RateLimitedError
from engine.model import OutsideFact
from feeds import outside_answers as answers
from feeds import outside_facts
from feeds.link import Context
from feeds.public import whole_market
from simulator.gateway import Reply, Request, Socket
from tests.feeds.asking import Sleeps, asking
from tests.feeds.conftest import IN_SESSION
from tests.feeds.fakes import RecordingSink
from tests.feeds.links import RecordingLink, running, until

NOW = IN_SESSION.timestamp()
DAY = 86_400.0
GLOBAL = {"total_volume": {"usd": 1.2e11}, "total_market_cap": {"usd": 3e12}, "market_cap_percentage": {"btc": 58.1}}


def read(name: str, answer: Any) -> dict[str, OutsideFact]:
    return {fact.fact: fact for fact in getattr(answers, name)(answer, NOW)}


def test_categories() -> None:
    rows = [
        {"id": "meme-token", "market_cap": 4.2e10, "market_cap_change_24h": -2.5, "updated_at": "2026-01-09T15:00:00Z"},
        {"id": "layer-1", "market_cap": None, "market_cap_change_24h": 1.0},
        {"id": "artificial-intelligence", "market_cap": 1e10, "market_cap_change_24h": None, "updated_at": "soon"},
        {"id": "stablecoins", "market_cap": 3e11},
        "rubbish",
    ]
    found = read("categories", rows)
    assert set(found) == {"category_meme", "category_ai"}
    assert found["category_meme"][1:] == (4.2e10, "USD", 1_767_970_800.0, "coingecko", 6 * 3600.0, -2.5, "1d", ())
    assert (found["category_ai"].as_of, found["category_ai"].change_pct) == (NOW, None)


def test_defillama() -> None:
    found = read("dex_volume", {"total24h": 8.7e9, "change_1d": -4.1})
    assert (found["dex_volume_24h"].value, found["dex_volume_24h"].change_pct) == (8.7e9, -4.1)
    days = [{"date": NOW - age * DAY, "tvl": 1e11 * (1 - age / 100)} for age in range(10)]
    locked = read("locked", [*days, {"date": "x", "tvl": 1}, {"date": NOW, "tvl": None}])["defi_tvl"]
    assert (locked.value, locked.as_of, locked.change_over) == (1e11, NOW, "7d")
    assert locked.change_pct == pytest.approx(100 * (1 / 0.93 - 1))


def test_on_chain_counts_are_texts_and_of_whole_days() -> None:
    rows = [
        {"asset": "btc", "time": f"2026-01-0{day}T00:00:00.000000000Z", "AdrActCnt": str(700_000 + day), "TxCnt": None}
        for day in range(1, 9)
    ]
    found = read("on_chain", {"data": rows})
    assert set(found) == {"btc_active_addresses"}
    fact = found["btc_active_addresses"]
    assert fact.value == 700_008
    assert fact.as_of == answers.moment("2026-01-09"), "the day of the 8th is whole when it ends"
    assert fact.change_pct == pytest.approx(100 * (700_008 / 700_001 - 1))


def test_sentiment_values_are_texts() -> None:
    rows = [{"value": "28", "timestamp": "1767916800"}, {"value": "101", "timestamp": "1767920000"}, {"value": "x"}]
    fact = read("sentiment", {"data": rows})["fear_greed"]
    assert (fact.value, fact.as_of, fact.change_pct) == (28.0, 1_767_916_800.0, None)


def test_a_rates_dot_is_missing_and_a_rate_may_be_negative() -> None:
    rows = [{"date": "2026-01-08", "value": "."}, {"date": "2026-01-07", "value": "-0.12"}]
    (fact,) = answers.rates("T10YIE", {"observations": rows}, NOW)
    assert (fact.fact, fact.value, fact.as_of) == ("breakeven_10y", -0.12, answers.moment("2026-01-07"))


HEAD = (
    "Nasdaq Traded|Symbol|Security Name|Listing Exchange|Market Category|ETF|Round Lot Size|Test Issue|"
    "Financial Status|CQS Symbol|NASDAQ Symbol|NextShares"
)
DIRECTORY = "\r\n".join(
    [
        HEAD,
        "Y|IJR|iShares Core S&P Small-Cap ETF|P| |Y|100|N||IJR|IJR|N",
        "Y|IWM|iShares Russell 2000 ETF|P| |Y|100|N||IWM|IWM|N",
        "Y|TNA|Direxion Daily Small Cap Bull 3X Shares|P| |Y|100|N||TNA|TNA|N",
        "Y|SMCO|Small Cap Holdings Inc. - Common Stock|Q|S|N|100|N|N||SMCO|N",
        "Y|SPY|State Street SPDR S&P 500 ETF Trust|P| |Y|100|N||SPY|SPY|N",
        "Y|ZSML|Test Small Cap ETF|Q|G|Y|100|Y|N||ZSML|N",
        "File Creation Time: 0109202609:31|||||||||||",
        "",
    ]
)


def test_small_cap_funds_of_the_symbol_directory() -> None:
    fact = read("small_cap_etfs", DIRECTORY)["small_cap_etfs"]
    assert (fact.value, fact.members) == (2, ("IJR", "IWM"))
    assert fact.as_of == answers.moment("2026-01-09T12:00")
    with pytest.raises(BadDataError, match="not whole"):
        read("small_cap_etfs", DIRECTORY.rpartition("File Creation")[0])
    with pytest.raises(BadDataError, match="no such columns"):
        read("small_cap_etfs", "<html></html>")


def test_a_figure_that_is_dated_far_ahead_is_none() -> None:
    # held as the newest, it would keep every later one out; milliseconds look like that
    days = [{"date": NOW - DAY, "tvl": 2e11}, {"date": NOW * 1000, "tvl": 9e11}]
    assert read("locked", days)["defi_tvl"][1:4] == (2e11, "USD", NOW - DAY)
    rows = [{"date": "9999-01-01", "value": "9"}, {"date": "2026-01-07", "value": "4.1"}]
    (rate,) = answers.rates("DGS10", {"observations": rows}, NOW)
    assert rate.value == 4.1
    coin = {"id": "meme-token", "market_cap": 1e10, "updated_at": "2999-01-01T00:00:00Z"}
    assert read("categories", [coin])["category_meme"].as_of == NOW, "the time of arrival, where it names none"
    market, _ = whole_market({"data": GLOBAL | {"updated_at": NOW * 1000}}, NOW)
    assert market.as_of == NOW


def test_numbers_beyond_a_float_are_none() -> None:
    assert answers.number(10**400) is None
    days = [{"date": NOW, "tvl": 1e11}, {"date": NOW - 7 * DAY, "tvl": 5e-324}]
    fact = read("locked", days)["defi_tvl"]
    assert (fact.value, fact.change_pct, fact.change_over) == (1e11, None, None)


def test_a_symbol_directory_of_no_day_is_refused_in_words() -> None:
    with pytest.raises(BadDataError, match="is of no day: 13/45/2026"):
        read("small_cap_etfs", DIRECTORY.replace("01092026", "13452026"))


@pytest.mark.parametrize(
    "answer", [None, [], {}, "", 5, {"data": None}, [{}], {"observations": [{}]}, {"total24h": True}]
)
def test_an_answer_without_figures_is_an_error_and_never_another_exception(answer: Any) -> None:
    for reader in (
        answers.categories, answers.dex_volume, answers.locked, answers.on_chain, answers.sentiment,
        partial(answers.rates, "DFF"),
    ):  # fmt: skip
        with pytest.raises(BadDataError, match="without the figures"):
            answers.whole(reader, answer, NOW)


# --- over the wire


class Sites:
    hosts = frozenset({"api.alternative.me", "api.stlouisfed.org"})

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.said: deque[Reply] = deque()

    async def http(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.said:
            return self.said.popleft()
        if request.host.startswith("api.alternative"):
            return Reply.json({"data": [{"value": "28", "timestamp": str(int(NOW) - 3600)}]})
        series = request.first("series_id")
        return Reply.json({"observations": [{"date": "2026-01-08", "value": str(len(series))}]})

    async def socket(self, request: Request, socket: Socket) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def sites() -> Sites:
    return Sites()


@pytest.fixture
async def context(sites: Sites, sink: RecordingSink, tmp_path: Path) -> AsyncIterator[Context]:
    async with asking(sites, Config(), sink, tmp_path) as made:
        yield made


def only(name: str) -> outside_facts.Facts:
    return next(feed for feed in outside_facts.feeds(Config()) if feed.source == name)


async def test_a_restart_asks_no_sooner_than_the_budget_allows(
    context: Context, sites: Sites, sink: RecordingSink
) -> None:
    assert isinstance(context.clock, Sleeps)
    for life in (1, 2):
        link = RecordingLink()
        async with running(only("alternative.me").run(context, link)):
            await until(lambda life=life: len(context.clock.slept) == life)  # type: ignore[misc]
        assert link.is_settled
        assert [fact.value for fact in sink.outside] == [28.0] * life
    assert len(sites.requests) == 1
    assert context.clock.slept[0] == 3600.0
    assert 3400 < context.clock.slept[1] <= 3600


async def test_a_damaged_cache_is_asked_over(context: Context, sites: Sites, sink: RecordingSink) -> None:
    context.cache.mkdir()
    ahead = {"at": NOW, "facts": [OutsideFact("fear_greed", 28.0, "0-100", NOW * 1000, "alternative.me", 9e4)]}
    dirt = (b"", b"{}", b"[]", b'{"at": 1e12, "facts": [[1]]}', orjson.dumps({"at": NOW, "facts": 7}))
    for text in (*dirt, orjson.dumps(ahead, default=tuple)):
        (context.cache / "facts-alternative.me.json").write_bytes(text)
        sink.outside.clear()
        async with running(only("alternative.me").run(context, RecordingLink())):
            await until(lambda: sink.outside)
    assert len(sites.requests) == 6


async def test_fred_is_asked_with_the_users_key_alone(
    context: Context, sites: Sites, sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MY_FRED", raising=False)
    config = Config(facts=Wanted(fred_key_env="MY_FRED"))
    assert "fred" not in {feed.source for feed in outside_facts.feeds(config)}
    monkeypatch.setenv("MY_FRED", "secret")
    feed = next(feed for feed in outside_facts.feeds(config) if feed.source == "fred")
    async with running(feed.run(context, RecordingLink())):
        await until(lambda: len(sink.outside) == 3)
    assert [request.first("api_key") for request in sites.requests] == ["secret"] * 3
    assert {fact.fact: fact.value for fact in sink.outside} == {"fed_funds": 3, "treasury_10y": 5, "breakeven_10y": 6}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply.json({}, 403), BlockedError),
        (Reply.json({}, 429, {"retry-after": "77"}), RateLimitedError),
        (Reply(200, b"<html>"), BadDataError),
        (Reply.json({"data": []}), BadDataError),
    ],
)
async def test_a_refusal_is_told_as_what_it_is(
    context: Context, sites: Sites, sink: RecordingSink, reply: Reply, error: type[FeedError]
) -> None:
    sites.said.append(reply)
    with pytest.raises(error):
        await asyncio.wait_for(only("alternative.me").run(context, RecordingLink()), 10)
    assert not sink.outside
