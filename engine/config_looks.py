"""What the configuration may say of the screen: themes, columns, layouts; a wrong name is refused early."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

from engine.config_shapes import Shape

if TYPE_CHECKING:
    from engine.config import Config

SavedName = Annotated[str, Shape(r"|[a-z0-9][a-z0-9_-]{0,31}", "a name of small letters, digits, _ and -")]
THEMES: Final = ("dark", "light", "contrast", "blue-orange", "blue-orange-light", "sixteen")
"""The built-in themes."""
COLOURS: Final = (
    "background", "surface", "cursor", "flash-up", "flash-down",
    "text", "bright", "dim", "up", "down", "flat", "stale", "closed", "estimated", "simulated", "warn", "alert",
    "good", "accent", "line",
)  # fmt: skip
"""What a theme of one's own may give a colour to."""
THEME_KEYS: Final = ("base", *COLOURS)
CRYPTO_COLUMNS: Final = (
    "symbol", "last", "change_pct", "volume_usd", "range", "recent", "bid", "ask", "basket", "venue_symbol", "source",
    "age",
)  # fmt: skip
EQUITY_COLUMNS: Final = (
    "symbol", "last", "change_pct", "session", "age", "range", "recent", "bid", "ask", "volume_usd", "source",
)  # fmt: skip


AUTO: Final = "auto"
"""The theme that is chosen for the terminal: no theme has this name."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """How the screen looks."""

    theme: str = AUTO
    """One of the built-in themes, of your own in [themes], or `auto`: what suits the terminal's colours."""
    flash: bool = True
    """Cells light up briefly when their value changes."""
    heat: bool = True
    """The day's changes in the grids have a ground that is warmer the larger they are."""
    characters: Literal["auto", "unicode", "ascii"] = "auto"
    """What is drawn with; auto: ASCII where the locale or the terminal has no more."""
    layout: SavedName = ""
    """A layout that was saved from inside (`:layout save NAME`); empty: the built-in one."""
    grouped: bool = False
    """The grid of crypto by basket, with totals, at the start."""
    crypto_columns: tuple[str, ...] = ()
    """Columns of the grid of crypto, the most important first; empty: the built-in ones, as many as fit."""
    equity_columns: tuple[str, ...] = ()
    """Columns of the grid of equities."""


class Wrong(NamedTuple):
    """A mistake: its place, the value, what would be right."""

    path: str
    value: object
    allowed: str


def looks(config: Config) -> Iterator[Wrong]:
    """Every mistake in what concerns the screen."""
    names = (AUTO, *THEMES, *config.themes)
    if config.appearance.theme not in names:
        yield Wrong("appearance.theme", config.appearance.theme, "must be " + " or ".join(f'"{n}"' for n in names))
    for name, table in config.themes.items():
        yield from _theme(name, table)
    for key, given, known in (
        ("crypto_columns", config.appearance.crypto_columns, CRYPTO_COLUMNS),
        ("equity_columns", config.appearance.equity_columns, EQUITY_COLUMNS),
    ):
        for place, column in enumerate(given):
            if column not in known:
                near = get_close_matches(column, known, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]}?" if near else ""
                yield Wrong(f"appearance.{key}[{place}]", column, f"must be one of {', '.join(known)}{hint}")


def _theme(name: str, table: Mapping[str, object]) -> Iterator[Wrong]:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name) or name in (AUTO, *THEMES):
        yield Wrong("themes", [name], "a name must be of small letters, digits and -, and not a built-in one's")
        return
    for key, value in table.items():
        if key not in THEME_KEYS:
            continue  # said already, where keys are looked at
        if key == "base":
            if value not in THEMES:
                yield Wrong(f"themes.{name}.base", value, "must be " + " or ".join(f'"{n}"' for n in THEMES))
        elif not isinstance(value, str) or re.fullmatch(r"#[0-9a-fA-F]{6}", value) is None:
            yield Wrong(f"themes.{name}.{key}", value, "must be a colour such as #57c27a")
