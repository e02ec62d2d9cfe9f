"""Turns: one at a time, the lowest rank first, whatever happens in one."""

from __future__ import annotations

import threading
import time

import pytest

from feeds import turns
from feeds.turns import imported, turn


def test_the_most_urgent_of_those_that_wait_comes_first_and_never_two_at_once() -> None:
    order: list[int] = []
    at_once: list[int] = []
    inside = threading.Semaphore(1)

    def work(rank: int) -> None:
        with turn(rank):
            at_once.append(int(inside.acquire(blocking=False)))
            order.append(rank)
            inside.release()

    begun = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with turn(0):
            begun.set()
            held.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(30)
    threads = [threading.Thread(target=work, args=(rank,)) for rank in (3, 2, 1, 3, 0)]
    for thread in threads:
        thread.start()
    while len(turns._WAITING) < len(threads):
        time.sleep(0.005)
    held.set()
    for thread in (holder, *threads):
        thread.join(30)
    assert order == [0, 1, 2, 3, 3]
    assert at_once == [1] * 5


def test_a_turn_that_fails_is_over() -> None:
    with pytest.raises(ModuleNotFoundError):
        imported(0, "no_such_module_anywhere")
    with turn(1):
        pass
