"""Every fault alone, over real sockets and TLS, through the crypto feed and the engine: what docs/reliability.md owes.

All runs go side by side on a clock that is three times as fast as ours, each with a gateway, a market and an engine of
its own; every test looks at one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.config import Config, Crypto, Equity
from engine.engine import Engine
from feeds.crypto import CryptoStream
from feeds.limits import policy_of
from feeds.link import Context
from feeds.markets import MarketLists
from feeds.network import Border
from simulator.authority import Authority
from simulator.binance import BinanceSite
from simulator.coinbase import CoinbaseSite
from simulator.faults import Fault, Faults
from simulator.gateway import Gateway
from simulator.kraken import KrakenSite
from simulator.venue import VenueSite
from tests.engine.runtime import no_makers
from tests.faults.world import NO_RULES, MovingMarket, Seen, Watch, WorldClock, observe, price_check
from tests.feeds.live import running

SITES: dict[str, type[VenueSite]] = {"binance": BinanceSite, "coinbase": CoinbaseSite, "kraken": KrakenSite}
LIMIT_S = 15.0
"""A crypto stream may be silent for so long (METRICS §0)."""
SLACK_S = 3.0
"""A beat, the watchdog's look, and a busy machine."""
RECOVERY_S = 15.0


@dataclass(frozen=True)
class Promise:
    """What is owed for one fault."""

    venue: str
    live: bool = False
    """Rows stay live all the time."""
    quiet: bool = False
    """One of them only by its channel: it grows old, and says so."""
    says: str = ""
    """In the feed's error."""
    seconds: float = 12.0
    value: float | None = None
    from_start: bool = False
    named_s: float = 0.0
    kind: str = ""
    """The fault, where the name is that of one of its forms."""


PROMISES = {
    "refuse": Promise("kraken", says="proxy refuses this host"),
    "dns": Promise("coinbase", says="proxy refuses this host (HTTP 503)"),
    "tls-stranger": Promise("coinbase", says="TLS"),
    "tls-broken": Promise("binance"),
    "slow-accept": Promise("kraken", says="no answer in time", seconds=14.0),
    "die": Promise("coinbase", seconds=3.0),
    "reset": Promise("binance"),
    "half-open": Promise("kraken", seconds=20.0),
    "close": Promise("coinbase", says="closed"),
    "silent": Promise("kraken", says="no data for", seconds=20.0),
    "frozen": Promise("kraken", says="stood still", seconds=20.0),
    "past": Promise("binance", says="stood still", seconds=20.0),
    "skew": Promise("kraken", live=True),
    "skew-behind": Promise("coinbase", kind="skew", value=-300.0, seconds=20.0),
    "duplicate": Promise("coinbase", live=True),
    "shuffle": Promise("kraken", live=True),
    "burst": Promise("binance", live=True, seconds=6.0),
    "truncated": Promise("coinbase", says="no data for", seconds=20.0),
    "wrong-types": Promise("kraken", seconds=20.0),
    "unknown": Promise("binance", says="no data for", seconds=20.0),
    "renamed": Promise("kraken", live=True, quiet=True, seconds=22.0),
    "delisted": Promise("coinbase", live=True, quiet=True, seconds=22.0),
    "zero": Promise("coinbase", says="no data for", seconds=20.0),
    "negative": Promise("kraken", says="no data for", seconds=20.0),
    "nan": Promise("binance", says="no data for", seconds=20.0),
    "huge": Promise("coinbase", says="no data for", seconds=20.0),
    "crossed": Promise("binance", live=True),
    "code-frame": Promise("kraken", seconds=20.0),
    "unavailable": Promise("binance", says="not available (HTTP 503)"),
    "limited": Promise("kraken", says="rate limit", value=16.0, named_s=16.0 * 1.1),
    "limited-unnamed": Promise("coinbase", kind="limited", says="rate limit"),
    "teapot": Promise("binance", says="rate limit"),
    "forbidden": Promise("coinbase", says="refuses this place"),
    "geo-block": Promise("binance", says="geo-block"),
    "empty": Promise("kraken", from_start=True, says="list of markets is empty"),
    "html": Promise("coinbase", from_start=True, says="list of markets is empty"),
    "gzip-bomb": Promise("binance", from_start=True, says="MB", seconds=6.0),
    "endless": Promise("kraken", from_start=True, says="no answer in time"),
}


async def observed(kind: str, clock: WorldClock, folder: Path, authority: Authority, watch: Watch) -> None:
    promise = PROMISES[kind]
    market = MovingMarket(clock)
    gateway = Gateway([SITES[promise.venue](market)], authority, faults=Faults(seed=len(kind)), now=clock.monotonic)
    await gateway.start()
    crypto = Crypto((promise.venue,), baskets={"majors": ("BTC", "ETH", "DOGE")})
    settings = Config(crypto=crypto, equity=Equity(symbols=()), rules=NO_RULES)
    engine = Engine(settings, clock, makers=no_makers)
    engine.calendars_ready = lambda: False  # crypto knows no sessions, and building them takes a second
    context = Context(settings, clock, engine, Border(gateway.proxy, gateway.ca_file, 2.0), folder / kind)
    fault = Fault(promise.kind or kind, value=promise.value)
    check = price_check(market, LIMIT_S + SLACK_S, past=kind == "past", quiet=watch.quiet if promise.quiet else None)
    try:
        async with running(CryptoStream(promise.venue, MarketLists()), context, policy_of("crypto-stream")):
            await observe(
                engine, gateway, fault, promise.seconds, watch, check,
                first_live=not promise.from_start, named_s=promise.named_s, says=promise.says,
                stale=not (promise.live or promise.from_start),
            )  # fmt: skip
    finally:
        await gateway.stop()


@pytest.mark.parametrize("kind", sorted(PROMISES))
def test_crypto(kind: str, crypto: Seen) -> None:
    promise, watch = PROMISES[kind], crypto.watches[kind]
    assert watch.wrong == []
    assert not [text for text in watch.notices if "error" in text.lower()]
    if promise.live:
        assert watch.stayed_live, watch.statuses
        assert watch.states == ["live"]
    elif not promise.from_start:
        assert watch.was_stale, (watch.statuses, watch.states, watch.errors)
    assert not promise.says or any(promise.says in error for error in watch.errors), watch.errors
    assert watch.recovered_s is not None, (watch.states, watch.errors)
    assert watch.recovered_s <= RECOVERY_S + SLACK_S, watch.errors
    # a life may take a request and a socket; two lives are a second apart at the least, and soon much further
    assert watch.reconnects <= 2 + promise.seconds / 2
    assert watch.too_often == []
    assert bool(watch.quiet) == promise.quiet
