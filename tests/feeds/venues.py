"""What tests of crypto feeds share: a still market, a gateway with venues on it, and short waits."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.config import Config, Crypto
from simulator.authority import Authority
from simulator.binance import BinanceSite
from simulator.coinbase import CoinbaseSite
from simulator.gateway import Gateway, Reply, Request, Site
from simulator.kraken import KrakenSite
from simulator.venue import VenueSite
from tests.simulator.still_market import StillMarket

SITES: dict[str, type[VenueSite]] = {"binance": BinanceSite, "coinbase": CoinbaseSite, "kraken": KrakenSite}
QUOTE = {"binance": "USDT", "coinbase": "USD", "kraken": "USD"}


def config(*exchanges: str, bases: Sequence[str] = ("BTC", "ETH", "DOGE"), quotes: Sequence[str] = ()) -> Config:
    return Config(crypto=Crypto(exchanges, tuple(quotes) or ("USD", "USDT", "USDC"), baskets={"majors": tuple(bases)}))


@asynccontextmanager
async def gateway_with(folder: Path, *sites: Site) -> AsyncIterator[Gateway]:
    (folder / "authority").mkdir(exist_ok=True)
    gateway = Gateway(sites, Authority(folder / "authority"))
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


@pytest.fixture
def market() -> StillMarket:
    return StillMarket()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VenueSite, "cadence", 0.02)


class Refusing:
    """A venue that answers every request with one status, until told otherwise."""

    def __init__(self, site: VenueSite, reply: Reply) -> None:
        self._site = site
        self.reply: Reply | None = reply
        self.hosts = site.hosts
        self.asked: list[float] = []
        self.socket = site.socket
        self.run = site.run

    async def http(self, request: Request) -> Reply:
        if self.reply is None:
            return await self._site.http(request)
        self.asked.append(time.monotonic())
        return self.reply
