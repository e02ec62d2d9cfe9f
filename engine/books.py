"""What the board is made of: channels, the books of venues, and the one place where a quote is made believable.

A cell holds one quote, the newest; nothing here grows.
"""

from __future__ import annotations

import math
from typing import Final

from engine.crossings import Fence
from engine.model import Quote, SessionState, asset_of
from engine.ticks import Trace

MAX_PRICE: Final = 1e12
"""No price and no volume in USD of one observation is believed from here on."""
MAX_VOLUME: Final = 1e18
AHEAD_S: Final = 900.0
"""A venue time further ahead of us says nothing, and must not make later quotes look late."""
CRYPTO_OLD_S: Final = 60.0
EQUITY_OLD_S: Final = 300.0


class Channel:
    """One subscription: the unit of silence."""

    __slots__ = ("heard", "limit", "live", "lost_at", "up")

    def __init__(self, limit: float, mono: float) -> None:
        self.limit = limit
        self.up = True
        self.heard = mono
        self.lost_at = float("-inf")
        """Monotonic time when the connection was last lost: nothing from before it is live."""
        self.live = True
        """As of the last beat."""


class Cell:
    """One book of one venue. Prices here are in the venue's quote currency."""

    __slots__ = ("channel", "counted", "lost", "old", "price", "quote", "rank", "same", "since", "usable")

    def __init__(self, quote: Quote, channel: Channel, rank: tuple[int, int]) -> None:
        self.quote = quote
        self.channel = channel
        self.rank = rank
        """Place of the source, then of the quote currency; lowest speaks."""
        self.price: float | None = None
        """METRICS §0 "price used"."""
        self.old = False
        """The venue's time was already far behind when it arrived."""
        self.counted: Quote | None = None
        self.same = 0
        """In-session polls in a row that said the same."""
        self.usable = False
        self.since = float("-inf")
        """Monotonic time since when it has been usable."""
        self.lost = False
        """It has been unusable after having been usable."""


class Book:
    """One symbol: its cells and the one that speaks."""

    __slots__ = (
        "assumed", "best", "cells", "chosen", "crypto", "dirty", "due", "high", "low", "old_s", "rate_of", "review",
        "session", "symbol", "trace", "traded", "waits", "watch",
    )  # fmt: skip

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        asset = asset_of(symbol)
        self.crypto = asset == "crypto"
        self.traded = asset in {"crypto", "etf"}
        """Its volume times its price is money: not so for an index (no tape) and a future (contracts)."""
        self.old_s = CRYPTO_OLD_S if self.crypto else EQUITY_OLD_S
        self.cells: dict[tuple[str, str], Cell] = {}
        self.chosen: Cell | None = None
        self.high: float | None = None
        """USD; over every valid price and last trade of the speaking cell since the run began."""
        self.low: float | None = None
        self.assumed = False
        """The extremes were made while a stable coin was taken as 1.0."""
        self.dirty = True
        self.review = True
        """Who speaks must be decided anew: a cell came, or one that could not speak was heard of."""
        self.rate_of: str | None = None
        """The currency whose USD rate this symbol is: USDT for `USDT/USD`."""
        self.best = 0
        """The lowest rank of a source among its cells."""
        self.waits = False
        """A better source has to prove itself first."""
        self.session = SessionState.OPEN
        """As of the last beat."""
        self.watch: Fence | None = None
        """Told of every valid price in USD and its time, for rules about crossings."""
        self.trace: Trace | None = None
        """Keeps streamed prices for lead-lag."""
        self.due = math.inf
        """From when on the trace takes a price again."""


def _number(value: float | None, limit: float) -> float | None:
    """`value` where it is a number from 0 to below `limit`, else None."""
    return value if value is not None and 0.0 <= value < limit else None


def clean(quote: Quote) -> Quote | None:
    """`quote` without what cannot be true: prices ≤ 0, NaN, ±inf or absurd become None; None where nothing is left.

    A zero bid or ask stays: it says that the book is empty on that side.
    """
    last = _number(quote.last, MAX_PRICE) or None
    bid, ask = _number(quote.bid, MAX_PRICE), _number(quote.ask, MAX_PRICE)
    if last is None and not (bid and ask):
        return None
    event_time = quote.event_time
    if event_time is not None and not 0.0 < event_time < quote.received + AHEAD_S:
        event_time = None
    return quote._replace(
        last=last,
        bid=bid,
        ask=ask,
        prev=_number(quote.prev, MAX_PRICE) or None,
        high=_number(quote.high, MAX_PRICE) or None,
        low=_number(quote.low, MAX_PRICE) or None,
        volume=_number(quote.volume, MAX_VOLUME),
        quote_volume=_number(quote.quote_volume, MAX_VOLUME),
        vwap=_number(quote.vwap, MAX_PRICE) or None,
        event_time=event_time,
    )
