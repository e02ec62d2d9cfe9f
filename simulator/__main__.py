"""`python -m simulator`: a simulated market behind a gateway, for as long as its standard input stays open.

One JSON line on standard output says that it listens, and how to reach it. It ends when standard input closes, so that
it cannot outlive whoever started it, or on SIGTERM; its temporary files go with it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from simulator.scenario import Scenario, ScenarioError, built_in, load

if TYPE_CHECKING:
    from simulator.gateway import Site


def sites(scenario: Scenario, now: Callable[[], float], funds: Path | None = None) -> list[Site]:
    """Every service of the simulated world, on one market. The venues are those that the scenario has.

    funds: where to write what a user would have saved from the issuers' sites; None: nowhere.
    """
    from simulator.binance import BinanceSite
    from simulator.coinbase import CoinbaseSite
    from simulator.coingecko import CoinGeckoSite
    from simulator.funds import FundFile, SsgaSite
    from simulator.kraken import KrakenSite
    from simulator.market import Market
    from simulator.outside import OutsideSite
    from simulator.yahoo import YahooSite

    market = Market(scenario, now)
    venues = {"binance": BinanceSite, "kraken": KrakenSite, "coinbase": CoinbaseSite}
    others = [YahooSite(market), CoinGeckoSite(market), SsgaSite(market), OutsideSite(market)]
    written = [] if funds is None else [FundFile(market, funds)]
    return [*others, *written, *(venues[name](market) for name in market.venues)]


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("simulator", description="A simulated market behind a gateway on loopback.")
    parser.add_argument(
        "--scenario", default="january-2026", help=f"{', '.join(built_in())}, or a .toml file (default: january-2026)"
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--folder", type=Path, help="keep the certificate authority here, for restarts")
    parser.add_argument(
        "--offset", type=float, help="seconds from the system's clock to the market's (default: the scenario's start)"
    )
    given = parser.parse_args(arguments)
    # nothing here ever connects to the outside, and reading the system's authorities would take a fifth of the start
    os.environ["SSL_CERT_FILE"] = os.devnull
    try:
        scenario = load(given.scenario)
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="sizewatch-simulator-") as folder:
            asyncio.run(_serve(scenario, given.folder or Path(folder), given.port, given.offset))
    except OSError as error:
        sys.stderr.write(f"the simulator cannot listen: {error}\n")
        return 1
    return 0


async def _serve(scenario: Scenario, folder: Path, port: int, offset: float | None) -> None:
    from simulator.authority import Authority
    from simulator.faults import Faults
    from simulator.gateway import Gateway

    # the clock is set once everything listens, so that the scenario opens at its start
    shift = [scenario.start.timestamp() - time.time() if offset is None else offset]
    faults = Faults(scenario.faults, seed=scenario.seed)
    funds = folder / "funds.csv"
    served = sites(scenario, lambda: time.time() + shift[0], funds)
    gateway = Gateway(served, Authority(folder), port=port, faults=faults)
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, done.set)
    await gateway.start()
    if offset is None:
        shift[0] = scenario.start.timestamp() - time.time()
    ready = {
        "proxy": gateway.proxy,
        "ca_file": gateway.ca_file,
        "funds": str(funds),
        "scenario": scenario.name,
        "start": scenario.start.isoformat(),
        "offset": shift[0],
        "now": time.time() + shift[0],
    }
    sys.stdout.write(orjson.dumps(ready).decode() + "\n")
    sys.stdout.flush()
    threading.Thread(target=_until_closed, args=(loop, done), daemon=True).start()
    await done.wait()
    await gateway.stop()


def _until_closed(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    """Wait for the end of standard input; what is written there means nothing."""
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(done.set)


if __name__ == "__main__":
    sys.exit(main())
