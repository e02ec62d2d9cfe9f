"""Levels that are marked from inside."""

from __future__ import annotations

import pytest

from engine.config import Band, Config
from engine.own_levels import with_level


def marked(symbol: str, price: str, role: str, config: Config | None = None) -> Config | str:
    return with_level(config or Config(), {"symbol": symbol, "price": price, "role": role})


def test_a_level_is_added_and_taken_away_again() -> None:
    more = marked("^RUT", "2150", "support")
    assert isinstance(more, Config)
    assert more.levels["^RUT"] == Band((2100.0, 2150.0), (2300.0,))
    assert marked("^RUT", "2150", "support", more) == Config()
    first = marked("BTC/USD", "100000", "resistance")
    assert isinstance(first, Config)
    assert first.levels["BTC/USD"] == Band((), (100_000.0,))


@pytest.mark.parametrize(
    ("symbol", "price", "role", "words"),
    [("XYZ", "1", "support", "must be a watched symbol"), ("^RUT", "much", "support", "must be a price"),
     ("^RUT", "nan", "support", "above 0"), ("^RUT", "2400", "support", "above every support")],
)  # fmt: skip
def test_what_is_no_level_is_refused_in_a_line(symbol: str, price: str, role: str, words: str) -> None:
    answer = marked(symbol, price, role)
    assert isinstance(answer, str)
    assert words in answer
