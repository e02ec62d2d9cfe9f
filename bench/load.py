"""A gateway that only sends: Kraken's version 2 ticker over TLS, as fast as it is told, and counted.

Run it as a child: `python -m bench.load --symbols 1000`. It speaks JSON lines.

    stdout  {"event": "ready", "proxy": …, "ca_file": …, "exchange": "kraken", "symbols": ["L0000/USD", …]}
    stdout  {"event": "subscribed", "symbols": 1000}              whenever a client has subscribed to all of them
    stdin   {"rate": 5000, "seconds": 10, "seed": 1}              one round; rate in ticks a second over all symbols
    stdout  {"event": "done", "sent": 50000, "seconds": 10.0, "rate": 5000.0, "behind_s": 0.0, "cpu_s": 1.9,
             "per_symbol": {symbol: count}, "high": {symbol: price}, "low": {symbol: price}, "last": {symbol: price}}

It ends when stdin closes. A ticker's price tells which it is: its symbol's n-th update of a round costs
100 + n / 10,000, but for two planted ones, which cost 900 and 10 in place of the 100: the round's `high` and `low`. So
a reader that counts, and keeps last, high and low, has proof that it lost none. `behind_s` is how much longer than
`seconds` the sending took because the reader did not read. A ticker's `timestamp` is when it was sent, on this
machine's clock. The snapshot that answers a subscription costs 50 and is not counted.

Invariant: nothing is serialised at tick rate but the price, the number and the time of the batch; what was counted was
written to the socket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson

from simulator.authority import Authority
from simulator.gateway import Gateway, Reply, Request, Socket

BATCH_S = 0.005
"""Seconds between two looks at how many ticks are due."""
NORMAL, HIGH, LOW = 100, 900, 10
LONGEST_S = 600.0
MOST_SYMBOLS = 5000
MOST_RATE = 200_000


def stamp() -> str:
    """Now, as Kraken writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Round:
    """One planned sequence of ticks: which symbol comes when, and where its extremes are."""

    def __init__(self, symbols: int, ticks: int, seed: int) -> None:
        chance = random.Random(seed)
        self.order = [chance.randrange(symbols) for _ in range(ticks)]
        total = [0] * symbols
        for index in self.order:
            total[index] += 1
        self.high_at = [chance.randrange(1, n) if n > 2 else 0 for n in total]
        self.low_at = [(high % (n - 1)) + 1 if n > 2 else 0 for high, n in zip(self.high_at, total, strict=True)]
        self.count = [0] * symbols

    def price(self, index: int) -> str:
        """The next price of a symbol, exact to four decimals."""
        n = self.count[index] = self.count[index] + 1
        base = HIGH if n == self.high_at[index] else LOW if n == self.low_at[index] else NORMAL
        return f"{base + n // 10_000}.{n % 10_000:04d}"


class LoadSite:
    """Kraken's hosts with invented symbols; sends rounds to the connection that has subscribed to all of them."""

    hosts = frozenset({"api.kraken.com", "ws.kraken.com"})

    def __init__(self, symbols: int) -> None:
        self.symbols = [f"L{n:04d}/USD" for n in range(symbols)]
        self._place = {symbol: n for n, symbol in enumerate(self.symbols)}
        self.ready = asyncio.Event()
        self._socket: Socket | None = None

    async def run(self) -> None:
        return

    async def http(self, request: Request) -> Reply:
        match request.path.removeprefix("/0/public/"):
            case "Assets":
                result: object = {name: _asset(name) for name in ("USD", *(s[:-4] for s in self.symbols))}
            case "AssetPairs":
                result = {symbol.replace("/", ""): _pair(symbol) for symbol in self.symbols}
            case "SystemStatus":
                result = {"status": "online", "timestamp": stamp()}
            case "OHLC":
                result = {request.first("pair"): [], "last": 0}
            case _:
                return Reply.json({"error": ["EGeneral:Unknown method"]}, 404)
        return Reply.json({"error": [], "result": result})

    async def socket(self, request: Request, socket: Socket) -> None:
        subscribed: set[str] = set()
        async for text in socket:
            message = orjson.loads(text)
            if message.get("method") == "ping":
                await socket.send(f'{{"method":"pong","req_id":{message.get("req_id", 0)}}}')
                continue
            wanted = [s for s in message.get("params", {}).get("symbol", ()) if s in self._place]
            for symbol in wanted:
                await socket.send(self._ticker(symbol, "50.0000", 0, "snapshot", stamp()))
            subscribed.update(wanted)
            if len(subscribed) == len(self.symbols) and self._socket is not socket:
                self._socket = socket
                self.ready.set()
                say({"event": "subscribed", "symbols": len(subscribed)})
        if self._socket is socket:
            self._socket = None
            self.ready.clear()

    @staticmethod
    def _parts(symbol: str, kind: str) -> tuple[str, str]:
        """A ticker's constant text before the price and after it."""
        head = (
            f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{symbol}","bid":99.99,"bid_qty":5.45673101,'
            '"ask":100.01,"ask_qty":0.36974422,"last":'
        )
        tail = ',"volume":1020.88391276,"vwap":100.5,"low":10,"high":901,"change":0.7,"change_pct":0.7,"trades":'
        return head, tail

    def _ticker(self, symbol: str, price: str, number: int, kind: str, at: str) -> str:
        head, tail = self._parts(symbol, kind)
        return f'{head}{price}{tail}{number},"timestamp":"{at}"}}]}}'

    async def send(self, rate: float, seconds: float, seed: int) -> dict[str, object]:
        """One round to the subscriber; returns what was sent."""
        plan = Round(len(self.symbols), round(rate * seconds), seed)
        parts = [self._parts(symbol, "update") for symbol in self.symbols]
        socket = self._socket
        assert socket is not None
        last: dict[str, float] = {}
        sent, cpu, begun = 0, time.process_time(), time.perf_counter()
        due_all: Iterator[int] = iter(plan.order)
        while sent < len(plan.order) and not socket.closed:
            due = min(len(plan.order), int((time.perf_counter() - begun) * rate)) - sent
            at = stamp()
            for _ in range(due):
                index = next(due_all)
                head, tail = parts[index]
                price = plan.price(index)
                await socket.send(f'{head}{price}{tail}{plan.count[index]},"timestamp":"{at}"}}]}}')
            sent += due
            await asyncio.sleep(BATCH_S)
        took = time.perf_counter() - begun
        high, low = {}, {}
        for symbol, n, up, down in zip(self.symbols, plan.count, plan.high_at, plan.low_at, strict=True):
            if n:
                prices = [NORMAL + 1e-4, NORMAL + n / 1e4]
                prices += [HIGH + up / 1e4] * bool(up) + [LOW + down / 1e4] * bool(down)
                high[symbol], low[symbol] = round(max(prices), 4), round(min(prices), 4)
                last_base = HIGH if n == up else LOW if n == down else NORMAL
                last[symbol] = round(last_base + n / 1e4, 4)
        return {
            "event": "done",
            "sent": sent,
            "seconds": round(took, 3),
            "rate": round(sent / took, 1),
            "behind_s": round(max(0.0, took - seconds - 2 * BATCH_S), 3),
            "cpu_s": round(time.process_time() - cpu, 3),
            "per_symbol": dict(zip(self.symbols, plan.count, strict=True)),
            "high": high,
            "low": low,
            "last": last,
        }


def _asset(name: str) -> dict[str, object]:
    return {"aclass": "currency", "altname": name, "decimals": 10, "display_decimals": 5, "status": "enabled"}


def _pair(symbol: str) -> dict[str, object]:
    base, quote = symbol.split("/")
    return {
        "altname": base + quote,
        "wsname": symbol,
        "aclass_base": "currency",
        "base": base,
        "aclass_quote": "currency",
        "quote": quote,
        "pair_decimals": 4,
        "lot_decimals": 8,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "ordermin": "1",
        "status": "online",
    }


def say(value: object) -> None:
    """One JSON line on stdout."""
    print(json.dumps(value), flush=True)


async def main(symbols: int) -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    site = LoadSite(symbols)
    with tempfile.TemporaryDirectory(prefix="sizewatch-load-") as folder:
        gateway = Gateway([site], Authority(Path(folder)))
        await gateway.start()
        say(
            {
                "event": "ready",
                "proxy": gateway.proxy,
                "ca_file": gateway.ca_file,
                "exchange": "kraken",
                "symbols": site.symbols,
            }
        )
        while line := await orders.readline():
            order = json.loads(line)
            rate = min(float(order.get("rate", 5000)), MOST_RATE)
            seconds = min(float(order.get("seconds", 10)), LONGEST_S)
            await site.ready.wait()
            say(await site.send(rate, seconds, int(order.get("seed", 1))))
        await gateway.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="A gateway that only sends, and counts.")
    parser.add_argument("--symbols", type=int, default=1000, help=f"how many symbols, at most {MOST_SYMBOLS}")
    asyncio.run(main(max(1, min(parser.parse_args().symbols, MOST_SYMBOLS))))
