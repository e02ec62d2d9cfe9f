"""Garbage while the program starts: none is sought, and afterwards it is again, but not among what stood by then."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

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
