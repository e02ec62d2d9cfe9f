"""Finds, reads and watches the configuration file; a wrong one is refused as a whole, with all its mistakes.

Searched in this order: the file that the command line names, `config.toml` in the working folder, `config.toml` in the
user's configuration folder; where there is none, the built-in values hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.clock import Clock
from engine.config import Config
from engine.errors import ConfigError, ConfigMistake
from engine.model import Notice

NAME: Final = "config.toml"
LIMIT: Final = 1_000_000
"""Bytes of a configuration file that are read at the most."""


def user_folder() -> Path:
    """Where this user's own configuration file belongs; not created."""
    from platformdirs import user_config_path

    return user_config_path("sizewatch", appauthor=False)


def find(named: Path | None) -> Path | None:
    """The file that holds the configuration, or None for the built-in values. `named` is taken as it is."""
    if named is not None:
        return named
    return next((path for path in (Path(NAME), user_folder() / NAME) if path.is_file()), None)


def default_text() -> str:
    """The commented default configuration, as `config.toml` beside the checkout or inside the wheel has it."""
    here = Path(__file__).parent
    inside = here / "default_config.toml"
    return (inside if inside.is_file() else here.parent / NAME).read_text(encoding="utf-8")


def load(path: Path | None, actions: Mapping[str, str] | None = None) -> Config:
    """The configuration in `path`; the built-in one for None.

    actions: action id → default key, against which `[keys]` is checked. Raises ConfigError with every mistake.
    """
    if path is None:
        return Config()
    try:
        with path.open("rb") as file:
            content = file.read(LIMIT + 1)
    except OSError as error:
        raise ConfigError(str(path), (ConfigMistake("", "", f"cannot be read: {error.strerror}"),)) from error
    return parse(content, path, actions)


def parse(content: bytes, path: Path, actions: Mapping[str, str] | None = None) -> Config:
    """The configuration that `content` means; `path` names the file in errors and anchors the paths that it holds."""
    if len(content) > LIMIT:
        raise ConfigError(str(path), (ConfigMistake("", "", f"is longer than {LIMIT:,} bytes"),))
    if _is_default(content):
        return Config()
    import tomllib  # a run without a file of its own needs neither before the first paint

    from engine.config_check import check

    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(str(path), (ConfigMistake("", "", f"line {line} is not UTF-8 text"),)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), (ConfigMistake("", "", f"is not TOML: {error}"),)) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    try:
        config, mistakes = check(raw, actions)
    except RecursionError as error:
        raise _too_deep(path) from error
    config = _anchored(config, path.absolute().parent)
    ca_file = config.network.ca_file
    if ca_file and not Path(ca_file).is_file():
        mistakes.say("network.ca_file", ca_file, "must be a file of certificate authorities (PEM); there is none there")
    if mistakes:
        raise ConfigError(str(path), tuple(mistakes))
    return config


def _is_default(content: bytes) -> bool:
    """Whether this is the commented default to the letter, as whoever starts in a checkout has it: nothing to read."""
    try:
        return content == default_text().encode()
    except OSError:  # it has been taken away
        return False


def _too_deep(path: Path) -> ConfigError:
    return ConfigError(str(path), (ConfigMistake("", "", "is nested too deeply"),))


def _anchored(config: Config, folder: Path) -> Config:
    """Paths in the configuration made absolute: `~` is the user's home, a relative one starts at the file's folder."""

    def absolute(text: str) -> str:
        return str(folder / Path(text).expanduser()) if text else text

    network = replace(config.network, ca_file=absolute(config.network.ca_file))
    flows = replace(config.flows, files=tuple(absolute(file) for file in config.flows.files))
    store = replace(config.store, path=absolute(config.store.path))
    return replace(config, network=network, store=store, flows=flows)


class Watcher:
    """Tells of changes to the configuration file, at most once each; `poll` is cheap enough for once a second.

    A change counts once two polls in a row see the same file, so that an editor's half-written one is never read; a
    file that is renamed over the old one is seen, too. Whatever is wrong, the configuration that runs goes on.
    """

    def __init__(self, named: Path | None, clock: Clock, actions: Mapping[str, str] | None = None) -> None:
        """named: the command line's file, or None to search. actions: as in `load`."""
        self._named = named
        self._clock = clock
        self._actions = actions
        self._path = find(named)
        self._stamp = _stamp(self._path)
        self._content = _content(self._path)
        self._pending: tuple[Path | None, tuple[int, ...] | None] | None = None

    def poll(self) -> Config | Notice | None:
        """A new configuration, a notice of why there is none, or None where nothing changed."""
        path = find(self._named)
        seen = (path, _stamp(path))
        if seen == (self._path, self._stamp):
            self._pending = None
            return None
        if seen != self._pending:
            self._pending = seen
            return None
        self._pending = None
        before, self._path, self._stamp = self._path, *seen
        if self._stamp is None:
            gone, self._content = before or path, None
            return self._notice("warning", f"{gone}: is gone; the configuration that was read from it stays in force")
        content = _content(path)
        if content is not None and content == self._content and path == before:
            return None
        self._content = content
        try:
            return load(path, self._actions)
        except ConfigError as error:
            first, *more = error.lines()
            rest = f" (and {len(more)} more: sizewatch config --check {path})" if more else ""
            return self._notice("error", f"configuration refused, the old one goes on: {first}{rest}")

    def _notice(self, severity: str, text: str) -> Notice:
        return Notice(self._clock.now(), severity, text)


def _stamp(path: Path | None) -> tuple[int, ...] | None:
    """What changes when the file does; None where there is none."""
    if path is None:
        return None
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _content(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return file.read(LIMIT + 1)
    except OSError:
        return None
