"""CoinGecko: what all markets together say, on the free budget; never mixed with what the connected venues say.

Two requests a round, whatever is watched. A base is priced by the coin that CoinGecko ranks highest under its ticker,
unless the table below names another; a name that it does not know is said, not guessed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson

from engine.config import Config
from engine.errors import BadDataError
from engine.model import MarketFact
from feeds.aside import aside
from feeds.link import Context, Link
from feeds.numbers import stamp
from feeds.translate import error_of_status, seconds_of, words
from feeds.turns import FACTS, imported

if TYPE_CHECKING:
    import aiohttp

ROOT: Final = "https://api.coingecko.com/api/v3"
CHANNEL: Final = "coingecko:facts"
WITHOUT_KEY: Final = 4
"""Without a demo key the rounds are so many times as far apart."""
COINS_A_REQUEST: Final = 100
LEAST_PAUSE_S: Final = 12.0
"""Never less between two rounds, however often the network comes and goes."""
NAMES_LAST_S: Final = 7 * 86400.0
LARGEST: Final = 16 * 2**20
"""Bytes of the largest answer that is read; the list of all coins takes about 2 MB."""

IDS: Final[Mapping[str, str]] = {
    "BTC": "bitcoin", "ETH": "ethereum", "SOL": "solana", "XRP": "ripple", "ADA": "cardano", "AVAX": "avalanche-2",
    "FET": "fetch-ai", "RENDER": "render-token", "TAO": "bittensor", "NEAR": "near", "ICP": "internet-computer",
    "GRT": "the-graph", "WLD": "worldcoin-wld", "UNI": "uniswap", "AAVE": "aave", "LINK": "chainlink",
    "CRV": "curve-dao-token", "COMP": "compound-governance-token", "LDO": "lido-dao", "SNX": "havven",
    "INJ": "injective-protocol", "DOGE": "dogecoin", "SHIB": "shiba-inu", "PEPE": "pepe", "BONK": "bonk",
    "WIF": "dogwifcoin", "FLOKI": "floki", "DOT": "polkadot", "ATOM": "cosmos", "ALGO": "algorand", "FIL": "filecoin",
    "APT": "aptos", "ARB": "arbitrum", "OP": "optimism", "SEI": "sei-network", "TIA": "celestia", "STX": "blockstack",
    "IMX": "immutable-x", "ETC": "ethereum-classic", "XTZ": "tezos", "SAND": "the-sandbox", "BNB": "binancecoin",
    "LTC": "litecoin", "BCH": "bitcoin-cash", "TRX": "tron", "TON": "the-open-network", "SUI": "sui", "HBAR":
    "hedera-hashgraph", "XLM": "stellar", "USDT": "tether", "USDC": "usd-coin",
}  # fmt: skip
"""CoinGecko's id of a base asset; those not named here are looked up."""


class CoinGecko:
    """Whole-market figures as a feed."""

    source = "coingecko"
    kind = "market-facts"
    hosts = (urlsplit(ROOT).netloc,)

    def __init__(self, config: Config) -> None:
        self._bases = config.crypto.bases
        self._key = os.environ.get(config.coingecko.key_env, "").strip()
        self._key_env = config.coingecko.key_env
        self._pause = config.refresh.coingecko_s * (1 if self._key else WITHOUT_KEY)
        self._found: dict[str, str | None] = {}
        """Looked-up ids of bases that the table lacks; None where CoinGecko has no such coin."""
        self._looked_at: float | None = None
        self._answered = float("-inf")
        """Monotonic time of the last round that was answered."""

    async def run(self, context: Context, link: Link) -> None:
        """Ask for ever; an answer that is none ends this life with its reason."""
        await aside(imported, FACTS, "aiohttp")  # half a second at the first start: not in the event loop
        import aiohttp

        border = context.border
        trust = await aside(border.ssl_context)
        headers = {"accept": "application/json"} | ({"x-cg-demo-api-key": self._key} if self._key else {})
        async with aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(ssl=trust, limit=2),
            timeout=aiohttp.ClientTimeout(total=border.timeout),
        ) as session:
            client = _Client(session, border.proxy)
            if (wait := self._answered + LEAST_PAUSE_S - context.clock.monotonic()) > 0:
                await context.clock.sleep(wait)
            while True:
                everything = await client.get("/global", {})
                ids = await self._ids(client, context)
                coins = await self._coins(client, ids)
                self._answered = context.clock.monotonic()
                now = context.clock.now()
                whole, shares = whole_market(everything, now)
                link.up(CHANNEL, 3 * self._pause)
                link.heard(CHANNEL, None)
                context.sink.ingest_fact(whole)
                for fact in facts(coins, ids, shares, now):
                    context.sink.ingest_fact(fact)
                link.note(self._said())
                link.settled()
                link.rests(self._pause)
                await context.clock.sleep(self._pause)

    async def _coins(self, client: _Client, ids: Mapping[str, str]) -> list[Any]:
        """The markets of `ids`' coins."""
        wanted = sorted(ids)
        coins: list[Any] = []
        for start in range(0, len(wanted), COINS_A_REQUEST):
            part = ",".join(wanted[start : start + COINS_A_REQUEST])
            found = await client.get("/coins/markets", {"vs_currency": "usd", "ids": part, "per_page": "250"})
            if not isinstance(found, list):
                raise BadDataError("CoinGecko's answer is no list of coins")
            coins += found
        return coins

    async def _ids(self, client: _Client, context: Context) -> dict[str, str]:
        """CoinGecko's id → our base, of every base that it knows."""
        unknown = tuple(base for base in self._bases if base not in IDS)
        now = context.clock.now()
        if unknown and (self._looked_at is None or now - self._looked_at > NAMES_LAST_S):
            file = context.cache / "coingecko-ids.json"
            kept = await aside(_kept_names, file, now, unknown)
            self._found = await _look_up(client, unknown) if kept is None else kept
            self._looked_at = now
            if kept is None:
                await aside(_keep_names, file, now, self._found)
        named = {base: IDS.get(base) or self._found.get(base) for base in self._bases}
        return {coin: base for base, coin in named.items() if coin is not None}

    def _said(self) -> str | None:
        """What the user may want to know: the slower budget, and the bases without a coin."""
        parts = [] if self._key else [f"no key in {self._key_env}, so every {self._pause:.0f} s"]
        lacking = [base for base, coin in self._found.items() if coin is None]
        parts += [f"unknown to CoinGecko: {', '.join(lacking)}"] if lacking else []
        return words("; ".join(parts), 200) if parts else None


class _Client:
    """CoinGecko's answers as JSON, or the error that they are."""

    def __init__(self, session: aiohttp.ClientSession, proxy: str | None) -> None:
        self._session = session
        self._proxy = proxy

    async def get(self, path: str, params: Mapping[str, str]) -> Any:
        """The JSON at `path`. Raises a FeedError, or aiohttp's own errors where the network fails."""
        async with self._session.get(ROOT + path, params=params, proxy=self._proxy) as answer:
            if error := error_of_status(answer.status, seconds_of(answer.headers.get("retry-after"))):
                raise error
            body = bytearray()
            async for part in answer.content.iter_chunked(2**16):
                body += part
                if len(body) > LARGEST:
                    raise BadDataError("CoinGecko's answer is too large")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as broken:
            raise BadDataError("CoinGecko's answer is no JSON") from broken


def whole_market(answer: Any, now: float) -> tuple[MarketFact, Mapping[str, float]]:
    """The fact of the market as a whole in an answer of `/global`, and each base's share of it, per cent."""
    try:
        data = answer["data"]
        volume, cap, shares = data["total_volume"], data["total_market_cap"], data["market_cap_percentage"]
        fact = MarketFact(
            base="*",
            source=CoinGecko.source,
            as_of=stamp(_positive(data.get("updated_at")), now) or now,
            all_markets_usd=_positive(volume.get("usd")),
            market_cap_usd=_positive(cap.get("usd")),
        )
        return fact, {str(base).upper(): pct for base, share in shares.items() if (pct := _positive(share)) is not None}
    except (KeyError, TypeError, AttributeError) as broken:
        raise BadDataError("CoinGecko's answer holds no whole-market figures") from broken


def facts(
    coins: Iterable[Any], ids: Mapping[str, str], shares: Mapping[str, float], now: float
) -> Iterable[MarketFact]:
    """A fact a coin of ours in an answer of `/coins/markets`."""
    for coin in coins:
        base = ids.get(str(coin.get("id"))) if isinstance(coin, dict) else None
        if base is not None:
            yield MarketFact(
                base=base,
                source=CoinGecko.source,
                as_of=stamp(_moment(coin.get("last_updated")), now) or now,
                all_markets_usd=_positive(coin.get("total_volume")),
                market_cap_usd=_positive(coin.get("market_cap")),
                dominance_pct=shares.get(base),
            )


async def _look_up(client: _Client, bases: tuple[str, ...]) -> dict[str, str | None]:
    """The ids of coins by their tickers; of several with one ticker, the one that is worth most."""
    listed = await client.get("/coins/list", {})
    if not isinstance(listed, list):
        raise BadDataError("CoinGecko's answer is no list of coins")
    candidates: dict[str, list[str]] = {base: [] for base in bases}
    for coin in listed:
        if isinstance(coin, dict) and (ids := candidates.get(str(coin.get("symbol")).upper())) is not None:
            ids.append(str(coin.get("id")))
    rivals = [coin for ids in candidates.values() if len(ids) > 1 for coin in ids][:COINS_A_REQUEST]
    worth: dict[str, float] = {}
    if rivals:
        ranked = await client.get("/coins/markets", {"vs_currency": "usd", "ids": ",".join(rivals), "per_page": "250"})
        worth = {str(c.get("id")): _positive(c.get("market_cap")) or 0.0 for c in ranked if isinstance(c, dict)}
    return {base: max(ids, key=lambda coin: worth.get(coin, 0.0)) if ids else None for base, ids in candidates.items()}


def _kept_names(file: Path, now: float, bases: tuple[str, ...]) -> dict[str, str | None] | None:
    """The ids that an earlier run looked up; None where they are too old, incomplete or unreadable."""
    try:
        kept = orjson.loads(file.read_bytes())
        fresh = 0 <= now - float(kept["at"]) <= NAMES_LAST_S
        ids = {base: kept["ids"][base] for base in bases}
        if not all(coin is None or isinstance(coin, str) for coin in ids.values()):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ids if fresh else None


def _keep_names(file: Path, now: float, ids: Mapping[str, str | None]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_bytes(orjson.dumps({"at": now, "ids": ids}))
    beside.replace(file)


def _positive(value: object) -> float | None:
    """A finite number above zero; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e300:
        return None
    return float(value)


def _moment(text: object) -> float | None:
    """Epoch seconds of an ISO 8601 time."""
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp() if text else None
    except ValueError:
        return None
