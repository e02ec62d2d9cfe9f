"""What an event says of amounts is what stands on the screen beside it."""

from __future__ import annotations

import pytest

from engine.alert_message import is_format, render
from tui import format as fmt


@pytest.mark.parametrize(
    "amount",
    [0.0, 12.4, 999.4, 999.5, 4_200.0, 999_949.0, 999_950.0, 612.04e6, 42_400_000_000.0, 999.96e9, 2.44e12, -333.3e6],
)
def test_a_compact_amount_is_written_as_the_panes_write_it(amount: float) -> None:
    assert render("{a:compact}", {"a": amount}) == " ".join(fmt.compact(amount).split())


def test_a_compact_flow_has_its_sign_and_a_missing_one_is_a_dash() -> None:
    values = {"out": -333_300_000.0, "in": 400_000_000, "none": None, "word": "x"}
    assert render("{out:+compact} {in:+compact} {none:compact} {word:compact}", values) == "−333.3 mn +400.0 mn – x"
    assert is_format("compact")
    assert is_format("+compact")
    assert not is_format("9compact")
