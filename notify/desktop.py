"""The desktop's own notifications, through desktop-notifier: D-Bus on Linux, the notification centres elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from notify.channel import DeliveryError, Message

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

TIMEOUT_S = 10.0


class DesktopChannel:
    """The session's notification service; without one every send says so."""

    def __init__(self, name: str = "desktop") -> None:
        self.name = name
        self._notifier: DesktopNotifier | None = None

    async def send(self, message: Message) -> None:
        """Raises DeliveryError where no service answers."""
        from desktop_notifier import DesktopNotifier, Urgency

        urgency = {"info": Urgency.Low, "critical": Urgency.Critical}.get(message.severity, Urgency.Normal)
        try:
            if self._notifier is None:
                self._notifier = DesktopNotifier(app_name="sizewatch", notification_limit=10)
            sending = self._notifier.send(title=message.title, message=message.body, urgency=urgency)
            identifier = await asyncio.wait_for(sending, TIMEOUT_S)
        except TimeoutError:
            raise DeliveryError(f"the desktop did not answer within {TIMEOUT_S:g} s") from None
        except Exception as error:  # noqa: BLE001 - every platform's back end raises its own kinds
            self._notifier = None
            raise DeliveryError(f"no desktop notifications here: {type(error).__name__}: {str(error)[:120]}") from None
        if not identifier:
            raise DeliveryError("the desktop took no notification")
