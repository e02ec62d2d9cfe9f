"""What `sizewatch alerts` prints: rules, what matches now, the journal, a backtest. Lines out, nothing else.

Reading changes nothing: where there is no journal none is made.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import orjson
import polars as pl

from engine.alert_setup import Written, in_words, read_rules
from engine.backtest import BacktestError, backtest, sessions_between
from engine.bars import BarBook
from engine.clock import Clock
from engine.config import Config
from engine.database import FILE_NAME, Database
from engine.errors import SizewatchError
from engine.journal import MAX_EVENTS, Entry, Journal
from engine.lifecycle import ACTIVE, AlertState
from engine.rule_trial import crossing_words, matching
from engine.rules import Rule
from engine.store import Store

_MARKS = {"fired": "▲", "repeated": "▲", "resolved": "✓"}


class UnknownRuleError(SizewatchError):
    """There is no such rule, or it is wrong."""


def saved_rules(folder: Path) -> Written:
    """The rules that were made in the terminal."""
    with _Reading(folder) as journal:
        return journal.saved_rules() if journal is not None else {}


def find_rule(config: Config, name: str, saved: Written | None = None) -> Rule:
    """The rule of that name. Raises UnknownRuleError with the nearest names, or with its mistakes."""
    rules, mistakes = read_rules(config, saved)
    for rule in rules:
        if rule.id == name:
            return rule
    wrong = [in_words(mistake) for mistake in mistakes if mistake.path.startswith(f"rules.{name}")]
    names = [rule.id for rule in rules]
    near = get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"nearest are {', '.join(near)}" if near else f"the rules are {', '.join(names)}"
    raise UnknownRuleError("\n".join(wrong) or f"no rule {name!r}; {hint}")


def list_rules(config: Config, folder: Path) -> Iterator[str]:
    """A line a rule: its name, severity, state by the journal, and what it watches; then every mistake."""
    rules, mistakes = read_rules(config, saved_rules(folder))
    states: dict[str, list[AlertState]] = {}
    with _Reading(folder) as journal:
        for name, _, instance in journal.instances() if journal is not None else ():
            states.setdefault(name, []).append(instance.state)
    width = max((len(rule.id) for rule in rules), default=0)
    for rule in rules:
        held = states.get(rule.id, [])
        active = sum(state in ACTIVE for state in held)
        pending = held.count(AlertState.PENDING)
        word = "off" if not rule.enabled else f"{active} firing" if active else f"{pending} pending" if pending else "–"
        yield f"{rule.id:<{width}}  {rule.origin:<6}  {rule.severity:<8}  {word:<9}  {rule.watched}"
    for mistake in mistakes:
        yield f"✗ {in_words(mistake)}"


def test_rule(
    config: Config, name: str, tables: Mapping[str, pl.DataFrame], saved: Written | None = None
) -> Iterator[str]:
    """Which rows match the rule now, with its message; which are unknown."""
    rule = find_rule(config, name, saved)
    if rule.cross is not None:
        yield f"{name}: {crossing_words(rule.cross, tables)}"
        return
    if rule.on is None or rule.on not in tables:
        raise UnknownRuleError(f"{name} watches {rule.on}, which is not there now")
    found = matching(rule, tables)
    yield f"{name}: {found.words}"
    yield from (f"  ▲ {row}  {message}" for row, message in found.matches)
    yield from (f"  ? {row}  a value is missing" for row in found.unknown)


def history(folder: Path, since: float | None, rule: str | None) -> Iterator[str]:
    """A line an event, oldest first; one that says so where there is none."""
    entries = _entries(folder, since, rule)
    if not entries:
        asked = f" by {rule}" if rule is not None else ""
        yield f"nothing has been told{asked}{' since then' if since is not None else ' yet'}"
    for entry in entries:
        event = entry.event
        seen = "  (acknowledged)" if entry.acknowledged_at is not None else ""
        at = datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        yield f"{at}  {_MARKS.get(event.kind, ' ')} {event.severity:<8}  {event.rule}  {event.message}{seen}"


def export(folder: Path, form: str, since: float | None, rule: str | None) -> Iterator[str]:
    """The journal as JSON lines or as CSV with a header, oldest first."""
    names = ("id", "at", "rule", "row", "kind", "severity", "notify", "message", "acknowledged_at", "values")
    if form == "csv":
        yield _csv(names)
    for entry in _entries(folder, since, rule):
        event = entry.event
        told = {**event._asdict(), "at": _iso(event.at), "acknowledged_at": _iso(entry.acknowledged_at)}
        told["values"] = dict(event.values)
        if form == "csv":
            told["values"] = orjson.dumps(told["values"]).decode()
            yield _csv([told[name] for name in names])
        else:
            yield orjson.dumps({name: told[name] for name in names}).decode()


def backtested(config: Config, folder: Path, name: str, first: date, last: date, clock: Clock) -> Iterator[str]:
    """A line a firing over the stored bars, then how many there were."""
    rule = find_rule(config, name, saved_rules(folder))
    if first > last:
        raise BacktestError(f"--from {first} is after --to {last}")
    book = BarBook([f"{exchange}-bars" for exchange in config.crypto.exchanges])
    for bars in Store(folder, clock).load(config.symbols):
        if bars.interval == "1d":
            book.merge(bars)
    spans = [span for span in sessions_between(first, last) if span.close <= clock.now()]
    count = 0
    for firing in backtest(rule, config, book, spans):
        count += firing.event.kind == "fired"
        yield f"{firing.day}  {_MARKS.get(firing.event.kind, ' ')} {firing.event.row}  {firing.event.message}"
    yield f"{name}: fired {count} time{'s' * (count != 1)} in {len(spans)} sessions, {first} to {last}"


def moment(since: datetime | timedelta | None, clock: Clock) -> float | None:
    """Epoch seconds of a moment, or of so long ago."""
    if isinstance(since, timedelta):
        return clock.now() - since.total_seconds()
    return since.timestamp() if since is not None else None


def _entries(folder: Path, since: float | None, rule: str | None) -> list[Entry]:
    with _Reading(folder) as journal:
        return journal.entries(rule=rule, since=since, limit=MAX_EVENTS)[::-1] if journal is not None else []


class _Reading:
    """The journal in `folder` while it is read; None where there is none."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder) if (folder / FILE_NAME).is_file() else None

    def __enter__(self) -> Journal | None:
        return Journal(self._database) if self._database is not None else None

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _csv(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()
