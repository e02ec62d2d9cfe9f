"""What drawing a chart costs: CPU milliseconds of each kind at 200×60, beside what the engine pays to serve it.

    uv run --group dev python -m bench.charts [--rounds 30] [--columns 200] [--lines 60]

`redraw`: from bars in arrays to lines of text, every overlay on, medians over rounds. `frame`: a whole frame of the
chart screen in a running terminal in which the newest bar has moved, painted headless. `engine`: a beat's work for
eight charts of which every one moved. The bound for a redraw is 20 ms, for a frame of any screen 12 ms. JSON on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from bench.machine import machine


def cost(work: Callable[[], object], rounds: int) -> dict[str, float]:
    """CPU milliseconds of this thread: median and 95th percentile."""
    for _ in range(3):
        work()
    taken = []
    for _ in range(rounds):
        before = time.thread_time()
        work()
        taken.append(1000 * (time.thread_time() - before))
    taken.sort()
    return {
        "median_ms": round(statistics.median(taken), 2),
        "p95_ms": round(taken[int(0.95 * (len(taken) - 1))], 2),
        "least_ms": round(taken[0], 2),
    }


def redraws(columns: int, lines: int, rounds: int) -> dict[str, dict[str, float]]:
    """Every kind of drawing at one size, its border taken off."""
    from tests.tui import fake_bars, fake_pages
    from tui.charts.data import course_of
    from tui.charts.histogram import paint_returns
    from tui.charts.options import Options
    from tui.charts.picture import Band, Mark, Picture
    from tui.charts.plane import paint_plane
    from tui.charts.price import paint

    bars = fake_bars.tables()["bars"]
    width, height = columns - 2, lines - 6
    russell, pair = (course_of(bars, name, "1d") for name in ("^RUT", "IWM/SPY"))
    fund, index = (course_of(bars, name, "1d") for name in ("IWM", "SPY"))
    bands = tuple(Band("support", 2100.0 - 40 * i, 2093.0 - 40 * i, 2107.0 - 40 * i, "CLEAR", 3) for i in range(6))
    marks = tuple(Mark(int(time), "warning") for time in russell.time[-250::25])
    cross = int(russell.time[-20])
    whole = Options("^RUT", averages="sma", marks=True)
    pictures = {
        "candles_1y_all_overlays": Picture(whole, "1d", russell, bands=bands, marks=marks, cross=cross),
        "candles_max_log": Picture(replace(whole, span="MAX", scale="log"), "1d", russell, bands=bands, cross=cross),
        "line_1y": Picture(Options("^RUT", line=True), "1d", russell),
        "spread_with_z_bands": Picture(Options("IWM/SPY"), "1d", pair, cross=cross),
        "two_series": Picture(Options("IWM", versus="SPY"), "1d", fund, other=index),
    }
    rotation = [{"status": "ok", **row} for row in fake_pages.rotation()]
    rotation = [
        {**dict.fromkeys(("rs_ratio", "rs_momentum", "quadrant", "tail_ratio", "tail_momentum")), **r} for r in rotation
    ]
    found = {name: cost(lambda p=picture: paint(p, width, height), rounds) for name, picture in pictures.items()}  # type: ignore[misc]
    found["returns"] = cost(lambda: paint_returns(russell, Options("^RUT", span="MAX"), "1d", width, height), rounds)
    found["rotation"] = cost(lambda: paint_plane(rotation, width, height, "IWM/SPY"), rounds)
    return found


def engine(rounds: int) -> dict[str, dict[str, float]]:
    """What a beat pays for eight charts over twelve years of days, at rest and with every price moved."""
    import pandas as pd

    from engine import sessions
    from engine.bars import BarBook
    from engine.bars_desk import Desk
    from engine.clock import Clock
    from engine.config import Config, Crypto, Equity, Spreads
    from engine.makers import Shared, charts
    from engine.model import Status
    from engine.view import DictView, Live
    from tests.engine.market_data import bars, moment, ohlcv

    config = Config(
        crypto=Crypto(baskets={"majors": ("BTC", "ETH"), "x": ("AAA", "BBB")}, alt=("x",)),
        equity=Equity(symbols=("IWM", "SPY", "^RUT", "^GSPC")),
        spreads=Spreads(("IWM/SPY", "ALT/BTC")),
    )
    sessions.warm()
    book, noon = BarBook(), moment("2025-12-10T17:00:00")
    every, days = (
        pd.DatetimeIndex(pd.date_range("2014-01-01", "2025-12-09")),
        pd.bdate_range("2014-01-01", "2025-12-09"),
    )
    for i, symbol in enumerate(config.symbols):
        book.merge(bars(ohlcv(i, every if "/" in symbol else days), symbol))
    desk = Desk(Clock())
    for name in ("IWM/SPY", "^RUT/^GSPC", "ALT/BTC", "ETH/BTC", "^RUT", "IWM", "BTC", "ALT"):
        desk.ask({"symbol": name, "interval": "1d"})
    maker, said = charts(Shared(book), config, desk)
    state = maker.at_close(noon)
    last = {s: float(book.frame(s, "1d")["close"][-1]) for s in config.symbols}
    turn = 0

    def beat(step: float) -> None:
        nonlocal turn
        turn += 1
        view = DictView(noon, {s: Live(p * (1 + step * turn), Status.OK, noon, 1e6) for s, p in last.items()})
        maker.live(state, view)
        said.live(None, view)

    return {"at_rest": cost(lambda: beat(0.0), rounds), "all_moved": cost(lambda: beat(1e-5), rounds)}


def frames(columns: int, lines: int, rounds: int) -> dict[str, float]:
    """A whole frame of the chart screen: the newest bar of what is shown has moved."""
    from engine.config import Config, Refresh
    from engine.model import Mode
    from tests.tui import fake_bars, fakes
    from tui.app import SizewatchApp
    from tui.screens.chart import open_chart

    async def run() -> dict[str, float]:
        source = fakes.FakeSource(fakes.snapshot())
        config = Config(refresh=Refresh(frame_hz=0.001))  # frames are made by hand
        app = SizewatchApp(source, config, Mode.DEMO, "january-2026", fakes.FixedClock())
        taken = []
        async with app.run_test(size=(columns, lines)) as pilot:
            await open_chart(app, "^RUT 1Y")
            await pilot.pause()
            assert source.snapshot is not None
            start = source.snapshot
            bars = start.tables["bars"]
            newest = (pl.col("symbol") == "^RUT") & (pl.col("time") == fake_bars.LAST)
            ahead = [
                bars.with_columns(pl.when(newest).then(pl.col("close") * (1 + i / 5000)).otherwise(pl.col("close")))
                for i in range(rounds)
            ]
            for i, moved in enumerate(ahead):
                source.snapshot = replace(start, seq=start.seq + 1 + i, tables={**start.tables, "bars": moved})
                before = time.thread_time()
                app.frame()
                await asyncio.sleep(0.05)  # Textual paints at most every 1/60 s
                taken.append(1000 * (time.thread_time() - before))
            idle = []
            for _ in range(rounds // 2):
                before = time.thread_time()
                await asyncio.sleep(0.05)
                idle.append(1000 * (time.thread_time() - before))
        rest = statistics.median(idle)
        taken = sorted(value - rest for value in taken)
        return {
            "median_ms": round(statistics.median(taken), 2),
            "p95_ms": round(taken[int(0.95 * (len(taken) - 1))], 2),
            "idle_ms": round(rest, 2),
        }

    return asyncio.run(run())


def main() -> int:
    """Print the figures; 1 where a redraw costs more than its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--lines", type=int, default=60)
    options = parser.parse_args()
    redraw = redraws(options.columns, options.lines, options.rounds)
    figures = {
        "machine": machine(),
        "columns": options.columns,
        "lines": options.lines,
        "redraw": redraw,
        "frame": frames(options.columns, options.lines, options.rounds),
        "engine": engine(options.rounds),
    }
    print(json.dumps(figures, indent=2))
    return int(any(one["median_ms"] > 20 for one in redraw.values()))


if __name__ == "__main__":
    sys.exit(main())
