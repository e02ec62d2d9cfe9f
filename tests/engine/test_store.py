"""Bars on disk: kept whole, damaged ones set aside, and never in the way of the live view."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import polars as pl
import pytest

from engine.model import Bars
from engine.store import SEAL, Partition, Store, decoded
from tests.engine.runtime import HandClock, bars_frame, engine


def bars(symbol: str = "BTC/USD", closes: tuple[float, ...] = (1.0, 2.0), source: str = "kraken-bars") -> Bars:
    return Bars(symbol, "1d", source, "USDT", bars_frame(closes))


def kept(root: Path, *many: Bars) -> None:
    store = Store(root, HandClock())
    for one in many:
        store.save(one)
    store.close()


def loaded(store: Store, symbols: tuple[str, ...] | None = None) -> dict[str, Bars]:
    return {b.symbol: b for b in store.load(symbols)}


def file_of(root: Path, one: Bars) -> Path:
    return root / Partition(one.source, one.symbol, one.interval).file


@pytest.mark.parametrize("symbol", ["BTC/USD", "^RUT", "RTY=F", "IWM", "a.b/../USD"])
def test_what_is_saved_comes_back_and_stays_in_the_folder(tmp_path: Path, symbol: str) -> None:
    one = bars(symbol)
    kept(tmp_path / "store", one)
    got = loaded(Store(tmp_path / "store", HandClock()))[symbol]
    assert got[:4] == one[:4]
    assert got.frame.equals(one.frame)
    assert [p.name for p in tmp_path.iterdir()] == ["store"]
    assert not list(tmp_path.rglob("*.part"))


def test_only_the_symbols_asked_for_are_read(tmp_path: Path) -> None:
    kept(tmp_path, bars("IWM"), bars("SPY"))
    assert set(loaded(Store(tmp_path, HandClock()), ("SPY", "QQQ"))) == {"SPY"}


def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path) -> None:
    kept(tmp_path, bars("IWM"), bars("SPY"))
    path = file_of(tmp_path, bars("IWM"))
    path.write_bytes(path.read_bytes()[:-40])
    store = Store(tmp_path, HandClock())
    assert set(loaded(store)) == {"SPY"}
    assert not path.exists()
    assert len(list(path.parent.glob("*.damaged-*"))) == 1
    (notice,) = store.notices()
    assert notice.severity == "warning"
    assert "damaged" in notice.text
    kept(tmp_path, bars("IWM", (9.0,)))
    assert loaded(Store(tmp_path, HandClock()))["IWM"].frame["close"].to_list() == [9.0]
    assert len(list(path.parent.glob("*.damaged-*"))) == 1


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\0" * 4096, b"<html>"])
def test_no_content_whatever_breaks_the_load(tmp_path: Path, content: bytes) -> None:
    kept(tmp_path, bars("IWM"))
    file_of(tmp_path, bars("IWM")).write_bytes(content)
    store = Store(tmp_path, HandClock())
    assert loaded(store) == {}
    assert len(store.notices()) == 1


def test_a_file_of_other_columns_is_set_aside(tmp_path: Path) -> None:
    path = file_of(tmp_path, bars("IWM"))
    path.parent.mkdir(parents=True)
    pl.DataFrame({"x": [1]}).write_parquet(path)
    store = Store(tmp_path, HandClock())
    assert loaded(store) == {}
    assert "columns" in store.notices()[0].text


def test_of_a_file_with_a_turned_bit_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parquet alone lets some pass for good prices; of others its reader makes a panic, or gigabytes."""
    kept(tmp_path, bars("IWM", tuple(map(float, range(1, 60)))))
    whole = file_of(tmp_path, bars("IWM")).read_bytes()
    assert decoded(whole)[0]["close"].to_list() == list(map(float, range(1, 60)))
    monkeypatch.setattr(pl, "read_parquet", lambda _: pytest.fail("read"))
    seal = whole.index(SEAL)
    for at in (*range(seal), *range(seal + len(SEAL), len(whole))):
        with pytest.raises(ValueError, match="not those that were written"):
            decoded(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])


def test_other_programs_read_the_files_as_parquet(tmp_path: Path) -> None:
    one = bars("IWM")
    kept(tmp_path, one)
    assert pl.read_parquet(file_of(tmp_path, one)).equals(one.frame)
    assert pl.scan_parquet(file_of(tmp_path, one)).filter(pl.col("close") > 1).collect().height == 1


def test_a_file_of_before_there_was_a_check_is_read(tmp_path: Path) -> None:
    path = file_of(tmp_path, bars("IWM"))
    path.parent.mkdir(parents=True)
    bars("IWM").frame.write_parquet(path, metadata={"quote_ccy": "USDT"})
    assert loaded(Store(tmp_path, HandClock()))["IWM"].quote_ccy == "USDT"


def test_a_damaged_file_that_cannot_be_moved_is_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(tmp_path, bars("IWM"))
    path = file_of(tmp_path, bars("IWM"))
    path.write_bytes(b"broken")
    store = Store(tmp_path, HandClock())

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        assert loaded(store) == {}
    store.save(bars("IWM"))
    store.close()
    assert path.read_bytes() == b"broken"
    assert store.notices()[0].severity == "error"


def test_a_folder_that_cannot_be_written_is_a_notice_and_the_view_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "store"
    blocked.write_text("a file where a folder should be")
    clock = HandClock()
    run = engine(clock, store=blocked)
    run.load()
    run.ingest_bars(bars())
    deadline, told = time.monotonic() + 10, ""
    while "bars cannot be kept" not in told and time.monotonic() < deadline:
        told = "; ".join(notice.text for notice in run.beat().notices)  # the database's own may come first
        time.sleep(0.01)
    assert "bars cannot be kept" in told
    assert run.coverage("BTC/USD", "1d", "kraken-bars") is not None
    run.close()


def test_a_full_disk_is_told_once_leaves_the_old_file_whole_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(tmp_path, bars("IWM", (1.0,)))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    store = Store(tmp_path, HandClock())
    store.save(bars("IWM", (1.0, 2.0)))
    store.close()
    assert [n.text.count("No space left") for n in store.notices()] == [1]
    assert loaded(Store(tmp_path, HandClock()))["IWM"].frame["close"].to_list() == [1.0]
    assert not list(tmp_path.rglob("*.part"))


def test_what_waits_is_bounded_by_the_partitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    store = Store(tmp_path, HandClock())
    for n in range(500):
        store.save(bars("IWM", (float(n + 1),)))
        store.save(bars("SPY", (float(n + 1),)))
    assert store.waiting <= 2
    store.close()


def test_a_part_left_by_a_kill_goes_when_it_is_old(tmp_path: Path) -> None:
    kept(tmp_path, bars("IWM"))
    folder = file_of(tmp_path, bars("IWM")).parent
    old, fresh = folder / "SPY.1d.parquet.1-1.part", folder / "SPY.1d.parquet.2-2.part"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    loaded(Store(tmp_path, HandClock()))
    assert (old.exists(), fresh.exists()) == (False, True)


def test_an_engine_finds_its_bars_again(tmp_path: Path) -> None:
    clock = HandClock()
    first = engine(clock, store=tmp_path)
    first.ingest_bars(bars("BTC/USD", (1.0, 2.0, 3.0)))
    first.ingest_bars(bars("BTC/USD", (1.0, 2.0, 3.0, 4.0)))
    first.close()
    again = engine(clock, store=tmp_path)
    again.load()
    assert again.coverage("BTC/USD", "1d", "kraken-bars") == first.coverage("BTC/USD", "1d", "kraken-bars")
    again.close()
