"""A CONNECT proxy on loopback that ends TLS with its own authority and answers as the sites that it was given.

It is the only way into the simulator, and the only thing a client must be told: a proxy's address and a CA file.
A host that no site serves is refused (502 to the CONNECT), never guessed. Every task and every transport is owned here:
`stop()` leaves none behind, and the same gateway can be started again on the same port with the same authority.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

import orjson
from aiohttp import WSMsgType, web

from simulator.faults import Fault, Faults, endless
from simulator.tunnel import Tunnel

if TYPE_CHECKING:
    from simulator.authority import Authority

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, or the request that opened a websocket."""

    method: str
    host: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, (default,))[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    @classmethod
    def json(cls, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """`value` as JSON; NumPy arrays and numbers are allowed, NaN becomes null."""
        return cls(status, orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), headers or {})


class Socket:
    """The server's side of one websocket: send, iterate what the client sends, close."""

    def __init__(self, socket: web.WebSocketResponse, host: str, gateway: Gateway, tunnel: Tunnel) -> None:
        self._socket = socket
        self._host = host
        self._muted = gateway.muted
        self._faults = gateway.faults
        self._gateway = gateway
        self._tunnel = tunnel

    @property
    def closed(self) -> bool:
        return self._socket.closed

    @property
    def _mute(self) -> bool:
        return self._socket.closed or self._host in self._muted or self._tunnel.dead

    async def send(self, message: str | bytes) -> None:
        """Send a text frame. A socket that has gone, or a host that is muted, swallows it."""
        if self._mute:
            return
        self._gateway.messages += 1
        text = message if isinstance(message, str) else message.decode()
        if self._faults.active and await self._broken(text):
            return
        with contextlib.suppress(ConnectionError):
            for each in self._faults.messages(self._host, text):
                await self._socket.send_str(each)

    async def _broken(self, text: str) -> bool:
        """True where a fault of the connection takes the message's place."""
        if self._faults.on("reset", self._host):
            whole = text.encode()[:60_000]
            assert self._tunnel.line is not None
            self._tunnel.line.write(b"\x81\x7e" + len(whole).to_bytes(2, "big") + whole[: len(whole) // 2])
            asyncio.get_running_loop().call_later(0.05, self._tunnel.line.abort)
            return True
        if fault := self._faults.on("close", self._host):
            await self.close(int(fault.figure), "maintenance, back in a moment")
            return True
        if self._faults.on("half-open", self._host):
            self._tunnel.dead = True
        return self._tunnel.dead

    async def ping(self, data: bytes = b"") -> None:
        """Send a ping frame, as venues do that close connections which do not answer."""
        if not self._mute:
            with contextlib.suppress(ConnectionError):
                await self._socket.ping(data)

    async def __aiter__(self) -> AsyncIterator[str]:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                yield cast("str", message.data)
            elif message.type is WSMsgType.BINARY:
                yield cast("bytes", message.data).decode()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code=code, message=reason.encode())


class Site(Protocol):
    """What the gateway needs of a service that it answers for."""

    hosts: frozenset[str]
    """Host names, lower case, whatever the port."""

    async def http(self, request: Request) -> Reply:
        """Answer an HTTP request."""
        ...

    async def socket(self, request: Request, socket: Socket) -> None:
        """Serve one websocket; it is closed when this returns."""
        ...

    async def run(self) -> None:
        """The site's one shared loop, such as a pump of ticks; the gateway owns and cancels it."""
        ...


class Gateway:
    """The proxy. It fails as planned (`faults`) or at a word: `refused`, `muted`, `drop_all`, `stop`…"""

    def __init__(
        self,
        sites: Sequence[Site],
        authority: Authority,
        *,
        port: int = 0,
        faults: Faults | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        """port: 0 takes a free one, which is kept for later starts. now: the log's clock, seconds; None: the loop's."""
        self.sites = tuple(sites)
        self.authority = authority
        self.port = port
        self.refused: set[str] = set()
        """Hosts that are answered with 502 for now."""
        self.muted: set[str] = set()
        """Hosts whose websockets stay open and say nothing."""
        self.tunnels: set[Tunnel] = set()
        self.faults = faults or Faults()
        self.faults.cut = self._cut
        self.log: deque[tuple[float, str, str]] = deque(maxlen=20_000)
        """(time, "connect", "socket" or "request", host) of whatever clients tried, the newest."""
        self._now = now
        self.requests = 0
        """HTTP requests and websockets served since the gateway was made."""
        self.messages = 0
        """What the sites gave to their open websockets since then, whatever a fault made of it on the way."""
        self._sockets: set[web.WebSocketResponse] = set()
        self._servers: dict[str, web.Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    @property
    def proxy(self) -> str:
        """The address to give to clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        """The PEM file that clients must trust."""
        return str(self.authority.ca_file)

    async def start(self) -> None:
        """Listen on 127.0.0.1; raises OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        self._servers = {
            host: web.Server(self._handler(site), access_log=None) for site in self.sites for host in site.hosts
        }
        self._listener = await loop.create_server(lambda: Tunnel(self), "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]
        for site in self.sites:
            self.own(site.run())
        self.own(self.faults.run())

    async def stop(self) -> None:
        """Close the port, cut every connection and end every task."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.drop_all()
        for task in (tasks := tuple(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        servers, self._servers = self._servers, {}
        await asyncio.gather(*(server.shutdown(0.1) for server in servers.values()))

    def drop_all(self) -> None:
        """Cut every open connection, as a dead cable would; new ones are welcome."""
        for tunnel in tuple(self.tunnels):
            tunnel.abort()

    async def close_sockets(self, code: int = 1000, reason: str = "") -> None:
        """Close every websocket politely with `code`."""
        await asyncio.gather(
            *(socket.close(code=code, message=reason.encode()) for socket in tuple(self._sockets)),
            return_exceptions=True,
        )

    def _cut(self, fault: Fault) -> None:
        """Cut the open connections that a beginning fault meets."""
        for tunnel in tuple(self.tunnels):
            if fault.meets(tunnel.host):
                tunnel.abort()

    def note(self, what: str, host: str) -> None:
        """Put what a client tries into the log."""
        now = asyncio.get_running_loop().time() if self._now is None else self._now()
        self.log.append((now, what, host))

    def server_of(self, host: str) -> web.Server | None:
        """Who answers for a host, or None where it is refused."""
        refused = host in self.refused or self.faults.on("refuse", host) is not None
        return None if refused else self._servers.get(host)

    def own(self, work: Any) -> None:
        """Run a coroutine until it ends or the gateway stops; a failure is logged with its traceback."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a task of the gateway failed", exc_info=error)

    def _handler(self, site: Site) -> Any:
        async def handle(raw: web.BaseRequest) -> web.StreamResponse:
            self.requests += 1
            opening = raw.headers.get("Upgrade", "").lower() == "websocket"
            body = b"" if opening else await raw.read()
            query = {name: tuple(raw.query.getall(name)) for name in raw.query}
            headers = {name.lower(): value for name, value in raw.headers.items()}
            host = (raw.host or "").rpartition(":")[0] or raw.host or ""
            request = Request(raw.method, host.lower(), raw.path, query, headers, body)
            self.note("socket" if opening else "request", request.host)
            refused = self.faults.status(request.host)
            if opening and refused is None:
                return await self._upgrade(site, raw, request)
            if self.faults.on("endless", request.host):
                return await _endless(raw)
            reply = self.faults.instead(request)
            if reply is None:
                reply = self.faults.body(request, await site.http(request))
            return web.Response(
                body=reply.body, status=reply.status, headers=reply.headers, content_type=reply.content_type
            )

        return handle

    async def _upgrade(self, site: Site, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        response = web.WebSocketResponse(compress=False)
        try:
            await response.prepare(raw)
            self._sockets.add(response)
            tunnel = next((one for one in self.tunnels if one.line is not None and one.line is raw.transport), None)
            if tunnel is None:
                raise ConnectionResetError("cut while it was opened")
            await site.socket(request, Socket(response, request.host, self, tunnel))
            await response.close()
        except ConnectionError:
            # the client left while we spoke
            _log.debug("a client of %s left", request.host)
        finally:
            self._sockets.discard(response)
        return response


async def _endless(raw: web.BaseRequest) -> web.StreamResponse:
    """An answer that goes on for as long as the client reads it."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    piece = b"[" + endless()
    with contextlib.suppress(ConnectionError):
        await response.prepare(raw)
        while True:
            await response.write(piece)
            await asyncio.sleep(0.01)
    return response
