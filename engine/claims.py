"""The `claims` table: what the article of January 2026 said, each beside what is measured now; neither is the other's.

Nothing here enters a computation. A figure holds where the measurement lies within `TOLERANCE_PP` of it; a claim that
nothing here measures has no measurement and says neither yes nor no, and `note` says why. One that is measured on other
ground than it was said of (inflows, of the imported funds alone) says neither as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from engine import sessions
from engine.flow_table import SIZE_GROUPS, FlowRow
from engine.grid import worst
from engine.model import Status
from engine.rows import table
from engine.view import View

SOURCE: Final = "the article that sizewatch starts from"
SAID_ON: Final = "2026-01"
TOLERANCE_PP: Final = 2.5
DECADE_LOW: Final = 0.01
"""A share of assets at or below this percentile of ten years is at its low."""
SIZE_FUNDS: Final = "small + mid + large"
"""All size groups of `flows` together, as `size_flows` makes them."""
IMPORT: Final = "no history of funds' flows: sizewatch flows import"

FLOW_COLUMNS: Final = pl.Schema(
    {
        "fund": pl.String(),
        "flow_1y": pl.Float64(),
        "percentile": pl.Float64(),
        "note": pl.String(),
        "as_of": pl.Datetime("us", "UTC"),
        "status": pl.String(),
    }
)
Tables = Mapping[str, pl.DataFrame]


class Claim(NamedTuple):
    """One sentence of the article and where its measurement stands."""

    claim: str
    said: str
    unit: str
    table: str
    """The live table that measures it; empty where none does."""
    where: tuple[str, str]
    """Column and value that name the row."""
    column: str
    holds: Callable[[float, Mapping[str, Any]], bool | None]
    lacking: str = ""
    """What is to be said where nothing measures it."""


def _near(said: float) -> Callable[[float, Mapping[str, Any]], bool]:
    return lambda measured, _: abs(measured - said) <= TOLERANCE_PP


def _large_five(measured: float, row: Mapping[str, Any]) -> bool:
    return row["streak_leader"] == "large" and measured >= 5


CLAIMS: Final = (
    Claim("large caps ahead of small caps, years in a row", "5", "years", "spreads", ("pair", "IWM/SPY"),
          "streak_years", _large_five),
    Claim("small-cap volume, year on year (IWM)", "-15 %", "%", "volumes", ("symbol", "IWM"),
          "adv_yoy_pct", _near(-15.0)),
    Claim("mid-cap crypto volume, year on year", "-20 %", "%", "baskets", ("basket", "mid"),
          "volume_yoy_pct", _near(-20.0)),
    Claim("meme coin volume, year on year", "-25 %", "%", "baskets", ("basket", "meme"),
          "volume_yoy_pct", _near(-25.0)),
    Claim("Russell 2000 between support and resistance", "2,100 to 2,300", "points", "levels", ("symbol", "^RUT"),
          "last", lambda measured, _: 2100.0 <= measured <= 2300.0),
    Claim("BTC above", "60,000", "USD", "quotes", ("symbol", "BTC/USD"), "last", lambda measured, _: measured > 60_000),
    Claim("BTC 24 h volume over all markets above", "30 billion", "USD", "markets", ("base", "BTC"),
          "all_markets_usd", lambda measured, _: measured > 30e9),
    Claim("inflows into funds", "1.5 trillion", "USD", "flows", ("fund", SIZE_FUNDS),
          "flow_1y", lambda *_: None, IMPORT),
    Claim("allocation to small caps", "a decade low", "share", "flows", ("fund", "small"), "percentile",
          lambda measured, _: measured <= DECADE_LOW, IMPORT),
)  # fmt: skip


def size_flows(rows: Sequence[FlowRow]) -> pl.DataFrame:
    """What the claims read of `flows`: the small group, and all size groups as one; empty without rows."""
    groups = [row for row in rows if row.cells.get("fund") in SIZE_GROUPS]
    made = [_flow(row.cells["fund"], [row]) for row in groups if row.cells["fund"] == "small"]
    if groups:
        made.append(_flow(SIZE_FUNDS, groups))
    return pl.DataFrame(made, schema=FLOW_COLUMNS)


def _flow(name: str, rows: Sequence[FlowRow]) -> dict[str, Any]:
    flows = [row.cells.get("flow_1y") for row in rows]
    sources = ", ".join(dict.fromkeys(str(row.cells.get("history")) for row in rows))
    note = f"of the imported funds over 252 sessions ({sources}); the claim is of all funds"
    percentile = rows[0].cells.get("percentile") if len(rows) == 1 else None
    if len(rows) == 1:
        note = f"percentile of the share of assets ({sources})" + ("" if percentile else ": needs nine years")
    return {
        "fund": name,
        "flow_1y": None if None in flows else sum(flows),
        "percentile": percentile,
        "note": note,
        "as_of": sessions.close_of(min(row.day for row in rows)),
        "status": worst(row.worth for row in rows).value,
    }


def live(tables: Tables, view: View) -> pl.DataFrame:
    """The `claims` table, of the other live tables as they stand at this beat."""
    return table("claims", [_row(c, tables, view) for c in CLAIMS])


def _row(claim: Claim, tables: Tables, view: View) -> dict[str, Any]:
    said: dict[str, Any] = {
        "claim": claim.claim, "source": SOURCE, "said": claim.said, "said_on": SAID_ON, "unit": claim.unit,
        "note": claim.lacking or None, "status": Status.WARMING.value, "simulated": view.simulated,
    }  # fmt: skip
    frame = tables.get(claim.table)
    if frame is None or frame.is_empty():
        # what has to be imported is not waited for
        return said | ({"status": Status.STALE.value} if claim.lacking else {})
    hit = frame.filter(frame[claim.where[0]] == claim.where[1])
    if hit.is_empty():
        return said | ({"status": Status.STALE.value} if claim.lacking else {})
    row = hit.row(0, named=True)
    value = row[claim.column]
    said["note"] = row.get("note")
    if value is None or not math.isfinite(value):
        return said
    return said | {
        "measured": float(value),
        "holds": claim.holds(float(value), row),
        "as_of": row.get("as_of", row.get("event_time")),
        "status": row["status"],
    }
