"""Colours by meaning, for every theme: the only file that holds a colour's value.

A role is a meaning (`up`, `stale`). Each theme gives every role one colour, which the stylesheet reads as `$up` and
painters as `styles(theme)["up"]`. Every role also has a glyph or a sign on the screen, never colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from rich.style import Style
from textual.theme import Theme

ROLES: Final = (
    "text", "bright", "dim", "up", "down", "flat", "stale", "closed", "estimated", "simulated", "warn", "alert",
    "good", "accent", "line",
)  # fmt: skip
"""Foreground meanings. `line` draws borders and rules, never text."""

_PALETTES: Final[dict[str, tuple[bool, str]]] = {
    # name: dark?, "background surface cursor flash_up flash_down" then the ROLES in their order
    "dark": (
        True,
        "#0f1318 #151a21 #232c38 #17402a #4a2021 #c9d1d9 #f2f5f8 #8b949e #57c27a #f0767a #9aa4af #a8956f #8b98b0 "
        "#b3a0dc #d59cf5 #e0ad4b #ff7b72 #57c27a #79b8ff #35404d",
    ),
    "light": (
        False,
        "#fbfbf9 #f1f1ee #dde6f2 #c3ecd0 #f9d2d2 #24292f #0b0e12 #5b636d #116329 #b3202a #57606a #7a5b1e #4f5d75 "
        "#6b4bb0 #8a2fc0 #865400 #b3202a #116329 #0757b8 #c3c9d1",
    ),
    "contrast": (
        True,
        "#000000 #0a0a0a #003a70 #005c1f #7a0000 #ffffff #ffffff #d0d0d0 #5cff8f #ff8f8f #e6e6e6 #ffd27a #c4d4ff "
        "#e0c8ff #ff9dff #ffdd33 #ff8080 #5cff8f #7fd4ff #9a9a9a",
    ),
    "blue-orange": (
        True,
        "#10131a #161b24 #263143 #17375e #5a3410 #cdd3dc #f4f6f9 #959eac #6cb2ff #ffa04d #9fa8b5 #a49b82 #8b98b0 "
        "#b9aede #d7a8f0 #e6cf5a #ffb347 #6cb2ff #a5c8f5 #384354",
    ),
    "blue-orange-light": (
        False,
        "#fafafa #f0f1f3 #dde5f0 #cfe3fb #fbdfc4 #23282f #0b0e12 #59616b #0a57a8 #9c4a00 #57606a #6e6034 #4f5d75 "
        "#5d4aa8 #7a35a8 #6e5a00 #8f3c00 #0a57a8 #1d4f91 #c3c9d1",
    ),
    # each colour beside one of the sixteen that a plain terminal has: the greys of the others all become its one grey
    "sixteen": (
        True,
        "#000000 #000000 #00008a #007800 #a00000 #aaaaaa #ffffff #aaaaaa #55ff55 #ff5555 #aaaaaa #c88010 #00aaaa "
        "#ff55ff #ff55ff #ffff55 #ff5555 #55ff55 #55ffff #555555",
    ),
}
NAMES: Final = tuple(_PALETTES)
"""The built-in themes."""
_GROUNDS: Final = ("background", "surface", "cursor", "flash-up", "flash-down")


def names() -> tuple[str, ...]:
    """Every theme: the built-in ones, then the user's."""
    return tuple(_PALETTES)


def suited(colours: str | None) -> str:
    """The theme for a terminal of so many colours, by Rich's name for them; None: nothing is known of it."""
    return "sixteen" if colours in ("standard", "windows") else "dark"


def define(name: str, table: Mapping[str, object]) -> tuple[str, ...]:
    """A theme of the user's: `base` and colours by meaning. Returns what of it cannot be read well, in words."""
    base = str(table.get("base", "dark"))
    made = {**colours(base), **{meaning: str(value) for meaning, value in table.items() if meaning != "base"}}
    _PALETTES[name] = (_PALETTES[base][0], " ".join(made[meaning] for meaning in (*_GROUNDS, *ROLES)))
    styles.cache_clear()
    return tuple(
        f"themes.{name}.{role} has a contrast of {ratio:.1f} on the background; 4.5 can be read well"
        for role in ROLES
        if role != "line" and (ratio := contrast(made[role], made["background"])) < READABLE
    )


HEAT: Final = 3
"""Steps of the ground behind a change, up to that of a flash."""
READABLE: Final = 4.5
"""The contrast that WCAG asks of text."""


def contrast(front: str, back: str) -> float:
    """WCAG's ratio of two colours, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def blend(back: str, front: str, share: float) -> str:
    """A colour on the way from one to another."""
    pairs = ((int(back[i : i + 2], 16), int(front[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _heat(c: Mapping[str, str], back: str) -> dict[str, Style]:
    """How much something has changed: the ground is warmer the larger, the text stays readable on it."""
    made = {}
    for way in ("up", "down"):
        for step in range(1, HEAT + 1):
            ground = blend(back, c[f"flash-{way}"], step / HEAT)
            front = c[way] if contrast(c[way], ground) >= READABLE else c["bright"]
            made[f"heat-{way}-{step}"] = Style(color=front, bgcolor=ground)
    return made


def full_name(name: str) -> str:
    """The name that Textual knows a theme of ours by."""
    return f"sizewatch-{name}"


def colours(name: str) -> Mapping[str, str]:
    """Every colour of a theme by meaning: the roles, `background`, `surface`, `cursor`, `flash-up`, `flash-down`."""
    words = _PALETTES[name][1].split()
    return dict(zip((*_GROUNDS, *ROLES), words, strict=True))


def theme(name: str) -> Theme:
    """The theme as Textual wants it, with every meaning as a variable of the stylesheet."""
    c = colours(name)
    return Theme(
        name=full_name(name),
        primary=c["accent"],
        secondary=c["dim"],
        accent=c["accent"],
        warning=c["warn"],
        error=c["alert"],
        success=c["good"],
        foreground=c["text"],
        background=c["background"],
        surface=c["surface"],
        panel=c["surface"],
        dark=_PALETTES[name][0],
        variables={
            **{role: c[role] for role in ROLES},
            "cursor": c["cursor"],
            "input-cursor-background": c["text"],
            "border": c["line"],
            "border-blurred": c["line"],
            "scrollbar": c["line"],
            "scrollbar-hover": c["dim"],
            "scrollbar-active": c["accent"],
            "scrollbar-background": c["background"],
            "scrollbar-background-hover": c["background"],
            "scrollbar-background-active": c["background"],
            "scrollbar-corner-color": c["background"],
        },
    )


@lru_cache(maxsize=64)
def styles(name: str, ground: str = "background") -> Mapping[str, Style]:
    """A drawing style for every role that painters use, whole: nothing has to be added when a line is drawn.

    name: as Textual knows the theme. ground: the meaning of the colour behind: `background`, `surface` or `cursor`.
    """
    c = colours(name.removeprefix("sizewatch-"))
    back = c[ground]
    made = {role: Style(color=c[role], bgcolor=back) for role in ROLES}
    return (
        made
        | _heat(c, back)
        | {
            "head": made["dim"],
            "sorted": made["accent"],
            "missing": made["dim"],
            "frame": made["line"],
            "frame-focus": made["accent"],
            "title": made["dim"],
            "title-focus": Style(color=c["bright"], bgcolor=back, bold=True),
            "figure": Style(color=c["bright"], bgcolor=back, bold=True),
            "figure-warn": Style(color=c["warn"], bgcolor=back, bold=True),
            "figure-alert": Style(color=c["alert"], bgcolor=back, bold=True),
            "key": Style(color=c["accent"], bgcolor=back, bold=True),
            "badge": Style(color=c["background"], bgcolor=c["simulated"], bold=True),
            "badge-alert": Style(color=c["background"], bgcolor=c["alert"], bold=True),
            "badge-warn": Style(color=c["background"], bgcolor=c["warn"], bold=True),
            "flash-up": Style(color=c["bright"], bgcolor=c["flash-up"]),
            "flash-down": Style(color=c["bright"], bgcolor=c["flash-down"]),
        }
    )
