"""The network border: the one place that decides proxy, certificate authorities and time-outs for every client."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.request import getproxies

import feeds.backport  # noqa: F401 — every client's connections are closed by what it mends
from engine.config import Network

GOODBYE_S: Final = 1.0
"""How long a connection's goodbye may take, at most."""


def goodbye_s(timeout: float) -> float:
    """Seconds that a goodbye may take: a tenth of the time-out."""
    return min(GOODBYE_S, timeout / 10)


@dataclass(frozen=True, slots=True)
class Border:
    """How every client reaches the outside.

    proxy: proxy URL or None. ca_file: PEM file or None for the usual authorities. timeout: seconds.
    """

    proxy: str | None
    ca_file: str | None
    timeout: float

    @classmethod
    def of(cls, network: Network) -> Border:
        """The config's border; where it is silent, the variables HTTPS_PROXY and SSL_CERT_FILE."""
        return cls(
            proxy=network.proxy or getproxies().get("https") or None,
            ca_file=network.ca_file or os.environ.get("SSL_CERT_FILE") or None,
            timeout=network.timeout,
        )

    def ssl_context(self) -> ssl.SSLContext:
        """A verifying TLS context for clients that take one."""
        return ssl.create_default_context(cafile=self.ca_file)
