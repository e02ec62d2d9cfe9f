"""A market that moves only when a test says so, and what it takes to meet a venue of it with a real ccxt.pro client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import ccxt.pro

import feeds.backport  # noqa: F401 — Python 3.11.0 to 3.11.2 could not close the client below
from simulator.authority import Authority
from simulator.gateway import Gateway
from simulator.venue import VenueSite, decimals_of

NOW = 1_767_972_600.0
"""2026-01-09 10:30 in New York."""
FIRST = 1_577_836_800
"""2020-01-01: the still market's first candle."""
DAY, HOUR, MINUTE = 86_400, 3_600, 60


@dataclass(frozen=True, slots=True)
class Still:
    """24 hours that stand still."""

    last: float
    bid: float
    ask: float
    open: float
    high: float
    low: float
    vwap: float
    volume: float
    trades: int
    time: float


def still(price: float, volume: float) -> Still:
    """A plausible day around a price, on a grid of two decimals where the price allows it."""
    return Still(
        last=price,
        bid=price * 0.999,
        ask=price * 1.001,
        open=price * 0.96,
        high=price * 1.05,
        low=price * 0.95,
        vwap=price * 0.98,
        volume=volume,
        trades=40_000,
        time=NOW - 0.5,
    )


class StillMarket:
    """Satisfies `simulator.venue.Prices`; `move` changes a price and says so once."""

    def __init__(self, time: float = NOW) -> None:
        self.time = time
        self.days: dict[str, Still] = {
            "BTC": still(91_000, 12_000),
            "ETH": still(3_100, 150_000),
            "DOGE": still(0.14, 2e9),
            "PEPE": still(0.000006, 4e12),
            "USDT": still(1, 5e7),
            "USDC": still(1, 6e7),
        }
        self._moved: list[str] = []

    def now(self) -> float:
        return self.time

    def bases(self, venue: str) -> Sequence[str]:
        return tuple(base for base in self.days if not (venue == "binance" and base == "USDT"))

    def quote_ccy(self, venue: str) -> str:
        return "USDT" if venue == "binance" else "USD"

    def fx(self, ccy: str) -> float:
        return {"EUR": 1.16}.get(ccy, 1.0)

    def decimals(self, base: str) -> int:
        return decimals_of(self.days[base].last)

    def ticker(self, venue: str, base: str) -> Still:
        return self.days[base]

    def moved(self, venue: str, since: float, until: float) -> Sequence[str]:
        moved, self._moved = self._moved, []
        return moved

    def move(self, base: str, last: float) -> None:
        """A trade at `last`, half a second later."""
        self.time += 0.5
        self.days[base] = replace(self.days[base], last=last, time=self.time)
        self._moved.append(base)

    def candles(
        self, venue: str, base: str, interval_s: int, start: float, end: float
    ) -> list[tuple[float, float, float, float, float, float]]:
        first = max(FIRST, -(-int(start) // interval_s) * interval_s)
        last = min(end, self.time + 1)
        price = self.days[base].open
        return [
            (at, price, price * 1.01, price * 0.99, price, 10.0 + (at // interval_s) % 7)
            for at in range(first, int(-(-last // 1)), interval_s)
        ]


class Border(Protocol):
    """Where a client goes: a `Gateway` says so of itself."""

    @property
    def proxy(self) -> str: ...
    @property
    def ca_file(self) -> str: ...


class At(NamedTuple):
    """The border of a gateway that runs in another process."""

    proxy: str
    ca_file: str


@asynccontextmanager
async def client(site: VenueSite, folder: Path, **options: Any) -> AsyncIterator[Any]:
    """An unpatched ccxt.pro exchange that meets `site` through the gateway, with its markets loaded."""
    async with gateway(site, folder) as made, unloaded(site.name, made, **options) as exchange:
        await exchange.load_markets()
        yield exchange


@asynccontextmanager
async def gateway(site: VenueSite, folder: Path) -> AsyncIterator[Gateway]:
    made = Gateway([site], Authority(folder))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def unloaded(name: str, made: Border, **options: Any) -> AsyncIterator[Any]:
    where: Mapping[str, object] = {"httpsProxy": made.proxy, "wssProxy": made.proxy, "cafile": made.ca_file}
    exchange = getattr(ccxt.pro, name)({**where, "enableRateLimit": False, "timeout": 5000, **options})
    try:
        yield exchange
    finally:
        await exchange.close()


async def soon(work: Awaitable[Any]) -> Any:
    """The awaited value, within the time that a test has."""
    return await asyncio.wait_for(work, 5)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition that other tasks bring about."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 (what is waited for happens inside ccxt, which sets no event of ours)
            await asyncio.sleep(0.01)


def overheard(exchange: Any) -> list[dict[str, Any]]:
    """The raw messages that an exchange receives from now on, in order."""
    messages: list[dict[str, Any]] = []
    handle = exchange.handle_message

    def hear(socket: Any, message: dict[str, Any]) -> None:
        messages.append(message)
        handle(socket, message)

    exchange.handle_message = hear
    return messages
