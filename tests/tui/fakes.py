"""Snapshots to draw: the exact tables' schemas, SCREENS' figures, and a clock that stands still.

`snapshot(state)` builds what a live, a stale and an empty run publish; `FakeSource` hands it out as
the collector would.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from engine.clock import Clock
from engine.config import Config
from engine.errors import SizewatchError
from engine.model import Event, Intent, MarketClock, Mode, Notice, SessionState, Snapshot, asset_of
from engine.tables import TABLES, empty
from tests.tui import fake_bars, fake_desk, fake_pages

OPENING = datetime(2026, 1, 9, 10, 32, 7, tzinfo=ZoneInfo("America/New_York")).timestamp()
CLOSE = datetime(2026, 1, 9, 16, 0, 0, tzinfo=ZoneInfo("America/New_York")).timestamp()
MONO = 1000.0


class FixedClock(Clock):
    """A clock that only moves when told."""

    def __init__(self, at: float = OPENING, mono: float = MONO) -> None:
        super().__init__()
        self.at = at
        self.mono = mono

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.mono

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds
        self.mono += seconds


class InlineWorker:
    """A worker that does its work at once, here."""

    def submit(self, function: Callable[..., Any], *arguments: Any, timeout_s: float) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except SizewatchError as error:
            future.set_exception(error)
        return future


class FakeSource:
    """A collector that publishes what the test gives it."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.snapshot = snapshot
        self.worker: Any = InlineWorker()
        self.sent: list[Intent] = []
        self.ended: str | None = None

    def latest(self) -> Snapshot | None:
        return self.snapshot

    def send(self, intent: Intent, /) -> None:
        self.sent.append(intent)

    def failure(self) -> str | None:
        return self.ended


def walk(seed: int, n: int, start: float, drift: float = 0.0, sd: float = 0.01) -> list[float]:
    """A seeded random walk that ends at `start`."""
    rng = random.Random(seed)
    path = [0.0]
    for _ in range(n - 1):
        path.append(path[-1] + rng.gauss(drift, sd))
    return [start * math.exp(p - path[-1]) for p in path]


def table(
    name: str, rows: Sequence[Mapping[str, Any]], status: str | None = None, simulated: bool = True
) -> pl.DataFrame:
    """A live table from rows that name only what they know; unknown columns are refused."""
    schema = TABLES[name]
    for row in rows:
        unknown = set(row) - set(schema)
        if unknown:
            raise KeyError(f"{name} has no column {unknown}")
    full = [
        {column: row.get(column) for column in schema}
        | {"status": status or row.get("status", "ok"), "simulated": simulated}
        for row in rows
    ]
    return pl.DataFrame(full, schema=schema, orient="row") if full else empty(name)


PAIRS = (
    # pair, ratio, 1d, 5d, 1m, 3m, ytd, 1y, 5y, z63, z252, percentile
    ("IWM/SPY", 0.3154, 0.21, -0.44, -0.88, -1.92, -0.10, -4.81, -31.72, -1.21, -1.94, 0.031),
    ("IJR/SPY", 0.1691, 0.18, -0.31, -0.70, -2.10, -0.02, -5.60, -34.10, -1.02, -1.71, 0.044),
    ("IWM/QQQ", 0.3480, 0.40, -0.12, 0.31, -1.05, 0.22, -8.02, -44.93, -0.60, -1.38, 0.052),
    ("RSP/SPY", 0.2764, 0.05, 0.11, 0.20, -0.41, 0.16, -3.90, -19.02, 0.31, -0.44, 0.212),
    ("^RUT/^GSPC", 0.3807, 0.24, -0.40, -0.91, -1.88, -0.08, -4.77, -32.15, -1.18, -1.90, 0.029),
    ("ALT/BTC", 41.27, -0.85, -3.10, -7.24, -15.30, -4.40, -22.19, None, -1.77, -2.31, 0.006),
    ("ETH/BTC", 0.03391, -0.20, -1.05, -2.40, -9.12, -0.92, -14.75, None, 0.12, -0.62, 0.181),
)


def spreads(status: str | None = None) -> pl.DataFrame:
    """The seven default pairs."""
    rows = []
    for i, (pair, ratio, *rel, z63, z252, percentile) in enumerate(PAIRS):
        a, b = pair.split("/")
        horizons = ("1d", "5d", "1m", "3m", "ytd", "1y", "5y")
        row: dict[str, Any] = {f"rel_{h}": None if v is None else v / 100 for h, v in zip(horizons, rel, strict=True)}
        row |= {f"pp_{h}": v for h, v in zip(horizons, rel, strict=True)}
        row |= {
            "pair": pair, "a": a, "b": b, "ratio": ratio, "log_ratio": math.log(ratio), "z63": z63, "z252": z252,
            "percentile": percentile, "drawdown": -0.3712 + i / 50, "half_life": (44.0, 51.0, 38.0, math.inf)[i % 4],
            "as_of": datetime.fromtimestamp(OPENING, UTC), "n": 2520, "coverage": 1.0, "recent": walk(i, 120, ratio),
            "low_label": "10-year low" if i == 1 else None,
            "status": "warming" if pair.endswith("/BTC") else "ok",
        }  # fmt: skip
        if i == 0:
            row |= {
                "streak_leader": "large",
                "streak_years": 5,
                "streak_from": 2021,
                "streak_to": 2025,
                "ytd_leader": "large",
            }
        rows.append(row)
    return table("spreads", rows, status)


CRYPTO = (
    ("BTC", 90_884.10, 0.58, 31.4e9), ("ETH", 3_081.55, 0.38, 17.2e9), ("SOL", 138.42, -1.20, 4.1e9),
    ("XRP", 2.0912, -0.42, 3.3e9), ("ADA", 0.3911, -1.02, 0.71e9), ("AVAX", 13.842, -0.77, 0.44e9),
    ("FET", 0.2711, -2.44, 118.0e6), ("RENDER", 2.1043, -3.05, 96.4e6), ("TAO", 281.77, 1.33, 181.2e6),
    ("NEAR", 1.7120, -1.90, 201.0e6), ("ICP", 3.3320, -2.20, 88.0e6), ("GRT", 0.04021, -1.71, 31.0e6),
    ("WLD", 0.5911, -2.01, 140.0e6), ("UNI", 5.4310, -0.31, 290.0e6), ("AAVE", 164.20, 0.92, 310.0e6),
    ("LINK", 13.214, -0.88, 512.0e6), ("CRV", 0.3812, -1.10, 77.0e6), ("COMP", 24.110, 0.20, 34.0e6),
    ("LDO", 0.6012, -1.40, 61.0e6), ("SNX", 0.4410, -2.02, 19.0e6), ("INJ", 4.7310, -0.62, 71.0e6),
    ("DOGE", 0.1412, -2.11, 1.4e9), ("SHIB", 0.00000862, -1.95, 141.0e6), ("PEPE", 0.00000612, -3.90, 502.0e6),
    ("BONK", 0.00001083, -4.02, 171.0e6), ("WIF", 0.3871, -3.12, 140.0e6), ("FLOKI", 0.00005011, -2.90, 51.0e6),
    ("DOT", 2.0810, -0.90, 161.0e6), ("ATOM", 2.4010, 0.11, 92.0e6), ("ALGO", 0.1321, 0.00, 44.0e6),
    ("FIL", 1.5210, -1.60, 130.0e6), ("APT", 1.8110, -1.33, 101.0e6), ("ARB", 0.2093, -1.05, 122.0e6),
    ("OP", 0.3110, -1.44, 88.0e6), ("SEI", 0.1251, -2.00, 61.0e6), ("TIA", 0.5713, -1.07, 63.0e6),
    ("STX", 0.3620, None, None), ("IMX", 0.2710, -2.31, 22.0e6), ("ETC", 12.411, -0.41, 77.0e6),
    ("XTZ", 0.5810, 0.71, 29.0e6), ("SAND", 0.1290, -1.11, 41.0e6),
)  # fmt: skip
EQUITIES = (
    ("IWM", 219.84, 0.31, 6.1e9), ("IJR", 117.90, 0.28, 0.4e9), ("VB", 252.11, 0.22, 0.2e9),
    ("SPY", 697.02, 0.10, 41.2e9),
    ("QQQ", 631.70, -0.09, 29.0e9), ("RSP", 192.66, 0.15, 1.9e9), ("MDY", 612.40, 0.19, 0.5e9),
    ("^RUT", 2_204.71, 0.34, None),
    ("^GSPC", 6_944.82, 0.11, None), ("RTY=F", 2_210.30, 0.36, 8.0e9), ("ES=F", 6_981.25, 0.12, 210.0e9),
    ("IBIT", 51.60, 0.62, 1.7e9), ("FBTC", 79.20, 0.60, 0.3e9), ("GBTC", 71.10, 0.58, 0.2e9),
    ("^IRX", 3.545, -0.14, None),
    ("^TNX", 4.171, 0.48, None), ("TIP", 110.24, -0.02, 0.2e9), ("IEF", 96.31, -0.05, 0.6e9),
)  # fmt: skip


def quotes(status: str | None = None, shift: float = 0.0, n: int = 0) -> pl.DataFrame:
    """The default symbols; `n` makes as many crypto rows instead, `shift` moves every price by that fraction."""
    config = Config()
    rows: list[dict[str, Any]] = []
    crypto = CRYPTO if not n else tuple((f"C{i:04d}", 10.0 + i, 0.1, 1e6 * i) for i in range(n))
    baskets = {base: name for name, members in config.crypto.baskets.items() for base in members}
    names = [(f"{base}/USD", *rest) for base, *rest in crypto] + [tuple(e) for e in EQUITIES]
    for i, (symbol, price, change, volume) in enumerate(names):
        last = price * (1 + shift)
        crypto_row = asset_of(symbol) == "crypto"
        source = ("coinbase", "kraken", "binance")[i % 3 if i > 5 else 0] if crypto_row else "yahoo-stream"
        own = "stale" if symbol in ("AVAX/USD", "SNX/USD") else "warming" if symbol == "STX/USD" else "ok"
        age = 47.0 if status == "stale" else 41.0 if own == "stale" else (0.1, 0.4, 2.1, 5.0)[i % 4]
        rows.append({
            "symbol": symbol, "asset": asset_of(symbol), "last": last, "price": last, "bid": last * 0.9999,
            "ask": last * 1.0001, "change_pct": change, "volume": None if volume is None else volume / last,
            "volume_usd": volume, "high_since": last * 1.021, "low_since": last * (0.985 - i % 7 / 200),
            "high_24h": last * 1.021, "low_24h": last * (0.985 - i % 7 / 200), "source": source,
            "preferred": symbol != "FET/USD",
            "venue_symbol": symbol if source != "binance" else symbol.replace("USD", "USDT"),
            "quote_ccy": "USDT" if source == "binance" else "USD",
            "received": datetime.fromtimestamp(OPENING - age, UTC),
            "age_s": age, "session": None if crypto_row else "regular", "delayed": False,
            "basket": baskets.get(symbol.split("/")[0]),
            "recent": walk(i, 24, last), "status": own,
        })  # fmt: skip
    known = set(TABLES["quotes"])
    return table("quotes", [{k: v for k, v in row.items() if k in known} for row in rows], status)


def levels(status: str | None = None, last: float = 2204.71) -> pl.DataFrame:
    """^RUT between 2,100 and 2,300."""
    rows = [
        {
            "symbol": "^RUT", "role": role, "price": price, "low": price - 7, "high": price + 7, "state": "CLEAR",
            "position": (last - 2100) / 200, "distance_pct": 100 * (price - last) / last,
            "distance_atr": (price - last) / 30.7, "touches": touches, "strength": strength, "sources": "config",
            "last": last, "atr": 30.7, "out_of_play": abs(price - last) > 8 * 30.7,
            "as_of": datetime.fromtimestamp(OPENING, UTC),
        }
        for role, price, touches, strength in (("support", 2100.0, 6, 83.0), ("resistance", 2300.0, 4, 71.0))
    ]  # fmt: skip
    return table("levels", rows, status)


def baskets(status: str | None = None) -> pl.DataFrame:
    """The default baskets."""
    rows = [
        {"basket": name, "members": members, "return_1d_pct": d1, "return_7d_pct": d7, "return_30d_pct": d30,
         "volume_usd": volume, "volume_yoy_pct": yoy, "volume_30d_pct": -6.1, "breadth": up / members,
         "breadth_members": members, "coverage": 1.0, "recent": walk(members, 31, 100.0)}
        for name, members, d1, d7, d30, volume, yoy, up in (
            ("majors", 2, 0.62, 1.90, 3.10, 31.4e9, 4.0, 2), ("large", 4, -0.85, -1.22, -4.05, 8.5e9, -7.5, 1),
            ("ai", 7, -1.40, -6.22, -11.04, 612.0e6, -18.0, 1), ("defi", 8, -0.71, -2.05, -6.40, 401.3e6, -11.0, 3),
            ("meme", 6, -2.10, -9.80, -15.20, 980.5e6, -25.0, 0), ("mid", 14, -0.95, -4.10, -7.70, 2.2e9, -20.0, 3),
        )
    ]  # fmt: skip
    return table("baskets", rows, status)


def feeds(broken: bool = False) -> pl.DataFrame:
    """Seven sources; broken: the network is gone."""
    rows: list[dict[str, Any]] = []
    for i, (source, kind) in enumerate((
        ("coinbase", "crypto-stream"), ("kraken", "crypto-stream"), ("binance", "crypto-stream"),
        ("yahoo-stream", "equity-stream"), ("yahoo-poll", "equity-poll"), ("yahoo-bars", "equity-bars"),
        ("coingecko", "market-facts"),
    )):  # fmt: skip
        blocked = source == "binance"
        state = "blocked" if blocked else "reconnecting" if broken else "live"
        error = (
            "refuses this place: Service unavailable from a restricted location" if blocked
            else "cannot connect: [Errno 111] Connection refused" if broken else None
        )  # fmt: skip
        age = 47.0 if broken else (0.1, 0.3, 900.0, 0.4, 5.0, 60.0, 41.0)[i]
        rows.append({
            "source": source, "kind": kind, "state": state, "last_message": datetime.fromtimestamp(OPENING - age, UTC),
            "rate": 0.0 if broken or blocked else (412.0, 188.5, 0.0, 61.2, 0.1, 0.0, 0.0)[i],
            "reconnects": 3 if broken else 0,
            "error": error, "retry_at": datetime.fromtimestamp(OPENING + 252, UTC) if error else None,
            "note": "lacks WLD/USD" if source == "kraken" else None,
        })  # fmt: skip
    return table("feeds", rows, "stale" if broken else None)


def markets(status: str | None = None) -> pl.DataFrame:
    """Whole-market figures."""
    rows = [
        {"base": "BTC", "venues_usd": 11.8e9, "all_markets_usd": 42.4e9, "dominance_pct": 58.9, "venues": 3},
        {"base": "ETH", "venues_usd": 6.1e9, "all_markets_usd": 21.7e9, "dominance_pct": None, "venues": 3},
    ]
    return table("markets", rows, status)


def volumes(status: str | None = None) -> pl.DataFrame:
    """IWM's volume against a year ago."""
    rows = [{"symbol": "IWM", "adv_shares": 25.5e6, "adv_usd": 5.6e9, "adv_yoy_pct": -15.0, "adv_usd_yoy_pct": -3.95,
             "rvol": 0.92, "n": 63}]  # fmt: skip
    return table("volumes", rows, status)


GAUGES = (
    # gauge, name, value, percentile, state, detail
    ("D1", "equity size IWM/SPY", -1.94, 0.031, "warn", "own history"),
    ("D2", "crypto size ALT/BTC", -2.31, 0.006, "alert", "fixed 1.5 / 2 / 1: under 5 years"),
    ("D3", "cross-size gap", 0.41, 0.620, "ok", "fixed 1.5 / 2 / 1: under 5 years"),
    ("D4", "correlation break", -0.88, 0.210, "ok", "21 against the 126 before, 2.58 at 3 closes"),
    ("D5", "price against volume IWM", -0.07, None, "ok", "volume +13.5 % (20 against 60 sessions)"),
    ("D6", "swing divergence IWM", -1.0, None, "warn", "regular bear, 2025-12-09 to 2025-12-26"),
)


def gauges(status: str | None = None) -> pl.DataFrame:
    """The six gauges."""
    names = ("gauge", "name", "value", "percentile", "state", "detail")
    rows = [
        {**dict(zip(names, row, strict=True)), "as_of": datetime.fromtimestamp(OPENING, UTC), "n": 287,
         "status": "ok", "recent": walk(i, 30, row[2]) if i < 4 and isinstance(row[2], float) else None}
        for i, row in enumerate(GAUGES)
    ]  # fmt: skip
    return table("gauges", rows, status)


def alerts(status: str | None = None) -> pl.DataFrame:
    """One that stands and is new, one that was seen, one that is about to be."""
    rows = [
        {"rule": rule, "row": row, "state": state, "severity": severity, "since": ago(since), "value": value,
         "message": message, "fired_at": ago(since) if state != "pending" else None, "acknowledged": seen,
         "event_id": rule}
        for rule, row, state, severity, since, value, message, seen in (
            ("crypto-size-z", "ALT/BTC", "firing", "critical", 15, -2.31, "ALT/BTC z −2.31 below −2.00", False),
            ("basket-volume", "meme", "firing", "warning", 190, -25.0, "meme: volume −25.0 % on the year", True),
            ("russell-band", "^RUT", "pending", "warning", 4, 2204.71, None, False),
        )
    ]  # fmt: skip
    return table("alerts", rows, status)


def events() -> tuple[Event, ...]:
    """One alert that is over, and the firing of one that stands."""
    over = Event("1", "btc-volume", "BTC", "resolved", OPENING - 127, "info", "on", "BTC 24 h volume above 30 bn", {})
    return over, Event("2", "crypto-size-z", "ALT/BTC", "fired", OPENING - 15, "critical", "on", "ALT/BTC z −2.31", {})


def pages(status: str | None = None) -> dict[str, pl.DataFrame]:
    """The tables of the screens beside the dashboard."""
    made = {
        "regime": fake_pages.regime(), "claims": fake_pages.claims(), "rotation": fake_pages.rotation(),
        "correlations": fake_pages.correlations(), "flows": fake_pages.flows(), "facts": fake_pages.facts(),
        "scanner": fake_desk.scanner(), "plans": fake_desk.plans(), "whatifs": fake_desk.whatifs(),
    }  # fmt: skip
    dated = {name: [{**row, "as_of": row.get("as_of", ago(60))} for row in rows] for name, rows in made.items()}
    dated["journal"] = [
        {k: v for k, v in row.items() if k not in ("ago", "seen")}
        | {"at": ago(row["ago"]), "acknowledged_at": ago(10) if row["seen"] else None}
        for row in fake_desk.journal()
    ]
    dated["rules"] = fake_desk.rules()
    return {name: table(name, rows, status) for name, rows in dated.items()}


def ago(seconds: float) -> datetime:
    """A moment before the fakes' own."""
    return datetime.fromtimestamp(OPENING - seconds, UTC)


EQUITY_ROWS = {"quotes": "symbol", "spreads": "pair", "levels": "symbol", "volumes": "symbol", "charts": "symbol"}
SHUT = MarketClock("XNYS", SessionState.CLOSED, CLOSE + 3 * 86_400 - 6.5 * 3600)


def closed(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """The table while the equity market is shut: the rows that are not of crypto say so."""
    crypto = pl.col(key).str.contains("/USD|/BTC")
    status = pl.when(crypto).then(pl.col("status")).otherwise(pl.lit("closed"))
    return frame.with_columns(status.alias("status"))


def snapshot(state: str = "live", *, shift: float = 0.0, n: int = 0, seq: int = 7, **changes: Any) -> Snapshot:
    """What the engine publishes.

    state: live, stale (the network is gone), closed (a weekend of the equity market) or empty (nothing has come yet).
    """
    stale = "stale" if state == "stale" else None
    tables = {
        "quotes": quotes(stale, shift, n), "spreads": spreads(stale), "levels": levels(stale),
        "baskets": baskets(stale),
        "volumes": volumes(stale), "markets": markets(stale), "feeds": feeds(broken=state == "stale"),
        "gauges": gauges(stale), "alerts": alerts(stale), **pages(stale), **fake_bars.tables(stale),
    }  # fmt: skip
    if state == "closed":
        tables |= {name: closed(tables[name], key) for name, key in EQUITY_ROWS.items()}
    if state == "empty":
        tables = {name: empty(name) for name in tables}
    made = Snapshot(
        seq=seq, mode=Mode.DEMO, scenario="january-2026", as_of=OPENING, clock_offset=0.0, beat_at=MONO, beat_ms=4.2,
        ticks_per_s=1240.0 if state in ("live", "closed") else 0.0, ticks=48_211, tables=tables,
        nyse=SHUT if state == "closed" else MarketClock("XNYS", SessionState.OPEN, CLOSE), config=Config(), notices=(),
        settled=state in ("live", "closed"),
        events=() if state == "empty" else events(),
    )  # fmt: skip
    return replace(made, **changes)


def moved(before: Snapshot, shift: float) -> Snapshot:
    """The next beat: every quote's price moved by a fraction, everything else the same objects."""
    frame = before.tables["quotes"]
    factor = 1 + shift
    fresh = frame.with_columns(
        pl.col("last") * factor, pl.col("bid") * factor, pl.col("ask") * factor, pl.col("change_pct") + 100 * shift
    )
    return replace(before, seq=before.seq + 1, tables={**before.tables, "quotes": fresh})


__all__ = ["MONO", "OPENING", "FakeSource", "FixedClock", "Notice", "moved", "snapshot", "table"]
