"""Telegram, Slack, Discord, ntfy, e-mail, webhooks and a hundred more, through Apprise: one URL a channel.

The URL is a secret (it holds tokens), so it is read from where `notify.secret` finds it and never shown.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from notify.channel import DeliveryError, Message
from notify.secret import resolve

_TYPES: Final = {"info": "info", "warning": "warning", "critical": "failure"}


class ServiceChannel:
    """An Apprise URL, named by a secret's reference. timeout: seconds for one delivery."""

    def __init__(self, name: str, reference: str, timeout: float = 20.0) -> None:
        self.name = name
        self._reference = reference
        self._timeout = timeout

    async def send(self, message: Message) -> None:
        """Send in a thread, since Apprise's HTTP blocks. Raises DeliveryError."""
        url = resolve(self._reference)
        try:
            arrived = await asyncio.wait_for(asyncio.to_thread(_notify, url, message), self._timeout)
        except TimeoutError:
            raise DeliveryError(f"no answer within {self._timeout:g} s") from None
        if not arrived:
            raise DeliveryError("the service did not take it (unreachable, or it refused)")


def _notify(url: str, message: Message) -> bool:
    # half a second to load, so at the first delivery and not before
    import apprise

    # its log lines carry URLs, and so tokens
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    sender = apprise.Apprise()
    if not sender.add(url):
        raise DeliveryError("the secret is no URL that Apprise knows", final=True)
    return bool(sender.notify(title=message.title, body=message.body, notify_type=_TYPES.get(message.severity, "info")))
