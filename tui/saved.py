"""What the user keeps from inside the program: queries and layouts, as TOML in the configuration folder.

A run that is not live keeps them for itself alone: the user's files are not touched.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

NAME: Final = r"[a-z0-9][a-z0-9_-]{0,31}"
LIMIT: Final = 200_000
"""Bytes of a file that are read."""
READY: Final[Mapping[str, str]] = {
    "movers": "SELECT symbol, last, change_pct, volume_usd, basket FROM quotes WHERE change_pct IS NOT NULL "
    "ORDER BY ABS(change_pct) DESC, symbol LIMIT 20",
    "baskets": "SELECT basket, COUNT(*) AS n, AVG(change_pct) AS mean_pct, SUM(volume_usd) AS volume_usd FROM quotes "
    "WHERE basket IS NOT NULL GROUP BY basket ORDER BY mean_pct DESC, basket",
    "stretched": "SELECT pair, ratio, z252, percentile, streak_leader FROM spreads WHERE z252 IS NOT NULL "
    "ORDER BY ABS(z252) DESC, pair",
    "stale": "SELECT symbol, source, age_s, status FROM quotes WHERE status <> 'ok' ORDER BY age_s DESC, symbol",
    "near": "SELECT symbol, role, price, state, distance_pct, distance_atr FROM levels WHERE distance_pct IS NOT NULL "
    "ORDER BY ABS(distance_pct), symbol, price LIMIT 20",
}
"""Queries that every run knows. Each names what decides between equals, which else stand in another order each time."""


class SavedError(Exception):
    """Something that cannot be kept or read; one line."""


def checked(name: str) -> str:
    """The name, where it may be one. Raises SavedError."""
    if re.fullmatch(NAME, name) is None:
        raise SavedError(f"“{name}”: a name is of small letters, digits, _ and -")
    return name


def _read(path: Path) -> dict[str, object]:
    import tomllib  # a run without a layout of its own reads nothing before the first paint

    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(LIMIT).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise SavedError(f"{path}: {error}".splitlines()[0]) from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(text, "utf-8")
        fresh.replace(path)
    except OSError as error:
        raise SavedError(f"{path}: {error.strerror}") from error


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # TOML's basic strings are JSON's, but for control characters


def queries(folder: Path) -> dict[str, str]:
    """The queries kept in a folder. Raises SavedError."""
    return {name: text for name, text in _read(folder / "queries.toml").items() if isinstance(text, str)}


def keep_query(folder: Path, name: str, text: str) -> Path:
    """Keep a query beside those kept before. Raises SavedError."""
    kept = {**queries(folder), checked(name): text}
    path = folder / "queries.toml"
    _write(
        path, "# kept from inside sizewatch with :keep\n" + "".join(f"{n} = {_quoted(t)}\n" for n, t in kept.items())
    )
    return path


Screens = Mapping[str, Mapping[str, Sequence[str]]]
"""Screen → smallest size → rows."""


def layouts(folder: Path, more: Iterable[str] = ()) -> list[str]:
    """The names under which layouts are kept in a folder, and these."""
    return sorted({*more, *(file.stem for file in (folder / "layouts").glob("*.toml"))})


def layout(folder: Path, name: str, more: Iterable[str] = ()) -> Screens:
    """The layouts kept under a name. Raises SavedError: there is none, or it is no layout.

    more: names that are kept elsewhere.
    """
    path = folder / "layouts" / f"{checked(name)}.toml"
    raw = _read(path)
    if not raw:
        there = layouts(folder, more)
        raise SavedError(f"no layout “{name}”; " + (f"there are {', '.join(there)}" if there else "none is saved yet"))
    made: dict[str, dict[str, tuple[str, ...]]] = {}
    for screen, sizes in raw.items():
        rows = sizes if isinstance(sizes, dict) else {}
        if not rows or not all(isinstance(r, list) and all(isinstance(t, str) for t in r) for r in rows.values()):
            raise SavedError(f'{path}: [{screen}] must hold lists of rows such as 100x30 = ["* crypto | feeds 40"]')
        made[screen] = {size: tuple(texts) for size, texts in rows.items()}
    return made


def keep_layout(folder: Path, name: str, screens: Screens) -> Path:
    """Keep the layouts of all screens under a name. Raises SavedError."""
    path = folder / "layouts" / f"{checked(name)}.toml"
    text = "# a layout of sizewatch; docs/screens.md says how rows are written\n"
    for screen, sizes in screens.items():
        text += f"\n[{screen}]\n"
        for size, rows in sizes.items():
            text += f"{size} = [\n" + "".join(f"    {_quoted(line)},\n" for line in rows) + "]\n"
    _write(path, text)
    return path


class Shelf:
    """What is kept, for one run: in files where the run is live, else in memory."""

    def __init__(self, *, files: bool) -> None:
        self._files = files
        self._queries: dict[str, str] | None = None
        self._layouts: dict[str, Screens] = {}
        self.problem = ""
        """Why what was kept before could not be read; empty where it could."""

    def _folder(self) -> Path:
        from engine.config_file import user_folder

        return user_folder()

    def queries(self, own: Mapping[str, str]) -> dict[str, str]:
        """Every query by name: the user's own of the configuration, those kept from inside, the ready ones."""
        if self._queries is None:
            self._queries = {}
            if self._files:
                try:
                    self._queries = queries(self._folder())
                except SavedError as error:
                    self.problem = str(error)
        return {**own, **self._queries, **{n: t for n, t in READY.items() if n not in own and n not in self._queries}}

    def keep_query(self, name: str, text: str) -> str:
        """Keep a query; says where. Raises SavedError."""
        where = str(keep_query(self._folder(), name, text)) if self._files else "this run alone, as it is not live"
        self._queries = {**(self._queries or {}), checked(name): text}
        return where

    def layouts(self) -> list[str]:
        """The names under which layouts are kept, in files and in this run."""
        return layouts(self._folder(), self._layouts)

    def layout(self, name: str) -> Screens:
        """The layouts kept under a name. Raises SavedError."""
        if name in self._layouts:
            return self._layouts[name]
        return layout(self._folder(), name, self._layouts)

    def keep_layout(self, name: str, screens: Screens) -> str:
        """Keep the layouts of all screens; says where. Raises SavedError."""
        self._layouts[checked(name)] = screens
        return str(keep_layout(self._folder(), name, screens)) if self._files else "this run alone, as it is not live"
