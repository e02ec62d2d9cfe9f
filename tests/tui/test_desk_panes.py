"""What the panes of the scanner, plans, rotations and leads say, as lines: every state, every width."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from tui.lines import choose, heading, plain, width_of
from tui.panes import leadlag, plans, scanner, whatifs
from tui.panes.leadlag import lead_words, leadlag_row
from tui.panes.plans import plan_row, quantity
from tui.panes.scanner import hedge, scanner_row
from tui.panes.whatifs import whatif_row

AT = datetime(2026, 1, 9, 15, 30, tzinfo=UTC)
SCANNED: dict[str, Any] = {
    "pair": "ETH/M2K=F", "a": "ETH", "b": "M2K=F", "beta_ols": 0.55, "beta_tls": 0.71, "beta_kalman": 0.48,
    "p_value": 0.012, "half_life": 8.4, "z": -2.31, "signal": "long", "admitted": True, "units": 10.0, "hedge": "M2K=F",
    "hedge_units": 1.30, "as_of": AT, "n": 252, "status": "ok", "simulated": True,
}  # fmt: skip
PLAN: dict[str, Any] = {
    "plan": "iwm", "goal": "1", "symbol": "IWM", "entry": 220.0, "stop": 211.2, "target": 242.0, "target_pct": 10.0,
    "r_multiple": 2.5, "touch_probability": 0.368, "stop_probability": 0.7249, "break_even": 0.2857, "pnl": -113.0,
    "quantity": 113.0, "notional": 24_860.0, "at_risk": 994.4, "distance_pct": 10.5, "distance_atr": 5.2, "last": 219.0,
    "atr": 4.4, "sigma": 0.22, "by": "2026-04-10", "origin": "own", "detail": None, "as_of": AT, "status": "ok",
    "simulated": True,
}  # fmt: skip
WHATIF: dict[str, Any] = {
    "whatif": "2000-09", "large_pct": -9.1, "relative_pct": 55.4, "small_pct": 41.26, "symbol": "IWM", "last": 220.0,
    "price": 310.77, "large": "SPY", "large_last": 690.0, "large_price": 627.21, "origin": "config", "as_of": AT,
    "status": "ok", "simulated": True,
}  # fmt: skip


def couple(window: int, **more: Any) -> dict[str, Any]:
    return {
        "a": "ETH", "b": "BTC", "window": window, "corr": 0.62, "lead_lag": "none", "lead_lag_s": None,
        "lead_lag_corr": None, "n": 812, "status": "ok", **more,
    }  # fmt: skip


def scanned(width: int = 200, **more: Any) -> str:
    return plain(scanner_row(SCANNED | more, choose(scanner.COLUMNS, width)))


def planned(width: int = 200, **more: Any) -> str:
    return plain(plan_row(PLAN | more, choose(plans.COLUMNS, width), width))


def test_a_pair_says_its_gates_its_z_and_the_hedge_in_contracts() -> None:
    line = scanned()
    for part in ("✓", "ETH/M2K=F", "−2.31", "long", "8 d", "0.012", "0.55", "0.71", "0.48", "10 ETH: sell 1.30 M2K=F"):
        assert part in line
    assert "✓" not in scanned(admitted=False)
    assert "∞" in scanned(half_life=math.inf)
    assert hedge(SCANNED | {"hedge_units": -4.55}) == "10 ETH: buy 4.55 M2K=F"
    assert hedge(SCANNED | {"hedge_units": None}) == ""


def test_a_pair_that_is_not_scanned_yet_has_no_figures_and_a_stale_one_its_mark() -> None:
    names = "beta_ols beta_tls beta_kalman p_value half_life z signal admitted units hedge hedge_units"
    bare: dict[str, Any] = dict.fromkeys(names.split())
    line = plain(scanner_row(SCANNED | bare | {"status": "warming"}, choose(scanner.COLUMNS, 200)))
    assert line.startswith("…") and not any(c.isdigit() for c in line.replace("M2K", "").replace("−2", ""))
    assert scanned(status="stale").startswith("◌")
    assert scanned(status="estimated").startswith("~")


def test_a_plan_says_what_it_risks_and_its_second_target_only_what_is_its_own() -> None:
    first, second = planned(), planned(goal="2", target=253.0, r_multiple=3.75, touch_probability=0.1899)
    for part in ("iwm", "219.00", "220.00", "211.20", "242.00", "2.50", "37 %", "29 %", "113", "994", "−113", "72 %"):
        assert part in first
    assert "253.00" in second and "3.75" in second and "19 %" in second
    assert "iwm" not in second and "211.20" not in second
    assert planned(pnl=None).count("−113") == 0
    assert (quantity(0.1641), quantity(1_200.0), quantity(None)) == ("0.1641", "1,200", "–")


def test_a_plan_that_is_refused_says_why_and_nothing_else() -> None:
    bare = dict.fromkeys(("target", "stop", "quantity", "touch_probability", "r_multiple", "pnl"))
    line = planned(**bare, detail="the price is stale: a plan needs a current one", status="stale", width=60)
    assert line.startswith("◌ iwm        IWM: the price is stale: a plan needs a curr")
    assert width_of(((line, "text"),)) <= 60


def test_a_rotation_says_where_it_leads() -> None:
    line = plain(whatif_row(WHATIF, choose(whatifs.COLUMNS, 100)))
    for part in ("2000-09", "−9.1", "+55.4", "+41.3", "310.77", "220.00", "627.21"):
        assert part in line
    assert "–" in plain(whatif_row(WHATIF | {"price": None, "last": None}, choose(whatifs.COLUMNS, 100)))


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, ""),
        (couple(0, lead_lag=None), ""),
        (couple(0), "none"),
        (couple(0, lead_lag="+30 s", lead_lag_s=30.0), "ETH by 30 s"),
        (couple(0, lead_lag="-5 s", lead_lag_s=-5.0), "BTC by 5 s"),
        (couple(252, lead_lag="+2 d", lead_lag_s=172_800.0), "ETH by 2 d"),
        (couple(0, a="RENDER", lead_lag="+300 s", lead_lag_s=300.0), "REND… by 300 s"),
    ],
)
def test_who_leads_is_said_by_name(record: dict[str, Any] | None, words: str) -> None:
    assert lead_words(record)[0] == words


def test_a_couple_without_ticks_has_its_left_half_empty_and_one_that_warms_says_how_many() -> None:
    columns = choose(leadlag.COLUMNS, 120)
    days = {252: couple(252, corr=0.16)}
    assert plain(leadlag_row("ai · IWM", days, columns)).split() == ["ai", "·", "IWM", "none", "+0.16"]
    both = days | {0: couple(0, corr=None, lead_lag=None, n=57, status="warming")}
    line = plain(leadlag_row("ETH · BTC", both, columns))
    assert line.startswith("…") and " 57 " in line and "57…" not in line
    measured = days | {0: couple(0, lead_lag="+30 s", lead_lag_s=30.0, lead_lag_corr=0.71)}
    line = plain(leadlag_row("ETH · BTC", measured, columns))
    for part in ("ETH by 30 s", "+0.62", "+0.71", "812"):
        assert part in line


@pytest.mark.parametrize("width", [40, 60, 78, 100, 118, 160, 198])
def test_every_line_keeps_to_its_width(width: int) -> None:
    for columns, lines in (
        (choose(scanner.COLUMNS, width), [scanner_row(SCANNED, choose(scanner.COLUMNS, width))]),
        (choose(plans.COLUMNS, width), [plan_row(PLAN, choose(plans.COLUMNS, width), width)]),
        (choose(whatifs.COLUMNS, width), [whatif_row(WHATIF, choose(whatifs.COLUMNS, width))]),
        (choose(leadlag.COLUMNS, width), [leadlag_row("ETH · BTC", {0: couple(0)}, choose(leadlag.COLUMNS, width))]),
    ):
        assert all(width_of(line) <= width for line in (*lines, heading(columns)))
        assert "#" not in plain(lines[0])
