"""A clock that moves by hand, quotes of any kind, and an engine over both: for the tests of the run time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from engine.bars import BarBook
from engine.clock import Clock
from engine.config import Config, Crypto, Equity
from engine.derived import Maker
from engine.engine import Engine
from engine.model import ChannelReport, FeedReport, FeedState, Mode, Quote, Snapshot
from engine.tables import BARS

FRIDAY = datetime(2026, 1, 9, 15, 30, tzinfo=UTC)
"""10:30 in New York, in session."""
SATURDAY = datetime(2026, 1, 10, 15, 30, tzinfo=UTC)


class HandClock(Clock):
    """Stands still until `pass_`."""

    def __init__(self, start: datetime = FRIDAY) -> None:
        super().__init__()
        self._wall = start.timestamp()
        self._mono = 1000.0

    def now(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._mono

    def pass_(self, seconds: float) -> None:
        """Let `seconds` go by."""
        self._wall += seconds
        self._mono += seconds


def config(*, exchanges: tuple[str, ...] = ("coinbase", "kraken", "binance"), **more: Any) -> Config:
    """Three bases, a few equities."""
    return Config(
        crypto=Crypto(exchanges=exchanges, baskets={"majors": ("BTC", "ETH"), "ai": ("FET",)}, alt=("ai",)),
        equity=Equity(symbols=("IWM", "SPY", "^RUT", "RTY=F")),
        **more,
    )


def quote(
    clock: Clock, symbol: str = "BTC/USD", source: str = "kraken", last: float | None = 100.0, **more: Any
) -> Quote:
    """A quote that arrives now; `age` is how old the venue says it is."""
    age = more.pop("age", 0.0)
    values: dict[str, Any] = {
        "channel": f"{source}:tickers",
        "venue_symbol": symbol,
        "quote_ccy": "USD",
        "bid": None,
        "ask": None,
        "prev": None,
        "high": None,
        "low": None,
        "volume": None,
        "quote_volume": None,
        "vwap": None,
        "event_time": None if age is None else clock.now() - age,
        "received": clock.now(),
        "received_mono": clock.monotonic(),
    }
    return Quote(symbol=symbol, source=source, last=last, **(values | more))


def channel(source: str, *, up: bool, limit: float = 15.0) -> ChannelReport:
    """A report on a source's only channel."""
    return ChannelReport(f"{source}:tickers", source, up, limit)


def report(source: str = "kraken", state: FeedState = FeedState.LIVE, **more: Any) -> FeedReport:
    """A feed's word on itself."""
    values: dict[str, Any] = {
        "kind": "crypto-stream", "last_message": None, "rate": 0.0, "reconnects": 0, "error": None, "retry_at": None,
        "settled": True,
    }  # fmt: skip
    return FeedReport(source=source, state=state, **(values | more))


def no_makers(_: Config, __: BarBook) -> Iterable[Maker]:
    """No derived tables."""
    return ()


def engine(clock: Clock, *, settings: Config | None = None, store: Path | None = None, **more: Any) -> Engine:
    """An engine that makes quotes and feeds alone, unless told otherwise."""
    more.setdefault("makers", no_makers)
    more.setdefault("mode", Mode.LIVE)
    return Engine(settings or config(), clock, store=store, **more)


def row(snapshot: Snapshot, symbol: str = "BTC/USD") -> dict[str, Any]:
    """The `quotes` row of a symbol."""
    return snapshot.tables["quotes"].row(by_predicate=pl.col("symbol") == symbol, named=True)


def bars_frame(
    closes: Iterable[float], start: datetime = datetime(2025, 12, 1, tzinfo=UTC), days: int = 1
) -> pl.DataFrame:
    """Daily bars, flat but for their closes."""
    closes = list(closes)
    micros = [int(start.timestamp() * 1e6) + n * days * 86_400_000_000 for n in range(len(closes))]
    prices = dict.fromkeys(("open", "high", "low", "close", "adj_close"), closes)
    return pl.DataFrame({"time": micros, **prices, "volume": [1e6] * len(closes)}).cast(BARS)
