"""What a chart shows, as words: its subject, how far back, how fine, on which scale and with what over it.

Light: the terminal knows these before any data library is loaded.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.config import Config

SPANS: Final = ("1D", "5D", "1M", "3M", "YTD", "1Y", "5Y", "MAX")
INTERVALS: Final = ("1m", "5m", "1h", "1d")
SCALES: Final = ("linear", "log", "percent")
AVERAGES: Final = ("none", "sma", "ema")
PREFERRED: Final[Mapping[str, str]] = {"1D": "5m,1m,1h", "5D": "1h,5m,1m", "1M": "1h,1d", "3M": "1d,1h"}
"""The intervals of a span, the one that draws it best first; the other spans have daily bars."""


@dataclass(frozen=True, slots=True)
class Options:
    """One chart."""

    symbol: str
    span: str = "1Y"
    interval: str | None = None
    """None: what suits the span."""
    versus: str | None = None
    """A second series; both are then in per cent of their first common value."""
    line: bool = False
    """A line of closes in place of candles."""
    scale: str = "linear"
    averages: str = "none"
    volume: bool = True
    bands: bool = True
    """Support and resistance."""
    z_bands: bool = True
    """Mean and ±1, ±2 σ of 252 days, where the series has them."""
    marks: bool = False
    """Pivots and alerts."""
    returns: bool = False
    """The distribution of its returns in place of its course."""

    @property
    def asked(self) -> str:
        """The intervals to ask the engine for."""
        return self.interval or PREFERRED.get(self.span, "1d")

    def stepped(self, what: str, step: int = 1) -> Options:
        """The next of the spans (which end), or of intervals, scales or averages (which go round)."""
        if what == "span":
            at = SPANS.index(self.span) + step
            return replace(self, span=SPANS[min(len(SPANS) - 1, max(0, at))], interval=None)
        if what == "interval":
            known = (None, *INTERVALS)
            return replace(self, interval=known[(known.index(self.interval) + step) % len(known)])
        if what == "scale":
            return replace(self, scale=SCALES[(SCALES.index(self.scale) + step) % len(SCALES)])
        return replace(self, averages=AVERAGES[(AVERAGES.index(self.averages) + step) % len(AVERAGES)])


def subjects(config: Config) -> tuple[str, ...]:
    """Whatever can be charted by one word: pairs, equities, coins, baskets."""
    crypto = config.crypto
    names = (*config.spreads.pairs, *config.equity.symbols, *crypto.bases, *crypto.baskets, "ALT", "BTC.D")
    return tuple(dict.fromkeys(names))


def read(words: str, config: Config, before: Options | None = None) -> Options | str:
    """`IWM/SPY 1Y 1h log vs QQQ` as options, or one sentence that says what is wrong.

    before: what the words change; without it the first word must be a subject.
    """
    parts = words.replace(",", " ").split()
    found = before
    while parts:
        word = parts.pop(0)
        lower, upper = word.lower(), word.upper()
        if lower == "vs":
            if not parts or found is None:
                return "vs names a second series: IWM vs SPY"
            found = replace(found, versus=canonical(parts.pop(0), config))
        elif word in INTERVALS and found is not None:  # 1m is a minute, 1M a month
            found = replace(found, interval=word)
        elif upper in SPANS and found is not None:
            found = replace(found, span=upper, interval=None)
        elif lower in INTERVALS and found is not None:
            found = replace(found, interval=lower)
        elif lower in ("log", "linear", "percent", "%", "candles", "line", "returns", "marks") and found is not None:
            changes: dict[str, Options] = {
                "candles": replace(found, line=False),
                "line": replace(found, line=True),
                "returns": replace(found, returns=True),
                "marks": replace(found, marks=True),
                "%": replace(found, scale="percent"),
            }
            found = changes[lower] if lower in changes else replace(found, scale=lower)
        elif found is None or found is before:
            name = canonical(word, config)
            found = replace(found, symbol=name, versus=None) if found is not None else Options(name)
        else:
            return f"{word!r} is no span ({' '.join(SPANS)}), interval ({' '.join(INTERVALS)}) or scale"
    return "name what to chart: chart IWM/SPY 1Y" if found is None else found


def canonical(text: str, config: Config) -> str:
    """A name as the configuration writes it, whatever case it was typed in; unknown ones stay as they are."""
    known = {name.lower(): name for name in (*subjects(config), *config.symbols)}
    if text.lower() in known:
        return known[text.lower()]
    if "/" in text and "(" not in text:
        return "/".join(known.get(half.lower(), half) for half in text.split("/", 1))
    return text


def complete(text: str, config: Config) -> list[str]:
    """Words that the last one of `text` can become, likeliest first; at most 30."""
    parts = text.split(" ")
    last = parts[-1].lower()
    first = len([p for p in parts[:-1] if p]) == 0 or parts[-2].lower() == "vs"
    names = subjects(config)
    if "/" in last and first and "(" not in last:
        half = canonical(parts[-1].partition("/")[0], config)
        quoted = (name for name in config.symbols if "/" in name)  # before the ratios that nobody quotes
        names = (*names, *quoted, *(f"{half}/{name}" for name in names if "/" not in name and name != half))
    choices: Sequence[str] = (
        names if first else (*SPANS, *INTERVALS, "log", "percent", "line", "returns", "marks", "vs")
    )
    found = [c for c in choices if c.lower().startswith(last)]
    if not found and last:
        found = difflib.get_close_matches(last, [c.lower() for c in choices], n=5)
        found = [c for c in choices if c.lower() in found]
    return list(dict.fromkeys(found))[:30]
