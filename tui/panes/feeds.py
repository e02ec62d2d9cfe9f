"""The sources: which are live, which are in trouble, why, and when they try again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, fit, heading, merged, row
from tui.view import View
from tui.widgets.linepane import LinePane

STATES: Mapping[str, tuple[str, str]] = {
    "live": ("●", "good"),
    "connecting": ("…", "dim"),
    "stale": ("◌", "stale"),
    "reconnecting": ("↻", "warn"),
    "rate-limited": ("!", "warn"),
    "blocked": ("✗", "alert"),
    "closed": ("·", "closed"),
    "failed": ("✗", "alert"),
}
RANK: Mapping[str, int] = {"alert": 0, "warn": 1, "stale": 1, "dim": 2, "good": 3, "closed": 3}
"""Role of a state → where its sources stand: what is broken is in sight even where not all rows are."""
STATE = 12
"""Cells of the state, or of the bar in place of it while a history is downloaded."""
COLUMNS = (
    Column("glyph", "", 1, rank=0),
    Column("source", "source", 13, "<", rank=0, gap=1),
    Column("state", "state", STATE, "<", rank=1, gap=1),
    Column("age", "age", 5, rank=2, gap=1),
    Column("rate", "msg/s", 7, rank=3, gap=1),
    Column("kind", "kind", 13, "<", rank=5),
    Column("reconnects", "retries", 7, rank=4, gap=1),
    Column("retry", "next try", 9, rank=4, gap=1),
)
WORDS_MIN = 16
"""Cells that the last error needs to be worth showing in the row; else it stands in the message line only."""


def cells(record: Mapping[str, Any], now: float) -> dict[str, Span]:
    """One source's cells."""
    glyph, role = STATES.get(record["state"], ("?", "warn"))
    heard, retry = record["last_message"], record["retry_at"]
    again = retry if retry is not None else record.get("next_at")  # a source that asks now and then rests until then
    return {
        "glyph": (glyph, role),
        "source": (fmt.shorten(record["source"], 13), "text" if role == "good" else role),
        "state": (how_far(record) or record["state"], "dim" if role == "good" else role),
        "age": (fmt.age(None if heard is None else now - heard.timestamp()), "dim"),
        "rate": (fmt.on_point(fmt.number(record["rate"], 1), 1), "dim"),
        "kind": (record["kind"], "dim"),
        "reconnects": (fmt.number(record["reconnects"], 0), "dim" if not record["reconnects"] else "text"),
        "retry": (
            "" if again is None else fmt.countdown(max(0.0, again.timestamp() - now)),
            "dim" if retry is None else "warn",
        ),
    }


def how_far(record: Mapping[str, Any]) -> str:
    """How far a live source's first download of history is: `━━━── 23/63`; empty where there is none under way."""
    done, wanted = record["done"], record["wanted"]
    if record["state"] != "live" or done is None or not wanted or done >= wanted:
        return ""
    count = f" {done}/{wanted}"
    return fmt.progress(done, wanted, max(2, STATE - len(count))) + count


def feed_row(record: Mapping[str, Any], columns: Sequence[Column], width: int, now: float) -> Line:
    """One source as a line, with its last error or note in the width that is left."""
    spans = row(columns, cells(record, now))
    used = sum(c.width + c.gap for c in columns[1:]) + columns[0].width if columns else 0
    words = record["error"] or record["note"]
    room = width - used - 2
    if words and room >= WORDS_MIN:
        text = fit(" ".join(str(words).split()), room).rstrip()
        spans.append(("  " + text, "warn" if record["error"] else "dim"))
    return merged(spans)


class FeedsPane(LinePane):
    """The table of sources, those in trouble first."""

    heading = "Sources"
    reads = ("feeds",)
    ages = True

    def prepare(self, view: View, width: int) -> None:
        found = view.rows("feeds")
        self._records = sorted(found, key=lambda r: RANK.get(STATES.get(r["state"], ("", "warn"))[1], 2))
        self.rows = [f"{r['source']} {r['kind']}" for r in self._records]
        self._columns = choose(COLUMNS, width)
        self._width = width
        self.head = (heading(self._columns),) if self.rows else ()

    def body(self, start: int, stop: int) -> Sequence[Line]:
        now = self.view.now if self.view else 0.0
        return [feed_row(r, self._columns, self._width, now) for r in self._records[start:stop]]

    def record(self) -> dict[str, object] | None:
        return dict(self._records[self.index()]) if self.rows else None

    def waiting(self, view: View) -> str:
        return "waiting for the first source to say how it is"
