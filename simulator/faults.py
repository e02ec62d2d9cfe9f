"""What can go wrong on the way, as a schedule: each fault has a kind, the hosts that it meets, a begin and an end.

The gateway asks here before every connection, answer and message. Without a fault everything passes as it is. The same
faults with the same seed spoil the same messages in the same way.
"""

from __future__ import annotations

import asyncio
import math
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import orjson

from simulator.spoil import Spoiler

if TYPE_CHECKING:
    from simulator.gateway import Reply, Request


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    what: str
    """In words, for the documentation."""
    value: float = 0.0
    """The fault's own figure where none is given."""
    cuts: bool = False
    """Open connections to its hosts are cut as it begins."""


KINDS: Final[Mapping[str, Kind]] = {
    # the connection
    "refuse": Kind("connections are refused", cuts=True),
    "dns": Kind("the host's name is not known to the proxy (HTTP 503 to the CONNECT)", cuts=True),
    "tls-stranger": Kind("the certificate is another host's", cuts=True),
    "tls-broken": Kind("the TLS handshake is answered with rubbish", cuts=True),
    "slow-accept": Kind("a connection is answered only after `value` seconds", 30.0, cuts=True),
    "die": Kind("every open connection dies at once", cuts=True),
    "reset": Kind("a connection is reset in the middle of a frame"),
    "half-open": Kind("connections stay open and carry nothing any more, in neither direction"),
    "close": Kind("websockets are closed with code `value` and a reason", 1012.0),
    # the data
    "silent": Kind("heartbeats, but no data"),
    "frozen": Kind("the venue's times stand still"),
    "past": Kind("prices and times of `value` seconds ago", 3600.0),
    "skew": Kind("the venue's clock is `value` seconds ahead (negative: behind)", 300.0),
    "duplicate": Kind("every message comes twice"),
    "shuffle": Kind("messages come out of order"),
    "burst": Kind("every message comes 100 times"),
    "truncated": Kind("messages end half-way"),
    "wrong-types": Kind("prices, times and symbols have types that they never have"),
    "unknown": Kind("messages of symbols that nobody asked for; ours are renamed"),
    "renamed": Kind("one symbol goes on under another name"),
    "delisted": Kind("one symbol is never heard of again"),
    "zero": Kind("every price is 0"),
    "negative": Kind("every price is −1"),
    "nan": Kind("every price is NaN"),
    "huge": Kind("every price is 1e308"),
    "crossed": Kind("every bid is above its ask"),
    "near-zero-previous": Kind("the previous close is 0.01"),
    "code-frame": Kind("data messages are replaced by an error code"),
    # the answers
    "unavailable": Kind("HTTP 503", cuts=True),
    "limited": Kind("HTTP 429; `value`: seconds of Retry-After, 0 for none", 0.0, cuts=True),
    "teapot": Kind("HTTP 418", cuts=True),
    "forbidden": Kind("HTTP 403", cuts=True),
    "geo-block": Kind("HTTP 451", cuts=True),
    "consent": Kind("Yahoo's consent page"),
    "crumb-loop": Kind("Yahoo refuses every crumb"),
    "empty": Kind("empty answers", cuts=True),
    "html": Kind("web pages in place of data", cuts=True),
    "gzip-bomb": Kind("an answer that unpacks to `value` megabytes", 256.0, cuts=True),
    "endless": Kind("an answer that never ends", cuts=True),
}  # fmt: skip
_STATUS: Final = {"unavailable": 503, "limited": 429, "teapot": 418, "forbidden": 403, "geo-block": 451}
_MESSAGES: Final = tuple(KINDS)[tuple(KINDS).index("silent") : tuple(KINDS).index("unavailable")]
_SPOILED_BODIES: Final = ("yahoo.com", "coingecko.com")
"""Services whose data comes as answers rather than as a stream."""
PAGE: Final = "<!DOCTYPE html><html><head><title>Just a moment</title></head><body>One more step</body></html>"
CONSENT: Final = "https://guce.yahoo.com/consent"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a run."""

    kind: str
    hosts: tuple[str, ...] = ()
    """Host names, or domains that they end with; empty: all."""
    at: float = 0.0
    """Seconds after the gateway's start."""
    seconds: float = math.inf
    chance: float = 1.0
    """Share of the connections, answers or messages that it meets."""
    value: float | None = None
    """See `KINDS`; None: the kind's own."""

    @property
    def figure(self) -> float:
        return KINDS[self.kind].value if self.value is None else self.value

    def meets(self, host: str) -> bool:
        return not self.hosts or any(host == name or host.endswith("." + name) for name in self.hosts)


class Faults:
    """Which faults are on now. cut: told the fault whose beginning cuts open connections."""

    def __init__(self, plan: Sequence[Fault] = (), *, seed: int = 1) -> None:
        self.plan = tuple(plan)
        self.active: list[Fault] = []
        self.cut: Callable[[Fault], None] = lambda fault: None
        self._random = random.Random(seed)
        self._spoiler = Spoiler(seed)

    def begin(self, fault: Fault) -> None:
        """From now on."""
        self.active.append(fault)
        if KINDS[fault.kind].cuts:
            self.cut(fault)

    def end(self, fault: Fault) -> None:
        """No longer."""
        self.active.remove(fault)
        self._spoiler.forget()

    async def run(self) -> None:
        """Carry out the plan."""
        async with asyncio.TaskGroup() as group:
            for fault in self.plan:
                group.create_task(self._carry_out(fault))

    async def _carry_out(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        self.begin(fault)
        if math.isfinite(fault.seconds):
            await asyncio.sleep(fault.seconds)
            self.end(fault)

    def on(self, kind: str, host: str) -> Fault | None:
        """The fault of this kind that `host` meets now, by chance where it has one."""
        for fault in self.active:
            if (
                fault.kind == kind
                and fault.meets(host)
                and (fault.chance >= 1.0 or self._random.random() < fault.chance)
            ):
                return fault
        return None

    def messages(self, host: str, text: str) -> list[str]:
        """What goes out in place of one message."""
        if not self.active:
            return [text]
        texts = [text]
        for kind in _MESSAGES:
            if fault := self.on(kind, host):
                texts = [out for each in texts for out in self._spoiler.messages(kind, host, each, fault.figure)]
        return texts

    def status(self, host: str) -> tuple[int, dict[str, str]] | None:
        """The status that every answer of `host` has now, with its headers; None where it answers as it should."""
        for kind, status in _STATUS.items():
            if fault := self.on(kind, host):
                named = kind == "limited" and fault.figure > 0
                return status, {"Retry-After": f"{fault.figure:g}"} if named else {}
        return None

    def instead(self, request: Request) -> Reply | None:  # noqa: PLR0911 (one a fault)
        """The answer that a request gets whatever it asked for; None where its site answers."""
        from simulator.gateway import Reply

        host = request.host
        if refused := self.status(host):
            return Reply(refused[0], b'{"error":"refused"}', refused[1])
        if self.on("empty", host):
            return Reply(200, b"")
        if self.on("html", host):
            return Reply(200, PAGE.encode(), content_type="text/html")
        if fault := self.on("gzip-bomb", host):
            return Reply(200, bomb(int(fault.figure)), {"Content-Encoding": "gzip"})
        if host.endswith("yahoo.com"):
            if self.on("consent", host):
                if host.startswith(("guce", "consent")):
                    return Reply(200, PAGE.encode(), content_type="text/html")
                return Reply(302, b"", {"Location": CONSENT})
            if self.on("crumb-loop", host) and request.path.endswith("/quote"):
                error = {"code": "Unauthorized", "description": "Invalid Crumb"}
                return Reply.json({"finance": {"result": None, "error": error}}, 401)
        return None

    def body(self, request: Request, reply: Reply) -> Reply:
        """A site's answer as the active faults have it."""
        from simulator.gateway import Reply

        kinds = [kind for kind in _MESSAGES if kind not in {"silent", "duplicate", "burst", "shuffle", "code-frame"}]
        for kind in kinds if self.active and reply.content_type == "application/json" else ():
            spoils = kind == "truncated" or (request.host.endswith(_SPOILED_BODIES) and "/chart/" not in request.path)
            if spoils and (fault := self.on(kind, request.host)):
                body = reply.body
                if kind == "truncated":
                    body = body[: len(body) // 2]
                else:
                    body = "".join(self._spoiler.messages(kind, request.host, body.decode(), fault.figure)).encode()
                reply = Reply(reply.status, body, reply.headers, reply.content_type)
        return reply


@cache
def bomb(megabytes: int) -> bytes:
    """A small gzip stream of so many megabytes of nothing: one packed block again and again."""
    block = b" " * 2**20
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _ in range(megabytes):
        check = zlib.crc32(block, check)
    head = b"\x1f\x8b\x08" + bytes(7)
    size = (megabytes * len(block)) & 0xFFFFFFFF
    return head + again * megabytes + packer.flush() + check.to_bytes(4, "little") + size.to_bytes(4, "little")


def endless() -> bytes:
    """One piece of an answer that never ends."""
    return orjson.dumps([{"symbol": "A" * 64}] * 64)[:-1] + b","
