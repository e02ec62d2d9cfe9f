"""Yahoo's quotes by one batched request on a budget: the back-up of the streamer, and all that it lacks.

A market's state comes from Yahoo's own answers, the pace from that and the exchange calendar: brisk in the session,
slow when closed. A previous close that cannot be one is dropped, because a percentage of it would be a lie.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.clock import Clock
from engine.config import Config
from engine.errors import BadDataError, FatalError
from engine.model import Quote, SessionState, asset_of
from feeds.aside import aside
from feeds.link import MAX_PRICE, Context, Link
from feeds.network import Border
from feeds.translate import words
from feeds.turns import YFINANCE, turn
from feeds.yahoo_units import in_units, likely

if TYPE_CHECKING:
    from pathlib import Path

    from engine.sessions import Hours
    from feeds.yahoo_http import Yahoo

SYMBOLS_A_REQUEST: Final = 200
LEAST_PAUSE_S: Final = 2.0
"""Never less between two requests, whoever asks for one."""
AT_WORK: Final = frozenset({"PRE", "REGULAR", "POST"})
CHANNEL: Final = "yahoo-poll:quotes"
_ENDLESS: Final = 1e300
"""JSON's whole numbers know no limit, and a float's do."""


class YahooPoll:
    """The batched quote request as a feed."""

    source = "yahoo-poll"
    kind = "equity-poll"
    hosts = ("query1.finance.yahoo.com",)

    def __init__(self, config: Config) -> None:
        self._symbols = config.equity.symbols
        self._open_s = config.refresh.equity_poll_s
        self._closed_s = config.refresh.equity_poll_closed_s
        self._listed = tuple(s for s in self._symbols if asset_of(s) != "future")
        """The symbols whose market's state sets the pace; futures trade around the clock."""
        self._hurry = asyncio.Event()

    async def run(self, context: Context, link: Link) -> None:
        """Poll for ever; an answer that is none ends this life with its reason."""
        if not self._symbols:
            raise FatalError("no equity symbols are configured")
        yahoo = await aside(_connect, context.border, context.cache)
        clock = context.clock
        hours: Hours | None = None
        pause = self._closed_s
        while True:
            self._hurry.clear()  # here: a stream that is lost while we wait for the answer still gets one from after it
            rows = await aside(_ask, yahoo, self._symbols)
            now, mono = clock.now(), clock.monotonic()
            if context.record is not None:
                context.record(self.source, "rows", rows)
            known = {str(row.get("symbol")): row for row in rows}
            quotes = [q for s in self._symbols if s in known and (q := quote_of(s, known[s], now, mono)) is not None]
            if not quotes:
                raise BadDataError("Yahoo's answer holds no price of what was asked for")
            states = self._states(known)
            # out of the session nothing has a newer time, so only an answer's arrival counts there
            newest = max((q.event_time for q in quotes if q.event_time is not None), default=None)
            link.up(CHANNEL, 3 * pause)
            link.heard(CHANNEL, newest if "REGULAR" in states else None)
            for quote in quotes:
                context.sink.ingest(quote)
            link.note(self._lacking(quotes, known))
            link.settled()
            if hours is None:
                hours = await aside(_calendar)  # takes a second at the first start: the quotes did not wait for it
            market = hours.clock(now)
            at_work = bool(states & AT_WORK) if states else market.state is not SessionState.CLOSED
            pause = self._open_s if at_work else self._closed_s
            link.up(CHANNEL, 3 * pause)
            if not at_work and market.next_change is not None:
                pause = max(1.0, min(pause, market.next_change - now))
            link.rests(pause)
            await self._pause(clock, pause)

    def ask_now(self) -> None:
        """Do not wait for the next poll: the streamer is lost, and what we last said may be wrong."""
        self._hurry.set()

    async def _pause(self, clock: Clock, seconds: float) -> None:
        """Wait for `seconds`, or until `ask_now`."""
        due = clock.monotonic() + LEAST_PAUSE_S
        sleep = asyncio.ensure_future(clock.sleep(seconds))
        hurry = asyncio.ensure_future(self._hurry.wait())
        try:
            await asyncio.wait({sleep, hurry}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            hurry.cancel()
        if self._hurry.is_set() and (early := due - clock.monotonic()) > 0:
            await clock.sleep(min(early, seconds))

    def _states(self, known: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
        """What Yahoo says of the listed symbols' markets."""
        found = (known[s].get("marketState") for s in self._listed or self._symbols if s in known)
        return frozenset(state for state in found if isinstance(state, str))

    def _lacking(self, quotes: list[Quote], known: Mapping[str, object]) -> str | None:
        """The symbols that Yahoo does not know, or has no price of."""
        priced = {q.symbol for q in quotes}
        unknown = [s for s in self._symbols if s not in known]
        unpriced = [s for s in self._symbols if s in known and s not in priced]
        parts = [f"unknown to Yahoo: {', '.join(unknown)}"] if unknown else []
        parts += [f"without a price: {', '.join(unpriced)}"] if unpriced else []
        return words("; ".join(parts), 200) if parts else None


def quote_of(symbol: str, row: Mapping[str, Any], now: float, mono: float) -> Quote | None:
    """One of Yahoo's v7 quotes as ours; None where it has no price.

    In pre- and post-market the price is that session's own, and its change is measured from the regular close, as the
    streamer's is. Otherwise it is the regular session's, measured from the close before. Before the open Yahoo's volume
    and range are still the last session's: they are left out.
    """
    currency, unit = in_units(str(row.get("currency") or "USD"))
    regular = _price(row, "regularMarketPrice")
    previous = _price(row, "regularMarketPreviousClose")
    prefix, session = _source(row)
    last = _price(row, f"{prefix}MarketPrice")
    if last is None:
        return None
    if session != "regular":
        previous = regular
    previous = likely(previous, last)
    early = session == "pre"

    def money(name: str) -> float | None:
        value = _price(row, name)
        return None if value is None else value * unit

    bid, ask = money("bid"), money("ask")
    return Quote(
        symbol=symbol,
        source=YahooPoll.source,
        channel=CHANNEL,
        venue_symbol=symbol,
        quote_ccy=currency,
        last=last * unit,
        bid=bid,
        ask=ask,
        prev=None if previous is None else previous * unit,
        high=None if early else money("regularMarketDayHigh"),
        low=None if early else money("regularMarketDayLow"),
        volume=None if early else _number(row, "regularMarketVolume") or None,  # an index has no tape
        quote_volume=None,
        vwap=None,
        event_time=_number(row, f"{prefix}MarketTime"),
        received=now,
        received_mono=mono,
        session=session,
        delayed=(_number(row, "exchangeDataDelayedBy") or 0) > 0 or "Delayed" in str(row.get("quoteSourceName") or ""),
    )


def _source(row: Mapping[str, Any]) -> tuple[str, str]:
    """Which of Yahoo's prices is the live one, and the session that it belongs to."""
    state = row.get("marketState")
    if state == "PRE" and _price(row, "preMarketPrice") is not None:
        return "pre", "pre"
    if state == "POST" and _price(row, "postMarketPrice") is not None:
        return "post", "post"
    return "regular", "regular"


def _number(row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _ENDLESS:
        return None
    return float(value)


def _price(row: Mapping[str, Any], name: str) -> float | None:
    """A price; zero is Yahoo's way of having none."""
    value = _number(row, name)
    return value if value and value < MAX_PRICE else None


def _ask(yahoo: Yahoo, symbols: tuple[str, ...]) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for start in range(0, len(symbols), SYMBOLS_A_REQUEST):
        rows += yahoo.quotes(symbols[start : start + SYMBOLS_A_REQUEST])
    return rows


def _connect(border: Border, cache: Path) -> Yahoo:
    """The session with Yahoo; its imports take a second at the first start."""
    with turn(YFINANCE):
        from feeds.yahoo_http import shared

    return shared(border, cache)


def _calendar() -> Hours:
    from engine.sessions import xnys

    return xnys()
