"""A scenario file is read whole or refused with every mistake and its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.opening import opening
from simulator.scenario import ScenarioError, built_in, load


def refused(path: Path, text: str) -> tuple[str, ...]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(str(path))
    return caught.value.lines


def test_both_scenarios_come_along() -> None:
    assert built_in() == ("alerts-tour", "january-2026", "small-caps-lead")


def test_january_knows_every_symbol_that_the_default_configuration_watches() -> None:
    from engine.config import Config

    config, scenario = Config(), load("january-2026")
    assert set(config.crypto.bases) <= scenario.coins.keys()
    assert set(config.equity.symbols) <= scenario.securities.keys()
    assert set(config.crypto.exchanges) == scenario.venues.keys()


def test_every_venue_lacks_something_and_every_coin_is_listed_somewhere() -> None:
    scenario = load("january-2026")
    assert all(venue.lacks for venue in scenario.venues.values())
    assert not frozenset.intersection(*(venue.lacks for venue in scenario.venues.values()))


def test_what_a_file_names_wins_over_what_it_extends(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('extends = "january-2026"\n[crypto.coins.BTC]\nprice = 60_000.0\n')
    (tmp_path / "yours.toml").write_text('extends = "mine.toml"\n[scenario]\nseed = 5\n')
    scenario = load(str(tmp_path / "yours.toml"))
    assert (scenario.name, scenario.seed, scenario.coins["BTC"].price) == ("yours", 5, 60_000.0)
    assert scenario.coins["BTC"].volume_usd == load("january-2026").coins["BTC"].volume_usd


def test_all_mistakes_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    lines = refused(
        path,
        """extends = "january-2026"
[scenario]
sede = 5
start = 2026-01-09
[market]
dominance_pct = true
[venues.kraken]
lacks = ["ZZZ"]
[venues.mtgox]
quote = "USD"
share_pct = 1
[equity.groups.small]
annual_pct = { 2024 = "up", soon = 3.0 }
[equity.symbols.IWM]
price = "cheap"
follows = "RTY=F"
[equity.symbols.SPY]
kind = "bond"
[crypto.coins.BTC]
volume_usd = -1
[bands."^RUT"]
low = 2250.0
""",
    )
    assert all(line.startswith(f"{path}: ") for line in lines)
    said = "\n".join(line.removeprefix(f"{path}: ") for line in lines)
    for part in (
        "scenario.sede: unknown key; known here: history_from, name, seed, start, title",
        "scenario.start = datetime.date(2026, 1, 9): must be a time with its zone, like 2026-01-09T10:30:00-05:00",
        "market.dominance_pct = True: must be a number from 1 to 99",
        "venues.kraken.lacks = ['ZZZ']: must be a list of: BTC, ETH",
        "venues.mtgox",
        "equity.groups.small.annual_pct.2024 = 'up': must be a number",
        "equity.groups.small.annual_pct.soon = 3.0: a key here must be a calendar year",
        "equity.symbols.IWM.price = 'cheap': must be a number",
        "equity.symbols.IWM.follows = 'RTY=F': must not lead back to itself",
        "equity.symbols.SPY.kind = 'bond': must be one of etf, share, index, future",
        "crypto.coins.BTC.volume_usd = -1: must be a number",
        'bands."^RUT".low = 2250.0: `low` and `high` must enclose the price at the start, 2,204.71',
    ):
        assert part in said


def test_an_empty_file_is_told_what_is_missing(tmp_path: Path) -> None:
    lines = refused(tmp_path / "empty.toml", "")
    assert any("scenario: missing" in line for line in lines)
    assert any("venues: missing" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[scenario\n", "is not TOML"),
        ('extends = "nowhere"\n', "extends = 'nowhere': must be one of alerts-tour, january-2026, small-caps-lead"),
        ("extends = 3\n", "extends = 3: must be one of"),
        ('extends = "self.toml"\n', "extends = 'self.toml': must be one of"),
        ("equity = 3\n", "equity = 3: must be a table"),
    ],
)
def test_a_file_that_is_no_scenario_says_why(tmp_path: Path, text: str, part: str) -> None:
    assert any(part in line for line in refused(tmp_path / "self.toml", text))


def test_a_name_that_is_none_lists_those_that_are() -> None:
    with pytest.raises(ScenarioError, match="there are alerts-tour, january-2026, small-caps-lead, or the path"):
        load("february-1637")


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        load(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("which", built_in())
def test_the_opening_of_a_scenario_that_comes_along_is_that_of_its_file(which: str) -> None:
    scenario = load(which)
    assert opening(which) == (scenario.name, scenario.start)


def test_the_opening_of_any_other_file_is_read_with_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "january-2026"\n[scenario]\nname = "noon"\nstart = 2026-01-09T12:00:00-05:00\n')
    name, start = opening(str(path))
    assert (name, start.isoformat()) == ("noon", "2026-01-09T12:00:00-05:00")
    path.write_text("[scenario]\nstart = 2026-01-09T12:00:00-05:00\n")
    with pytest.raises(ScenarioError, match=r"market: missing"):
        opening(str(path))
    with pytest.raises(ScenarioError, match="no such scenario"):
        opening("january-2027")
