"""What the live tables know of one symbol, pair or basket: its own row, its neighbours, sources, alerts and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tui import format as fmt
from tui.lines import Line
from tui.view import View

KEYS: Final = (
    ("spreads", "pair"), ("quotes", "symbol"), ("baskets", "basket"), ("levels", "symbol"), ("volumes", "symbol"),
    ("rotation", "item"), ("markets", "base"),
)  # fmt: skip
"""Tables that have rows of a subject, and the column that names it."""
TITLES: Final = {
    "spreads": "Spread", "quotes": "Quote", "baskets": "Basket", "levels": "Levels", "volumes": "Volume",
    "rotation": "Rotation", "markets": "All markets",
}  # fmt: skip
EVENTS: Final = 12
"""Events shown, newest first."""
HIDDEN: Final = ("recent", "tail_ratio", "tail_momentum", "simulated")
SEVERITY: Final = {"critical": "alert", "warning": "warn"}

Row = Mapping[str, Any]
Section = tuple[str, Sequence[Row | list[Line]]]


def _names(subject: str) -> set[str]:
    """How tables may call it: a coin also by its bare name."""
    return {subject, subject.removesuffix("/USD"), f"{subject}/USD"} if "/" not in subject[:-4] else {subject}


def rows_of(view: View, table: str, column: str, subject: str) -> list[Row]:
    """The rows of a table that name the subject."""
    frame = view.table(table)
    if frame is None or frame.is_empty() or column not in frame.columns:
        return []
    return list(frame.filter(frame.get_column(column).is_in(list(_names(subject)))).iter_rows(named=True))


def main_row(view: View, subject: str) -> Row | None:
    """The row that says most of a subject."""
    for table, column in KEYS:
        found = rows_of(view, table, column, subject)
        if found:
            return found[0]
    return None


def sections(view: View, subject: str, shown: Mapping[str, object]) -> list[Section]:
    """What else is known: other tables' rows, sources, alerts that stand, recent events. shown: already on the page."""
    if not subject:
        return []
    made: list[Section] = []
    for table, column in KEYS:
        found = [row for row in rows_of(view, table, column, subject) if dict(row) != dict(shown)]
        if found:
            made.append((TITLES[table], [_brief(row, column) for row in found]))
    made.append(("Sources", [_sources(view, subject)]))
    made.append(("Alerts", [_alerts(view, subject)]))
    made.append(("Recent events", [_events(view, subject)]))
    return made


def _brief(row: Row, column: str) -> dict[str, Any]:
    """A row without what is missing, and without what stands elsewhere."""
    return {n: v for n, v in row.items() if v is not None and n not in HIDDEN and (n != column or column == "price")}


def _sources(view: View, subject: str) -> list[Line]:
    """Who prices it, who has its bars, and how those feeds are."""
    lines: list[Line] = []
    states = {r["source"]: r for r in view.rows("feeds")}
    parts = (f"{half}/USD" if half.isalpha() else half for half in subject.split("/")) if "/" in subject else ()
    for name in dict.fromkeys((subject, *subject.split("/"), *parts)):
        for row in rows_of(view, "quotes", "symbol", name):
            line = _source_line(row["symbol"], row["source"], row["venue_symbol"], states)
            if line not in lines:
                lines.append(line)
    for row in rows_of(view, "charts", "symbol", subject):
        words = f" bars      {row['interval'] or '–':<4} {row['source'] or 'made of its parts'}"
        line = ((words, "text"), (f"  {row['rows']} rows, {row['intervals'] or 'none'}", "dim"))
        if line not in lines:
            lines.append(line)
    return lines or [((" no source has said anything of it yet", "dim"),)]


def _source_line(symbol: str, source: str | None, book: str | None, states: Mapping[str, Row]) -> Line:
    feed = states.get(source or "")
    state = str(feed["state"]) if feed is not None else "no feed of that name"
    role = "good" if state == "live" else "warn"
    return ((f" {symbol:<9} {source or fmt.MISSING}", "text"), (f"  {book or ''}  ", "dim"), (state, role))


def _alerts(view: View, subject: str) -> list[Line]:
    """The alerts that stand on it."""
    lines: list[Line] = []
    for row in view.rows("alerts"):
        if _concerns(str(row["row"]), subject):
            since = fmt.moment(row["since"], "%d %b %H:%M") if row["since"] is not None else fmt.MISSING
            role = SEVERITY.get(str(row["severity"]), "text") if row["state"] == "firing" else "dim"
            words = row["message"] or f"{row['rule']} is about to fire"
            lines.append(
                ((f" {row['state']:<10}", role), (f" {words}", "text"), (f"  since {since}  {row['rule']}", "dim"))
            )
    return lines or [((" none stands on it; A makes one, or :alert", "dim"),)]


def _events(view: View, subject: str) -> list[Line]:
    """What alerts told of it, newest first."""
    found: dict[str, tuple[float, str, str]] = {}
    for row in view.rows("journal"):
        if _concerns(str(row["row"]), subject) and row["at"] is not None:
            found[str(row["event_id"])] = (row["at"].timestamp(), str(row["kind"]), str(row["message"] or ""))
    for event in view.snapshot.events if view.snapshot is not None else ():
        if _concerns(event.row, subject):
            found[event.id] = (event.at, event.kind, event.message)
    newest = sorted(found.values(), reverse=True)[:EVENTS]
    lines: list[Line] = [
        (
            (f" {fmt.moment(datetime.fromtimestamp(at, UTC), '%d %b %H:%M')}", "dim"),
            (f"  {kind:<9}", "text"),
            (words, "text"),
        )
        for at, kind, words in newest
    ]
    return lines or [((" nothing has happened to it since the start", "dim"),)]


def _concerns(row: str, subject: str) -> bool:
    """Whether an alert's row names the subject."""
    return bool(_names(subject) & {row, *row.split(" ")})
