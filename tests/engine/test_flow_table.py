"""`flows` row by row: groups over a day that all have reached, shares over one set of funds, labels for short pasts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import percentileofscore

from engine import markets, sessions
from engine.config import Config, Facts, Flows
from engine.database import Database
from engine.engine import Engine
from engine.flow_store import save_days
from engine.flow_table import FlowRow, flow_rows
from engine.flows import FUND_DAYS, without_frozen_estimates
from engine.model import FundDay, FundDays, MarketFact, OutsideFact, Status
from engine.outside import Outside
from engine.outside_tables import FactsMaker, FlowsMaker
from engine.view import DictView, Live
from tests.feeds.fakes import FakeClock
from tests.feeds.links import until

GROUPS = {"small": ("IWM", "IJR"), "large": ("SPY",), "spot-btc": ("IBIT",)}
END = date(2026, 1, 8)
NOW = datetime(2026, 1, 9, 15, 30, tzinfo=UTC).timestamp()
DAYS = sessions.sessions_between(date(2000, 1, 3), END)


def fund(
    name: str, n: int, *, source: str = "ishares", seed: int = 1, end: date = END, drift: float = 0
) -> pl.DataFrame:
    """`n` sessions up to `end` of a fund whose NAV and share count wander."""
    random = np.random.default_rng(seed)
    days = [day for day in DAYS if day <= end][-n:]
    n = len(days)
    nav = 200 * np.exp(np.cumsum(random.normal(0, 0.01, n)))
    shares = 3e8 * np.exp(np.cumsum(random.normal(drift, 0.002, n)))
    frame = pl.DataFrame({"date": days, "nav": nav, "shares": np.round(shares / 5e4) * 5e4})
    return frame.select(
        pl.lit(name).alias("fund"), "date", "nav", "shares", pl.lit(None, pl.Float64).alias("aum"),
        pl.lit(source).alias("source"),
    ).cast(FUND_DAYS)  # fmt: skip


def by_name(*frames: pl.DataFrame) -> dict[str, FlowRow]:
    return {str(row.cells["fund"]): row for row in flow_rows(pl.concat(frames), GROUPS, DAYS)}


def test_groups_stand_before_their_funds_and_sum_them() -> None:
    rows = flow_rows(pl.concat([fund("IWM", 300), fund("IJR", 300, seed=2), fund("QQQ", 300, seed=3)]), GROUPS, DAYS)
    assert [row.cells["fund"] for row in rows] == ["small", "IWM", "IJR", "QQQ"]
    small, iwm, ijr, _ = (row.cells for row in rows)
    for name in ("flow_1d", "flow_5d", "flow_20d", "flow_ytd", "flow_total", "aum"):
        assert small[name] == pytest.approx(iwm[name] + ijr[name])
    for row in (small, iwm, ijr):
        assert len(row["recent"]) == 20 and sum(row["recent"]) == pytest.approx(row["flow_20d"])
        assert row["recent"][-1] == pytest.approx(row["flow_1d"])
    assert iwm["share_of_group"] + ijr["share_of_group"] == pytest.approx(1)
    assert small["share_of_all"] is None, "there is nothing to be a share of"
    assert small["coverage"] == 1.0
    assert rows[0].worth is Status.OK


def test_a_fund_that_ends_earlier_holds_its_group_back() -> None:
    rows = by_name(fund("IWM", 300), fund("IJR", 300, seed=2, end=date(2026, 1, 5)))
    assert rows["small"].day == date(2026, 1, 5)
    assert rows["IWM"].day == END


def test_shares_of_a_group_are_of_one_day_and_of_its_current_funds() -> None:
    old = fund("IJR", 300, seed=2, end=date(2025, 6, 30))
    rows = by_name(fund("IWM", 300), old)
    assert rows["IWM"].cells["share_of_group"] == 1.0
    assert rows["IJR"].cells["share_of_group"] is None, "assets of half a year ago are no part of today's"
    iwm, ijr = fund("IWM", 300), fund("IJR", 300, seed=2, end=date(2026, 1, 5))
    rows = by_name(iwm, ijr)
    a, b = (x.filter(date=date(2026, 1, 5)).select(pl.col("nav") * pl.col("shares")).item() for x in (iwm, ijr))
    assert rows["IWM"].cells["share_of_group"] == pytest.approx(a / (a + b)), "of the day that both have reached"
    assert rows["IWM"].cells["share_of_group"] + rows["IJR"].cells["share_of_group"] == pytest.approx(1)


def test_a_session_that_an_issuer_left_out_makes_no_day_of_two() -> None:
    whole, left_out = fund("IWM", 300), DAYS[-4]
    gap = whole.filter(pl.col("date") != left_out)
    rows = by_name(gap, fund("SPY", 300, seed=2))
    for name in ("IWM", "small"):
        cells, full = rows[name].cells, by_name(whole)[name].cells
        assert cells["flow_1d"] == pytest.approx(full["flow_1d"])
        assert cells["flow_total"] == pytest.approx(full["flow_total"], rel=0.05), "it is booked a day later"
    assert rows["IWM"].cells["flow_20d"] == pytest.approx(by_name(whole)["IWM"].cells["flow_20d"], rel=0.05)
    assert rows["small"].cells["flow_5d"] is None
    day_after = by_name(gap.filter(pl.col("date") <= DAYS[-3]))["IWM"]
    assert (day_after.day, day_after.cells["flow_1d"], day_after.cells["flow_pct_aum"]) == (DAYS[-3], None, None)


def test_a_group_has_no_assets_on_a_day_that_one_of_its_funds_lacks() -> None:
    day = DAYS[-2]
    iwm, ijr = fund("IWM", 300, end=day), fund("IJR", 300, seed=2).filter(pl.col("date") != day)
    row = by_name(iwm, ijr)["small"]
    assert row.day == day, "the newest that both have reached"
    assert (row.cells["aum"], row.cells["flow_1d"], row.cells["flow_pct_aum"]) == (None, None, None)
    assert row.cells["recent"][-1] is None


def test_an_unknown_lag_is_empty_and_not_zero() -> None:
    plain = fund("IWM", 300)
    cells = by_name(plain)["IWM"].cells
    assert (cells["lag"], cells["lag_evidence"]) == (None, "none")
    shown = plain.with_columns(((pl.col("nav") * pl.col("shares") / 1e6).round() * 1e6).alias("aum"))
    cells = by_name(shown)["IWM"].cells
    assert (cells["lag"], cells["lag_evidence"]) == (0, "assets")


def test_the_share_has_a_percentile_from_nine_years_on_and_else_a_label() -> None:
    short = by_name(fund("IWM", 1008), fund("SPY", 1008, seed=2))
    assert short["small"].cells["percentile"] is None
    assert short["small"].cells["history"] == "iShares only, 4 years"
    with_mid = {**GROUPS, "mid": ("MDY",)}
    lacking = flow_rows(pl.concat([fund("IWM", 1008), fund("SPY", 1008, seed=2)]), with_mid, DAYS)[0]
    assert lacking.cells["history"] == "iShares only, 4 years, without mid", "a share of less than the whole is said so"
    iwm, spy = fund("IWM", 3000, drift=-2e-4), fund("SPY", 3000, seed=2, source="ssga", drift=2e-4)
    cells = by_name(iwm, spy)["small"].cells
    small, large = (frame["nav"].to_numpy() * frame["shares"].to_numpy() for frame in (iwm, spy))
    share = (small / (small + large))[-2520:]
    assert cells["share_of_all"] == pytest.approx(share[-1])
    assert cells["percentile"] == pytest.approx(percentileofscore(share, share[-1], kind="mean") / 100)
    assert cells["history"] == "iShares, SSGA, 10 years"


def test_a_young_fund_does_not_bend_the_share() -> None:
    long = (fund("IWM", 2600), fund("SPY", 2600, seed=2))
    with_young = by_name(*long, fund("IJR", 100, seed=3))["small"].cells
    without = by_name(*long)["small"].cells
    assert with_young["share_of_all"] == without["share_of_all"]
    assert with_young["percentile"] == without["percentile"]


def test_dates_without_a_session_are_dropped() -> None:
    good = fund("IWM", 30)
    saturday = good.tail(1).with_columns(pl.lit(date(2026, 1, 3)).alias("date"), pl.lit(1e8).alias("shares"))
    assert by_name(good, saturday)["IWM"].cells == by_name(good)["IWM"].cells


def test_what_is_frozen_is_stale_and_what_was_set_aside_makes_estimated() -> None:
    frozen = fund("IWM", 40).with_columns(pl.lit(3e8).alias("shares"))
    assert by_name(frozen)["IWM"].worth is Status.STALE
    jumpy = fund("IWM", 40).with_columns(
        pl.when(pl.col("date") >= date(2026, 1, 2)).then(pl.col("shares") * 1.4).otherwise("shares").alias("shares")
    )
    row = by_name(jumpy)["IWM"]
    assert (row.worth, row.cells["quarantined"], row.cells["flow_20d"]) == (Status.ESTIMATED, 1, None)
    assert by_name(fund("IWM", 40, source="yahoo"))["IWM"].worth is Status.ESTIMATED
    assert by_name(fund("IWM", 12))["IWM"].worth is Status.WARMING


def test_an_estimate_whose_assets_stand_still_books_no_flow() -> None:
    days = DAYS[-4:]
    nav, aum = [100.0, 101.0, 102.0, 103.0], [1e9, 1e9, 1e9, 1.03e9]
    frame = pl.DataFrame(
        {
            "fund": ["VB"] * 4,
            "date": days,
            "nav": nav,
            "shares": [a / n for a, n in zip(aum, nav, strict=True)],
            "aum": aum,
            "source": ["yahoo"] * 4,
        },
        schema=FUND_DAYS,
    )
    assert without_frozen_estimates(frame)["shares"].to_list() == [1e7, None, None, pytest.approx(1e7)]
    cells = by_name(frame)["VB"].cells
    assert cells["flow_1d"] is None, "the day before says nothing"
    assert cells["flow_total"] == pytest.approx(0, abs=1)


# --- kept in the database, from this process or another


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    made = Outside(Config(flows=Flows(groups=GROUPS)), tmp_path, lambda severity, text: pytest.fail(text))
    yield made
    made.close()


def fund_days(frame: pl.DataFrame) -> tuple[FundDay, ...]:
    return tuple(FundDay(*row) for row in frame.select("fund", "date", "nav", "shares", "aum").iter_rows())


async def idle(outside: Outside) -> None:
    await until(lambda: not outside._open and outside._loaded)


async def read(outside: Outside, mono: float) -> None:
    outside.poll(NOW, mono, {})
    await until(lambda: not outside._open and outside._loaded)


async def test_an_import_of_another_process_is_seen(tmp_path: Path, outside: Outside) -> None:
    maker, view = FlowsMaker(outside), DictView(NOW, simulated=True)
    await read(outside, 0.0)
    assert maker.live(None, view).is_empty()
    other = Database(tmp_path)
    save_days(other, fund_days(fund("IWM", 300)), "ishares")
    other.close()
    await read(outside, 5.0)
    assert outside.poll(NOW, 5.1, {})
    table = maker.live(None, view)
    assert table["fund"].to_list() == ["small", "IWM"]
    assert table["status"].to_list() == ["ok", "ok"] and table["simulated"].all()
    assert table["as_of"][0] == datetime(2026, 1, 8, 21, 0, tzinfo=UTC)
    assert maker.live(None, view) is table, "nothing changed, so nothing is made anew"


async def test_figures_go_stale_when_sessions_pass_without_new_ones(outside: Outside) -> None:
    outside.ingest_fund_days(FundDays("ssga", fund_days(fund("SPY", 300))))
    await read(outside, 0.0)
    maker = FlowsMaker(outside)
    day = 86_400.0
    assert set(maker.live(None, DictView(NOW + 7 * day))["status"]) == {"ok"}
    assert set(maker.live(None, DictView(NOW + 9 * day))["status"]) == {"stale"}


async def test_dominance_is_remembered_from_the_first_run_on(tmp_path: Path) -> None:
    day = 86_400.0
    for days, share in ((0, 57.0), (12, 58.0), (31, 60.5)):
        outside = Outside(Config(), tmp_path, lambda severity, text: pytest.fail(text))
        now = NOW + days * day
        facts = {"BTC": MarketFact("BTC", "coingecko", now, 1e9, 1e12, share)}
        outside.poll(now, 0.0, facts)
        await idle(outside)
        table = FactsMaker(outside).live(None, DictView(now, all_facts=facts)).head(2)
        outside.close()
        assert table["fact"].to_list() == ["btc_dominance", "btc_dominance_30d"]
        if days < 31:
            assert table["status"].to_list() == ["ok", "warming"]
            assert table["value"].to_list() == [share, None]
    assert table["value"].to_list() == [60.5, 3.5]
    assert table["change_over"].to_list() == [None, "31d"]


async def test_newcomers_are_counted_from_the_first_run_on(outside: Outside) -> None:
    day = 86_400.0

    def fact(days: int, *members: str) -> OutsideFact:
        at = NOW + days * day
        return OutsideFact("small_cap_etfs", len(members), "count", at, "nasdaqtrader", 3 * day, members=members)

    await read(outside, 0.0)
    for days, members in ((0, ("IWM", "IJR")), (1, ("IWM", "IJR", "NEW")), (40, ("IWM", "IJR", "NEW"))):
        outside.ingest_outside(fact(days, *members))
        await until(lambda: not outside._open and outside._loaded)
        table = FactsMaker(outside).live(None, DictView(NOW + days * day))
        new = table.row(by_predicate=pl.col("fact") == "small_cap_etfs_new", named=True)
        assert new["value"] == {0: None, 1: 1.0, 40: 0.0}[days]
        assert new["status"] == ("ok" if days == 40 else "warming")


def test_an_old_fact_is_stale_and_an_older_one_is_dropped(tmp_path: Path) -> None:
    wanted = Facts(categories=False, defillama=False, coinmetrics=False, symbol_directory=False, fred=False)
    outside = Outside(Config(facts=wanted), None, lambda severity, text: pytest.fail(text))
    maker = FactsMaker(outside)
    never = maker.live(None, DictView(NOW)).row(0, named=True)
    assert (never["fact"], never["value"], never["status"]) == ("fear_greed", None, "stale"), "what never came is said"
    outside.ingest_outside(OutsideFact("fear_greed", 28, "0-100", NOW, "alternative.me", 100.0))
    outside.ingest_outside(OutsideFact("fear_greed", 99, "0-100", NOW - 5, "alternative.me", 100.0))
    assert maker.live(None, DictView(NOW))["value"].to_list() == [28.0]
    assert maker.live(None, DictView(NOW + 101))["status"].to_list() == ["stale"]


def test_rates_are_per_cent_and_a_break_even_without_fred_is_an_estimate() -> None:
    maker = FactsMaker(Outside(Config(), None, lambda *_: None))
    prices = {s: Live(p, Status.OK, NOW) for s, p in (("^IRX", 3.6), ("^TNX", 41.7), ("TIP", 110.0), ("IEF", 95.0))}
    view = DictView(NOW, prices)
    rows = {r["fact"]: r for r in maker.live(None, view).to_dicts()}
    assert (rows["yield_3m"]["value"], rows["yield_3m"]["status"]) == (3.6, "ok")
    assert rows["yield_10y"]["value"] == pytest.approx(4.17), "Yahoo has quoted it tenfold"
    proxy = rows["breakeven_proxy"]
    assert (proxy["value"], proxy["status"]) == (pytest.approx(math.log(110 / 95)), "estimated")
    maker.outside.ingest_outside(OutsideFact("breakeven_10y", 2.3, "%", NOW, "fred", 1e6))
    assert "breakeven_proxy" not in maker.live(None, view)["fact"].to_list(), "the better one stands alone"
    assert "yield_3m" not in maker.live(None, DictView(NOW))["fact"].to_list()


def test_facts_and_market_figures_of_a_lost_source_are_stale() -> None:
    maker = FactsMaker(Outside(Config(), None, lambda *_: None))
    maker.outside.ingest_outside(OutsideFact("category_meme", 4e10, "USD", NOW, "coingecko", 1e6))
    maker.outside.ingest_outside(OutsideFact("fear_greed", 40.0, "0-100", NOW, "alternative.me", 1e6))
    facts = {"BTC": MarketFact("BTC", "coingecko", NOW, 4e10, None, 58.9)}

    def worth(*lost: str) -> dict[str, str]:
        view = DictView(NOW, all_facts=facts, all_lost=frozenset(lost))
        rows = {r["fact"]: r["status"] for r in maker.live(None, view).to_dicts() if r["value"] is not None}
        return rows | {"market": markets.live({}, ("BTC",), view)["status"][0]}

    well = {"btc_dominance": "ok", "category_meme": "ok", "fear_greed": "ok", "market": "ok"}
    assert worth() == well
    assert worth("alternative.me") == well | {"fear_greed": "stale"}
    assert worth("coingecko-categories") == well | {"category_meme": "stale"}
    assert worth("coingecko") == well | {"btc_dominance": "stale", "market": "stale"}


async def test_a_damaged_database_is_told_once_and_facts_go_on(tmp_path: Path) -> None:
    (tmp_path / "sizewatch.db").write_bytes(b"somebody's file, not a database" * 99)
    told: list[str] = []
    outside = Outside(Config(), tmp_path, lambda severity, text: told.append(f"{severity}: {text}"))
    outside.ingest_outside(OutsideFact("fear_greed", 28, "0-100", NOW, "alternative.me", 100.0))
    for mono in (0.0, 2.0, 4.0):
        await read(outside, mono)
    outside.poll(NOW, 4.1, {})
    assert FlowsMaker(outside).live(None, DictView(NOW)).is_empty()
    assert 28.0 in FactsMaker(outside).live(None, DictView(NOW))["value"].to_list()
    outside.close()
    assert len(told) == 1
    assert told[0].startswith("error: flows: ") and "the file is left as it is" in told[0]


async def test_a_run_publishes_what_is_imported_while_it_goes_on(tmp_path: Path) -> None:
    clock = FakeClock(NOW)
    run = Engine(Config(flows=Flows(groups=GROUPS)), clock, store=tmp_path)

    async def beaten(name: str, height: int) -> pl.DataFrame:
        async with asyncio.timeout(10):
            while (table := run.beat().tables[name]).height < height:
                await asyncio.sleep(0.01)
                await clock.advance(1.0)
        return table

    try:
        await beaten("facts", 1)
        assert run.beat().tables["flows"].is_empty()
        run.ingest_fund_days(FundDays("ishares", fund_days(fund("IWM", 300))))
        while run._outside.pending:
            table = run.beat().tables["flows"]
            await asyncio.sleep(0.01)
        assert table.height == 2, "a run that has settled has them, however seldom the table is made otherwise"
        assert table["fund"].to_list() == ["small", "IWM"]
        await clock.advance(1.0)
        assert run.beat().tables["flows"] is table, "nothing changed"
    finally:
        run.close()
