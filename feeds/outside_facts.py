"""Outside facts as feeds: one a site, each on its own budget, so that one that refuses holds up no other.

An answer is remembered on the disk: a program that is started often asks no more often than one that runs all day.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson

from engine.config import Config
from engine.model import OutsideFact
from feeds import outside_answers as answers
from feeds.aside import aside
from feeds.link import Context, Link
from feeds.numbers import DAY, stamp
from feeds.reach import reach
from feeds.web import Web, web

COINGECKO: Final = "https://api.coingecko.com/api/v3/coins/categories"
DEX: Final = "https://api.llama.fi/overview/dexs"
LOCKED: Final = "https://api.llama.fi/v2/historicalChainTvl"
COIN_METRICS: Final = "https://community-api.coinmetrics.io/v4/timeseries/asset-metrics"
SENTIMENT: Final = "https://api.alternative.me/fng/"
FRED: Final = "https://api.stlouisfed.org/fred/series/observations"
DIRECTORY: Final = "https://www.nasdaqtrader.com/dynamic/symdir/nasdaqtraded.txt"

Ask = Callable[[Web, float], Awaitable[list[OutsideFact]]]


@dataclass(frozen=True, slots=True)
class Site:
    """A source of facts: how it is asked, and how often."""

    source: str
    pause_s: float
    ask: Ask
    url: str
    """One of its addresses, for its host."""


class Facts:
    """One site as a feed."""

    kind = "outside-facts"

    def __init__(self, site: Site, headers: dict[str, str] | None = None, note: str | None = None) -> None:
        self.source = site.source
        self.hosts = (urlsplit(site.url).netloc,)
        self._site = site
        self._headers = headers
        self._note = note

    async def run(self, context: Context, link: Link) -> None:
        """Ask for ever; an answer that is none ends this life with its reason."""
        file = context.cache / f"facts-{self.source}.json"
        pause, channel = self._site.pause_s, f"{self.source}:facts"
        link.note(self._note)
        async with web(context.border, self._headers) as client:
            while True:
                now = context.clock.now()
                kept = await aside(_kept, file)
                age = now - kept[0] if kept is not None else -1.0
                link.up(channel, 3 * pause)
                if kept is not None and 0 <= age < pause:
                    found, wait = kept[1], pause - age
                else:
                    found, wait = await self._site.ask(client, now), pause
                    await aside(_keep, file, now, found)
                    link.heard(channel, None)
                for fact in found:
                    context.sink.ingest_outside(fact)
                if wait < pause:  # known from before: no request, but is the site still there?
                    await reach(context.border, self.hosts[0])
                    link.reached(channel)
                link.settled()
                link.rests(wait)
                await context.clock.sleep(wait)


def feeds(config: Config) -> Iterable[Facts]:
    """Every site of outside facts that a configuration asks for; FRED where there is a key."""
    wanted = config.facts
    if wanted.categories and config.coingecko.enabled:
        key = os.environ.get(config.coingecko.key_env, "").strip()
        site = Site("coingecko-categories", 900.0 if key else 3600.0, _categories, COINGECKO)
        yield Facts(site, {"x-cg-demo-api-key": key} if key else None)
    if wanted.defillama:
        yield Facts(Site("defillama", 900.0, _defillama, DEX))
    if wanted.coinmetrics:
        yield Facts(
            Site("coinmetrics", 6 * answers.HOUR, _coinmetrics, COIN_METRICS), note="CC BY-NC: not for commercial use"
        )
    if wanted.sentiment:
        yield Facts(Site("alternative.me", answers.HOUR, _sentiment, SENTIMENT))
    if wanted.symbol_directory:
        yield Facts(Site("nasdaqtrader", 12 * answers.HOUR, _directory, DIRECTORY))
    if wanted.fred and (key := os.environ.get(wanted.fred_key_env, "").strip()):
        yield Facts(Site("fred", 6 * answers.HOUR, partial(_fred, key), FRED))


async def _categories(client: Web, now: float) -> list[OutsideFact]:
    return answers.whole(answers.categories, await client.json(COINGECKO), now)


async def _defillama(client: Web, now: float) -> list[OutsideFact]:
    lean = {"excludeTotalDataChart": "true", "excludeTotalDataChartBreakdown": "true"}
    volume = answers.whole(answers.dex_volume, await client.json(DEX, lean), now)
    return [*volume, *answers.whole(answers.locked, await client.json(LOCKED), now)]


async def _coinmetrics(client: Web, now: float) -> list[OutsideFact]:
    asked = {
        "assets": "btc,eth", "metrics": ",".join(answers.ON_CHAIN), "frequency": "1d", "limit_per_asset": "10",
        "paging_from": "end", "page_size": "100",
    }  # fmt: skip
    return answers.whole(answers.on_chain, await client.json(COIN_METRICS, asked), now)


async def _sentiment(client: Web, now: float) -> list[OutsideFact]:
    return answers.whole(answers.sentiment, await client.json(SENTIMENT, {"limit": "10"}), now)


async def _fred(key: str, client: Web, now: float) -> list[OutsideFact]:
    found: list[OutsideFact] = []
    for series in answers.SERIES:
        asked = {"series_id": series, "api_key": key, "file_type": "json", "sort_order": "desc", "limit": "10"}
        found += answers.whole(partial(answers.rates, series), await client.json(FRED, asked), now)
    return found


async def _directory(client: Web, now: float) -> list[OutsideFact]:
    text = (await client.read(DIRECTORY)).decode("utf-8", "replace")
    return answers.whole(answers.small_cap_etfs, text, now)


def _kept(file: Path) -> tuple[float, list[OutsideFact]] | None:
    """When an earlier run asked, and what it was told; None where that cannot be read."""
    try:
        kept = orjson.loads(file.read_bytes())
        facts = [OutsideFact(*row)._replace(members=tuple(row[-1])) for row in kept["facts"]]
        at = float(kept["at"])
        # a day's count is dated with the day's end
        dated = all(_sound(fact) and stamp(fact.as_of, at + DAY) is not None for fact in facts)
        return (at, facts) if dated else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _sound(fact: OutsideFact) -> bool:
    """Whether what was kept has the types of a fact."""
    numbers = (fact.value, fact.as_of, fact.lasts_s, fact.change_pct)
    words = (fact.fact, fact.unit, fact.source, *fact.members, fact.change_over or "")
    return (
        all(isinstance(number, int | float) or number is None for number in numbers)
        and None not in numbers[1:3]
        and all(isinstance(word, str) for word in words)
    )


def _keep(file: Path, now: float, facts: list[OutsideFact]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_bytes(orjson.dumps({"at": now, "facts": [tuple(fact) for fact in facts]}))
    beside.replace(file)
