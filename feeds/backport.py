"""What early releases of a Python that sizewatch runs on got wrong, and later ones mended.

Python 3.11.0 to 3.11.2, the last of them Debian 12's: aborting a TLS connection that has been closed twice raises
AttributeError. aiohttp does that where an exchange is closed whose connections are closing, and the close stops there.
"""

from __future__ import annotations

import sys
from asyncio import sslproto
from typing import Any


def abort(transport: Any) -> None:
    """Close a TLS transport immediately, as Python 3.11.3 does: one that has gone is left alone."""
    transport._closed = True
    if transport._ssl_protocol is not None:
        transport._ssl_protocol._abort()


if sys.version_info < (3, 11, 3):
    sslproto._SSLProtocolTransport.abort = abort  # type: ignore[assignment, method-assign, unused-ignore]
