"""`flows` and `facts` as live tables: what is held, with a status that is the age's as much as the source's."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import polars as pl

from engine import sessions
from engine.fed_outlook import Close, Published, meeting_closes, outlook
from engine.flow_table import LATE_SESSIONS, FlowRow
from engine.grid import DailyGrid, usable, worst
from engine.legs import pairs_funds
from engine.model import OutsideFact, Status
from engine.outside import DOMINANCE, NEW_DAYS, Outside
from engine.regime import yield_pct
from engine.rows import table
from engine.tables import empty
from engine.view import View

_EPOCH: Final = date(1970, 1, 1)
EXPECTED: Final = (
    ("categories", "coingecko", tuple((f"category_{name}", "USD") for name in ("ai", "defi", "meme", "layer1"))),
    ("defillama", "defillama", (("dex_volume_24h", "USD"), ("defi_tvl", "USD"))),
    (
        "coinmetrics",
        "coinmetrics",
        tuple((f"{coin}_{what}", "count") for coin in ("btc", "eth") for what in ("active_addresses", "transactions")),
    ),
    ("sentiment", "alternative.me", (("fear_greed", "0-100"),)),
    ("symbol_directory", "nasdaqtrader", (("small_cap_etfs", "count"),)),
    ("fred", "fred", (("fed_funds", "%"), ("treasury_10y", "%"), ("breakeven_10y", "%"))),
)
"""The switch in `[facts]`, the source, and what it gives."""
YIELDS: Final = {"yield_3m": "^IRX", "yield_10y": "^TNX"}
"""The fact and Yahoo's symbol of it."""
BREAK_EVEN: Final = "breakeven_proxy"
DOMINANCE_LASTS_S: Final = 3600.0
SETTLES_S: Final = 86_400.0
"""A session's figures are due a day after its close: issuers publish in the evening or the next morning."""


@dataclass
class FlowsMaker:
    """`flows`."""

    outside: Outside
    name: str = "flows"
    _made: tuple[tuple[FlowRow, ...], int, bool] | None = None
    """What the table was made from: the rows themselves, the newest session that was due, whether simulated."""
    _table: pl.DataFrame = field(default_factory=lambda: empty("flows"))

    def at_close(self, now: float) -> None:
        """Nothing of it depends on bars."""

    def live(self, state: None, view: View) -> pl.DataFrame:
        """The rows as they are held; anew only where they, or the sessions that passed since, have changed."""
        rows = self.outside.kept.flows
        if not rows:
            return empty("flows")
        hours = sessions.calendar()
        due = hours.last_opened(view.now - SETTLES_S)
        if due >= 0 and hours.closes[due] > view.now - SETTLES_S:
            due -= 1
        held = self._made
        if held is not None and held[0] is rows and held[1:] == (due, view.simulated):
            return self._table
        made_rows: list[dict[str, Any]] = []
        for row in rows:
            at = bisect_left(hours.sessions, (row.day - _EPOCH).days, key=lambda session: session.day)
            late = due - at > LATE_SESSIONS
            made_rows.append(
                {
                    **row.cells,
                    "as_of": datetime.fromtimestamp(hours.closes[at], UTC),
                    "status": (Status.STALE if late else row.worth).value,
                    "simulated": view.simulated,
                }
            )
        self._made, self._table = (rows, due, view.simulated), table("flows", made_rows)
        return self._table


@dataclass
class FactsMaker:
    """`facts`."""

    outside: Outside
    grid: Callable[[float], DailyGrid] | None = None
    """The daily grid at a moment; without one the futures say nothing."""
    name: str = "facts"

    def at_close(self, now: float) -> dict[date, Close] | None:
        """The closes of the futures that price the next meetings of the FOMC; None where they are not asked for."""
        config = self.outside.config
        if self.grid is None or not config.regime.fed_funds or not pairs_funds(config):
            return None
        return meeting_closes(self.grid(now), config.regime.decisions)

    def live(self, state: dict[date, Close] | None, view: View) -> pl.DataFrame:
        """Dominance with its change since a month ago, then every fact by name."""
        rows: list[dict[str, Any]] = []
        held = self.outside.facts
        rows += [
            _row(name, None, unit, None, said, stale=True) for name, unit, said in self._missing() if name not in held
        ]
        for name, fact in held.items():
            stale = _is_old(fact, view)
            row = _row(name, fact.value, fact.unit, fact.as_of, fact.source, stale=stale)
            rows.append(row | {"change_pct": fact.change_pct, "change_over": fact.change_over})
            if fact.members:
                new, days = self.outside.kept.newcomers.get(name, (None, 0))
                more = _row(f"{name}_new", new if days else None, "count", fact.as_of, fact.source, stale=stale)
                more["change_over"] = f"{min(days, NEW_DAYS)}d"
                rows.append(more | ({"status": Status.WARMING.value} if days < NEW_DAYS and not stale else {}))
        if state is not None:
            rows += self._fed(state, view)
        rows += _rates(view, known="breakeven_10y" in held)
        rows = [*self._dominance(view), *sorted(rows, key=lambda row: str(row["fact"]))]
        return table("facts", [row | {"simulated": view.simulated} for row in rows])

    def _missing(self) -> Iterator[tuple[str, str, str]]:
        """Name, unit and source of every fact that the configuration asks for, so that one which never came is said."""
        wanted = self.outside.config.facts
        for switch, source, facts in EXPECTED:
            if getattr(wanted, switch):
                keyless = switch == "fred" and not os.environ.get(wanted.fred_key_env, "").strip()
                said = f"{source}: no key in {wanted.fred_key_env}" if keyless else source
                yield from ((name, unit, said) for name, unit in facts)

    def _fed(self, closes: dict[date, Close], view: View) -> list[dict[str, Any]]:
        """The next meeting of the FOMC, by the closes of futures and, where it is fresh, FRED's rate before it."""
        rate = self.outside.facts.get("fed_funds")
        before = None
        if rate is not None and rate.value is not None and not _is_old(rate, view):
            before = Published(rate.value, datetime.fromtimestamp(rate.as_of, UTC).date())
        made = outlook(view.now, self.outside.config.regime.decisions, closes, before)
        cut, after = (None, None) if made.meeting is None else (made.meeting.cut_probability, made.meeting.after)
        return [
            _row(name, value, "%", made.at, made.said, stale=True) | {"status": made.status.value}
            for name, value in (
                ("fed_cut_probability", None if cut is None else 100.0 * cut),
                ("fed_rate_after", after),
            )
        ]

    def _dominance(self, view: View) -> list[dict[str, Any]]:
        btc = view.facts().get("BTC")
        if btc is None or btc.dominance_pct is None:
            return []
        stale = view.now - btc.as_of > DOMINANCE_LASTS_S or view.lost(btc.source)
        now = _row(DOMINANCE, btc.dominance_pct, "%", btc.as_of, btc.source, stale=stale)
        change = self.outside.dominance_change(view.now)
        then = _row(f"{DOMINANCE}_30d", change and change[0], "pp", btc.as_of, btc.source, stale=stale)
        if change is None and not stale:
            then["status"] = Status.WARMING.value
        elif change is not None:
            then["change_over"] = f"{change[1]}d"
        return [now, then]


def _rates(view: View, *, known: bool) -> list[dict[str, Any]]:
    """Treasury yields in per cent, and, without FRED's break-even, ln(TIP/IEF) for it: their durations do not match."""
    rows = []
    for fact, symbol in YIELDS.items():
        quote = view.live(symbol)
        value = yield_pct(quote.price)
        if value is not None:
            row = _row(fact, value, "%", quote.at, symbol, stale=False)
            rows.append(row | {"status": quote.status.value})
    protected, plain = view.live("TIP"), view.live("IEF")
    if not known and usable(protected.price) and usable(plain.price) and protected.price and plain.price:
        at = max(protected.at or 0.0, plain.at or 0.0) or None
        row = _row(BREAK_EVEN, math.log(protected.price / plain.price), "ln", at, "TIP/IEF", stale=False)
        rows.append(row | {"status": worst((protected.status, plain.status, Status.ESTIMATED)).value})
    return rows


def _is_old(fact: OutsideFact, view: View) -> bool:
    """Whether a fact is older than it should be, or its source is lost."""
    return view.now - fact.as_of > fact.lasts_s or view.lost(_feed_of(fact))


def _feed_of(fact: OutsideFact) -> str:
    """The feed that brings a fact; a site may have several."""
    return "coingecko-categories" if fact.fact.startswith("category_") else fact.source


def _row(fact: str, value: float | None, unit: str, as_of: float | None, source: str, *, stale: bool) -> dict[str, Any]:
    return {
        "fact": fact,
        "value": None if value is None else float(value),
        "unit": unit,
        "as_of": None if as_of is None else datetime.fromtimestamp(0, UTC) + timedelta(seconds=as_of),
        "source": source,
        "status": (Status.STALE if stale or value is None else Status.OK).value,
    }
