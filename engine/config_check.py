"""Checks what a configuration file holds against the shape in `engine.config` and finds all its mistakes at once.

A small walker over the dataclasses' own annotations, because the well-known validators cost 100–200 ms of import, and
this runs before the first paint. A file may hold only what differs: what it leaves out keeps its default; a table whose
keys are the user's own (baskets, aliases, levels, channels, keys) is merged key by key, and an empty value removes a
default; rules are taken as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Final, Literal, cast, get_args, get_origin, get_type_hints

from engine.config import Band, Config, Crypto, Notify, QuietHours, Spreads
from engine.config_looks import looks
from engine.config_plans import plan_mistakes, without_orphans
from engine.config_shapes import Shape, Tables, Within
from engine.errors import ConfigMistake
from engine.exchanges import known_exchanges
from engine.legs import LegError, parse_pair, parsed_pairs

SHOWN: Final = 60
"""Characters of a wrong value that are repeated to the user."""
_SHOWN_OF_NOTIFY: Final = frozenset({"notify.terminal", "notify.quiet.start", "notify.quiet.end", "notify.quiet.zone"})


class Mistakes(list[ConfigMistake]):
    """What is wrong so far; of a value, and of what it stands in, only the first that was found."""

    def say(self, path: str, value: object, allowed: str) -> None:
        """One more mistake; a `value` of None shows none."""
        if path == "notify" or path.startswith("notify."):  # a secret may stand in a wrong place: it is not repeated
            value = value if isinstance(value, int | float) or path in _SHOWN_OF_NOTIFY else None
        if any(mistake.path == path or mistake.path.startswith((f"{path}.", f"{path}[")) for mistake in self):
            return
        self.append(ConfigMistake(path, "" if value is None else shown(value), allowed))


def check(raw: Mapping[str, object], actions: Mapping[str, str] | None = None) -> tuple[Config, Mistakes]:
    """The configuration that `raw` (parsed TOML) means, and every mistake in it.

    actions: action id → default key, against which `[keys]` is checked; None leaves that unchecked.
    The configuration is to be used only where there is no mistake: a wrong value stands in it as its default, so that
    the checks of meaning can go on and find the rest.
    """
    mistakes = Mistakes()
    config = cast("Config", _table(Config, Config(), raw, "", mistakes))
    config = _drop_orphaned_defaults(config, raw)
    _check_crypto(config.crypto, mistakes)
    _repeated(config.equity.symbols, "equity.symbols", mistakes)
    _check_pairs(config, mistakes)
    _repeated(config.regime.small_funds, "regime.small_funds", mistakes)
    _repeated(config.regime.large_funds, "regime.large_funds", mistakes)
    _check_decisions(config.regime.fomc, mistakes)
    _check_levels(config, mistakes)
    _check_notify(config.notify, mistakes)
    for wrong in (*looks(config), *plan_mistakes(config)):
        mistakes.say(*wrong)
    if actions is not None:
        _check_keys(config.keys, actions, mistakes)
    return config, mistakes


def shown(value: object) -> str:
    """A value as TOML writes it, shortened."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        plain = value.replace("\\", "\\\\").replace('"', '\\"')
        text = '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in plain) + '"'
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{_quoted(key)} = {shown(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
    else:
        text = str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


# --- shape: keys, types, ranges -------------------------------------------------------------------------------------


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _table(kind: type, default: object, raw: object, path: str, mistakes: Mistakes) -> object:
    """`default`, a dataclass of `kind`, with what `raw` says instead."""
    if not isinstance(raw, Mapping):
        mistakes.say(path, raw, f"must be a table: [{path}]")
        return default
    names = tuple(field.name for field in fields(kind))
    given: dict[str, object] = {}
    for key, value in raw.items():
        where = f"{path}.{_quoted(key)}" if path else _quoted(key)
        if key in names:
            given[key] = _value(_hints(kind)[key], getattr(default, key), value, where, mistakes)
        else:
            mistakes.say(where, value, "unknown key; " + _instead(key, names, path))
    return replace(cast("Any", default), **given)


def _instead(key: str, names: Iterable[str], path: str = "") -> str:
    """What may be meant by `key`, or all that there is."""
    names = tuple(names)
    near = get_close_matches(key, names, n=2, cutoff=0.6)
    prefix = f"{path}." if path else ""
    if near:
        return "did you mean " + " or ".join(prefix + name for name in near) + "?"
    return "known here: " + ", ".join(sorted(names))


def _value(hint: Any, default: object, raw: object, path: str, mistakes: Mistakes) -> object:
    """`raw` as the annotation `hint` wants it; a mistake and `default` where it is not."""
    rules: tuple[object, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        rules = tuple(extras)
    origin = get_origin(hint) or hint
    result = default
    if rules and isinstance(rules[0], Tables):
        result = _raw_tables(rules[0], raw, path, mistakes)
    elif is_dataclass(origin):
        result = _table(cast("type", origin), default, raw, path, mistakes)
    elif origin is Mapping:
        result = _mapping(hint, cast("Mapping[str, object]", default), raw, path, mistakes)
    elif origin is tuple:
        result = _items(get_args(hint)[0], cast("tuple[object, ...]", default), raw, path, mistakes)
    elif origin is Literal:
        options = get_args(hint)
        if raw in options:
            result = raw
        else:
            mistakes.say(path, raw, "must be " + " or ".join(shown(option) for option in options))
    else:
        result = _scalar(origin, rules, raw, default, path, mistakes)
    return result


def _scalar(kind: type, rules: Iterable[object], raw: object, default: object, path: str, mistakes: Mistakes) -> object:
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}[kind]
    rule = next(iter(rules), None)
    right = isinstance(raw, (int, float) if kind is float else kind) and (kind is bool or not isinstance(raw, bool))
    if right and isinstance(rule, Within):
        right = rule.low <= cast("float", raw) <= rule.high  # false for nan too
    elif right and isinstance(rule, Shape):
        right = re.fullmatch(rule.pattern, cast("str", raw)) is not None
    elif right and kind is float:
        right = abs(cast("float", raw)) < float("inf")
    if not right:
        mistakes.say(path, raw, f"must be {rule or words}")
        return default
    return float(cast("float", raw)) if kind is float else raw


def _items(hint: Any, default: tuple[object, ...], raw: object, path: str, mistakes: Mistakes) -> tuple[object, ...]:
    if not isinstance(raw, list):
        example = shown("…") if path.startswith("notify.") else shown(raw)
        mistakes.say(path, raw, f"must be a list in brackets, such as [{example}]")
        return default
    kind = _plain(hint)
    if get_origin(kind) is Literal:
        chosen = get_args(kind)
        return tuple(_value(hint, chosen[0], item, f"{path}[{place}]", mistakes) for place, item in enumerate(raw))
    return tuple(
        _value(hint, item if isinstance(item, kind) else kind(), item, f"{path}[{place}]", mistakes)
        for place, item in enumerate(raw)
    )


def _mapping(
    hint: Any, default: Mapping[str, object], raw: object, path: str, mistakes: Mistakes
) -> Mapping[str, object]:
    """The default's entries, changed, added to or (by an empty value) reduced by the file's."""
    if not isinstance(raw, Mapping):
        mistakes.say(path, raw, f"must be a table: [{path}]")
        return default
    key_hint, value_hint = get_args(hint)
    merged = dict(default)
    for key, value in raw.items():
        where = f"{path}.{_quoted(key)}"
        if value in ("", [], {}):
            merged.pop(key, None)
            continue
        if get_origin(key_hint) is Annotated:
            rule = get_args(key_hint)[1]
            if re.fullmatch(rule.pattern, key) is None:
                mistakes.say(where, value, f"the key must be {rule}")
                continue
        kind = _plain(value_hint)
        blank = merged[key] if key in merged else (get_origin(kind) or kind)()
        merged[key] = _value(value_hint, blank, value, where, mistakes)
    return merged


def _raw_tables(rule: Tables, raw: object, path: str, mistakes: Mistakes) -> Mapping[str, object]:
    """Tables as they are written; of them only the keys are looked at."""
    if not isinstance(raw, Mapping):
        mistakes.say(path, raw, f"must be a table: [{path}]")
        return {}
    for name, table in raw.items():
        where = f"{path}.{_quoted(name)}"
        if not isinstance(table, Mapping):
            mistakes.say(where, table, f"must be a table: [{where}]")
            continue
        for key, value in table.items():
            if key not in rule.known:
                mistakes.say(f"{where}.{_quoted(key)}", value, "unknown key; " + _instead(key, rule.known, where))
    return {name: dict(table) for name, table in raw.items() if isinstance(table, Mapping)}


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else shown(key)


# --- meaning: what one value says of another ------------------------------------------------------------------------


def _drop_orphaned_defaults(config: Config, raw: Mapping[str, object]) -> Config:
    """Built-in pairs, levels and ALT baskets whose symbols the file does not watch any more go with them."""

    def written(table: str, key: str) -> bool:
        inner = raw.get(table)
        return isinstance(inner, Mapping) and key in inner

    if not written("crypto", "alt"):
        alt = tuple(name for name in config.crypto.alt if name in config.crypto.baskets)
        config = replace(config, crypto=replace(config.crypto, alt=alt))
    if not written("spreads", "pairs"):
        pairs = tuple(pair for pair in config.spreads.pairs if parsed_pairs((pair,), config))
        config = replace(config, spreads=Spreads(pairs))
    if not written("scanner", "pairs"):
        pairs = tuple(pair for pair in config.scanner.pairs if parsed_pairs((pair,), config))
        config = replace(config, scanner=replace(config.scanner, pairs=pairs))
    levels = raw.get("levels", {})
    own = levels if isinstance(levels, Mapping) else {}
    kept = {symbol: band for symbol, band in config.levels.items() if symbol in own or symbol in config.symbols}
    plans = raw.get("plans", {})
    own_plans = frozenset(map(str, plans)) if isinstance(plans, Mapping) else frozenset()
    return without_orphans(replace(config, levels=kept), own_plans)


def _repeated(items: Iterable[str], path: str, mistakes: Mistakes) -> None:
    seen: set[str] = set()
    for place, item in enumerate(items):
        if item in seen:
            mistakes.say(f"{path}[{place}]", item, "is named twice; once is enough")
        seen.add(item)


def _check_crypto(crypto: Crypto, mistakes: Mistakes) -> None:
    usual = crypto.exchanges == Crypto().exchanges  # known to be right, and the list of all is not worth a look then
    known = frozenset() if usual else known_exchanges()
    for place, name in enumerate(crypto.exchanges):
        if known and name not in known:
            near = get_close_matches(name, known, n=2, cutoff=0.5)
            hint = "; did you mean " + " or ".join(near) + "?" if near else ", such as binance, coinbase or kraken"
            mistakes.say(f"crypto.exchanges[{place}]", name, f"must be an exchange that ccxt.pro knows{hint}")
    _repeated(crypto.exchanges, "crypto.exchanges", mistakes)
    _repeated(crypto.quotes, "crypto.quotes", mistakes)
    if not crypto.quotes:
        mistakes.say("crypto.quotes", [], "must name at least one currency")
    for name, base in crypto.aliases.items():
        if base in crypto.aliases:
            mistakes.say(f"crypto.aliases.{_quoted(name)}", base, "must be a canonical name, not another alias")
    for basket, members in crypto.baskets.items():
        path = f"crypto.baskets.{basket}"
        _repeated(members, path, mistakes)
        for place, base in enumerate(members):
            if base in crypto.aliases:
                mistakes.say(f"{path}[{place}]", base, f"is an alias: write {crypto.aliases[base]}")
    for place, basket in enumerate(crypto.alt):
        if basket not in crypto.baskets:
            mistakes.say(f"crypto.alt[{place}]", basket, "must be a basket; " + _instead(basket, crypto.baskets))
    _repeated(crypto.alt, "crypto.alt", mistakes)


def _check_pairs(config: Config, mistakes: Mistakes) -> None:
    both = set(config.equity.symbols) & set(config.crypto.bases)
    for table, pairs in (("spreads", config.spreads.pairs), ("scanner", config.scanner.pairs)):
        names: list[str] = []
        for place, text in enumerate(pairs):
            path = f"{table}.pairs[{place}]"
            try:
                pair = parse_pair(text, config)
            except LegError as wrong:
                mistakes.say(path, text, wrong.what)
                continue
            unclear = sorted(both & {symbol.removesuffix("/USD") for symbol in pair.symbols})
            if unclear:
                mistakes.say(path, text, f"{' and '.join(unclear)} names an equity symbol and a crypto base")
            elif pair.name in names:
                mistakes.say(path, text, "is named twice; once is enough")
            names.append(pair.name)


def _check_decisions(days: Iterable[str], mistakes: Mistakes) -> None:
    newest: date | None = None
    for place, text in enumerate(days):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text) is None:
            continue  # its shape was said to be wrong
        try:
            day = date.fromisoformat(text)
        except ValueError:
            mistakes.say(f"regime.fomc[{place}]", text, "must be a day that there is, such as 2026-01-28")
            continue
        if newest is not None and day <= newest:
            mistakes.say(f"regime.fomc[{place}]", text, f"must come after {newest}: the days stand in their order")
        newest = day


def _check_levels(config: Config, mistakes: Mistakes) -> None:
    for symbol, band in config.levels.items():
        path = f"levels.{_quoted(symbol)}"
        if symbol not in config.symbols:
            near = get_close_matches(symbol, config.symbols, n=2, cutoff=0.6)
            hint = "; did you mean " + " or ".join(near) + "?" if near else ""
            mistakes.say(path, _written(band), f"must be a watched symbol, such as IWM or BTC/USD{hint}")
        if band.support and band.resistance and max(band.support) >= min(band.resistance):
            mistakes.say(path, _written(band), "every resistance must be above every support")


def _written(band: Band) -> Mapping[str, object]:
    return {"support": band.support, "resistance": band.resistance}


def _check_notify(notify: Notify, mistakes: Mistakes) -> None:
    for name, channel in notify.channels.items():
        path = f"notify.channels.{_quoted(name)}"
        if channel.kind == "apprise" and not channel.url:
            mistakes.say(
                f"{path}.url", None, "must be env:NAME or keyring:SERVICE/USER, where the service's URL is kept"
            )
        if channel.kind == "command" and not all((channel.command, *channel.command)):
            mistakes.say(f"{path}.command", None, 'must be a program and its arguments, such as ["notify-me", "--now"]')
    quiet = notify.quiet
    if bool(quiet.start) != bool(quiet.end):
        mistakes.say("notify.quiet", None, "needs both start and end, such as 22:00 and 07:00")
    if quiet.zone != QuietHours().zone and not _is_zone(quiet.zone):
        mistakes.say("notify.quiet.zone", quiet.zone, "must be a time zone, such as Europe/London or UTC")


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # KeyError: there is none of that name
        return False
    return True


def _check_keys(keys: Mapping[str, str], actions: Mapping[str, str], mistakes: Mistakes) -> None:
    for action, key in keys.items():
        if action not in actions:
            mistakes.say(f"keys.{_quoted(action)}", key, "unknown action; " + _instead(action, actions))
    taken: dict[tuple[str, str], str] = {}
    for action, key in _pressed(keys):  # a built-in key gives way, but not one of the user's own to another
        context = action.partition("_")[0] if action.startswith(("chart_", "alert_")) else ""
        other = taken.setdefault((context, key), action)
        if other != action:
            mistakes.say(f"keys.{_quoted(action)}", keys[action], f"the key {shown(key)} is given to {other} already")


def _pressed(keys: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each action with each of its keys (several may be separated by commas)."""
    for action, names in keys.items():
        for key in dict.fromkeys(name.strip() for name in names.split(",")):
            if key:
                yield action, key
