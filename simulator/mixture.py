"""Several faults at once, drawn from a seed: the same seed, the same plan. What one fault hides, two may show."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from simulator.faults import KINDS, Fault

CALM_S: Final = (8.0, 45.0)
"""Shortest and longest pause of a lane between two of its faults."""
LASTS_S: Final = (2.0, 30.0)
"""Shortest and longest fault."""
CHANCES: Final = (1.0, 1.0, 0.5, 0.05)
"""What share of connections, answers or messages a fault meets; most meet all."""
_VALUES: Final = {"slow-accept": (2.0, 12.0), "limited": (0.0, 8.0), "skew": (-40.0, 300.0), "gzip-bomb": (80.0, 96.0)}
"""Figures that a run of many faults draws from, where the kind's own is too long or always the same."""


def mixture(
    seed: int,
    seconds: float,
    lanes: Sequence[tuple[str, ...]] = ((),),
    *,
    at_once: int = 2,
    kinds: Sequence[str] = tuple(KINDS),
) -> tuple[Fault, ...]:
    """A plan of `seconds`: each lane of hosts has up to `at_once` faults at the same time, each followed by calm.

    lanes: hosts that fail together; an empty tuple is all.
    """
    chance = random.Random(seed)
    plan: list[Fault] = []
    for hosts in lanes:
        for _ in range(at_once):
            at = chance.uniform(0.0, CALM_S[1])
            while True:
                kind = chance.choice(kinds)
                lasts = chance.uniform(*LASTS_S)
                if at + lasts > seconds:
                    break
                value = chance.uniform(*_VALUES[kind]) if kind in _VALUES else None
                share = chance.choice(CHANCES)
                plan.append(Fault(kind, hosts, round(at, 3), round(lasts, 3), share, value))
                at += lasts + chance.uniform(*CALM_S)
    return tuple(sorted(plan, key=lambda fault: fault.at))
