"""One client's connection to the gateway: CONNECT in clear, then TLS, then HTTP; what breaks on the way breaks here.

Whatever happens to one connection ends that one alone; the gateway owns every task that is begun for it.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from aiohttp import web

    from simulator.gateway import Gateway

_HEAD_LIMIT: Final = 16_384
"""Bytes of a CONNECT request's head, at most."""
_REASONS: Final = {400: "Bad Request", 405: "Method Not Allowed", 502: "Bad Gateway", 503: "Service Unavailable"}
_log = logging.getLogger(__name__)


class Tunnel(asyncio.Protocol):
    """One client's connection: the CONNECT head in clear, then TLS, then HTTP by aiohttp.

    It stays between TLS and aiohttp because the first request may be decrypted before `start_tls` returns; those bytes
    wait in `_early` until aiohttp's handler knows its transport.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._head = bytearray()
        self._early: list[bytes] = []
        self._http: asyncio.Protocol | None = None
        self._tls = False
        self.dead = False
        """Nothing goes through any more, in neither direction, though nobody closed it; nor does it come later."""
        self.host = ""
        self.raw: asyncio.Transport | None = None
        self.line: asyncio.Transport | None = None
        """The same within TLS, once there is any."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.raw = cast("asyncio.Transport", transport)
        self._gateway.tunnels.add(self)

    def data_received(self, data: bytes) -> None:
        if self.dead or (self._gateway.faults.active and self._gateway.faults.on("half-open", self.host)):
            self.dead = True
        elif self._http is not None:
            self._http.data_received(data)
        elif self._tls:
            self._early.append(data)
        else:
            self._head += data
            if b"\r\n\r\n" in self._head:
                self._connect(bytes(self._head))
            elif len(self._head) > _HEAD_LIMIT:
                self._refuse(400)

    def _connect(self, head: bytes) -> None:
        method, _, rest = head.partition(b" ")
        host, _, _port = rest.partition(b" ")[0].decode("latin-1").lower().rpartition(":")
        self.host = host
        self._gateway.note("connect", host)
        if method != b"CONNECT":
            self._refuse(405)
        elif self._gateway.faults.on("dns", host):
            self._refuse(503, "X-Squid-Error: ERR_DNS_FAIL 0\r\n")
        elif (server := self._gateway.server_of(host)) is None:
            self._refuse(502)
        else:
            self._tls = True
            self._gateway.own(self._start_tls(host, server))

    def _refuse(self, status: int, headers: str = "") -> None:
        if self.raw is not None:
            self.raw.write(f"HTTP/1.1 {status} {_REASONS[status]}\r\n{headers}Content-Length: 0\r\n\r\n".encode())
            self.raw.close()

    async def _start_tls(self, host: str, server: web.Server) -> None:
        raw = self.raw
        assert raw is not None
        faults = self._gateway.faults
        if fault := faults.on("slow-accept", host):
            await asyncio.sleep(fault.figure)
        context = self._gateway.authority.context("stranger.invalid" if faults.on("tls-stranger", host) else host)
        if raw.is_closing():
            return
        raw.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if faults.on("tls-broken", host):
            raw.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            raw.close()
            return
        try:
            transport = await asyncio.get_running_loop().start_tls(
                raw, self, context, server_side=True, ssl_handshake_timeout=20
            )
        except (OSError, ConnectionError, ssl.SSLError) as error:
            # a client that hangs up or does not trust us ends only its own connection
            _log.debug("TLS with the client for %s failed: %s", host, error)
            raw.abort()
            return
        if transport is None or raw.is_closing():
            return
        self.line = transport
        handler = server()
        handler.connection_made(transport)
        self._http = handler
        for data in self._early:
            handler.data_received(data)
        self._early.clear()

    def eof_received(self) -> bool | None:
        return self._http.eof_received() if self._http is not None else None

    def pause_writing(self) -> None:
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        if self._http is not None:
            self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gateway.tunnels.discard(self)
        if self._http is not None:
            self._http.connection_lost(exc)

    def abort(self) -> None:
        """Cut the line without a word."""
        if self.raw is not None:
            self.raw.abort()
