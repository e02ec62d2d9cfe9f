"""Whether a site can be reached at all: a connection through the border up to the TLS handshake, and not one request.

So it costs nothing of a site's budget. Certificates are not judged here: nothing is sent, and the client that asks
for data does judge them.
"""

from __future__ import annotations

from typing import Final

from engine.errors import TransientError
from feeds.aside import aside
from feeds.network import Border
from feeds.translate import words

PATIENCE_S: Final = 3.0
"""A handshake that takes longer counts as none; the border's time-out where that is shorter."""
_SAID: Final = {
    5: "the proxy's name cannot be resolved",
    6: "the host's name cannot be resolved: no network, or no DNS",
    28: "no answer in time",
    35: "TLS: the handshake failed",
    52: "the connection was closed by the other side",
    56: "the connection was closed by the other side",
    97: "the proxy does not let us through",
}
"""What curl's codes mean here."""


async def reach(border: Border, host: str) -> None:
    """Return once `host` has answered a TLS handshake. Raises TransientError with the reason where it does not."""
    if (why := await aside(_connect, border, host)) is not None:
        raise TransientError(why)


def _connect(border: Border, host: str) -> str | None:
    """Connect and hang up; the reason in words where that fails. Blocks, for `PATIENCE_S` at the most."""
    from curl_cffi import Curl, CurlError, CurlOpt

    curl = Curl()
    try:
        curl.setopt(CurlOpt.URL, f"https://{host}/".encode())
        curl.setopt(CurlOpt.CONNECT_ONLY, 1)
        curl.setopt(CurlOpt.TIMEOUT_MS, int(1000 * min(PATIENCE_S, border.timeout)))
        curl.setopt(CurlOpt.SSL_VERIFYPEER, 0)
        curl.setopt(CurlOpt.SSL_VERIFYHOST, 0)
        if border.proxy is not None:
            curl.setopt(CurlOpt.PROXY, border.proxy.encode())
            curl.setopt(CurlOpt.PROXY_SSL_VERIFYPEER, 0)
            curl.setopt(CurlOpt.PROXY_SSL_VERIFYHOST, 0)
        curl.perform()
    except CurlError as failed:
        if failed.code == 7:
            return "the proxy cannot be reached" if border.proxy is not None else "connection refused"
        return _SAID.get(int(failed.code)) or words(str(failed), 80)
    finally:
        curl.close()
    return None
