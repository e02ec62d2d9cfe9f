"""The figures that are made of prices, in `bench.soak_faults`: each held against the quotes of the same snapshot.

Every formula stands here a second time, over daily bars that are made here too: ratio, day's change and z252 of pairs,
the gauge of the crypto pair, levels, a basket's return and volume, the venues' volumes, a claim. What is made at every
beat must agree at every beat. What is made once a second must agree at the beat that made it, or soon after.
A figure with a stale quote in it is stale, and one of live quotes alone is not.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from bench.soak_world import RISE, SoakMarket
from engine import sessions
from engine.model import Bars, Snapshot, Status
from engine.tables import BARS
from tests.simulator.still_market import NOW

PAIRS: Final = ("ETH/BTC", "DOGE/ETH", "IWM/BTC", "^RUT/BTC")
SYMBOL: Final = {"BTC": "BTC/USD", "ETH": "ETH/USD", "DOGE": "DOGE/USD", "IWM": "IWM", "^RUT": "^RUT"}
"""Leg → symbol; the symbols that have daily bars."""
FEW: Final = ("BTC", "ETH", "DOGE")
"""The basket whose members all have bars."""
DAYS: Final = 420
YEAR: Final = 252
DAY_S: Final = 86_400
CLOSE: Final = 0.96
"""Around this part of its first price a symbol closed on every day."""
SAME: Final = 1e-9
"""Two ways to add the same numbers differ by no more, relative."""
LATE_S: Final = 4.0
"""A table that is made once a second may wait for a second more, and for the beats before and after."""
VWAP: Final = 0.98
"""Of its first price, a symbol's mean price of the day at every venue that names one; the others' is the last."""
MAJORS: Final = frozenset({"BTC", "ETH"})
"""Each has a second book a venue, in another currency."""
SECOND: Final = 0.04
"""Part of the first book's volume that a second one has: all that a venue counts for while its first is silent."""
SPLIT: Final = 1.3
"""No split is smaller."""
_WORSE: Final = {str(status): rank for rank, status in enumerate(Status)}

Row = Mapping[str, Any]


def history(market: SoakMarket) -> Iterator[Bars]:
    """Daily bars of the symbols in `SYMBOL`, up to yesterday; the same at every run."""
    for leg, symbol in SYMBOL.items():
        days = _days(crypto="/" in symbol)
        closes = [_close(market, leg, day) for day in days]
        prices = dict.fromkeys(("open", "high", "low", "close", "adj_close"), closes)
        times = [day * DAY_S * 1_000_000 for day in days]
        frame = pl.DataFrame({"time": times, **prices, "volume": [1e6] * len(days)}).cast(BARS)
        yield Bars(symbol, "1d", "kraken-bars" if "/" in symbol else "yahoo-bars", "USD", frame)


def _days(*, crypto: bool) -> list[int]:
    today = int(NOW // DAY_S)
    if crypto:
        return list(range(today - DAYS, today))
    return [one.day for one in sessions.calendar().sessions if today - DAYS <= one.day < today]


def _close(market: SoakMarket, leg: str, day: int) -> float:
    """Each symbol swings with a period of its own, so that no ratio stands still."""
    return market.first[leg].last * CLOSE * (1 + 0.01 * math.sin(day * (1 + len(leg)) + ord(leg[-1])))


def worst(*statuses: str) -> str:
    """The least trustworthy."""
    return max(statuses, key=_WORSE.__getitem__)


def _same(a: float | None, b: float | None, tolerance: float = SAME) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)


def _differences(row: Row, expected: Row, tolerance: float) -> list[str]:
    return [
        f"{column} {row[column]!r}, not {value!r}"
        for column, value in expected.items()
        if (row[column] != value if isinstance(value, str) else not _same(row[column], value, tolerance))
    ]


@dataclass
class Derived:
    """Every row of the derived tables that can be computed from quotes, held against them at every beat."""

    market: SoakMarket
    rows: int = 0
    """Looked at."""
    live: int = 0
    """Of those: said to be live, and so they should be."""
    wrongs: int = 0
    wrong: list[str] = field(default_factory=list)
    _tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    _held: dict[str, tuple[pl.DataFrame, list[dict[str, Any]]]] = field(default_factory=dict)
    _agreed: dict[str, float] = field(default_factory=dict)
    """When what is made once a second last agreed with the quotes, by table and row."""
    _past: dict[str, tuple[list[float], float]] = field(default_factory=dict)
    """Pair → q of the last 251 sessions, and the ratio of the last one."""

    def look(self, snapshot: Snapshot, quotes: list[dict[str, Any]], now: float) -> None:
        """Take in one snapshot at second `now` of the world; quotes: its rows of `quotes`."""
        shown = {row["symbol"]: row for row in quotes}
        for row in self._rows_of(snapshot, "spreads"):
            self._spread(row, shown, now)
        for row in self._rows_of(snapshot, "gauges"):
            if row["gauge"] == "D2":
                self._gauge(row, shown, now)
        for row in self._rows_of(snapshot, "levels"):
            self._level(row, shown, now)
        self._slow(snapshot, shown, now)
        self._tables = dict(snapshot.tables)

    def _rows_of(self, snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
        """A table's rows, taken out once for as long as it is the same table."""
        table = snapshot.tables[name]
        held = self._held.get(name)
        if held is None or held[0] is not table:
            held = self._held[name] = (table, table.rows(named=True))
        return held[1]

    # --- what is made at every beat

    def _other_units(self, leg: str, quote: Row) -> bool:
        """Whether a stale equity may be taken for one in other units than its bars, as on the day of a split.

        So it is where the `past` fault halved price and previous close alike: the last close may stand in for it.
        """
        if (
            "/" in SYMBOL[leg]
            or quote["price"] is None
            or quote["status"] != "stale"
            or quote["change_pct"] is not None
        ):
            return False
        close = _close(self.market, leg, _days(crypto=False)[-1])
        return not 1 / SPLIT < quote["price"] / close < SPLIT

    def _without(self, shown: Mapping[str, Row], *legs: str) -> dict[str, Row] | None:
        """The quotes without the prices of those legs that may be in other units; None where there is none."""
        doubted = {SYMBOL[leg]: shown[SYMBOL[leg]] for leg in legs if self._other_units(leg, shown[SYMBOL[leg]])}
        return {**shown, **{s: {**quote, "price": None} for s, quote in doubted.items()}} if doubted else None

    def _expected(self, pair: str, shown: Mapping[str, Row]) -> dict[str, Any]:
        """A pair's figures and status, from the quotes of its legs and the bars."""
        one, other = pair.split("/")
        if pair not in self._past:
            days = _days(crypto=False)[-(YEAR - 1) :]
            ratios = [_close(self.market, one, day) / _close(self.market, other, day) for day in days]
            self._past[pair] = [math.log(ratio) for ratio in ratios], ratios[-1]
        past, before = self._past[pair]
        a, b = shown[SYMBOL[one]], shown[SYMBOL[other]]
        if a["price"] is None or b["price"] is None:
            return {"ratio": before, "status": "stale"}  # the last close stands in, and says so
        ratio = a["price"] / b["price"]
        q = [*past, math.log(ratio)]
        return {
            "ratio": ratio,
            "rel_1d": ratio / before - 1,
            "z252": (q[-1] - statistics.fmean(q)) / statistics.stdev(q),
            "status": worst(a["status"], b["status"]),
        }

    def _spread(self, row: Row, shown: Mapping[str, Row], now: float) -> None:
        pair = row["pair"]
        other = self._without(shown, *pair.split("/"))
        instead = None if other is None else self._expected(pair, other)
        self._hold("spreads", pair, row, self._expected(pair, shown), now, instead=instead)

    def _gauge(self, row: Row, shown: Mapping[str, Row], now: float) -> None:
        expected = self._expected(PAIRS[0], shown)
        wanted = {"status": expected["status"]} | ({"value": expected["z252"]} if "z252" in expected else {})
        self._hold("gauges", row["name"], row, wanted, now)

    def _level(self, row: Row, shown: Mapping[str, Row], now: float) -> None:
        leg = next(leg for leg, symbol in SYMBOL.items() if symbol == row["symbol"])
        quote, close = shown[row["symbol"]], _close(self.market, leg, _days(crypto=False)[-1])
        of_close = {"last": close, "distance_pct": 100 * (row["price"] / close - 1), "status": "stale"}
        expected, instead, price = of_close, None, quote["price"]
        if price is not None:
            expected = {"last": price, "distance_pct": 100 * (row["price"] / price - 1), "status": quote["status"]}
            instead = of_close if self._other_units(leg, quote) else None
        self._hold("levels", f"{row['symbol']} {row['price']:g}", row, expected, now, instead=instead)

    # --- what is made once a second

    def _slow(self, snapshot: Snapshot, shown: Mapping[str, Row], now: float) -> None:
        venues = {row["base"]: row for row in self._rows_of(snapshot, "markets")}
        for base, row in venues.items():
            if (quote := shown.get(f"{base}/USD")) is not None:
                self._venues(base, row, quote, now)
        made = snapshot.tables["baskets"] is not self._tables.get("baskets")
        for row in self._rows_of(snapshot, "baskets"):
            known = [venues[base] for base in snapshot.config.crypto.baskets[row["basket"]] if base in venues]
            sums = [one["venues_usd"] for one in known if one["venues_usd"] is not None]
            expected: dict[str, Any] = {"volume_usd": sum(sums) if sums else None}
            self._hold("baskets", f"{row['basket']}'s volume", row, expected, now, late=LATE_S, tolerance=1e-6)
            if row["basket"] == "few":
                self._hold("baskets", "few", row, self._basket(shown), now, late=0.0 if made else LATE_S)
        for row in self._rows_of(snapshot, "volumes"):
            status = shown[row["symbol"]]["status"]
            expected = {"status": status if status in {"stale", "closed"} else "ok"}
            self._hold("volumes", row["symbol"], row, expected, now, late=LATE_S)
        made = snapshot.tables["claims"] is not self._tables.get("claims")
        for row in self._rows_of(snapshot, "claims"):
            if row["claim"] == "BTC above":
                quote = shown["BTC/USD"]
                status = "warming" if quote["price"] is None else quote["status"]
                expected = {"measured": quote["price"], "status": status}
                self._hold("claims", "BTC", row, expected, now, late=0.0 if made else LATE_S)

    def _basket(self, shown: Mapping[str, Row]) -> dict[str, Any]:
        yesterday = int(NOW // DAY_S) - 1
        moves, statuses = [], []
        for base in FEW:
            quote = shown[SYMBOL[base]]
            if quote["price"] is not None:
                moves.append(100 * (quote["price"] / _close(self.market, base, yesterday) - 1))
                statuses.append(quote["status"])
        if not moves:
            return {"return_1d_pct": None, "status": "warming"}
        return {"return_1d_pct": statistics.fmean(moves), "status": worst(*statuses)}

    def _venues(self, base: str, row: Row, quote: Row, now: float) -> None:
        """A base's volume lies between that of its cheapest and its dearest price; live is what has a live book."""
        first = self.market.first[base]
        last = first.last * (1 + RISE * (self.market.step() + 1))
        each = row["venues"] * first.volume
        least, most = 0.998 * VWAP * each * first.last, 1.002 * each * last
        if base in MAJORS:
            least, most = SECOND * least, (1 + SECOND) * most
        usd, live = row["venues_usd"], row["status"] != "stale"
        if live and (usd is None or not least <= usd <= most):
            self._is_wrong(f"markets {base} at {now:.0f} s: {usd!r} by {row['venues']} venues: {least:.6g}–{most:.6g}")
        status = "stale" if quote["status"] == "stale" else row["status"] if live else "ok"
        self._hold("markets", base, row, {"status": status}, now, late=LATE_S)

    # --- the verdict

    def _hold(
        self,
        table: str,
        name: str,
        row: Row,
        expected: Row,
        now: float,
        *,
        late: float = 0.0,
        tolerance: float = SAME,
        instead: Row | None = None,
    ) -> None:
        """One row against what it should be; one that is made now and then may be late by `late` seconds.

        instead: what it may as well be.
        """
        self.rows += 1
        self.live += expected.get("status") == "ok"
        wrong = _differences(row, expected, tolerance)
        if wrong and instead is not None and not _differences(row, instead, tolerance):
            wrong = []
        key = f"{table} {name}"
        if not wrong:
            self._agreed[key] = now
        elif now - self._agreed.setdefault(key, now) >= late:
            self._is_wrong(f"{key} at {now:.0f} s: {', '.join(wrong)}")

    def _is_wrong(self, text: str) -> None:
        self.wrongs += 1
        if len(self.wrong) < 10:
            self.wrong.append(text)
