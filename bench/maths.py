"""What the maths costs: at a close for 60 pairs and 200 symbols over 2,600 daily bars, and at a beat.

    uv run --group dev python -m bench.maths

Prints one JSON object; milliseconds are medians of the CPU time of all threads. Beside the close stands the plain way:
pandas' rolling windows and scipy's percentile, pair by pair.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl

from bench.machine import machine
from engine import baskets, correlations, gauges, levels, markets, regime_tables, spreads, volume
from engine.bars import BarBook
from engine.config import Band, Config, Crypto, Equity
from engine.grid import DAY, daily_grid
from engine.legs import Pair, parse_pair
from engine.markets import Twins
from engine.model import Bars, Status
from engine.tables import BARS
from engine.view import Book24, DictView, Live, Session

BARS_BACK: Final = 2_600
SYMBOLS: Final = 200
PAIRS: Final = 60
ROUNDS: Final = 9
LAST_DAY: Final = 20_462


class Days:
    """Weekdays as sessions."""

    def __init__(self, count: int) -> None:
        days = [d for d in range(LAST_DAY - 2 * count, LAST_DAY + 8) if (d + 3) % 7 < 5]
        self.sessions = tuple(Session(d, d * DAY + 52_200.0, d * DAY + 75_600.0) for d in days)


def daily(rng: np.random.Generator, days: list[int]) -> pl.DataFrame:
    """Random daily bars."""
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, len(days))))
    reach = np.abs(rng.normal(0, 0.01, (2, len(days))))
    columns = {
        "time": np.array(days) * DAY * 1_000_000,
        "open": close,
        "high": close * (1 + reach[0]),
        "low": close * (1 - reach[1]),
        "close": close,
        "adj_close": close,
        "volume": rng.lognormal(15, 0.3, len(days)),
    }
    return pl.DataFrame(columns).cast(BARS)


def median_ms(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Median milliseconds of the process's CPU for `work`: on a machine that does other things too, wall time lies."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        took.append(1e3 * (time.process_time() - began))
    return round(statistics.median(took), 3)


def plain(book: BarBook, pairs: tuple[Pair, ...]) -> None:
    """The same windows by pandas and scipy, of pairs of symbols."""
    import pandas as pd
    from scipy.stats import percentileofscore

    for pair in pairs:
        a, b = (book.frame(leg.symbols[0], "1d") for leg in (pair.a, pair.b))
        q = pd.Series(np.log(a["adj_close"].to_numpy()[-BARS_BACK:] / b["adj_close"].to_numpy()[-BARS_BACK:]))
        for w in (63, 252):
            (q - q.rolling(w).mean()) / q.rolling(w).std()
        percentileofscore(q.iloc[-2520:], q.iloc[-1], kind="mean")
        np.exp(q - q.cummax()) - 1


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(1)
    equities = tuple(f"E{i}" for i in range(SYMBOLS - 40))
    bases = ("BTC", "ETH", *(f"C{i}" for i in range(38)))
    config = Config(
        crypto=Crypto(baskets={"majors": bases[:2], "alts": bases[2:]}, alt=("alts",)), equity=Equity(symbols=equities)
    )
    calendar = Days(BARS_BACK)
    sessions = [s.day for s in calendar.sessions if s.day < LAST_DAY][-BARS_BACK:]
    every = list(range(sessions[0], LAST_DAY))
    book = BarBook()
    for symbol in (*equities, *(f"{b}/USD" for b in bases)):
        days = every if "/" in symbol else sessions
        book.merge(Bars(symbol, "1d", "bench", "USD", daily(rng, days)))
    names = [f"E{i}/E{i + 1}" for i in range(PAIRS - 4)]
    names += ["ALT/BTC", "ALT/(0.5*BTC+0.5*ETH)", "ETH/BTC", "alts/ETH"]
    pairs = tuple(parse_pair(n, config) for n in names)
    bands = {s: Band((80.0, 90.0), (110.0, 120.0)) for s in equities[:10]}
    now = LAST_DAY * DAY + 60_000.0
    prices = {s: Live(100.0, Status.OK, now - 1, 1e6) for s in config.symbols}
    books = tuple(
        Book24(venue, base, f"{base}/USD", "USD", 100.0, 110.0, 90.0, 10.0 + i, None, None, now)
        for venue in ("a", "b", "c")
        for i, base in enumerate(bases)
    )
    view, memory, twins = DictView(now, prices, books), levels.TickMemory(), Twins()

    grid = daily_grid(book, calendar, now)
    closed_spreads = spreads.at_close(grid, pairs)
    closed_gauges = gauges.at_close(grid, pairs)
    closed_correlations = correlations.at_close(grid, pairs)
    closed_levels = levels.at_close(grid, bands)
    closed_baskets = baskets.at_close(grid, config.crypto.baskets)
    closed_volumes = volume.at_close(grid, book, calendar, equities)
    venues = markets.over_venues(view, twins)
    table = spreads.live(closed_spreads, view)
    assert table.height == PAIRS and table["z252"].null_count() == 0

    def everything() -> None:
        fresh = daily_grid(book, calendar, now)
        spreads.at_close(fresh, pairs)
        levels.at_close(fresh, bands)
        baskets.at_close(fresh, config.crypto.baskets)
        volume.at_close(fresh, book, calendar, equities)
        gauges.at_close(fresh, pairs)
        correlations.at_close(fresh, pairs)
        regime_tables.regime_at_close(fresh, pairs)
        regime_tables.rotation_at_close(fresh, pairs, config)

    close = {
        "spreads": median_ms(lambda: spreads.at_close(daily_grid(book, calendar, now), pairs)),
        "gauges": median_ms(lambda: gauges.at_close(grid, pairs)),
        "correlations": median_ms(lambda: correlations.at_close(grid, pairs)),
        "regime": median_ms(lambda: regime_tables.regime_at_close(grid, pairs)),
        "rotation": median_ms(lambda: regime_tables.rotation_at_close(grid, pairs, config)),
        "levels": median_ms(lambda: levels.at_close(grid, bands)),
        "baskets": median_ms(lambda: baskets.at_close(grid, config.crypto.baskets)),
        "volumes": median_ms(lambda: volume.at_close(grid, book, calendar, equities)),
    }
    beat = {
        "spreads": median_ms(lambda: spreads.live(closed_spreads, view), 41),
        "gauges": median_ms(lambda: gauges.live(closed_gauges, view), 41),
        "correlations": median_ms(lambda: correlations.live(closed_correlations, view), 41),
        "levels": median_ms(lambda: levels.live(closed_levels, view, memory), 41),
        "markets": median_ms(lambda: markets.live(markets.over_venues(view, twins), bases, view), 41),
        "baskets": median_ms(lambda: baskets.live(closed_baskets, venues, view), 41),
        "volumes": median_ms(lambda: volume.live(closed_volumes, view), 41),
    }
    result = {
        "bench": "maths",
        "pairs": PAIRS,
        "symbols": SYMBOLS,
        "bars": BARS_BACK,
        "at_close_ms": close | {"all": median_ms(everything)},
        "beat_ms": beat | {"all": round(math.fsum(beat.values()), 3)},
        "plain_windows_ms": median_ms(lambda: plain(book, pairs[: PAIRS - 4]), 3),
        "machine": machine(),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
