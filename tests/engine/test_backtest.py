"""A rule over stored bars fires where the same maths, one session at a time, says that it would have."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine import sessions
from engine.alerts_cli import backtested
from engine.backtest import BacktestError, Firing, backtest, sessions_between
from engine.bars import BarBook
from engine.clock import Clock
from engine.config import Config, Crypto, Equity, Spreads
from engine.rules import Cross, Rule
from engine.store import Store
from tests.engine.market_data import bars, book_of, walk

CONFIG = Config(
    crypto=Crypto(baskets={"majors": ("BTC",)}, alt=()),
    equity=Equity(symbols=("IWM", "SPY")),
    spreads=Spreads(("IWM/SPY",)),
)
SPAN = (date(2024, 6, 3), date(2025, 11, 28))
Z = Rule("z", on="spreads", when="z252 > 2", clear_when="z252 < 1", message="{pair} {z252:.6f}")


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    first, last = date(2022, 1, 3), date(2025, 12, 31)
    days = pd.DatetimeIndex([np.datetime64(span.day, "D") for span in sessions_between(first, last)])
    made = {}
    for seed, name in enumerate(("IWM", "SPY")):
        close = walk(seed, len(days))
        made[name] = pd.DataFrame(
            {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}, index=days
        )
    return made


def run(rule: Rule, frames: dict[str, pd.DataFrame], first: date, last: date) -> list[Firing]:
    return list(backtest(rule, CONFIG, book_of(**frames), sessions_between(first, last)))


@pytest.fixture(scope="module")
def fired(frames: dict[str, pd.DataFrame]) -> list[Firing]:
    """What `Z` tells over all sessions that are tried."""
    return run(Z, frames, *SPAN)


def test_conditions_fire_where_the_windows_of_pandas_say_so(
    frames: dict[str, pd.DataFrame], fired: list[Firing]
) -> None:
    q = pd.Series(np.log(frames["IWM"]["close"] / frames["SPY"]["close"]), frames["IWM"].index)
    z = (q - q.rolling(252).mean()) / q.rolling(252).std()
    expected, firing = [], False
    for day, value in z["2024-06-03":"2025-11-28"].items():
        if firing != (value > 2 if not firing else value >= 1):
            firing = not firing
            expected.append((pd.Timestamp(str(day)).date(), "fired" if firing else "resolved"))
    assert len(expected) > 2
    assert [(firing.day, firing.event.kind) for firing in fired] == expected


def test_the_future_changes_nothing(frames: dict[str, pd.DataFrame], fired: list[Firing]) -> None:
    cut = {name: frame[:"2025-01-31"] for name, frame in frames.items()}
    part = run(Z, cut, SPAN[0], date(2025, 1, 31))
    told = [(f.day, f.event.message) for f in fired if f.day <= date(2025, 1, 31)]
    assert [(f.day, f.event.message) for f in part] == told


def test_a_rules_own_timers_end_within_the_day_that_they_began(
    frames: dict[str, pd.DataFrame], fired: list[Firing]
) -> None:
    held = replace(Z, hold=30.0, keep_firing=60.0)
    assert [(f.day, f.event.kind) for f in run(held, frames, *SPAN)] == [(f.day, f.event.kind) for f in fired]


def test_a_level_is_crossed_by_a_bars_extremes_and_a_gap_is_said() -> None:
    days = pd.DatetimeIndex(["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"])
    frame = pd.DataFrame(
        {
            "open": [99, 98, 96.5, 104],
            "high": [99.5, 101, 97, 105],
            "low": [98, 96, 96, 103],
            "close": [98, 96.5, 96.8, 104],
        },
        index=days,
    )
    rule = Rule("x", cross=Cross("IWM", 100.0), message="{direction}", max_age=60.0)
    found = list(backtest(rule, CONFIG, book_of(IWM=frame), sessions_between(date(2026, 1, 5), date(2026, 1, 8))))
    assert [(firing.day.day, firing.event.message) for firing in found] == [
        (6, "up"), (6, "down"), (8, "up (gapped through)"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Rule("v", on="markets", when="venues > 1"), "markets, which is not made of bars"),
        (Z, "no stored bars yet"),
        (Rule("x", cross=Cross("IWM", 100.0)), "no stored daily bars of IWM"),
    ],
)
def test_what_cannot_be_tried_is_said(rule: Rule, says: str) -> None:
    with pytest.raises(BacktestError, match=says):
        list(backtest(rule, CONFIG, BarBook(), sessions_between(date(2025, 1, 2), date(2025, 1, 10))))


def test_the_command_prints_each_firing_and_their_number(
    frames: dict[str, pd.DataFrame], fired: list[Firing], tmp_path: Path
) -> None:
    sessions.warm()
    store = Store(tmp_path, Clock())
    for name, frame in frames.items():
        store.save(bars(frame, name))
    store.close(timeout=30)
    own = {"mine": {"on": "spreads", "when": "z252 > 2", "clear_when": "z252 < 1", "message": "{pair} {z252:+.2f}"}}
    config = Config(crypto=CONFIG.crypto, equity=CONFIG.equity, spreads=CONFIG.spreads, levels={}, rules=own)
    lines = list(backtested(config, tmp_path, "mine", *SPAN, Clock()))
    count = sum(firing.event.kind == "fired" for firing in fired)
    assert len(lines) == len(fired) + 1
    assert lines[-1].startswith(f"mine: fired {count} time") and lines[-1].endswith("2024-06-03 to 2025-11-28")
    assert lines[0].startswith(f"{fired[0].day}  ▲ IWM/SPY  IWM/SPY +2.")
