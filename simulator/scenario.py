"""A scenario: everything that makes one simulated market differ from another, read from one TOML file.

The fields, their units and limits are documented for users in `docs/scenarios.md`; a file that breaks one of them is
refused with all its mistakes, each with its place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from simulator.faults import KINDS as FAULTS
from simulator.faults import Fault
from simulator.mixture import mixture
from simulator.opening import BUILT_IN, built_in
from simulator.reader import Mistake, ScenarioError, Table

__all__ = ["BUILT_IN", "Band", "Coin", "Group", "Scenario", "ScenarioError", "Security", "Venue", "built_in", "load"]

KINDS: Final = ("etf", "share", "index", "future")
VENUES: Final = ("binance", "kraken", "coinbase")
RATES: Final = {"USDT": 1.0, "USDC": 1.0, "EUR": 1.16}
"""Currencies besides USD, with their default price in USD."""


@dataclass(frozen=True, slots=True)
class Group:
    """What the members of a group have in common."""

    market: float
    """Correlation of the group's daily returns with its market as a whole, −1 to 1."""
    volatility_pct: float
    """Yearly volatility of a member."""
    drift_pct: float
    """Return of every year that `annual_pct` does not name."""
    annual_pct: Mapping[int, float]
    """Calendar year → total return."""
    volume_yoy_pct: float
    """Change of the members' volume on the year."""


@dataclass(frozen=True, slots=True)
class Security:
    """An ETF, a share, an index, a future or a rate, by its Yahoo symbol."""

    symbol: str
    name: str
    kind: str
    group: str
    price: float
    """At the scenario's start."""
    change_pct: float
    """From the previous close to the start."""
    ytd_pct: float
    """Total return of the start's year, from the last close of the year before to the start."""
    volume: float
    """Mean shares a session over the last 63 full sessions; 0: no tape."""
    volume_yoy_pct: float
    dividend_yield_pct: float
    tracking: float
    """Correlation of its daily returns with its group's, 0 to 1."""
    volatility_pct: float
    annual_pct: Mapping[int, float]
    drift_pct: float
    follows: str
    """Symbol or base whose price it is a constant multiple of; empty: a path of its own."""
    exchange: str
    """Yahoo's code, such as PCX."""
    assets_usd: float
    """Net assets of a fund at the last close before the start; 0: its issuer publishes nothing."""
    flow_pct: float
    """Money in (less what went out) of each of the last five years, per cent of assets."""
    listed: date
    decimals: int


@dataclass(frozen=True, slots=True)
class Coin:
    """A base asset."""

    base: str
    name: str
    id: str
    """CoinGecko's id."""
    group: str
    price: float
    """USD at the start."""
    change_pct: float
    """Over the 24 hours before the start."""
    ytd_pct: float
    volume_usd: float
    """Over all markets in the 24 hours before the start."""
    supply: float
    """Coins in circulation."""
    tracking: float
    volatility_pct: float
    annual_pct: Mapping[int, float]
    drift_pct: float
    volume_yoy_pct: float
    listed: date
    decimals: int


@dataclass(frozen=True, slots=True)
class Venue:
    """A crypto exchange."""

    name: str
    quote: str
    """Its main quote currency, USD or USDT."""
    share: float
    """Fraction of all-market volume that trades here."""
    lacks: frozenset[str]
    """Bases that are not listed."""
    ticks_per_s: float
    """Ticker updates a second over all bases."""
    since: date
    """First day of its history."""


@dataclass(frozen=True, slots=True)
class Band:
    """Prices that turn a symbol back for as long as the simulation runs."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole simulated market."""

    name: str
    title: str
    seed: int
    start: datetime
    history_from: date
    dominance_pct: float
    """BTC's share of all capitalisation at the start."""
    fx: Mapping[str, float]
    """USD price of the other currencies; it does not move."""
    equity_groups: Mapping[str, Group]
    securities: Mapping[str, Security]
    crypto_groups: Mapping[str, Group]
    coins: Mapping[str, Coin]
    venues: Mapping[str, Venue]
    bands: Mapping[str, Band]
    faults: tuple[Fault, ...] = ()
    """What goes wrong on the way, as the run goes on."""
    equity_correlation: float = 0.35
    """Of crypto's common daily noise with that of equities."""


def load(which: str) -> Scenario:
    """A scenario by its built-in name, or from a TOML file. Raises ScenarioError with every mistake."""
    path = Path(which)
    if path.suffix != ".toml":
        if which not in built_in():
            allowed = f"no such scenario; there are {', '.join(built_in())}, or the path of a .toml file"
            raise ScenarioError(which, [Mistake("", "", allowed)])
        path = BUILT_IN / f"{which}.toml"
    return _read(_document(path, ()), str(path), path.stem)


def _document(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """The file's contents laid over those of the scenario that it extends."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(str(path), [Mistake("", "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ScenarioError(str(path), [Mistake("", "", f"is not UTF-8 text: {error.reason}")]) from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(str(path), [Mistake("", "", f"is not TOML: {error}")]) from error
    except RecursionError as error:
        raise ScenarioError(str(path), [Mistake("", "", "is nested too deeply")]) from error
    base = data.pop("extends", None)
    if base is None:
        return data
    where = BUILT_IN / f"{base}.toml" if base in built_in() else path.parent / str(base)
    if not isinstance(base, str) or not where.is_file() or where in (*below, path):
        allowed = f"must be one of {', '.join(built_in())}, or the path of another scenario file"
        raise ScenarioError(str(path), [Mistake("extends", repr(base), allowed)])
    return _laid_over(_document(where, (*below, path)), data)


def _laid_over(base: dict[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """`top` wins, key by key, at every depth."""
    merged = dict(base)
    for key, value in top.items():
        under = merged.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        merged[key] = _laid_over(under, value) if both and isinstance(under, dict) else value
    return merged


def _read(data: Mapping[str, Any], file: str, stem: str) -> Scenario:
    mistakes: list[Mistake] = []
    root = Table(data, "", mistakes)
    head = root.table("scenario")
    start = head.moment("start")
    history_from = head.day("history_from", date(2010, 1, 1))
    if (start.date() - history_from).days < 800:
        head.wrong("history_from", "must lie at least 800 days before `start`")
        history_from = date(start.year - 5, 1, 1)
    equity, crypto = root.table("equity"), root.table("crypto")
    equity_groups = {name: _group(table) for name, table in equity.tables("groups").items()}
    crypto_groups = {name: _group(table) for name, table in crypto.tables("groups").items()}
    coins = {base: _coin(base, table, crypto_groups, history_from) for base, table in crypto.tables("coins").items()}
    tables = equity.tables("symbols")
    securities = {
        symbol: _security(symbol, table, equity_groups, history_from, (*tables, *coins))
        for symbol, table in tables.items()
    }
    for symbol in securities:
        if _circular(symbol, securities):
            tables[symbol].wrong("follows", "must not lead back to itself")
    rates = root.table("fx", required=False)
    fx = {name: rates.number(name, 0.5, 2.0, default) for name, default in RATES.items()}
    venues = {name: _venue(name, table, tuple(coins), history_from) for name, table in root.tables("venues").items()}
    for name in venues.keys() - set(VENUES):
        root.table("venues").wrong(name, f"unknown venue; there are {', '.join(VENUES)}")
    bands = {symbol: _band(symbol, table, securities) for symbol, table in root.tables("bands", required=False).items()}
    if "BTC" not in coins:
        crypto.table("coins").wrong("BTC", "missing; every scenario has BTC")
    market = root.table("market")
    scenario = Scenario(
        name=head.text("name", stem),
        title=head.text("title", stem),
        seed=int(head.number("seed", 0, 2**31, 1)),
        start=start,
        history_from=history_from,
        dominance_pct=market.number("dominance_pct", 1, 99),
        fx=fx,
        equity_groups=equity_groups,
        securities=securities,
        crypto_groups=crypto_groups,
        coins=coins,
        venues=venues,
        bands=bands,
        equity_correlation=market.number("equity_correlation", -1, 1, 0.35),
        faults=(*(_fault(table) for table in root.array("faults")), *_mixed(root, head)),
    )
    for table in (root, head, equity, crypto, market, rates):
        table.finish()
    if mistakes:
        raise ScenarioError(file, mistakes)
    return scenario


def _group(table: Table) -> Group:
    group = Group(
        market=table.number("market", -1, 1, 0.8),
        volatility_pct=table.number("volatility_pct", 0, 300),
        drift_pct=table.number("drift_pct", -90, 1000, 0.0),
        annual_pct=table.years("annual_pct"),
        volume_yoy_pct=table.number("volume_yoy_pct", -99, 1000, 0.0),
    )
    table.finish()
    return group


def _security(
    symbol: str, table: Table, groups: Mapping[str, Group], first: date, followable: tuple[str, ...]
) -> Security:
    name = table.text("group", among=tuple(groups))
    group = groups.get(name, Group(0, 0, 0, {}, 0))
    security = Security(
        symbol=symbol,
        name=table.text("name", symbol),
        kind=table.text("kind", "etf", among=KINDS),
        group=name,
        price=table.number("price", 1e-6, 1e9),
        change_pct=table.number("change_pct", -50, 50, 0.0),
        ytd_pct=table.number("ytd_pct", -90, 1000, 0.0),
        volume=table.number("volume", 0, 1e12, 0.0),
        volume_yoy_pct=table.number("volume_yoy_pct", -99, 1000, group.volume_yoy_pct),
        dividend_yield_pct=table.number("dividend_yield_pct", 0, 20, 0.0),
        tracking=table.number("tracking", 0, 1, 0.97),
        volatility_pct=table.number("volatility_pct", 0, 300, group.volatility_pct),
        annual_pct={**group.annual_pct, **table.years("annual_pct")},
        drift_pct=group.drift_pct,
        follows=table.text("follows", among=tuple(each for each in followable if each != symbol))
        if table.has("follows")
        else "",
        exchange=table.text("exchange", "PCX"),
        assets_usd=table.number("assets_usd", 0, 1e13, 0.0),
        flow_pct=table.number("flow_pct", -60, 300, 0.0),
        listed=table.day("listed", first),
        decimals=int(table.number("decimals", 0, 8, 2)),
    )
    table.finish()
    return security


def _coin(base: str, table: Table, groups: Mapping[str, Group], first: date) -> Coin:
    name = table.text("group", among=tuple(groups))
    group = groups.get(name, Group(0, 0, 0, {}, 0))
    price = table.number("price", 1e-12, 1e9)
    coin = Coin(
        base=base,
        name=table.text("name", base),
        id=table.text("id", base.lower()),
        group=name,
        price=price,
        change_pct=table.number("change_pct", -90, 1000, 0.0),
        ytd_pct=table.number("ytd_pct", -99, 10_000, 0.0),
        volume_usd=table.number("volume_usd", 1, 1e15),
        supply=table.number("supply", 1, 1e18, 1e9),
        tracking=table.number("tracking", 0, 1, 0.85),
        volatility_pct=table.number("volatility_pct", 0, 500, group.volatility_pct),
        annual_pct={**group.annual_pct, **table.years("annual_pct")},
        drift_pct=group.drift_pct,
        volume_yoy_pct=table.number("volume_yoy_pct", -99, 1000, group.volume_yoy_pct),
        listed=table.day("listed", first),
        decimals=int(table.number("decimals", 0, 12, _decimals(price))),
    )
    table.finish()
    return coin


def _decimals(price: float) -> int:
    """Decimals that leave about five significant digits, two at the least."""
    digits = 2
    while price * 10**digits < 10_000 and digits < 10:
        digits += 1
    return digits


def _venue(name: str, table: Table, bases: tuple[str, ...], first: date) -> Venue:
    venue = Venue(
        name=name,
        quote=table.text("quote", among=("USD", "USDT")),
        share=table.number("share_pct", 0.001, 100) / 100,
        lacks=frozenset(table.names("lacks", bases)),
        ticks_per_s=table.number("ticks_per_s", 0.1, 100_000, 30.0),
        since=table.day("since", first),
    )
    table.finish()
    return venue


def _band(symbol: str, table: Table, securities: Mapping[str, Security]) -> Band:
    band = Band(table.number("low", 1e-9, 1e9), table.number("high", 1e-9, 1e9))
    price = securities[symbol].price if symbol in securities else None
    if price is None:
        table.wrong("low", f"a band's symbol must be one of {', '.join(securities)}")
    elif not band.low < price < band.high:
        table.wrong("low", f"`low` and `high` must enclose the price at the start, {price:,g}")
    table.finish()
    return band


def _fault(table: Table) -> Fault:
    forever = 1e9
    seconds = table.number("seconds", 0, forever, forever)
    fault = Fault(
        kind=table.text("kind", among=tuple(FAULTS)) or "die",
        hosts=table.texts("hosts"),
        at=table.number("at", 0, forever, 0.0),
        seconds=seconds if seconds < forever else float("inf"),
        chance=table.number("chance", 0, 1, 1.0),
        value=table.optional("value", -forever, forever),
    )
    table.finish()
    return fault


def _mixed(root: Table, head: Table) -> tuple[Fault, ...]:
    """Faults drawn from the scenario's seed, where it asks for them."""
    if not root.has("mixed"):
        return ()
    table = root.table("mixed")
    seconds = table.number("seconds", 1, 86_400)
    at_once = int(table.number("at_once", 1, 5, 2))
    lanes = tuple((name,) for name in table.texts("hosts")) or ((),)
    kinds = table.names("kinds", tuple(FAULTS)) or tuple(FAULTS)
    table.finish()
    return mixture(int(head.number("seed", 0, 2**31, 1)), seconds, lanes, at_once=at_once, kinds=kinds)


def _circular(symbol: str, securities: Mapping[str, Security]) -> bool:
    seen = {symbol}
    while (symbol := securities[symbol].follows) in securities:
        if symbol in seen:
            return True
        seen.add(symbol)
    return False
