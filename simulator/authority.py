"""The gateway's own throw-away certificate authority: it vouches for every host that the gateway answers for.

Its certificates are valid from the year 2000 to 3000, so that they hold whatever the run's clock says. The key never
leaves the folder that the authority was given; whoever trusts `ca.pem` trusts this run's gateway and nothing else.
"""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path
from typing import Any


class Authority:
    """Issues one TLS context a host.

    folder: an existing folder; `ca.pem` and `ca.key` (mode 0600) are written there, or read where they exist already,
    so that a restarted gateway keeps its clients' trust.
    """

    def __init__(self, folder: Path) -> None:
        import trustme

        self.ca_file = folder / "ca.pem"
        """PEM file of the certificate to trust."""
        key_file = folder / "ca.key"
        self._ca: Any
        if key_file.exists() and self.ca_file.exists():
            self._ca = trustme.CA.from_pem(self.ca_file.read_bytes(), key_file.read_bytes())
        else:
            self._ca = trustme.CA(organization_name="sizewatch simulator", organization_unit_name="not a real market")
            key_file.touch(mode=0o600)
            key_file.write_bytes(self._ca.private_key_pem.bytes())
            self.ca_file.write_bytes(self._ca.cert_pem.bytes())
        self.context = cache(self._context)
        """`context(host)`: the server side's TLS context for a host, made once."""

    def _context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(host).configure_cert(context)
        return context
