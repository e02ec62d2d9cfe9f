"""What the two sides of a pair may be, and the sentence that a wrong one is refused with.

`A/B`, where a leg is an equity symbol (`IWM`, `^RUT`, `RTY=F`), a crypto base (`ETH`), a basket (`ai`), `ALT`, or a
weighted mix in brackets, `(0.5*BTC+0.5*ETH)`. A basket and `ALT` are equal-weight chained indices, a mix is chained
daily with its weights scaled to 1. Price-only indices (^RUT) never meet a total-return series (METRICS §0, Yahoo).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from engine.config import Config
from engine.errors import SizewatchError
from engine.model import asset_of

ALT: Final = "ALT"
BESIDE: Final = ("ai/IWM",)
"""Not spreads of size, but correlations that are asked for: do AI tokens move with small caps?"""
_FORM: Final = "A/B, such as IWM/SPY, ALT/BTC or ALT/(0.5*BTC+0.5*ETH)"


class LegError(SizewatchError):
    """A pair or leg that cannot be."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__(f"{text!r}: {what}")
        self.what = what
        """What is wrong and what would be right, without the pair's name."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a pair."""

    text: str
    """As written, `ALT` or `(0.5*BTC+0.5*ETH)`."""
    kind: Literal["symbol", "basket", "mix"]
    symbols: tuple[str, ...]
    """Canonical symbols: one of a symbol, the members of a basket, all that a mix needs."""
    parts: tuple[tuple[Leg, float], ...] = ()
    """A mix's legs with their weights, which sum to 1."""

    @property
    def crypto(self) -> bool:
        """True where every symbol is crypto, so that the leg never closes."""
        return all(asset_of(s) == "crypto" for s in self.symbols)

    @property
    def price_only(self) -> bool:
        """True where an index without dividends is in it."""
        return any(asset_of(s) == "index" for s in self.symbols)

    @property
    def total_return(self) -> bool:
        """True where a dividend-adjusted series is in it."""
        return any(asset_of(s) == "etf" for s in self.symbols)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two legs; `a` is the small side."""

    name: str
    a: Leg
    b: Leg

    @property
    def crypto(self) -> bool:
        """True where neither leg has sessions."""
        return self.a.crypto and self.b.crypto

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every canonical symbol that the pair needs, once."""
        return tuple(dict.fromkeys(self.a.symbols + self.b.symbols))


def parse_pair(text: str, config: Config) -> Pair:
    """The pair that `text` names. Raises LegError with what would be right; all unknown names are said at once."""
    halves = _split(text, "/")
    if len(halves) != 2 or not all(h.strip() for h in halves):
        raise LegError(text, f"must be {_FORM}")
    unknown = [name for name in dict.fromkeys(n for h in halves for n in _names(h)) if not _is_known(name, config)]
    if unknown:
        raise LegError(text, _unknown(unknown, config))
    try:
        a, b = (parse_leg(h, config) for h in halves)
    except LegError as wrong:
        raise LegError(text, wrong.what) from None
    if a == b:
        raise LegError(text, "must have two different legs")
    for one, other in ((a, b), (b, a)):
        if one.price_only and other.total_return:
            raise LegError(
                text,
                f"{one.text} is a price index without dividends and {other.text} has them: "
                "pair ^RUT with ^GSPC, or IWM with SPY",
            )
    return Pair(f"{a.text}/{b.text}", a, b)


def parsed_pairs(texts: Iterable[str], config: Config) -> tuple[Pair, ...]:
    """Those of `texts` whose legs are all watched, each once."""
    pairs: dict[Pair, None] = {}
    for text in texts:
        try:
            pairs[parse_pair(text, config)] = None
        except LegError:
            continue
    return tuple(pairs)


def pairs_funds(config: Config) -> bool:
    """Whether a pair of funds is configured: without one there is no evidence of a turn of size to measure."""
    return any(p.a.total_return and p.b.total_return for p in parsed_pairs(config.spreads.pairs, config))


def parse_leg(text: str, config: Config) -> Leg:
    """The leg that `text` names. Raises LegError with what would be right."""
    text = _tidy(text)
    if text.startswith("(") and text.endswith(")"):
        return _mix(text, config)
    if text in config.equity.symbols:
        return Leg(text, "symbol", (text,))
    base = config.crypto.aliases.get(text, text)
    if base in config.crypto.bases:
        return Leg(base, "symbol", (f"{base}/USD",))
    members = config.crypto.alt_bases if text == ALT else config.crypto.baskets.get(text, ())
    if members:
        return Leg(text, "basket", tuple(f"{m}/USD" for m in members))
    raise LegError(text, _unknown([text], config))


def _mix(text: str, config: Config) -> Leg:
    parts: list[tuple[Leg, float]] = []
    for term in text[1:-1].split("+"):
        head, star, tail = term.partition("*")
        try:
            weight = float(head) if star else 1.0
        except ValueError:
            weight = math.nan
        if not (math.isfinite(weight) and weight > 0) or not (tail if star else head):
            raise LegError(text, f"{term!r}: a mix is positive weights times legs, such as (0.5*BTC+0.5*ETH)")
        leg = parse_leg(tail if star else head, config)
        if leg.kind == "mix":
            raise LegError(text, "a mix cannot hold a mix: write all its legs in one pair of brackets")
        parts.append((leg, weight))
    total = sum(w for _, w in parts)
    symbols = tuple(dict.fromkeys(s for leg, _ in parts for s in leg.symbols))
    return Leg(text, "mix", symbols, tuple((leg, w / total) for leg, w in parts))


def _split(text: str, mark: str) -> list[str]:
    """`text` cut at each `mark` outside brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _tidy(text: str) -> str:
    return "".join(text.split()).replace("½", "0.5*")


def _names(leg: str) -> list[str]:
    """The names in a leg, without brackets and weights."""
    leg = _tidy(leg)
    if not (leg.startswith("(") and leg.endswith(")")):
        return [leg]
    terms = (term.partition("*") for term in leg[1:-1].split("+"))
    return [name for head, star, tail in terms if (name := tail if star else head) and not name.startswith("(")]


def _is_known(name: str, config: Config) -> bool:
    if name == ALT:
        return bool(config.crypto.alt_bases)
    base = config.crypto.aliases.get(name, name)
    return name in config.equity.symbols or base in config.crypto.bases or bool(config.crypto.baskets.get(name))


def _unknown(names: list[str], config: Config) -> str:
    known = (
        *config.equity.symbols,
        *config.crypto.bases,
        *config.crypto.baskets,
        *((ALT,) if config.crypto.alt else ()),
    )
    upper = {k.upper(): k for k in known}
    most = 2 if len(names) == 1 else 1
    near = [upper[n] for name in names for n in difflib.get_close_matches(name.upper(), upper, n=most, cutoff=0.6)]
    hint = f"; did you mean {(' or ' if most > 1 else ' and ').join(near)}?" if near else ""
    said = " and ".join(name if name.isprintable() else repr(name) for name in names)
    return f"{said} must be a watched equity symbol, crypto base, basket or ALT{hint}"
