"""The world of `bench.soak_faults`: a market that never shows the same price twice, its sites, and what it told whom.

Every price rises a step at a time, so a price says when it was true, and the log of what the sites were given to send
says whether it ever was. What is shown is held against that log, row by row.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.clock import Clock
from simulator.binance import BinanceSite
from simulator.coinbase import CoinbaseSite
from simulator.faults import Fault
from simulator.kraken import KrakenSite
from simulator.spoil import PAST
from simulator.venue import VenueSite
from tests.faults.test_yahoo import SYMBOLS, MovingYahoo
from tests.faults.world import LIVE, STEP_S, MovingMarket, WorldClock
from tests.feeds.yahoo_site import YahooSite
from tests.simulator.still_market import NOW, Still, still

VENUES: Final[Mapping[str, type[VenueSite]]] = {"binance": BinanceSite, "coinbase": CoinbaseSite, "kraken": KrakenSite}
LANES: Final = {"binance": "binance.com", "coinbase": "coinbase.com", "kraken": "kraken.com", "yahoo": "yahoo.com"}
"""Source (or what it begins with) → the domain whose faults it meets."""
RISE: Final = 0.00005
"""Part of its first price that a symbol gains with every step."""
SPREAD: Final = 0.0001
"""From the price to its bid and its ask."""
OPENED: Final = 0.96
"""Part of its first price that a symbol opened at."""
MEMORY_S: Final = 120.0
"""How far back the log of what was sent reaches: nothing that is older is ever live."""
LIMIT_S: Final = 15.0
"""The longest that a channel may be silent (crypto streams; the equities' poll of this world is asked every 5 s)."""
SLACK_S: Final = 4.0
"""A beat, the watchdog's look, and a busy machine."""
QUEUED_S: Final = 2.0
"""How long a site's message may wait for its turn, and so meet a fault that began after it was made."""
RECOVERY_S: Final = 15.0
"""What recovery may take, of the world's seconds."""


def coin(number: int) -> str:
    """The name of one of the invented coins."""
    return f"C{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}{number // 676}"


class SoakMarket(MovingMarket):
    """Prices that rise for as long as the run lasts, and the log of what the sites were given."""

    def __init__(self, clock: Clock, coins: int) -> None:
        super().__init__(clock)
        extra = {coin(n): still(10.0 + 7.3 * n, 1e6) for n in range(coins)}
        for symbol, price in (("IWM", 259.46), ("^RUT", 2624.22)):
            extra[symbol] = still(price, 1e6)
        self.days |= extra
        self.first |= extra
        self._steps = int(MEMORY_S / STEP_S)
        self.sent: dict[str, deque[tuple[int, float]]] = {}
        """By base: (step, price) as handed to a site, oldest first."""

    def bases(self, venue: str) -> tuple[str, ...]:
        return tuple(base for base in super().bases(venue) if base not in SYMBOLS)

    def moved(self, venue: str, since: float, until: float) -> tuple[str, ...]:
        return self.bases(venue)

    def step(self) -> int:
        return int((self.now() - NOW) / STEP_S)

    def ticker(self, venue: str, base: str) -> Still:
        first, now = self.first[base], self.now()
        if base in {"USDT", "USDC"}:
            return replace(first, time=now)
        last = first.last * (1 + RISE * self.step())
        log = self.sent.setdefault(base, deque(maxlen=self._steps))
        if not log or log[-1][1] != last:
            log.append((self.step(), last))
        return replace(
            first,
            last=last,
            bid=last * (1 - SPREAD),
            ask=last * (1 + SPREAD),
            high=last * 1.01,
            low=first.last * 0.95,
            time=now,
        )

    def age(self, base: str, price: float) -> float:
        """How many seconds ago `price` was last sent as the market's; infinite where the log has no such price."""
        tolerance = 0.3 * RISE * self.first[base].last + 0.6 * 10.0 ** -self.decimals(base)
        if base in {"USDT", "USDC"}:
            return 0.0 if abs(price - 1.0) <= tolerance + 1e-3 else math.inf
        for step, sent in reversed(self.sent.get(base, ())):
            if abs(sent - price) <= tolerance:
                return max(0.0, self.now() - NOW - (step + 1) * STEP_S)
        return math.inf

    def moments(self, base: str, price: float) -> tuple[float, float]:
        """Between which seconds of the world the market was at `price`."""
        first = self.first[base].last
        step = (price / first - 1) / RISE
        slack = 0.3 + 0.6 * 10.0 ** -self.decimals(base) / (first * RISE)
        return (step - slack) * STEP_S, (step + 1 + slack) * STEP_S

    def ever(self, base: str, price: float) -> bool:
        """Whether the market, or its bid and ask, was ever there since it opened: what an old row may hold."""
        first = self.first[base].last
        spread = first * SPREAD + 10.0 ** -self.decimals(base)
        return first - spread <= price <= first * (1 + RISE * (self.step() + 1)) * (1 + SPREAD) + spread


class SoakYahoo(MovingYahoo):
    """Yahoo on that market."""

    def __init__(self, market: SoakMarket, clock: WorldClock) -> None:
        YahooSite.__init__(self)
        self.market = market
        self._clock = clock


@dataclass
class Lane:
    """The faults of one domain, as the run carries them out."""

    active: dict[Fault, float] = field(default_factory=dict)
    """Those that are on, and since when."""
    calm_from: float = 0.0
    """When its last fault ended, or the pause that it named: what recovery is measured from."""
    quiet_until: float = 0.0
    """Until when a symbol may be missing though its channel lives."""
    past: list[tuple[float, float]] = field(default_factory=list)
    """From when until when a fault gave the prices of the past for today's."""

    def begin(self, fault: Fault, now: float) -> None:
        """A fault of it begins at second `now` of the world."""
        self.active[fault] = now

    def end(self, fault: Fault, now: float) -> None:
        """It is over; recovery is measured from the end of the pause that it named, with the jitter that is added."""
        began = self.active.pop(fault)
        named = 1.1 * fault.figure if fault.kind == "limited" else 0.0
        self.calm_from = max(self.calm_from, now + named)
        self.quiet_until = max(self.quiet_until, now)
        if fault.kind == "past":
            self.past.append((began, now))

    def gave_of_the_past(self, earliest: float, latest: float, now: float) -> bool:
        """Whether a price of between `earliest` and `latest` went out as one of the past, and may still be shown."""
        if not self.active and now > max(self.calm_from, self.quiet_until) + RECOVERY_S + SLACK_S:
            return False
        running = [(began, now) for fault, began in self.active.items() if fault.kind == "past"]
        return any(earliest <= end and latest >= began - QUEUED_S for began, end in (*self.past, *running))


@dataclass
class Truth:
    """What is shown, held against what was sent."""

    market: SoakMarket
    lanes: dict[str, Lane]
    rows: int = 0
    """Looked at."""
    quiet: int = 0
    """Of those: live by their channel alone, and said so by their age."""
    wrong: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    """Old, and shown as live."""
    wrongs: int = 0
    stales: int = 0
    _newest: dict[str, float] = field(default_factory=dict)

    def look(self, row: Mapping[str, Any], now: float) -> None:
        """Take in one row of `quotes` at monotonic `now`."""
        self.rows += 1
        symbol, last, live = row["symbol"], row["last"], row["status"] in LIVE
        if last is None:
            if live:
                self._is_wrong(f"{symbol} is live without a price")
            return
        base = symbol.partition("/")[0]
        shown = f"{symbol} {last!r} {row['status']} by {row['source']} at {now:.0f} s"
        if not live:
            if not (self.market.ever(base, last) or self._of_the_past(row, base, now) or base in {"USDT", "USDC"}):
                self._is_wrong(f"never true: {shown}")
            return
        age = self.market.age(base, last)
        if math.isinf(age):
            self._is_wrong(f"never sent: {shown}")
            return
        for name in ("bid", "ask", "high_since", "low_since"):
            value = row[name]
            if value is not None and not (self.market.ever(base, value) or base in {"USDT", "USDC"}):
                self._is_wrong(f"{name} {value!r} of {shown}")
        opened, change = self.market.first[base].last * OPENED, row["change_pct"]
        if change is not None and base not in {"USDT", "USDC"} and abs(change - 100 * (last / opened - 1)) > 0.5:
            self._is_wrong(f"change_pct {change!r} of {shown}")
        if age > LIMIT_S + SLACK_S:
            lane = self.lanes.get((row["source"] or "").partition("-")[0])
            said = row["age_s"] is not None and row["age_s"] >= age - SLACK_S
            if said and lane is not None and now <= lane.quiet_until + LIMIT_S + SLACK_S:
                self.quiet += 1
            else:
                self._is_stale(f"{shown}, {age:.1f} s old, says {row['age_s']}")
        born = self.market.now() - age
        # another venue may take over that last heard of the symbol a while ago; then its age must say so
        hidden = row["age_s"] is None or row["age_s"] < age - SLACK_S
        if hidden and born < self._newest.get(base, -math.inf) - LIMIT_S:
            self._is_wrong(f"gone back in time: {shown}")
        self._newest[base] = max(self._newest.get(base, -math.inf), born)

    def _of_the_past(self, row: Mapping[str, Any], base: str, now: float) -> bool:
        """Whether the row's price is one that its own venue gave as an hour old: then it says that it is stale."""
        lane = self.lanes.get((row["source"] or "").partition("-")[0])
        return lane is not None and lane.gave_of_the_past(*self.market.moments(base, row["last"] / PAST), now)

    def _is_wrong(self, text: str) -> None:
        self.wrongs += 1
        if len(self.wrong) < 10:
            self.wrong.append(text)

    def _is_stale(self, text: str) -> None:
        self.stales += 1
        if len(self.stale) < 10:
            self.stale.append(text)
