"""What alerts cost. JSON on stdout: `python -m bench.alerts`.

1,000 rules over 500 rows: an evaluation in which every row moved, one in which nothing did, and a table that did not
change. 1,000 crossings: what they add to the engine's way of one tick, as a ratio of the same ticks with and without.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Sequence

import polars as pl

from bench.machine import machine
from engine.alert_setup import set_up
from engine.alerting import Alerting
from engine.alerts import EVERY_S, AlertBook
from engine.clock import Clock
from engine.config import Config, Crypto
from engine.engine import Engine
from engine.model import Quote
from engine.rules import Cross, Rule
from engine.tables import TABLES

RULES = 1_000
ROWS = 500
ROUNDS = 20
TICKS = 20_000
TURNS = 62
"""Short passes in turns: what else the machine does meets both alike."""


def _rules(distinct: bool, lowest: float) -> list[Rule]:
    """Conditions as users write them; distinct: no two alike, so that none is computed once for several.

    lowest: the z from which on a row matches; the lower, the more instances.
    """
    made = []
    for n in range(RULES):
        level = lowest + (n if distinct else n % 20) / RULES
        when = (f"z252 > {level}", f"ABS(z252) > {level} AND rel_1d < 0", f"percentile < {10.0**-level}")[n % 3]
        made.append(
            Rule(f"r{n}", on="spreads", when=when, clear_when="ABS(z252) < 1", hold=30.0, message="{pair} {z252}")
        )
    return made


def _frames(rng: random.Random) -> list[pl.DataFrame]:
    return [
        pl.DataFrame(
            [
                {"pair": f"P{n}/Q", "z252": rng.gauss(0, 1), "rel_1d": rng.gauss(0, 0.01), "percentile": rng.random(),
                 "status": "ok", "simulated": False}
                for n in range(ROWS)
            ],
            schema=TABLES["spreads"],
        )
        for _ in range(8)
    ]  # fmt: skip


def conditions(rng: random.Random, *, distinct: bool, lowest: float) -> dict[str, object]:
    """Milliseconds an evaluation."""
    began = time.perf_counter()
    book = AlertBook(_rules(distinct, lowest), TABLES)
    compiled = time.perf_counter() - began
    frames, now, events = _frames(rng), 1_000.0, 0
    moved: list[float] = []
    moved_cpu: list[float] = []
    same: list[float] = []
    for n in range(ROUNDS):
        now += EVERY_S
        at, cpu = time.perf_counter(), time.process_time()
        events += len(book.evaluate({"spreads": frames[n % 8]}, now))
        moved.append((time.perf_counter() - at) * 1e3)
        moved_cpu.append((time.process_time() - cpu) * 1e3)
        now += EVERY_S
        at = time.perf_counter()
        events += len(book.evaluate({"spreads": frames[n % 8]}, now))
        same.append((time.perf_counter() - at) * 1e3)
    return {
        "compile_s": round(compiled, 2),
        "instances": sum(1 for _ in book.instances()),
        "events": events,
        "every_row_moved_ms": _spread(moved[2:]),
        "every_row_moved_cpu_ms": _spread(moved_cpu[2:]),
        "same_table_with_timers_ms": _spread(same[2:]),
    }


def idle(rng: random.Random) -> dict[str, object]:
    """A table that stays the same object, and rules of which none holds: what an evaluation costs then."""
    rules = [Rule(f"r{n}", on="spreads", when=f"z252 > {100 + n}") for n in range(RULES)]
    book, frame = AlertBook(rules, TABLES), _frames(rng)[0]
    book.evaluate({"spreads": frame}, 0.0)
    times = []
    for n in range(1, 400):
        at = time.thread_time()
        book.evaluate({"spreads": frame}, n * EVERY_S)
        times.append((time.thread_time() - at) * 1e3)
    return {"unchanged_table_ms": _spread(times)}


def _quotes(engine: Engine, rng: random.Random) -> list[Quote]:
    """Ticks of 200 symbols as a stream sends them, each price a small step from the last."""
    now, mono = engine.clock.now(), engine.clock.monotonic()
    prices = {symbol: 100.0 * rng.uniform(0.9, 1.1) for symbol in engine.config.crypto.symbols}
    symbols, made = list(prices), []
    for n in range(TICKS):
        symbol = symbols[n % len(symbols)]
        price = prices[symbol] = prices[symbol] * (1 + rng.gauss(0, 2e-4))
        made.append(
            Quote(
                symbol, "kraken", "kraken:tickers", symbol, "USD", price, price * 0.9995, price * 1.0005, 99.0, 103.0,
                97.0, 1e6, 1e8, None, now + n * 1e-4, now, mono, None,
            )
        )  # fmt: skip
    return made


def _engine() -> Engine:
    more = tuple(f"X{n}" for n in range(200))
    return Engine(Config(crypto=Crypto(exchanges=("kraken",), baskets={"more": more}, alt=("more",))), Clock())


def crossings(rng: random.Random) -> dict[str, object]:
    """The same ticks through an engine without crossings and one with 1,000, in turns; the cost in their ratio."""
    bare, watched = _engine(), _engine()
    quotes = _quotes(bare, rng)
    symbols = bare.config.crypto.symbols
    rules = [
        Rule(
            f"c{n}", cross=Cross(symbols[n % len(symbols)], 100.0 * rng.uniform(0.9, 1.1)), cooldown=900.0, max_age=60.0
        )
        for n in range(RULES)
    ]
    alerting: Alerting = set_up(rules, watched.board, None, lambda text: None)
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(TURNS):
        for engine, times in ((bare, seconds[0]), (watched, seconds[1]))[:: 1 if turn % 2 else -1]:
            took = _pass(engine, quotes)
            if turn > 1:
                times.append(took)
    crossed = len(alerting.beat({}, time.time()))
    per_tick = [1e6 * statistics.median(times) / TICKS for times in seconds]
    ratios = [with_ / without for without, with_ in zip(*seconds, strict=True)]
    return {
        "ticks": TICKS,
        "crossed": crossed,
        "us_a_tick_without": round(per_tick[0], 3),
        "us_a_tick_with": round(per_tick[1], 3),
        "ratio_median": round(statistics.median(ratios), 4),
        "ratio_of_medians": round(per_tick[1] / per_tick[0], 4),
        "ratio_best": round(min(seconds[1]) / min(seconds[0]), 4),
    }


def _pass(engine: Engine, quotes: Sequence[Quote]) -> float:
    take, began = engine.ingest, time.thread_time()
    for quote in quotes:
        take(quote)
    return time.thread_time() - began


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "p95": round(statistics.quantiles(values, n=20)[18], 3),
        "worst": round(max(values), 3),
    }


def main() -> None:
    rng = random.Random(1)
    result = {
        "bench": "alerts",
        "machine": machine(),
        "rules": RULES,
        "rows": ROWS,
        "few_rows_match": conditions(rng, distinct=True, lowest=2.6),
        "few_rows_match_rules_that_share": conditions(rng, distinct=False, lowest=2.6),
        "storm_of_instances": conditions(rng, distinct=True, lowest=1.8),
        "idle": idle(rng),
        "crossings": crossings(rng),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
