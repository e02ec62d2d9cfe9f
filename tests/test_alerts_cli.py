"""Alerts from the command line, as a user has them: a process, a configuration, JSON lines, a signal."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sizewatch
from engine.alert_setup import refusal
from engine.config import Config
from tests.program import COMMAND, ROOT, contents, surroundings

WRONG = """
[rules.mine]
on = "spreads"
when = "z25 > 2"
mode = "loud"
[rules.level]
cross = { symbol = "BTC/USDT", level = 1 }
"""

TOLD = {
    "btc-volume-30bn": r"BTC 24 h volume over all markets 4[0-9]\.\d bn USD, above 30 billion",
    "ratio-low": r"IJR/SPY at a new (decade|\d+-year) low: ratio 0\.1\d{3}",
}
"""Of the tour through all ready rules what its first seconds tell; `bench.alerts_tour` goes through the rest."""


def test_a_wrong_rule_is_said_by_the_check_with_what_would_be_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(WRONG)
    assert sizewatch.main(["config", "--check", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1].split(" = ")[0] for line in lines] == [
        "rules.mine.when", "rules.mine.mode", "rules.level.cross.symbol",
    ]  # fmt: skip
    assert "`z25`: no column of spreads; nearest are z252" in lines[0] and "BTC/USD" in lines[2]


def test_a_configuration_with_a_wrong_rule_is_refused_whole_with_the_reason() -> None:
    assert refusal(Config()) is None
    wrong = refusal(Config(rules={"mine": {"on": "spreads", "when": "z25 > 2", "mode": "loud"}}))
    assert wrong is not None and "\n" not in wrong
    assert wrong.startswith("configuration refused, the old one goes on: rules.mine.when: `z25`: no column")
    assert wrong.endswith("(and 1 more)")


def test_the_rules_are_listed_and_nothing_is_left_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "alerts", "list"], env=surroundings(tmp_path), cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "size-z" in done.stdout and "BTC/USD through 60,000" in done.stdout
    assert [name for name, text in contents(tmp_path).items() if text is not None] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["alerts"], "WHAT"),
        (["alerts", "test", "nosuch"], "no rule 'nosuch'; the rules are size-z"),
        (["alerts", "backtest", "size-z"], "--from, --to"),
        (["alerts", "backtest", "size-z", "--from", "2025", "--to", "x"], "must be a date, such as 2024-01-31"),
        (["alerts", "history", "--since", "soon"], "must be a date, a time, or how long ago"),
        (["alerts", "export", "--format", "xml"], "'csv', 'json'"),
    ],
)
def test_wrong_words_are_one_clear_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sizewatch.main(arguments) in {1, 2}
    answer = capsys.readouterr()
    assert answer.out == "" and said in answer.err and answer.err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to end a program by")
def test_without_a_screen_all_that_happens_is_a_json_line_until_it_is_told_to_end(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [*COMMAND, "watch", "--demo", "alerts-tour"], env=surroundings(tmp_path), cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    told: list[dict[str, Any]] = []
    fired: dict[str, str] = {}
    for line in child.stdout:
        told.append(json.loads(line))
        if told[-1]["type"] == "event":
            fired[told[-1]["rule"]] = told[-1]["message"]
        if fired.keys() >= TOLD.keys():
            break
    child.send_signal(signal.SIGTERM)
    rest, complaint = child.communicate(timeout=60)
    told += [json.loads(line) for line in rest.splitlines()]
    assert (child.returncode, complaint) == (0, "")
    assert told[0] == {"type": "start", "mode": "demo", "scenario": "alerts-tour"}
    assert told[-1] == {"type": "end"}
    assert {"connecting", "live"} <= {each["state"] for each in told if each["type"] == "feed"}
    for rule, message in TOLD.items():
        assert re.fullmatch(message, fired[rule]), fired[rule]
    event = next(each for each in told if each["type"] == "event")
    assert event["simulated"] is True and event["kind"] == "fired" and event["message"] and event["id"]
    assert [name for name, text in contents(tmp_path).items() if text is not None] == []
