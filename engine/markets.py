"""The `markets` table: 24 h volume in USD by base asset, over the connected venues and over all markets (METRICS §3).

venues_usd is the sum over spot books of `quote_volume`·fx, else `volume`·(vwap or last)·fx, credited to the base alone.
A book whose implied price, quote_volume ÷ volume, lies outside its own 24 h [low, high] has its figures mixed up and is
left out. Two books of one venue and base with USD-like quotes and the same base volume (1e-6 relative) are one book
seen twice, and one is kept. all_markets_usd comes from the whole-market source as it is: the two are never mixed.
status: `estimated` where a rate was; `stale` where no book is fresh (books of a lost venue are left out while others
are fresh; `venues` says how many count), and where the whole-market source is lost, whose figures stand in the row too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import polars as pl

from engine.grid import usable
from engine.model import Status
from engine.rows import table
from engine.view import Book24, Rate, View

USD_LIKE: Final = frozenset({"USD", "USDC", "USDT", "DAI", "FDUSD", "TUSD", "PYUSD", "USDE"})
SAME: Final = 1e-6
SAMPLES: Final = 3
PAIRS_HELD: Final = 5_000
RANGE_SLACK: Final = 1e-3
"""Rounding of a venue's own figures, relative."""


class Venues(NamedTuple):
    """One base's 24 h volume over the connected venues."""

    usd: float | None
    venues: int
    at: float | None
    status: Status


@dataclass
class Twins:
    """Which books have been seen to be one and the same.

    Equal volumes count at once; after three equal samples the verdict stands until three samples differ, because a
    venue updates its two names one after the other. Bounded by `PAIRS_HELD`.
    """

    score: dict[tuple[str, str, str, str], tuple[int, float | None]] = field(default_factory=dict)

    def same(self, one: Book24, other: Book24) -> bool:
        """Whether two books of one venue and base are one."""
        if one.volume is None or other.volume is None:
            return False
        first, second = sorted((one.venue_symbol, other.venue_symbol))
        key = (one.source, one.base, first, second)
        equal = abs(one.volume - other.volume) <= SAME * max(one.volume, other.volume)
        count, seen = self.score.get(key, (0, None))
        moment = (one.at or 0.0) + (other.at or 0.0)
        if moment != seen and (key in self.score or len(self.score) < PAIRS_HELD):
            count = count + 1 if equal else max(count - 1, 0)
            count = 2 * SAMPLES - 1 if equal and count >= SAMPLES else count
            self.score[key] = (count, moment)
        return equal or count >= SAMPLES


def volume_usd(book: Book24, rate: Rate) -> float | None:
    """24 h USD volume of one book; None where it has none, its figures contradict each other, or there is no rate."""
    base, quote = book.volume, book.quote_volume
    if base is not None and not usable(base):
        base = None
    if quote is not None and not usable(quote):
        quote = None
    if rate.usd is None or not usable(rate.usd):
        return None
    if quote is not None and base is not None and usable(book.low) and usable(book.high):
        low, high = book.low or 0.0, book.high or 0.0
        if not low * (1 - RANGE_SLACK) <= quote / base <= high * (1 + RANGE_SLACK):
            return None
    if quote is not None:
        return quote * rate.usd
    price = book.vwap if usable(book.vwap) else book.last
    if base is None or price is None or not usable(price):
        return None
    return base * price * rate.usd


def over_venues(view: View, twins: Twins) -> dict[str, Venues]:
    """Each base's volume over the connected venues; `twins` is carried from beat to beat."""
    by_base: dict[str, list[Book24]] = {}
    for book in view.books():
        by_base.setdefault(book.base, []).append(book)
    return {base: _sum(books, view, twins) for base, books in by_base.items()}


def distinct(books: Iterable[Book24], twins: Twins) -> list[Book24]:
    """`books` of one base without those that are another one's second name; the first by quote currency is kept."""
    kept: list[Book24] = []
    for book in sorted(books, key=lambda b: (b.source, b.quote_ccy != "USD", b.venue_symbol)):
        doubles = [
            twins.same(book, k) for k in kept if k.source == book.source and {k.quote_ccy, book.quote_ccy} <= USD_LIKE
        ]
        if not any(doubles):
            kept.append(book)
    return kept


def live(venues: Mapping[str, Venues], bases: Iterable[str], view: View) -> pl.DataFrame:
    """The `markets` table at one beat: the watched bases, then the market as a whole as `*`."""
    facts = view.facts()
    rows: list[dict[str, Any]] = []
    for base in (*bases, "*"):
        here, fact = venues.get(base), facts.get(base)
        if here is None and fact is None:
            continue
        moments = [t for t in (here.at if here else None, fact.as_of if fact else None) if t is not None]
        status = here.status if here else Status.OK
        if fact is not None and view.lost(fact.source):
            status = Status.STALE
        rows.append(
            {
                "base": base,
                "venues_usd": here.usd if here else None,
                "all_markets_usd": _positive(fact.all_markets_usd) if fact else None,
                "dominance_pct": _positive(fact.dominance_pct) if fact else None,
                "venues": here.venues if here else 0,
                "as_of": datetime.fromtimestamp(max(moments), UTC) if moments else None,
                "status": status.value,
                "simulated": view.simulated,
            }
        )
    return table("markets", rows)


def _sum(books: list[Book24], view: View, twins: Twins) -> Venues:
    fresh = [b for b in books if not b.stale]
    total, names, estimated, newest = 0.0, set(), False, None
    for book in distinct(fresh or books, twins):
        rate = view.rate(book.quote_ccy)
        usd = volume_usd(book, rate)
        if usd is None:
            continue
        total += usd
        names.add(book.source)
        estimated |= rate.estimated
        if book.at is not None and (newest is None or book.at > newest):
            newest = book.at
    status = Status.STALE if not fresh else Status.ESTIMATED if estimated else Status.OK
    return Venues(total if names else None, len(names), newest, status)


def _positive(value: float | None) -> float | None:
    return value if usable(value) else None
