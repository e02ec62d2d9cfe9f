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
from operator import itemgetter
from typing import Final, NamedTuple

import polars as pl

from engine.bars import LEAST, MOST
from engine.grid import usable
from engine.model import MarketFact, Status
from engine.rows import of_columns
from engine.view import Book24, Rate, View

USD_LIKE: Final = frozenset({"USD", "USDC", "USDT", "DAI", "FDUSD", "TUSD", "PYUSD", "USDE"})
SAME: Final = 1e-6
SAMPLES: Final = 3
PAIRS_HELD: Final = 5_000
RANGE_SLACK: Final = 1e-3
"""Rounding of a venue's own figures, relative."""
_SOURCE: Final = itemgetter(0)


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


def mixed_up(volume: float, quote_volume: float, low: float | None, high: float | None) -> bool:
    """Whether 24 h figures contradict each other: quote_volume ÷ volume lies outside the 24 h [low, high]."""
    if not usable(low) or not usable(high) or low is None or high is None:
        return False
    return not low * (1 - RANGE_SLACK) <= quote_volume / volume <= high * (1 + RANGE_SLACK)


def volume_usd(book: Book24, rate: Rate) -> float | None:
    """24 h USD volume of one book; None where it has none, its figures contradict each other, or there is no rate."""
    base, quote, usd = book[7], book[8], rate[0]  # volume, quote_volume, usd: this runs for every book of every venue
    if usd is None or not LEAST <= usd <= MOST:
        return None
    if base is not None and not LEAST <= base <= MOST:
        base = None
    if quote is not None and LEAST <= quote <= MOST:
        if base is not None and mixed_up(base, quote, book[6], book[5]):  # low, high
            return None
        return quote * usd
    price_used = book.vwap if usable(book.vwap) else book.last
    if base is None or price_used is None or not usable(price_used):
        return None
    return base * price_used * usd


def over_venues(view: View, twins: Twins) -> dict[str, Venues]:
    """Each base's volume over the connected venues; `twins` is carried from beat to beat."""
    by_base: dict[str, list[Book24]] = {}
    for book in view.books():
        if (held := by_base.get(book[1])) is None:
            by_base[book[1]] = [book]
        else:
            held.append(book)
    rates: dict[str, Rate] = {}
    return {base: _sum(books, view, rates, twins) for base, books in by_base.items()}


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
    nothing, unlisted = Venues(None, 0, None, Status.OK), MarketFact("", "", 0.0, None)
    names = [base for base in (*bases, "*") if base in venues or base in facts]
    here = [venues.get(base, nothing) for base in names]
    known = [facts.get(base) for base in names]
    moments = [
        at if fact is None else fact.as_of if at is None else max(at, fact.as_of)
        for (_, _, at, _), fact in zip(here, known, strict=True)
    ]
    listed = [unlisted if fact is None else fact for fact in known]
    lost = {source for source in {fact.source for fact in listed} if source and view.lost(source)}
    return of_columns(
        "markets",
        {
            "base": names,
            "venues_usd": [one.usd for one in here],
            "all_markets_usd": [_positive(fact.all_markets_usd) for fact in listed],
            "dominance_pct": [_positive(fact.dominance_pct) for fact in listed],
            "venues": [one.venues for one in here],
            "as_of": [None if at is None else datetime.fromtimestamp(at, UTC) for at in moments],
            # a lost whole-market source makes its rows stale, whose figures stand in them too
            "status": [
                Status.STALE if fact.source in lost else one.status for one, fact in zip(here, listed, strict=True)
            ],
            "simulated": [view.simulated] * len(names),
        },
    )


def _sum(books: list[Book24], view: View, rates: dict[str, Rate], twins: Twins) -> Venues:
    """One base's books together. rates: those looked up so far in this beat."""
    if len(books) == 1:  # as most bases have it: nothing to compare, nothing to add
        book = books[0]
        rate = rates.get(book[3])
        if rate is None:
            rate = rates[book[3]] = view.rate(book[3])
        usd = volume_usd(book, rate)
        if usd is None:
            return Venues(None, 0, None, Status.STALE if book[11] else Status.OK)
        return Venues(usd, 1, book[10], Status.STALE if book[11] else Status.ESTIMATED if rate[1] else Status.OK)
    fresh = [book for book in books if not book[11]]  # stale
    counted = fresh or books
    if len(counted) > 1:
        # only books of one venue can be the same one seen twice
        if len({book[0] for book in counted}) < len(counted):
            counted = distinct(counted, twins)
        else:
            counted.sort(key=_SOURCE)
    total, names, estimated, newest = 0.0, set(), False, None
    for book in counted:
        rate = rates.get(book[3])
        if rate is None:
            rate = rates[book[3]] = view.rate(book[3])
        usd = volume_usd(book, rate)
        if usd is None:
            continue
        total += usd
        names.add(book[0])
        estimated = estimated or rate[1]
        at = book[10]
        if at is not None and (newest is None or at > newest):
            newest = at
    status = Status.STALE if not fresh else Status.ESTIMATED if estimated else Status.OK
    return Venues(total if names else None, len(names), newest, status)


def _positive(value: float | None) -> float | None:
    return value if usable(value) else None
