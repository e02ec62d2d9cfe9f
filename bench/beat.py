"""What the engine costs: quotes taken in a second, and a whole beat over 200 and over 2,000 symbols. JSON on stdout.

`python -m bench.beat`. Every symbol of a beat has moved since the last one: the worst case. The engine has daily bars
of every symbol and stands in a session, so that every derived table is full. Figures are milliseconds: of the beat's
own thread (`cpu`), of all threads (`process`: Polars has a pool) and of the wall; `tables` says what each table took of
the thread a beat, on average. Beside the `quotes` table stands the plain way: a DataFrame of dicts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from bench.machine import machine
from bench.maths import daily
from engine import garbage, sessions
from engine.bars import BarBook
from engine.clock import Clock
from engine.config import Config, Crypto
from engine.derived import Maker
from engine.engine import Engine
from engine.makers import makers
from engine.model import Bars, Quote
from engine.outside import Outside
from engine.view import View

BEATS = 200
WARM = 30
"""Beats before any counts: the closes of all tables are done in them."""
BEAT_S = 0.25
"""What a beat is long at the default rate: slow tables are due as often as in a run."""
QUOTES = 400_000
OPENS_AT: Final = 1_767_970_800.0
"""2026-01-09 15:00 UTC, half an hour into a session."""
TODAY: Final = int(OPENS_AT // 86_400)
BARS_BACK, BARS_MORE = 2_600, 420
"""Daily bars of the default symbols, and of those that only make up the number."""


def _config(symbols: int) -> Config:
    """A configuration that watches `symbols` symbols in all."""
    default = Config()
    more = tuple(f"X{n}" for n in range(symbols - len(default.symbols)))
    baskets = {**default.crypto.baskets, "more": more}
    return Config(crypto=Crypto(exchanges=("kraken", "binance"), baskets=baskets))


class _Stepped(Clock):
    """A clock that goes on by one beat at a step."""

    def __init__(self) -> None:
        super().__init__()
        self._now, self._mono = OPENS_AT, time.monotonic()

    def step(self) -> None:
        self._now += BEAT_S
        self._mono += BEAT_S

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._mono


@dataclass
class _Timed:
    """A maker whose work is counted."""

    maker: Maker
    name: str
    spent: float = 0.0

    def at_close(self, now: float) -> Any:
        return self.maker.at_close(now)

    def live(self, state: Any, view: View) -> pl.DataFrame:
        began = time.thread_time()
        table = self.maker.live(state, view)
        self.spent += time.thread_time() - began
        return table


def _quotes(engine: Engine, rng: random.Random) -> Iterator[Quote]:
    """One quote of every symbol, by every venue that has it."""
    now, mono = engine.clock.now(), engine.clock.monotonic()
    for symbol in engine.config.symbols:
        crypto = "/" in symbol
        for source, ccy in (("kraken", "USD"), ("binance", "USDT")) if crypto else (("yahoo-stream", "USD"),):
            price = 100.0 * rng.uniform(0.99, 1.01)
            bid, ask = (price * 0.9995, price * 1.0005) if crypto else (None, None)
            yield Quote(
                symbol, source, f"{source}:tickers", symbol.replace("USD", ccy), ccy, price, bid, ask, 99.0, 103.0,
                97.0, 1e6, 1e8 if crypto else None, None, now, now, mono, None if crypto else "regular",
            )  # fmt: skip


def _bars(config: Config) -> Iterator[Bars]:
    """Daily bars of every symbol up to yesterday."""
    rng = np.random.default_rng(1)
    trading = [s.day for s in sessions.calendar().sessions if s.day < TODAY][-BARS_BACK:]
    every = list(range(trading[0], TODAY))
    for symbol in config.symbols:
        days = (every[-BARS_MORE:] if symbol.startswith("X") else every) if "/" in symbol else trading
        yield Bars(symbol, "1d", "kraken-bars" if "/" in symbol else "yahoo-bars", "USD", daily(rng, days))


def ingest(rng: random.Random) -> dict[str, float]:
    """Calls a second over 200 symbols, each by the venue that speaks for it: the longest path, extremes included."""
    engine = Engine(_config(200), Clock())
    quotes = [quote for quote in _quotes(engine, rng) if quote.source != "binance"]
    batch = quotes * (QUOTES // len(quotes))
    take = engine.ingest
    wall: list[float] = []
    cpu: list[float] = []
    for _ in range(7):
        began, cpu_began = time.perf_counter(), time.thread_time()
        for quote in batch:
            take(quote)
        cpu.append(len(batch) / (time.thread_time() - cpu_began))
        wall.append(len(batch) / (time.perf_counter() - began))
    return {
        "calls": engine.board.ticks,
        "dropped": engine.board.dropped,
        "calls_per_s_median": round(statistics.median(wall)),
        "calls_per_s_worst": round(min(wall)),
        "calls_per_cpu_s_median": round(statistics.median(cpu)),
    }


def beats(symbols: int, rng: random.Random, *, bars: bool = True) -> dict[str, Any]:
    """Milliseconds a beat in which every symbol moved. bars: False leaves the derived tables without history."""
    garbage.seldom()
    clock = _Stepped()
    timed: list[_Timed] = []

    def make(config: Config, book: BarBook) -> Iterable[Maker]:
        timed.extend(_Timed(maker, maker.name) for maker in makers(config, book, Outside(config, None, _unsaid)))
        return timed

    engine = Engine(_config(symbols), clock, makers=make)
    if bars:
        for series in _bars(engine.config):
            engine.ingest_bars(series)
    rounds = [list(_quotes(engine, rng)) for _ in range(5)]
    spent: dict[str, list[float]] = {"cpu": [], "process": [], "wall": []}
    for n in range(BEATS + WARM):
        clock.step()
        now, mono = clock.now(), clock.monotonic()
        for quote in rounds[n % 5]:
            engine.ingest(quote._replace(event_time=now, received=now, received_mono=mono))
        if n == WARM:
            garbage.keep()  # as a run does that has settled
            for one in timed:
                one.spent = 0.0
        began, cpu_began, process_began = time.perf_counter(), time.thread_time(), time.process_time()
        snapshot = engine.beat()
        if n >= WARM:
            spent["cpu"].append((time.thread_time() - cpu_began) * 1e3)
            spent["process"].append((time.process_time() - process_began) * 1e3)
            spent["wall"].append((time.perf_counter() - began) * 1e3)
    engine.close()
    return {
        "rows": {name: table.height for name, table in snapshot.tables.items()},
        "tables": {one.name: round(one.spent / BEATS * 1e3, 3) for one in timed},
        **{f"{kind}_ms_{k}": v for kind, values in spent.items() for k, v in _spread(values).items()},
        "plain_quotes_ms": _plain(snapshot.tables["quotes"]),
    }


def _plain(quotes: pl.DataFrame) -> float:
    """The same rows as a frame from a list of dicts, types guessed: the median of eleven, of the thread."""
    rows = quotes.to_dicts()
    took = []
    for _ in range(11):
        began = time.thread_time()
        pl.DataFrame([dict(row) for row in rows], infer_schema_length=None)
        took.append((time.thread_time() - began) * 1e3)
    return round(statistics.median(took), 2)


def _unsaid(severity: str, text: str) -> None:
    raise RuntimeError(f"{severity}: {text}")


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "p99": round(statistics.quantiles(values, n=100)[98], 2),
    }


def main(sizes: list[int]) -> None:
    rng = random.Random(1)
    result = {
        "bench": "beat",
        "machine": machine(),
        "ingest": ingest(rng),
        **{f"beat_{size}": beats(size, rng) for size in sizes},
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.beat", description="What a beat costs.")
    parser.add_argument("--symbols", type=int, nargs="*", default=[200, 2000])
    main(parser.parse_args().symbols)
