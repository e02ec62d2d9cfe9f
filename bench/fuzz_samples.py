"""How foreign data is mangled for the fuzzers, and what a target is; the same seed mangles the same way."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

NASTY: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 10**400, -(10**30), 2**63, 0.0, -0.0, 1e308, -1e308, 5e-324, math.nan, math.inf,
    -math.inf, "", " ", "NaN", "1e400", "-1", "0", "é\u202e\x00", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "A" * 5000,
    [], {}, [[]], [None], {"": None}, {"a": {"a": {"a": {}}}}, "2026-13-45T99:99:99Z", "1767972600", 1767972600000,
)  # fmt: skip
"""What a value may be in place of what it should be."""


def mangled(value: Any, chance: random.Random, depth: int = 0) -> Any:
    """`value` with some of its parts replaced, dropped, repeated or moved."""
    if chance.random() < (0.04 if depth else 0.02):
        return chance.choice(NASTY)
    if isinstance(value, dict):
        made = {key: mangled(inner, chance, depth + 1) for key, inner in value.items() if chance.random() > 0.03}
        if chance.random() < 0.05:
            made[chance.choice(("", "symbol", "price", "\x1b[2J", "data"))] = chance.choice(NASTY)
        return made
    if isinstance(value, list):
        made_list = [mangled(inner, chance, depth + 1) for inner in value if chance.random() > 0.03]
        if made_list and chance.random() < 0.05:
            made_list *= 3
        return made_list
    return value


def mangled_bytes(blob: bytes, chance: random.Random) -> bytes:
    """`blob` with bytes flipped, cut out, put in, or cut off."""
    made = bytearray(blob)
    for _ in range(chance.choice((0, 1, 1, 2, 8, 40))):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(4):
            case 0 if at < len(made):
                made[at] = chance.randrange(256)
            case 1:
                del made[at : at + chance.randrange(1, 30)]
            case 2:
                made[at:at] = chance.randbytes(chance.randrange(1, 12))
            case _:
                made[at:] = made[at:][: chance.randrange(len(made) - at + 1)] if chance.random() < 0.1 else made[at:]
    return bytes(made)


@dataclass(frozen=True)
class Target:
    """One decoder. read: takes a mangled sample."""

    name: str
    samples: tuple[Any, ...]
    read: Callable[[Any], object]
    may_raise: tuple[type[BaseException], ...] = ()
    mangle: Callable[[Any, random.Random], Any] = field(default=mangled)

    def feed(self, seed: int) -> None:
        """Read one input made from `seed`. Raises what the target must not raise."""
        chance = random.Random(seed)
        made = self.mangle(chance.choice(self.samples), chance)
        try:
            self.read(made)
        except self.may_raise:
            return


def text_of(value: Any, chance: random.Random) -> str:
    """A mangled message as text, sometimes broken as text, too."""
    text = json.dumps(mangled(value, chance))
    return mangled_bytes(text.encode(), chance).decode(errors="replace") if chance.random() < 0.3 else text


def string(value: str, chance: random.Random) -> str:
    """A mangled text."""
    return mangled_bytes(value.encode(), chance).decode(errors="replace")
