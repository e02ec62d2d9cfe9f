"""Asks each configured source one small question through the network border, all at once, for `doctor`.

A probe never raises: what went wrong becomes a line in the words that the feeds pane would use.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from engine.config import Config
from engine.doctor import Finding
from engine.errors import BlockedError, FeedError, RateLimitedError, TransientError
from feeds.ccxt_import import ccxt_pro
from feeds.network import Border
from feeds.translate import error_of_status, translate, words

PATIENCE_S: Final = 8.0
"""Seconds for a probe's answer, at the most; the border's time-out where that is shorter."""
CHART: Final = "https://query1.finance.yahoo.com/v8/finance/chart/SPY?range=1d&interval=1d"
STREAMER: Final = "wss://streamer.finance.yahoo.com/?version=2"
COINGECKO: Final = "https://api.coingecko.com/api/v3/global"

Question = Callable[[], Awaitable[str]]


async def probe(config: Config, border: Border) -> list[Finding]:
    """The proxy and the authorities first, then each source; the last line says what to do where none answers."""
    findings = [*_authorities(border), *await _proxy(border)]
    if any(finding.fix for finding in findings):
        return [*findings, Finding("sources", "not asked: nothing can be reached before that is put right", good=False)]
    questions: dict[str, Question] = {name: _venue(name, border) for name in config.crypto.exchanges}
    if config.equity.symbols:
        questions["yahoo"] = lambda: asyncio.to_thread(_yahoo, border)
        if config.equity.stream:
            questions["streamer"] = lambda: _streamer(border)
    if config.coingecko.enabled:
        questions["coingecko"] = lambda: _get(COINGECKO, border)
    answers = await asyncio.gather(*(_asked(name, question, border) for name, question in questions.items()))
    if answers and not any(answer.good for answer in answers):
        fix = "check the network; behind a company's proxy set [network] proxy and ca_file"
        answers.append(Finding("sources", "none can be reached", fix, good=False))
    return [*findings, *answers]


async def _asked(name: str, question: Question, border: Border) -> Finding:
    started = time.monotonic()
    try:
        async with asyncio.timeout(min(PATIENCE_S, border.timeout)):
            what = await question()
    except Exception as raised:  # noqa: BLE001  a probe's whole purpose is to say what was raised
        error = translate(raised) or TransientError(words(f"{type(raised).__name__}: {raised}"))
        return Finding(name, str(error), _fix(error), good=False)
    return Finding(name, f"{what} in {(time.monotonic() - started) * 1000:,.0f} ms")


def _fix(error: FeedError) -> str:
    """What the user must do; nothing for what passes by itself or lies with the venue."""
    text = str(error)
    if isinstance(error, BlockedError | RateLimitedError):
        return ""
    if "certificate" in text:
        return "name the authority that your network uses in [network] ca_file"
    return "set [network] proxy right" if "proxy" in text else ""


def _authorities(border: Border) -> list[Finding]:
    if border.ca_file is None:
        return [Finding("network", "the usual certificate authorities")]
    try:
        border.ssl_context()
    except OSError as error:
        fix = "set [network] ca_file (or SSL_CERT_FILE) to a PEM file of certificate authorities"
        return [Finding("network", f"{border.ca_file}: {error.strerror or error}", fix, good=False)]
    return [Finding("network", f"certificate authorities of {border.ca_file}")]


async def _proxy(border: Border) -> list[Finding]:
    if border.proxy is None:
        return [Finding("network", "no proxy")]
    parts = urlsplit(border.proxy if "//" in border.proxy else f"//{border.proxy}")
    shown = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)  # without a password
    try:
        async with asyncio.timeout(min(PATIENCE_S, border.timeout)):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    except (OSError, ValueError) as error:
        why = translate(error) or error
        return [Finding("network", f"proxy {shown}: {why}", "set [network] proxy (or HTTPS_PROXY) right", good=False)]
    writer.close()
    return [Finding("network", f"proxy {shown} answers")]


def _venue(name: str, border: Border) -> Question:
    """The exchange's own time, or its markets where it tells none."""

    async def ask() -> str:
        pro = await asyncio.to_thread(ccxt_pro)
        exchange = getattr(pro, name)({"timeout": border.timeout * 1000, "enableRateLimit": False})
        exchange.aiohttp_trust_env = False
        if border.proxy:
            exchange.httpsProxy = border.proxy
        if border.ca_file:
            exchange.cafile = border.ca_file
        try:
            await (exchange.fetch_time() if exchange.has.get("fetchTime") else exchange.fetch_markets())
        finally:
            await exchange.close()
        return "answers"

    return ask


async def _get(url: str, border: Border) -> str:
    import aiohttp

    connector = aiohttp.TCPConnector(ssl=border.ssl_context())
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url, proxy=border.proxy) as answer:
        return _judged(answer.status, await answer.text())


def _yahoo(border: Border) -> str:
    from curl_cffi import requests

    proxies: Any = {"https": border.proxy} if border.proxy else None
    verify: Any = border.ca_file or True  # its annotation forgets that it takes a file, too
    with requests.Session(impersonate="chrome", proxies=proxies, verify=verify) as session:
        answer = session.get(CHART, timeout=min(PATIENCE_S, border.timeout))
    return _judged(answer.status_code, answer.text)


def _judged(status: int, text: str) -> str:
    error = error_of_status(status, None, text)
    if error is not None:
        raise error
    return "answers"


async def _streamer(border: Border) -> str:
    from feeds.yahoo_socket import opened

    async with opened(STREAMER, border, border.ssl_context()):
        return "connects"
