"""What an annotation of the configuration may ask of a value; `engine.config_check` reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Within:
    """What a number may be: from `low` to `high`, both included."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a text may be: the pattern that it matches as a whole, and the same in words."""

    pattern: str
    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables that are taken as they are written, but for their keys: those of `known`."""

    known: tuple[str, ...]
