"""Bars and what is said of them, as the engine publishes them for charts: seeded, and the same every time."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl

from engine.tables import TABLES, TIME

DAY_US = 86_400_000_000
LAST = datetime(2026, 1, 9, tzinfo=UTC)
MINUTE = datetime(2026, 1, 9, 15, 30, tzinfo=UTC)
"""10:30 in New York."""
ASKED = {"1d": "1d", "5m,1m,1h": "5m", "1h,5m,1m": "1h", "1h,1d": "1h", "1d,1h": "1d", "1h": "1h", "5m": "5m"}
SUBJECTS = {  # where its last price stands, its daily deviation, whether it has candles, its seed
    "IWM/SPY": (0.3154, 0.006, False, 11), "ALT/BTC": (41.27, 0.03, False, 5), "ETH/BTC": (0.03391, 0.025, False, 6),
    "^RUT": (2204.71, 0.011, True, 17), "BTC/USD": (90_884.10, 0.028, True, 8), "IWM": (219.84, 0.012, True, 9),
    "SPY": (697.02, 0.009, True, 10),
}  # fmt: skip


def days(count: int) -> list[int]:
    """The last `count` weekdays in microseconds, oldest first."""
    found: list[int] = []
    day = int(LAST.timestamp()) // 86_400
    while len(found) < count:
        if (day + 3) % 7 < 5:
            found.append(day * DAY_US)
        day -= 1
    return found[::-1]


def stamps(interval: str, count: int, round_the_clock: bool) -> list[int]:
    """Times of the last `count` bars; those of shares lie between 14:30 and 21:00 UTC."""
    if interval == "1d":
        return days(count)
    step = 300_000_000 if interval == "5m" else 3_600_000_000
    at = int(MINUTE.timestamp()) * 1_000_000
    found: list[int] = []
    while len(found) < count:
        minute, weekday = at % DAY_US // 60_000_000, (at // DAY_US + 3) % 7
        if round_the_clock or (870 <= minute < 1260 and weekday < 5):
            found.append(at)
        at -= step
    return found[::-1]


def frame(symbol: str, interval: str, count: int, status: str = "ok") -> pl.DataFrame:
    """The `bars` of one symbol and interval."""
    last, sd, candles, seed = SUBJECTS[symbol]
    rng = np.random.default_rng(seed)
    scale = sd if interval == "1d" else sd / (2.5 if interval == "1h" else 8)
    steps = rng.normal(0, scale, count)
    close = np.exp(np.cumsum(steps) - steps.sum()) * last
    opened = np.concatenate([[close[0]], close[:-1]])
    spread = np.abs(rng.normal(0, scale / 2, (2, count)))
    columns: dict[str, object] = {
        "symbol": [symbol] * count, "interval": [interval] * count,
        "time": stamps(interval, count, "/" in symbol), "close": close,
    }  # fmt: skip
    if candles:
        columns |= {
            "open": opened, "high": np.maximum(opened, close) * np.exp(spread[0]),
            "low": np.minimum(opened, close) * np.exp(-spread[1]), "volume": rng.lognormal(17, 0.35, count),
        }  # fmt: skip
    elif interval == "1d":
        q = pl.Series(np.log(close))
        mean, deviation = q.rolling_mean(252, min_samples=126), q.rolling_std(252, min_samples=126)
        columns |= {"mean252": mean, "sd252": deviation, "z252": (q - mean) / deviation}
    made = pl.DataFrame(columns).with_columns(pl.col("time").cast(TIME))
    statuses = ["ok"] * (count - 1) + [status]
    full = made.with_columns(
        *(pl.lit(None, pl.Float64).alias(n) for n in TABLES["bars"].names()[3:11] if n not in made.columns),
        pl.Series("status", statuses), pl.lit(value=True).alias("simulated"),
    )  # fmt: skip
    return full.select(TABLES["bars"].names())


def tables(status: str | None = None) -> dict[str, pl.DataFrame]:
    """`bars` and `charts` of every subject, at every interval that a span asks for."""
    pieces, rows = [], []
    for symbol in SUBJECTS:
        for interval, count in (("1d", 620), ("1h", 180), ("5m", 130)):
            pieces.append(frame(symbol, interval, count, status or "ok"))
        rows += [
            {
                "symbol": symbol, "asked": asked, "interval": interval, "intervals": "1d 1h 5m", "source": "yahoo-bars",
                "kind": "candles" if SUBJECTS[symbol][2] else "line", "rows": 620, "quote_ccy": "USD",
                "first": None, "last": LAST, "note": None, "as_of": MINUTE, "status": status or "ok", "simulated": True,
            }
            for asked, interval in ASKED.items()
        ]  # fmt: skip
    return {
        "matrix": matrix(status),
        "bars": pl.concat(pieces),
        "charts": pl.DataFrame(rows, schema=TABLES["charts"], orient="row"),
    }


NAMES = ("IWM", "SPY", "IJR", "QQQ", "RSP", "^RUT", "^GSPC", "ALT", "BTC", "ETH", "majors", "ai", "meme")


def matrix(status: str | None = None) -> pl.DataFrame:
    """Everything against everything; the newest basket is too young."""
    rng = np.random.default_rng(4)
    rows = []
    for i, a in enumerate(NAMES):
        for j in range(i + 1, len(NAMES)):
            young = NAMES[j] == "meme"
            crypto = (i >= 7) + (j >= 7)
            corr = float((0.85, -0.05, 0.75)[crypto] + rng.normal(0, 0.1))
            rows.append(
                {
                    "a": a, "b": NAMES[j], "window": 63, "corr": None if young else min(0.99, corr), "as_of": MINUTE,
                    "n": 20 if young else 63, "status": "warming" if young else status or "ok", "simulated": True,
                }
            )  # fmt: skip
    return pl.DataFrame(rows, schema=TABLES["matrix"], orient="row")
