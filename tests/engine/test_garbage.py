"""Garbage while the program starts: none is sought, and afterwards it is again, but not among what stood by then."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.growth import resident_mb
from engine import garbage


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_it_is_held_and_goes_on_without_what_stands() -> None:
    garbage.hold()
    assert not gc.isenabled()
    garbage.resume()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_nothing_is_set_apart_where_nothing_was_held() -> None:
    before = gc.get_freeze_count()
    garbage.resume()
    assert gc.isenabled()
    assert gc.get_freeze_count() == before


ROOT = Path(__file__).parents[2]
GLIBC = pytest.mark.skipif(garbage._glibc() is None, reason="only glibc can be asked to give memory back")


@GLIBC
def test_what_a_burst_left_free_goes_back_to_the_system_though_something_small_stands_behind_it() -> None:
    burst = [bytes(2_000) for _ in range(60_000)]
    stays = burst[::50]
    del burst
    before = resident_mb()
    assert garbage.give_back()
    assert before - resident_mb() > 50.0
    assert len(stays) == 1_200


def test_a_sweep_gives_back_once_a_minute_at_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    monkeypatch.setattr(garbage, "give_back", lambda: given.append(1.0))
    monkeypatch.setattr(garbage, "_swept", [float("-inf")])
    garbage.sweep()
    garbage.sweep()
    assert len(given) == 1


APART = """
from bench.growth import resident_mb
from engine import garbage
garbage.seldom()
large = [b"x" * size for size in [300_000] * 4]
del large  # from here on the library alone would count only what is larger than these as large
mixed = [(b"x" * size, bytes(600)) for size in [300_000] * 300]
stays = [small for _, small in mixed]
before = resident_mb()
del mixed
print(before - resident_mb())
"""


@GLIBC
def test_large_pieces_go_back_by_themselves_whatever_stands_between_them() -> None:
    # in a process of its own: where memory stands free already, large pieces are put there first
    told = subprocess.run([sys.executable, "-c", APART], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(told.stdout) > 60.0
