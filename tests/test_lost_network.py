"""The network goes and comes back under a live run: every row that it fed is stale at once, every source says why."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.clock import Clock
from engine.collector import Collector
from engine.config import Config, Crypto, Equity, Flows, Network, Regime, Spreads
from engine.model import Mode, Sink, Snapshot
from feeds.link import Context
from feeds.network import Border
from feeds.sources import Feeds
from simulator.child import Child
from simulator.scenario import load

LIVE = ("quotes", "spreads", "levels", "baskets", "volumes", "markets", "facts", "correlations")
"""Tables whose every row holds something that a lost connection makes old; the others are of closed days."""
CONFIG = Config(
    crypto=Crypto(("kraken",), baskets={"majors": ("BTC", "ETH"), "large": ("SOL",)}, alt=("large",)),
    equity=Equity(("IWM", "SPY", "^RUT")),
    spreads=Spreads(("IWM/SPY", "ALT/BTC")),
    regime=Regime((), (), fed_funds=False),
    flows=Flows(groups={"small": ("IWM",), "large": ("SPY",)}),
)


def until(source: Collector, done: Callable[[Snapshot], object], seconds: float, what: str) -> Snapshot:
    ends = time.monotonic() + seconds
    while (latest := source.latest()) is None or not done(latest):
        assert source.failure() is None
        assert time.monotonic() < ends, f"{what}: {told(latest)}"
        time.sleep(0.05)
    return latest


def told(snapshot: Snapshot | None) -> object:
    if snapshot is None:
        return None
    feeds = [(r["source"], r["state"], r["error"]) for r in snapshot.tables["feeds"].rows(named=True)]
    return feeds, {name: snapshot.tables[name]["status"].to_list() for name in LIVE}


def test_every_row_is_stale_and_every_source_says_why_and_all_are_back(tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    folder.mkdir()
    offset = load("january-2026").start.timestamp() - time.time()
    gateway = Child("january-2026", tmp_path, offset, folder=folder)
    proxy = gateway.ready().proxy
    network = Border.of(Network(proxy=proxy, ca_file=gateway.ready().ca_file))

    def prepare(sink: Sink, config: Config, clock: Clock) -> Feeds:
        return Feeds(Context(config, clock, sink, network, tmp_path / "cache"))

    collector = Collector(
        prepare, config=CONFIG, mode=Mode.LIVE, scenario=None, clock=Clock(offset), store=tmp_path / "store"
    )
    collector.start()
    try:
        before = until(collector, lambda s: s.settled and _states(s) == {"live"}, 90, "never live")
        assert "stale" not in set(before.tables["quotes"]["status"]) | set(before.tables["markets"]["status"])
        asks = {row["source"]: row for row in before.tables["feeds"].rows(named=True)}
        assert asks["coingecko"]["next_at"] > before.tables["feeds"]["last_message"].max(), "it says when it asks again"
        gateway.stop()
        lost = until(collector, _all_stale, 20, "not stale")
        for name in ("claims", "gauges"):
            rows = lost.tables[name].rows(named=True)
            assert all(r["status"] != "ok" for r in rows if r.get("gauge") in {"D1", "D2", "D3", "D4"})
        silent = until(
            collector, lambda s: all(_explained(r) for r in s.tables["feeds"].rows(named=True)), 20, "silent"
        )
        assert silent.tables["feeds"]["next_at"].null_count() == silent.tables["feeds"].height
        gateway = Child("january-2026", tmp_path, offset, folder=folder, port=int(proxy.rpartition(":")[2]))
        gateway.ready()
        until(
            collector, lambda s: _states(s) == {"live"} and "stale" not in set(s.tables["quotes"]["status"]), 60, "back"
        )
        until(collector, lambda s: "stale" not in set(s.tables["markets"]["status"]), 20, "whole-market figures")
    finally:
        collector.stop()
        gateway.stop()


def _states(snapshot: Snapshot) -> set[str]:
    return set(snapshot.tables["feeds"]["state"])


def _all_stale(snapshot: Snapshot) -> bool:
    rows = [status for name in LIVE for status in snapshot.tables[name]["status"].to_list()]
    return set(rows) == {"stale"} and "live" not in _states(snapshot)


def _explained(feed: dict[str, object]) -> bool:
    return bool(feed["error"]) and (feed["retry_at"] is not None or feed["state"] == "reconnecting")
