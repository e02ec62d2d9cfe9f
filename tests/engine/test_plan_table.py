"""Plans and rotations as tables: known answers, what is refused, and what is kept for tomorrow."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import plan_table, sessions
from engine.config import Config, Plan, WhatIf
from engine.database import Database
from engine.grid import daily_grid
from engine.model import Intent, Status
from engine.plan import realised_volatility, touch_probability
from engine.plan_book import MOST, PlanBook
from engine.plan_table import Past
from engine.plan_text import PlanTextError
from engine.tables import TABLES
from engine.technical import atr
from engine.view import DictView, Live
from tests.engine.market_data import after, book_of, calendar_of, moment, ohlcv, weekdays
from tests.engine.runtime import HandClock, config, engine, quote

NOW = moment("2026-01-09T15:30:00")
KNOWN = Past(4.4, 0.22)


def no_words(severity: str, text: str) -> None:
    raise AssertionError(f"{severity}: {text}")


def settings(**plans: Plan) -> Config:
    made = config()
    return replace(made, plans=plans, planning=replace(made.planning, days=91))


def live(symbol: str = "IWM", price: float | None = 220.0, status: Status = Status.OK) -> DictView:
    return DictView(NOW, {symbol: Live(price, status, NOW)})


def rows(chosen: Config, view: DictView, known: Past = KNOWN) -> list[dict[str, Any]]:
    table = plan_table.live(PlanBook(chosen, None, no_words), chosen, lambda symbol: known, view)
    assert table.schema == TABLES["plans"]
    return table.to_dicts()


def test_the_plan_of_220_stands_in_the_table_as_it_is_known() -> None:
    """§10: E 220, ATR 4.4, $100k, 1 %: stop 211.2, 113 shares, 242 = 2.5 R, 253 = 3.75 R; touches by T = .25."""
    first, second = rows(settings(iwm=Plan("IWM", entry=220.0)), live())
    assert (first["stop"], first["quantity"], first["target"]) == pytest.approx((211.2, 113.0, 242.0))
    assert (first["r_multiple"], second["r_multiple"]) == pytest.approx((2.5, 3.75))
    assert first["at_risk"] == pytest.approx(113 * 8.8)
    assert first["notional"] == pytest.approx(113 * 220.0)
    assert [first["goal"], second["goal"]] == ["1", "2"]
    years = 91 / 365
    assert first["touch_probability"] == pytest.approx(touch_probability(220.0, 242.0, 0.22, years))
    assert [r["touch_probability"] for r in (first, second)] == pytest.approx([0.3680, 0.1899], abs=2e-3)
    assert first["stop_probability"] == pytest.approx(0.7249, abs=2e-3)
    assert (first["distance_pct"], first["distance_atr"]) == pytest.approx((10.0, 5.0))
    assert first["pnl"] == 0.0
    assert (first["status"], first["detail"], first["by"]) == ("ok", None, "2026-04-10")


def test_a_plan_without_an_entry_follows_the_price_and_earns_nothing_yet() -> None:
    (first, _) = rows(settings(iwm=Plan("IWM")), live(price=230.0))
    assert (first["entry"], first["stop"], first["pnl"]) == (230.0, pytest.approx(221.2), None)


def test_a_price_beyond_target_or_stop_has_touched_it() -> None:
    plan = settings(iwm=Plan("IWM", entry=220.0, stop=211.0, targets=(242.0,)))
    (up,) = rows(plan, live(price=250.0))
    assert (up["touch_probability"], up["pnl"]) == (1.0, pytest.approx(30.0 * up["quantity"]))
    (down,) = rows(plan, live(price=200.0))
    assert (down["stop_probability"], down["pnl"]) == (1.0, pytest.approx(-20.0 * down["quantity"]))


@pytest.mark.parametrize(
    ("plan", "view", "known", "why", "status"),
    [
        (Plan("IWM"), live(status=Status.STALE), KNOWN, "the price is stale", "stale"),
        (Plan("IWM"), live(price=None, status=Status.STALE), KNOWN, "there is no price yet", "stale"),
        (Plan("IWM"), live(), Past(None, None), "there is no ATR yet", "warming"),
        (Plan("IWM", stop=230.0), live(), KNOWN, "must lie below the entry", "ok"),
        (Plan("IWM", targets=(210.0,)), live(), KNOWN, "must lie above the entry", "ok"),
        (Plan("IWM", entry=8.0), live(), KNOWN, "above zero", "ok"),
    ],
)
def test_a_plan_that_cannot_be_says_why_and_has_no_figures(
    plan: Plan, view: DictView, known: Past, why: str, status: str
) -> None:
    (row,) = rows(settings(mine=plan), view, known)
    assert why in row["detail"]
    assert row["status"] == status
    assert row["target"] is row["quantity"] is row["touch_probability"] is row["r_multiple"] is None


def test_futures_have_their_multiplier_and_coins_their_parts() -> None:
    (micro, _) = rows(settings(m=Plan("M2K=F", entry=2624.22)), live("M2K=F", 2624.22), Past(30.0, 0.2))
    assert micro["quantity"] == math.floor(1000 / (60.0 * 5.0))
    assert micro["notional"] == pytest.approx(3 * 2624.22 * 5.0)
    (coin, _) = rows(settings(b=Plan("BTC/USD", entry=91_000.0)), live("BTC/USD", 92_000.0), Past(3_000.0, 0.5))
    assert coin["quantity"] == pytest.approx(1000 / 6000, abs=1e-8)
    assert coin["at_risk"] <= 1000.0
    assert coin["pnl"] == pytest.approx(coin["quantity"] * 1000.0)


def test_a_day_until_which_it_counts_and_one_that_has_passed() -> None:
    plan = Plan("IWM", entry=220.0, targets=(242.0,), by="2026-04-09")
    (row,) = rows(settings(iwm=plan), live())
    end = moment("2026-04-10T00:00:00")
    assert row["touch_probability"] == pytest.approx(
        touch_probability(220.0, 242.0, 0.22, (end - NOW) / 86_400 / 365), rel=1e-6
    )
    (over,) = rows(settings(iwm=replace(plan, by="2026-01-02")), live())
    assert over["touch_probability"] == 0.0


def test_what_the_bars_say_of_a_symbol() -> None:
    days = weekdays("2025-01-02", 120)
    frame = ohlcv(1, days)
    grid = daily_grid(book_of(IWM=frame), calendar_of(days), after(days))
    found = plan_table.past(grid, "IWM")
    closed = grid.closed("IWM")
    assert found.atr == pytest.approx(float(atr(closed)[-1]))
    steps = np.diff(np.log(frame["close"].to_numpy()[-64:]))
    assert found.sigma == pytest.approx(float(steps.std(ddof=1)) * math.sqrt(252))
    assert found.sigma == realised_volatility(frame["close"].to_numpy())
    assert plan_table.past(grid, "SPY") == Past(None, None)


def test_a_rotation_of_2000_to_2009() -> None:
    """§10: +41.3 % against −9.1 %: relative +55.4 %."""
    chosen = replace(settings(), whatifs={"2000-09": WhatIf(-9.1, 55.4)})
    view = DictView(NOW, {"IWM": Live(220.0, Status.OK, NOW), "SPY": Live(690.0, Status.CLOSED, NOW - 5)})
    table = plan_table.whatifs(PlanBook(chosen, None, no_words), view)
    assert table.schema == TABLES["whatifs"]
    (row,) = table.to_dicts()
    assert row["small_pct"] == pytest.approx(41.3, abs=0.05)
    assert row["price"] == pytest.approx(220.0 * 0.909 * 1.554)
    assert row["large_price"] == pytest.approx(690.0 * 0.909)
    assert row["status"] == "closed"
    (bare,) = plan_table.whatifs(PlanBook(chosen, None, no_words), DictView(NOW)).to_dicts()
    assert (bare["price"], bare["status"]) == (None, "stale")


# --- plans of one's own


def prices(symbol: str) -> Live:
    return Live(220.0, Status.OK, NOW) if symbol == "IWM" else Live()


def wish(book: PlanBook, action: str, **arguments: str) -> str:
    return book.carry_out(Intent(action, arguments), prices)


def test_a_plan_of_ones_own_is_fixed_kept_and_seen_elsewhere(tmp_path: Path) -> None:
    here, there = (PlanBook(settings(iwm=Plan("IWM")), tmp_path, no_words) for _ in range(2))
    assert not there.poll(0.0)
    assert wish(here, "plan", text="IWM stop 211 target 242") == "plan iwm: IWM at 220"
    wanted = Plan("IWM", 220.0, 211.0, (242.0,))
    assert here.kept.plans == {"iwm": wanted}, "in the place of the configured one"
    assert wish(here, "whatif", text="crash: large -20").startswith("what if crash")
    assert there.poll(10.0)
    assert there.kept == here.kept
    assert there.own("iwm") and there.own("crash", whatif=True)
    here.close()
    again = PlanBook(settings(iwm=Plan("IWM")), tmp_path, no_words)
    again.poll(0.0)
    assert again.kept.plans == {"iwm": wanted}
    assert wish(again, "drop-plan", name="iwm") == "plan iwm is dropped"
    assert again.kept.plans == {"iwm": Plan("IWM")}, "the configured one is back"
    assert wish(again, "drop-whatif", name="crash") == "what if crash is dropped"
    assert there.poll(20.0)
    assert there.kept.plans == {"iwm": Plan("IWM")}
    for book in (there, again):
        book.close()


@pytest.mark.parametrize(
    ("action", "arguments", "why"),
    [
        ("plan", {"text": "SPY"}, "there is no price of SPY yet: give one with at PRICE"),
        ("plan", {"text": "IWM stop 230"}, "the stop 230 must lie below the entry 220"),
        ("plan", {"text": "IWM target 210"}, "the target 210 must lie above the entry 220"),
        ("plan", {"text": "IWM sell"}, "means nothing here"),
        ("drop-plan", {"name": "iwm"}, "iwm stands in the configuration"),
        ("drop-plan", {"name": "nope"}, "there is no plan 'nope'"),
        ("drop-whatif", {"name": "nope"}, "there is no rotation 'nope'"),
        ("whatif", {"text": "up"}, "means nothing here"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_changes_nothing(action: str, arguments: dict[str, str], why: str) -> None:
    book = PlanBook(settings(iwm=Plan("IWM")), None, no_words)
    before = book.kept
    with pytest.raises(PlanTextError) as told:
        wish(book, action, **arguments)
    assert why in str(told.value)
    assert book.kept == before


def test_there_is_an_end_to_plans() -> None:
    book = PlanBook(settings(), None, no_words)
    for n in range(MOST):
        wish(book, "plan", text=f"p{n}: IWM")
    with pytest.raises(PlanTextError, match="drop one first"):
        wish(book, "plan", text="one-more: IWM")
    assert wish(book, "plan", text="p3: IWM at 221") == "plan p3: IWM at 221", "one's own may be changed"


def test_a_row_that_was_damaged_is_left_out_and_said(tmp_path: Path) -> None:
    database = Database(tmp_path)
    for name, data in (("good", None), ("bad", "{"), ("list", "[]"), ("half", '{"symbol": "IWM"}')):
        text = data or '{"symbol":"IWM","entry":1.0,"stop":0.0,"targets":[],"targets_pct":[10.0],"equity":0.0,' \
            '"risk_pct":0.0,"max_notional":0.0,"by":""}'  # fmt: skip
        database.execute("INSERT INTO plans VALUES ('plan', ?, ?)", (name, text))
    database.close()
    said: list[str] = []
    book = PlanBook(settings(), tmp_path, lambda severity, text: said.append(text))
    assert book.poll(0.0)
    assert list(book.kept.plans) == ["good"]
    assert [text.split(" is left out")[0] for text in said] == ["plan bad", "plan half", "plan list"]
    book.close()


def test_a_damaged_database_costs_the_keeping_alone(tmp_path: Path) -> None:
    (tmp_path / "sizewatch.db").write_bytes(b"no database at all" * 100)
    said: list[str] = []
    book = PlanBook(settings(), tmp_path, lambda severity, text: said.append(text))
    assert not book.poll(0.0)
    assert len(said) == 1 and said[0].startswith("plans made here are not kept: ")
    assert wish(book, "plan", text="IWM") == "plan iwm: IWM at 220"
    assert "iwm" in book.kept.plans


def test_the_engine_carries_out_a_plan_and_says_what_is_wrong() -> None:
    sessions.warm()
    clock = HandClock()
    made = engine(clock, makers=None)
    made.ingest(quote(clock, "IWM", "yahoo-stream", last=220.0))
    for _ in range(30):  # a beat makes only so much
        made.beat()
        clock.pass_(1.0)
    made.plan(Intent("plan", {"text": "mine: IWM stop 211 target 242"}))
    clock.pass_(0.25)
    snapshot = made.beat()
    own = {row["plan"]: row for row in snapshot.tables["plans"].to_dicts()}["mine"]
    assert (own["entry"], own["origin"], own["simulated"]) == (220.0, "own", False)
    made.plan(Intent("plan", {"text": "IWM stpo 3"}))
    notices = [(n.severity, n.text) for n in made.beat().notices]
    assert ("info", "plan mine: IWM at 220") in notices
    assert any(severity == "warning" and "did you mean stop?" in text for severity, text in notices)
    made.close()
