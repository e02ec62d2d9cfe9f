"""Funds' days from files, from SSGA's site and from Yahoo, against the simulated issuers; and `sizewatch flows`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

import sizewatch
from engine.clock import Clock
from engine.config import Config, Flows, Network
from engine.database import Database
from engine.errors import BadDataError, BlockedError
from engine.flow_imports import Keeper
from engine.flow_store import load_days, load_published
from engine.flow_table import flow_rows
from engine.model import FundDay, FundDays
from feeds import funds
from feeds.flow_command import FlowCommand
from feeds.funds import FundFiles, Ssga, YahooFunds, estimated_day, last_session
from feeds.link import Context
from feeds.network import Border
from simulator.authority import Authority
from simulator.funds import SsgaSite, fund_days
from simulator.gateway import Gateway, Reply, Request
from simulator.market import Market
from simulator.scenario import load
from simulator.yahoo import YahooSite
from tests.feeds.fakes import RecordingSink
from tests.feeds.links import RecordingLink, running, until

GROUPS = {"small": ("IWM", "SCHA"), "mid": ("MDY",), "large": ("SPY",)}
CONFIG = Config(flows=Flows(groups=GROUPS))


class Refusing(SsgaSite):
    """SSGA's site, which refuses what it is told to."""

    refused: frozenset[str] = frozenset()

    async def http(self, request: Request) -> Reply:
        if any(f"-{fund}." in request.path for fund in self.refused):
            return Reply(403, b"<html>Access Denied</html>", {}, "text/html")
        return await super().http(request)


@pytest.fixture(scope="session")
def market() -> Market:
    scenario = load("january-2026")
    return Market(scenario, scenario.start.timestamp)


@pytest.fixture
def site(market: Market) -> Refusing:
    return Refusing(market)


@pytest.fixture
async def context(market: Market, site: Refusing, sink: RecordingSink, tmp_path: Path) -> AsyncIterator[Context]:
    folder = tmp_path / "authority"
    folder.mkdir()
    gateway = Gateway([site, YahooSite(market)], Authority(folder))
    await gateway.start()
    border = Border(proxy=gateway.proxy, ca_file=gateway.ca_file, timeout=5.0)
    yield Context(CONFIG, Clock.starting_at(market.scenario.start), sink, border, tmp_path / "cache")
    await gateway.stop()


async def test_ssgas_workbooks_come_whole_and_once_a_day(context: Context, sink: RecordingSink, market: Market) -> None:
    link = RecordingLink()
    async with running(Ssga(CONFIG).run(context, link)):
        await until(lambda: link.is_settled)
    assert [(days.source, days.days[0].fund) for days in sink.fund_days] == [("ssga", "MDY"), ("ssga", "SPY")]
    newest = fund_days(market, "SPY")[-1]
    assert sink.fund_days[1].days[0] == FundDay("SPY", date(2026, 1, 8), newest.nav, newest.shares, newest.aum)
    sink.fund_days.clear()
    link = RecordingLink()
    async with running(Ssga(CONFIG).run(context, link)):
        await until(lambda: link.is_settled)
    assert not sink.fund_days, "asked a moment ago"


async def test_one_refused_fund_is_named_and_all_refused_end_the_life(
    context: Context, site: Refusing, sink: RecordingSink
) -> None:
    site.refused = frozenset({"spy"})
    link = RecordingLink()
    async with running(Ssga(CONFIG).run(context, link)):
        await until(lambda: link.is_settled)
    assert [days.days[0].fund for days in sink.fund_days] == ["MDY"]
    assert link.notes[-1] is not None and "ssga.com refuses" in link.notes[-1] and "save it by hand" in link.notes[-1]
    (context.cache / "ssga-asked").unlink()
    site.refused = frozenset({"spy", "mdy"})
    with pytest.raises(BlockedError, match="save it by hand"):
        await asyncio.wait_for(Ssga(CONFIG).run(context, RecordingLink()), 10)


async def test_configured_files_are_read_again_when_they_change(
    context: Context, sink: RecordingSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(funds, "FILES_PAUSE_S", 0.05)
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("date,fund,nav,shares\n2026-01-08,IWM,220,300000000\n")
    bad.write_text("date,fund,nav,shares\n2026-01-08,IWM,abc,1\n")
    link = RecordingLink()
    feed = FundFiles(Config(flows=Flows(files=(str(good), str(bad)))))
    async with running(feed.run(context, link)):
        await until(lambda: link.is_settled)
        assert len(sink.fund_days) == 1
        assert link.notes[-1] == "bad.csv: table row 2: nav 'abc' is no positive number"
        bad.write_text("date,fund,nav,shares\n2026-01-08,IJR,120,1\n")
        await until(lambda: "too few for a fund" in (link.notes[-1] or ""))
        bad.write_text("date,fund,nav,shares\n2026-01-08,IJR,120,190000000\n")
        await until(lambda: len(sink.fund_days) == 3)
        await until(lambda: link.notes[-1] is None)
    with pytest.raises(BadDataError, match="No such file"):
        await asyncio.wait_for(FundFiles(Config(flows=Flows(files=("/nowhere/x.csv",)))).run(context, link), 10)


async def test_yahoo_gives_an_estimate_of_what_nobody_else_gives(
    context: Context, sink: RecordingSink, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(funds, "YAHOO_GAP_S", 0.0)
    link = RecordingLink()
    async with running(YahooFunds(CONFIG).run(context, link)):
        await until(lambda: link.notes)
    assert link.notes == ["without assets or NAV: SCHA"]
    (days,) = sink.fund_days
    (day,) = days.days
    assert (days.source, day.fund, day.date) == ("yahoo", "IWM", date(2026, 1, 8))
    assert day.shares == pytest.approx(fund_days(market, "IWM")[-1].shares, rel=0.1)


def test_an_estimate_needs_both_figures() -> None:
    today = date(2026, 1, 8)
    assert estimated_day("VB", today, {"totalAssets": 7e10, "navPrice": 250.0}) == FundDay(
        "VB", today, 250.0, 2.8e8, 7e10
    )
    for row in (None, {}, {"totalAssets": None, "navPrice": 1.0}, {"totalAssets": 1e9, "navPrice": 0}):
        assert estimated_day("VB", today, row) is None


def test_the_last_session_is_one_that_has_closed() -> None:
    assert last_session(datetime(2026, 1, 9, 15, 30, tzinfo=UTC).timestamp()) == date(2026, 1, 8)
    assert last_session(datetime(2026, 1, 10, 15, 30, tzinfo=UTC).timestamp()) == date(2026, 1, 9)


# --- the command


@pytest.fixture
def said(tmp_path: Path) -> list[str]:
    return []


def command(keeper: Keeper, said: list[str]) -> FlowCommand:
    return FlowCommand(
        keeper.keep,
        keeper.keep_published,
        lambda *lines: said.extend(lines),
        lambda *lines: said.extend(f"! {x}" for x in lines),
    )


def test_a_damaged_file_imports_nothing_and_the_others_are_imported(tmp_path: Path, said: list[str]) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    rows = [f"2026-01-0{day},IWM,22{day},{300_000_000 + day * 50_000}" for day in (5, 6, 7, 8)]
    good.write_text("\n".join(["date,fund,nav,shares", *rows, "2026-01-03,IWM,1,1"]))
    bad.write_text("date,fund,nav,shares\n2026-01-08,IJR,120,5\n2026-01-09,IJR,x,5\n")
    with Keeper(tmp_path / "data") as keeper:
        assert command(keeper, said).bring_in([bad, good], None) == 1
        assert command(keeper, said).bring_in([good], None) == 0
    assert said[0] == "! bad.csv: table row 3: nav 'x' is no positive number; nothing of it was imported"
    assert said[1].startswith("good.csv: IWM, 5 rows of csv, 2026-01-03 to 2026-01-08; 5 added, 0 changed, 0 same; ")
    assert said[1].endswith("none set aside; 1 on days without a session, not used")
    assert "0 added, 0 changed, 5 same" in said[2]
    database = Database(tmp_path / "data")
    assert set(load_days(database)["fund"]) == {"IWM"}
    database.close()


def test_the_lag_that_was_found_is_said(tmp_path: Path, said: list[str], market: Market) -> None:
    days = fund_days(market, "SPY")[-200:]
    late = [FundDay("SPY", d.day, d.nav, float(before.shares), d.aum) for before, d in pairwise(days)]
    with Keeper(tmp_path) as keeper:
        line = keeper.keep("navhist-us-en-spy.xlsx", FundDays("ssga", tuple(late)))
    assert "counts are printed late: SPY by 1 session;" in line


def test_published_flows_show_the_lag_that_a_file_without_assets_hides(
    tmp_path: Path, said: list[str], market: Market
) -> None:
    days = fund_days(market, "IWM")[-300:]
    printed, flows = tmp_path / "iwm.csv", tmp_path / "published.csv"
    lines = [f"{d.day},IWM,{d.nav},{before.shares}" for before, d in pairwise(days)]
    printed.write_text("\n".join(["date,fund,nav,shares", *lines]))
    lines = [f"{d.day},IWM,{(d.shares - before.shares) * d.nav / 1e6:.1f}" for before, d in pairwise(days)]
    flows.write_text("\n".join(["date,fund,flow", *lines]))
    with Keeper(tmp_path / "data") as keeper:
        assert command(keeper, said).bring_in([printed, flows, printed], None) == 0
    assert "nothing in it shows how late its counts are" in said[0]
    assert said[1].startswith(
        "published.csv: 299 published flows of IWM; 299 added, 0 changed, 0 same; counts are printed"
    )
    assert "counts are printed late: IWM by 1 session" in said[2]
    database = Database(tmp_path / "data")
    published, stored = load_published(database), load_days(database)
    database.close()
    row = flow_rows(stored, GROUPS, stored["date"].to_list(), published)[1].cells
    assert (row["fund"], row["lag"], row["lag_evidence"]) == ("IWM", 1, "published")
    for text in ("date,fund,flow\n2026-01-08,IWM,x\n", "date,fund,flow\n2026-01-08,IWM,1\n2026-01-08,IWM,2\n"):
        flows.write_text(text)
        with Keeper(tmp_path / "data") as keeper:
            assert command(keeper, said).bring_in([flows], None) == 1


async def test_fetch_says_what_came_what_was_refused_and_where_to_get_the_rest(
    context: Context, site: Refusing, tmp_path: Path, said: list[str]
) -> None:
    site.refused = frozenset({"mdy"})
    network = Network(proxy=context.border.proxy or "", ca_file=context.border.ca_file or "")
    config = Config(network=network, flows=Flows(groups=GROUPS))
    with Keeper(tmp_path / "data") as keeper:
        code = await asyncio.to_thread(command(keeper, said).fetch, config, ())
    assert code == 1
    assert said[0].startswith(
        "! MDY: ssga.com refuses (the venue refuses this place or this client (HTTP 403)); save it"
    )
    assert said[1].startswith("navhist-us-en-spy.xlsx: SPY, 2,600 rows of ssga, ")
    assert said[2] == "not fetched: IWM, SCHA"


def test_the_front_door_imports_into_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config, file = tmp_path / "own.toml", tmp_path / "flows.csv"
    config.write_text('[store]\npath = "data"\n')
    file.write_text("date,nav,shares\n2026-01-08,220,300000000\n")
    monkeypatch.chdir(tmp_path)
    assert sizewatch.main(["flows", "import", "flows.csv", "--config", "own.toml"]) == 1
    assert "name it with --fund TICKER; nothing of it was imported" in capfd.readouterr().err
    assert sizewatch.main(["flows", "import", "flows.csv", "--fund", "iwm", "--config", "own.toml"]) == 0
    assert capfd.readouterr().out.startswith("flows.csv: IWM, 1 rows of csv")
    assert (tmp_path / "data" / "sizewatch.db").is_file()
    for wrong in (["flows"], ["flows", "import"], ["flows", "import", "x", "--fund", "a b"]):
        assert sizewatch.main(wrong) == 2
