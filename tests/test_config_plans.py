"""Plans, rotations and the scanner in the configuration: what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import Config, Plan
from engine.config_file import parse
from engine.errors import ConfigError


def accepted(text: str) -> Config:
    return parse(text.encode(), Path("own.toml"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[plans.a]\nsymbol = "IWN"', 'plans.a.symbol = "IWN": must be a watched symbol, such as IWM or BTC'),
        ("[plans.a]\nentry = 220", 'plans.a.symbol = "": must be a watched symbol'),
        ('[plans.a]\nsymbol = "IWM"\nentry = 220\nstop = 230',
         "plans.a.stop = 230.0: must lie below the entry 220: plans are long"),
        ('[plans.a]\nsymbol = "IWM"\nentry = 220\ntargets = [250.0, 210.0]',
         "plans.a.targets[1] = 210.0: must lie above 220"),
        ('[plans.a]\nsymbol = "IWM"\nby = "2026-02-30"', 'plans.a.by = "2026-02-30": must be a day that there is'),
        ('[plans.a]\nsymbol = "IWM"\nby = "soon"', 'plans.a.by = "soon": must be a day such as 2026-04-09'),
        ('[plans.a]\nsymbol = "IWM"\nstop_loss = 3', "plans.a.stop_loss = 3: unknown key; did you mean plans.a.stop?"),
        ("[planning]\nat_risk_pct = 0", "planning.at_risk_pct = 0: must be a number from 0.001 to 100"),
        ("[whatifs.x]\nlarge_pct = -150", "whatifs.x.large_pct = -150: must be a number from -99 to 1000"),
        ("[worker]\nmemory_mb = 100", "worker.memory_mb = 100: must be a number from 300 to 65536"),
        ("[scanner.units]\nETH = -1", "scanner.units.ETH = -1: must be a number from 1e-06 to 1e+12"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_where_it_stands(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as told:
        accepted(text)
    lines = [said.removeprefix("own.toml: ") for said in told.value.lines()]
    assert any(said.startswith(line) for said in lines), lines


def test_a_plan_of_a_file_holds_only_what_differs() -> None:
    made = accepted('[plans.swing]\nsymbol = "BTC/USD"\nstop = 80000\n[plans]\niwm = {}')
    assert made.plans == {"swing": Plan("BTC/USD", stop=80_000.0)}
    changed = accepted("[plans.iwm]\nentry = 220").plans
    assert changed == {"iwm": Plan("IWM", 220.0)}


def test_the_built_in_plan_goes_with_its_symbol_but_ones_own_is_a_mistake() -> None:
    few = '[equity]\nsymbols = ["SPY", "^RUT", "^GSPC"]\n'
    assert accepted(few).plans == {}
    with pytest.raises(ConfigError, match=r'plans\.iwm\.symbol = "IWM"'):
        accepted(few + "[plans.iwm]\nentry = 220")
