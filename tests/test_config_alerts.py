"""Rules and ways out in the configuration: mistakes are located, and no secret is ever repeated."""

from __future__ import annotations

import pytest

from engine.config import Channel
from tests.test_config import accepted, refused


def test_rules_are_taken_as_they_are_written() -> None:
    config = accepted("[rules.mine]\non = 'spreads'\nwhen = 'z252 > 2'\nfor = '30s'\ncross.level = 1")
    assert config.rules == {"mine": {"on": "spreads", "when": "z252 > 2", "for": "30s", "cross": {"level": 1}}}


def test_ways_out_are_read_with_their_defaults() -> None:
    config = accepted(
        "[notify.channels.phone]\nkind = 'apprise'\nurl = 'env:PHONE'\nseverities = ['critical']\n"
        "[notify.channels.own]\nkind = 'command'\ncommand = ['notify-me', '--now']"
    )
    assert config.notify.channels == {
        "phone": Channel("apprise", "env:PHONE", (), ("critical",)),
        "own": Channel("command", "", ("notify-me", "--now")),
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rules = 3", "rules = 3: must be a table: [rules]"),
        ("[rules]\nmine = 'z252 > 2'", 'rules.mine = "z252 > 2": must be a table: [rules.mine]'),
        ("[rules.mine]\nwehn = 'a'", 'rules.mine.wehn = "a": unknown key; did you mean rules.mine.when?'),
        ("[notify]\nbell = ['loud']", 'notify.bell[0]: must be "info" or "warning" or "critical"'),
        ("[notify]\nterminal = 'osc1'", 'notify.terminal = "osc1": must be "off" or "osc9" or "osc99" or "osc777"'),
        ("[notify]\nper_minute = 0", "notify.per_minute = 0: must be a number from 1 to 600"),
        ("[notify.quiet]\nstart = '25:00'\nend = '7:00'", 'notify.quiet.start = "25:00": must be a time of day such'),
        ("[notify.quiet]\nstart = '22:00'", "notify.quiet: needs both start and end, such as 22:00 and 07:00"),
        ("[notify.quiet]\nzone = 'Mars'", 'notify.quiet.zone = "Mars": must be a time zone, such as Europe/London'),
        ("[notify.channels.a]\nkind = 'fax'", 'notify.channels.a.kind: must be "apprise" or "desktop" or "command"'),
        ("[notify.channels.a]\nkind = 'apprise'", "notify.channels.a.url: must be env:NAME or keyring:SERVICE/USER"),
        ("[notify.channels.a]\nkind = 'command'", "notify.channels.a.command: must be a program and its arguments"),
    ],
)
def test_a_wrong_rule_or_way_out_is_refused(text: str, line: str) -> None:
    assert any(said.startswith(line) for said in refused(text)), refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "[notify.channels.a]\nkind = 'apprise'\nurl = 'tgram://hunter2/1'",
        "[notify.channels.a]\nkind = 'apprise'\nurll = 'tgram://hunter2/1'",
        "[notify.channels]\na = 'tgram://hunter2/1'",
        "[notify]\nchannels = 'tgram://hunter2/1'",
        "[notify]\nchannel.a.url = 'tgram://hunter2/1'",
        "notify = 'tgram://hunter2/1'",
        "[notify.channels.a]\nkind = 'command'\ncommand = 'send --token hunter2'",
    ],
)
def test_a_secret_in_a_wrong_place_is_refused_without_repeating_it(text: str) -> None:
    assert "hunter2" not in "\n".join(refused(text))
