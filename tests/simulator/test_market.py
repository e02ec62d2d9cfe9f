"""What a scenario states holds exactly; every interval and every quote tell of one path; the future stays untold."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import numpy as np
import pytest

from simulator.market import Market
from simulator.scenario import load
from simulator.sessions import DAY
from tests.simulator.conftest import at_start

YEARLY = {
    "IWM": {2020: 20.0, 2021: 14.5, 2022: -20.5, 2023: 16.8, 2024: 11.4, 2025: 12.7},
    "SPY": {2020: 18.3, 2021: 28.7, 2022: -18.2, 2023: 26.2, 2024: 24.9, 2025: 17.7},
}


def day_of(time: int) -> date:
    return datetime.fromtimestamp(time, UTC).date()


def yearly(market: Market, symbol: str, *, total: bool) -> dict[int, float]:
    """Returns of the complete calendar years, per cent."""
    bars = market.bars(symbol, DAY, 0, market.now() + 1)
    closes = bars.adjusted if total else bars.close
    ends = {day_of(time).year: float(close) for time, close in zip(bars.time.tolist(), closes, strict=True)}
    return {year: 100 * (close / ends[year - 1] - 1) for year, close in ends.items() if year - 1 in ends}


def mean_volumes(market: Market, symbol: str) -> tuple[float, float]:
    """Mean volume of the last 63 full sessions, and of the 63 that ended a year before; METRICS §3."""
    bars = market.bars(symbol, DAY, 0, market.now() + 1)
    times, volumes = bars.time[:-1], bars.volume[:-1]
    last = day_of(int(times[-1]))
    before = [n for n, time in enumerate(times.tolist()) if day_of(time) <= last.replace(year=last.year - 1)][-1]
    return float(volumes[-63:].mean()), float(volumes[before - 62 : before + 1].mean())


def basket_change(market: Market, venue: str, group: str, at: float) -> float:
    """30-day mean USD volume of a basket at a venue against a year before, per cent, from daily candles."""
    totals = []
    for end in (at // DAY * DAY, at // DAY * DAY - 365 * DAY):
        candles = [
            candle
            for base in market.bases(venue)
            if base in market.scenario.coins and market.scenario.coins[base].group == group
            for candle in market.candles(venue, base, DAY, end - 30 * DAY, end)
        ]
        assert len(candles) % 30 == 0
        totals.append(sum(close * volume for _, _, _, _, close, volume in candles))
    return 100 * (totals[0] / totals[1] - 1)


@pytest.mark.parametrize("symbol", YEARLY)
def test_january_has_the_yearly_total_returns_of_the_article(january: Market, symbol: str) -> None:
    returns = yearly(january, symbol, total=True)
    for year, expected in YEARLY[symbol].items():
        assert returns[year] == pytest.approx(expected, abs=1e-6)


def test_january_large_caps_lead_exactly_five_years(january: Market) -> None:
    small, large = yearly(january, "IWM", total=True), yearly(january, "SPY", total=True)
    assert [year for year in range(2020, 2026) if small[year] > large[year]] == [2020]


def test_adjusted_closes_carry_the_dividends_and_closes_do_not(january: Market) -> None:
    total, price = yearly(january, "IWM", total=True), yearly(january, "IWM", total=False)
    for year in range(2015, 2026):
        assert 0.6 < total[year] - price[year] < 1.7
    paid = january.dividends("IWM", january.start - 366 * DAY, january.start)
    assert len(paid) == 4
    assert sum(amount for _, amount in paid) == pytest.approx(0.011 * january.price("IWM"), rel=0.15)


def test_january_opens_with_the_stated_prices_and_changes(january: Market) -> None:
    for symbol, security in january.scenario.securities.items():
        assert january.price(symbol) == pytest.approx(security.price, rel=1e-12)
        if not security.follows:
            quote = january.equity_quote(symbol)
            assert 100 * (quote.price / quote.previous - 1) == pytest.approx(security.change_pct, abs=1e-9)
    for base, coin in january.scenario.coins.items():
        assert january.price(base) == pytest.approx(coin.price, rel=1e-12)
        change = 100 * (january.price(base) / january.price(base, january.start - DAY) - 1)
        assert change == pytest.approx(coin.change_pct, abs=1e-9)


def test_january_iwm_trades_fifteen_per_cent_less_than_a_year_before(january: Market) -> None:
    now, before = mean_volumes(january, "IWM")
    assert now == pytest.approx(25.5e6, rel=1e-6)
    assert 100 * (now / before - 1) == pytest.approx(-15, abs=0.01)


@pytest.mark.parametrize(("group", "change"), [("mid", -20.0), ("meme", -25.0), ("ai", -18.0)])
@pytest.mark.parametrize("venue", ["binance", "kraken", "coinbase"])
def test_january_baskets_trade_less_by_the_stated_part(january: Market, venue: str, group: str, change: float) -> None:
    assert basket_change(january, venue, group, january.start) == pytest.approx(change, abs=0.01)


def test_the_change_of_volume_outlasts_midnight() -> None:
    scenario = load("january-2026")
    later = scenario.start.timestamp() + 2 * DAY
    market = Market(scenario, lambda: later)
    assert basket_change(market, "coinbase", "mid", later) == pytest.approx(-20, abs=0.01)


def test_january_the_whole_market_is_as_stated_and_venues_trade_less(january: Market) -> None:
    assert january.volume_usd("BTC") == pytest.approx(42.4e9)
    assert january.dominance_pct() == pytest.approx(58.9)
    traded = sum(
        ticker.volume * ticker.vwap * january.fx(january.quote_ccy(venue))
        for venue in january.venues
        for ticker in [january.ticker(venue, "BTC")]
    )
    assert 1e9 < traded < 30e9


def test_the_russell_stays_in_its_band_for_as_long_as_the_market_runs() -> None:
    scenario = load("january-2026")
    end = scenario.start.timestamp() + 50 * DAY
    market = Market(scenario, lambda: end)
    bars = market.bars("^RUT", DAY, scenario.start.timestamp(), end)
    assert len(bars.time) > 30
    assert 2100 < bars.low.min() < bars.high.max() < 2300


def test_the_opposite_scenario_tells_the_opposite(opposite: Market) -> None:
    small, large = yearly(opposite, "IWM", total=True), yearly(opposite, "SPY", total=True)
    assert [small[year] > large[year] for year in range(2021, 2026)] == [False, False, True, True, True]
    assert opposite.price("^RUT") == pytest.approx(2040.25)
    assert opposite.price("BTC") == pytest.approx(45_000)
    assert opposite.volume_usd("BTC") == pytest.approx(18.5e9)
    now, before = mean_volumes(opposite, "IWM")
    assert 100 * (now / before - 1) == pytest.approx(22, abs=0.01)
    assert basket_change(opposite, "kraken", "mid", opposite.start) == pytest.approx(35, abs=0.01)
    assert basket_change(opposite, "binance", "meme", opposite.start) == pytest.approx(60, abs=0.01)


def test_history_is_long_enough_for_decade_windows(january: Market) -> None:
    assert len(january.bars("IWM", DAY, 0, january.start).time) > 2520 + 252
    assert len(january.candles("coinbase", "BTC", DAY, 0, january.start)) > 6 * 365


@pytest.mark.parametrize("symbol", ["IWM", "^RUT", "IBIT", "RTY=F", "BTC", "PEPE", "USDT"])
@pytest.mark.parametrize("seconds", [60, 300, 900, 3600])
def test_bars_of_every_interval_make_up_the_days(january: Market, symbol: str, seconds: int) -> None:
    days = january.bars(symbol, DAY, january.start - 6 * DAY, january.start + 1)
    fine = january.bars(symbol, seconds, january.start - 6 * DAY, january.start + 1)
    for n, begin in enumerate(days.time.tolist()):
        part = (fine.time >= begin) & (fine.time < begin + DAY)
        assert fine.open[part][0] == pytest.approx(days.open[n])
        assert fine.close[part][-1] == pytest.approx(days.close[n])
        assert fine.high[part].max() == pytest.approx(days.high[n])
        assert fine.low[part].min() == pytest.approx(days.low[n])
        assert fine.volume[part].sum() == pytest.approx(days.volume[n], rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("symbol", ["IWM", "RTY=F", "IBIT", "ETH"])
def test_a_minute_seen_half_second_by_half_second_is_its_bar(january: Market, symbol: str) -> None:
    begin = january.start + 17 * 60
    seen = [january.price(symbol, begin + step / 2) for step in range(120)]
    bars = january.bars(symbol, 60, begin, begin + 1, begin + 3600)
    assert seen[0] == pytest.approx(bars.open[0])
    assert max(seen) <= bars.high[0] * (1 + 1e-12)
    assert min(seen) >= bars.low[0] * (1 - 1e-12)
    assert max(seen) == pytest.approx(bars.high[0], rel=2e-3)
    running = january.bars(symbol, 60, begin, begin + 1, begin + 30)
    assert running.close[0] == pytest.approx(seen[60])
    assert running.high[0] == pytest.approx(max(seen[:61]))
    assert running.volume[0] == pytest.approx(bars.volume[0] / 2)


def test_nothing_is_told_of_the_future(january: Market) -> None:
    for seconds in (60, 3600, DAY):
        bars = january.bars("IWM", seconds, january.start - 3 * DAY, january.start + 30 * DAY)
        assert bars.time[-1] <= january.start
    assert january.candles("kraken", "BTC", 60, january.start + 120, january.start + 900) == []


def test_the_past_does_not_change_as_time_goes_on(january: Market) -> None:
    scenario = january.scenario
    now = scenario.start.timestamp() + 26 * 3600
    later = Market(scenario, lambda: now)
    for symbol in ("IWM", "BTC"):
        old = january.bars(symbol, 60, january.start - DAY, january.start)
        new = later.bars(symbol, 60, january.start - DAY, january.start)
        for before, after in zip(old, new, strict=True):
            np.testing.assert_array_equal(before, after)


def test_the_same_scenario_is_the_same_market_and_another_seed_is_not(january: Market) -> None:
    again = at_start(load("january-2026"))
    assert again.price("SOL", again.start + 777) == january.price("SOL", january.start + 777)
    assert at_start(load("small-caps-lead")).price("SOL", again.start + 7777) != january.price(
        "SOL", again.start + 7777
    )


def test_small_and_large_caps_move_together_but_not_as_one(january: Market) -> None:
    closes = {name: january.bars(name, DAY, 0, january.start).close for name in ("IWM", "SPY", "^RUT")}
    moves = {name: np.diff(np.log(close)) for name, close in closes.items()}
    assert 0.7 < np.corrcoef(moves["IWM"], moves["SPY"])[0, 1] < 0.95
    assert np.corrcoef(moves["IWM"], moves["^RUT"])[0, 1] > 0.99
    assert 0.12 < moves["IWM"].std() * math.sqrt(252) < 0.35
    assert np.abs(moves["IWM"]).max() > 3.5 * moves["IWM"].std()


def test_tickers_are_sound(january: Market) -> None:
    for venue in january.venues:
        for base in january.bases(venue):
            ticker = january.ticker(venue, base)
            assert ticker.low <= ticker.vwap <= ticker.high
            assert 0 < ticker.bid < ticker.ask < ticker.bid * 1.01
            assert ticker.low * 0.999 <= ticker.last <= ticker.high * 1.001
            assert ticker.volume > 0


def test_venues_agree_on_a_price_but_for_their_currency(january: Market) -> None:
    prices = {
        venue: january.ticker(venue, "BTC").last * january.fx(january.quote_ccy(venue)) for venue in january.venues
    }
    assert max(prices.values()) / min(prices.values()) < 1.001
    assert len(set(prices.values())) == 3


def test_bases_do_not_hold_what_a_venue_lacks(january: Market) -> None:
    for venue, about in january.scenario.venues.items():
        assert about.lacks.isdisjoint(january.bases(venue))
    assert "USDT" in january.bases("kraken")
    assert "USDT" not in january.bases("binance")


def test_moved_neither_repeats_nor_leaves_out(january: Market) -> None:
    start = january.start
    whole = january.moved("kraken", start, start + 4)
    parts = [base for n in range(40) for base in january.moved("kraken", start + n / 10, start + (n + 1) / 10)]
    assert parts == whole
    assert len(whole) == pytest.approx(4 * january.scenario.venues["kraken"].ticks_per_s, abs=1)
    assert set(whole) <= set(january.bases("kraken"))


def test_sessions_open_and_close(january: Market) -> None:
    hour = 3600.0
    states = [january.state(january.start + hours * hour) for hours in (-7, -3, 0, 5.4, 5.6, 9.6, 24)]
    assert states == ["CLOSED", "PRE", "REGULAR", "REGULAR", "POST", "CLOSED", "CLOSED"]
    before = january.equity_quote("IWM", january.start - 3 * hour)
    assert before.extended is not None
    assert before.price == pytest.approx(january.equity_quote("IWM").previous)
    assert january.equity_quote("^RUT", january.start - 3 * hour).extended is None
    assert january.trades("RTY=F", january.start - 10 * hour)
    assert not january.trades("IWM", january.start - 10 * hour)


def test_a_scenario_may_open_while_new_york_is_closed() -> None:
    from dataclasses import replace

    scenario = load("january-2026")
    sunday = replace(scenario, start=datetime.fromisoformat("2026-01-11T12:00:00-05:00"))
    market = at_start(sunday)
    assert market.state(market.start) == "CLOSED"
    quote = market.equity_quote("IWM")
    assert quote.price == pytest.approx(219.84)
    assert 100 * (quote.price / quote.previous - 1) == pytest.approx(0.31)
    assert yearly(market, "IWM", total=True)[2025] == pytest.approx(12.7)
    now, before = mean_volumes(market, "SPY")
    assert now / before == pytest.approx(1.04, abs=0.01)


def test_a_scenario_may_open_on_the_first_session_of_a_year() -> None:
    from dataclasses import replace

    market = at_start(replace(load("january-2026"), start=datetime.fromisoformat("2026-01-02T10:30:00-05:00")))
    assert market.price("IWM") == pytest.approx(219.84)
    assert market.price("BTC") == pytest.approx(90_884.10)
    assert yearly(market, "IWM", total=True)[2025] == pytest.approx(12.7)


def test_it_stands_still_after_its_last_day() -> None:
    scenario = load("january-2026")
    late = scenario.start.timestamp() + 400 * DAY
    market = Market(scenario, lambda: late)
    assert market.start + 60 * DAY < market.now() < market.start + 62 * DAY
    ticker = market.ticker("kraken", "BTC")
    assert ticker.time == market.now()
    assert market.equity_quote("IWM").price > 0
    assert market.candles("kraken", "BTC", 60, market.now() - 300, late)[-1][4] == pytest.approx(ticker.last, rel=1e-4)
