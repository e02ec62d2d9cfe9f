"""Trade plans and rotations as a user writes them in one line; what is wrong is said in one sentence.

    [NAME:] SYMBOL [at PRICE] [stop PRICE] [target PRICE|+PCT% …] [risk PCT%] [account USD] [max USD] [by YYYY-MM-DD]
    [NAME:] large PCT% [relative PCT%]

Light to import: the terminal reads these before it sends them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from typing import Final, NamedTuple

from engine.config import Config, Plan, WhatIf
from engine.errors import SizewatchError

PLAN_FORM: Final = "a plan is [NAME:] SYMBOL [at PRICE] [stop PRICE] [target PRICE …] [risk 1%] [by 2026-04-09]"
WHATIF_FORM: Final = "a rotation is [NAME:] large PCT [relative PCT], such as large -9.1 relative 55.4"
WORDS: Final = ("at", "stop", "target", "risk", "account", "max", "by")
_AMOUNTS: Final[Mapping[str, str]] = {
    "at": "entry", "entry": "entry", "stop": "stop", "account": "equity", "equity": "equity", "max": "max_notional"
}  # fmt: skip
_NAME: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9_-]{0,31})\s*:\s+(.*)", re.DOTALL)
_TARGETS: Final = 5
_MOST: Final = 1e12


class PlanTextError(SizewatchError):
    """A line that is no plan or rotation; says what would be right."""


class Named(NamedTuple):
    """A plan and what it is called."""

    name: str
    plan: Plan


class NamedWhatIf(NamedTuple):
    """A rotation and what it is called."""

    name: str
    whatif: WhatIf


@dataclass
class _Reader:
    words: list[str]
    place: int = 0

    def more(self) -> bool:
        return self.place < len(self.words)

    def next(self, after: str, wanted: str) -> str:
        if not self.more():
            raise PlanTextError(f"{after!r} wants {wanted}")
        self.place += 1
        return self.words[self.place - 1]


def parse_plan(text: str, config: Config) -> Named:
    """The plan that `text` means. Raises PlanTextError with what would be right.

    Prices are checked against each other where both are given; against the market, when the engine takes the plan.
    """
    name, rest = _named(text)
    words = rest.replace(",", "").split()
    if not words:
        raise PlanTextError(PLAN_FORM)
    symbol = _symbol(words[0], config)
    reader = _Reader(words, 1)
    plan = Plan(symbol)
    while reader.more():
        plan = _clause(plan, reader)
    _fits(plan)
    return Named(name or symbol.split("/", 1)[0].strip("^").replace("=", "-").replace(".", "-").lower(), plan)


def _clause(plan: Plan, reader: _Reader) -> Plan:
    word = reader.next("", "").lower()
    if word in ("target", "targets"):
        return _targets(plan, reader, word)
    if word == "by":
        return replace(plan, by=_day(reader.next(word, "a day such as 2026-04-09")))
    if word == "risk":
        share = "a share such as 1%"
        return replace(plan, risk_pct=_within(reader.next(word, share), 0.001, 100, share))
    field = _AMOUNTS.get(word)
    if field is not None:
        return replace(plan, **{field: _price(reader.next(word, "a price or an amount in USD"))})  # type: ignore[arg-type]
    near = get_close_matches(word, WORDS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else PLAN_FORM
    raise PlanTextError(f"{word!r} means nothing here; {hint}")


def _targets(plan: Plan, reader: _Reader, word: str) -> Plan:
    prices: list[float] = []
    rises: list[float] = []
    while reader.more() and reader.words[reader.place][0] in "+.0123456789":
        said = reader.next(word, "")
        if said.endswith("%"):
            rises.append(_within(said, 0.001, 1e4, "a rise such as +10%"))
        else:
            prices.append(_price(said))
    if not prices and not rises:
        raise PlanTextError("'target' wants prices, or rises such as +10%")
    if prices and rises:
        raise PlanTextError("targets are prices or rises in per cent, not both")
    if max(len(prices), len(rises)) > _TARGETS:
        raise PlanTextError(f"a plan has at most {_TARGETS} targets")
    return replace(plan, targets=tuple(sorted(prices)), targets_pct=tuple(sorted(rises)) or plan.targets_pct)


def _fits(plan: Plan) -> None:
    entry, stop = plan.entry, plan.stop
    if entry and stop and stop >= entry:
        raise PlanTextError(f"the stop {stop:,g} must lie below the entry {entry:,g}: plans are long")
    low = entry or stop
    if plan.targets and low and plan.targets[0] <= low:
        raise PlanTextError(
            f"the target {plan.targets[0]:,g} must lie above the {'entry' if entry else 'stop'} {low:,g}"
        )


def parse_whatif(text: str) -> NamedWhatIf:
    """The rotation that `text` means. Raises PlanTextError."""
    name, rest = _named(text)
    words = rest.lower().split()
    found: dict[str, float] = {}
    for word, value in zip(words[::2], [*words[1::2], ""], strict=False):
        if word not in ("large", "relative") or word in found:
            raise PlanTextError(f"{word!r} means nothing here: {WHATIF_FORM}")
        found[word] = _within(value, -99, 1000, "a return in per cent, -99 to 1000")
    if not found:
        raise PlanTextError(WHATIF_FORM)
    return NamedWhatIf(name or "own", WhatIf(found.get("large", 0.0), found.get("relative", 0.0)))


def complete(text: str, config: Config) -> list[str]:
    """Words that may stand where the last word of a plan's line stands."""
    words = text.split()
    last = "" if not words or text.endswith(" ") else words.pop()
    rest = [word for word in words if not word.endswith(":")]
    offered: Iterator[str] = iter(config.symbols if not rest else (w for w in WORDS if w not in rest))
    return [word for word in offered if word.lower().startswith(last.lower())]


def _named(text: str) -> tuple[str | None, str]:
    found = _NAME.fullmatch(text)
    return (found[1], found[2]) if found else (None, text)


def _symbol(word: str, config: Config) -> str:
    known = {symbol.upper(): symbol for symbol in config.symbols}
    for said in (word.upper(), f"{config.crypto.aliases.get(word.upper(), word.upper())}/USD"):
        if said in known:
            return known[said]
    near = get_close_matches(word.upper(), known, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(known[n] for n in near)}?" if near else PLAN_FORM
    raise PlanTextError(f"{word!r} is not watched; {hint}")


def _number(said: str) -> float:
    try:
        number = float(said.removesuffix("%").removeprefix("$"))
    except ValueError:
        return math.nan
    return number


def _price(said: str) -> float:
    number = _number(said)
    if said.endswith("%") or not 0 < number <= _MOST:
        raise PlanTextError(f"{said!r} is no price: a number above 0")
    return number


def _within(said: str, low: float, high: float, what: str) -> float:
    number = _number(said)
    if not low <= number <= high:
        raise PlanTextError(f"{said!r} must be {what}")
    return number


def _day(said: str) -> str:
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        raise PlanTextError(f"{said!r} must be a day such as 2026-04-09") from None


def to_data(plan: Plan | WhatIf) -> dict[str, object]:
    """What is written down of a plan or rotation."""
    return {name: getattr(plan, name) for name in plan.__slots__}


def plan_of(data: Mapping[str, object]) -> Plan:
    """The plan that was written down. Raises PlanTextError where it was not."""
    try:
        plan = Plan(
            symbol=str(data["symbol"]),
            entry=_float(data["entry"]),
            stop=_float(data["stop"]),
            targets=_floats(data["targets"]),
            targets_pct=_floats(data["targets_pct"]),
            equity=_float(data["equity"]),
            risk_pct=_float(data["risk_pct"]),
            max_notional=_float(data["max_notional"]),
            by=str(data["by"]),
        )
        if plan.by:
            date.fromisoformat(plan.by)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise PlanTextError(f"a plan was written down wrongly: {error}") from error
    return plan


def whatif_of(data: Mapping[str, object]) -> WhatIf:
    """The rotation that was written down. Raises PlanTextError where it was not."""
    try:
        return WhatIf(_float(data["large_pct"]), _float(data["relative_pct"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise PlanTextError(f"a rotation was written down wrongly: {error}") from error


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _floats(value: object) -> tuple[float, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is no list")
    return tuple(_float(item) for item in value)
