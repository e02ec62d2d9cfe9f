"""One answer of one web site through the network border, read up to a limit, or the error that it is.

Sites that serve files and small JSON: one client a feed, no cookies kept, redirects followed within the site's scheme.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson

from engine.errors import BadDataError
from feeds.aside import aside
from feeds.network import Border
from feeds.translate import error_of_status, seconds_of
from feeds.turns import FACTS, imported

if TYPE_CHECKING:
    import aiohttp

LARGEST: Final = 32 * 2**20
"""Bytes of the largest answer that is read."""
AGENT: Final = "sizewatch (terminal market monitor)"
"""Sites are told who asks: none of them is asked in disguise."""


class Web:
    """An open client. Its methods raise a FeedError, or aiohttp's own errors where the network fails."""

    def __init__(self, session: aiohttp.ClientSession, proxy: str | None) -> None:
        self._session = session
        self._proxy = proxy

    async def read(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        """The answer's body."""
        async with self._session.get(url, params=params, proxy=self._proxy) as answer:
            if error := error_of_status(answer.status, seconds_of(answer.headers.get("retry-after"))):
                raise error
            body = bytearray()
            async for part in answer.content.iter_chunked(2**16):
                body += part
                if len(body) > LARGEST:
                    raise BadDataError(f"an answer of more than {LARGEST // 2**20} MB")
        return bytes(body)

    async def json(self, url: str, params: Mapping[str, str] | None = None) -> Any:
        """The answer as JSON."""
        try:
            return orjson.loads(await self.read(url, params))
        except orjson.JSONDecodeError as broken:
            raise BadDataError("the answer is no JSON") from broken


@asynccontextmanager
async def web(border: Border, headers: Mapping[str, str] | None = None) -> AsyncIterator[Web]:
    """A client behind `border` for as long as it is needed."""
    await aside(imported, FACTS, "aiohttp")  # half a second at the first start: not in the event loop
    import aiohttp

    trust = await aside(border.ssl_context)
    async with aiohttp.ClientSession(
        headers={"user-agent": AGENT, **(headers or {})},
        connector=aiohttp.TCPConnector(ssl=trust, limit=2),
        timeout=aiohttp.ClientTimeout(total=max(border.timeout, 30.0), connect=border.timeout),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield Web(session, border.proxy)
