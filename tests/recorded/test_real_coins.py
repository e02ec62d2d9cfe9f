"""Real coins beside real shares: what is said of both equals oracles that know the files and not the program.

Candles and prices come from a venue behind a gateway over TLS, shares from Yahoo's site behind the same. The oracles
are pandas, scipy and statsmodels on the files, with the sessions of a list of the exchange's holidays.
"""

from __future__ import annotations

import math
import time as clock_time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import percentileofscore
from statsmodels.tsa.stattools import adfuller

from engine.clock import Clock
from engine.config import Config, Crypto, Equity, Spreads
from engine.engine import Engine
from engine.model import Snapshot
from feeds.crypto import CryptoStream
from feeds.crypto_bars import CryptoBars
from feeds.history import NO_REGIME, YahooBars
from feeds.link import Context, Feed
from feeds.markets import MarketLists
from feeds.network import Border
from feeds.yahoo_poll import YahooPoll
from simulator.authority import Authority
from simulator.coinbase import CoinbaseSite
from simulator.gateway import Gateway, Site
from tests.engine.market_data import real
from tests.feeds.live import running
from tests.feeds.yahoo_site import YahooSite, chart_answer
from tests.realdata import DATA, needs_real_data
from tests.recorded.answers import until
from tests.recorded.real_coins import RealCoins, coin
from tests.recorded.test_yahoo import _daily, _opened

pytestmark = [needs_real_data, pytest.mark.filterwarnings("ignore:adfuller currently returns:FutureWarning")]

HORIZONS = (("1m", 1), ("3m", 3), ("1y", 12))


def sessions(last: str) -> pd.DatetimeIndex:
    """The exchange's trading days of 2014 to `last`: weekdays that are not in the list of closed days."""
    days = pd.bdate_range("2014-01-02", last)
    listed = pd.concat([pd.read_csv(f) for f in sorted((DATA / "calendars").glob("*.csv"))])
    closed = pd.to_datetime(listed.loc[listed["kind"] == "closed", "date"])
    return pd.DatetimeIndex(days[~days.isin(closed)])


@asynccontextmanager
async def tables(
    folder: Path, config: Config, at: datetime, sites: Sequence[Site], ready: Callable[[Snapshot], bool]
) -> AsyncIterator[Snapshot]:
    """The snapshot of a run against `sites`, once everything asked for has come."""
    (folder / "authority").mkdir()
    gateway = Gateway(sites, Authority(folder / "authority"))
    await gateway.start()
    engine, lists = Engine(config, Clock(at.timestamp() - clock_time.time())), MarketLists()
    context = Context(config, engine.clock, engine, Border(gateway.proxy, gateway.ca_file, 5.0), folder / "cache")
    feeds: list[Feed] = [CryptoStream("coinbase", lists), CryptoBars("coinbase", lists)]
    if config.equity.symbols:
        feeds += [YahooPoll(config), YahooBars(config)]
    try:
        async with AsyncExitStack() as stack:
            for feed in feeds:
                await stack.enter_async_context(running(feed, context))
            await until(lambda: ready(engine.beat()) and engine.settled, 40.0)
            yield engine.beat()
    finally:
        await gateway.stop()


def settled(snapshot: Snapshot, *sources: str) -> bool:
    """Whether all candles are there, no price is missing and the derived tables are made of them."""
    quotes, spreads = snapshot.tables["quotes"], snapshot.tables["spreads"]
    feeds = {row["source"] for row in snapshot.tables["feeds"].to_dicts() if row["last_message"] is not None}
    return (
        feeds >= set(sources)
        and quotes["last"].null_count() == 0
        and spreads.height > 0
        and spreads["z252"].null_count() == 0
        # what looks at all history is null while candles are still to come
        and spreads["drawdown"].null_count() == 0
    )


def row_of(snapshot: Snapshot, table: str, **key: str | int) -> dict[str, Any]:
    return next(row for row in snapshot.tables[table].to_dicts() if key.items() <= row.items())


def z_of(q: Any, w: int = 252) -> Any:
    rolled = q.rolling(w, min_periods=w // 2)
    return (q - rolled.mean()) / rolled.std(ddof=1)


def spread_oracle(a: Any, b: Any) -> dict[str, Any]:
    """Columns of `spreads` of two legs on the grid, null where a leg has none; METRICS §1."""
    q: Any = np.log(a / b)
    known, now = q.dropna(), q.index[-1]
    row: dict[str, Any] = {"z63": z_of(q, 63).iloc[-1], "z252": z_of(q).iloc[-1], "n": len(known)}
    bases = {"1d": q.index[-2], "5d": q.index[-6]}
    for name, months in HORIZONS:
        base = known.index.asof(now - pd.DateOffset(months=months))
        if not pd.isna(base):
            bases[name] = base
    before = known.index[known.index.year < now.year]
    if len(before) and (pd.Timestamp(now.year, 1, 1) - before[-1]).days <= 11:
        bases["ytd"] = before[-1]
    for name in ("1d", "5d", "1m", "3m", "1y", "ytd"):
        base = bases.get(name)
        row[f"rel_{name}"] = None if base is None else math.exp(q.iloc[-1] - q[base]) - 1
        row[f"pp_{name}"] = None if base is None else 100 * (a.iloc[-1] / a[base] - b.iloc[-1] / b[base])
    row["drawdown"] = math.exp(q.iloc[-1] - known.max()) - 1
    rank = percentileofscore(known.iloc[-2520:], q.iloc[-1], kind="mean") / 100
    row["percentile"] = rank if len(known) >= 1260 else None
    year = q.iloc[-252:]
    steps = pd.DataFrame({"x": year.shift(1), "y": year.diff()}).iloc[1:].dropna()
    slope = sm.OLS(steps["y"].to_numpy(), sm.add_constant(steps["x"].to_numpy())).fit().params[1]
    stationary = adfuller(year.dropna().to_numpy(), maxlag=0, autolag=None)[1] < 0.10
    row["half_life"] = -math.log(2) / math.log1p(slope) if -1 < slope < 0 and stationary else math.inf
    return row


def agree(row: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    for name, value in expected.items():
        assert row[name] == (value if value is None else pytest.approx(value, rel=1e-8, abs=1e-10)), name


def chained(*members: Any) -> Any:
    """Equal-weight index: the product of 1 + mean return, a member from its second price on."""
    returns = pd.concat([m / m.shift(1) - 1 for m in members], axis=1)
    first = min(m.first_valid_index() for m in members)
    grown = (1 + returns.mean(axis=1)).where(returns.notna().any(axis=1))
    grown[first] = 1.0
    return grown[first:].cumprod().reindex(returns.index)


def yahoo_of(shares: Mapping[str, pd.DataFrame], at: datetime) -> YahooSite:
    """Yahoo with the daily history of `shares`, whose last day is the one under way at `at`."""
    yahoo = YahooSite()
    for symbol, frame in shares.items():
        values = frame[["open", "high", "low", "close", "volume"]].to_numpy().tolist()
        rows = [(_opened(day.date()), *bar) for day, bar in zip(frame.index, values, strict=True)]
        answer = chart_answer(symbol, rows, adjusted=frame["adj_close"].tolist())
        yahoo.charts[symbol] = _daily(answer["chart"]["result"][0])
        yahoo.rows[symbol] = {
            "symbol": symbol,
            "currency": "USD",
            "marketState": "REGULAR",
            "regularMarketPrice": frame["close"].iloc[-1],
            "regularMarketPreviousClose": frame["close"].iloc[-2],
            "regularMarketTime": int(at.timestamp()) - 5,
            "regularMarketVolume": frame["volume"].iloc[-1],
            "exchangeDataDelayedBy": 0,
        }
    return yahoo


async def test_divergences_of_real_shares_and_real_coins_equal_their_oracles(tmp_path: Path) -> None:
    """31 December 2019: the last day on which IWM, SPY, BTC and FET all have a price."""
    at = datetime(2019, 12, 31, 19, 50, tzinfo=UTC)
    coins = {base: coin(base).loc["2018-01-01":"2019-12-31"] for base in ("BTC", "FET")}
    shares = {name.upper(): real(name).loc["2012-01-03":"2019-12-31"] for name in ("iwm", "spy")}
    crypto = Crypto(("coinbase",), ("USD",), baskets={"majors": ("BTC",), "ai": ("FET",)}, alt=("ai",))
    config = Config(
        crypto=crypto,
        equity=Equity(symbols=tuple(shares)),
        spreads=Spreads(("IWM/SPY", "ALT/BTC")),
        levels={},
        regime=NO_REGIME,
    )
    sites = (yahoo_of(shares, at), CoinbaseSite(RealCoins(coins, at.timestamp())))
    sources = ("coinbase", "coinbase-bars", "yahoo-poll", "yahoo-bars")

    def ready(snapshot: Snapshot) -> bool:
        gauges = snapshot.tables["gauges"]
        whole = {row["gauge"]: row["n"] for row in gauges.to_dicts()}
        return settled(snapshot, *sources) and whole.get("D1", 0) > 1_800 and whole.get("D4", 0) > 0

    async with tables(tmp_path, config, at, sites, ready) as snapshot:
        pass
    days = sessions("2019-12-31")
    small, large = (shares[s]["adj_close"].reindex(shares["IWM"].index) for s in ("IWM", "SPY"))
    fet, btc = (coins[base]["close"].reindex(days) for base in ("FET", "BTC"))
    index = chained(fet)
    agree(row_of(snapshot, "spreads", pair="ALT/BTC"), spread_oracle(index, btc))
    equity: Any = np.log(small / large)
    altcoin: Any = np.log(index / btc).reindex(equity.index)
    z_equity, z_crypto = z_of(equity), z_of(altcoin)
    steps = pd.DataFrame({"x": equity.diff(), "y": altcoin.diff()})
    both = steps.where(steps.notna().all(axis=1))
    rho = both["x"].rolling(252, min_periods=126).corr(both["y"]).clip(-0.95, 0.95)
    gap = (z_equity - z_crypto) / np.sqrt(2 - 2 * rho)
    fast = both["x"].rolling(21).corr(both["y"])
    slow = both["x"].rolling(126).corr(both["y"]).shift(21)
    test: Any = (np.arctanh(fast) - np.arctanh(slow)) / math.sqrt(1 / 18 + 1 / 123)
    for name, series in (("D1", z_equity), ("D2", z_crypto), ("D3", gap), ("D4", test)):
        known = series.dropna()
        row = row_of(snapshot, "gauges", gauge=name)
        assert row["value"] == pytest.approx(known.iloc[-1], rel=1e-8, abs=1e-9), name
        assert row["n"] == len(known), name
        assert row["percentile"] == pytest.approx(percentileofscore(known, known.iloc[-1], kind="mean") / 100), name
        assert known.index[-1] == days[-1], name
    assert [row_of(snapshot, "gauges", gauge=g)["detail"] for g in ("D1", "D2", "D3")] == [
        "own history",
        *["fixed 1.5 / 2 / 1: under 5 years"] * 2,
    ]
    worth = {row["gauge"]: row["status"] for row in snapshot.tables["gauges"].to_dicts()}
    assert [worth[g] for g in ("D1", "D2", "D3", "D4")] == ["ok", "warming", "warming", "ok"], "147 rows do for D4"
    closed = test.dropna().iloc[:-1]
    state = "alert" if (closed.iloc[-3:].abs() >= 2.58).all() else "warn" if abs(closed.iloc[-1]) >= 2.58 else "ok"
    assert row_of(snapshot, "gauges", gauge="D4")["state"] == state
    _correlations(snapshot, both)


def _correlations(snapshot: Snapshot, both: pd.DataFrame) -> None:
    """Both spreads' returns over the windows that are full, and over the one that is not."""
    for w in (21, 63, 252):
        row = row_of(snapshot, "correlations", a="IWM/SPY", b="ALT/BTC", window=w)
        part = both.iloc[-w:].dropna()
        assert row["corr"] == pytest.approx(part["x"].corr(part["y"]), abs=1e-8)
        assert row["beta"] == pytest.approx(part["x"].cov(part["y"]) / part["y"].var(), rel=1e-8)
        assert (row["n"], row["status"]) == (len(part), "ok" if len(part) == w else "warming")


async def test_baskets_and_spreads_of_real_coins_equal_their_oracles(tmp_path: Path) -> None:
    """14 February 2022, a Monday: an index of AAVE and FET, which joined it eighteen months apart."""
    at = datetime(2022, 2, 14, 18, 0, tzinfo=UTC)
    coins = {base: coin(base) for base in ("AAVE", "FET")}
    crypto = Crypto(("coinbase",), ("USD",), baskets={"defi": ("AAVE", "FET")}, alt=("defi",))
    pairs = ("ALT/AAVE", "FET/AAVE", "FET/(0.25*AAVE+0.75*ALT)")
    config = Config(crypto=crypto, equity=Equity(symbols=()), spreads=Spreads(pairs), levels={}, regime=NO_REGIME)
    site = CoinbaseSite(RealCoins(coins, at.timestamp()))

    def ready(snapshot: Snapshot) -> bool:
        baskets = snapshot.tables["baskets"]
        done = baskets.height == 1 and baskets["volume_yoy_pct"][0] is not None and baskets["status"][0] == "ok"
        return settled(snapshot, "coinbase", "coinbase-bars") and done

    async with tables(tmp_path, config, at, (site,), ready) as snapshot:
        pass
    days = sessions("2022-02-14")
    aave, fet = (coins[base]["close"].reindex(days) for base in ("AAVE", "FET"))
    alt = chained(aave, fet)
    growth: Any = 0.25 * (aave / aave.shift(1)) + 0.75 * (alt / alt.shift(1))
    growth[aave.first_valid_index()] = 1.0
    mix = growth.cumprod()
    for name, a, b in (("ALT/AAVE", alt, aave), ("FET/AAVE", fet, aave), (pairs[2], fet, mix)):
        row = row_of(snapshot, "spreads", pair=name)
        agree(row, spread_oracle(a, b))
        assert (row["status"], row["coverage"]) == ("ok", 1.0), name
    _basket(row_of(snapshot, "baskets", basket="defi"), coins)
    total = {base: float(frame["volume"].iloc[-1] * frame["close"].iloc[-1]) for base, frame in coins.items()}
    for base, volume in total.items():
        assert row_of(snapshot, "markets", base=base)["venues_usd"] == pytest.approx(volume, rel=1e-6)
    assert row_of(snapshot, "baskets", basket="defi")["volume_usd"] == pytest.approx(sum(total.values()), rel=1e-6)


def _basket(row: Mapping[str, Any], coins: Mapping[str, pd.DataFrame]) -> None:
    """Returns over calendar days, breadth by the mean of 50 closes, and volumes over 30 whole days."""
    for horizon in (1, 7, 30):
        grown = [100 * (f["close"].iloc[-1] / f["close"].iloc[-1 - horizon] - 1) for f in coins.values()]
        assert row[f"return_{horizon}d_pct"] == pytest.approx(np.mean(grown), rel=1e-9)
    above = [f["close"].iloc[-1] > f["close"].rolling(50).mean().iloc[-1] for f in coins.values()]
    assert row["breadth"] == np.mean(above)
    usd = [(f["close"] * f["volume"]).iloc[:-1] for f in coins.values()]
    end = usd[0].index[-1]
    now, month, year = (
        sum(float(v[to - pd.Timedelta(days=29) : to].mean()) for v in usd)
        for to in (end, end - pd.Timedelta(days=30), end - pd.DateOffset(years=1))
    )
    assert row["volume_30d_pct"] == pytest.approx(100 * (now / month - 1), rel=1e-8)
    assert row["volume_yoy_pct"] == pytest.approx(100 * (now / year - 1), rel=1e-8)
