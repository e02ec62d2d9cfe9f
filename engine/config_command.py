"""`sizewatch config`: a file's mistakes, those of its rules included, or the commented default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from engine.config_file import default_text, load
from engine.errors import ConfigError


def config_command(check: Path | None, actions: Mapping[str, str], say: Callable[[str], object]) -> int:
    """Check a file, or say the default configuration. Raises ConfigError with all mistakes."""
    if check is None:
        say(default_text().removesuffix("\n"))
        return 0
    config = load(check, actions)
    from engine.alert_setup import read_rules

    _, mistakes = read_rules(config)
    if mistakes:
        raise ConfigError(str(check), tuple(mistakes))
    say(f"{check}: all is well")
    return 0
