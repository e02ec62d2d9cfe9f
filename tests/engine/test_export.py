"""A snapshot as JSON: everything there, nothing that JSON cannot say."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.export import as_dict, iso, rows, to_json
from engine.model import Mode
from engine.tables import TABLES, TIME
from tests.engine.runtime import FRIDAY, HandClock, engine, quote, report


def snapshot() -> Any:
    clock = HandClock()
    run = engine(clock, mode=Mode.DEMO, scenario="january-2026")
    run.ingest(quote(clock))
    run.report_feed(report())
    run.notice("warning", "mind the gap")
    return run.beat()


def test_the_object_has_its_parts_and_parses_back() -> None:
    one = snapshot()
    got = json.loads(to_json(one))
    assert got == json.loads(json.dumps(as_dict(one)))
    assert {"schema_version", "mode", "as_of", "clock", "tables"} <= set(got)
    assert (got["schema_version"], got["mode"], got["scenario"]) == (1, "demo", "january-2026")
    assert got["as_of"] == "2026-01-09T15:30:00.000000+00:00"
    assert got["clock"]["nyse"]["state"] == "open"
    assert set(got["tables"]) == set(TABLES)
    assert got["notices"][0]["text"] == "mind the gap"


def test_rows_have_every_column_nulls_stay_null_and_times_have_their_zone() -> None:
    row = json.loads(to_json(snapshot()))["tables"]["quotes"][0]
    assert list(row) == list(TABLES["quotes"])
    assert row["bid"] is None
    assert datetime.fromisoformat(row["event_time"]).utcoffset() == timedelta(0)
    assert row["event_time"].endswith("+00:00")
    assert (row["status"], row["simulated"]) == ("ok", True)


def test_only_the_tables_asked_for_in_their_order() -> None:
    assert list(json.loads(to_json(snapshot(), ["feeds", "quotes"]))["tables"]) == ["feeds", "quotes"]
    with pytest.raises(KeyError, match="nope"):
        to_json(snapshot(), ["nope"])


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), min_size=1))
def test_nan_and_infinity_never_come_out(values: list[float | None]) -> None:
    table = pl.DataFrame({"x": values, "y": [values] * len(values)}, schema={"x": pl.Float64, "y": pl.List(pl.Float64)})
    for row in rows(table):
        for value in (row["x"], *row["y"]):
            assert value is None or math.isfinite(value)


def test_times_are_utc_whatever_the_fraction() -> None:
    assert iso(None) is None
    assert iso(FRIDAY.timestamp()) == "2026-01-09T15:30:00.000000+00:00"
    table = pl.DataFrame({"t": [datetime(2026, 1, 9, 15, 30, 0, 5, tzinfo=UTC)]}, schema={"t": TIME})
    assert rows(table) == [{"t": "2026-01-09T15:30:00.000005+00:00"}]
