"""What the engine costs: quotes taken in a second, and a whole beat over 200 and over 2,000 symbols. JSON on stdout.

`python -m bench.beat`. Every symbol of a beat has moved since the last one: the worst case. Beats are measured with
the derived tables that the engine has by itself, in milliseconds of the thread's CPU and of wall time.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Iterator

from bench.machine import machine
from engine.clock import Clock
from engine.config import Config, Crypto
from engine.engine import Engine
from engine.model import Quote

BEATS = 200
BEAT_S = 0.25
"""What a beat is long at the default rate: slow tables are due as often as in a run."""
QUOTES = 400_000


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
        self._now, self._mono = time.time(), time.monotonic()

    def step(self) -> None:
        self._now += BEAT_S
        self._mono += BEAT_S

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._mono


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


def beats(symbols: int, rng: random.Random) -> dict[str, float]:
    """Milliseconds a beat in which every symbol moved."""
    clock = _Stepped()
    engine = Engine(_config(symbols), clock)
    rounds = [list(_quotes(engine, rng)) for _ in range(5)]
    cpu: list[float] = []
    wall: list[float] = []
    for n in range(BEATS + 10):
        clock.step()
        now, mono = clock.now(), clock.monotonic()
        for quote in rounds[n % 5]:
            engine.ingest(quote._replace(event_time=now, received=now, received_mono=mono))
        began = time.perf_counter()
        snapshot = engine.beat()
        if n >= 10:
            wall.append((time.perf_counter() - began) * 1e3)
            cpu.append(snapshot.beat_ms)
    return {
        "rows": snapshot.tables["quotes"].height,
        **{f"cpu_ms_{k}": v for k, v in _spread(cpu).items()},
        **{f"wall_ms_{k}": v for k, v in _spread(wall).items()},
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "p99": round(statistics.quantiles(values, n=100)[98], 2),
    }


def main() -> None:
    rng = random.Random(1)
    result = {
        "bench": "beat",
        "machine": machine(),
        "ingest": ingest(rng),
        "beat_200": beats(200, rng),
        "beat_2000": beats(2000, rng),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
