"""How far behind a terminal is: by what the system took, and by what the terminal says that it has seen."""

from __future__ import annotations

import pytest

from tui.link import ASK_BYTES, ASKED, CROWDED, FEW, GRACE_S, LATE_S, WINDOW, Ledger


class Watch:
    """A clock that is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def ledger(watch: Watch) -> Ledger:
    return Ledger(watch)


def test_a_terminal_that_takes_all_at_once_is_never_behind(ledger: Ledger, watch: Watch) -> None:
    for n in range(1, 50):
        ledger.wrote(20_000)
        assert not ledger.behind()  # the writer has not come to it yet
        watch.now += 0.02
        ledger.took(20_000 * n, n)
        assert not ledger.behind()


def test_what_the_system_does_not_take_holds_up_the_next_frame(ledger: Ledger, watch: Watch) -> None:
    ledger.wrote(WINDOW + 1)
    watch.now += GRACE_S * 1.1
    assert ledger.behind()
    ledger.took(WINDOW + 1, 1)
    assert not ledger.behind()


def test_many_small_writes_hold_up_the_next_frame_as_well(ledger: Ledger, watch: Watch) -> None:
    for _ in range(FEW + 1):
        assert not ledger.behind()
        ledger.wrote(10)
        watch.now += GRACE_S * 1.1
    assert ledger.behind()
    assert not ledger.crowded()


def test_a_little_under_way_holds_up_nothing(ledger: Ledger, watch: Watch) -> None:
    ledger.wrote(WINDOW)
    watch.now += 10
    assert not ledger.behind()


def test_a_terminal_that_answers_is_believed_and_not_the_system_between(ledger: Ledger, watch: Watch) -> None:
    ledger.wrote(ASK_BYTES)
    assert ledger.due()
    ledger.asked()
    assert not ledger.due()
    ledger.answered()
    ledger.wrote(WINDOW + 1)
    ledger.asked()
    ledger.took(ledger.written, 2)  # megabytes of room in an ssh channel
    watch.now += GRACE_S * 1.1
    assert ledger.behind()
    ledger.answered()
    assert not ledger.behind()


def test_a_terminal_that_never_answers_is_asked_once_and_holds_up_nothing(ledger: Ledger, watch: Watch) -> None:
    ledger.wrote(ASK_BYTES)
    ledger.asked()
    for n in range(2, 2 + 2 * ASKED):
        ledger.wrote(WINDOW)
        ledger.took(ledger.written, n)
        watch.now += 1
        assert not ledger.due()
        assert not ledger.behind()
    assert not ledger.open


def test_an_answer_that_is_lost_costs_one_pause(ledger: Ledger, watch: Watch) -> None:
    ledger.wrote(ASK_BYTES)
    ledger.asked()
    ledger.answered()
    ledger.wrote(WINDOW + 1)
    ledger.asked()
    ledger.took(ledger.written, 2)
    watch.now += LATE_S / 2
    assert ledger.behind()
    watch.now += LATE_S
    assert not ledger.behind()
    ledger.wrote(ASK_BYTES)
    assert ledger.due()


def test_bells_are_dropped_before_the_queue_is_full(ledger: Ledger) -> None:
    for n in range(CROWDED):
        assert not ledger.crowded(), n
        ledger.wrote(1)
    assert ledger.crowded()
    ledger.took(CROWDED, CROWDED)
    assert not ledger.crowded()
