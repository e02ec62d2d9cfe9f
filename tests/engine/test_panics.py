"""A library in Rust that panics raises no `Exception`; what it ends is no more than an exception ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.errors import BadDataError, faults
from engine.model import Bars
from engine.store import Store
from feeds.flow_files import read_flow_bytes
from tests.engine.runtime import HandClock, bars_frame, quote
from tests.engine.test_engine import Fake, settle, with_makers


class PanicException(BaseException):
    """As every such library has one of its own."""


def panics(*_: Any, **__: Any) -> Any:
    raise PanicException("called `Option::unwrap()` on a `None` value")


def test_panics_are_faults_and_the_end_of_a_run_is_none() -> None:
    assert {pl.exceptions.PanicException, PanicException, Exception} <= set(faults())
    for ending in (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError):
        assert not issubclass(ending, faults())


@pytest.mark.parametrize("stage", ["at_close", "live"])
def test_a_table_whose_making_panics_goes_stale_alone(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    good, bad = Fake("levels"), Fake("volumes")
    run = with_makers(clock, good, bad)
    run.ingest(quote(clock))
    settle(run, clock)
    monkeypatch.setattr(bad, stage, panics)
    run.ingest_bars(Bars("BTC/USD", "1d", "kraken-bars", "USD", bars_frame((1.0, 2.0))))
    settle(run, clock)
    run.ingest(quote(clock, last=200.0))
    clock.pass_(1)
    snapshot = run.beat()
    assert snapshot.tables["volumes"]["status"].to_list() == ["stale"]
    assert snapshot.tables["levels"]["last"].to_list() == [200.0]
    assert any("PanicException" in notice.text for notice in snapshot.notices)


def test_a_bar_file_that_makes_its_reader_panic_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Store(tmp_path, HandClock())
    kept.save(Bars("IWM", "1d", "yahoo-bars", "USD", bars_frame((1.0, 2.0))))
    kept.close()
    monkeypatch.setattr(pl, "read_parquet", panics)
    opened = Store(tmp_path, HandClock())
    assert list(opened.load()) == []
    assert len(list(tmp_path.rglob("*.damaged-*"))) == 1
    (notice,) = opened.notices()
    assert "damaged" in notice.text


def test_a_workbook_that_makes_its_reader_panic_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine

    monkeypatch.setattr(python_calamine.CalamineWorkbook, "from_filelike", panics, raising=False)
    with pytest.raises(BadDataError, match=r"x\.xls: a damaged workbook"):
        read_flow_bytes("x.xls", b"\xd0\xcf\x11\xe0 anything")
