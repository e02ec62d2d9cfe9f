"""A user's own command, run without a shell, with the events as JSON on its standard input."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson

from engine.errors import one_line
from notify.channel import DeliveryError, Message


class CommandChannel:
    """Runs `arguments` once a message; exit code 0 is delivery. timeout: seconds until it is ended."""

    def __init__(self, name: str, arguments: Sequence[str], timeout: float = 30.0) -> None:
        self.name = name
        self._arguments = tuple(arguments)
        self._timeout = timeout

    async def send(self, message: Message) -> None:
        """Raises DeliveryError where it cannot be run, fails, or does not end in time."""
        events = [{**event._asdict(), "values": dict(event.values)} for event in message.events]
        payload = orjson.dumps({"title": message.title, "severity": message.severity, "events": events})
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise DeliveryError(f"{self._arguments[0]}: {error.strerror or error}") from None
        try:
            _, complaint = await asyncio.wait_for(process.communicate(payload), self._timeout)
        except TimeoutError:
            raise DeliveryError(f"{self._arguments[0]}: not done within {self._timeout:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            words = one_line(complaint.decode(errors="replace"))
            raise DeliveryError(f"{self._arguments[0]}: exit {process.returncode}{': ' + words[:160] if words else ''}")
