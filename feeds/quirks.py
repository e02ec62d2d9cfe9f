"""What single venues need beside the common way: a venue's name stands here and in `feeds.shortcuts`, nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Quirks:
    """How one venue differs."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """ccxt options beside the common ones."""
    watch: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of `watch_tickers` and `watch_ticker`."""
    every_tick: str = ""
    """Channel of every tick, subscribed to by the library's `subscribe_multiple`, where its `watch_tickers` takes a
    slower one."""
    polled_open_is_24h: bool = True
    """False where the open of a ticker that REST answers is not the price of 24 hours ago."""
    symbols_per_call: int = 0
    """The most symbols that one call of `watch_tickers` may name; 0: any."""
    candles: int = 0
    """Candles that one request may ask for; 0: 500."""
    candles_reach_back: bool = True
    """False where only the newest `candles` are served, whatever is asked for."""


_COMMON: Final = Quirks()
_QUIRKS: Final[Mapping[str, Quirks]] = {
    # the default stream, miniTicker, has neither bid nor ask
    "binance": Quirks(watch={"name": "ticker"}, candles=1000),
    "binanceus": Quirks(watch={"name": "ticker"}, candles=1000),
    "bitfinex": Quirks(candles=1000),
    "bitstamp": Quirks(candles=1000),
    "bybit": Quirks(symbols_per_call=10, candles=1000),
    # watch_tickers takes ticker_batch, which tells of a book every five seconds
    "coinbase": Quirks(every_tick="ticker", candles=300),
    "coinbaseexchange": Quirks(candles=300),
    "gate": Quirks(candles=1000),
    # REST opens are the UTC day's, and 720 candles are all there is
    "kraken": Quirks(polled_open_is_24h=False, candles=720, candles_reach_back=False),
    "kucoin": Quirks(options={"fetchMarkets": {"fetchTickersFees": False}}, symbols_per_call=100, candles=1500),
    "okx": Quirks(candles=300),
}


def quirks_of(name: str) -> Quirks:
    """The quirks of the exchange `name`; the common way for one that is not named here."""
    return _QUIRKS.get(name, _COMMON)
