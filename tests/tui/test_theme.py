"""Colours by meaning, readable in every theme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color

from engine.config import Config
from engine.config_looks import Appearance
from engine.model import Mode
from tests.tui import fakes
from tui import theme
from tui.app import SizewatchApp

ROOM = Path(theme.__file__).parent
TEXT = [role for role in theme.ROLES if role != "line"]


def contrast(front: str, back: str) -> float:
    """WCAG's ratio, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [c / 255 for c in Color.parse(colour).rgb]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", theme.NAMES)
def test_every_text_is_readable_on_every_background(name: str) -> None:
    c = theme.colours(name)
    pairs = [(role, back) for role in TEXT for back in ("background", "surface", "cursor")]
    pairs += [("bright", "flash-up"), ("bright", "flash-down")]
    pairs += [("background", badge) for badge in ("simulated", "alert", "warn")]
    poor = {(f, b): round(contrast(c[f], c[b]), 2) for f, b in pairs if contrast(c[f], c[b]) < 4.5}
    assert poor == {}


@pytest.mark.parametrize("name", theme.NAMES)
@pytest.mark.parametrize("ground", ["background", "surface", "cursor"])
def test_every_warmth_is_readable_and_another_colour(name: str, ground: str) -> None:
    styles = theme.styles(theme.full_name(name), ground)
    warm = [styles[f"heat-{way}-{step}"] for way in ("up", "down") for step in (1, 2, 3)]
    assert all(s.color and s.bgcolor and contrast(s.color.name, s.bgcolor.name) >= 4.5 for s in warm)
    assert len({s.bgcolor for s in warm}) == 6


@pytest.mark.parametrize("name", theme.NAMES)
def test_every_role_that_is_painted_has_a_style_in_every_theme(name: str) -> None:
    styles = theme.styles(theme.full_name(name))
    assert set(theme.ROLES) < set(styles)


def test_a_terminal_of_sixteen_colours_has_a_theme_in_which_what_matters_stays_apart() -> None:
    def seen(name: str) -> dict[str, int | None]:
        """The number of the colour that such a terminal shows for each meaning."""
        return {
            role: RichColor.parse(value).downgrade(ColorSystem.STANDARD).number
            for role, value in theme.colours(name).items()
        }

    shown = seen("sixteen")
    apart = ("background", "cursor", "text", "bright", "up", "down", "warn", "stale", "closed", "simulated", "accent")
    assert len({shown[role] for role in apart}) == len(apart)
    assert shown["flash-up"] != shown["flash-down"] and shown["line"] not in (shown["text"], shown["background"])
    dark = seen("dark")
    assert dark["warn"] == dark["stale"] == dark["text"], "which is why there is one"


def test_no_colour_value_stands_outside_the_theme() -> None:
    for file in (*ROOM.rglob("*.py"), *ROOM.rglob("*.tcss")):
        if file.name != "theme.py":
            assert not re.findall(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b[^-\w]", file.read_text("utf-8")), file


@pytest.mark.parametrize(
    ("terminal", "wish", "name"),
    [({"TERM": "linux"}, "auto", "sixteen"), ({"TERM": "screen"}, "auto", "sixteen"),
     ({"TERM": "xterm-16color"}, "auto", "sixteen"), ({"TERM": "tmux-256color"}, "auto", "dark"),
     ({"TERM": "linux", "COLORTERM": "truecolor"}, "auto", "dark"), ({"TERM": "dumb"}, "auto", "dark"),
     ({"TERM": "linux", "NO_COLOR": "1"}, "auto", "dark"), ({"TERM": "linux"}, "dark", "dark"),
     ({"TERM": "linux"}, "light", "light"), ({"TERM": "xterm-256color"}, "sixteen", "sixteen")],
)  # fmt: skip
def test_a_terminal_of_few_colours_gets_its_theme_unless_one_was_chosen(
    monkeypatch: pytest.MonkeyPatch, terminal: dict[str, str], wish: str, name: str
) -> None:
    for variable in ("TERM", "COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in terminal.items():
        monkeypatch.setenv(variable, value)
    config = Config(appearance=Appearance(theme=wish))
    source, clock = fakes.FakeSource(None), fakes.FixedClock()
    assert SizewatchApp(source, config, Mode.DEMO, clock=clock, looks=True).theme == theme.full_name(name)
    picture = SizewatchApp(source, config, Mode.DEMO, clock=clock)
    assert picture.theme == theme.full_name("dark" if wish == "auto" else wish), "a picture is the same everywhere"
