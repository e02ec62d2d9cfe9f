"""The streamer's websocket: how it is opened behind the border, and what the library does not bear by itself.

Importing this module imports websockets: import it in a thread.
"""

from __future__ import annotations

import ssl
from typing import Final

from websockets.asyncio.client import ClientConnection, connect

from feeds.network import Border, goodbye_s

LARGEST_MESSAGE: Final = 2**16


class Socket(ClientConnection):
    """A connection that may be lost before it was made: a TLS handshake that is cut off within a proxy's tunnel."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Who waits for the handshake is told by its own error, and the library knows no connection yet."""
        if hasattr(self, "recv_messages"):
            super().connection_lost(exc)


def opened(uri: str, border: Border, trust: ssl.SSLContext) -> connect:
    """The connection to `uri` behind `border`, to be entered."""
    return connect(
        uri,
        proxy=border.proxy,
        ssl=trust,
        create_connection=Socket,
        open_timeout=border.timeout,
        ping_interval=None,  # `feeds.listening` asks, and sooner
        close_timeout=goodbye_s(border.timeout),
        max_size=LARGEST_MESSAGE,
    )
