"""CoinGecko's free API as a site: the whole market, by coin and in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from simulator.gateway import Reply, Request, Socket
from simulator.market import Market
from simulator.scenario import Coin
from simulator.sessions import DAY

_ROOT: Final = "/api/v3"
_UNLISTED_VOLUME: Final = 1.35
"""All coins' volume over that of the coins which the scenario knows."""
_CATEGORIES: Final = (
    ("artificial-intelligence", "Artificial Intelligence (AI)", ("ai",)),
    ("decentralized-finance-defi", "Decentralized Finance (DeFi)", ("defi",)),
    ("meme-token", "Meme", ("meme",)),
    ("layer-1", "Layer 1 (L1)", ("majors", "large")),
)
"""CoinGecko's id and name of a category, and the scenario's groups that make it."""
_PAGE: Final = 100
_PAGE_LIMIT: Final = 250


class CoinGeckoSite:
    """api.coingecko.com on the simulated market."""

    hosts = frozenset({"api.coingecko.com", "pro-api.coingecko.com"})

    def __init__(self, market: Market) -> None:
        self._market = market

    async def http(self, request: Request) -> Reply:
        answers: dict[str, Callable[[], object]] = {
            "/ping": lambda: {"gecko_says": "(V3) To the Moon!"},
            "/global": self._global,
            "/coins/categories": self._categories,
            "/coins/list": self._list,
            "/coins/markets": lambda: self._markets(request),
            "/simple/price": lambda: self._prices(request),
        }
        answer = answers.get(request.path.removeprefix(_ROOT))
        if answer is None or not request.path.startswith(_ROOT):
            return Reply.json({"error": "Incorrect path. Please check https://docs.coingecko.com/"}, 404)
        if request.path.endswith("/markets") and not request.first("vs_currency"):
            return Reply.json({"error": "Missing parameter vs_currency"}, 422)
        return Reply.json(answer())

    async def socket(self, request: Request, socket: Socket) -> None:
        """There is none."""
        await socket.close(1008, "no websocket here")

    async def run(self) -> None:
        """Nothing to do between requests."""

    def _global(self) -> dict[str, Any]:
        market, coins = self._market, self._market.scenario.coins
        now = market.now()
        whole = market.all_capitalisation(now)
        before = market.all_capitalisation(now - DAY)
        volume = _UNLISTED_VOLUME * sum(market.volume_usd(base, now) for base in coins)
        largest = sorted(coins, key=lambda base: -market.capitalisation(base, now))[:10]
        share = {base.lower(): 100 * market.capitalisation(base, now) / whole for base in largest}
        data = {
            "active_cryptocurrencies": 18_714,
            "upcoming_icos": 0,
            "ongoing_icos": 49,
            "ended_icos": 3_376,
            "markets": 1_454,
            "total_market_cap": {"usd": whole, "btc": whole / market.price("BTC", now)},
            "total_volume": {"usd": volume, "btc": volume / market.price("BTC", now)},
            "market_cap_percentage": share,
            "market_cap_change_percentage_24h_usd": 100 * (whole / before - 1),
            "updated_at": int(now),
        }
        return {"data": data}

    def _categories(self) -> list[dict[str, Any]]:
        """The scenario's groups of coins, under CoinGecko's names, and a category that nobody asks for."""
        market, now = self._market, self._market.now()
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rows = []
        for id_, name, groups in _CATEGORIES:
            coins = [base for base, coin in market.scenario.coins.items() if coin.group in groups]
            cap, before = (sum(market.capitalisation(base, t) for base in coins) for t in (now, now - DAY))
            rows.append(
                {
                    "id": id_,
                    "name": name,
                    "market_cap": cap,
                    "market_cap_change_24h": 100 * (cap / before - 1) if before else None,
                    "volume_24h": sum(market.volume_usd(base, now) for base in coins),
                    "updated_at": at,
                }
            )
        return sorted(rows, key=lambda row: -float(str(row["market_cap"])))

    def _list(self) -> list[dict[str, str]]:
        coins = self._market.scenario.coins.values()
        return [{"id": each.id, "symbol": each.base.lower(), "name": each.name} for each in coins]

    def _chosen(self, request: Request) -> list[Coin]:
        """The coins that `ids`, `symbols` or `names` list; all where none of them is given."""
        coins = list(self._market.scenario.coins.values())
        for name, value in (("ids", "id"), ("symbols", "base"), ("names", "name")):
            if wanted := {each for each in request.first(name).lower().split(",") if each}:
                return [coin for coin in coins if getattr(coin, value).lower() in wanted]
        return coins

    def _markets(self, request: Request) -> list[dict[str, Any]]:
        now = self._market.now()
        caps = {base: self._market.capitalisation(base, now) for base in self._market.scenario.coins}
        rank = {base: place for place, base in enumerate(sorted(caps, key=lambda base: -caps[base]), 1)}
        size = min(int(_number(request, "per_page", _PAGE)), _PAGE_LIMIT)
        page = int(_number(request, "page", 1))
        chosen = sorted(self._chosen(request), key=lambda coin: rank[coin.base])
        return [self._row(coin, rank, caps, now) for coin in chosen[(page - 1) * size : page * size]]

    def _row(self, coin: Coin, rank: Mapping[str, int], caps: Mapping[str, float], now: float) -> dict[str, Any]:
        price, before = self._market.price(coin.base, now), self._market.price(coin.base, now - DAY)
        return {
            "id": coin.id,
            "symbol": coin.base.lower(),
            "name": coin.name,
            "current_price": round(price, coin.decimals),
            "market_cap": round(caps[coin.base]),
            "market_cap_rank": rank[coin.base],
            "total_volume": round(self._market.volume_usd(coin.base, now)),
            "price_change_24h": price - before,
            "price_change_percentage_24h": 100 * (price / before - 1),
            "circulating_supply": coin.supply,
            "last_updated": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

    def _prices(self, request: Request) -> dict[str, Any]:
        now = self._market.now()
        prices = {}
        for coin in self._chosen(request):
            prices[coin.id] = {
                "usd": round(self._market.price(coin.base, now), coin.decimals),
                "usd_market_cap": self._market.capitalisation(coin.base, now),
                "usd_24h_vol": self._market.volume_usd(coin.base, now),
                "last_updated_at": int(now),
            }
        return prices


def _number(request: Request, name: str, default: float) -> float:
    text = request.first(name)
    return float(text) if text.isdigit() and int(text) > 0 else default
