"""Rules that the terminal keeps, what two terminals on one journal see of each other, and rows that go."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from engine.alert_message import render
from engine.alert_setup import read_rules, run_up
from engine.alert_text import completions, fields_of, parse, raw_of
from engine.alert_wishes import carry_out
from engine.alerting import Alerting
from engine.alerts import EVERY_S, GONE_S, AlertBook
from engine.board import Board
from engine.clock import Clock
from engine.config import Config
from engine.crossings import Watch
from engine.database import Database
from engine.journal import Delivery, Journal
from engine.lease import EVERY_S as LEASE_EVERY_S
from engine.lease import LASTS_S, Lease
from engine.model import Intent
from engine.rules import Cross, Rule, read_rule
from engine.tables import TABLES

SPREADS = TABLES["spreads"]
CONFIG = Config()
Z = Rule("z", on="spreads", when="z252 > 2", message="{pair} {z252:+.2f}")


def spreads(**z: float) -> dict[str, pl.DataFrame]:
    rows = [{"pair": pair, "z252": value, "status": "ok", "simulated": False} for pair, value in z.items()]
    return {"spreads": pl.DataFrame(rows, schema=SPREADS)}


def wish(alerting: Alerting, action: str, **arguments: str) -> str | None:
    return carry_out(alerting, Intent(action, arguments), 100.0, CONFIG)


def test_a_rule_is_saved_switched_and_deleted_and_the_next_run_has_it(tmp_path: Path) -> None:
    board = Board(CONFIG)
    complaints: list[str] = []

    def run(old: Alerting | None = None) -> Alerting:
        return run_up(old, CONFIG, board, tmp_path, lambda severity, text: complaints.append(text), lambda e, s: ())

    first = run()
    raw = {"on": "spreads", "when": "z252 > 3", "for": "30s"}
    assert wish(first, "save-rule", name="mine", rule=json.dumps(raw)) == "rule mine is saved"
    assert wish(first, "disable-rule", name="size-z") == "rule size-z is off"
    assert first.outdated
    second = run(first)
    assert second.book.rules["mine"].origin == "terminal" and second.book.rules["mine"].hold == 30.0
    assert not second.book.rules["size-z"].enabled and second.book.rules["size-z"].origin == "ready"
    table = second.tables(100.0, simulated=False)["rules"]
    assert table.schema == TABLES["rules"]
    definitions = dict(table.select("rule", "definition").iter_rows())
    assert json.loads(definitions["mine"]) == raw
    assert wish(second, "delete-rule", name="mine") == "rule mine is deleted"
    assert wish(second, "delete-rule", name="size-z") == "rule size-z is as it was written"
    assert "switched off, not deleted" in (wish(second, "delete-rule", name="ratio-low") or "")
    third = run(second)
    assert "mine" not in third.book.rules and third.book.rules["size-z"].enabled
    assert complaints == []
    third.close()


def test_a_wrong_rule_is_refused_and_nothing_is_saved(tmp_path: Path) -> None:
    alerting = Alerting([Z], journal=Journal(Database(tmp_path)))
    said = wish(alerting, "save-rule", name="bad", rule='{"on": "spreads", "when": "nosuch > 1"}')
    assert said is not None and "`nosuch`: no column of spreads" in said and "\n" not in said
    assert alerting.journal is not None and alerting.journal.saved_rules() == {}
    alerting.close()


def test_what_is_saved_wins_over_the_file_and_the_file_over_what_is_ready() -> None:
    config = Config(rules={"size-z": {"severity": "critical"}, "own": {"on": "spreads", "when": "z63 > 1"}})
    saved: dict[str, dict[str, object]] = {"size-z": {"enabled": False}, "own": {"on": "spreads", "when": "z63 > 9"}}
    rules = {rule.id: rule for rule in read_rules(config, saved)[0]}
    assert rules["size-z"].severity == "critical" and not rules["size-z"].enabled
    assert rules["own"].when == "z63 > 9" and rules["own"].origin == "terminal" and rules["own"].saved


class Time(Clock):
    def __init__(self) -> None:
        super().__init__()
        self.at = 1_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def two(folder: Path, rules: list[Rule]) -> tuple[Time, Alerting, Alerting, list[str]]:
    """Two terminals on one journal."""
    clock, complaints = Time(), list[str]()

    def make(note: str) -> Alerting:
        journal = Journal(Database(folder))
        lease = Lease(journal.database, "alerts", note, clock=clock, alive=lambda pid: True)
        return Alerting(rules, journal=journal, lease=lease, complain=complaints.append)

    return clock, make("a"), make("b"), complaints


def test_the_second_terminal_shows_what_the_first_tells_and_goes_on_where_it_stood(tmp_path: Path) -> None:
    up = Rule("up", cross=Cross("^RUT", 2300.0, "up"), max_age=60.0)
    clock, first, second, complaints = two(tmp_path, [Z, up])
    for each in (first, second):
        each.watchers["^RUT"](2299.0, clock.at)
        each.watchers["^RUT"](2301.0, clock.at + 0.1)
    told = first.beat(spreads(a=3.0), clock.at + 0.2)
    assert [event.rule for event in told] == ["up", "z"] and first.leads
    clock.at += LEASE_EVERY_S
    assert second.beat(spreads(a=3.0), clock.at) == told and not second.leads
    shown = second.tables(clock.at, simulated=False)["alerts"]
    assert sorted(shown["rule"]) == ["up", "z"]
    assert shown["status"].to_list() == ["ok", "ok"], "whoever leads knows"
    # seen here, and so there
    assert second.acknowledge("z", "a", clock.at)
    clock.at += LEASE_EVERY_S
    first.beat(spreads(a=3.0), clock.at)
    instance = first.book.instance("z", "a")
    assert instance is not None and instance.acknowledged
    # the first hangs: the second takes over, tells nothing twice, and what clears is told once
    clock.at += LASTS_S
    assert second.beat(spreads(a=3.0), clock.at) == [] and second.leads
    clock.at += EVERY_S
    assert [(event.kind, event.rule) for event in second.beat(spreads(a=1.0), clock.at)] == [("resolved", "z")]
    heard = first.beat(spreads(a=1.0), clock.at)
    assert [event.kind for event in heard] == ["resolved"] and not first.leads, "it hears it from the second"
    assert complaints == []
    # its rules are others than ours: after a while that is no change under way any more
    for _ in range(8):
        clock.at += LEASE_EVERY_S
        second.beat(spreads(a=1.0), clock.at)
        first.beat(spreads(a=1.0), clock.at)
    assert len(complaints) == 1 and "with other rules or channels" in complaints[0]
    first.close()
    second.close()


def test_a_crossing_that_the_dead_holder_did_not_see_is_told_by_who_takes_over(tmp_path: Path) -> None:
    up = Rule("up", cross=Cross("^RUT", 2300.0, "up"), max_age=60.0)
    clock, first, second, _ = two(tmp_path, [up])
    first.beat({}, clock.at)
    second.beat({}, clock.at)
    second.watchers["^RUT"](2299.0, clock.at + 5.0)
    second.watchers["^RUT"](2301.0, clock.at + 6.0)
    clock.at += LASTS_S
    assert [event.rule for event in second.beat({}, clock.at)] == ["up"]
    second.close()


def test_the_journal_as_a_table_says_which_delivery_failed_and_why(tmp_path: Path) -> None:
    journal = Journal(Database(tmp_path))
    alerting = Alerting([Z], journal=journal, channels=lambda event, silenced: ("phone", "desk"))
    (event,) = alerting.beat(spreads(a=3.0), 100.0)
    journal.delivered([Delivery(event, "desk", 0, 0.0, None)])
    journal.failed([(Delivery(event, "phone", 0, 0.0, None), None)], "no answer")
    alerting.acknowledge("z", "a", 101.0)
    alerting.beat({}, 102.0)
    row = alerting.tables(102.0, simulated=True)["journal"].row(0, named=True)
    assert row["delivery"] == "failed" and row["acknowledged_at"] is not None
    assert row["delivery_detail"] == "desk arrived; phone failed: no answer"
    alerting.close()


def test_a_muted_row_is_journalled_but_not_shown_anywhere(tmp_path: Path) -> None:
    alerting = Alerting([Z], journal=Journal(Database(tmp_path)))
    assert wish(alerting, "mute", rule="z", row="a") == "z a is silent until it is unmuted"
    told = alerting.beat(spreads(a=3.0, b=3.0), 100.0)
    assert [(event.row, event.notify) for event in told] == [("a", "off"), ("b", "on")]
    assert dict(alerting.tables(102.0, simulated=False)["alerts"].select("row", "silenced").iter_rows())["a"]
    alerting.close()


# --- rows that go


def test_a_row_that_is_gone_holds_its_alert_for_an_hour_and_is_then_let_go_of() -> None:
    book, now = AlertBook([Z], TABLES), 0.0
    assert len(book.evaluate(spreads(a=3.0, b=0.0), now)) == 1
    without = spreads(b=0.0)
    while (now := now + 60.0) < GONE_S:
        assert book.evaluate(without, now) == [], "what is not known decides nothing"
    last = [event for wait in (0.0, 60.0, 120.0) for event in book.evaluate(without, now + wait)]
    assert [(event.kind, event.message) for event in last] == [("resolved", "over: z a (its row is gone)")]
    assert book.instance("z", "a") is None


def test_a_table_that_is_empty_lets_go_of_nothing() -> None:
    book = AlertBook([Z], TABLES)
    book.evaluate(spreads(a=3.0), 0.0)
    empty = {"spreads": pl.DataFrame(schema=SPREADS)}
    assert book.evaluate(empty, 10.0) == [] and book.evaluate(empty, 10.0 + 2 * GONE_S) == []
    assert book.instance("z", "a") is not None


def test_what_cleared_while_it_was_off_says_so() -> None:
    before, after = AlertBook([Z], TABLES), AlertBook([Z], TABLES)
    before.evaluate(spreads(a=3.0), 0.0)
    after.restore([(rule.id, row, instance) for rule, row, instance in before.instances()])
    (event,) = after.evaluate(spreads(a=0.5), 9_000.0)
    assert event.message == "over: a +0.50 (while sizewatch was off)"


# --- what a crossing may say


def crossing(**fields: object) -> Rule:
    rule, wrong = read_rule(
        "c", {"cross": {"symbol": "BTC/USD", "level": 100, "direction": "up"}, "cooldown": 0, **fields}, {}, ["BTC/USD"]
    )
    assert rule is not None, wrong
    return rule


def ups(watch: Watch, times: list[float]) -> list[float]:
    fired = []
    for at in times:
        watch.tick(99.0, at - 0.5)
        fired += [crossed.at for crossed in watch.tick(101.0, at)]
    return fired


def test_a_crossing_obeys_once_per_bar_session_and_latch() -> None:
    times = [10.0, 50.0, 70.0, 130.0]
    assert ups(Watch([crossing()]), times) == times
    assert ups(Watch([crossing(once_per_bar="1m")]), times) == [10.0, 70.0, 130.0]
    assert ups(Watch([crossing(session="RTH")], lambda session, at: at > 60.0), times) == [70.0, 130.0]
    latched = Watch([crossing(mode="latch")])
    assert ups(latched, times[:3]) == [10.0]
    latched.release("c")
    assert ups(latched, times[3:]) == [130.0]


def test_a_mode_that_a_passage_cannot_have_is_refused_with_what_can() -> None:
    _, wrong = read_rule("c", {"cross": {"symbol": "BTC/USD", "level": 100}, "mode": "level"}, {}, ["BTC/USD"])
    assert [mistake.path for mistake in wrong] == ["rules.c.mode"]
    assert "edge or latch" in wrong[0].allowed and "last > 100" in wrong[0].allowed


# --- a rule in a line


def test_a_line_becomes_the_fields_and_the_fields_a_rule_as_written() -> None:
    typed = parse("mine: spreads pair = 'A;B' AND z252 > 2; for=30s; severity=critical", CONFIG.symbols)
    assert typed.problem is None
    assert raw_of(typed.fields, CONFIG.symbols) == {
        "on": "spreads", "when": "pair = 'A;B' AND z252 > 2", "for": "30s", "severity": "critical",
    }  # fmt: skip
    for line, when in (
        ("ETH/BTC up 0.035", "pair = 'ETH/BTC' AND ratio > 0.035"),
        ("eth/btc < 0.03", "pair = 'ETH/BTC' AND ratio < 0.03"),
        ("ETH/BTC percentile < 0.1", "pair = 'ETH/BTC' AND percentile < 0.1"),
        ("ETH/BTC", "pair = 'ETH/BTC' AND ABS(z252) > 2"),
    ):
        pair = parse(line, CONFIG.symbols, CONFIG.spreads.pairs)
        assert (pair.problem, pair.fields["watch"], pair.fields["when"]) == (None, "spreads", when)
        assert read_rule("x", raw_of(pair.fields, CONFIG.symbols), {"spreads": SPREADS}, CONFIG.symbols)[1] == []
    assert "in one way" in (parse("ETH/BTC both 0.035", CONFIG.symbols, CONFIG.spreads.pairs).problem or "")
    assert completions("ETH/BTC u", CONFIG.symbols, CONFIG.spreads.pairs) == ["up"]
    assert "ETH/BTC" in completions("eth", CONFIG.symbols, CONFIG.spreads.pairs)
    level = parse("iwm over spy up 0.32", CONFIG.symbols)
    raw = raw_of(level.fields, CONFIG.symbols)
    assert raw == {"cross": {"symbol": "IWM", "over": "SPY", "level": 0.32, "direction": "up"}}
    assert raw_of(fields_of("x", raw), CONFIG.symbols) == raw


def test_what_is_not_understood_is_named_and_stays() -> None:
    typed = parse("sprads z252 > 2; sevrity=info", CONFIG.symbols)
    assert typed.problem is not None and "nearest are spreads" in typed.problem
    assert typed.fields["when"] == "z252 > 2" and "sevrity=info" in typed.fields["message"]
    assert "which way and which level" in (parse("BTC level 5", CONFIG.symbols).problem or "")


def test_words_complete_a_line() -> None:
    assert completions("spr", CONFIG.symbols) == ["spreads"]
    assert "z252" in completions("spreads z2", CONFIG.symbols)
    assert completions("BTC/USD d", CONFIG.symbols)[0] == "down"
    assert "severity=" in completions("spreads z252 > 2; sev", CONFIG.symbols)


def test_a_message_writes_numbers_as_the_screen_does() -> None:
    values = {"z": -2.314, "none": None, "flow": -333_300_000.0, "tiny": -0.001, "symbol": "BTC-USD"}
    assert render("{z:+.2f} {none:.1f} {flow:+,.0f} {tiny:+.2f} {symbol}", values) == (
        "−2.31 – −333,300,000 0.00 BTC-USD"
    )
