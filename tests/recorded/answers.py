"""A site of the gateway that gives recorded answers: what a venue really sent, and nothing that it did not.

HTTP answers are found by the path and, where several were recorded, by what the request's query must hold. A websocket
sends its recorded messages once the client has said something, those only that `wanted` lets pass.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from simulator.authority import Authority
from simulator.gateway import Gateway, Reply, Request, Socket

_EXCHANGE: Final = re.compile(r"(https?://\S+) -> [\d.]+: (.*)")
_RECEIVED: Final = re.compile(r"(\d+\.\d+): (.*)")


class Answers:
    """Recorded answers of one service."""

    def __init__(
        self,
        hosts: Sequence[str],
        http: Mapping[str, bytes | Reply] | None = None,
        messages: Sequence[str] = (),
        *,
        wanted: Callable[[str], bool] = lambda message: True,
        hold: bool = True,
    ) -> None:
        """http: path, or `path?name=value` where the query must hold that → body. hold: keep the socket open after."""
        self.hosts = frozenset(hosts)
        self.messages = [message for message in messages if wanted(message)]
        self.unanswered: list[str] = []
        """Requests that nothing was recorded for."""
        self.heard: list[str] = []
        """What clients said on websockets."""
        self._http = dict(http or {})
        self._hold = hold

    async def http(self, request: Request) -> Reply:
        for name, values in request.query.items():
            for value in values:
                if (found := self._http.get(f"{request.path}?{name}={value}")) is not None:
                    return found if isinstance(found, Reply) else Reply(200, found)
        found = self._http.get(request.path)
        if found is None:
            self.unanswered.append(f"{request.method} {request.host}{request.path}")
            return Reply.json({"message": "nothing was recorded"}, 404)
        return found if isinstance(found, Reply) else Reply(200, found)

    async def socket(self, request: Request, socket: Socket) -> None:
        spoken = False
        async for said in socket:
            self.heard.append(said)
            if not spoken:
                spoken = True
                for message in self.messages:
                    await socket.send(message)
                if not self._hold:
                    return

    async def run(self) -> None:
        await asyncio.get_running_loop().create_future()


def http_of(file: Path) -> dict[str, bytes]:
    """The recorded HTTP answers of `*.0` files by their address; of several to one address the last."""
    found = (_EXCHANGE.match(line) for line in file.read_text(encoding="utf-8").splitlines())
    return {match[1]: match[2].encode() for match in found if match}


def messages_of(file: Path) -> list[tuple[float, str]]:
    """The recorded websocket messages: time of receipt in epoch seconds, and text."""
    found = (_RECEIVED.match(line) for line in file.read_text(encoding="utf-8").splitlines())
    return [(float(match[1]), match[2]) for match in found if match]


@asynccontextmanager
async def gateway_of(folder: Path, *sites: Answers) -> AsyncIterator[Gateway]:
    """A running gateway over TLS on loopback that answers as `sites` and refuses every other host."""
    authority_folder = folder / "authority"
    authority_folder.mkdir(exist_ok=True)
    gateway = Gateway(sites, Authority(authority_folder))
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for `condition`; on time-out the test's own assertion says what is missing."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110 (the condition is the feed's doing, not ours)
        await asyncio.sleep(0.02)
