"""Alert rules as a user writes them, checked whole when they are read: a rule that is wrong never runs half.

A rule watches either a live table (`on`, `when`: each matching row is one instance) or every tick of a price or of a
ratio of two prices (`cross`). Durations are seconds or text such as `30s`, `15m`, `2h`, `1d`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Final, Literal, TypeVar, get_args

import polars as pl

from engine.alert_message import is_format
from engine.conditions import ConditionError, compile_condition
from engine.config import RULE_FIELDS, Severity
from engine.config_check import shown
from engine.errors import ConfigMistake

Direction = Literal["up", "down", "both"]
FiringMode = Literal["edge", "level", "latch"]
SessionFilter = Literal["RTH", "ETH", "24x7"]
Delivery = Literal["on", "silent", "off"]

T = TypeVar("T")
D = TypeVar("D")

CROSS_FIELDS: Final = ("symbol", "level", "direction", "price", "previous", "gapped")
"""What the message of a crossing may name."""
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Cross:
    """A level that a price, or the ratio symbol/over, crosses."""

    symbol: str
    level: float
    direction: Direction = "both"
    over: str | None = None

    @property
    def name(self) -> str:
        """What is watched: `BTC/USD`, or `IWM/SPY` for a ratio."""
        return f"{self.symbol}/{self.over}" if self.over else self.symbol


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, checked. Times in seconds."""

    id: str
    on: str | None = None
    """Live table of the condition; None for a crossing."""
    when: str | None = None
    clear_when: str | None = None
    """Condition that ends a firing; None: as soon as `when` is false."""
    cross: Cross | None = None
    hold: float = 0.0
    """`for`: how long the condition must hold before it fires."""
    keep_firing: float = 0.0
    """`keep_firing_for`: how long it must be over before the alert resolves."""
    cooldown: float = 0.0
    """After a firing, none again for so long."""
    mode: FiringMode = "edge"
    """edge: once a passage; level: again every cooldown while it holds; latch: stays until acknowledged."""
    once_per_bar: str | None = None
    """`1d`, `1h`, `5m` or `1m`: at most one firing a bar."""
    session: SessionFilter = "24x7"
    """RTH: regular hours of the NYSE alone; ETH: from 04:00 to 20:00 New York on its sessions."""
    max_age: float | None = None
    """A row, or a tick's predecessor, older than this says nothing."""
    severity: Severity = "warning"
    notify: Delivery = "on"
    message: str = ""
    """Template over the row's columns, e.g. `{pair} z {z252:+.2f}`."""
    expires: datetime | None = None
    enabled: bool = True
    origin: str = "config"
    """ready, config or terminal."""
    saved: bool = False
    """Whether the store holds something of it: the whole rule, or what the terminal changed of it."""

    @property
    def watched(self) -> str:
        """What it watches, in words."""
        if self.cross is not None:
            direction = "" if self.cross.direction == "both" else f" {self.cross.direction}"
            return f"{self.cross.name} through {self.cross.level:,.10g}{direction}"
        clear = f", over when {self.clear_when}" if self.clear_when else ""
        return f"{self.on}: {self.when}{clear}"


def duration(value: object) -> float:
    """Seconds of `30`, `"30s"`, `"15m"`, `"2h"`, `"1d"`. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError(value)
    if isinstance(value, int | float):
        seconds = float(value)
    else:
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", str(value))
        if found is None:
            raise ValueError(value)
        seconds = float(found.group(1)) * _UNITS[found.group(2)]
    if not 0 <= seconds <= 366 * 86400:
        raise ValueError(value)
    return seconds


def read_rule(
    name: str,
    raw: Mapping[str, object],
    tables: Mapping[str, pl.Schema],
    symbols: Sequence[str],
    origin: str = "config",
) -> tuple[Rule | None, list[ConfigMistake]]:
    """One rule from its TOML table, or every mistake in it.

    name: the rule's id. tables: schemas of the live tables. symbols: canonical names that a crossing may watch.
    """
    reader = _Reader(name, raw, tables, symbols, origin)
    rule = reader.read()
    return (None if reader.mistakes else rule), reader.mistakes


class _Reader:
    """Collects all of a rule's mistakes in one pass."""

    def __init__(
        self, name: str, raw: Mapping[str, object], tables: Mapping[str, pl.Schema], symbols: Sequence[str], origin: str
    ) -> None:
        self.name, self.raw, self.tables, self.symbols, self.origin = name, raw, tables, symbols, origin
        self.mistakes: list[ConfigMistake] = []

    def wrong(self, key: str, allowed: str, value: object = "") -> None:
        path = f"rules.{self.name}{'.' + key if key else ''}"
        self.mistakes.append(ConfigMistake(path, shown(value) if value != "" else "", allowed))

    def read(self) -> Rule:
        for key in self.raw:
            if key not in RULE_FIELDS:
                near = get_close_matches(key, RULE_FIELDS, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self.wrong(key, f"no such field{hint} (one of {', '.join(RULE_FIELDS)})")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", self.name):
            self.wrong("", "a rule's name is letters, digits, `_`, `.` and `-`, at most 64", self.name)
        cross, on = self.cross(), self.table()
        return Rule(
            id=self.name,
            on=on,
            when=self.condition("when", on),
            clear_when=self.condition("clear_when", on),
            cross=cross,
            hold=self.seconds("for", 0.0),
            keep_firing=self.seconds("keep_firing_for", 0.0),
            cooldown=self.seconds("cooldown", 900.0 if cross else 0.0),
            mode=self.mode(cross),
            once_per_bar=self.choice("once_per_bar", ("1d", "1h", "5m", "1m"), None),
            session=self.choice("session", get_args(SessionFilter), "24x7"),
            max_age=self.seconds("max_age", 60.0 if cross else None),
            severity=self.choice("severity", get_args(Severity), "warning"),
            notify=self.choice("notify", get_args(Delivery), "on"),
            message=self.message(on, cross),
            expires=self.expires(),
            enabled=self.flag("enabled", True),
            origin=self.origin,
        )

    def table(self) -> str | None:
        on = self.raw.get("on")
        if "cross" in self.raw:
            for key in ("on", "when", "clear_when", "keep_firing_for"):
                if key in self.raw:
                    self.wrong(key, "a rule with `cross` has no condition; take one of the two", self.raw[key])
            return None
        if on is None and "when" not in self.raw:
            self.wrong("", "needs `on` and `when` (a condition over a live table), or `cross` (a level)")
            return None
        if not isinstance(on, str) or on not in self.tables:
            near = get_close_matches(str(on), list(self.tables), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self.wrong("on", f"a live table, one of {', '.join(self.tables)}{hint}", on)
            return None
        if "when" not in self.raw:
            self.wrong("when", f"needs a condition over {on}, such as `{next(iter(self.tables[on]))} IS NOT NULL`")
        return on

    def condition(self, key: str, on: str | None) -> str | None:
        text = self.raw.get(key)
        if text is None or on is None:
            return None
        if not isinstance(text, str):
            self.wrong(key, "a condition in quotes", text)
            return None
        try:
            compile_condition(text, on, self.tables[on])
        except ConditionError as error:
            self.wrong(key, str(error))
        return text

    def cross(self) -> Cross | None:
        raw = self.raw.get("cross")
        if raw is None:
            return None
        if not isinstance(raw, Mapping):
            self.wrong("cross", 'a table, as in {symbol = "^RUT", level = 2300, direction = "up"}', raw)
            return None
        for key in raw:
            if key not in ("symbol", "over", "level", "direction"):
                self.wrong(f"cross.{key}", "no such field (one of symbol, over, level, direction)")
        for key in ("symbol", "over"):
            symbol = raw.get(key)
            if symbol is None and key == "over":
                continue
            if symbol not in self.symbols:
                near = get_close_matches(str(symbol), self.symbols, n=3, cutoff=0.4)
                self.wrong(
                    f"cross.{key}", f"a watched symbol{'; nearest are ' + ', '.join(near) if near else ''}", symbol
                )
        level = raw.get("level")
        if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1e12:
            self.wrong("cross.level", "a price above 0", level)
            level = 1.0
        direction = raw.get("direction", "both")
        if direction not in get_args(Direction):
            self.wrong("cross.direction", "up, down or both", direction)
        over = raw.get("over")
        return Cross(str(raw.get("symbol")), float(level), direction, str(over) if over is not None else None)

    def seconds(self, key: str, default: D) -> float | D:
        if key not in self.raw:
            return default
        try:
            return duration(self.raw[key])
        except ValueError:
            self.wrong(key, "seconds, or text such as 30s, 15m, 2h, 1d (at most 366d)", self.raw[key])
            return default

    def choice(self, key: str, allowed: Sequence[T], default: D) -> T | D:
        value = self.raw.get(key, default)
        for known in allowed:
            if known == value:
                return known
        if key in self.raw:
            self.wrong(key, f"one of {', '.join(map(str, allowed))}", value)
        return default

    def mode(self, cross: Cross | None) -> FiringMode:
        mode: FiringMode = self.choice("mode", get_args(FiringMode), "edge")
        if cross is not None and mode == "level":
            # a passage is an instant: what goes on is a condition
            watched = f"symbol = '{cross.symbol}' AND last > {cross.level:g}"
            self.wrong(
                "mode", f'edge or latch: a passage does not last; for `level` take on = "quotes", when = "{watched}"',
                mode,
            )  # fmt: skip
        return mode

    def flag(self, key: str, default: bool) -> bool:
        value = self.raw.get(key, default)
        if not isinstance(value, bool):
            self.wrong(key, "true or false", value)
            return default
        return value

    def message(self, on: str | None, cross: Cross | None) -> str:
        text = self.raw.get("message", "")
        if not isinstance(text, str) or len(text) > 500:
            self.wrong("message", "text of at most 500 characters", text)
            return ""
        known = CROSS_FIELDS if cross else tuple(self.tables[on]) if on else ()
        try:
            fields = [(field, spec) for _, field, spec, _ in string.Formatter().parse(text) if field is not None]
        except ValueError as error:
            self.wrong("message", f"a template such as `{{symbol}} at {{last:,.2f}}`: {error}", text)
            return ""
        for field, spec in fields:
            # a plain name alone: attributes and indexes of a template could reach into objects
            if known and field not in known:
                near = get_close_matches(field, known, n=3, cutoff=0.4)
                self.wrong(
                    "message", f"{{{field}}} is no column{'; nearest are ' + ', '.join(near) if near else ''}", text
                )
            if not is_format(spec or ""):
                self.wrong("message", f"{{{field}:{spec}}} is no number format; write e.g. +.2f, ,.0f or compact", text)
        return text

    def expires(self) -> datetime | None:
        value = self.raw.get("expires")
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                value = None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.wrong("expires", "a time with its zone, such as 2026-12-31T16:00:00-05:00", self.raw["expires"])
            return None
        return value
