"""Plans and rotations as lines: what they mean, and one sentence where they mean nothing."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config, Plan, WhatIf
from engine.plan_text import PlanTextError, complete, parse_plan, parse_whatif, plan_of, to_data, whatif_of

CONFIG = Config()


@pytest.mark.parametrize(
    ("text", "name", "plan"),
    [
        ("IWM", "iwm", Plan("IWM")),
        ("iwm at 220 stop 211.2 target 242 253", "iwm", Plan("IWM", 220.0, 211.2, (242.0, 253.0))),
        ("mine: IWM at $220 target +10% 20%", "mine", Plan("IWM", 220.0, targets_pct=(10.0, 20.0))),
        ("BTC at 91,000 risk 0.5% account 50000 max 20000", "btc",
         Plan("BTC/USD", 91_000.0, equity=50_000.0, risk_pct=0.5, max_notional=20_000.0)),
        ("RTY=F by 2026-04-09", "rty-f", Plan("RTY=F", by="2026-04-09")),
        ("^RUT stop 2100 target 2400 2300", "rut", Plan("^RUT", stop=2100.0, targets=(2300.0, 2400.0))),
        ("RNDR", "render", Plan("RENDER/USD")),
    ],
)  # fmt: skip
def test_a_line_is_a_plan(text: str, name: str, plan: Plan) -> None:
    assert parse_plan(text, CONFIG) == (name, plan)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a plan is [NAME:] SYMBOL"),
        ("IWN", "'IWN' is not watched; did you mean IWM"),
        ("IWM at", "'at' wants a price"),
        ("IWM at ten", "'ten' is no price"),
        ("IWM at -3", "'-3' is no price"),
        ("IWM at nan", "'nan' is no price"),
        ("IWM at 1e400", "'1e400' is no price"),
        ("IWM at 5%", "'5%' is no price"),
        ("IWM stpo 211", "'stpo' means nothing here; did you mean stop?"),
        ("IWM at 220 stop 220", "the stop 220 must lie below the entry 220: plans are long"),
        ("IWM at 220 target 210", "the target 210 must lie above the entry 220"),
        ("IWM stop 220 target 210", "the target 210 must lie above the stop 220"),
        ("IWM target", "'target' wants prices, or rises such as +10%"),
        ("IWM target 242 +10%", "prices or rises in per cent, not both"),
        ("IWM target 1 2 3 4 5 6", "at most 5 targets"),
        ("IWM risk 200%", "'200%' must be a share such as 1%"),
        ("IWM by tomorrow", "'tomorrow' must be a day such as 2026-04-09"),
        ("IWM by 2026-02-30", "'2026-02-30' must be a day"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(PlanTextError) as told:
        parse_plan(text, CONFIG)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@given(st.text(max_size=60))
def test_no_line_does_anything_but_mean_a_plan_or_be_refused(text: str) -> None:
    for line in (text, f"IWM {text}", f"IWM target {text}"):
        try:
            _, plan = parse_plan(line, CONFIG)
        except PlanTextError:
            continue
        assert plan_of(to_data(plan)) == plan
    with contextlib.suppress(PlanTextError):
        assert abs(parse_whatif(text).whatif.large_pct) <= 1000


def test_a_rotation_is_two_returns() -> None:
    assert parse_whatif("large -9.1 relative 55.4%") == ("own", WhatIf(-9.1, 55.4))
    assert parse_whatif("crash: large -20") == ("crash", WhatIf(-20.0, 0.0))
    assert whatif_of(to_data(WhatIf(-9.1, 55.4))) == WhatIf(-9.1, 55.4)
    for text, words in (
        ("", "a rotation is"), ("large", "'' must be a return"), ("small 3", "'small' means nothing here"),
        ("large -150", "-99 to 1000"), ("large 1 large 2", "'large' means nothing here"),
    ):  # fmt: skip
        with pytest.raises(PlanTextError) as told:
            parse_whatif(text)
        assert words in str(told.value)


def test_what_was_written_down_wrongly_is_no_plan() -> None:
    good = to_data(Plan("IWM", 220.0))
    for wrong in ({"symbol": "IWM"}, {**good, "entry": "x"}, {**good, "targets": 3}, {**good, "stop": float("nan")},
                  {**good, "by": "soon"}, {**good, "risk_pct": True}):  # fmt: skip
        with pytest.raises(PlanTextError, match=r"^a plan was written down wrongly: "):
            plan_of(wrong)
    with pytest.raises(PlanTextError):
        whatif_of({"large_pct": 1.0})


def test_completion_offers_symbols_then_words_that_are_not_there_yet() -> None:
    assert complete("IW", CONFIG) == ["IWM"]
    assert "IWM" in complete("mine: ", CONFIG)
    assert complete("IWM ", CONFIG)[:2] == ["at", "stop"]
    assert "stop" not in complete("IWM stop 211 ", CONFIG)
    assert complete("IWM stop 211 ta", CONFIG) == ["target"]
