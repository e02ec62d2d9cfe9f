"""How often a source may be asked: the venues' own limits of connection attempts, and how patient we are below them.

The one table of those limits. The supervisors' pauses keep well within it whatever goes wrong, and the tests of faults
count every attempt in the gateway's log against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from feeds.supervisor import Policy


class Limit(NamedTuple):
    """So many connection attempts in so many seconds, from one address."""

    attempts: int
    seconds: float
    said_by: str


ATTEMPTS: Final[Mapping[str, Limit]] = {
    "binance.com": Limit(300, 300.0, "Binance, WebSocket streams: 300 connections every 5 minutes"),
    "kraken.com": Limit(150, 600.0, "Kraken, WebSocket: about 150 attempts in a rolling 10 minutes"),
    "coinbase.com": Limit(8, 1.0, "Coinbase, Advanced Trade WebSocket: 8 connections a second"),
    "coingecko.com": Limit(30, 60.0, "CoinGecko, demo plan: 30 calls a minute"),
    "yahoo.com": Limit(60, 60.0, "Yahoo names none: ours"),
}
"""By the domain that hosts end with. Hosts of other venues: `OTHERS`."""
OTHERS: Final = Limit(30, 60.0, "venues that name none: ours")
QUICK: Final = frozenset({"crypto-stream", "equity-stream", "equity-poll"})
"""Feeds of live prices: a refusal that is over must be noticed within a quarter of a minute."""
_LIVE: Final = Policy()
_PATIENT: Final = Policy(blocked_first=60.0, blocked_ceiling=900.0)


def policy_of(kind: str) -> Policy:
    """How patient the supervisor of a feed of this kind is: history and facts that are refused are asked for rarely."""
    return _LIVE if kind in QUICK else _PATIENT


def limit_of(host: str) -> Limit:
    """The limit that holds for a host."""
    for domain, limit in ATTEMPTS.items():
        if host == domain or host.endswith("." + domain):
            return limit
    return OTHERS


def exceeded(attempts: Iterable[tuple[float, str]]) -> list[str]:
    """Hosts that were tried more often than their limit allows in any window of it, in words; times in seconds."""
    by_host: dict[str, list[float]] = {}
    for at, host in attempts:
        by_host.setdefault(host, []).append(at)
    wrong = []
    for host, times in by_host.items():
        limit = limit_of(host)
        times.sort()
        for first, last in zip(times, times[limit.attempts :], strict=False):
            if last - first < limit.seconds:
                wrong.append(f"{host}: more than {limit.attempts} attempts within {limit.seconds:g} s")
                break
    return wrong
