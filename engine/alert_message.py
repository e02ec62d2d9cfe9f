"""What an event says: a rule's template over a row's values, as the screen writes numbers.

One line without control characters, whatever the values hold; no attribute or index of a value can be reached.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Final

from engine.amounts import scaled
from engine.errors import one_line

COMPACT: Final = "compact"
"""The format of large amounts: `{volume_usd:compact}` is `42.4 bn`, `{flow_5d:+compact}` is `+333.3 mn`."""
_NUMBER: Final = re.compile(r"[-+ ]?#?0?\d{0,2},?(\.\d{1,2})?[fgeds%]?|\+?" + COMPACT)
LIMIT: Final = 500
"""Characters of a message."""


def is_format(spec: str) -> bool:
    """Whether a template may ask for a number in this format: Python's for numbers, within bounds, or `compact`."""
    return _NUMBER.fullmatch(spec) is not None


def compact(value: float, sign: str = "") -> str:
    """An amount with its magnitude, one decimal: `2.4 tn`, `31.4 bn`, `612.0 mn`, `4.2 k`; below a thousand whole."""
    amount, unit = scaled(value)
    return f"{format(amount, f'{sign}.1f')} {unit}" if unit else format(amount, f"{sign}.0f")


class _Render(string.Formatter):
    """Templates over plain values, as the screen writes them: missing is a dash, the minus is a true one."""

    def get_field(self, field_name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> tuple[object, str]:
        return kwargs.get(field_name), field_name

    def format_field(self, value: object, format_spec: str) -> str:
        if value is None:
            return "–"
        try:
            if format_spec.endswith(COMPACT) and isinstance(value, int | float):
                text = compact(value, format_spec.removesuffix(COMPACT))
            else:
                text = format(value, format_spec)
        except ValueError:
            text = str(value)
        if isinstance(value, int | float) and (sign := text.lstrip()[:1]) in ("-", "+"):
            # what rounds to nothing has no sign
            shown = "" if not text.strip(" -+0.,%") else "−" if sign == "-" else sign
            return text.replace(sign, shown, 1)
        return text


def render(template: str, values: Mapping[str, object]) -> str:
    """The message of an event in one line, without control characters."""
    text = _Render().vformat(template, (), values)
    return one_line(text)[:LIMIT]
