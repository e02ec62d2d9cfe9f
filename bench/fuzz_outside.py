"""What the free sources of outside facts answer, for `bench.fuzz_targets`: each site's own format, mangled."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from bench.fuzz_samples import Target, mangled, string
from engine.errors import BadDataError
from engine.model import OutsideFact
from feeds import outside_answers as answers
from feeds.numbers import number

NOW: Final = 1_767_972_600.0
LATEST: Final = NOW + 2 * answers.HOUR * 24
SECONDS: Final = tuple(NOW - 86_400.0 * n for n in range(9))
DAYS: Final = tuple(f"2026-01-{9 - n:02}" for n in range(8))

CATEGORIES: Final = [
    {"id": "artificial-intelligence", "market_cap": 3.1e10, "market_cap_change_24h": -1.5,
     "updated_at": "2026-01-09T15:29:00.000Z"},
    {"id": "meme-token", "market_cap": 5.0e10, "market_cap_change_24h": None, "updated_at": None},
]  # fmt: skip
DEX: Final = {"total24h": 1.2e10, "change_1d": -3.4}
LOCKED: Final = [{"date": int(at), "tvl": 1.2e11 + at} for at in SECONDS]
ON_CHAIN: Final = {
    "data": [
        {"asset": "btc", "time": f"{day}T00:00:00.000000000Z", "AdrActCnt": "700000", "TxCnt": "400000"} for day in DAYS
    ]
}
SENTIMENT: Final = {"data": [{"value": "40", "timestamp": str(int(at))} for at in SECONDS]}
RATES: Final = {"observations": [{"date": day, "value": "." if n == 1 else "3.64"} for n, day in enumerate(DAYS)]}
DIRECTORY: Final = "\r\n".join(
    (
        "Nasdaq Traded|Symbol|Security Name|Listing Exchange|Market Category|ETF|Round Lot Size|Test Issue|Status",
        "Y|IWM|iShares Russell 2000 ETF|P| |Y|100|N|",
        "Y|IJR|iShares Core S&P Small-Cap ETF|P| |Y|100|N|",
        "Y|TZA|Direxion Daily Small Cap Bear 3X Shares|P| |Y|100|N|",
        "Y|ZTST|NASDAQ Small Cap TEST ETF|Q|G|Y|100|Y|N",
        "File Creation Time: 0109202621:33||||||||",
    )
)
CELLS: Final = ("", " ", "Y", "N", "|", "||", "Symbol", "small cap", "\x1b[2J", "\u202e", "A" * 5000, "ETF", "99")


def _directory(text: str, chance: random.Random) -> str:
    """The directory with some of its cells replaced, lines dropped or moved, its day another, or broken as a text."""
    if chance.random() < 0.3:
        return string(text, chance)
    lines = [line.split("|") for line in text.split("\r\n") if chance.random() > 0.03]
    if chance.random() < 0.1:
        chance.shuffle(lines)
    for cells in lines:
        for at in range(len(cells)):
            if chance.random() < 0.03:
                cells[at] = chance.choice(CELLS)
    day = f"{chance.randrange(100):02}{chance.randrange(100):02}{chance.randrange(10_000):04}"
    made = "\r\n".join("|".join(cells) for cells in lines)
    return made.replace("01092026", day) if chance.random() < 0.5 else made


def _read(read: Callable[[Any, float], Iterator[OutsideFact]], answer: Any) -> None:
    for fact in answers.whole(read, answer, NOW):
        for value in (fact.value, fact.change_pct):
            assert value is None or number(value) is not None, fact
        assert fact.as_of <= LATEST, fact
        assert fact.unit, fact
        assert fact.source, fact


def of_outside() -> tuple[Target, ...]:
    """All of them."""
    sites: tuple[tuple[str, Callable[[Any, float], Iterator[OutsideFact]], Any, Any], ...] = (
        ("categories", answers.categories, CATEGORIES, mangled),
        ("dex_volume", answers.dex_volume, DEX, mangled),
        ("locked", answers.locked, LOCKED, mangled),
        ("on_chain", answers.on_chain, ON_CHAIN, mangled),
        ("sentiment", answers.sentiment, SENTIMENT, mangled),
        ("rates", partial(answers.rates, "DGS10"), RATES, mangled),
        ("small_cap_etfs", answers.small_cap_etfs, DIRECTORY, _directory),
    )
    return tuple(
        Target(f"outside-{name}", (sample,), partial(_read, read), (BadDataError,), mangle)
        for name, read, sample, mangle in sites
    )
