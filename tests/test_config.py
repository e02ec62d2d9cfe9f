"""What a configuration file may say, and how it is refused."""

from __future__ import annotations

import ast
import re
import time
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import engine.config
from engine.config import Band, Config, Refresh
from engine.config_check import check
from engine.config_file import default_text, find, load, parse
from engine.config_shapes import Within
from engine.errors import ConfigError
from engine.exchanges import known_exchanges

ACTIONS = {"quit": "q", "help": "question_mark,f1", "sort": "s"}


def refused(text: str) -> list[str]:
    """The lines that refuse `text`, without the file's name."""
    with pytest.raises(ConfigError) as raised:
        parse(text.encode(), Path("own.toml"), ACTIONS)
    return [line.removeprefix("own.toml: ") for line in raised.value.lines()]


def accepted(text: str) -> Config:
    return parse(text.encode(), Path("own.toml"), ACTIONS)


# --- the default ----------------------------------------------------------------------------------------------------


def test_the_commented_default_means_exactly_the_built_in_values() -> None:
    assert accepted(default_text() + "# read as any other file\n") == Config()
    assert accepted(default_text()) == Config()


def every_key(kind: type, path: str = "") -> Iterator[str]:
    """Dotted paths of every field, tables of the user's own keys as one."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        hint = hints[field.name]
        if is_dataclass(hint) and isinstance(hint, type):
            yield from every_key(hint, f"{path}{field.name}.")
        else:
            yield f"{path}{field.name}"


@pytest.mark.parametrize("path", list(every_key(Config)))
def test_the_default_file_has_every_key_under_a_comment(path: str) -> None:
    value: Any = tomllib.loads(default_text())
    for part in path.split("."):
        assert part in value, f"{path} is missing in config.toml"
        value = value[part]
    lines = default_text().splitlines()
    name = path.rsplit(".", 1)[-1]
    place = next(i for i, line in enumerate(lines) if re.match(rf"{name} =|\[(.*\.)?{name}[\].]", line))
    neighbours = (lines[place - 1], lines[place + 1] if place + 1 < len(lines) else "")
    table = lines[place].startswith("[")
    assert neighbours[table].startswith("#"), f"{path} has no comment in config.toml"


def ranges() -> Iterator[tuple[str, Within]]:
    for section in fields(Config):
        kind = get_type_hints(Config)[section.name]
        if is_dataclass(kind) and isinstance(kind, type):
            for name, hint in get_type_hints(kind, include_extras=True).items():
                if get_origin(hint) is Annotated and isinstance(get_args(hint)[1], Within):
                    yield f"{section.name}.{name}", get_args(hint)[1]


def docstrings() -> dict[str, str]:
    """The text under each field of engine/config.py."""
    found = {}
    for kind in ast.parse(Path(engine.config.__file__).read_text()).body:
        for field, text in zip(getattr(kind, "body", []), getattr(kind, "body", [])[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                assert isinstance(text.value, ast.Constant)
                found[field.target.id] = str(text.value.value)
    return found


@pytest.mark.parametrize(("path", "rule"), list(ranges()))
def test_docstring_and_default_file_say_the_range_that_is_checked(path: str, rule: Within) -> None:
    said = f"{rule.low:g} to {rule.high:g}"
    name = path.rsplit(".", 1)[-1]
    assert said in docstrings()[name]
    lines = default_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith(f"{name} ="))
    assert said in lines[place - 1]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[network]\nproxi = 'x'", 'network.proxi = "x": unknown key; did you mean network.proxy?'),
        ("[netwrk]", "netwrk = {}: unknown key; did you mean network?"),
        ("zzz = 1", "zzz = 1: unknown key; known here: appearance, coingecko, crypto, equity"),
        ("[network]\ntimeout = '3'", 'network.timeout = "3": must be a number from 1 to 120'),
        ("[network]\ntimeout = 0", "network.timeout = 0: must be a number from 1 to 120"),
        ("[network]\ntimeout = nan", "network.timeout = nan: must be a number from 1 to 120"),
        ("[network]\ntimeout = true", "network.timeout = true: must be a number from 1 to 120"),
        ("[network]\nproxy = 'here'", 'network.proxy = "here": must be a URL such as http://127.0.0.1:3128'),
        ("[network]\nca_file = '/no/such.pem'", 'network.ca_file = "/no/such.pem": must be a file of certificate'),
        ("network = 3", "network = 3: must be a table: [network]"),
        ("[appearance]\ntheme = 'pink'", 'appearance.theme = "pink": must be "auto" or "dark" or "light"'),
        ("[themes.auto]\nup = '#57c27a'", 'themes = ["auto"]: a name must be of small letters'),
        ("[appearance]\nflash = 1", "appearance.flash = 1: must be true or false"),
        ("[crypto]\nexchanges = ['krakn']", 'crypto.exchanges[0] = "krakn": must be an exchange that ccxt.pro knows'),
        ("[crypto]\nexchanges = ['okx', 'okx']", 'crypto.exchanges[1] = "okx": is named twice; once is enough'),
        ("[crypto]\nquotes = []", "crypto.quotes = []: must name at least one currency"),
        ("[crypto]\nquotes = 'USD'", 'crypto.quotes = "USD": must be a list in brackets, such as ["USD"]'),
        ("[crypto]\nalt = ['defy']", 'crypto.alt[0] = "defy": must be a basket; did you mean defi?'),
        ("[crypto.baskets]\nai = ['fet']", 'crypto.baskets.ai[0] = "fet": must be a base asset in capitals'),
        ("[crypto.baskets]\nai = [1]", "crypto.baskets.ai[0] = 1: must be a base asset in capitals"),
        ("[crypto.baskets]\nai = ['RNDR']", 'crypto.baskets.ai[0] = "RNDR": is an alias: write RENDER'),
        ("[crypto.baskets]\nAI = ['FET']", 'crypto.baskets.AI = ["FET"]: the key must be a basket\'s name in small'),
        ("[crypto.aliases]\nA = 'B'\nB = 'C'", 'crypto.aliases.A = "B": must be a canonical name, not another alias'),
        ("[equity]\nsymbols = ['iwm']", 'equity.symbols[0] = "iwm": must be a Yahoo symbol in capitals'),
        ("[equity]\nsymbols = ['IWM', 'IWM']", 'equity.symbols[1] = "IWM": is named twice; once is enough'),
        ("[spreads]\npairs = ['IWMSPY']", 'spreads.pairs[0] = "IWMSPY": must be A/B, such as IWM/SPY or ALT/BTC'),
        ("[spreads]\npairs = ['IWM/SPX']", 'spreads.pairs[0] = "IWM/SPX": SPX must be a watched equity symbol'),
        ("[spreads]\npairs = ['XX/YY']", 'spreads.pairs[0] = "XX/YY": XX and YY must be a watched equity symbol'),
        ("[spreads]\npairs = ['SPY/SPY']", 'spreads.pairs[0] = "SPY/SPY": must have two different legs'),
        ("[spreads]\npairs = ['^RUT/SPY']", 'spreads.pairs[0] = "^RUT/SPY": ^RUT is a price index without dividends'),
        (
            "[spreads]\npairs = ['ALT/(0.5*BTC+0.5*ETHH)']",
            'spreads.pairs[0] = "ALT/(0.5*BTC+0.5*ETHH)": ETHH must be a watched equity symbol, crypto base, basket',
        ),
        (
            "[spreads]\npairs = ['ALT/(x*BTC+ETH)']",
            "spreads.pairs[0] = \"ALT/(x*BTC+ETH)\": 'x*BTC': a mix is positive weights times legs",
        ),
        (
            "[spreads]\npairs = ['ALT/(0.5*BTC+0.5*ETH)', 'ALT/(½BTC + ½ETH)']",
            'spreads.pairs[1] = "ALT/(½BTC + ½ETH)": is named twice; once is enough',
        ),
        ("[scanner]\npairs = ['ETH/RTX=F']", 'scanner.pairs[0] = "ETH/RTX=F": RTX=F must be a watched equity symbol'),
        ("[levels.IWN]\nsupport = [1]", "levels.IWN = {support = [1.0], resistance = []}: must be a watched symbol"),
        ("[levels.IWM]\nsupport = [-1]", "levels.IWM.support[0] = -1: must be a number from 1e-12 to 1e+12"),
        (
            "[levels.IWM]\nsupport = [3]\nresistance = [2]",
            "levels.IWM = {support = [3.0], resistance = [2.0]}: every res",
        ),
        ("[keys]\nqiut = 'x'", 'keys.qiut = "x": unknown action; did you mean quit?'),
        ("[keys]\nquit = 'x'\nsort = 'x'", 'keys.sort = "x": the key "x" is given to quit already'),
        ("[keys]\nquit = 1", "keys.quit = 1: must be a text in quotes"),
        ("a = [", "is not TOML: "),
        ("a = 1\na = 2\n", "is not TOML: Cannot overwrite a value (at line 2, column 6)"),
    ],
)
def test_each_mistake_is_one_line_with_its_key_its_value_and_what_is_allowed(text: str, line: str) -> None:
    lines = refused(text)
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_all_mistakes_are_said_at_once() -> None:
    lines = refused(
        """
        [network]
        timeout = 500
        [crypto]
        exchanges = ["coinbase", "krakken"]
        qoutes = ["USD"]
        [spreads]
        pairs = ["IWM/SPX"]
        [refresh]
        beat_hz = "4"
        """
    )
    assert [line.split(" = ")[0] for line in lines] == [
        "network.timeout", "crypto.qoutes", "refresh.beat_hz", "crypto.exchanges[1]", "spreads.pairs[0]",
    ]  # fmt: skip


def test_a_file_that_is_no_text_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"own.toml: line 2 is not UTF-8 text"):
        parse(b"# fine\n\xff\n", Path("own.toml"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")


# --- what is accepted -----------------------------------------------------------------------------------------------


def test_a_file_needs_to_hold_only_what_differs() -> None:
    config = accepted("[refresh]\nbeat_hz = 2\n[levels.IWM]\nsupport = [200]")
    assert config.refresh == replace(Refresh(), beat_hz=2.0)
    assert config.levels == {"^RUT": Band((2100.0,), (2300.0,)), "IWM": Band((200.0,))}
    assert replace(config, refresh=Refresh(), levels=Config().levels) == Config()


def test_one_edge_of_a_built_in_band_can_be_moved_alone() -> None:
    assert accepted('[levels."^RUT"]\nresistance = [2500]').levels["^RUT"] == Band((2100.0,), (2500.0,))


def test_an_empty_value_takes_a_built_in_key_away_and_what_hung_on_it() -> None:
    config = accepted('[crypto.baskets]\nmeme = []\n[levels]\n"^RUT" = {}')
    assert "meme" not in config.crypto.baskets
    assert config.crypto.alt == ("large", "ai", "defi", "mid")
    assert not config.levels


def test_built_in_pairs_and_levels_of_symbols_no_longer_watched_fall_away() -> None:
    config = accepted('[equity]\nsymbols = ["IWM", "SPY"]')
    assert config.spreads.pairs == ("IWM/SPY", "ALT/BTC", "ETH/BTC")
    assert not config.levels


def test_paths_start_at_the_file_and_home(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    config = parse(b"[network]\nca_file = 'ca.pem'\n[store]\npath = '~/bars'", tmp_path / "own.toml")
    assert config.network.ca_file == str(tmp_path / "ca.pem")
    assert config.store.path == str(Path.home() / "bars")


texts = st.text('aAZ1/^=-. "\n€', max_size=6)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
sections = st.dictionaries(st.sampled_from([*(f.name for f in fields(Config)), "other"]), values)
keyed = st.fixed_dictionaries(
    {},
    optional={
        "crypto": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("exchanges", "quotes", "aliases", "baskets", "alt"), values)
        ),
        "spreads": st.fixed_dictionaries({}, optional={"pairs": st.lists(texts) | values}),
        "levels": st.dictionaries(texts, st.dictionaries(st.sampled_from(["support", "x"]), values)),
        "keys": st.dictionaries(texts, values, max_size=3),
    },
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on busy cores
@given(sections | keyed)
def test_nothing_that_toml_can_hold_makes_the_check_fail_otherwise_than_in_words(raw: dict[str, Any]) -> None:
    config, mistakes = check(raw, ACTIONS)
    assert isinstance(config, Config)
    for mistake in mistakes:
        assert mistake.path and mistake.allowed
        assert "\n" not in mistake.path + mistake.value + mistake.allowed
    assert len({mistake.path for mistake in mistakes}) == len(mistakes)


# --- finding, speed -------------------------------------------------------------------------------------------------


def test_the_search_goes_from_the_command_line_to_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    user = home / "sizewatch" / "config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, **_: home / name)
    monkeypatch.chdir(work)
    assert find(None) is None
    user.parent.mkdir(parents=True)
    user.write_text("")
    assert find(None) == user
    (work / "config.toml").write_text("")
    assert find(None) == Path("config.toml")
    assert find(tmp_path / "named.toml") == tmp_path / "named.toml"


def test_known_exchanges_are_those_of_ccxt() -> None:
    import ccxt.pro

    assert known_exchanges() == set(ccxt.pro.exchanges)
    assert known_exchanges() >= set(Config().crypto.exchanges), "which are not looked at"


def test_reading_the_default_takes_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(default_text() + "# read as any other file\n")
    load(path)
    costs = []
    for _ in range(5):
        started = time.thread_time()
        load(path)
        costs.append(time.thread_time() - started)
    assert min(costs) < 0.010
