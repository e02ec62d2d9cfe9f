"""The `feeds` table: the newest report of every feed, in the order in which they first spoke."""

from __future__ import annotations

from typing import Final

import polars as pl

from engine.errors import printable
from engine.model import FeedReport, FeedState, Status
from engine.tables import TABLES

_WORTH: Final = {
    FeedState.LIVE: Status.OK,
    FeedState.CONNECTING: Status.WARMING,
    FeedState.CLOSED: Status.CLOSED,
}
"""What a feed's data is worth by its state; every state that is not here is a kind of lost."""


def feeds_table(reports: list[FeedReport], *, simulated: bool) -> pl.DataFrame:
    """One row a report."""
    rows = [
        (r.source, r.kind, r.state.value, _micros(r.last_message), float(r.rate), r.reconnects, _said(r.error),
         _micros(r.retry_at), _micros(r.next_at), _said(r.note), r.done, r.wanted,
         _WORTH.get(r.state, Status.STALE).value, simulated)
        for r in reports
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=TABLES["feeds"], orient="row")


def _said(text: str | None) -> str | None:
    return None if text is None else printable(text)


def _micros(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1e6)
