"""The gateway carries real clients over TLS; what it does not serve it refuses; and it can fail on demand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import websockets
from curl_cffi import requests as curl
from websockets.exceptions import ConnectionClosed, InvalidProxyStatus

from simulator.authority import Authority
from simulator.faults import Fault
from simulator.gateway import Gateway, Reply, Request, Socket


class Echo:
    """Answers with what it was asked, and says back what it hears."""

    hosts = frozenset({"echo.example"})

    async def http(self, request: Request) -> Reply:
        return Reply.json(
            {
                "method": request.method,
                "path": request.path,
                "symbols": request.query.get("symbols"),
                "one": request.first("one", "none"),
                "agent": request.headers.get("user-agent"),
                "body": request.body.decode(),
            }
        )

    async def socket(self, request: Request, socket: Socket) -> None:
        await socket.send(f"hello {request.path}")
        async for text in socket:
            await socket.send(text)

    async def run(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    made = Gateway([Echo()], Authority(tmp_path))
    await made.start()
    yield made
    await made.stop()


def trusting(gateway: Gateway) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=gateway.ca_file)


async def test_aiohttp_gets_and_posts_through_it(gateway: Gateway) -> None:
    async with aiohttp.ClientSession() as session:
        url = "https://echo.example/a/b?symbols=X&symbols=Y&one=1"
        async with session.get(url, proxy=gateway.proxy, ssl=trusting(gateway)) as answer:
            said = await answer.json()
        async with session.post(url, data=b"x" * 40_000, proxy=gateway.proxy, ssl=trusting(gateway)) as answer:
            posted = await answer.json()
    assert (said["method"], said["path"], said["symbols"], said["one"]) == ("GET", "/a/b", ["X", "Y"], "1")
    assert posted["body"] == "x" * 40_000


async def test_aiohttp_holds_a_websocket_through_it(gateway: Gateway) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect("wss://echo.example:9443/ws", proxy=gateway.proxy, ssl=trusting(gateway)) as socket,
    ):
        assert await socket.receive_str() == "hello /ws"
        await socket.send_str("again")
        assert await socket.receive_str() == "again"


async def test_websockets_holds_a_websocket_through_it(gateway: Gateway) -> None:
    async with websockets.connect("wss://echo.example/?v=2", proxy=gateway.proxy, ssl=trusting(gateway)) as socket:
        assert await socket.recv() == "hello /"
        for number in range(100):
            await socket.send(str(number))
        assert [await socket.recv() for _ in range(100)] == [str(number) for number in range(100)]


async def test_curl_posing_as_a_browser_is_served(gateway: Gateway) -> None:
    def ask() -> list[dict[str, str]]:
        # curl_cffi takes a CA file here, as requests does; its types know only the switch
        with curl.Session(impersonate="chrome", proxy=gateway.proxy, verify=gateway.ca_file) as session:  # type: ignore[arg-type]
            return [session.get(f"https://echo.example/{n}").json() for n in range(5)]

    assert [said["path"] for said in await asyncio.to_thread(ask)] == ["/0", "/1", "/2", "/3", "/4"]


async def test_a_host_that_nobody_serves_is_refused(gateway: Gateway) -> None:
    with pytest.raises(InvalidProxyStatus) as caught:
        await websockets.connect("wss://elsewhere.example", proxy=gateway.proxy, ssl=trusting(gateway))
    assert caught.value.response.status_code == 502
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientHttpProxyError) as refused:
            await session.get("https://elsewhere.example", proxy=gateway.proxy, ssl=trusting(gateway))
    assert refused.value.status == 502


async def test_a_refused_host_is_served_again_when_it_is_no_longer_refused(gateway: Gateway) -> None:
    gateway.refused.add("echo.example")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientHttpProxyError):
            await session.get("https://echo.example", proxy=gateway.proxy, ssl=trusting(gateway))
        gateway.refused.clear()
        async with session.get("https://echo.example", proxy=gateway.proxy, ssl=trusting(gateway)) as answer:
            assert answer.status == 200


async def test_plain_requests_are_no_business_of_a_gateway(gateway: Gateway) -> None:
    async with aiohttp.ClientSession() as session, session.get(gateway.proxy) as answer:
        assert answer.status == 405


async def test_a_client_that_does_not_trust_it_gets_nothing(gateway: Gateway) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get("https://echo.example", proxy=gateway.proxy)


async def test_drop_all_cuts_open_sockets_and_new_ones_are_welcome(gateway: Gateway) -> None:
    async with websockets.connect("wss://echo.example", proxy=gateway.proxy, ssl=trusting(gateway)) as socket:
        await socket.recv()
        gateway.drop_all()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
    async with websockets.connect("wss://echo.example", proxy=gateway.proxy, ssl=trusting(gateway)) as socket:
        assert await socket.recv() == "hello /"


async def test_close_sockets_says_goodbye_with_its_code(gateway: Gateway) -> None:
    async with websockets.connect("wss://echo.example", proxy=gateway.proxy, ssl=trusting(gateway)) as socket:
        await socket.recv()
        await gateway.close_sockets(1001, "maintenance")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "maintenance")


async def test_a_muted_host_holds_the_line_and_says_nothing(gateway: Gateway) -> None:
    async with websockets.connect("wss://echo.example", proxy=gateway.proxy, ssl=trusting(gateway)) as socket:
        await socket.recv()
        gateway.muted.add("echo.example")
        await socket.send("anyone?")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.3)
        gateway.muted.clear()
        await socket.send("now?")
        assert await asyncio.wait_for(socket.recv(), 5) == "now?"


async def test_it_comes_back_on_the_same_port_with_the_same_authority(tmp_path: Path) -> None:
    first = Gateway([Echo()], Authority(tmp_path))
    await first.start()
    port, trust = first.port, trusting(first)
    await first.stop()
    with pytest.raises(OSError):
        await websockets.connect("wss://echo.example", proxy=first.proxy, ssl=trust)
    await first.start()
    assert first.port == port
    async with websockets.connect("wss://echo.example", proxy=first.proxy, ssl=trust) as socket:
        assert await socket.recv() == "hello /"
    await first.stop()
    second = Gateway([Echo()], Authority(tmp_path), port=port)
    await second.start()
    async with websockets.connect("wss://echo.example", proxy=second.proxy, ssl=trust) as socket:
        assert await socket.recv() == "hello /"
    await second.stop()


async def test_stop_leaves_no_task_behind(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    gateway = Gateway([Echo()], Authority(tmp_path))
    await gateway.start()
    socket = await websockets.connect("wss://echo.example", proxy=gateway.proxy, ssl=trusting(gateway))
    await socket.recv()
    await gateway.stop()
    await socket.close()
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("first", ["client", "server"])
async def test_a_half_open_connection_is_dead_for_good_whichever_side_spoke_first(first: str, tmp_path: Path) -> None:
    class Kept(Echo):
        spoken: Socket

        async def socket(self, request: Request, socket: Socket) -> None:
            self.spoken = socket
            await super().socket(request, socket)

    site = Kept()
    gateway = Gateway([site], Authority(tmp_path))
    await gateway.start()
    try:
        async with websockets.connect(
            "wss://echo.example", proxy=gateway.proxy, ssl=trusting(gateway), close_timeout=0.1
        ) as socket:
            assert await socket.recv() == "hello /"
            fault = Fault("half-open")
            gateway.faults.begin(fault)
            if first == "client":
                await socket.send("lost")
            else:
                await site.spoken.send("lost")
            (tunnel,) = gateway.tunnels
            while not tunnel.dead:  # noqa: ASYNC110 (the bytes are on their way)
                await asyncio.sleep(0.01)
            gateway.faults.end(fault)
            before = gateway.messages
            await site.spoken.send("later")
            assert gateway.messages == before
    finally:
        await gateway.stop()
