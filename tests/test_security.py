"""What comes from outside cannot speak to the terminal, and no connection is made to a stranger."""

from __future__ import annotations

import ast
import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.config import Config
from engine.errors import BadDataError, FeedError
from engine.model import ChannelReport, FeedState, Mode
from engine.store import Partition
from feeds.ccxt_tap import closed, tapped
from feeds.flow_files import read_flow_bytes
from feeds.link import Context
from feeds.network import Border
from feeds.quirks import quirks_of
from feeds.supervisor import Supervisor
from feeds.translate import translate, words
from feeds.yahoo_http import Yahoo
from feeds.yahoo_poll import YahooPoll
from simulator.authority import Authority
from simulator.gateway import Gateway
from tests.engine.runtime import HandClock, config, engine, quote, report
from tests.feeds.fakes import RecordingSink
from tests.feeds.links import until
from tests.feeds.live import context_of, running
from tests.feeds.yahoo_site import YahooSite
from tests.program import ROOT

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07", "\x9b31m", "a\rb\nc", "\x1bPq#0\x1b\\", "\u202eUSD", "\x00\x08\x7f", "\x1b]8;;http://x\x07l",
    "\u200b\u2066\ufeff", "\u2028line",
)  # fmt: skip
"""Escape sequences, bells, returns, links, and marks that turn the reading direction around."""


@pytest.mark.parametrize("text", HOSTILE)
def test_a_venues_words_hold_nothing_that_a_terminal_obeys(text: str) -> None:
    assert words(text).isprintable()
    error = translate(aiohttp.ClientPayloadError(f"refused {text} now"))
    assert error is not None
    assert str(error).isprintable()


@pytest.mark.parametrize("text", HOSTILE)
async def test_an_error_on_the_screen_is_printable_whoever_raised_it(text: str) -> None:
    class Hostile:
        source = "kraken"
        kind = "crypto-stream"

        async def run(self, context: Context, link: object) -> None:
            raise RuntimeError(f"said {text}")

    sink = RecordingSink()
    context = Context(Config(), HandClock(), sink, Border(None, None, 1.0), Path())
    supervisor = Supervisor(Hostile(), context)
    task = asyncio.create_task(supervisor.run())
    await until(lambda: sink.reports and sink.last.error is not None)
    task.cancel()
    assert sink.last.error is not None
    assert sink.last.error.isprintable()


def test_a_symbol_that_nobody_asked_for_is_no_row() -> None:
    clock = HandClock()
    made = engine(clock, settings=config())
    for text in HOSTILE:
        made.ingest(quote(clock, symbol=text))
        made.ingest(quote(clock, symbol=f"BTC/USD{text}"))
    rows = made.beat().tables["quotes"]["symbol"].to_list()
    assert rows == list(config().symbols)


def test_what_a_feed_says_reaches_no_table_as_it_came() -> None:
    made = engine(HandClock(), mode=Mode.LIVE)
    made.report_feed(report(state=FeedState.LIVE, error=HOSTILE[0], note=HOSTILE[1]))
    made.report_channel(ChannelReport("kraken:tickers", "kraken", True, 15.0))
    row = made.beat().tables["feeds"].row(0, named=True)
    assert all(value.isprintable() for value in row.values() if isinstance(value, str))


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Two authorities: the gateway's, and the one that the client trusts."""
    folders = (tmp_path / "gateway", tmp_path / "trusted")
    for folder in folders:
        folder.mkdir()
    yield folders


async def test_a_certificate_of_an_unknown_authority_is_refused_by_every_client(
    strangers: tuple[Path, Path], tmp_path: Path
) -> None:
    site = YahooSite()
    gateway = Gateway([site], Authority(strangers[0]))
    await gateway.start()
    trusted = str(Authority(strangers[1]).ca_file)
    border = Border(gateway.proxy, trusted, 3.0)

    def ask() -> Any:
        return Yahoo(border, tmp_path / "cache").quotes(("IWM",))

    try:
        with pytest.raises(Exception, match=r"certificate|SSL|TLS") as by_curl:
            await asyncio.to_thread(ask)
        assert not isinstance(by_curl.value, FeedError) or "certificate" in str(by_curl.value)
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get("https://query1.finance.yahoo.com/", proxy=gateway.proxy, ssl=border.ssl_context())
        sink = RecordingSink()
        context = context_of(gateway, sink, tmp_path)
        async with running(YahooPoll(Config()), Context(**{**_fields(context), "border": border})):
            await until(lambda: sink.reports and sink.last.error is not None)
            assert sink.last.error is not None
            assert "certificate is not trusted" in sink.last.error
        assert site.requests == []
    finally:
        await gateway.stop()


def _fields(context: Context) -> dict[str, Any]:
    return {name: getattr(context, name) for name in ("config", "clock", "sink", "border", "cache")}


async def test_every_client_is_told_to_verify() -> None:
    border = Border(None, None, 1.0)
    trust = border.ssl_context()
    assert (trust.verify_mode, trust.check_hostname) == (ssl.CERT_REQUIRED, True)
    exchange = await tapped("kraken", border, quirks_of("kraken"), None)
    try:
        assert exchange.verify is True
        assert exchange.ssl_context.verify_mode is ssl.CERT_REQUIRED
    finally:
        await closed(exchange)


def test_no_line_of_the_program_turns_verification_off() -> None:
    off = {"verify", "ssl", "verify_ssl", "check_hostname"}
    for room in ("engine", "feeds", "notify", "tui"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg in off:
                    assert not (isinstance(node.value, ast.Constant) and node.value.value is False), file
                if isinstance(node, ast.Attribute):
                    assert node.attr not in {"CERT_NONE", "_create_unverified_context"}, file


DEEP = b'<?xml version="1.0"?>' + b"<a>" * 100_000 + b"</a>" * 100_000
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Workbook>&a;</Workbook>'


@pytest.mark.parametrize(("content", "says"), [(DEEP, "levels"), (ENTITIES, "declares entities")])
def test_a_workbook_is_neither_deep_nor_does_it_name_other_files(content: bytes, says: str) -> None:
    with pytest.raises(BadDataError, match=says):
        read_flow_bytes("x.xls", content)


def test_a_symbol_of_the_configuration_names_no_file_outside_of_the_store(tmp_path: Path) -> None:
    for source, symbol in (("..", "../../x"), ("kraken/../..", "/etc/passwd"), ("a\\..", "..\\x"), (".", ".")):
        file = (tmp_path / Partition(source, symbol, "1d").file).resolve()
        assert tmp_path.resolve() in file.parents


def test_no_socket_listens_but_the_demos_gateway() -> None:
    """Least surface: nothing but the simulator, a child process on loopback, ever opens a port."""
    listening = {"create_server", "start_server", "start_unix_server", "TCPServer", "ThreadingHTTPServer", "listen"}
    for room in ("engine", "feeds", "notify", "tui"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                assert not (isinstance(node, ast.Attribute) and node.attr in listening), file
    gateway = (ROOT / "simulator" / "gateway.py").read_text(encoding="utf-8")
    assert gateway.count("create_server(") == 1
    assert 'create_server(lambda: Tunnel(self), "127.0.0.1", self.port)' in gateway
