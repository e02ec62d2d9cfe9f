"""A venue's market list, kept on disk for a day, and the books in it that a configuration asks for.

A restart is quick because of it, so it may be missing, old, damaged or read-only at any time: then it is fetched, and
at worst it is fetched again next time. It is written beside and renamed into place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from engine.config import Crypto
from engine.errors import BadDataError
from feeds.aside import aside
from feeds.link import Context

log = logging.getLogger(__name__)

MAX_AGE_S: Final = 86_400.0
_SIZE_LIMIT: Final = 256 * 1024 * 1024
_RATES: Final = ("USDT", "USDC", "EUR")
"""Currencies whose live rate to USD is wanted where prices come in them."""


class Book(NamedTuple):
    """One order book of one venue."""

    venue_symbol: str
    """The library's name, `BTC/USDT`."""
    symbol: str
    """Canonical, `BTC/USD`."""
    quote_ccy: str


@dataclass(frozen=True, slots=True)
class Books:
    """What one venue has of what is wanted."""

    books: tuple[Book, ...]
    """Every accepted book, by base in the config's order, then by quote currency in the config's order."""
    missing: tuple[str, ...]
    """Canonical symbols that the venue does not trade against any accepted currency."""

    @property
    def by_symbol(self) -> Mapping[str, Book]:
        """The preferred book of every canonical symbol."""
        found: dict[str, Book] = {}
        for book in self.books:
            found.setdefault(book.symbol, book)
        return found

    def note(self) -> str | None:
        """The missing symbols in words."""
        if not self.missing:
            return None
        names = [symbol.partition("/")[0] for symbol in self.missing]
        more = f" and {len(names) - 12} more" if len(names) > 12 else ""
        return f"not traded here: {', '.join(names[:12])}{more}"


def choose(markets: Mapping[str, Mapping[str, Any]], crypto: Crypto) -> Books:
    """The accepted books of the wanted bases among a venue's markets (by the library's symbol).

    A base is found under its canonical name and under every alias of it. A product that only mirrors another's book
    (its `alias` names that one) is left out: its volume would count twice.
    """
    names: dict[str, list[str]] = {base: [base] for base in crypto.bases}
    for alias, base in crypto.aliases.items():
        if base in names:
            names[base].append(alias)
    books: list[Book] = []
    missing: list[str] = []
    for base, known_as in names.items():
        found = [
            Book(symbol, f"{base}/USD", quote)
            for quote in crypto.quotes
            for symbol in (f"{name}/{quote}" for name in known_as)
            if _open_spot(markets.get(symbol))
        ]
        if not found:
            missing.append(f"{base}/USD")
        books.extend(found)
    taken = {book.venue_symbol for book in books}
    books.extend(
        Book(rate, rate, "USD")
        for ccy in _RATES
        if ccy in crypto.quotes and (rate := f"{ccy}/USD") not in taken and _open_spot(markets.get(rate))
    )
    return Books(tuple(books), tuple(missing))


def _open_spot(market: Mapping[str, Any] | None) -> bool:
    if market is None or not market.get("spot") or market.get("active") is False:
        return False
    info = market.get("info")
    return not (isinstance(info, dict) and info.get("alias"))


class MarketLists:
    """What all venues trade; one venue's list is fetched once, whoever asks for it at the same time."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._known: dict[str, Books | None] = {}
        """By venue; None where its list could not be had."""
        self._began: dict[str, list[str]] = {}

    async def books(self, exchange: Any, context: Context) -> Books:
        """Teach `exchange` the markets that are wanted, and return them. Raises what the library raises."""
        name: str = exchange.id
        try:
            async with self._locks.setdefault(name, asyncio.Lock()):
                markets = await self._list(exchange, context)
        except Exception:
            self._known.setdefault(name, None)
            raise
        by_symbol = {str(market["symbol"]): market for market in markets}
        chosen = choose(by_symbol, context.config.crypto)
        wanted = [by_symbol[book.venue_symbol] for book in chosen.books] or markets
        exchange.set_markets(wanted)
        if context.record is not None:
            context.record(name, "books", wanted)
        self._known[name] = chosen
        return chosen

    @staticmethod
    async def _list(exchange: Any, context: Context) -> list[dict[str, Any]]:
        file = context.cache / f"markets-{exchange.id}.json"
        now = context.clock.now()
        markets = await aside(_read, file, now)
        if markets is None:
            fetched: Mapping[str, Mapping[str, Any]] = await exchange.load_markets()
            markets = [dict(market) for market in fetched.values() if market.get("spot")]
            if not markets:  # an answer that is none, such as a web page: nothing to keep, and no reason to give up
                raise BadDataError("the venue's list of markets is empty")
            await aside(_write, file, {"fetched_at": now, "markets": markets})
        return markets

    def doubt(self, name: str, error: Exception, context: Context) -> None:
        """Fetch the list anew next time where the venue denied a symbol that the list holds."""
        from ccxt import BadRequest, ExchangeError

        for one in error.exceptions if isinstance(error, ExceptionGroup) else (error,):
            # some venues' refusals have a type (BadSymbol is a BadRequest), others only say that something is wrong
            if isinstance(one, BadRequest) or type(one) is ExchangeError:
                (context.cache / f"markets-{name}.json").unlink(missing_ok=True)

    async def allotted(self, name: str, context: Context, patience_s: float) -> tuple[Book, ...]:
        """The books whose candles `name` is to serve: those of no better venue.

        Better is a book in USD, then a venue that stands earlier in the config. A venue whose list is not known within
        `patience_s` serves nothing for now.
        """
        crypto = context.config.crypto
        until = context.clock.monotonic() + patience_s
        while any(v not in self._known for v in crypto.exchanges) and context.clock.monotonic() < until:
            await context.clock.sleep(0.05)
        best: dict[str, tuple[bool, int, str, Book]] = {}
        for rank, venue in enumerate(crypto.exchanges):
            for symbol, book in (known.by_symbol if (known := self._known.get(venue)) else {}).items():
                offer = (book.quote_ccy != "USD", rank, venue, book)
                best[symbol] = min(best.get(symbol, offer), offer, key=lambda o: o[:2])
        return tuple(best[s][3] for s in crypto.symbols if s in best and best[s][2] == name)

    def began(self, name: str, key: str, context: Context) -> bool:
        """Whether the venue is known to have no older candles than those that were once fetched."""
        if name not in self._began:
            try:
                held = orjson.loads((context.cache / f"began-{name}.json").read_bytes())
                self._began[name] = [str(key) for key in held]
            except (OSError, ValueError, TypeError):
                self._began[name] = []
        return key in self._began[name]

    async def note_began(self, name: str, key: str, context: Context) -> None:
        """Remember that there is nothing older."""
        if not self.began(name, key, context):
            self._began[name].append(key)
            await aside(_write, context.cache / f"began-{name}.json", list(self._began[name]))


def _read(file: Path, now: float) -> list[dict[str, Any]] | None:
    """The cached list, or None where there is none that can be used."""
    try:
        if file.stat().st_size > _SIZE_LIMIT:
            return None
        held = orjson.loads(file.read_bytes())
        if not 0.0 <= now - float(held["fetched_at"]) < MAX_AGE_S:
            return None
        markets = held["markets"]
        usable = isinstance(markets, list) and markets and all(isinstance(m["symbol"], str) for m in markets)
        return markets if usable else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("the cached market list %s is ignored: %s", file.name, error)
        return None


def _write(file: Path, value: object) -> None:
    """Write beside and rename into place; a folder that cannot be written costs the next start a download, no more."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(orjson.dumps(value, default=str))
        beside.replace(file)
    except (OSError, TypeError) as error:
        log.warning("%s is not cached: %s", file.name, error)
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
