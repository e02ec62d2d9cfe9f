"""What a rule would do, before it is saved: is it right, which rows match now, when would it have fired."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from engine.alert_message import render
from engine.alert_setup import WATCHED
from engine.alerts import KEYS, plain, row_name
from engine.conditions import compile_condition
from engine.rules import Cross, Rule, read_rule
from engine.tables import TABLES

if TYPE_CHECKING:
    from engine.config import Config

SESSIONS: Final = 252
"""How far back a condition is tried: a session takes about 30 ms."""
EVER: Final = date(1990, 1, 1)
"""How far back a level is tried, where bars are stored."""
TIMEOUT_S: Final = 60.0
"""A trial over the stored history that takes longer is given up."""


class Now(NamedTuple):
    """A rule on the tables of this moment."""

    mistakes: tuple[str, ...]
    """A line each: field, what stands there, what would be right. The rest is empty where there are any."""
    words: str = ""
    """How many rows match, or how far the level is."""
    matches: tuple[tuple[str, str], ...] = ()
    """Rows that match, with the message that would be told."""
    unknown: tuple[str, ...] = ()
    """Rows of which a value is missing."""


class Past(NamedTuple):
    """A rule over stored bars."""

    sessions: int
    first: str
    last: str
    firings: tuple[tuple[str, str, str], ...]
    """Day, row and message of each firing, newest first."""


def try_now(name: str, raw: Mapping[str, object], config: Config, tables: Mapping[str, pl.DataFrame]) -> Now:
    """Read a rule as written, and look which rows match."""
    rule, wrong = read_rule(name, raw, WATCHED, config.symbols, "terminal")
    if rule is None:
        return Now(tuple(said(mistake.path, mistake.value, mistake.allowed) for mistake in wrong))
    if rule.cross is not None:
        return Now((), crossing_words(rule.cross, tables))
    return matching(rule, tables)


def said(path: str, value: str, allowed: str) -> str:
    """A mistake in one line, named by its field alone."""
    field = path.split(".", 2)[2] if path.count(".") > 1 else "rule"
    return f"{field}{' = ' + value if value else ''}: {allowed}"


def matching(rule: Rule, tables: Mapping[str, pl.DataFrame]) -> Now:
    """Which rows of its table match a condition now."""
    if rule.on is None or rule.when is None or rule.on not in tables:
        return Now((), f"{rule.on} is not there now")
    frame = tables[rule.on]
    verdicts = frame.select(compile_condition(rule.when, rule.on, TABLES[rule.on]).alias("verdict"))["verdict"]
    names = [row_name(key) for key in frame.select(KEYS[rule.on]).iter_rows()]
    found: list[tuple[str, str]] = []
    unknown: list[str] = []
    for row, verdict, values in zip(names, verdicts.to_list(), frame.iter_rows(named=True), strict=True):
        if verdict is None:
            unknown.append(row)
        elif verdict:
            told = {key: plain(value) for key, value in values.items() if not isinstance(value, list)}
            found.append((row, render(rule.message, {"rule": rule.id, "row": row, **told})))
    words = f"{len(found)} of {len(names)} rows of {rule.on} match now" + (
        f", {len(unknown)} unknown" if unknown else ""
    )
    return Now((), words, tuple(found), tuple(unknown))


def crossing_words(cross: Cross, tables: Mapping[str, pl.DataFrame]) -> str:
    """Where a price stands, and how far from its level."""
    prices = dict(tables["quotes"].select("symbol", "price").iter_rows()) if "quotes" in tables else {}
    price, over = prices.get(cross.symbol), prices.get(cross.over or "")
    if cross.over is not None:
        price = price / over if price is not None and over else None
    where = "has no price now" if price is None else f"stands at {price:,.10g}"
    apart = "" if price is None else f", {100 * (cross.level / price - 1):+.2f} % away".replace("-", "−")
    return f"{cross.name} {where}; fires on passing {cross.level:,.10g}{apart}"


def try_past(name: str, raw: Mapping[str, object], config: Config, folder: Path, now: float) -> Past:
    """When a rule would have fired over the stored daily bars. A worker's job. Raises BacktestError.

    Conditions over the last `SESSIONS` sessions, levels as far back as there are bars.
    """
    from engine.backtest import BacktestError, backtest, sessions_between
    from engine.bars import BarBook
    from engine.clock import Clock
    from engine.store import Store

    rule, _ = read_rule(name, raw, WATCHED, config.symbols, "terminal")
    if rule is None:
        raise BacktestError("the rule is not right yet")
    today = datetime.fromtimestamp(now, UTC).date()
    begin = EVER if rule.cross is not None else today - timedelta(days=2 * SESSIONS)
    spans = [span for span in sessions_between(begin, today) if span.close <= now]
    spans = spans if rule.cross is not None else spans[-SESSIONS:]
    book = BarBook([f"{exchange}-bars" for exchange in config.crypto.exchanges])
    for bars in Store(folder, Clock()).load(config.symbols):
        if bars.interval == "1d":
            book.merge(bars)
    fired = [
        (str(each.day), each.event.row, each.event.message if rule.message else "")
        for each in backtest(rule, config, book, spans)
        if each.event.kind in ("fired", "repeated")
    ]
    first, last = (str(date(1970, 1, 1) + timedelta(days=spans[at].day)) for at in (0, -1)) if spans else ("", "")
    if rule.cross is not None and fired:
        first = min(first, fired[0][0])
    return Past(len(spans), first, last, tuple(reversed(fired)))
