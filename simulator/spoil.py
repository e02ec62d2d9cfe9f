"""What a fault makes of one message: the same wire format with one thing wrong, whatever service it belongs to.

Fields are found by the names that the services use for prices, times and symbols, at any depth, and inside Yahoo's
packed messages; a message without a price is no data and passes untouched. The same seed spoils the same way.
"""

from __future__ import annotations

import base64
import json
import math
import random
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

LASTS: Final = frozenset({"last", "price", "c", "regularMarketPrice", "preMarketPrice", "postMarketPrice"})
_BIDS: Final = frozenset({"bid", "best_bid", "b"})
_ASKS: Final = frozenset({"ask", "best_ask", "a"})
_RANGES: Final = frozenset({"high", "low", "open", "vwap", "h", "l", "o", "w", "x", "high_24_h", "low_24_h"})
PRICES: Final = LASTS | _BIDS | _ASKS | _RANGES
TIMES: Final = frozenset({"timestamp", "time", "E", "C", "regularMarketTime", "preMarketTime", "postMarketTime"})
SYMBOLS: Final = frozenset({"symbol", "s", "product_id", "id"})
PREVIOUS: Final = frozenset({"regularMarketPreviousClose"})
PAST: Final = 0.5
"""Prices of the past are this share of today's, so that one taken for today's is seen."""
BURST: Final = 100
HELD: Final = 8
"""Messages that a shuffle holds back at a time."""
MAINTENANCE: Final = '{"code":503,"error":"EService:Unavailable","msg":"maintenance"}'

_WRONG: Final[tuple[Any, ...]] = ([], {}, True, "what?", [{"a": None}], "", 10**400)
_HIGHEST_TIME: Final = 253_370_764_800

Leaf = Callable[[str, Any], Any]


class Spoiler:
    """Spoils messages in one way at a time; keeps what a kind has to remember."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._first: dict[str, Any] = {}
        self._held: dict[str, list[str]] = {}

    def forget(self) -> None:
        """A fault is over: what it remembered goes, held messages with it."""
        self._first.clear()
        self._held.clear()

    def messages(self, kind: str, stream: str, text: str, value: float) -> list[str]:  # noqa: PLR0911 (one a kind)
        """What is sent in place of `text` on `stream`; `value` is the fault's own figure, such as seconds."""
        if (opened := _opened(text)) is None:
            return [text]
        if kind == "silent":
            return []
        if kind == "code-frame":
            return [MAINTENANCE]
        if kind == "truncated":
            return [text[: len(text) // 2]]
        if kind in {"duplicate", "burst"}:
            return [text] * (2 if kind == "duplicate" else BURST)
        if kind == "shuffle":
            held = self._held.setdefault(stream, [])
            held.append(text)
            if len(held) < HELD:
                return []
            self._random.shuffle(held)
            return [held.pop() for _ in range(len(held))]
        tree, close = opened
        if kind in {"renamed", "delisted"}:
            if (gone := self._first.setdefault(f"{kind} {stream}", next(_symbols(tree), None))) is None:
                return [text]
            if kind == "renamed":
                return [close(_walk(tree, lambda name, found: f"X{found}" if _is(name, found, gone) else found))]
            left = _without(tree, gone)
            return [] if left is None else [close(left)]
        return [close(self.tree(kind, tree, value))]

    def tree(self, kind: str, tree: Any, value: float) -> Any:
        """A decoded message with its prices, times or symbols as the fault has them."""
        if kind == "crossed":
            return _crossed(tree)
        return _walk(tree, self._leaf(kind, value))

    def _leaf(self, kind: str, value: float) -> Leaf:  # noqa: PLR0911 (one line a kind)
        match kind:
            case "frozen":
                return lambda name, found: self._first.setdefault(name, found) if name in TIMES else found
            case "past":
                return lambda name, found: (
                    _shifted(found, -value)
                    if name in TIMES
                    else _scaled(found, PAST)
                    if name in PRICES | PREVIOUS
                    else found
                )
            case "skew":
                return lambda name, found: _shifted(found, value) if name in TIMES else found
            case "unknown":
                return lambda name, found: "QQQQ/ZZZ" if name in SYMBOLS else found
            case "wrong-types":
                wrong = PRICES | TIMES | SYMBOLS
                return lambda name, found: self._random.choice(_WRONG) if name in wrong else found
            case "near-zero-previous":
                return lambda name, found: _number_as(found, 0.01) if name in PREVIOUS else found
        prices = {"zero": 0.0, "negative": -1.0, "nan": float("nan"), "huge": 1e308}
        return lambda name, found: _number_as(found, prices[kind]) if name in PRICES else found


def _opened(text: str) -> tuple[Any, Callable[[Any], str]] | None:
    """The tree of a data message and what makes text of it again; None for a message without a price."""
    try:
        tree = json.loads(text)
    except ValueError:
        return None
    if isinstance(tree, dict) and tree.get("type") == "pricing" and isinstance(tree.get("message"), str):
        fields = _fields(base64.b64decode(tree["message"]))
        return _named(fields), lambda named: _dumps({**tree, "message": _packed(fields, named)})
    return (tree, _dumps) if _has_price(tree) else None


def _dumps(tree: Any) -> str:
    return json.dumps(tree, separators=(",", ":"))


def _has_price(tree: Any) -> bool:
    if isinstance(tree, dict):
        return any(name in LASTS or _has_price(value) for name, value in tree.items())
    return isinstance(tree, list) and any(_has_price(value) for value in tree)


def _walk(tree: Any, leaf: Leaf, name: str = "") -> Any:
    if isinstance(tree, dict):
        return {key: _walk(value, leaf, key) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_walk(value, leaf, name) for value in tree]
    return leaf(name, tree)


def _is(name: str, found: Any, symbol: str) -> bool:
    return name in SYMBOLS and found == symbol


def _symbols(tree: Any, name: str = "") -> Iterator[str]:
    """Every symbol that a message names, in its order."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _symbols(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from _symbols(value, name)
    elif name in SYMBOLS and isinstance(tree, str):
        yield tree


def _without(tree: Any, symbol: str) -> Any:
    """A message without what it says of `symbol`; None where nothing is left to say."""
    if isinstance(tree, list):
        left = [one for value in tree if (one := _without(value, symbol)) is not None]
        return left if left or not tree else None
    if not isinstance(tree, dict):
        return tree
    if any(_is(name, value, symbol) for name, value in tree.items()):
        return None
    made = {}
    for name, value in tree.items():
        made[name] = _without(value, symbol) if isinstance(value, dict | list) else value
        if made[name] is None and value is not None:
            return None
    return made


def _crossed(tree: Any) -> Any:
    """Every bid a tenth above its ask."""
    if isinstance(tree, list):
        return [_crossed(value) for value in tree]
    if not isinstance(tree, dict):
        return tree
    asks = [value for name, value in tree.items() if name in _ASKS and not isinstance(value, list | dict)]
    return {
        name: _scaled(asks[0], 1.1) if name in _BIDS and asks and not isinstance(value, list) else _crossed(value)
        for name, value in tree.items()
    }


def _number_as(found: Any, number: float) -> Any:
    """`number` in the type that the field has: text stays text."""
    return str(number).replace("nan", "NaN") if isinstance(found, str) else number


def _scaled(found: Any, factor: float) -> Any:
    try:
        return _number_as(found, float(found) * factor)
    except (TypeError, ValueError):
        return found


def _shifted(found: Any, seconds: float) -> Any:
    """A time moved by `seconds`, in the unit and type that it has."""
    if isinstance(found, str) and "T" in found:
        moment = datetime.fromisoformat(found.replace("Z", "+00:00")[:32]).astimezone(UTC) + timedelta(seconds=seconds)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    try:
        number = float(found)
    except (TypeError, ValueError):
        return found
    unit = 1.0
    while abs(number) / unit > _HIGHEST_TIME:
        unit *= 1000.0
    if unit == 1.0 and abs(number) > 1e11:
        unit = 1000.0
    moved = int(number + seconds * unit)
    return str(moved) if isinstance(found, str) else moved


# --- Yahoo's packed messages: protobuf's wire format, of which three fields matter here

_Field = tuple[int, int, bytes | int]


def _fields(data: bytes) -> list[_Field]:
    """(number, wire type, value) of each field; a varint as an int, everything else as bytes."""
    fields: list[_Field] = []
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            number, at = _varint(data, at)
            fields.append((tag >> 3, 0, number))
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None:
            size, at = _varint(data, at)
        fields.append((tag >> 3, kind, data[at : at + size]))
        at += size
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _named(fields: list[_Field]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for number, _, value in fields:
        if number == 1 and isinstance(value, bytes):
            named["id"] = value.decode()
        elif number == 2 and isinstance(value, bytes):
            named["price"] = struct.unpack("<f", value)[0]
        elif number == 3 and isinstance(value, int):
            named["time"] = (value >> 1) ^ -(value & 1)
    return named


def _packed(fields: list[_Field], named: dict[str, Any]) -> str:
    """The fields again, with what `named` makes of three of them; a value of the wrong type becomes stray bytes."""
    out = bytearray()
    for number, kind, value in fields:
        name = {1: "id", 2: "price", 3: "time"}.get(number)
        new = named.get(name) if name is not None else None
        if name == "id" and isinstance(new, str):
            value = new.encode()  # noqa: PLW2901
        elif name == "price" and isinstance(new, float):
            value = struct.pack("<f", new if math.isnan(new) else max(min(new, 3.0e38), -3.0e38))  # noqa: PLW2901
        elif name == "time" and isinstance(new, int) and not isinstance(new, bool) and abs(new) < 2**62:
            value = new << 1 if new >= 0 else (-new << 1) - 1  # noqa: PLW2901
        elif name is not None:
            value = b"\xff\xff\xff" if isinstance(value, bytes) else value  # noqa: PLW2901
        out += _as_varint(number << 3 | kind)
        if isinstance(value, int):
            out += _as_varint(value)
        else:
            out += (_as_varint(len(value)) if kind == 2 else b"") + value
    return base64.b64encode(bytes(out)).decode()
