"""The free sources of outside facts as sites: each in its own format, all drawn from the one simulated market."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from simulator.gateway import Reply, Request, Socket
from simulator.market import Market
from simulator.paths import generator
from simulator.sessions import DAY

_DEX: Final = 0.11
"""Volume of decentralised exchanges over all of it."""
_LOCKED: Final = 0.04
"""Value locked over the capitalisation of all coins."""
_ACTIVITY: Final = {"btc": (720_000, 410_000), "eth": (560_000, 1_380_000)}
"""Active addresses and transactions a day."""
_RATES: Final = {"DFF": ("^IRX", 0.12), "DGS10": ("^TNX", 0.0), "T10YIE": ("^TNX", -1.9)}
"""FRED's series → the simulated rate that it follows, and how far above it lies, in points."""
_LISTED: Final = (
    ("SCHA", "Schwab U.S. Small-Cap ETF", "P"), ("VTWO", "Vanguard Russell 2000 ETF", "Q"),
    ("SPSM", "State Street SPDR Portfolio S&P 600 Small Cap ETF", "P"), 
    ("AVUV", "Avantis U.S. Small Cap Value ETF", "P"),
    ("TNA", "Direxion Daily Small Cap Bull 3X ETF", "P"), ("VOO", "Vanguard S&P 500 ETF", "P"),
)  # fmt: skip
_HEAD: Final = (
    "Nasdaq Traded|Symbol|Security Name|Listing Exchange|Market Category|ETF|Round Lot Size|Test Issue|"
    "Financial Status|CQS Symbol|NASDAQ Symbol|NextShares"
)


class OutsideSite:
    """DefiLlama, Coin Metrics, alternative.me, FRED and Nasdaq's symbol directory."""

    hosts = frozenset(
        {
            "api.llama.fi",
            "community-api.coinmetrics.io",
            "api.alternative.me",
            "api.stlouisfed.org",
            "www.nasdaqtrader.com",
        }
    )

    def __init__(self, market: Market) -> None:
        self._market = market
        self._answers: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("api.llama.fi", "/overview/dexs"): self._dexs,
            ("api.llama.fi", "/v2/historicalChainTvl"): self._locked,
            ("community-api.coinmetrics.io", "/v4/timeseries/asset-metrics"): self._on_chain,
            ("api.alternative.me", "/fng/"): self._sentiment,
            ("api.stlouisfed.org", "/fred/series/observations"): self._rates,
            ("www.nasdaqtrader.com", "/dynamic/symdir/nasdaqtraded.txt"): self._directory,
        }

    async def http(self, request: Request) -> Reply:
        answer = self._answers.get((request.host.partition(":")[0], request.path))
        return Reply.json({"error": "Not found"}, 404) if answer is None else answer(request)

    async def socket(self, request: Request, socket: Socket) -> None:
        """There is none."""
        await socket.close(1008, "no websocket here")

    async def run(self) -> None:
        """Nothing to do between requests."""

    def _days(self, count: int, back: int = 0) -> list[int]:
        """The begins of the last `count` UTC days, oldest first; the newest is `back` days before today's."""
        today = int(self._market.now()) // DAY * DAY
        return [today - (back + age) * DAY for age in reversed(range(count))]

    def _noise(self, name: str, day: int) -> float:
        return float(generator(self._market.scenario.seed, name, day // DAY).standard_normal())

    def _dexs(self, request: Request) -> Reply:
        now = self._market.now()
        whole, before = (
            _DEX * sum(self._market.volume_usd(base, at) for base in self._market.scenario.coins)
            for at in (now, now - DAY)
        )
        return Reply.json({"total24h": whole, "total48hto24h": before, "change_1d": 100 * (whole / before - 1)})

    def _locked(self, request: Request) -> Reply:
        days = self._days(60)
        return Reply.json([{"date": day, "tvl": _LOCKED * self._market.all_capitalisation(day)} for day in days])

    def _on_chain(self, request: Request) -> Reply:
        count = int(request.first("limit_per_asset", "10"))
        metrics = request.first("metrics").split(",")
        rows: list[dict[str, Any]] = []
        for asset in request.first("assets").split(","):
            if asset not in _ACTIVITY:
                return Reply.json(
                    {"error": {"type": "bad_parameter", "message": f"Bad parameter 'assets': {asset}"}}, 400
                )
            for day in self._days(min(count, 1000), back=1):
                weekend = 0.9 if datetime.fromtimestamp(day, UTC).weekday() > 4 else 1.0
                counts = dict(zip(("AdrActCnt", "TxCnt"), _ACTIVITY[asset], strict=True))
                row = {"asset": asset, "time": f"{datetime.fromtimestamp(day, UTC):%Y-%m-%dT00:00:00.000000000Z}"}
                for metric in metrics:
                    if metric in counts:
                        level = counts[metric] * weekend * (1 + 0.03 * self._noise(asset + metric, day))
                        row[metric] = str(round(level))
                rows.append(row)
        return Reply.json({"data": rows})

    def _sentiment(self, request: Request) -> Reply:
        """From BTC's return of 30 days: −30 % is 5, nothing is 50, +30 % is 95."""
        rows = []
        for day in reversed(self._days(int(request.first("limit", "1") or 1) or 30)):
            change = self._market.price("BTC", day) / self._market.price("BTC", day - 30 * DAY) - 1
            value = int(np.clip(round(50 + 150 * change), 2, 98))
            word = next(w for top, w in ((25, "Extreme Fear"), (46, "Fear"), (54, "Neutral"), (75, "Greed"),
                                         (100, "Extreme Greed")) if value <= top)  # fmt: skip
            rows.append({"value": str(value), "value_classification": word, "timestamp": str(day)})
        return Reply.json({"name": "Fear and Greed Index", "data": rows, "metadata": {"error": None}})

    def _rates(self, request: Request) -> Reply:
        if not request.first("api_key"):
            said = "Bad Request.  Variable api_key is not set.  Read https://fred.stlouisfed.org/docs/api/api_key.html"
            return Reply.json({"error_code": 400, "error_message": said}, 400)
        series = request.first("series_id")
        if series not in _RATES:
            return Reply.json({"error_code": 400, "error_message": "Bad Request.  The series does not exist."}, 400)
        symbol, above = _RATES[series]
        count = int(request.first("limit", "10"))
        rows = []
        for day in reversed(self._days(count, back=1)):
            open_day = datetime.fromtimestamp(day, UTC).weekday() < 5
            value = f"{self._market.price(symbol, day + 20 * 3600) + above:.2f}" if open_day else "."
            rows.append({"date": f"{datetime.fromtimestamp(day, UTC):%Y-%m-%d}", "value": value})
        return Reply.json({"count": count, "observations": rows})

    def _directory(self, request: Request) -> Reply:
        own = ((s.symbol, s.name, "P") for s in self._market.scenario.securities.values() if s.kind == "etf")
        lines = [f"Y|{symbol}|{name}|{exchange}| |Y|100|N||{symbol}|{symbol}|N" for symbol, name, exchange in
                 sorted({*own, *_LISTED})]  # fmt: skip
        lines.append("Y|ZVZZT|NASDAQ TEST STOCK|Q|G|N|100|Y|N||ZVZZT|N")
        made = datetime.fromtimestamp(self._market.now(), UTC)
        text = "\r\n".join([_HEAD, *lines, f"File Creation Time: {made:%m%d%Y%H:%M}|||||||||||", ""])
        return Reply(200, text.encode(), {}, "text/plain")
