"""A rule in one line, as it is typed after `:alert`, and as the fields of a form: text in, a rule as written out.

    [NAME:] TABLE CONDITION [; field=value]…                spreads pair = 'IWM/SPY' AND z252 > 2; for=30s
    [NAME:] SYMBOL [over SYMBOL] up|down|both LEVEL [; …]   BTC/USD down 60000; severity=critical
    [NAME:] PAIR [up|down RATIO | CONDITION] [; …]          ETH/BTC up 0.035, or ETH/BTC z252 > 2

Whatever is wrong is said; what was typed is never dropped: it stands in the field where it most likely belongs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from engine.alert_setup import WATCHED
from engine.config import RULE_FIELDS

FIELDS: Final = (
    "name", "watch", "when", "clear_when", "for", "keep_firing_for", "cooldown", "mode", "once_per_bar", "session",
    "max_age", "severity", "notify", "expires", "message",
)  # fmt: skip
"""The fields of the form, in order. `watch` is a table's name, or a level that a symbol crosses."""
_WORDS: Final = {"up": "up", "down": "down", "both": "both", ">": "up", ">=": "up", "<": "down", "<=": "down"}
PAIR_MESSAGE: Final = "{pair} {ratio:.5g}, z {z252:+.2f}"
"""What an alert on a pair says where nothing else was asked for."""
_LEVEL: Final = re.compile(
    r"(?P<symbol>\S+)(?:\s+over\s+(?P<over>\S+))?\s+(?P<way>up|down|both|[<>]=?)\s*(?P<level>\S+)", re.IGNORECASE
)


class Typed(NamedTuple):
    """What a line says."""

    fields: dict[str, str]
    """By the form's names; those that are not there are empty."""
    problem: str | None
    """What of it could not be understood, in one line."""


def parse(text: str, symbols: Sequence[str], pairs: Sequence[str] = ()) -> Typed:
    """The form's fields from one line. symbols: canonical, `BTC` means `BTC/USD`. pairs: those of `spreads`."""
    fields: dict[str, str] = {}
    head, *options = _split(text)
    problem = None
    named = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9_.-]{0,63}):\s+", head)
    if named is not None and named[1] not in WATCHED:
        fields["name"] = named[1]
        head = head[named.end() :]
    head = head.strip()
    first, _, rest = head.partition(" ")
    crossing = _LEVEL.fullmatch(head)
    if first.rstrip(":") in WATCHED:
        fields["watch"], fields["when"] = first.rstrip(":"), rest.strip()
    elif crossing is not None and symbol_of(crossing["symbol"], symbols) is not None:
        fields["watch"] = head
    elif (pair := next((p for p in pairs if p.upper() == first.upper()), None)) is not None:
        fields["watch"], fields["when"] = "spreads", _of_pair(pair, rest.strip(), crossing)
        fields["message"] = PAIR_MESSAGE
        if crossing is not None and crossing["way"].lower() == "both":
            problem = f"{pair}: a ratio is watched in one way, up or down; the other is a rule of its own"
    elif head:
        fields["watch"], fields["when"] = (head, "") if crossing is not None else (first, rest.strip())
        problem = _unknown(first, symbols)
    for option in filter(str.strip, options):
        key, equals, value = option.partition("=")
        key = key.strip()
        if equals and key in FIELDS:
            fields[key] = value.strip().strip("\"'") if key not in ("when", "clear_when") else value.strip()
        else:
            near = get_close_matches(key, FIELDS, n=1)
            problem = problem or f"`{option.strip()[:40]}` is no field=value" + (
                f"; did you mean {near[0]}?" if near else f" (fields are {', '.join(FIELDS[2:])})"
            )
            fields["message"] = (fields.get("message", "") + " " + option.strip()).strip()
    if head and "name" not in fields:
        fields["name"] = name_for(head)
    return Typed(fields, problem)


def _of_pair(pair: str, rest: str, crossing: re.Match[str] | None) -> str:
    """The condition on a pair's row of `spreads`; without one, what the ready rules look at: far from its mean."""
    which = f"pair = '{pair}'"
    if crossing is None or crossing["over"]:
        return f"{which} AND {rest or 'ABS(z252) > 2'}"
    level = crossing["level"]
    return f"{which} AND ratio {'<' if _WORDS[crossing['way'].lower()] == 'down' else '>'} {level}"


def _unknown(first: str, symbols: Sequence[str]) -> str:
    known = symbol_of(first, symbols)
    if known is not None:
        return f"{known}: say which way and which level, as in `{known} down 100`"
    near = get_close_matches(first, [*WATCHED, *symbols, *(s.partition("/")[0] for s in symbols)], n=3, cutoff=0.5)
    nearest = f"; nearest are {', '.join(dict.fromkeys(near))}" if near else f" ({', '.join(WATCHED)})"
    return f"`{first[:40]}` is neither a live table nor a watched symbol{nearest}"


def _split(text: str) -> list[str]:
    """At semicolons that are not within quotes."""
    parts, quote = [""], ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        if sign == ";" and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def name_for(text: str) -> str:
    """A name for a rule that was given none."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:40].strip("-") or "rule"


def symbol_of(text: str, symbols: Sequence[str]) -> str | None:
    """The canonical symbol that a user means by `btc`, `^rut`, `BTC/USD`; None where there is none."""
    known = {symbol.upper(): symbol for symbol in symbols}
    return known.get(text.upper()) or known.get(f"{text.upper()}/USD")


def raw_of(fields: Mapping[str, str], symbols: Sequence[str]) -> dict[str, object]:
    """The rule as a configuration would hold it, from the form's fields; what is wrong in it stays in it."""
    raw: dict[str, object] = {}
    watch = fields.get("watch", "").strip()
    crossing = _LEVEL.fullmatch(watch)
    if crossing is not None:
        cross: dict[str, object] = {"symbol": symbol_of(crossing["symbol"], symbols) or crossing["symbol"]}
        if crossing["over"]:
            cross["over"] = symbol_of(crossing["over"], symbols) or crossing["over"]
        cross["level"] = _number(crossing["level"])
        cross["direction"] = _WORDS[crossing["way"].lower()]
        raw["cross"] = cross
    elif watch:
        raw["on"] = watch
    for key in RULE_FIELDS:
        value = fields.get(key, "").strip()
        if value and key not in ("on", "cross"):
            raw[key] = _number(value) if key in ("for", "keep_firing_for", "cooldown", "max_age") else value
    return raw


def _number(text: str) -> object:
    try:
        return float(text.replace(",", "").replace("_", ""))
    except ValueError:
        return text


def fields_of(name: str, raw: Mapping[str, object]) -> dict[str, str]:
    """The form's fields of a rule as written."""
    fields = {"name": name}
    cross = raw.get("cross")
    if isinstance(cross, Mapping):
        over = f" over {cross['over']}" if cross.get("over") else ""
        level = cross.get("level")
        number = f"{level:.12g}" if isinstance(level, int | float) else str(level)
        fields["watch"] = f"{cross.get('symbol')}{over} {cross.get('direction', 'both')} {number}"
    else:
        fields["watch"] = str(raw.get("on", ""))
    for key in FIELDS[2:]:
        if key in raw:
            value = raw[key]
            fields[key] = f"{value:g}" if isinstance(value, float) else str(value)
    return fields


def completions(text: str, symbols: Sequence[str], pairs: Sequence[str] = ()) -> list[str]:
    """What the last word of a line may be: tables, symbols and pairs first, then columns, then fields."""
    parts = _split(text)
    last = re.split(r"[\s()=<>!,]", parts[-1])[-1]
    if len(parts) > 1:
        words = [f"{name}=" for name in FIELDS if name not in ("watch", "when")]
    else:
        first, space, _ = parts[0].strip().partition(" ")
        if first in WATCHED and (space or text.endswith(" ")):
            words = [name for name, kind in WATCHED[first].items() if not kind.is_nested()]
            words += ["AND", "OR", "NOT", "IS NULL", "BETWEEN", "LIKE", "ABS("]
        elif first.upper() in {pair.upper() for pair in pairs} and (space or text.endswith(" ")):
            words = ["up", "down", *(name for name, kind in WATCHED["spreads"].items() if not kind.is_nested())]
        elif space or text.endswith(" "):
            words = ["up", "down", "both", "over", *symbols]
        else:
            words = [*WATCHED, *pairs, *symbols]
    return [word for word in words if word.lower().startswith(last.lower())]
