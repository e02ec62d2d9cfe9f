"""When a rule would have fired: stored daily bars through the makers and the book of alerts that a live run has.

The clock is virtual. After each session, once every daily bar of its date has closed (crypto's with the UTC day), the
tables are made as they would have stood and the rule is stepped; then time goes on to where its own timers end, and to
the next session. A level is crossed along open, the two extremes and close of each bar. What only live prices can tell
is null, which is UNKNOWN. Nothing later than a session is seen at it, but for the adjustment of closes for dividends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from engine import sessions
from engine.alerts import AlertBook
from engine.bars import BarBook
from engine.config import Config
from engine.crossings import Watch
from engine.derived import Maker
from engine.errors import SizewatchError
from engine.makers import makers
from engine.model import Event
from engine.rules import Cross, Rule
from engine.tables import TABLES
from engine.view import DictView, Session

DAY: Final = 86_400.0
FROM_BARS: Final = ("spreads", "levels", "gauges", "baskets", "volumes")
"""Tables that daily bars alone can make."""
GAP_S: Final = 43_200.0
"""Between two bars' prices so far apart a level is said to have been gapped through."""


class BacktestError(SizewatchError):
    """There is nothing that this rule could be tried on."""


class Firing(NamedTuple):
    """An event, and the date of the bars that it comes of."""

    day: date
    event: Event


def sessions_between(first: date, last: date) -> list[Session]:
    """The NYSE's sessions from `first` to `last`, both included."""
    epoch = date(1970, 1, 1)
    numbers = ((first - epoch).days, (last - epoch).days)
    return [each for each in sessions.calendar().sessions if numbers[0] <= each.day <= numbers[1]]


def backtest(rule: Rule, config: Config, book: BarBook, spans: Sequence[Session]) -> Iterator[Firing]:
    """Every event of the rule over these sessions, oldest first. Raises BacktestError."""
    if not spans:
        raise BacktestError("there is no session between these dates")
    if rule.cross is not None:
        yield from _crossings(rule, rule.cross, book, spans)
        return
    if rule.on not in FROM_BARS:
        raise BacktestError(f"{rule.id} is on {rule.on}, which is not made of bars; {', '.join(FROM_BARS)} are")
    if not list(book):
        raise BacktestError("there are no stored bars yet: they are fetched while sizewatch runs")
    yield from _conditions(rule, config, book, spans)


def _conditions(rule: Rule, config: Config, book: BarBook, spans: Sequence[Session]) -> Iterator[Firing]:
    maker = next(each for each in makers(config, book) if each.name == rule.on)
    # a daily close stands for its whole session, and no firing before the first date has left a cooldown
    alerts = AlertBook([_as_tried(rule)], TABLES)
    moments = [max(span.close, (span.day + 1) * DAY) + 1.0 for span in spans]
    for span, now, until in zip(spans, moments, (*moments[1:], moments[-1] + DAY), strict=True):
        tables = {maker.name: table_at(maker, now)}
        for wait in sorted({0.0, rule.hold, rule.keep_firing, rule.cooldown}):
            if wait == 0.0 or wait < until - now:
                for event in alerts.evaluate(tables, now + wait):
                    yield Firing(_date(span.day), event)


def _as_tried(rule: Rule) -> Rule:
    """The rule where nobody acknowledges, and a daily bar stands for its whole day."""
    mode = "edge" if rule.mode == "latch" else rule.mode
    return replace(rule, enabled=True, expires=None, mode=mode, session="24x7")


def table_at(maker: Maker, now: float) -> pl.DataFrame:
    """A derived table as bars alone made it at `now`."""
    return maker.live(maker.at_close(now), DictView(now))


def _crossings(rule: Rule, cross: Cross, book: BarBook, spans: Sequence[Session]) -> Iterator[Firing]:
    watch = Watch([replace(_as_tried(rule), max_age=GAP_S)])
    alerts = AlertBook([rule], TABLES)
    frame = book.frame(cross.symbol, "1d")
    if cross.over is not None:
        frame = _ratio(frame, book.frame(cross.over, "1d"))
    if frame.is_empty():
        raise BacktestError(f"there are no stored daily bars of {cross.name}: they are fetched while sizewatch runs")
    always = sessions.market_of(cross.symbol) == sessions.ALWAYS
    by_day = {span.day: span for span in spans}
    for row in frame.select("time", "open", "high", "low", "close").iter_rows():
        number = int(row[0].timestamp() // DAY)
        span = by_day.get(number)
        if always and spans[0].day <= number <= spans[-1].day:
            span = Session(number, number * DAY, (number + 1) * DAY - 1)
        if span is None:
            continue
        path = _path(*row[1:])
        step = (span.close - span.open) / max(len(path) - 1, 1)
        for place, price in enumerate(path):
            for crossed in watch.tick(price, span.open + place * step):
                yield Firing(_date(number), alerts.cross(crossed))
        for crossed in watch.beat(span.close):
            yield Firing(_date(number), alerts.cross(crossed))


def _path(opened: float | None, high: float | None, low: float | None, close: float) -> list[float]:
    """A bar as the prices it surely passed: the extreme against its direction first; known ones alone."""
    up = opened is None or close >= opened
    return [price for price in (opened, *((low, high) if up else (high, low)), close) if price is not None]


def _ratio(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    """A ratio's opens and closes; what its extremes were, the legs' own do not tell."""
    joined = a.join(b, on="time", suffix="_b")
    nothing = pl.lit(None, dtype=pl.Float64)
    return joined.select(
        "time",
        pl.col("open") / pl.col("open_b"),
        nothing.alias("high"),
        nothing.alias("low"),
        pl.col("close") / pl.col("close_b"),
    )


def _date(number: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number)).date()
