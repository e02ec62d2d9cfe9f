"""A TLS connection that has gone can be aborted, whatever release of Python this is."""

from __future__ import annotations

import asyncio
import ssl
import sys
from asyncio import sslproto
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feeds import backport
from simulator.authority import Authority

ABORTS: dict[str, Callable[[Any], None]] = {"this Python's": sslproto._SSLProtocolTransport.abort}
if sys.version_info < (3, 12):  # what ours calls takes other arguments later
    ABORTS["ours"] = backport.abort


@pytest.mark.parametrize("abort", ABORTS.values(), ids=ABORTS)
@pytest.mark.parametrize("gone", [False, True], ids=("alive", "gone"))
async def test_aborting_closes_a_connection_and_leaves_one_that_has_gone_alone(
    abort: Callable[[Any], None], gone: bool, tmp_path: Path
) -> None:
    authority, met = Authority(tmp_path), asyncio.get_running_loop().create_future()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.set_result(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=authority.context("localhost"))
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=authority.ca_file)
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
    await met
    if gone:
        writer.transport.close()
        writer.transport.close()  # the second one lets go of what the transport stands for
        assert writer.transport._ssl_protocol is None  # type: ignore[attr-defined]
    abort(writer.transport)
    assert writer.transport.is_closing()
    await asyncio.wait_for(asyncio.gather(writer.wait_closed(), return_exceptions=True), 5)
    server.close()
    await server.wait_closed()
